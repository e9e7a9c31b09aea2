"""What is read from the SQLite log: pages of history, and what someone missed.

Every query walks an index from its end and stops at its limit, whatever the size of the log.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from core.facts import Entry
from core.log import Between, InRoom, Page, Place, Reader
from core.names import HALL, RoomName
from storage.rows import COLUMNS, to_entry

_SELECT: Final = f"SELECT {COLUMNS} FROM message WHERE"
_OLDER: Final = "AND id < ? ORDER BY id DESC LIMIT ?"
_NEWER: Final = "AND id > ? AND id <= ? AND author != ? ORDER BY id LIMIT ?"
_ROOM: Final = f"{_SELECT} room = ? {_OLDER}"
_SENT: Final = f"{_SELECT} kind = 2 AND author = ? AND lower(recipient) = ? {_OLDER}"
_RECEIVED: Final = f"{_SELECT} kind = 2 AND reader = ? AND lower(nick) = ? {_OLDER}"
_EXCHANGED: Final = f"{_SELECT} kind = 2 AND author = ? AND reader = ? {_OLDER}"
_ROOM_SINCE: Final = f"{_SELECT} room = ? {_NEWER}"
_ALL_SINCE: Final = f"{_SELECT} kind = 1 {_NEWER}"
_MAIL_SINCE: Final = f"{_SELECT} kind = 2 AND reader = ? {_NEWER}"
_ROOMS: Final = """
    WITH RECURSIVE known (room) AS (
        SELECT min(room) FROM message WHERE room IS NOT NULL
        UNION ALL
        SELECT (SELECT min(room) FROM message WHERE room > known.room) FROM known WHERE room IS NOT NULL
    )
    SELECT room FROM known WHERE room IS NOT NULL
"""
_TRIMMED: Final = "SELECT upto FROM trimmed WHERE room = ?"

_FAR: Final = 2**63 - 1
OTHERS: Final = ""
"""As a room in `trimmed`: what belongs to no room."""


def history(database: sqlite3.Connection, place: Place, *, before: int | None, limit: int) -> Page:
    end = _FAR if before is None else before
    rows: Iterable[tuple[object, ...]]
    match place:
        case InRoom(room=room):
            rows = database.execute(_ROOM, (room, end, limit + 1)).fetchall()
        case Between(reader=reader, nick=nick, identity=identity):
            found = database.execute(_SENT, (reader, nick, end, limit + 1)).fetchall()
            found += database.execute(_RECEIVED, (reader, nick, end, limit + 1)).fetchall()
            for pair in ((reader, identity), (identity, reader)) if identity is not None else ():
                found += database.execute(_EXCHANGED, (*pair, end, limit + 1)).fetchall()
            # Many are found twice.
            rows = sorted({row[0]: row for row in found}.values(), reverse=True)
        case _:
            assert_never(place)
    entries = [to_entry(row) for row in rows]
    return Page(tuple(reversed(entries[:limit])), more=len(entries) > limit)


def rooms(database: sqlite3.Connection) -> Sequence[RoomName]:
    """All rooms with messages, by a walk over the index that takes one step for each room."""
    return [RoomName(row[0]) for row in database.execute(_ROOMS)]


def since(
    database: sqlite3.Connection, reader: Reader, *, after: int, upto: int, limit: int
) -> Sequence[Entry] | None:
    database.execute("BEGIN")  # one view of the log: something may be deleted meanwhile
    try:
        return _since(database, reader, after=after, upto=upto, limit=limit)
    finally:
        database.execute("COMMIT")


def _since(
    database: sqlite3.Connection, reader: Reader, *, after: int, upto: int, limit: int
) -> Sequence[Entry] | None:
    rows: list[tuple[object, ...]] = []
    for room, entered in reader.rooms.items():
        if room == HALL:
            continue
        start = max(after, entered)
        if _trimmed(database, room) > start:
            return None
        rows += database.execute(_ROOM_SINCE, (room, start, upto, reader.id, limit + 1)).fetchall()
    if _trimmed(database, OTHERS) > after:
        return None
    came = max(after, reader.rooms.get(HALL, 0))
    rows += database.execute(_ALL_SINCE, (came, upto, reader.id, limit + 1)).fetchall()
    rows += database.execute(_MAIL_SINCE, (reader.id, after, upto, reader.id, limit + 1)).fetchall()
    if len(rows) > limit:
        return None
    return sorted((to_entry(row) for row in rows), key=lambda entry: entry.id)


def _trimmed(database: sqlite3.Connection, room: str) -> int:
    row = database.execute(_TRIMMED, (room,)).fetchone()
    return int(row[0]) if row else 0
