"""The ways in which a connection ends, as the peer brings them about."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.clients import LineClient, WebClient
from tests.e2e.sockets import reset_at_close


def reset(transport: asyncio.BaseTransport) -> None:
    """End a connection with a RST instead of a FIN; what was not sent yet is lost."""
    sock: socket.socket = transport.get_extra_info("socket")
    with suppress(OSError):  # it is closed already
        reset_at_close(sock)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def page_resets(page: WebClient) -> None:
    reset(page.ws.transport)


async def page_is_killed(page: WebClient) -> None:
    """The system closes the connections of a process that is gone: a FIN, no close frame."""
    page.ws.transport.abort()


async def page_is_closed(page: WebClient) -> None:
    await page.ws.close(1001)


async def page_hangs_up(page: WebClient) -> None:
    """`new WebSocket(…).close()` in a browser: a close frame without a code."""
    page.ws.transport.write(b"\x88\x80\x00\x00\x00\x00")
    await page.ws.wait_closed()


async def page_quits(page: WebClient) -> None:
    await page.send("quit")
    await page.close_code()


async def line_resets(line: LineClient) -> None:
    reset(line.writer.transport)


async def line_is_closed(line: LineClient) -> None:
    line.finish()
    await line.rest()


PageEnd = Callable[[WebClient], Awaitable[None]]
LineEnd = Callable[[LineClient], Awaitable[None]]
