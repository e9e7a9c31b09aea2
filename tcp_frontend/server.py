"""The TCP listener."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from core.addresses import Trusted
from core.admission import Admission
from core.chat import Chat
from tcp_frontend.connection import CLOSE_PATIENCE, Connection, Connections, ProxiedConnection

BACKLOG = 2048
"""Connections the kernel takes before we do. Python's 100 is too few for a restart's rush."""

STOP_PATIENCE = CLOSE_PATIENCE + 1

ProtocolFactory = Callable[[], asyncio.Protocol]


@asynccontextmanager
async def serve(
    chat: Chat,
    admission: Admission,
    sockets: Sequence[socket.socket],
    *,
    sendq: int,
    proxies: Trusted | None = None,
    secured: Callable[[ProtocolFactory], ProtocolFactory] | None = None,
) -> AsyncIterator[Callable[[], None]]:
    """Open the door on these listening sockets; yields what shuts it for newcomers.

    `proxies` may speak the PROXY protocol. `secured` puts TLS in front; a PROXY header comes before that, in
    the clear, and is passed on.

    Whoever stops the chat closes the connections; leaving waits for them, but not for ever.
    """
    connections = Connections()

    def connect() -> Connection:
        if proxies is None:
            return Connection(chat, admission, sendq, connections)
        return ProxiedConnection(chat, admission, sendq, connections, proxies)

    loop = asyncio.get_running_loop()
    factory = secured(connect) if secured is not None else connect
    servers = [await loop.create_server(factory, sock=sock, backlog=BACKLOG) for sock in sockets]

    def shut() -> None:
        for server in servers:
            server.close()

    watching = loop.create_task(connections.watch(admission))
    try:
        yield shut
    finally:
        shut()
        watching.cancel()
        await connections.all_closed(STOP_PATIENCE)
