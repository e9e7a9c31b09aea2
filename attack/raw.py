"""Bare connections, for what no client would do."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def masked(payload: bytes) -> bytes:
    """A text frame as a client sends it, masked with zeros."""
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + payload


async def dial(port: int, said: bytes = b"", *, receive_buffer: int = 0) -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", port))
    if said:
        await loop.sock_sendall(sock, said)
    return sock


@asynccontextmanager
async def dialled(
    port: int, number: int, said: bytes = b"", *, receive_buffer: int = 0
) -> AsyncIterator[list[socket.socket]]:
    """So many connections that stay open in the block."""
    sockets: list[socket.socket] = []
    try:
        for _ in range(number):
            sockets.append(await dial(port, said, receive_buffer=receive_buffer))  # noqa: PERF401 - closed if one fails
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


async def heard(sock: socket.socket, seconds: float) -> bytes:
    """All that comes to the end of the connection, or within that time."""
    data = b""
    loop = asyncio.get_running_loop()
    with suppress(TimeoutError, ConnectionResetError):
        async with asyncio.timeout(seconds):
            while piece := await loop.sock_recv(sock, 65_536):
                data += piece
    return data
