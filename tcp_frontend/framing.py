"""Bytes to lines, by RFC 854 as far as a chat needs it. No I/O.

- Lines end with LF; CR LF and CR NUL are accepted. Nothing else ends a line.
- A line over the limit is reported once and skipped to its end, wherever the pieces are cut.
- Telnet commands are taken out; every offer and request is refused, none is ever made.
"""

import re
from typing import Final

from core.commands import Invalid

LINE_MAX: Final = 4096
"""Bytes of a line without its ending. IRC has 512, and 4096 more for tags."""

AT_ONCE: Final = 128
"""Lines taken out of the bytes at once: so many may wait, as objects of their own, for their turn."""

SB_MAX: Final = 512
"""Bytes of one subnegotiation; a longer one is taken for a stray byte, and what follows for text."""

TELNET_PER_LINE: Final = 512
"""Bytes of telnet commands that cost as much as a line does. A client sends fewer in its whole life."""

IAC: Final = 255
_WILL, _WONT, _DO, _DONT = 251, 252, 253, 254

TOO_LONG: Final = Invalid("line-too-long", str(LINE_MAX))

_INSIDE: Final = rb"(?:[^\xff]|\xff[^\xf0])"
_TELNET: Final = re.compile(
    rb"(?P<text>(?:\xff\xff)+)"
    rb"|(?P<offers>(?:\xff[\xfb-\xfe].)+)"
    rb"|(?P<alone>(?:\xff[\xf0-\xf9])+)"
    rb"|\xff\xfa(?:%(in)b{0,%(max)d}?\xff\xf0|%(in)b{%(max)d})"
    rb"|(?P<part>\xff(?:[\xfa-\xfe].*)?\Z)" % {b"in": _INSIDE, b"max": SB_MAX},
    re.DOTALL,
)
"""Runs of a kind are one match. IAC before anything else was never telnet: it is refused as text."""


class Telnet:
    """Takes telnet commands out of a stream."""

    def __init__(self) -> None:
        self._part = b""
        """The beginning of a command that has not come whole."""
        self.answers = bytearray()
        """Refusals to send back; whoever sends them empties it."""
        self.taken = 0
        """Bytes taken out so far; whoever charges for them lowers it."""

    def strip(self, data: bytes) -> bytes:
        if self._part:
            data, self._part = self._part + data, b""
        if IAC not in data:
            return data
        text = _TELNET.sub(self._replaced, data)
        self.taken += len(data) - len(text) - len(self._part)
        return text

    def _replaced(self, match: re.Match[bytes]) -> bytes:
        command = match[0]
        match match.lastgroup:
            case "text":
                return command[::2]
            case "offers":
                # A refusal of a refusal is never sent: that is how loops begin.
                for verb, option in zip(command[1::3], command[2::3], strict=True):
                    if verb == _DO:
                        self.answers += bytes((IAC, _WONT, option))
                    elif verb == _WILL:
                        self.answers += bytes((IAC, _DONT, option))
            case "part":
                self._part = command
        return b""


class LineFramer:
    """Feed it what was received, then take the lines, without their endings, in order."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self._telnet = Telnet()
        self.has_lines = False
        """There may be more lines to take."""

    def feed(self, data: bytes) -> None:
        data = self._rest + self._telnet.strip(data)
        if 0 in data:
            data = data.replace(b"\r\0", b"\r\n")
        self._rest = data
        self.has_lines = True

    def take_lines(self) -> list[bytes | Invalid]:
        """Some of the lines that are complete; all of them, or else `has_lines`."""
        *pieces, rest = self._rest.split(b"\n", AT_ONCE)
        lines: list[bytes | Invalid] = []
        for piece in pieces:
            if self._skipping:
                self._skipping = False
                continue
            line = piece.removesuffix(b"\r")
            lines.append(line if len(line) <= LINE_MAX else TOO_LONG)
        if len(pieces) < AT_ONCE:  # what is left has no ending
            self.has_lines = False
            if self._skipping:
                rest = rest[-1:] if rest.endswith(b"\r") else b""
            elif len(rest) > LINE_MAX + 1:  # one more: it may be the CR of an ending
                lines.append(TOO_LONG)
                self._skipping = True
                rest = rest[-1:] if rest.endswith(b"\r") else b""
        self._rest = rest
        return lines

    @property
    def met_telnet(self) -> bool:
        """There were telnet commands: there may be something to answer and to charge for."""
        return bool(self._telnet.taken)

    def take_answers(self) -> bytes:
        """The telnet refusals that are due."""
        answers = bytes(self._telnet.answers)
        self._telnet.answers.clear()
        return answers

    def take_cost(self) -> int:
        """The number of lines that the telnet commands are worth."""
        cost, self._telnet.taken = divmod(self._telnet.taken, TELNET_PER_LINE)
        return cost
