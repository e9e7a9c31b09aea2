"""One TCP connection: bytes to lines to commands, and a wire for what comes back."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Container
from typing import Final, cast

from core import commands as c
from core.addresses import endpoint, host
from core.admission import Admission
from core.chat import Chat
from core.chores import every
from core.connections import OpenConnections
from core.replies import Bye, Shown
from core.sparing import Sparing
from core.stream import Stream
from tcp_frontend import command_dialect, plain_dialect, proxy_protocol
from tcp_frontend.first_words import MISDIRECTED, FirstWords
from tcp_frontend.framing import LineFramer
from tcp_frontend.lines import decode

logger = logging.getLogger("parlour.tcp")

GREETING: Final = (
    b"Welcome! Please login with: LOGIN <username>\n"
    b"Or type just a name (letters, digits, - and _) to chat in plain words.\n"
)

CLOSE_PATIENCE: Final = 2.0
"""Seconds in which a peer may still take what waits for it when the connection is closed."""

WATCH_EVERY: Final = 1.0
"""Seconds between two looks after connections that are not read."""


def _in_http(shown: Shown) -> bytes:
    """The good-bye in the words of whoever speaks HTTP to us."""
    return MISDIRECTED if isinstance(shown, Bye) else b""


TCP_CLOSE: Final = 7
"""The state of a socket whose peer has reset the connection, the first byte of Linux' TCP_INFO."""


class Connections(OpenConnections["Connection"]):
    def __init__(self) -> None:
        super().__init__()
        self.paused: set[Connection] = set()
        """Those that are not read at the moment."""
        self.misdirected = Sparing(logger)

    def discard(self, connection: "Connection") -> None:
        super().discard(connection)
        self.paused.discard(connection)

    async def watch(self, admission: Admission) -> None:
        """End those whose peer is gone: where nothing is read, a reset goes unnoticed."""

        def look() -> None:
            admission.tidy()
            for connection in list(self.paused):
                connection.end_if_reset()

        await every(WATCH_EVERY, "look for lines that were reset", look)


