"""One WebSocket: aiohttp shakes hands and takes frames apart, ready frames are written to its transport."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web
from msgspec import Struct

from core.addresses import endpoint
from core.admission import Admission
from core.chat import Chat
from core.chores import every
from core.connections import OpenConnections
from core.limits import ROOMS_MAX, TEXT_MAX, TOPIC_MAX
from core.names import NICK_MAX, ROOM_MAX
from core.stream import Stream
from ws_frontend import events, frames, messages
from ws_frontend.doorman import Doorman

logger = logging.getLogger("parlour.web")

FRAME_MAX: Final = 16_384
HEARTBEAT: Final = 25.0
"""Seconds of silence after which a peer is pinged,"""
PONG_PATIENCE: Final = 12.5
"""and after which, without an answer, its connection is over."""

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

NO_CODE: Final = 1005
"""In place of the code of a close frame that has none (RFC 6455, section 7.4.1); aiohttp says 0."""

CLOSED: Final = (1000, 1001, NO_CODE)
"""Close codes by which a peer says that it leaves: done, the page is closed, no reason given."""

TEXT: Final = WSMsgType.TEXT
"""To look it up in the enumeration costs as much as ten other steps of a frame."""

LIMITS: Final = {
    "text": TEXT_MAX,
    "topic": TOPIC_MAX,
    "nick": NICK_MAX,
    "room": ROOM_MAX,
    "rooms": ROOMS_MAX,
    "frame": FRAME_MAX,
}


class WebSocket(Stream):
    """One connection from its handshake on. Also the session's `core.session.Wire`.

    aiohttp's reader fills its queue, and the chat empties it; what is there stays there while the chat
    takes no input, and when that is too much the queue stops the socket. No task waits for frames: ten
    thousand of them are many megabytes, and waking one costs as much as a message does.
    """

    __slots__ = (
        "_chat",
        "_closing",
        "_code",
        "_leave",
        "_lost",
        "_paused",
        "_pinged",
        "_queue",
        "_reader",
        "_reading_paused",
        "_sockets",
        "peer",
    )

    def __init__(
        self,
        ws: web.WebSocketResponse[bool],
        transport: asyncio.Transport,
        chat: Chat,
        sockets: "WebSockets",
        peer: str,
        leave: Callable[[], None],
    ) -> None:
        reader, queue = ws._parser, ws._reader
        assert reader is not None  # it has shaken hands
        assert queue is not None
        self._reader, self._queue = reader, queue
        self._reading_paused: bool = queue._protocol._reading_paused
        """The queue's: it has stopped the socket."""
        self._write_to(transport)
        self._chat = chat
        self._sockets = sockets
        self.peer = peer
        self._leave: Callable[[], None] | None = leave
        self.session = chat.connect(self, messages.encode, messages.parse, peer=peer)
        self._paused = False
        """The chat wants no more frames for now."""
        self._closing = False
        """We have sent a close frame; nothing follows it."""
        self._code: int | None = None
        """What the peer's close frame said."""
        self._lost = False
        self._pinged = False

    def begin(self, hello: bytes) -> None:
        """Take over from what has shaken hands."""
        self._queue._protocol = self  # type: ignore[assignment]  # it needs no more of it than we have
        self._sockets.add(self)
        self.write(hello)
        self._take_frames()  # of somebody who did not wait for our answer

    # ------------------------------------------------------------------ asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._reader.feed_data(data)
        self._take_frames()

    def pause_writing(self) -> None:
        """More than `sendq` bytes wait for this reader: it is cut, the others never wait for it."""
        if not self._closing:
            logger.warning("Cut %s: too many bytes were waiting for it (sendq)", self.peer)
            self._chat.cut(self.session)
            self.close("sendq")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._write_no_more()
        self._sockets.discard(self)
        if self._says_close():
            self._take_frames()  # what was sent before it comes first, at the pace that is allowed
        else:
            self._queue._buffer.clear()  # nobody waits for it any more
            self._depart()

    # ------------------------------------------------------------------ what aiohttp's queue asks for

    def pause_reading(self) -> None:
        self._reading_paused = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._reading_paused = False
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # ------------------------------------------------------------------ core.session.Wire

    def close(self, reason: str, /) -> None:
        self._say_close(CLOSE_CODES.get(reason, WSCloseCode.OK), reason.encode())

    def pause_input(self) -> None:
        self._paused = True

    def resume_input(self) -> None:
        self._paused = False
        self._take_frames()

    # ------------------------------------------------------------------ frames

    def _take_frames(self) -> None:
        """As many as the chat wants."""
        while self._queue._buffer and not self._paused:
            frame = self._next()
            if frame.type is TEXT and not self._closing:
                self._chat.receive(self.session, frame.data)
            else:
                self._take_other(frame)
        if self._paused:
            return
        problem = self._queue.exception()
        if problem is not None and not self._transport.is_closing():
            self._say_close(
                problem.code if isinstance(problem, WebSocketError) else WSCloseCode.INTERNAL_ERROR
            )
            self._transport.close()  # an answer could not be read
            self._end()
        if self._lost:
            self._depart()

    def _says_close(self) -> bool:
        """A close frame is on its way to us: the peer has not broken off."""
        return any(frame.type is WSMsgType.CLOSE for frame, _ in self._queue._buffer)

    def _next(self) -> WSMessage:
        """There is one: what reads it does not wait, and need not be awaited."""
        try:
            self._queue.read().send(None)
        except StopIteration as read:
            frame: WSMessage = read.value
            return frame
        raise AssertionError("the queue was empty")

    def _take_other(self, frame: WSMessage) -> None:
        if frame.type is WSMsgType.CLOSE:
            if self._code is None:
                self._code = frame.data or NO_CODE
            self._say_close(WSCloseCode.OK)
            self._transport.close()
            self._end()
        elif self._closing:
            return
        elif frame.type is WSMsgType.BINARY:
            self._say_close(WSCloseCode.UNSUPPORTED_DATA, b"send text frames")
            self._end()
        else:
            if frame.type is WSMsgType.PING:
                self.write(frames.frame(frames.PONG, frame.data))
            self._chat.receive(self.session, None)  # else pings without end would cost nothing

    def _say_close(self, code: int, reason: bytes = b"") -> None:
        if self._closing:
            return
        self.write(frames.close(code, reason))
        self._write_no_more()
        self._closing = True
        # A stuck peer must not hold us up; one that still reads gets everything, the reason last.
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self._transport.abort)
        self.resume_input()  # the peer's close frame may have come already

    def _depart(self) -> None:
        """The connection is lost, and what came on it is done."""
        self._end()
        leave, self._leave = self._leave, None
        if leave is not None:
            logger.info(
                "Closed connection from %s (%s)", self.peer, self._code or WSCloseCode.ABNORMAL_CLOSURE
            )
            leave()

    def _end(self) -> None:
        self._chat.end(self.session, dropped=self._code not in CLOSED)

    def look_after(self, now: float) -> None:
        """Ping the peer when it is silent, end the connection when it does not answer."""
        silence = now - self.session.heard
        if silence < HEARTBEAT or self._paused:  # it was we who did not listen
            self._pinged = False
        elif not self._pinged:
            self._pinged = True
            self.write(frames.frame(frames.PING, b""))
        elif silence >= HEARTBEAT + PONG_PATIENCE:
            self._transport.abort()


