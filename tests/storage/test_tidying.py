"""What is too old goes, all of it and nothing else; the word index keeps up, and neither takes the disk."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from core.log import LogError, Record
from core.names import Nick
from storage import checkpoints, tidier, tidying
from storage.sqlite import SqliteLog
from tests.storage.facts import in_room, reader, said, texts

HOUR: Final = 3_600_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SqliteLog]:
    """It keeps what is said for a day."""
    async with SqliteLog(path, history_days=1) as log:
        yield log


async def said_ago(log: SqliteLog, hours: float, *messages: str) -> None:
    entries = await log.append([said(text) for text in messages])
    then = time.time_ns() // 1_000_000 - int(hours * HOUR)
    change = "UPDATE message SET time = ? WHERE id >= ?"
    await log._writer.run(log._writer.connection.execute, change, (then, entries[0].id))


async def kept(log: SqliteLog) -> list[str]:
    return texts((await log.history(in_room(), before=None, limit=10_000)).entries)


def indexed(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT value FROM meta WHERE key = 'indexed'").fetchone()[0])


async def test_half_a_day_is_twelve_hours(path: Path) -> None:
    async with SqliteLog(path, history_days=0.5) as log:
        for hours in (13, 11, 0):
            await said_ago(log, hours, str(hours))
        await log._tidier._forget()
        assert await kept(log) == ["11", "0"]


async def test_all_that_is_too_old_goes_at_once(log: SqliteLog) -> None:
    """However many steps that takes."""
    await said_ago(log, 25, *map(str, range(3 * tidying.DELETE_STEP)))
    await said_ago(log, 23, "young")
    await log._tidier._forget()
    assert await kept(log) == ["young"]


async def test_what_is_too_old_leaves_the_word_index_too(log: SqliteLog, path: Path) -> None:
    await said_ago(log, 25, *(f"word{n}" for n in range(10)))
    await log.search(reader("Ann"), "word", room=None, upto=log.last_id, limit=1)
    assert indexed(path) == log.last_id
    await log._tidier._forget()
    assert await kept(log) == []
    with closing(sqlite3.connect(path)) as database:  # with a rank it is compared with the messages
        database.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        assert database.execute("SELECT count(*) FROM words WHERE words MATCH 'word*'").fetchone() == (0,)


async def test_a_session_is_kept_for_a_week(log: SqliteLog) -> None:
    now = time.time_ns() // 1_000_000
    days = {
        day: Record(f"{day:016}", b"%032d" % day, Nick("Ann"), {}, 0, now - day * 24 * HOUR) for day in (6, 8)
    }
    for record in days.values():
        log.remember(record)
    await log._write_records()
    await log._tidier._forget()
    assert [await log.recall(record.token) for record in days.values()] == [days[6], None]


async def test_while_it_is_busy_nothing_is_indexed_unless_much_has_piled_up(
    log: SqliteLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidier, "BUSY", 10)
    monkeypatch.setattr(tidier, "BACKLOG", 40)
    for _ in range(2):
        assert indexed(path) == 0
        await log.append([said("word")] * 20)
        await log._tidier.look()
    assert indexed(path) == 40


async def test_what_could_not_be_trimmed_is_trimmed_the_next_time(path: Path) -> None:
    async with SqliteLog(path, history_per_room=100) as log:
        await log._tidier.look()
        await log.append([said(str(n)) for n in range(300)])
        writer = log._writer
        await writer.run(
            writer.connection.execute,
            "CREATE TEMP TRIGGER full BEFORE DELETE ON main.message "
            "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END",
        )
        with pytest.raises(LogError):
            await log._tidier.trim_rooms()
        await writer.run(writer.connection.execute, "DROP TRIGGER full")
        await log._tidier.trim_rooms()
        assert len(await kept(log)) == 100


async def test_what_is_written_ahead_stays_small_while_much_is_indexed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SqliteLog(path) as log:
        for n in range(20):
            await log.append([said(f"word{n}x{i} other{i}x{n}") for i in range(500)])
    monkeypatch.setattr(checkpoints, "CHECKPOINT", 500)
    async with SqliteLog(path) as log:
        await log._tidier.look()
        assert indexed(path) == log.last_id
        ahead = path.with_name("chat.db-wal").stat().st_size / 4096
        assert ahead < 150, "pages of about 300 that were written"
