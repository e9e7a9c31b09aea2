"""The TCP listener."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.admission import Admission
from core.chat import Chat
from tcp_frontend.connection import Connection

BACKLOG = 2048
"""Connections the kernel accepts before we do. Python's 100 is too few for a restart's rush."""


@asynccontextmanager
async def serve(
    chat: Chat, admission: Admission, *, host: str, port: int, sendq: int
) -> AsyncIterator[list[tuple[str, int]]]:
    """Open the door; yields the addresses it listens on. Port 0 picks a free one.

    Raises OSError when the address cannot be used. Whoever stops the chat closes the connections.
    """
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(chat, admission, sendq), host, port, backlog=BACKLOG)
    try:
        yield [sock.getsockname()[:2] for sock in server.sockets]
    finally:
        server.close()
