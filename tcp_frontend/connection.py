"""One TCP connection: bytes to lines to commands, and a wire for what comes back."""

import asyncio
import logging
from typing import Final, cast

from core import commands as c
from core.admission import Admission
from core.chat import Chat
from core.names import nick_problem
from tcp_frontend import command_dialect, plain_dialect
from tcp_frontend.framing import LineFramer
from tcp_frontend.lines import decode

logger = logging.getLogger("parlour.tcp")

GREETING: Final = (
    b"Welcome! Please login with: LOGIN <username>\n"
    b"Or type just a name (letters, digits, - and _) to chat in plain words.\n"
)


class Connection(asyncio.Protocol):
    """Also the session's `core.session.Wire`."""

    def __init__(self, chat: Chat, admission: Admission, sendq: int) -> None:
        self._chat = chat
        self._admission = admission
        self._sendq = sendq
        self._framer = LineFramer()
        self._plain = False

    # ------------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self._sendq)
        self.peer = self._transport.get_extra_info("peername")
        if not self._admission.enter(self.peer[0]):
            self._transport.write(b"ERR too-many-connections Try again later\n")
            self._transport.set_protocol(asyncio.Protocol())  # whatever else it says is not for us
            self._transport.close()
            return
        self._session = self._chat.connect(
            self, command_dialect.encode, self._parse, one_room=True, idles=True
        )
        logger.info("Accepted connection from %s", self.peer)
        self._transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        lines = self._framer.feed(data)
        answers = self._framer.take_answers()
        if answers:
            self.write(answers)
        for line in lines:
            self._chat.receive(self._session, line)

    def eof_received(self) -> bool:
        self._chat.end(self._session)
        return True  # the other direction stays open until the pending replies are written

    def pause_writing(self) -> None:
        """More than `sendq` bytes wait for this reader: it is cut, the others never wait for it."""
        logger.warning("Cut %s: more than %d bytes were waiting for it (sendq)", self.peer, self._sendq)
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._chat.end(self._session, dropped=exc is not None)
        self._admission.leave(self.peer[0])
        logger.info("Closed connection from %s%s", self.peer, f": {exc}" if exc else "")

    # ------------------------------------------------------------------ core.session.Wire

    def write(self, data: bytes, /) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self, reason: str, /) -> None:
        del reason  # it was said in a line
        self._transport.close()

    def waiting(self) -> int:
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    def pause_input(self) -> None:
        self._transport.pause_reading()

    def resume_input(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # ------------------------------------------------------------------ the dialects

    def _parse(self, raw: bytes | c.Invalid) -> c.AnyCommand | None:
        if isinstance(raw, c.Invalid):
            return raw
        text = decode(raw)
        if isinstance(text, c.Invalid):
            return text
        if not text or text.isspace():
            return None
        if self._session.nick is None:
            return self._first_words(text)
        return plain_dialect.parse(text) if self._plain else command_dialect.parse(text)

    def _first_words(self, text: str) -> c.AnyCommand:
        """Until someone is logged in, each line may choose the dialect anew."""
        name = text.strip()
        verb = name.partition(" ")[0].upper()
        if verb in ("/QUIT", "/HELP", "/RESUME"):
            self._choose(plain=True)
            return plain_dialect.parse(name)
        if verb in command_dialect.VERBS:
            self._choose(plain=False)
            return command_dialect.parse(text)
        if nick_problem(name) is None or self._plain:
            self._choose(plain=True)
            return c.Login(name)
        if " " in name:
            return c.Invalid("login-required", "Send: LOGIN <username>")
        return c.Invalid("invalid-username", nick_problem(name) or "")

    def _choose(self, *, plain: bool) -> None:
        self._plain = plain
        self._session.encode = plain_dialect.encode if plain else command_dialect.encode
        self._session.recent = plain_dialect.RECENT if plain else 0
