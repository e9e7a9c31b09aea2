"""Both doors: what a socket does not take waits for its peer, and all that follows waits behind it."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

from core.chat import Chat
from core.limits import Limits
from core.session import Session
from tests.clients import DEADLINE, HOST, LineClient, WebClient, commanders, within
from tests.doors import UNLIMITED, Doors, open_doors
from tests.e2e.sockets import HANDSHAKE, reset_at_close, small_socket, text_frame

TEXT = "x" * 1900


def session_of(chat: Chat, nick: str) -> Session:
    return next(session for session in chat._sessions if session.nick and session.nick == nick)


class Reader:
    """Somebody called Slow, who reads when the test says so."""

    def __init__(self, doors: Doors, door: str) -> None:
        self._web = door == "web"
        self._socket = small_socket(doors.web_port if self._web else doors.tcp_port)
        self._socket.setblocking(False)
        self._heard = b""

    async def __aenter__(self) -> "Reader":
        await self._send(HANDSHAKE + text_frame("login", nick="Slow") if self._web else b"LOGIN Slow\n")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def _send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def ping(self) -> None:
        await self._send(text_frame("ping") if self._web else b"PING\n")

    async def asks_for_history(self) -> None:
        await self._send(text_frame("history", room="#general") if self._web else b"HISTORY\n")

    async def hears(self, last: str) -> list[str]:
        """What was said, and "pong" for the answers, in order, up to this message."""
        said, answer = rb"(?:MSG|HIST \S+ \S+) Ann (\w+) x*\n", rb"PONG\n"
        if self._web:
            said, answer = rb'"text":"(\w+) x*"', rb'\{"type":"pong"\}'
        async with within(DEADLINE):
            while f"{last} {TEXT}".encode() not in self._heard:
                self._heard += await asyncio.get_running_loop().sock_recv(self._socket, 65_536)
        if not self._web:
            torn = [
                line for line in self._heard.splitlines() if not re.fullmatch(rb"(.* )?x{1900}|[^x]*", line)
            ]
            assert not torn
        found = re.finditer(said + b"|" + answer, self._heard)
        self._heard = b""
        return [(each[1] or b"pong").decode() for each in found]

    def reset(self) -> None:
        """Break the connection."""
        reset_at_close(self._socket)
        self._socket.close()


@asynccontextmanager
async def listening(door: str, limits: Limits = UNLIMITED) -> AsyncIterator[tuple[Doors, LineClient, Reader]]:
    async with (
        open_doors(sendq=64_000_000, limits=limits) as doors,
        commanders(doors.tcp_port, "Ann") as (ann,),
        Reader(doors, door) as reader,
    ):
        await ann.expect("INFO Slow connected")
        yield doors, ann, reader


async def say(ann: LineClient, *words: str) -> None:
    """Returns when they have been shown."""
    await ann.send(*[f"MSG {word} {TEXT}" for word in words], "PING")
    await ann.expect("PONG")


async def taken(doors: Doors, ann: LineClient, sending: Awaitable[None]) -> None:
    """Send; returns when the server has taken it, and everything that can be written is."""
    before, pings = doors.chat.counters.received, 0
    await sending
    while doors.chat.counters.received - before == pings:
        await say(ann)
        pings += 1
    await say(ann)  # what it asked for may need another turn of the loop


async def fill(ann: LineClient, slow: Session) -> list[str]:
    """Speak until its socket is full. Gives what was said."""
    said: list[str] = []
    while slow.wire.fd is not None:
        assert len(said) < 5000, "the socket is never full"
        words = [f"w{len(said) + n}" for n in range(3)]
        await say(ann, *words)
        said += words
    return said


@pytest.mark.parametrize("door", ["line", "web"])
async def test_what_is_not_taken_comes_later_whole_and_in_order(door: str) -> None:
    async with listening(door) as (doors, ann, reader):
        slow = session_of(doors.chat, "Slow")
        said = await fill(ann, slow)
        await taken(doors, ann, reader.ping())
        await say(ann, "last")
        assert await reader.hears("last") == [*said, "pong", "last"]


def msg(text: str, ref: str) -> bytes:
    """As a WebSocket says it."""
    return json.dumps({"type": "msg", "room": "#general", "text": text, "ref": ref}).encode()


async def test_what_is_not_taken_of_its_own_share_comes_later_whole_and_in_order() -> None:
    """Who speaks is given an answer, and with it what others have said in the same moment."""
    async with (
        open_doors(sendq=64_000_000, limits=UNLIMITED) as doors,
        commanders(doors.tcp_port, "Ann") as (ann,),
        WebClient(doors.web_port, "Slow", small_socket(doors.web_port)) as client,
    ):
        await ann.expect("INFO Slow connected")
        slow, talker = session_of(doors.chat, "Slow"), session_of(doors.chat, "Ann")
        said = 0
        while slow.wire.fd is not None:
            assert said < 5000, "the socket is never full"
            doors.chat.receive(talker, f"MSG {said} {TEXT}".encode())
            doors.chat.receive(slow, msg("hello", ref=str(said)))
            await ann.expect("MSG Slow hello")
            said += 1
        for number in range(said):
            await client.expect("msg", text=f"{number} {TEXT}")
            await client.expect("ok", ref=str(number))
        await client.hears_nothing()


@pytest.mark.parametrize("door", ["line", "web"])
async def test_who_has_caught_up_is_written_to_straight_again(door: str) -> None:
    async with listening(door) as (doors, ann, reader):
        slow = session_of(doors.chat, "Slow")
        await fill(ann, slow)
        for word in ("a", "b", "c"):  # it takes a write to find out
            await say(ann, word)
            await reader.hears(word)
        assert slow.wire.fd is not None


@pytest.mark.parametrize("door", ["line", "web"])
async def test_an_answer_that_does_not_fit_comes_whole(door: str) -> None:
    async with listening(door) as (doors, ann, reader):
        slow = session_of(doors.chat, "Slow")
        said = [f"w{n}" for n in range(10)]
        await say(ann, *said)
        await reader.hears(said[-1])
        times = 0
        while slow.wire.fd is not None:
            assert times < 50, "the socket is never full"
            await taken(doors, ann, reader.asks_for_history())
            times += 1
        assert times > 1
        await say(ann, "last")
        assert await reader.hears("last") == [*said * times, "last"]


@pytest.mark.parametrize("door", ["line", "web"])
async def test_a_connection_that_breaks_in_that_moment_is_nobody_elses_concern(door: str) -> None:
    async with (
        listening(door) as (doors, _, reader),
        commanders(doors.tcp_port, "Bob") as (bob,),
        WebClient(doors.web_port, "Cid") as cid,
    ):
        await bob.expect("INFO Cid connected")
        reader.reset()
        # The server has not been told yet that it is gone.
        doors.chat.receive(session_of(doors.chat, "Ann"), b"MSG hello")
        await bob.expect("MSG Ann hello")
        await cid.expect("msg", text="hello")


@pytest.mark.parametrize("door", ["line", "web"])
async def test_who_speaks_and_breaks_in_that_moment_is_nobody_elses_concern(door: str) -> None:
    async with listening(door) as (doors, _, reader), WebClient(doors.web_port, "Cid") as cid:
        reader.reset()
        own = msg("mine", ref="mine") if door == "web" else b"MSG mine"
        for nick, words in (("Ann", b"MSG hello"), ("Slow", own), ("Cid", msg("hello", ref="Cid's"))):
            doors.chat.receive(session_of(doors.chat, nick), words)
        answer = await cid.answer("Cid's")
        assert answer["type"] == "ok"


async def test_who_may_come_back_is_not_written_to_where_its_socket_was() -> None:
    """The next connection gets the same number."""
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=60)
    async with listening("web", limits) as (doors, ann, reader):
        slow = session_of(doors.chat, "Slow")
        fd = slow.wire.fd
        reader.reset()
        while slow.wire.fd is not None:
            await say(ann)
        assert slow.audiences, "it may come back"
        sockets = [await asyncio.open_connection(HOST, doors.tcp_port) for _ in range(3)]
        for heard, _ in sockets:
            await heard.readuntil(b"plain words.\n")
        assert fd is not None
        os.fstat(fd)  # it is there again
        await say(ann, "hello")
        for heard, sent in sockets:
            sent.write_eof()
            assert await heard.read() == b""
            sent.close()
