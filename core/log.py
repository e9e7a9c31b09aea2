"""The message log, as the chat needs it. Adapters live in `storage/` and don't subclass.

Ids are positive integers that only rise; they may have gaps. They are comparable within one
`epoch`, the name of this very log.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from core.facts import Entry, Spoken
from core.names import Folded, Nick, RoomName


class LogError(Exception):
    """The log could not store or read. `code` is one of PROTOCOL.md's error codes."""

    def __init__(
        self, code: str = "storage-failed", detail: str = "The message was not stored; try again"
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class InRoom(Struct, frozen=True):
    """A history to read: what was said in a room."""

    room: RoomName


class Between(Struct, frozen=True):
    """A history to read: direct messages of the session identity `reader` with someone called `nick`.

    With `identity`, if it is known who has that name now, also those under other names.
    """

    reader: str
    nick: Folded
    identity: str | None = None


Place = InRoom | Between


class Page(Struct, frozen=True):
    """Entries oldest first; `more` says that there are older ones."""

    entries: Sequence[Entry]
    more: bool


class Record(Struct, frozen=True):
    """What is kept of a session, so that its token takes it back.

    `token` is the SHA-256 of the token. `rooms` has the last id at the time of entering each room;
    `seen` is the last id the session was shown. `time` is milliseconds since 1970, UTC.
    """

    id: str
    token: bytes
    nick: Nick
    rooms: dict[RoomName, int]
    seen: int
    time: int


class Reader(Struct, frozen=True):
    """Whose eyes: a session identity, and its rooms (the hall too) with the last id before it came."""

    id: str
    rooms: dict[RoomName, int]


class Log(Protocol):
    @property
    def epoch(self) -> str: ...

    @property
    def last_id(self) -> int:
        """The id of the newest entry; 0 when there is none."""
        ...

    @property
    def busy(self) -> bool:
        """A thread of its own is at work."""
        ...

    @property
    def topics(self) -> Mapping[RoomName, str]:
        """What each room is about, of those that are about something."""
        ...

    async def check(self) -> None:
        """Raises LogError when nothing could be stored now."""
        ...

    async def append(self, batch: Sequence[Spoken]) -> Sequence[Entry]:
        """Store all of them, in this order, or none. Returns when they are durable.

        A fact whose author and ref are stored already is not stored again; its entry has the old id.
        Raises LogError when they could not be stored. One call at a time.
        """
        ...

    def append_at_once(self, batch: Sequence[Spoken]) -> Sequence[Entry] | None:
        """The same for a batch that can be stored without waiting; else None, and nothing was stored."""
        ...

    async def find(self, author: str, ref: str) -> Entry | None:
        """What this author has stored under this ref."""
        ...

    async def history(self, place: Place, *, before: int | None, limit: int) -> Page:
        """The newest `limit` entries of a place that are older than the id `before`."""
        ...

    async def since(self, reader: Reader, *, after: int, upto: int, limit: int) -> Sequence[Entry] | None:
        """What others said to this reader with ids over `after` and not over `upto`, oldest first.

        None when that cannot be told: some of it is no longer kept, or it is more than `limit`.
        """
        ...

    async def search(
        self, reader: Reader, words: str, *, room: RoomName | None, upto: int, limit: int
    ) -> Sequence[Entry]:
        """The newest entries up to the id `upto` with all the words, oldest first.

        Only in the reader's rooms and its own direct messages; only in `room` if one is given.
        """
        ...

    async def set_topic(self, room: RoomName, text: str) -> None:
        """Returns when it is durable and in `topics`; "" takes the room out. Raises LogError."""
        ...

    def remember(self, record: Record) -> None:
        """Keep this record in place of the one with the same id; durable soon, nobody waits for it."""
        ...

    async def recall(self, token: bytes) -> Record | None:
        """The record with this token hash."""
        ...
