"""A few messages are stored on the event loop's own thread, where that does not mean to wait."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.facts import Said
from core.log import InRoom, LogError, Record
from core.names import Nick, RoomName
from storage import caution, checkpoints, schema
from storage.ids import GAP
from storage.sqlite import FEW, SqliteLog
from tests.clients import DEADLINE, within
from tests.storage.conftest import busy


def said(text: str = "hello") -> Said:
    return Said(RoomName("#general"), Nick("Ann"), text, "0" * 16)


class Watched:
    """A log, and on which threads its writer works."""

    def __init__(self, log: SqliteLog) -> None:
        self.log = log
        self._threads: set[int] = set()
        log._writer.connection.set_trace_callback(self._trace)

    def _trace(self, statement: str) -> None:
        if statement.startswith("INSERT INTO message"):
            self._threads.add(threading.get_ident())

    async def stores_at_once(self, messages: int = 1, text: str = "hello") -> bool:
        self._threads.clear()
        assert len(await self.log.append([said(text) for _ in range(messages)])) == messages
        (thread,) = self._threads
        return thread == threading.get_ident()


@pytest.fixture
async def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(caution, "SLOW", DEADLINE)  # the machine of the tests may be slow
    async with SqliteLog(tmp_path / "chat.db") as log:
        await log.append([said()])  # nothing is known of the disk before
        yield Watched(log)


async def test_few_messages_do_not_change_the_thread(watched: Watched) -> None:
    assert await watched.stores_at_once(1)
    assert await watched.stores_at_once(FEW)


async def test_many_messages_do(watched: Watched) -> None:
    assert not await watched.stores_at_once(FEW + 1)


async def test_what_is_stored_at_once_takes_no_turn_of_the_loop(watched: Watched) -> None:
    """It is called, not awaited."""
    newest = watched.log.last_id
    entries = watched.log.append_at_once([said("one"), said("two")])
    assert entries is not None
    assert [entry.id for entry in entries] == [newest + 1, newest + 2] == [newest + 1, watched.log.last_id]
    page = await watched.log.history(InRoom(RoomName("#general")), before=None, limit=2)
    assert list(page.entries) == list(entries)


async def test_what_is_stored_at_once_counts_for_the_next_checkpoint(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row that was written, and nothing else: one with nothing to do is dangerous."""
    log = watched.log
    rows = log._writer.rows
    done = log._checkpoints._rows
    assert done is not None
    again = [Said(RoomName("#general"), Nick("Ann"), "again", "0" * 16, ref) for ref in ("a", "b")]
    for _ in range(3):
        assert log.append_at_once([said("new"), *again]) is not None
    log._records["0" * 16] = Record("0" * 16, b"0" * 32, Nick("Ann"), {}, 0, 1_000)
    assert log.append_at_once([said("and a record")]) is not None
    written = 3 + len(again) + 2
    assert log._writer.rows == rows + written
    monkeypatch.setattr(checkpoints, "CHECKPOINT", log._writer.rows - done)
    await log._checkpoints.make()
    assert log._checkpoints._rows == rows + written


async def test_ids_that_were_left_out_are_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caution, "SLOW", DEADLINE)
    path = tmp_path / "chat.db"
    async with SqliteLog(path):
        pass
    path.with_name("chat.db-lock").unlink()
    async with SqliteLog(path) as log:
        log.remember(Record("0" * 16, b"0" * 32, Nick("Ann"), {}, 0, 1_000))
        await asyncio.sleep(0)
        await asyncio.gather(*log._tasks)
        rows = log._writer.rows
        (entry,) = log.append_at_once([said()]) or ()
        assert entry.id > GAP
        assert log._writer.rows == rows + 1


async def test_what_cannot_be_stored_at_once_is_not_stored(watched: Watched) -> None:
    newest = watched.log.last_id
    assert watched.log.append_at_once([said()] * (FEW + 1)) is None
    assert watched.log.last_id == newest
    (entry,) = await watched.log.append([said("next")])
    assert entry.id == newest + 1


async def _nothing_bad_can_be_stored(log: SqliteLog) -> None:
    await log._writer.run(
        log._writer.connection.execute,
        "CREATE TEMP TRIGGER fails BEFORE INSERT ON main.message WHEN new.text = 'bad' "
        "BEGIN SELECT RAISE(ABORT, 'bad'); END",
    )


