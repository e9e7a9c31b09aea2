"""The TCP listener."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from core.addresses import Trusted
from core.admission import Admission
from core.chat import Chat
from tcp_frontend.connection import Connection, ProxiedConnection

BACKLOG = 2048
"""Connections the kernel takes before we do. Python's 100 is too few for a restart's rush."""


@asynccontextmanager
async def serve(
    chat: Chat,
    admission: Admission,
    sockets: Sequence[socket.socket],
    *,
    sendq: int,
    proxies: Trusted | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[None]:
    """Open the door on these listening sockets. `proxies` may speak the PROXY protocol, without TLS.

    Whoever stops the chat closes the connections.
    """

    def connect() -> Connection:
        if proxies is None:
            return Connection(chat, admission, sendq)
        return ProxiedConnection(chat, admission, sendq, proxies)

    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(connect, sock=sock, ssl=tls, backlog=BACKLOG) for sock in sockets]
    try:
        yield
    finally:
        for server in servers:
            server.close()
