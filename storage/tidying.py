"""Work that nobody waits for, in steps of a few milliseconds: the word index, and what is too old to keep.

Each step is one transaction on the writer's connection, between the transactions of the messages. Only
checkpoints have a connection of their own.
"""

import sqlite3
import time
from collections.abc import Sequence
from typing import Final

from storage.reading import OTHERS

INDEX_STEP: Final = 500
DELETE_STEP: Final = 200
SESSION_DAYS: Final = 7
"""Days after which a token that nobody used takes nothing back."""

_DAY: Final = 86_400_000


def indexed(database: sqlite3.Connection) -> int:
    """The id up to which messages are in the word index."""
    (newest,) = database.execute("SELECT value FROM meta WHERE key = 'indexed'").fetchone()
    return int(newest)


def index_some(database: sqlite3.Connection) -> bool:
    """Take the next messages into the word index; whether there may be more."""
    done = indexed(database)
    ids = database.execute(
        "SELECT id FROM message WHERE id > ? ORDER BY id LIMIT ?", (done, INDEX_STEP)
    ).fetchall()
    if not ids:
        return False
    last = ids[-1][0]
    database.execute("BEGIN IMMEDIATE")
    database.execute(
        "INSERT INTO words (rowid, text) SELECT id, text FROM message WHERE id > ? AND id <= ?",
        (done, last),
    )
    database.execute("UPDATE meta SET value = ? WHERE key = 'indexed'", (last,))
    database.execute("COMMIT")
    return len(ids) == INDEX_STEP


def trim_room(database: sqlite3.Connection, room: str, keep: int) -> bool:
    """Delete some of the room's messages beyond the newest `keep`; whether there may be more."""
    newest_to_go = database.execute(
        "SELECT id FROM message WHERE room = ? ORDER BY id DESC LIMIT 1 OFFSET ?", (room, keep)
    ).fetchone()
    if newest_to_go is None:
        return False
    ids = database.execute(
        "SELECT id FROM message WHERE room = ? AND id <= ? ORDER BY id LIMIT ?",
        (room, newest_to_go[0], DELETE_STEP),
    ).fetchall()
    _delete(database, [row[0] for row in ids])
    return len(ids) == DELETE_STEP


def trim_days(database: sqlite3.Connection, days: float) -> bool:
    """Delete some of the messages older than that; whether there may be more."""
    oldest = database.execute("SELECT id, time FROM message ORDER BY id LIMIT ?", (DELETE_STEP,)).fetchall()
    limit = _now() - int(days * _DAY)
    # Up to the last old one: where the clock was set back, a younger time may stand before an older.
    old = [index for index, (_, at) in enumerate(oldest) if at < limit]
    if not old:
        return False
    _delete(database, [number for number, _ in oldest[: old[-1] + 1]])
    return old[-1] + 1 == DELETE_STEP


def forget_sessions(database: sqlite3.Connection) -> bool:
    """Delete some of the sessions that nobody can take back any more; whether there may be more."""
    some = "SELECT id FROM session WHERE time < ? LIMIT ?"
    limit = _now() - SESSION_DAYS * _DAY
    gone = database.execute(f"DELETE FROM session WHERE id IN ({some})", (limit, DELETE_STEP)).rowcount
    return gone == DELETE_STEP


def _delete(database: sqlite3.Connection, ids: Sequence[int]) -> None:
    marks = ", ".join("?" * len(ids))
    database.execute("BEGIN IMMEDIATE")
    database.execute(
        "INSERT INTO words (words, rowid, text) SELECT 'delete', id, text FROM message"
        f" WHERE id IN ({marks}) AND id <= ?",
        (*ids, indexed(database)),
    )
    database.execute(
        "INSERT INTO trimmed SELECT coalesce(room, ?), max(id) FROM message"
        f" WHERE id IN ({marks}) GROUP BY 1 ON CONFLICT (room) DO UPDATE SET upto = max(upto, excluded.upto)",
        (OTHERS, *ids),
    )
    database.execute(f"DELETE FROM message WHERE id IN ({marks})", ids)
    database.execute("COMMIT")


def _now() -> int:
    return time.time_ns() // 1_000_000
