"""The file of the SQLite log: made, recognised, brought forward. Nothing here is altered unasked."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from storage.errors import CannotOpen, cannot_use

APPLICATION_ID: Final = 0x5061724C
"""`ParL`, at offset 68 of the file (https://www.sqlite.org/fileformat.html)."""

TOKENIZE: Final = "unicode61 remove_diacritics 2"
"""How the word index takes words apart; it stands in the first script."""

MIGRATIONS: Final = (
    # 1: messages, the words in them, what is no longer kept, sessions. `id` is ours: it only rises.
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    INSERT INTO meta VALUES ('epoch', lower(hex(randomblob(8)))), ('indexed', 0), ('last_id', 0);
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        room TEXT,
        nick TEXT NOT NULL,
        text TEXT NOT NULL,
        author TEXT NOT NULL,
        recipient TEXT,
        reader TEXT,
        ref TEXT
    );
    CREATE INDEX message_by_room ON message (room, id) WHERE room IS NOT NULL;
    CREATE INDEX message_to_all ON message (id) WHERE kind = 1;
    CREATE INDEX message_sent ON message (author, lower(recipient), id) WHERE kind = 2;
    CREATE INDEX message_received ON message (reader, lower(nick), id) WHERE kind = 2;
    CREATE INDEX message_for_reader ON message (reader, id) WHERE kind = 2;
    CREATE UNIQUE INDEX message_by_ref ON message (author, ref) WHERE ref IS NOT NULL;
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = 'message', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
    );
    CREATE TABLE trimmed (room TEXT PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE session (
        id TEXT PRIMARY KEY,
        token BLOB NOT NULL UNIQUE,
        nick TEXT NOT NULL,
        rooms TEXT NOT NULL,
        seen INTEGER NOT NULL,
        time INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX session_by_time ON session (time);
    """,
    # 2: what the rooms are about.
    """
    CREATE TABLE topic (room TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
    """,
    # 3: direct messages by the people behind the names.
    """
    CREATE INDEX message_between ON message (author, reader, id) WHERE kind = 2;
    """,
)
"""One script for each step from `user_version` n to n + 1. Add to the end, never change one."""


PATIENCE: Final = 5.0
"""Seconds to wait for a lock that another program has."""


def connect(path: Path, *, timeout: float = PATIENCE) -> sqlite3.Connection:
    """A connection in autocommit mode, for one thread at a time. `timeout`: seconds to wait for a lock."""
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)


@contextmanager
def only_reading(path: Path, first: str = "") -> Iterator[sqlite3.Connection]:
    """A connection of its own; `first` is carried out while it may still write."""
    with closing(connect(path)) as database:
        database.execute(first)
        database.execute("PRAGMA query_only = 1")
        database.execute("SELECT key FROM meta").fetchone()  # it is opened now, not where it may be later
        yield database


def prepare(path: Path) -> None:
    """Make the file if there is none; refuse one that is not ours.

    Raises CannotOpen, and then nothing was changed.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            _make(path)
        _check(path)
    except OSError as error:
        raise CannotOpen(f"cannot use {path}: {error.strerror}") from None
    except sqlite3.Error as error:
        raise cannot_use(path, error) from None


def bring_forward(path: Path, database: sqlite3.Connection) -> None:
    """Migrate a file that is older. Raises sqlite3.Error, and CannotOpen for a newer one."""
    # What the header says may be older: the last commits are in `-wal` until they are checkpointed.
    (version,) = database.execute("PRAGMA user_version").fetchone()
    _refuse_newer(path, version)
    _migrate(database, version)


def try_writing(database: sqlite3.Connection) -> None:
    """Commit a transaction that changes nothing. Raises sqlite3.Error where nothing can be written."""
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE meta SET value = value WHERE key = 'epoch'")
    database.execute("COMMIT")


PROBE_PAGES: Final = 16


def try_storing(database: sqlite3.Connection) -> None:
    """The same with room for a few messages: more pages than one of them and its indexes take."""
    database.execute("BEGIN IMMEDIATE")
    size = PROBE_PAGES * 4096
    database.execute("INSERT OR REPLACE INTO meta VALUES ('probe', zeroblob(?))", (size,))
    database.execute("COMMIT")


def make_private(path: Path) -> bool:
    """An empty file for its owner alone, if there is none; whether that was so. Raises OSError."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:  # not to be opened: to close it would end the locks that this process has on it
        return False
    return True


def _make(path: Path) -> None:
    """In another place first, so that the file is there whole or not at all."""
    new = path.with_name(path.name + "-new")
    new.unlink(missing_ok=True)
    make_private(new)  # what SQLite puts beside it later has its mode
    if path.exists():
        shutil.copymode(path, new)
    with closing(connect(new)) as database:
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _migrate(database, 0)
        database.execute("PRAGMA journal_mode = WAL")
    # What a killed server left beside a file that was deleted must not get into this one. Before it is there:
    # after a crash in between there is still no file, and the next start comes here again.
    for part in ("-wal", "-shm"):
        path.with_name(path.name + part).unlink(missing_ok=True)
    os.replace(new, path)  # noqa: PTH105 - Path.replace is the same; this one says that it is atomic


def _check(path: Path) -> None:
    """Refuse what the header tells of, without opening the database."""
    with path.open("rb") as file:
        header = file.read(100)
    application = int.from_bytes(header[68:72], "big")
    if not header.startswith(b"SQLite format 3\0") or application != APPLICATION_ID:
        raise CannotOpen(f"{path} is not a Parlour message log, or it is damaged; it was left as it is")
    if not path.with_name(path.name + "-wal").exists():  # else the rest may be there
        page = int.from_bytes(header[16:18], "big")
        page = 65_536 if page == 1 else page
        if path.stat().st_size < page * int.from_bytes(header[28:32], "big"):
            raise CannotOpen(f"{path} is damaged: its end is missing; it was left as it is")
    _refuse_newer(path, int.from_bytes(header[60:64], "big"))


def _refuse_newer(path: Path, version: int) -> None:
    if version > len(MIGRATIONS):
        raise CannotOpen(
            f"{path} was made by a newer Parlour (schema {version}, this one knows {len(MIGRATIONS)});"
            " it was left as it is: run that version, or put back the copy that was made before the upgrade"
        )


def _migrate(database: sqlite3.Connection, version: int) -> None:
    """Each step whole or not at all."""
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        database.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT")
