"""The TCP listener."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from core.addresses import Trusted
from core.admission import Admission
from core.chat import Chat
from tcp_frontend.connection import CLOSE_PATIENCE, Connection, Connections, ProxiedConnection

BACKLOG = 2048
"""Connections the kernel takes before we do. Python's 100 is too few for a restart's rush."""

STOP_PATIENCE = CLOSE_PATIENCE + 1

HANDSHAKE_PATIENCE = 8.0
"""Seconds a peer has for its TLS handshake, during which it is not counted yet."""


@asynccontextmanager
async def serve(
    chat: Chat,
    admission: Admission,
    sockets: Sequence[socket.socket],
    *,
    sendq: int,
    proxies: Trusted | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Callable[[], None]]:
    """Open the door on these listening sockets; yields what shuts it for newcomers.

    `proxies` may speak the PROXY protocol, without TLS.

    Whoever stops the chat closes the connections; leaving waits for them, but not for ever.
    """
    connections = Connections()

    def connect() -> Connection:
        if proxies is None:
            return Connection(chat, admission, sendq, connections)
        return ProxiedConnection(chat, admission, sendq, connections, proxies)

    loop = asyncio.get_running_loop()
    patience = HANDSHAKE_PATIENCE if tls is not None else None
    servers = [
        await loop.create_server(connect, sock=sock, ssl=tls, ssl_handshake_timeout=patience, backlog=BACKLOG)
        for sock in sockets
    ]

    def shut() -> None:
        for server in servers:
            server.close()

    watching = loop.create_task(connections.watch())
    try:
        yield shut
    finally:
        shut()
        watching.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_PATIENCE):
                await connections.all_closed()
