"""The log in one SQLite file. A message is shown when its transaction is committed, not before.

- One thread writes, one reads, one checkpoints (WAL: they don't wait for each other); the event loop waits
  for none of them. A few messages it stores itself, while the writer has nothing to do and the disk is quick.
- What arrives in one tick of the loop is one transaction. Records of sessions go along with it.
- Tidying (word index, retention) happens on the writer's thread in small steps, when it is quiet.
"""

import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from core.facts import Entry, Said, Spoken
from core.log import LogError, Page, Place, Reader, Record
from core.names import Nick, RoomName
from storage import reading, schema, tidying
from storage.caution import Caution
from storage.errors import CannotOpen, log_error
from storage.rows import COLUMNS, Row, insertion, to_entry
from storage.worker import Worker

T = TypeVar("T")

logger = logging.getLogger("parlour.storage")

TIDY_EVERY: Final = 1.0
"""Seconds between two looks for work that nobody waits for."""

BUSY: Final = 2_000
"""Messages since the last look from which on tidying waits,"""

BACKLOG: Final = 50_000
"""unless so many are not in the word index yet."""

CHECKPOINT: Final = 1_000
"""Rows that were written since the last checkpoint, for another one. Each takes a page or two."""

LOG_MAX: Final = 4_000
"""Pages of the write-ahead log from which on messages wait for a checkpoint: else it could grow for ever."""

FEW: Final = 4
"""Messages, with records of sessions, that may be stored without changing the thread: that costs more than
storing them does."""

