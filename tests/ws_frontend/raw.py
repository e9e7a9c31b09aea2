"""A WebSocket without a library: for what a well-behaved client would never do."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from tests.clients import DEADLINE, HOST, within

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

_HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(opcode: int, payload: bytes, *, last: bool = True) -> bytes:
    """As a client sends it: masked."""
    size = len(payload)
    head = bytes([opcode | (0x80 if last else 0)])
    head += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


def split(data: bytes) -> list[tuple[int, bytes]]:
    """The frames that a server sent, as opcode and payload."""
    frames = []
    while data:
        size, start = data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        frames.append((data[0] & 0xF, data[start : start + size]))
        data = data[start + size :]
    return frames


class RawWebSocket:
    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, *frames: bytes) -> None:
        async with within(DEADLINE):
            await self._loop.sock_sendall(self.socket, b"".join(frames))

    async def rest(self) -> bytes:
        """Everything to the end of the connection, however it ends."""
        data = b""
        with suppress(ConnectionResetError):
            async with within(DEADLINE):
                while piece := await self._loop.sock_recv(self.socket, 65_536):
                    data += piece
        return data


@asynccontextmanager
async def raw_websocket(
    port: int, *early: bytes, receive_buffer: int | None = None
) -> AsyncIterator[RawWebSocket]:
    """Connected, with the handshake done and nothing after it read. `early` goes along with the handshake."""
    with socket.socket() as sock:
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, (HOST, port))
        raw = RawWebSocket(sock)
        await raw.send(_HANDSHAKE, *early)
        head = b""
        async with within(DEADLINE):
            while not head.endswith(b"\r\n\r\n"):
                head += await loop.sock_recv(sock, 1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        yield raw


async def answer_to_handshake(port: int) -> bytes:
    """All that the server says to the wish for a WebSocket, where it closes the connection after it."""
    with socket.socket() as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (HOST, port))
        raw = RawWebSocket(sock)
        await raw.send(_HANDSHAKE)
        return await raw.rest()
