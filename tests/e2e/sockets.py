"""Bare sockets and WebSockets, for what no netcat can do."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.netcat import GREETING
from tests.e2e.programs import DEADLINE, Lines
from tests.e2e.server import Server

Event = dict[str, Any]


class Line(Lines):
    """A TCP connection to the line door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader)
        self.reader = reader
        self.writer = writer

    async def send(self, *lines: str) -> None:
        await self.send_raw("".join(line + "\n" for line in lines).encode())

    async def send_raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def abort(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()


@asynccontextmanager
async def dialling(server: Server) -> AsyncIterator[Line]:
    """A connection to the line door that was greeted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.tcp_port)
    line = Line(reader, writer)
    try:
        await line.hears(*GREETING)
        yield line
    finally:
        line.abort()


class Page:
    """A WebSocket to the web door."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket

    async def send(self, type_: str, **fields: object) -> None:
        await self.websocket.send(json.dumps({"type": type_} | fields))

    async def event(self) -> Event:
        """The next one; fails when the connection has ended and after the deadline."""
        try:
            async with asyncio.timeout(DEADLINE):
                frame = await self.websocket.recv()
        except TimeoutError:
            raise AssertionError(f"no further event within {DEADLINE:g} s") from None
        except ConnectionClosed as closed:
            raise AssertionError(f"closed instead of an event: {closed}") from None
        event: Event = json.loads(frame)
        return event

    async def hears(self, *expected: Event) -> None:
        """Exactly these events come next; ids and times may be anything unless they are given."""
        for event in expected:
            heard = await self.event()
            unsaid = {key: heard[key] for key in ("id", "time") if key in heard and key not in event}
            assert heard == event | unsaid, f"{heard} came instead of {event}"

    async def close_code(self) -> int:
        """Of the close that must come next."""
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(DEADLINE):
                await self.websocket.recv()
        assert closed.value.rcvd is not None, "the connection ended without a close"
        return closed.value.rcvd.code

    def abort(self) -> None:
        """Go without a word."""
        self.websocket.transport.abort()


@asynccontextmanager
async def opening(server: Server) -> AsyncIterator[Page]:
    """A connection to the web door that was greeted."""
    # Without a bound for what the test has not read yet: a full queue would hold up the close.
    async with connect(server.url, compression=None, max_queue=None) as websocket:
        page = Page(websocket)
        assert (await page.event())["type"] == "hello"
        yield page


@asynccontextmanager
async def web_user(server: Server, name: str) -> AsyncIterator[Page]:
    """Someone who has logged in over the web door."""
    async with opening(server) as page:
        await page.send("login", nick=name)
        welcome = await page.event()
        assert (welcome["type"], welcome["nick"], welcome["rooms"]) == ("welcome", name, ["#general"])
        yield page


HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def text_frame(type_: str, **fields: object) -> bytes:
    """As a client sends it, masked with zeros (RFC 6455, section 5.2)."""
    payload = json.dumps({"type": type_} | fields).encode()
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def reset_at_close(sock: socket.socket) -> None:
    """Its close will break the connection, with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def small_socket(port: int) -> socket.socket:
    """A connection whose reader never reads: little fits into it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    return sock