SLACK_MAX: Final = 10_000
"""Messages by which a room may be over its limit before it is trimmed."""

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
        self._flushes = durability != "normal"
        """The disk, at the end of each transaction."""
        self._history_per_room = history_per_room
        self._history_days = history_days
        self._records: dict[str, Record] = {}
        """Not written yet. Each transaction takes all of them along until one succeeds."""
        self._writing_soon = False
        self._fresh: Counter[RoomName] = Counter()
        """Messages in a room since it was trimmed."""
        self._recent = 0
        """Messages since the last look of the tidier."""
        self._rows = 0
        """Written so far, and committed."""
        self._merged = 0
        """As many when the last checkpoint was over."""
        self._caution = Caution()
        self._patient = True
        """The writer waits for other programs that write."""
        self._indexed = 0
        self._tidier: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ opening and closing

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            stack.enter_context(schema.lock(self._path))
            schema.prepare(self._path)
            try:
                self._writer = stack.enter_context(contextlib.closing(schema.connect(self._path)))
                self._writer.execute(f"PRAGMA synchronous = {self._durability}")
                self._writer.execute("PRAGMA wal_autocheckpoint = 0")  # messages would wait for it
                schema.try_writing(self._writer)  # a file that cannot be written is refused now
                self._cursor = self._writer.cursor()  # else each statement makes one
                self._reader = stack.enter_context(contextlib.closing(schema.connect(self._path)))
                self._reader.execute("PRAGMA query_only = 1")
                self._checkpointer = stack.enter_context(contextlib.closing(schema.connect(self._path)))
                self.epoch, self.last_id = self._read_state()
                self.topics = self._read_topics()
            except sqlite3.Error as error:
                raise CannotOpen(f"cannot use {self._path}: {error}") from None
            self._next_id = self.last_id + 1
            self._writing = stack.enter_context(Worker("log-writer"))
            self._reading = stack.enter_context(Worker("log-reader"))
            self._checkpointing = stack.enter_context(Worker("log-checkpoint"))
            self._stack = stack.pop_all()
        self._tidier = self._loop.create_task(self._tidy())
        return self

    def _read_state(self) -> tuple[str, int]:
        meta = dict(self._writer.execute("SELECT key, value FROM meta WHERE key != 'probe'").fetchall())
        (newest,) = self._writer.execute("SELECT max(id) FROM message").fetchone()
        self._indexed = int(meta["indexed"])
        # Every id that anybody may have seen is below: also those of messages that are no longer kept.
        (trimmed,) = self._writer.execute("SELECT max(upto) FROM trimmed").fetchone()
        return str(meta["epoch"]), max(newest or 0, trimmed or 0)

    def _read_topics(self) -> dict[RoomName, str]:
        rows = self._writer.execute("SELECT room, text FROM topic").fetchall()
        return {RoomName(room): str(text) for room, text in rows}

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tidier is not None:
            self._tidier.cancel()
            await asyncio.gather(self._tidier, *self._tasks, return_exceptions=True)
        try:
            with contextlib.suppress(LogError):  # nobody is left to tell; the messages themselves are safe
                await self._write_records()
        finally:
            await asyncio.to_thread(self._stack.close)

    # ------------------------------------------------------------------ writing

    async def check(self) -> None:
        await self._write(schema.try_storing, self._writer)

    async def append(self, batch: Sequence[Spoken]) -> Sequence[Entry]:
        entries = self.append_at_once(batch)
        if entries is None:
            records, checkpoints = tuple(self._records.values()), self._caution.checkpoints
            entries = await self._write(self._append, batch, records)
            self._caution.flushed(checkpoints)
            self._were_appended(batch, records)
        return entries

    def append_at_once(self, batch: Sequence[Spoken]) -> Sequence[Entry] | None:
        """On the event loop's thread, unless there are many, or a transaction may have to wait."""
        records = tuple(self._records.values()) if self._records else ()
        if len(batch) + len(records) > FEW:
            return None
        if self._flushes or self._writing.under_way or self._caution.needed:  # as far as is known
            return None
        if self._patient:
            self._wait_for_others(0)
        began, worked = time.perf_counter(), time.thread_time()
        try:
            entries = self._append(batch, records)
        except sqlite3.Error:  # on its thread the writer can wait, and say what is wrong
            return None
        finally:
            self._caution.waited(time.perf_counter() - began - (time.thread_time() - worked))
        self._rows += self._next_id - 1 - self.last_id + len(records)
        self._were_appended(batch, records)
        return entries

    def _were_appended(self, batch: Sequence[Spoken], records: Sequence[Record]) -> None:
        if records:
            self._were_written(records)
        self.last_id = self._next_id - 1
        self._recent += len(batch)
        for fact in batch:
            if isinstance(fact, Said):
                self._fresh[fact.room] += 1

    def _wait_for_others(self, seconds: float) -> None:
        """How long the writer waits while another program is writing."""
        self._patient = bool(seconds)
        self._writer.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")

    def _append(self, batch: Sequence[Spoken], records: Sequence[Record]) -> list[Entry]:
        """All of it in one transaction."""
        database, number, now = self._cursor, self._next_id, time.time_ns() // 1_000_000
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
        database = self._cursor
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement, some in rows.items():
                database.executemany(statement, some)
            database.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                database.execute("ROLLBACK")

    async def _write(self, work: Callable[..., T], *args: object) -> T:
        """Run it on the writer's thread. Raises LogError, and then nothing of it was stored."""
        if not self._patient:  # so nothing is under way there
            self._wait_for_others(schema.PATIENCE)
        return await self._writing.run(self._or_roll_back, work, *args)

    def _or_roll_back(self, work: Callable[..., T], *args: object) -> T:
        before = self._writer.total_changes
        try:
            result = work(*args)
        except sqlite3.Error as error:
            logger.error("cannot write %s: %s", self._path, error)
            raise log_error(error) from error
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        self._rows += self._writer.total_changes - before
        return result

    # ------------------------------------------------------------------ topics

    async def set_topic(self, room: RoomName, text: str) -> None:
        if text:
            await self._write(lambda: self._writer.execute(_SET_TOPIC, (room, text)))
            self.topics[room] = text
        else:
            await self._write(lambda: self._writer.execute(_CLEAR_TOPIC, (room,)))
            self.topics.pop(room, None)

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
        await self._write(self._append, (), records)
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
            while await self._index_some():
                pass
        return await self._read(
            lambda db: reading.search(db, reader, words, room=room, upto=upto, limit=limit)
        )

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._reading.run(work, self._reader)
        except sqlite3.Error as error:
            logger.error("cannot read %s: %s", self._path, error)
            raise LogError("storage-failed", "The log cannot be read; try again") from error

    # ------------------------------------------------------------------ tidying

    async def _index_some(self) -> bool:
        newest = self._next_id - 1
        more = await self._write(tidying.index_some, self._writer)
        if not more:
            self._indexed = newest
        return more

    async def _tidy(self) -> None:
        next_hour = 0.0
        all_rooms = bool(self._history_per_room)
        while True:
            await asyncio.sleep(TIDY_EVERY)
            if self._records:
                with contextlib.suppress(LogError):
                    await self._write_records()
            await self._checkpoint()
            recent, self._recent = self._recent, 0
            if recent > BUSY and self._next_id - self._indexed < BACKLOG:
                continue
            try:
                if all_rooms:  # once: the last run may have left them over the limit, or it was another one
                    for room in await self._read(reading.rooms):
                        self._fresh[room] = max(self._fresh[room], SLACK_MAX)
                    all_rooms = False
                await self._trim_rooms()  # first: what goes need not go through the index
                if self._indexed < self._next_id - 1:
                    while await self._index_some():
                        await self._checkpoint()
                if self._loop.time() >= next_hour:
                    next_hour = self._loop.time() + 3600
                    while self._history_days and await self._write(
                        tidying.trim_days, self._writer, self._history_days
                    ):
                        await self._checkpoint()
                    await self._write(tidying.forget_sessions, self._writer)
            except LogError:
                pass  # it was logged; there will be another turn

    async def _checkpoint(self) -> None:
        """Bring what the write-ahead log has gathered into the file, beside the writer.

        Never twice without a commit in between: a checkpoint that has nothing to do, while the log begins
        anew under it, may lose pages in SQLite before 3.51.3 (https://sqlite.org/wal.html, "WAL-reset bug").
        """
        if self._rows - self._merged < CHECKPOINT:
            return
        self._caution.checkpoints += 1
        try:
            pages = await self._checkpointing.run(tidying.checkpoint, self._checkpointer)
        except sqlite3.Error as error:
            logger.error("cannot checkpoint %s: %s", self._path, error)
        else:
            if pages > LOG_MAX:  # it begins anew only when nothing was written since its last page was taken
                with contextlib.suppress(LogError):  # it was logged
                    await self._write(tidying.checkpoint, self._writer)
        self._caution.checkpoints += 1
        self._merged = await self._write(lambda: self._rows)  # no commit is under way there

    async def _trim_rooms(self) -> None:
        keep = self._history_per_room
        if not keep:
            return
        slack = min(max(100, keep // 20), SLACK_MAX)  # trimming has its price: not for each message
        for room in [room for room, fresh in self._fresh.items() if fresh >= slack]:
            fresh = self._fresh.pop(room)  # what comes meanwhile counts for the next time
            try:
                while await self._write(tidying.trim_room, self._writer, room, keep):
                    await self._checkpoint()  # each step writes many pages
            except LogError:
                self._fresh[room] += fresh
                raise


def _record_row(record: Record) -> Row:
    rooms = json.dumps(record.rooms)
    return (record.id, record.token, record.nick, rooms, record.seen, record.time)
