"""One WebSocket: aiohttp reads and keeps it alive, ready frames are written straight to its transport."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
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
"""Seconds of silence after which a peer is pinged,"""
PONG_PATIENCE: Final = 12.5
"""and after which, without an answer, its connection is over."""

PING: Final = b"\x89\x00"
"""The whole frame."""

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

    __slots__ = ("_chat", "_closing", "_paused", "_pinged", "_transport", "_ws", "peer", "session")

    def __init__(
        self, ws: web.WebSocketResponse, transport: asyncio.Transport, chat: Chat, peer: str
    ) -> None:
        self._ws = ws
        self._transport = transport
        self._chat = chat
        self.peer = peer
        self.session = chat.connect(self, messages.encode, messages.parse)
        self._closing: asyncio.Task[None] | None = None
        self._paused: asyncio.Future[None] | None = None
        """Done when the chat takes input again; None while it does."""
        self._pinged = False

    def write(self, data: bytes, /) -> None:
        transport = self._transport
        if transport.is_closing() or self._closing is not None:  # nothing follows a close frame
            return
        transport.write(data)

    def too_slow(self) -> None:
        """More than `sendq` bytes wait for this reader: it is cut, the others never wait for it."""
        if self._closing is None:
            logger.warning("Cut %s: too many bytes were waiting for it (sendq)", self.peer)
            self._chat.cut(self.session)
            self.close("sendq")

    def close(self, reason: str, /) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(reason))

    async def _close(self, reason: str) -> None:
        self.resume_input()
        # A stuck peer must not hold us up; one that still reads gets everything, the reason last.
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self._transport.abort)
        try:
            await self._ws.close(code=CLOSE_CODES.get(reason, 1000), message=reason.encode())
        finally:
            self._transport.close()

    def waiting(self) -> int:
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    def pause_input(self) -> None:
        if self._paused is None and self._closing is None:
            self._paused = asyncio.get_running_loop().create_future()

    def resume_input(self) -> None:
        paused, self._paused = self._paused, None
        if paused is not None and not paused.done():
            paused.set_result(None)

    def look_after(self, now: float) -> None:
        """Ping the peer when it is silent, end the connection when it does not answer."""
        silence = now - self.session.heard
        if silence < HEARTBEAT or self._paused is not None:  # it was we who did not listen
            self._pinged = False
        elif not self._pinged:
            self._pinged = True
            self.write(PING)
        elif silence >= HEARTBEAT + PONG_PATIENCE:
            self._transport.abort()

    async def takes_input(self) -> None:
        if self._paused is not None:
            await self._paused


class Heartbeats:
    """Finds out who is gone without a word: one pass for all, no timer each."""

    def __init__(self) -> None:
        self.alive: set[WebSocketWire] = set()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT / 10)
            now = asyncio.get_running_loop().time()
            for wire in list(self.alive):
                wire.look_after(now)


def conversing(
    chat: Chat,
    heartbeats: Heartbeats,
    let_in: Callable[[web.Request], str | web.Response],
    let_out: Callable[[web.Request, str], None],
    *,
    version: str,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Makes the handler of WebSockets.

    `let_in` gives where the peer really is, or the answer that turns it away; `let_out` ends what it began.
    """
    hello = events.frame(events.Hello("parlour", version, chat.epoch, LIMITS))

    async def greet(ws: web.WebSocketResponse, request: web.Request, address: str) -> WebSocketWire | None:
        """None for somebody who is gone during the handshake."""
        try:
            await ws.prepare(request)
        except ConnectionResetError:
            return None
        ws.headers.clear()  # they were sent; ten thousand times they are many megabytes
        transport = request.transport
        if transport is None:
            return None
        peer = str(transport.get_extra_info("peername"))
        if address != request.remote:
            peer = f"{address} through {peer}"
        logger.info("Accepted connection from %s", peer)
        transport.write(hello)
        wire = WebSocketWire(ws, transport, chat, peer)
        doorman = transport.get_protocol()
        assert isinstance(doorman, Doorman)  # the server's factory makes no other
        doorman.on_slow = wire.too_slow
        return wire

    async def converse(request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket until it ends. It stays for hours: what it awaits meanwhile costs memory."""
        address = let_in(request)
        if isinstance(address, web.Response):
            return address
        ws = web.WebSocketResponse(
            max_msg_size=FRAME_MAX + 1,
            autoping=False,
            compress=False,
            decode_text=False,
            timeout=CLOSE_TIMEOUT,
        )
        try:
            wire = await greet(ws, request, address)
            if wire is None:
                return web.Response()  # aiohttp finds out by itself that nobody is there
            heartbeats.alive.add(wire)
            try:
                async for frame in ws:
                    if frame.type is WSMsgType.TEXT:
                        chat.receive(wire.session, frame.data)
                    elif frame.type is WSMsgType.BINARY:
                        await ws.close(code=1003, message=b"send text frames")
                        continue
                    else:
                        if frame.type is WSMsgType.PING:
                            with contextlib.suppress(ConnectionError):  # gone, as the next frame will say
                                await ws.pong(frame.data)
                        chat.receive(wire.session, None)  # else pings without end would cost nothing
                    await wire.takes_input()
            finally:
                heartbeats.alive.discard(wire)
                chat.end(wire.session, dropped=ws.close_code not in CLOSED)
                logger.info("Closed connection from %s (%s)", wire.peer, ws.close_code)
        finally:
            let_out(request, address)
        return ws

    return converse
