"""What a new connection says first: which dialect it speaks, or that it speaks no lines at all."""

import re
from typing import Final

from core import commands as c
from core.names import nick_problem
from tcp_frontend import command_dialect, plain_dialect

_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

REQUEST: Final = re.compile(_TOKEN + rb" \S+ HTTP/\d|\x16\x03")
"""The first line of a browser: a request line (RFC 9112), or a TLS greeting (RFC 8446, 5.1)."""

HEADER: Final = re.compile(_TOKEN + rb":[ \t\S]")
"""A header line; or somebody who writes `Ann: hello` before giving a name."""

MANY_DOUBTS: Final = 2
"""One line like a header is a newcomer's; a second one is not."""

MISDIRECTED: Final = (
    b"HTTP/1.1 421 Misdirected Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"This port speaks lines, not HTTP. The page is on the web port (8080 unless configured otherwise).\n"
)

BEFORE_A_NAME: Final = frozenset({"/QUIT", "/HELP", "/RESUME"})
"""The slash commands that want no login."""

_LOGIN_FIRST: Final = c.Invalid("login-required", "Send: LOGIN <username>")


class FirstWords:
    """Of one connection, until it is logged in."""

    __slots__ = ("_doubts", "plain")

    def __init__(self) -> None:
        self.plain = False
        """The dialect it has chosen; each line may choose anew."""
        self._doubts = 0
        """How much speaks for a browser."""

    def are_misdirected(self, raw: bytes | c.Invalid) -> bool:
        """A browser, or someone who makes one speak to us: nothing it sends may be taken for a line.

        What it sends first gives it away. Where that was too long to be read, whatever follows it does.
        """
        if self._doubts >= MANY_DOUBTS:
            return True
        if isinstance(raw, c.Invalid):
            self._doubts = MANY_DOUBTS
            return False
        if HEADER.match(raw):
            self._doubts += 1
        return self._doubts >= MANY_DOUBTS or REQUEST.match(raw) is not None

    def parse(self, text: str) -> c.AnyCommand:
        """One clean line that is not blank."""
        name = text.strip()
        verb = name.partition(" ")[0].upper()
        if verb.startswith("/"):
            self.plain = True
            return plain_dialect.parse(name) if verb in BEFORE_A_NAME else _LOGIN_FIRST
        if verb in command_dialect.BEFORE_LOGIN:
            self.plain = False
            return command_dialect.parse(text)
        # Somebody who has begun in plain words may be called Nick.
        if verb in command_dialect.VERBS and not (self.plain and name.upper() == verb):
            self.plain = False
            return _LOGIN_FIRST
        problem = nick_problem(name)
        if problem is None or self.plain:
            self.plain = True
            return c.Login(name)
        if " " in name:
            return c.Invalid("login-required", "Send: LOGIN <username>, or a name without spaces")
        return c.Invalid("invalid-username", problem)
