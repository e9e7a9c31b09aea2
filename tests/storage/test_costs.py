"""What storing costs, in what does not depend on the clock: statements and transactions."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.facts import Said
from core.log import InRoom, LogError, Reader, Record
from core.names import Nick, RoomName
from storage import caution, checkpoints, schema, sqlite
from storage.sqlite import SqliteLog
from tests.clients import DEADLINE, within
from tests.storage.conftest import busy

GENERAL = RoomName("#general")


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine of the tests is, what may be stored at once is."""
    monkeypatch.setattr(caution, "SLOW", DEADLINE)


def said(number: int, ref: str | None = None) -> Said:
    return Said(GENERAL, Nick("Ann"), f"number {number}", "0" * 16, ref)


def statements(log: SqliteLog) -> list[str]:
    """Every statement of the writer from now on, by its first word."""
    words: list[str] = []
    log._writer.connection.set_trace_callback(lambda statement: words.append(statement.partition(" ")[0]))
    return words


@pytest.mark.parametrize("messages", [2, 10, 100])
async def test_a_batch_is_one_transaction_of_a_statement_for_each_message(
    tmp_path: Path, messages: int
) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log:
        words = statements(log)
        await log.append([said(n) for n in range(messages)])
        assert words == ["BEGIN", *["INSERT"] * messages, "COMMIT"]


async def test_a_lone_message_is_one_statement(tmp_path: Path) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log:
        words = statements(log)
        await log.append([said(1)])  # nothing is known of the disk: the thread stores it
        assert words == ["INSERT"]
        await log.append([said(2)])
        del words[:]
        await log.append([said(3)])
        assert words == ["INSERT"]


async def test_a_record_goes_along_with_a_lone_message(tmp_path: Path) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log:
        await log.append([said(0)])
        await log.append([said(1)])
        words = statements(log)
        log.remember(Record("0" * 16, b"0" * 32, Nick("Ann"), {GENERAL: 0}, 0, 1_000))
        await log.append([said(2)])
        assert words == ["BEGIN", "INSERT", "INSERT", "COMMIT"]
        del words[:]
        await log.append([said(3)])
        assert words == ["INSERT"], "it went along once"


async def test_a_log_says_when_a_thread_of_it_is_at_work(tmp_path: Path) -> None:
    """Meanwhile the chat writes to readers in another way."""
    async with SqliteLog(tmp_path / "chat.db") as log:
        for worker in (log._reading, log._searching, log._writer._worker):
            assert not log.busy
            async with busy(worker):
                assert log.busy
        assert not log.busy


async def test_nothing_else_waits_for_a_search(tmp_path: Path) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log, within(DEADLINE):
        await log.append([said(1)])
        async with busy(log._searching):
            search = asyncio.create_task(
                log.search(Reader("x", {GENERAL: 0}), "1", room=None, upto=1, limit=1)
            )
            page = await log.history(InRoom(GENERAL), before=None, limit=1)
            assert len(page.entries) == 1
            assert not search.done()
        assert list(await search) == list(page.entries)


async def test_a_ref_costs_one_look_up(tmp_path: Path) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log:
        words = statements(log)
        messages = [said(n, ref=str(n)) for n in range(10)]
        await log.append(messages)
        assert words == [*["SELECT"] * 10, "BEGIN", *["INSERT"] * 10, "COMMIT"]
        del words[:]
        await log.append(messages)
        assert words == ["SELECT"] * 10, "they are there already"


async def test_a_rush_of_logins_writes_each_record_once(tmp_path: Path) -> None:
    """While the writer is busy they gather; one transaction for each tick would write most of them anew."""
    async with SqliteLog(tmp_path / "chat.db") as log:
        words = statements(log)
        async with busy(log._writer._worker):
            for n in range(200):
                log.remember(Record(f"{n:016}", b"%032d" % n, Nick(f"P{n}"), {GENERAL: 0}, 0, 1_000))
                await asyncio.sleep(0)
        async with within(DEADLINE):
            while log._records:  # noqa: ASYNC110 - nothing tells when a record is written
                await asyncio.sleep(0)
        assert words.count("INSERT") <= 201
        assert words.count("COMMIT") <= 2