class Connection(Stream):
    """Also the session's `core.session.Wire`."""

    def __init__(self, chat: Chat, admission: Admission, sendq: int, connections: "Connections") -> None:
        self._chat = chat
        self._admission = admission
        self._sendq = sendq
        self._connections = connections
        self._framer = LineFramer()
        self._first_words = FirstWords()
        self._paused = False
        """The chat wants no more lines for now."""
        self._spoke = False
        """Something has come: it is no load balancer that looks whether anybody is there."""
        self._eof = False
        self._cut = False

    # ------------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write_to(cast(asyncio.Transport, transport))
        self._transport.set_write_buffer_limits(high=self._sendq)
        peer = self._transport.get_extra_info("peername")
        self.begin(host(peer), endpoint(peer))

    def begin(self, address: str, peer: str) -> None:
        """Start the conversation, if there is room for it."""
        self.address, self.peer = address, peer
        if not self._admission.enter(address):
            self._transport.write(b"ERR too-many-connections Try again later\n")
            self._transport.set_protocol(asyncio.Protocol())  # whatever else it says is not for us
            self._close()
            return
        self._connections.add(self)
        self.session = self._chat.connect(
            self, command_dialect.encode, self._parse, peer=peer, one_room=True, idles=True
        )
        self.write(GREETING)

    def _has_come(self) -> None:
        self._spoke = True
        logger.info("Accepted connection from %s", self.peer)

    def data_received(self, data: bytes) -> None:
        if not self._spoke:
            self._has_come()
        if self.session.closing:
            return
        self._framer.feed(data)
        if self._framer.met_telnet:
            answers = self._framer.take_answers()
            if answers:
                self.write(answers)
            for _ in range(self._framer.take_cost()):
                self._chat.receive(self.session, b"")
        self._take_lines()

    def _take_lines(self) -> None:
        """As many as the chat wants; the others stay bytes, which take less room."""
        while not self._paused and self._framer.has_lines:
            for line in self._framer.take_lines():
                self._chat.receive(self.session, line)
        if self._eof and not self._paused:
            self._chat.end(self.session)

    def eof_received(self) -> bool:
        self._eof = True
        self._take_lines()
        # The other direction stays open until the pending replies are written; TLS 1.2 knows no such thing.
        return self._transport.get_extra_info("sslcontext") is None

    def end_if_reset(self) -> None:
        if self._transport.is_closing() or sys.platform != "linux":
            return
        sock = self._transport.get_extra_info("socket")
        if sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE:
            self._chat.end(self.session, dropped=True)
            self._transport.abort()

    def pause_writing(self) -> None:
        """More than `sendq` bytes wait for this reader: it is cut, the others never wait for it."""
        if self._cut:
            return
        self._cut = True
        logger.warning("Cut %s: more than %d bytes were waiting for it (sendq)", self.peer, self._sendq)
        self.write(b"\nERROR sendq exceeded\n")
        self.close("sendq")
        self._chat.cut(self.session)

    def connection_lost(self, exc: Exception | None) -> None:
        self._write_no_more()
        self._chat.end(self.session, dropped=exc is not None)
        self._admission.leave(self.address)
        self._connections.discard(self)
        level = logging.INFO if self._spoke else logging.DEBUG
        logger.log(level, "Closed connection from %s%s", self.peer, f": {exc}" if exc else "")

    # ------------------------------------------------------------------ core.session.Wire

    def close(self, reason: str, /) -> None:
        del reason  # it was said in a line
        self._write_no_more()
        self._close()

    def _close(self) -> None:
        """It must end, even where the peer never takes what waits for it; with TLS it has to answer, too."""
        if self.waiting() or self._transport.get_extra_info("sslcontext") is not None:
            asyncio.get_running_loop().call_later(CLOSE_PATIENCE, self._transport.abort)
        self._transport.close()

    def pause_input(self) -> None:
        self._paused = True
        if not self._transport.is_closing():
            self._connections.paused.add(self)
        with contextlib.suppress(RuntimeError):  # a transport that is closing
            self._transport.pause_reading()

    def resume_input(self) -> None:
        self._paused = False
        self._connections.paused.discard(self)
        if not self._transport.is_closing():
            self._transport.resume_reading()
        self._take_lines()

    # ------------------------------------------------------------------ the dialects

    def _parse(self, raw: bytes | c.Invalid) -> c.AnyCommand | None:
        first = self.session.nick is None
        if first and self._first_words.are_misdirected(raw):
            self._connections.misdirected.log("Refused %s: it does not speak lines (421)", self.peer)
            self.session.encode = _in_http
            self._chat.close(self.session, Bye("misdirected"))
            return None
        if isinstance(raw, c.Invalid):
            return raw
        text = decode(raw)
        if isinstance(text, c.Invalid):
            return text
        if not text or text.isspace():
            return None
        if first:
            command = self._first_words.parse(text)
            self._speak(plain=self._first_words.plain)
            return command
        return self._dialect(text)

    def _speak(self, *, plain: bool) -> None:
        self._dialect = plain_dialect.parse if plain else command_dialect.parse
        self.session.encode = plain_dialect.encode if plain else command_dialect.encode
        self.session.recent = plain_dialect.RECENT if plain else 0


class ProxiedConnection(Connection):
    """A connection that may come through a proxy, which tells with the PROXY protocol for whom it speaks.

    Who is not trusted to say so is an ordinary client.
    """

    _head: bytes | None = None
    """What has come of the header; None when it is over."""

    def __init__(
        self,
        chat: Chat,
        admission: Admission,
        sendq: int,
        connections: "Connections",
        trusted: Container[str],
    ) -> None:
        super().__init__(chat, admission, sendq, connections)
        self._trusted = trusted

    def begin(self, address: str, peer: str) -> None:
        if address not in self._trusted:
            super().begin(address, peer)
            return
        self.address, self.peer, self._head = address, peer, b""
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(proxy_protocol.HEADER_PATIENCE, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            super().data_received(data)
            return
        self._head += data
        match proxy_protocol.parse(self._head):
            case proxy_protocol.Header(address=address, size=size):
                self._deadline.cancel()
                rest, self._head = self._head[size:], None
                peer = f"{address} through {self.peer}" if address else self.peer
                super().begin(address or self.address, peer)
                if address and self._transport.get_protocol() is self:
                    self._has_come()
                if rest and self._transport.get_protocol() is self:
                    super().data_received(rest)
            case proxy_protocol.Bad(why=why):
                logger.warning("Refused %s: %s", self.peer, why)
                self._transport.abort()

    def eof_received(self) -> bool:
        return self._head is None and super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head is None:
            super().connection_lost(exc)
        else:
            self._deadline.cancel()
