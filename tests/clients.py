"""The clients that the tests drive: one for each door, and `require` for programs of the machine.

Both read with a deadline, so that a message that never comes is a failure and not a hang.
"""

import asyncio
import json
import os
import shutil
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from types import TracebackType
from typing import Any, Final, Self

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed

HOST: Final = "127.0.0.1"
DEADLINE: Final = 5.0
"""Seconds that anything may take."""

Message = dict[str, Any]


def require(program: str) -> str:
    """The path of a program; without it the test is skipped, or fails where nothing may be left out."""
    path = shutil.which(program)
    if path is None:
        if os.environ.get("PARLOUR_REQUIRE_ALL") == "1":
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")
    return path


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """What is awaited in this block comes in time, or the test fails and says so."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        pytest.fail(f"nothing came within {seconds:g} seconds")


class LineClient:
    """Someone on the line door. Lines are given and taken without their endings.

    With `login`, that line is sent after the greeting and the answer to it is taken.
    """

    def __init__(self, port: int, login: str = "", *, greeted: bool = True) -> None:
        self._port = port
        self._login = login
        self._greeted = greeted

    async def __aenter__(self) -> Self:
        self._reader, self.writer = await asyncio.open_connection(HOST, self._port)
        try:
            await self._enter()
        except BaseException:
            self.writer.transport.abort()
            raise
        return self

    async def _enter(self) -> None:
        if self._greeted:
            await self.expect("Welcome! Please login with: LOGIN <username>")
            await self.line()
        if self._login:
            await self.send(self._login)
            await self.line()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    async def send(self, *lines: str) -> None:
        """All of them in one piece."""
        await self.send_bytes("".join(f"{line}\n" for line in lines).encode())

    async def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)
        async with within(DEADLINE):
            await self.writer.drain()

    def finish(self) -> None:
        """Send no more, but go on reading, like `nc -N`."""
        self.writer.write_eof()

    async def line_bytes(self, deadline: float = DEADLINE) -> bytes:
        """The next line with its ending; b"" at the end of the connection."""
        async with within(deadline):
            return await self._reader.readline()

    async def line(self, deadline: float = DEADLINE) -> str:
        data = await self.line_bytes(deadline)
        assert data.endswith(b"\n"), f"the connection ended after {data!r}"
        return data[:-1].decode()

    async def expect(self, *lines: str) -> None:
        """These come next."""
        for line in lines:
            heard = await self.line()
            assert heard == line, f"{heard!r}, not {line!r}"

    async def until(self, last: str) -> list[str]:
        """The lines up to and without this one."""
        lines: list[str] = []
        while (line := await self.line()) != last:
            lines.append(line)
        return lines

    async def rest(self) -> list[str]:
        """All lines until the server closes the connection."""
        async with within(DEADLINE):
            data = await self._reader.read()
        assert not data or data.endswith(b"\n"), data
        return data.decode().split("\n")[:-1]

    async def hears_nothing(self) -> None:
        """Nothing is waiting: the answer to PING is the next line. For the command dialect."""
        await self.send("PING")
        await self.expect("PONG")


class WebClient:
    """Someone on the web door."""

    def __init__(self, port: int, nick: str = "", sock: socket.socket | None = None) -> None:
        """`sock`: it is connected already."""
        self._url = f"ws://{HOST}:{port}/ws"
        self._nick = nick
        self._sock = sock
        self._refs = (
            f"{id(self):x}-{n}" for n in count(1)
        )  # each once within a session, even after a resume
        self.waiting: deque[Message] = deque()
        """Messages that came before an answer and were not taken yet."""

    async def __aenter__(self) -> Self:
        self.ws: ClientConnection = await connect_websocket(
            self._url, compression=None, max_size=None, proxy=None, close_timeout=1, sock=self._sock
        )
        self.hello = await self.next()
        assert self.hello["type"] == "hello"
        if self._nick:
            self.welcome = await self.call("login", nick=self._nick)
            assert self.welcome["type"] == "welcome", self.welcome
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.ws.close()

    async def send(self, kind: str, **fields: object) -> None:
        await self.ws.send(json.dumps({"type": kind, **fields}))

    async def _receive(self) -> Message:
        async with within(DEADLINE):
            data = await self.ws.recv()
        assert isinstance(data, str)
        message: Message = json.loads(data)
        return message

    async def answer(self, ref: str) -> Message:
        """The answer to the command with this `ref`, without it; events that come before are kept."""
        while True:
            message = await self._receive()
            if message.get("ref") == ref:
                del message["ref"]
                return message
            self.waiting.append(message)

    async def call(self, kind: str, **fields: object) -> Message:
        ref = next(self._refs)
        await self.send(kind, ref=ref, **fields)
        return await self.answer(ref)

    async def next(self) -> Message:
        """The next message that was not taken yet."""
        return self.waiting.popleft() if self.waiting else await self._receive()

    async def expect(self, kind: str, **fields: object) -> Message:
        """The next message is of this type and has these fields."""
        message = await self.next()
        assert {"type": kind, **fields}.items() <= message.items(), message
        return message

    async def hears_nothing(self) -> None:
        """Nothing is waiting: the answer to `ping` is the next message."""
        assert await self.call("ping") == {"type": "pong"}
        assert not self.waiting, self.waiting

    async def close_code(self) -> int | None:
        """The code with which the server closes; what it sends before is passed over."""
        try:
            async with within(DEADLINE):
                while True:
                    await self.ws.recv()
        except ConnectionClosed:
            return self.ws.close_code


@asynccontextmanager
async def commanders(port: int, *nicks: str) -> AsyncIterator[list[LineClient]]:
    """People in the command dialect, logged in one after the other; nothing is waiting for any of them."""
    people: list[LineClient] = []
    try:
        for nick in nicks:
            person = await LineClient(port, f"LOGIN {nick}").__aenter__()
            for other in people:
                await other.expect(f"INFO {nick} connected")
            people.append(person)
        yield people
    finally:
        for person in people:
            await person.__aexit__(None, None, None)