async def _many(log: SqliteLog, batches: int) -> None:
    for n in range(batches):
        await log.append([said(n)])
        await asyncio.sleep(0)  # as the recorder does: storing alone need not let anything else happen


async def test_messages_do_not_wait_for_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TIDY_EVERY", 0.01)
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        said_to_writer: list[str] = []
        log._writer.connection.set_trace_callback(said_to_writer.append)
        size = path.stat().st_size
        async with within(DEADLINE):
            while path.stat().st_size == size:
                await _many(log, 100)
        assert not any("wal_checkpoint" in statement for statement in said_to_writer)


async def test_what_is_written_ahead_does_not_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while somebody always speaks, so that no checkpoint comes to the last page."""
    monkeypatch.setattr(checkpoints, "CHECKPOINT", 100)
    monkeypatch.setattr(checkpoints, "LOG_MAX", 200)
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        with closing(schema.connect(path)) as other:
            checkpoint = checkpoints._checkpoint

            def unless_the_writer_does_it_others_hinder_it(database: sqlite3.Connection) -> int:
                if database is log._writer.connection:
                    other.execute("COMMIT")
                return checkpoint(database)

            monkeypatch.setattr(checkpoints, "_checkpoint", unless_the_writer_does_it_others_hinder_it)
            for _ in range(50):
                if not other.in_transaction:
                    other.execute("BEGIN")
                    other.execute("SELECT value FROM meta").fetchone()
                await _many(log, 100)
                await log._tidier.look()
        ahead = path.with_name("chat.db-wal").stat().st_size / 4096
        assert ahead < 2_000, "pages of about 10,000 that were written"


async def test_what_is_written_ahead_stays_small_while_much_is_tidied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        for _ in range(40):
            await log.append([said(n) for n in range(500)])
    monkeypatch.setattr(sqlite, "TIDY_EVERY", 0.01)
    async with SqliteLog(path, history_per_room=100) as log:
        left = 20_000
        async with within(DEADLINE):
            while left > 100:
                left = await log._read(lambda db: db.execute("SELECT count(*) FROM message").fetchone()[0])
        ahead = path.with_name("chat.db-wal").stat().st_size / 4096
        assert ahead < 500, "pages of about 1,400 that were written"


async def test_no_checkpoint_follows_another_without_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite before 3.51.3 may lose pages there (its WAL-reset bug)."""
    monkeypatch.setattr(checkpoints, "CHECKPOINT", 10)
    async with SqliteLog(tmp_path / "chat.db") as log:
        asked: list[str] = []
        log._checkpoints._connection.set_trace_callback(asked.append)
        await log.append([said(n) for n in range(20)])
        await log._checkpoints.make()
        assert len(asked) == 1
        await log.search(Reader("1" * 16, {}), "number", room=None, upto=0, limit=1)  # this indexes, a commit
        await log._checkpoints.make()
        before = len(asked)
        for _ in range(20):
            await log.search(Reader("1" * 16, {}), "number", room=None, upto=0, limit=1)
        await log._checkpoints.make()
        assert len(asked) == before


async def test_nor_when_the_file_was_lost_while_one_was_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer cannot be asked then what it has committed meanwhile."""
    monkeypatch.setattr(checkpoints, "CHECKPOINT", 10)
    async with SqliteLog(tmp_path / "chat.db") as log:
        asked: list[str] = []
        log._checkpoints._connection.set_trace_callback(asked.append)
        await log.append([said(n) for n in range(20)])
        async with busy(log._checkpoints._worker):
            making = asyncio.create_task(log._checkpoints.make())
            await asyncio.sleep(0)
            log._writer.lost = True
        with pytest.raises(LogError):
            await making
        log._writer.lost = False
        await log._checkpoints.make()
        assert len(asked) == 1
        await log.append([said(n) for n in range(20)])
        await log._checkpoints.make()
        assert len(asked) == 2