async def test_of_what_fails_at_once_nothing_is_stored_and_nothing_is_left_open(watched: Watched) -> None:
    log = watched.log
    await _nothing_bad_can_be_stored(log)
    assert await watched.stores_at_once()
    newest = log.last_id
    for batch in ([said("good"), said("bad")], [said("bad")]):
        assert log.append_at_once(batch) is None
        assert not log._writer.connection.in_transaction
        with pytest.raises(LogError):
            await log.append(batch)
    (entry,) = await log.append([said("next")])
    assert entry.id == newest + 1
    page = await log.history(InRoom(RoomName("#general")), before=None, limit=50)
    assert {told.fact for told in page.entries} == {said(), said("next")}


async def test_what_cannot_even_be_rolled_back_takes_nothing_with_it(watched: Watched) -> None:
    log, writer = watched.log, watched.log._writer.connection
    await _nothing_bad_can_be_stored(log)
    assert await watched.stores_at_once()
    statement = (sqlite3.SQLITE_TRANSACTION, "ROLLBACK")
    writer.set_authorizer(lambda *asked: sqlite3.SQLITE_DENY if asked[:2] == statement else sqlite3.SQLITE_OK)
    assert log.append_at_once([said("bad"), said("good")]) is None
    assert writer.in_transaction
    assert log.append_at_once([said("lost")]) is None
    with pytest.raises(LogError):
        await log.append([said("lost")])
    writer.set_authorizer(None)
    await log.append([said("next")])
    page = await log.history(InRoom(RoomName("#general")), before=None, limit=50)
    assert {told.fact for told in page.entries} == {said(), said("next")}
    assert await watched.stores_at_once()


async def test_not_even_a_bug_leaves_a_transaction_open(watched: Watched) -> None:
    no_utf8 = "\ud800"  # nothing with that in it comes this far
    assert await watched.stores_at_once()
    with pytest.raises(UnicodeEncodeError):
        watched.log.append_at_once([said("good"), said(no_utf8)])
    assert not watched.log._writer.connection.in_transaction
    assert await watched.stores_at_once()
    page = await watched.log.history(InRoom(RoomName("#general")), before=None, limit=50)
    assert {told.fact for told in page.entries} == {said()}


async def test_where_each_transaction_is_flushed_none_is_waited_for(tmp_path: Path) -> None:
    async with SqliteLog(tmp_path / "chat.db", durability="full") as log:
        watched = Watched(log)
        for _ in range(3):
            assert not await watched.stores_at_once()
        assert log._lookout is not None
        await log._lookout.look()  # all is well
        assert log.append_at_once([said()]) is None


async def test_what_the_writer_does_is_not_waited_for(watched: Watched) -> None:
    async with busy(watched.log._writer._worker):
        storing = asyncio.create_task(watched.stores_at_once())
        await asyncio.sleep(0)
    assert not await storing
    assert await watched.stores_at_once()


