"""The log in one SQLite file. A message is shown when its transaction is committed, not before.

- One thread writes, one reads, one searches (that may take long), one checkpoints (WAL: they don't wait for
  each other); the event loop waits for none of them. A few messages it stores itself, while the writer has
  nothing to do and the disk is quick.
- What arrives in one tick of the loop is one transaction. Records of sessions go along with it.
- Tidying (word index, retention) happens on the writer's thread in small steps, when it is quiet.
"""

import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from core.facts import Entry, Spoken
from core.log import LogError, Page, Place, Reader, Record
from core.names import Nick, RoomName
from storage import reading, schema, tidying
from storage.checkpoints import Checkpoints
from storage.errors import cannot_use
from storage.health import Health
from storage.holding import Watch, hold
from storage.ids import Ids
from storage.lookout import Lookout
from storage.rows import COLUMNS, Row, insertion, to_entry
from storage.searching import Searcher, searchable
from storage.tidier import Tidier
from storage.worker import Worker
from storage.writer import Writer

T = TypeVar("T")

logger = logging.getLogger("parlour.storage")

TIDY_EVERY: Final = 1.0
"""Seconds between two looks for work that nobody waits for."""

TIDY_AGAIN: Final = 60.0
"""Seconds until the next look after one that has failed for a reason that nobody thought of."""

FEW: Final = 4
"""Messages, with records of sessions, that may be stored without changing the thread: that costs more than
storing them does."""

_BY_REF: Final = f"SELECT {COLUMNS} FROM message WHERE author = ? AND ref = ?"
_REMEMBER: Final = "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?)"
_SET_TOPIC: Final = "INSERT OR REPLACE INTO topic VALUES (?, ?)"
_CLEAR_TOPIC: Final = "DELETE FROM topic WHERE room = ?"
_RECALL: Final = "SELECT id, token, nick, rooms, seen, time FROM session WHERE token = ?"