class WebSockets(OpenConnections[WebSocket]):
    async def watch(self, admission: Admission) -> None:
        """Find out who is gone without a word: one pass for all, no timer each."""

        def look() -> None:
            admission.tidy()
            now = asyncio.get_running_loop().time()
            for socket in self:
                socket.look_after(now)

        await every(HEARTBEAT / 10, "look after silent WebSockets", look)


class Visit(Struct, frozen=True):
    """Where somebody really is, and what has to be done when it leaves, if anything."""

    address: str
    ends: Callable[[], None] | None = None


def conversing(
    chat: Chat,
    sockets: WebSockets,
    let_in: Callable[[web.Request], Visit | web.Response],
    *,
    version: str,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Makes the handler of WebSockets. `let_in` gives the visit, or the answer that turns it away."""
    hello = events.frame(events.Hello("parlour", version, chat.epoch, LIMITS))

    async def converse(request: web.Request) -> web.StreamResponse:
        """Shake hands, then leave the connection to a `WebSocket`."""
        visit = let_in(request)
        if isinstance(visit, web.Response):
            return visit
        ws = web.WebSocketResponse(max_msg_size=FRAME_MAX + 1, compress=False, decode_text=False)
        transport: asyncio.Transport | None = None
        doorman: asyncio.BaseProtocol | None = None
        try:
            await ws.prepare(request)
            transport = request.transport
            doorman = transport.get_protocol() if transport is not None else None
        except ConnectionResetError:
            pass  # it is gone, as aiohttp will find out by itself
        finally:
            if not isinstance(doorman, Doorman) and visit.ends is not None:
                visit.ends()  # there is no doorman where the connection is being lost
        if transport is not None and isinstance(doorman, Doorman):
            take_over(request, ws, transport, doorman, visit)
        ws._eof_sent = True  # else aiohttp would say good-bye
        return ws

    def take_over(
        request: web.Request,
        ws: web.WebSocketResponse[bool],
        transport: asyncio.Transport,
        doorman: Doorman,
        visit: Visit,
    ) -> None:
        peer = endpoint(transport.get_extra_info("peername"))
        if visit.address != request.remote:
            peer = f"{visit.address} through {peer}"
        logger.info("Accepted connection from %s", peer)
        socket = WebSocket(ws, transport, chat, sockets, peer, doorman.leave)
        doorman.hand_over(transport, socket, visit.ends)
        socket.begin(hello)

    return converse
