"""Which ids a run may give out: none that somebody may have seen, whatever has become of the file since.

The last messages may have gone with the power, or an older copy may have been put back. So a mark beside the
file goes ahead of what is given out; a run that does not find there how the last one ended leaves ids out.
"""

import sqlite3
from collections.abc import Container
from typing import Final

from storage.holding import Hold, Mark

GAP: Final = 1_000_000
"""Ids that are left out where the last run did not end cleanly, or so many that none above was given out: the
mark goes so far ahead."""


class Ids:
    """Of one run, which begins with this. All of it may wait for the disk, and raise sqlite3.Error."""

    def __init__(self, hold: Hold, database: sqlite3.Connection) -> None:
        self._hold = hold
        meta = dict(database.execute("SELECT key, value FROM meta WHERE key != 'probe'").fetchall())
        self.epoch = str(meta["epoch"])
        self.newest = _newest(database)
        self.base = _base(hold.mark(self.epoch), max(self.newest, int(meta["last_id"])), meta)
        """The ids above it are this run's."""
        self.mark_on(self.base)
        _begin(database, self.base)

    def running_out(self, last_id: int) -> bool:
        """Whether it is time to set the mark on, when this one was given out. Does not wait."""
        return last_id >= self.marked - GAP // 2

    def mark_on(self, last_id: int) -> None:
        marked = last_id + GAP
        self._hold.set_mark(self.epoch, Mark(marked, stopped=False))
        self.marked = marked
        """Ids up to here may have been given out, for all that the next run knows."""

    def end(self, last_id: int) -> None:
        """Cleanly: all is stored and closed."""
        self._hold.set_mark(self.epoch, Mark(last_id, stopped=True))

    def are_ours(self, database: sqlite3.Connection) -> bool:
        """Whether no other run has begun since this one."""
        (base,) = database.execute("SELECT value FROM meta WHERE key = 'last_id'").fetchone()
        return bool(base == self.base)


def _newest(database: sqlite3.Connection) -> int:
    """The id of the newest message that was kept."""
    (newest,) = database.execute("SELECT max(id) FROM message").fetchone()
    # Every id that anybody may have seen is below: also those of messages that are no longer kept.
    (trimmed,) = database.execute("SELECT max(upto) FROM trimmed").fetchone()
    return max(newest or 0, trimmed or 0)


def _base(mark: Mark | None, newest: int, meta: Container[str]) -> int:
    """The last id that may have been given out, if the newest one that the file knows of is `newest`.

    Else who has seen those that went with the power, or came after a copy that was put back, would take the
    next ones for them.
    """
    if mark is None and newest == 0 and "started" not in meta and "boot" not in meta:
        return 0
    # A version that knows no marks has left its `boot` there if it was the last one.
    if mark == Mark(newest, stopped=True) and "boot" not in meta:
        return newest
    return max(newest + GAP, mark.upto if mark is not None else 0)


def _begin(database: sqlite3.Connection, base: int) -> None:
    """To be flushed: ids are given out from now on."""
    database.execute("BEGIN IMMEDIATE")
    database.execute("DELETE FROM meta WHERE key = 'boot'")
    database.execute("INSERT OR REPLACE INTO meta VALUES ('started', 1), ('last_id', ?)", (base,))
    database.execute("COMMIT")