async def test_the_first_transaction_after_a_checkpoint_is_not_waited_for(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is flushed where the write-ahead log begins anew."""
    monkeypatch.setattr(checkpoints, "CHECKPOINT", 1)
    await watched.log._checkpoints.make()
    assert not await watched.stores_at_once()
    assert await watched.stores_at_once()


async def test_nothing_is_waited_for_while_a_checkpoint_is_under_way(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT", 1)
    async with busy(watched.log._checkpoints._worker):
        checkpoint = asyncio.create_task(watched.log._checkpoints.make())
        await asyncio.sleep(0)
        assert not await watched.stores_at_once()
        assert not await watched.stores_at_once()
    await checkpoint
    assert not await watched.stores_at_once(), "the first after it"


async def test_a_transaction_from_before_a_checkpoint_is_not_the_first_after_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT", 1)
    async with busy(watched.log._writer._worker):
        storing = asyncio.create_task(watched.stores_at_once())
        await asyncio.sleep(0)
        checkpoint = asyncio.create_task(watched.log._checkpoints.make())
        async with within(DEADLINE):
            while watched.log._writer.caution.checkpoints < 2:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
    assert not await storing
    await checkpoint
    assert not await watched.stores_at_once()
    assert await watched.stores_at_once()


async def _make_slow(watched: Watched, when: str = "", then: str = "") -> None:
    writer = watched.log._writer.connection
    writer.create_function("disk", 0, lambda: time.sleep(0.05))
    await watched.log._writer.run(
        writer.execute,
        f"CREATE TEMP TRIGGER slow AFTER INSERT ON main.message {when} BEGIN SELECT disk(); {then} END",
    )


async def test_a_slow_disk_is_waited_for_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caution, "SLOW", 0.02)
    monkeypatch.setattr(caution, "CAUTION", 20)
    monkeypatch.setattr(caution, "CREDIT", 0)
    await _make_slow(watched)
    assert await watched.stores_at_once(), "who could have known"
    assert not await watched.stores_at_once()
    await watched.log._writer.run(watched.log._writer.connection.execute, "DROP TRIGGER slow")
    async with within(DEADLINE):
        while not await watched.stores_at_once():
            pass


async def test_a_disk_may_be_slow_now_and_then(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caution, "SLOW", 0.02)
    monkeypatch.setattr(caution, "CREDIT", 4 * DEADLINE * caution.CAUTION)
    await _make_slow(watched)
    assert await watched.stores_at_once()
    assert await watched.stores_at_once()
    monkeypatch.setattr(caution, "CREDIT", 1.5 * 0.05 * caution.CAUTION)
    assert not await watched.stores_at_once(), "what it owes for both is more than that"


async def test_a_disk_that_is_slow_and_then_fails_was_slow(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caution, "SLOW", 0.02)
    monkeypatch.setattr(caution, "CREDIT", 0)
    await _make_slow(watched, "WHEN new.text = 'bad'", "SELECT RAISE(ABORT, 'disk I/O error');")
    assert await watched.stores_at_once()
    assert watched.log.append_at_once([said("bad")]) is None
    assert not await watched.stores_at_once()


def test_a_disk_that_stalls_gets_a_two_hundredth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, stalls = 1000.0, []
    monkeypatch.setattr(caution, "time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr(caution, "waits", lambda: 1)
    disk = caution.Caution()
    disk.flushed(0)
    while now < 2000:
        if disk.needed:
            now += 0.01
        else:
            stalls.append(now)
            now += 0.002
            disk.took(0.002, before=0)
    assert stalls[2] < 1000.01, "5 ms are nothing"
    assert 4.9 < len(stalls) * 0.002 < 5 + 0.005 + 0.002


@contextmanager
def sharing_a_core() -> Iterator[None]:
    """This thread has to share its core with a program that wants all of it."""
    before = os.sched_getaffinity(0)
    core = {min(before)}
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as program:
        try:
            os.sched_setaffinity(program.pid, core)
            os.sched_setaffinity(0, core)
            yield
        finally:
            os.sched_setaffinity(0, before)
            program.kill()


async def test_a_busy_core_is_no_slow_disk(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caution, "SLOW", 0.001)
    monkeypatch.setattr(caution, "CAUTION", 10)
    monkeypatch.setattr(caution, "CREDIT", 0)

    def works_until_it_has_lost_the_core() -> None:
        end = time.perf_counter() + DEADLINE
        lost = time.perf_counter() - time.thread_time() + 0.01
        while time.perf_counter() - time.thread_time() < lost:
            assert time.perf_counter() < end

    async def keeps_storing_at_once() -> bool:
        async with within(DEADLINE):
            while watched.log._writer.caution.needed:  # noqa: ASYNC110 - the time before, the disk was slow
                await asyncio.sleep(0.01)
        with sharing_a_core():
            return await watched.stores_at_once(text="busy") and await watched.stores_at_once()

    writer = watched.log._writer.connection
    writer.create_function("core", 0, works_until_it_has_lost_the_core)
    await watched.log._writer.run(
        writer.execute,
        "CREATE TEMP TRIGGER busy AFTER INSERT ON main.message WHEN new.text = 'busy' "
        "BEGIN SELECT core(); END",
    )
    tries = [await keeps_storing_at_once() for _ in range(10)]
    assert any(tries), "the disk of the tests may be slow once, but not each time"


async def test_another_program_that_writes_is_not_waited_for(watched: Watched, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    with sqlite3.connect(tmp_path / "chat.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        began = loop.time()
        storing = asyncio.create_task(watched.log.append([said("after it")]))
        await asyncio.sleep(0)
        assert not storing.done()
        assert loop.time() - began < schema.PATIENCE / 2, "it was waited for, in vain"
        other.execute("COMMIT")
        async with within(DEADLINE):
            (entry,) = await storing
    assert entry.fact == said("after it")
    assert await watched.stores_at_once()


async def test_the_writers_thread_waits_for_other_programs(watched: Watched) -> None:
    assert await watched.stores_at_once()
    patience = await watched.log._writer.run(
        lambda: watched.log._writer.connection.execute("PRAGMA busy_timeout").fetchone()[0]
    )
    assert patience == schema.PATIENCE * 1000
