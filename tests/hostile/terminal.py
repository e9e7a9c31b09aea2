"""A terminal as a netcat's user has it, which notes everything that a line of chat must never do to it."""

from collections.abc import Callable
from typing import Any, Final, cast

import pyte

COLUMNS: Final = 4200
"""So wide that no line wraps: what takes a second row was made a second line."""

ROWS: Final = 500

HARMLESS: Final = {"draw", "select_graphic_rendition"}
ENDING: Final = ["carriage_return", "linefeed"]


class _Listener:
    """Passes on to the screen what the stream asks of it, and keeps the names."""

    def __init__(self, screen: pyte.Screen) -> None:
        self._screen = screen
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._screen, name)

        def ask(*arguments: Any, **options: Any) -> Any:
            self.asked.append(name)
            return method(*arguments, **options)

        return ask


class Terminal:
    def __init__(self) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._listener = _Listener(self._screen)
        self._stream = pyte.ByteStream(cast(pyte.Screen, self._listener), strict=False)
        self._modes = frozenset(self._screen.mode)
        self._style = self._screen.cursor.attrs
        self.rows = 0

    def shows(self, line: str) -> str:
        """What a line of chat looks like. It must be one row and leave everything else as it was."""
        self._listener.asked.clear()
        self._stream.feed(line.encode() + b"\r\n")  # the terminal's driver makes CR LF of LF
        asked = [name for name in self._listener.asked if name not in HARMLESS]
        assert asked == ENDING, f"{line!r} made the terminal do {asked}"
        self.rows += 1
        screen = self._screen
        assert (screen.cursor.y, screen.cursor.x) == (self.rows, 0), f"{line!r} moved the cursor"
        assert screen.cursor.attrs._replace(data=" ") == self._style._replace(data=" "), f"{line!r}: colours"
        assert frozenset(screen.mode) == self._modes, f"{line!r} changed a mode"
        assert not screen.title, f"{line!r} changed the title"
        assert not screen.icon_name, f"{line!r} changed the title"
        row = screen.buffer[self.rows - 1]
        return "".join(row[x].data for x in range(max(row, default=-1) + 1)).rstrip()
