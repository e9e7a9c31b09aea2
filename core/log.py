"""The message log, as the chat needs it. Adapters live in `storage/` and don't subclass.

Ids are positive integers that only rise; they may have gaps. They are comparable within one
`epoch`, the name of this very log.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from core.facts import Entry, Spoken
from core.names import Folded, RoomName


class LogError(Exception):
    """The log could not store or read. `code` is one of PROTOCOL.md's error codes."""

    def __init__(self, code: str = "storage-failed", detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class InRoom(Struct, frozen=True):
    """A history to read: what was said in a room."""

    room: RoomName


class Between(Struct, frozen=True):
    """A history to read: direct messages of the session identity `reader` with someone called `nick`."""

    reader: str
    nick: Folded


Place = InRoom | Between


class Page(Struct, frozen=True):
    """Entries oldest first; `more` says that there are older ones."""

    entries: Sequence[Entry]
    more: bool


class Log(Protocol):
    @property
    def epoch(self) -> str: ...

    @property
    def last_id(self) -> int:
        """The id of the newest entry; 0 when there is none."""
        ...

    async def append(self, batch: Sequence[Spoken]) -> Sequence[Entry]:
        """Store all of them, in this order, or none. Returns when they are durable.

        Raises LogError when they could not be stored. One call at a time.
        """
        ...

    async def history(self, place: Place, *, before: int | None, limit: int) -> Page:
        """The newest `limit` entries of a place that are older than the id `before`."""
        ...
