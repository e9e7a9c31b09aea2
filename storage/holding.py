"""The file beside the messages, `…-lock`: one server at a time holds it. It also says how the last run ended.

That is kept outside of the messages because it is about them: whether they are all there that have been. A
file that lost some with the power, or an older copy of it, must not give out ids that somebody has seen.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from storage.errors import CannotOpen, cannot_use
from storage.schema import connect, make_private


class Mark(Struct, frozen=True):
    """Of one log. No id above `upto` has been given out; `upto` itself has, if it was `stopped` cleanly."""

    upto: int
    stopped: bool


class Watch:
    """Whether the files of a log are still those with which SQLite goes on: at `path`, and beside it.

    The lock is one of them: without it another server can be let in, and what is in its place, also a copy,
    is held by nobody or by another. Raises OSError when one is not there at first.
    """

    def __init__(self, path: Path) -> None:
        paths = (path, path.with_name(path.name + "-wal"), _beside(path))
        self._files = {path: _identity(path) for path in paths}

    def missing(self) -> Path | None:
        """The first that is not where it was."""
        for path, identity in self._files.items():
            try:
                if _identity(path) != identity:
                    return path
            except OSError:
                return path
        return None


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


class Hold:
    """`path` is that of the messages, without links: all that belongs to the file lies beside it.

    The methods raise sqlite3.Error. What they write is flushed.
    """

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database

    def mark(self, epoch: str) -> Mark | None:
        if not self._database.execute("SELECT 1 FROM sqlite_master WHERE name = 'mark'").fetchone():
            return None
        found = "SELECT upto, stopped FROM mark WHERE epoch = ?"
        row = self._database.execute(found, (epoch,)).fetchone()
        return None if row is None else Mark(row[0], bool(row[1]))

    def set_mark(self, epoch: str, mark: Mark) -> None:
        database = self._database
        if not database.in_transaction:
            database.execute("BEGIN")
        try:
            database.execute(
                "CREATE TABLE IF NOT EXISTS mark"
                " (epoch TEXT PRIMARY KEY, upto INTEGER NOT NULL, stopped INTEGER NOT NULL) WITHOUT ROWID"
            )
            row = (epoch, mark.upto, mark.stopped)
            database.execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?)", row)
            database.execute("COMMIT")
        finally:
            if database.in_transaction:
                database.execute("ROLLBACK")


@contextmanager
def hold(path: Path) -> Iterator[Hold]:
    """Hold the file for this process alone; that ends with the process, however it ends.

    Raises CannotOpen when it is no file, and when another process has it.
    """
    try:
        path = _real(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_use(path, error) from None
    beside = _beside(path)
    made = False
    with suppress(OSError):  # SQLite will say it
        made = make_private(beside)
    try:
        holder = connect(beside, timeout=0)
    except sqlite3.Error as error:
        raise cannot_use(path, error) from None
    with closing(holder):
        try:
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")  # what is locked stays so after a transaction
            holder.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorname == "SQLITE_BUSY":
                raise CannotOpen(f"{path} is in use by another server") from None
            if error.sqlite_errorname in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
                raise CannotOpen(f"cannot use {path}: {beside} is damaged; remove that file") from None
            raise cannot_use(path, error) from None
        try:
            yield Hold(path, holder)
        except CannotOpen:
            if made:  # what is not ours is left as it was, and so is the place
                beside.unlink()
            raise


def is_open_to_others(path: Path) -> bool:
    """Whether other users of the machine can read the messages, or hold the lock."""
    reachable = path.parent.stat().st_mode & stat.S_IXOTH
    modes = path.stat().st_mode | _beside(path).stat().st_mode
    return bool(reachable and modes & stat.S_IRWXO)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + "-lock")


def _real(path: Path) -> Path:
    """Where the links lead. Raises CannotOpen for what is there but no file."""
    path = Path(os.path.realpath(path))
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        return path
    if kind != stat.S_IFREG:
        names = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
        raise CannotOpen(f"cannot use {path}: it is {names.get(kind, 'a device')}, not a file")
    return path
