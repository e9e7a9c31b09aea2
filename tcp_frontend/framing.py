"""Bytes to lines, by RFC 854 as far as a chat needs it. No I/O.

- Lines end with LF; CR LF and CR NUL are accepted. Nothing else ends a line.
- A line over the limit is reported once and skipped to its end, wherever the pieces are cut.
- Telnet commands are taken out; every offer and request is refused, none is ever made.
"""

from typing import Final

from core.commands import Invalid

LINE_MAX: Final = 4096
"""Bytes of a line without its ending. IRC has 512, and 4096 more for tags."""

SB_MAX: Final = 512
"""Bytes of one subnegotiation; a longer one is taken for a stray byte, and what follows for text."""

IAC: Final = 255
_SE, _SB, _WILL, _WONT, _DO, _DONT = 240, 250, 251, 252, 253, 254

TOO_LONG: Final = Invalid("line-too-long", str(LINE_MAX))


class Telnet:
    """Takes telnet commands out of a stream. States: text, after IAC, after a verb, inside SB."""

    def __init__(self) -> None:
        self._state = "text"
        self._verb = 0
        self._inside = 0
        self.answers = bytearray()
        """Refusals to send back; whoever sends them empties it."""

    def strip(self, data: bytes) -> bytes:
        if self._state == "text" and IAC not in data:
            return data
        text = bytearray()
        for byte in data:
            match self._state:
                case "text":
                    if byte == IAC:
                        self._state = "iac"
                    else:
                        text.append(byte)
                case "iac":
                    self._state = "text"
                    if byte == IAC:
                        text.append(IAC)
                    elif byte == _SB:
                        self._state = "sb"
                        self._inside = 0
                    elif byte in (_WILL, _WONT, _DO, _DONT):
                        self._state, self._verb = "verb", byte
                    elif byte < _SE:  # no command: it was never telnet, and as text it will be refused
                        text += bytes((IAC, byte))
                case "verb":
                    self._state = "text"
                    # A refusal of a refusal is never sent: that is how loops begin.
                    if self._verb == _DO:
                        self.answers += bytes((IAC, _WONT, byte))
                    elif self._verb == _WILL:
                        self.answers += bytes((IAC, _DONT, byte))
                case "sb":
                    self._inside += 1
                    if byte == IAC:
                        self._state = "sb-iac"
                    elif self._inside > SB_MAX:  # an end will not come
                        self._state = "text"
                case _:  # sb-iac
                    self._state = "text" if byte == _SE else "sb"
        return bytes(text)


class LineFramer:
    """Feed it what was received; it gives the lines, without their endings, in order."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self._telnet = Telnet()

    def feed(self, data: bytes) -> list[bytes | Invalid]:
        data = self._rest + self._telnet.strip(data)
        if b"\0" in data:
            data = data.replace(b"\r\0", b"\r\n")
        *pieces, rest = data.split(b"\n")
        lines: list[bytes | Invalid] = []
        for piece in pieces:
            if self._skipping:
                self._skipping = False
                continue
            line = piece.removesuffix(b"\r")
            lines.append(line if len(line) <= LINE_MAX else TOO_LONG)
        if self._skipping:
            rest = rest[-1:] if rest.endswith(b"\r") else b""
        elif len(rest) > LINE_MAX + 1:  # one more: it may be the CR of an ending
            lines.append(TOO_LONG)
            self._skipping = True
            rest = rest[-1:] if rest.endswith(b"\r") else b""
        self._rest = rest
        return lines

    def take_answers(self) -> bytes:
        """The telnet refusals that are due."""
        answers = bytes(self._telnet.answers)
        self._telnet.answers.clear()
        return answers