class SqliteLog:
    """`core.log.Log` in a file.

    `durability` "normal" survives the end of the process, "full" the end of the power, at the price of
    a disk flush for each transaction. 0 turns a retention limit off. Entering raises CannotOpen.
    """

    def __init__(
        self,
        path: Path,
        *,
        durability: str = "normal",
        history_per_room: int = 10_000,
        history_days: float = 0,
    ) -> None:
        self._path = path
        self._durability = durability
        self._history_per_room = history_per_room
        self._history_days = history_days
        self._records: dict[str, Record] = {}
        """Not written yet. Each transaction takes all of them along until one succeeds."""
        self._writing_soon = False
        self._lookout: Lookout | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ opening and closing

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            held = stack.enter_context(hold(self._path))
            self._path = held.path
            when_all_is_closed = stack.enter_context(contextlib.ExitStack())
            schema.prepare(self._path)
            try:
                database = stack.enter_context(contextlib.closing(schema.connect(self._path)))
                schema.bring_forward(self._path, database)
                schema.try_writing(database)  # a file that cannot be written is refused now
                self._ids = ids = Ids(held, database)
                self.epoch, self.last_id, self._next_id = ids.epoch, ids.newest, ids.base + 1
                when_all_is_closed.callback(self._mark_the_end)
                indexed = tidying.indexed(database)
                database.execute(f"PRAGMA synchronous = {self._durability}")
                database.execute("PRAGMA wal_autocheckpoint = 0")  # messages would wait for it
                self._reader = stack.enter_context(schema.only_reading(self._path))
                searching = stack.enter_context(searchable(self._path))
                checkpointer = stack.enter_context(contextlib.closing(schema.connect(self._path)))
                self.topics = _topics(database)
                files = Watch(self._path)
            except (OSError, sqlite3.Error) as error:
                raise cannot_use(self._path, error) from None
            self._writing = stack.enter_context(Worker("log-writer"))
            self._reading = stack.enter_context(Worker("log-reader", interrupt=self._reader.interrupt))
            self._searching = stack.enter_context(Worker("log-searcher", interrupt=searching.interrupt))
            self._checkpointing = stack.enter_context(Worker("log-checkpoint"))
            self._stack = stack.pop_all()
        self._writer = Writer(self._path, database, self._writing, flushes=self._durability != "normal")
        self._health = Health(self._writer)
        self._searcher = Searcher(searching, self._searching)
        self._checkpoints = Checkpoints(self._writer, checkpointer, self._checkpointing)
        self._tidier = Tidier(
            self._writer,
            self._checkpoints,
            newest=lambda: self.last_id,
            indexed=indexed,
            all_rooms=lambda: self._read(reading.rooms),
            history_per_room=self._history_per_room,
            history_days=self._history_days,
        )
        self._tidying = self._loop.create_task(self._tidy())
        self._lookout = Lookout(
            self._path,
            files,
            self._writer,
            self._checkpointing,
            ours=lambda: ids.are_ours(checkpointer),
        )
        self._watching = self._loop.create_task(self._lookout.keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (self._tidying, self._watching):
            task.cancel()
        await asyncio.gather(self._tidying, self._watching, *self._tasks, return_exceptions=True)
        await self._health.end()
        try:
            with contextlib.suppress(LogError):  # nobody is left to tell; the messages themselves are safe
                await self._write_records()
        finally:
            await asyncio.to_thread(self._stack.close)

    def _mark_the_end(self) -> None:
        if not (self._lookout and self._lookout.was_lost):
            try:
                self._ids.end(self._next_id - 1)
            except sqlite3.Error as error:  # then the next start leaves ids out
                logger.warning("cannot note the end beside %s: %s", self._path, error)

    @property
    def busy(self) -> bool:
        return bool(self._writing.under_way or self._reading.under_way or self._searching.under_way)

    # ------------------------------------------------------------------ writing

    async def check(self) -> None:
        await self._health.check()

    async def append(self, batch: Sequence[Spoken]) -> Sequence[Entry]:
        entries = self.append_at_once(batch)
        if entries is None:
            records = tuple(self._records.values())
            entries = await self._writer.run(self._append, batch, records)
            self._were_appended(batch, records)
        return entries

    def append_at_once(self, batch: Sequence[Spoken]) -> Sequence[Entry] | None:
        """On the event loop's thread, unless there are many, or a transaction may have to wait."""
        records = tuple(self._records.values()) if self._records else ()
        if len(batch) + len(records) > FEW:
            return None
        before = self._next_id
        entries = self._writer.at_once(self._append, batch, records)
        if entries is not None:
            self._writer.rows += self._next_id - before + len(records)
            self._were_appended(batch, records)
        return entries

    def _were_appended(self, batch: Sequence[Spoken], records: Sequence[Record]) -> None:
        if records:
            self._were_written(records)
        self.last_id = self._next_id - 1
        self._tidier.appended(batch)

    def _append(self, batch: Sequence[Spoken], records: Sequence[Record]) -> list[Entry]:
        """All of it in one transaction."""
        database, number, now = self._writer.cursor, self._next_id, time.time_ns() // 1_000_000
        entries: list[Entry] = []
        insertions: list[tuple[str, Row]] = []
        refs: dict[tuple[str, str], Entry] = {}
        for fact in batch:
            if fact.ref is not None:
                known = refs.get((fact.author, fact.ref))
                if known is None:
                    found = database.execute(_BY_REF, (fact.author, fact.ref)).fetchone()
                    known = to_entry(found) if found else None
                if known is not None:
                    entries.append(known)
                    continue
            entry = Entry(number, now, fact)
            entries.append(entry)
            insertions.append(insertion(number, now, fact))
            if fact.ref is not None:
                refs[fact.author, fact.ref] = entry
            number += 1
        if len(insertions) == 1 and not records:
            database.execute(*insertions[0])  # that is a transaction already
        elif insertions or records:
            self._store(insertions, records)
        self._next_id = number
        return entries

    def _store(self, insertions: Sequence[tuple[str, Row]], records: Sequence[Record]) -> None:
        """All of it or nothing. One statement with many rows takes less than many with one."""
        rows: dict[str, list[Row]] = {}
        for statement, row in insertions:
            rows.setdefault(statement, []).append(row)
        if records:
            rows[_REMEMBER] = [_record_row(record) for record in records]
        database = self._writer.cursor
        database.execute("BEGIN IMMEDIATE")
        for statement, some in rows.items():
            database.executemany(statement, some)
        database.execute("COMMIT")

    # ------------------------------------------------------------------ topics

    async def set_topic(self, room: RoomName, text: str) -> None:
        change = (_SET_TOPIC, (room, text)) if text else (_CLEAR_TOPIC, (room,))
        await self._writer.run(self._writer.connection.execute, *change)
        self.topics.pop(room, None)
        if text:
            self.topics[room] = text  # the latest last

    # ------------------------------------------------------------------ sessions

    def remember(self, record: Record) -> None:
        self._records[record.id] = record
        if not self._writing_soon:
            self._writing_soon = True
            self._loop.call_soon(self._start_writing)

    def _start_writing(self) -> None:
        task = self._loop.create_task(self._write_soon())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_soon(self) -> None:
        """One transaction after the other: what comes meanwhile goes together into the next."""
        try:
            while self._records:  # else a message has taken them along
                await self._write_records()
        except LogError:
            pass  # it was logged; they stay, and the tidier tries again
        finally:
            self._writing_soon = False

    async def _write_records(self) -> None:
        records = tuple(self._records.values())
        await self._writer.run(self._append, (), records)
        self._were_written(records)

    def _were_written(self, records: Sequence[Record]) -> None:
        for record in records:
            if self._records.get(record.id) is record:
                del self._records[record.id]

    async def recall(self, token: bytes) -> Record | None:
        for record in self._records.values():
            if record.token == token:
                return record
        row = await self._read(lambda db: db.execute(_RECALL, (token,)).fetchone())
        if row is None:
            return None
        newer = self._records.get(row[0])  # it may have come while the file was read
        if newer is not None:
            return newer if newer.token == token else None
        session, _, nick, rooms, seen, at = row
        entered = {RoomName(room): int(last_id) for room, last_id in json.loads(rooms).items()}
        return Record(session, token, Nick(nick), entered, seen, at)

    # ------------------------------------------------------------------ reading

    async def find(self, author: str, ref: str) -> Entry | None:
        row = await self._read(lambda db: db.execute(_BY_REF, (author, ref)).fetchone())
        return to_entry(row) if row else None

    async def history(self, place: Place, *, before: int | None, limit: int) -> Page:
        return await self._read(lambda db: reading.history(db, place, before=before, limit=limit))

    async def since(self, reader: Reader, *, after: int, upto: int, limit: int) -> Sequence[Entry] | None:
        return await self._read(lambda db: reading.since(db, reader, after=after, upto=upto, limit=limit))

    async def search(
        self, reader: Reader, words: str, *, room: RoomName | None, upto: int, limit: int
    ) -> Sequence[Entry]:
        with contextlib.suppress(LogError):  # what is not indexed yet is not found; the rest is
            while await self._tidier.index_some():
                pass
        return await self._told(self._searcher.search(reader, words, room, upto, limit))

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._told(self._reading.run(work, self._reader))

    async def _told(self, result: Awaitable[T]) -> T:
        try:
            return await result
        except sqlite3.Error as error:
            logger.error("cannot read %s: %s", self._path, error)
            raise LogError("storage-failed", "The log cannot be read; try again") from error

    # ------------------------------------------------------------------ tidying

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_EVERY)
            if self._writer.lost:
                continue
            try:
                await self._tidy_once()
            except Exception:  # without it the file would grow and nothing said would be found
                logger.exception("%s cannot be tidied, which is tried again in a while", self._path)
                await asyncio.sleep(TIDY_AGAIN)

    async def _tidy_once(self) -> None:
        last_id = self._next_id - 1
        if self._ids.running_out(last_id):  # first: whatever is wrong with the rest, no id passes the mark
            try:
                await self._checkpointing.run(self._ids.mark_on, last_id)
            except sqlite3.Error as error:
                logger.error("cannot write beside %s: %s", self._path, error)
        with contextlib.suppress(LogError):  # it was logged; there will be another turn
            if self._records:
                await self._write_records()
        with contextlib.suppress(LogError):
            await self._tidier.look()


def _topics(database: sqlite3.Connection) -> dict[RoomName, str]:
    rows = database.execute("SELECT room, text FROM topic").fetchall()
    return {RoomName(room): str(text) for room, text in rows}


def _record_row(record: Record) -> Row:
    rooms = json.dumps(record.rooms)
    return (record.id, record.token, record.nick, rooms, record.seen, record.time)
