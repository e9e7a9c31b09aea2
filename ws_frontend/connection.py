"""One WebSocket: aiohttp reads and keeps it alive, ready frames are written straight to its transport."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from aiohttp import WSMsgType, web

from core.chat import Chat
from core.limits import ROOMS_MAX, TEXT_MAX, TOPIC_MAX
from core.names import NICK_MAX, ROOM_MAX
from ws_frontend import events, messages
from ws_frontend.doorman import Doorman

logger = logging.getLogger("parlour.web")

FRAME_MAX: Final = 16_384
HEARTBEAT: Final = 25.0
CLOSE_TIMEOUT: Final = 2.0
"""Seconds a peer has to take what waits for it and to answer our close; then the connection is aborted."""

CLOSE_CODES: Final = {
    "quit": 1000,
    "restarting": 1012,
    "login-timeout": 4000,
    "resumed-elsewhere": 4001,
    "sendq": 4008,
}
"""RFC 6455, section 7.4, and the registry behind it; 4000 and up are our own."""

CLOSED: Final = (0, 1000, 1001)  # aiohttp says 0 where no reason came
"""Close codes by which a peer says that it leaves: done, the page is closed, no reason given."""

LIMITS: Final = {
    "text": TEXT_MAX,
    "topic": TOPIC_MAX,
    "nick": NICK_MAX,
    "room": ROOM_MAX,
    "rooms": ROOMS_MAX,
    "frame": FRAME_MAX,
}


class WebSocketWire:
    """The session's `core.session.Wire`."""

    def __init__(
        self, ws: web.WebSocketResponse, transport: asyncio.Transport, cut: Callable[[], None]
    ) -> None:
        """`cut` is called once, when the peer reads too slowly."""
        self._ws = ws
        self._transport = transport
        self._cut = cut
        self._closing: asyncio.Task[None] | None = None
        self.input = asyncio.Event()
        """Set while the chat takes input."""
        self.input.set()

    def write(self, data: bytes, /) -> None:
        transport = self._transport
        if transport.is_closing() or self._closing is not None:  # nothing follows a close frame
            return
        transport.write(data)

    def too_slow(self) -> None:
        """More than `sendq` bytes wait for this reader: it is cut, the others never wait for it."""
        if self._closing is None:
            self._cut()
            self.close("sendq")

    def close(self, reason: str, /) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(reason))

    async def _close(self, reason: str) -> None:
        self.input.set()
        # A stuck peer must not hold us up; one that still reads gets everything, the reason last.
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self._transport.abort)
        try:
            await self._ws.close(code=CLOSE_CODES.get(reason, 1000), message=reason.encode())
        finally:
            self._transport.close()

    def waiting(self) -> int:
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    def pause_input(self) -> None:
        self.input.clear()

    def resume_input(self) -> None:
        self.input.set()


async def converse(request: web.Request, chat: Chat, *, version: str, address: str) -> web.StreamResponse:
    """Serve one WebSocket until it ends. `address` is where the peer really is."""
    ws = web.WebSocketResponse(
        heartbeat=HEARTBEAT,
        max_msg_size=FRAME_MAX + 1,
        autoping=False,
        compress=False,
        decode_text=False,
        timeout=CLOSE_TIMEOUT,
    )
    try:
        await ws.prepare(request)
    except ConnectionResetError:
        return web.Response()  # gone during the handshake; aiohttp finds that out by itself
    transport = request.transport
    if transport is None:  # gone during the handshake
        return ws
    peer = str(transport.get_extra_info("peername"))
    if address != request.remote:
        peer = f"{address} through {peer}"
    logger.info("Accepted connection from %s", peer)

    def cut() -> None:
        logger.warning("Cut %s: too many bytes were waiting for it (sendq)", peer)
        chat.cut(session)

    wire = WebSocketWire(ws, transport, cut)
    doorman = transport.get_protocol()
    assert isinstance(doorman, Doorman)  # the server's factory makes no other
    doorman.on_slow = wire.too_slow
    wire.write(events.frame(events.Hello("parlour", version, chat.epoch, LIMITS)))
    session = chat.connect(wire, messages.encode, messages.parse)
    try:
        async for frame in ws:
            if frame.type is WSMsgType.TEXT:
                chat.receive(session, frame.data)
            elif frame.type is WSMsgType.BINARY:
                await ws.close(code=1003, message=b"send text frames")
                continue
            else:
                if frame.type is WSMsgType.PING:
                    with contextlib.suppress(ConnectionError):  # gone, as the next frame will say
                        await ws.pong(frame.data)
                chat.receive(session, None)  # else pings without end would cost nothing
            if not wire.input.is_set():
                await wire.input.wait()
    finally:
        chat.end(session, dropped=ws.close_code not in CLOSED)
        logger.info("Closed connection from %s (%s)", peer, ws.close_code)
    return ws
