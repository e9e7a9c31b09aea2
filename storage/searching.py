"""What a search finds. It has a price that is known before, and one that takes long lets the others pass."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.facts import Entry
from core.log import LogError, Reader
from core.names import RoomName
from storage import schema
from storage.rows import COLUMNS, to_entry
from storage.worker import Worker

QUICK: Final = 0.05
"""Seconds for a search that is carried out in its turn,"""

LONG: Final = 0.5
"""and for one that stands back, of which there is one at a time. What takes longer is refused."""

COUNTING: Final = 3
"""One part in so many of this time may go by while the hits of each word are counted. The index puts those of
a beginning together before it gives any: that cannot be interrupted, and takes two or three times as long."""

STEP: Final = 1_000
"""Operations of SQLite's virtual machine, of which a row takes seven, between two looks at the clock."""

_LAST: Final = "\U0010ffff"
_COUNT: Final = "SELECT sum(cnt) FROM term WHERE term >= ? AND term <= ?"


class _TooLong(Exception):
    """The time is over."""


class Searcher:
    """`worker` is its own: nothing but a search waits for a search."""

    def __init__(self, database: sqlite3.Connection, worker: Worker) -> None:
        self._database = database
        self._worker = worker
        self._slow = asyncio.Lock()

    async def search(
        self, reader: Reader, words: str, room: RoomName | None, upto: int, limit: int
    ) -> Sequence[Entry]:
        """Raises sqlite3.Error, and LogError for what would take too long."""
        asked = (self._database, reader, words, room, upto, limit)
        try:
            return await self._worker.run(_search, *asked, QUICK)
        except _TooLong:
            pass
        async with self._slow:
            try:
                return await self._worker.run(_search, *asked, LONG)
            except _TooLong:
                raise LogError("too-broad", "Too much to look through; give more letters") from None


def searchable(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """A connection that reads, and knows which terms are in the word index (`term`)."""
    return schema.only_reading(path, "CREATE VIRTUAL TABLE temp.term USING fts5vocab(main, words, row)")


def _search(
    database: sqlite3.Connection,
    reader: Reader,
    words: str,
    room: RoomName | None,
    upto: int,
    limit: int,
    seconds: float,
) -> Sequence[Entry]:
    with _limited(database, seconds / COUNTING) as over:
        for first_and_last in _ranges(words):
            database.execute(_COUNT, first_and_last).fetchone()
            if over():
                raise _TooLong
    with _limited(database, seconds):
        return _found(database, reader, words, room, upto, limit)


@contextmanager
def _limited(database: sqlite3.Connection, seconds: float) -> Iterator[Callable[[], bool]]:
    """Gives what tells whether the time is over. A statement that still runs then raises _TooLong."""
    end = time.perf_counter() + seconds

    def over() -> bool:
        return time.perf_counter() >= end

    database.set_progress_handler(over, STEP)
    try:
        yield over
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise _TooLong from None
    finally:
        database.set_progress_handler(None, 0)


def _ranges(words: str) -> Iterator[tuple[str, str]]:
    """For each word the first and the last term that hits of it have."""
    terms = _terms(words)
    for term in terms[:-1]:
        yield term, term
    for beginning in terms[-1:]:  # what is only signs has none
        yield beginning, beginning + _LAST


@lru_cache(maxsize=8)
def _terms(words: str) -> tuple[str, ...]:
    """What the word index would make of these words, in their order. Who stands back asks for them twice."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        scratch.execute(f"CREATE VIRTUAL TABLE typed USING fts5 (text, tokenize = '{schema.TOKENIZE}')")
        scratch.execute("CREATE VIRTUAL TABLE term USING fts5vocab (typed, instance)")
        scratch.execute("INSERT INTO typed VALUES (?)", (words,))
        return tuple(term for (term,) in scratch.execute("SELECT term FROM term ORDER BY offset"))


def _found(
    database: sqlite3.Connection, reader: Reader, words: str, room: RoomName | None, upto: int, limit: int
) -> Sequence[Entry]:
    rooms = list(reader.rooms) if room is None else [room]
    visible = f"room IN ({', '.join('?' * len(rooms))})"
    who: list[str] = []
    if room is None:
        visible += " OR (kind = 2 AND (author = ? OR reader = ?))"
        who = [reader.id, reader.id]
    columns = ", ".join(f"message.{name}" for name in COLUMNS.split(", "))
    query = (
        f"SELECT {columns} FROM words JOIN message ON message.id = words.rowid"
        f" WHERE words MATCH ? AND words.rowid <= ? AND ({visible}) ORDER BY words.rowid DESC LIMIT ?"
    )
    rows = database.execute(query, (_match(words), upto, *rooms, *who, limit)).fetchall()
    return [to_entry(row) for row in reversed(rows)]


def _match(words: str) -> str:
    """All the words, each as it is; the last one may go on (people search while they type)."""
    quoted = ['"' + word.replace('"', '""') + '"' for word in words.split()]
    return " ".join(quoted) + "*"
