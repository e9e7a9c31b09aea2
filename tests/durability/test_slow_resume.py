"""What happens while somebody is still being told what was missed: nothing may overtake it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Self

import pytest

from core.limits import REPLAY_MAX
from tests.clients import DEADLINE, Message, WebClient, within
from tests.durability.breaking import page_resets
from tests.e2e.server import Server, serving
from tests.e2e.sockets import HANDSHAKE, text_frame

CLOSE: Final = 8
LONG: Final = "x" * 1900


class SlowPage:
    """A WebSocket whose system takes only a little until it is read, and that is read when it is wanted."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setblocking(False)
        self._data = b""

    async def __aenter__(self) -> Self:
        await self.sends(HANDSHAKE)
        while b"\r\n\r\n" not in self._data:
            await self._more()
        self._data = self._data.partition(b"\r\n\r\n")[2]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def sends(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def _more(self) -> None:
        async with within(DEADLINE):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
        if not data:
            raise EOFError
        self._data += data

    async def _take(self, size: int) -> bytes:
        while len(self._data) < size:
            await self._more()
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    async def event(self) -> Message | None:
        """The next one; None at the end."""
        try:
            opcode, size = await self._take(2)
            if size >= 126:
                size = int.from_bytes(await self._take(2 if size == 126 else 8), "big")
            payload = await self._take(size)
        except (EOFError, ConnectionResetError):
            return None
        if opcode & 0x0F == CLOSE:
            return None
        event: Message = json.loads(payload)
        return event

    async def begins_to_resume(self, token: str) -> None:
        """And has not read on."""
        await self.sends(text_frame("resume", token=token, after=0))
        for kind in ("hello", "resumed"):
            event = await self.event()
            assert event is not None
            assert event["type"] == kind

    async def rest(self) -> list[str]:
        """Messages by the first word of their text, everything else by its type."""
        words: list[str] = []
        while (event := await self.event()) is not None:
            words.append(event["text"].split()[0] if "text" in event else event["type"])
        return words


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving("--data", str(tmp_path / "parlour.db"), "--rate", "0") as server:
        yield server


async def _much_is_missed(server: Server, bob: WebClient) -> str:
    """The token of someone who has missed more than a system buffers."""
    async with WebClient(server.web_port, "Ann") as ann:
        await page_resets(ann)
    await server.logs("Closed connection")
    for n in range(REPLAY_MAX):
        await bob.call("msg", room="#general", text=f"{n} {LONG}")
    return str(ann.welcome["token"])


def _only_missed(words: list[str]) -> bool:
    """In order from the first one, however far it came, and then nothing but the good-bye."""
    missed = [word for word in words if word != "bye"]
    return missed == [str(n) for n in range(len(missed))] and words[len(missed) :] in ([], ["bye"])


@pytest.mark.parametrize("by", ["another connection", "the end of the server"])
async def test_what_is_said_now_does_not_overtake_what_was_missed_when_a_resume_is_cut_short(
    server: Server, by: str
) -> None:
    """Who sees the newest message believes to have seen all before it, and never asks for the rest."""
    async with WebClient(server.web_port, "Bob") as bob:
        token = await _much_is_missed(server, bob)
        async with SlowPage(server.web_port) as slow, WebClient(server.web_port) as again:
            await slow.begins_to_resume(token)
            await bob.call("msg", room="#general", text="live")
            stopping = None
            if by == "another connection":
                assert (await again.call("resume", token=token, after=0))["type"] == "resumed"
            else:
                stopping = asyncio.create_task(server.stops())
                await bob.close_code()
            words = await slow.rest()
            if stopping is not None:
                await stopping
            assert len(words) < REPLAY_MAX, "it was not slow enough to be cut short"
            assert _only_missed(words), words[-5:]


async def test_a_slow_reader_is_told_everything_in_order(server: Server) -> None:
    async with WebClient(server.web_port, "Bob") as bob:
        token = await _much_is_missed(server, bob)
        async with SlowPage(server.web_port) as slow:
            await slow.begins_to_resume(token)
            await bob.call("msg", room="#general", text="live")
            await slow.sends(text_frame("quit"))
            assert await slow.rest() == [*[str(n) for n in range(REPLAY_MAX)], "live", "ok", "bye"]


async def test_much_that_is_said_meanwhile_comes_at_the_readers_pace_too(server: Server) -> None:
    """In one piece it would be more than may wait for a reader."""
    live = [f"live{n}" for n in range(400)]
    async with WebClient(server.web_port, "Bob") as bob:
        token = await _much_is_missed(server, bob)
        async with SlowPage(server.web_port) as slow:
            await slow.begins_to_resume(token)
            for word in live:
                await bob.call("msg", room="#general", text=f"{word} {LONG}")
            await slow.sends(text_frame("quit"))
            assert await slow.rest() == [*[str(n) for n in range(REPLAY_MAX)], *live, "ok", "bye"]
