"""What is too old goes in small steps, completely, and never in silence."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from core.log import Reader
from core.names import RoomName
from storage import tidying
from storage.sqlite import SqliteLog
from tests.clients import DEADLINE, within
from tests.storage.facts import in_room, said, texts, told

KEEP: Final = 200
SLACK: Final = 100
"""Rows that a room may have above that: trimming is not done for each message."""
MANY: Final = 5_000
BOB: Final = Reader("id-Bob", {RoomName("#general"): 0})

Step = Callable[..., bool]


class Steps:
    """Watches the steps of the tidier: how many rows each of them took, and what came between them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.deleted: list[int] = []
        self.indexed: list[int] = []
        self.order: list[str] = []
        self._loop = asyncio.get_running_loop()
        self.stepped = asyncio.Event()
        patch.setattr("storage.sqlite.TIDY_EVERY", 0.001)
        patch.setattr("storage.tidier.BUSY", MANY * 10)
        patch.setattr("storage.searching.QUICK", DEADLINE * 10)  # the machine may be busy, too
        trim, index = tidying.trim_room, tidying.index_some
        patch.setattr(tidying, "trim_room", self._watched(trim, "message", self.deleted))
        patch.setattr(tidying, "index_some", self._watched(index, "words_docsize", self.indexed))

    def _watched(self, step: Step, table: str, counts: list[int]) -> Step:
        def watched(database: sqlite3.Connection, *args: object) -> bool:
            def rows() -> int:
                return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

            before = rows()
            more = step(database, *args)
            counts.append(abs(rows() - before))
            self.order.append(table)
            self._loop.call_soon_threadsafe(self.stepped.set)
            return more

        return watched

    async def until(self, done: Callable[[], bool]) -> None:
        async with within(DEADLINE * 2):
            while not done():
                self.stepped.clear()
                await self.stepped.wait()


@pytest.fixture
async def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


async def _fill(log: SqliteLog, count: int, first: int = 0) -> None:
    for n in range(first, first + count, 100):
        await log.append([said(f"word{n + i}") for i in range(min(100, first + count - n))])


def _rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM message").fetchone()[0])


def _word_index_is_sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        # With a rank the index is also compared with the messages (https://sqlite.org/fts5.html, 6.5).
        database.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")


async def test_the_rows_of_a_room_stay_within_bounds(tmp_path: Path, steps: Steps) -> None:
    path = tmp_path / "parlour.db"
    async with SqliteLog(path, history_per_room=KEEP) as log:
        for turn in range(5):
            await _fill(log, 1000, turn * 1000)
            await steps.until(lambda: sum(steps.deleted) >= turn * 1000 + 1000 - KEEP - SLACK)  # noqa: B023
        page = await log.history(in_room(), before=None, limit=KEEP)
        assert texts(page.entries) == [f"word{n}" for n in range(MANY - KEEP, MANY)]
    assert KEEP <= _rows(path) <= KEEP + SLACK


async def test_no_step_takes_more_than_a_few_hundred_rows(tmp_path: Path, steps: Steps) -> None:
    path = tmp_path / "parlour.db"
    async with SqliteLog(path, history_per_room=0) as log:
        await _fill(log, MANY)
        await steps.until(lambda: sum(steps.indexed) >= MANY)
    assert max(steps.indexed) <= tidying.INDEX_STEP <= 500
    async with SqliteLog(path, history_per_room=KEEP):
        await steps.until(lambda: sum(steps.deleted) >= MANY - KEEP)
    assert max(steps.deleted) <= tidying.DELETE_STEP <= 500
    assert sum(steps.deleted) == MANY - KEEP


async def test_a_message_does_not_wait_for_more_than_the_step_under_way(tmp_path: Path, steps: Steps) -> None:
    async with SqliteLog(tmp_path / "parlour.db", history_per_room=KEEP) as log:
        await log.append([said(f"word{n}") for n in range(MANY)])
        waits: list[int] = []
        while sum(steps.deleted) < MANY - KEEP - SLACK:
            before = len(steps.order)
            await log.append([said("in between")])
            waits.append(len(steps.order) - before)
            await steps.until(lambda: len(steps.order) > before)  # noqa: B023
    assert len(waits) > 10
    assert max(waits) <= 2


async def test_a_gap_that_reaches_into_what_is_gone_is_not_recovered(tmp_path: Path, steps: Steps) -> None:
    path = tmp_path / "parlour.db"
    async with SqliteLog(path, history_per_room=KEEP) as log:
        await _fill(log, 1000)
        await steps.until(lambda: sum(steps.deleted) >= 1000 - KEEP - SLACK)
    async with SqliteLog(path, history_per_room=0) as log:  # now nothing goes any more
        page = await log.history(in_room(), before=None, limit=1000)
        oldest = page.entries[0].id
        assert await log.since(BOB, after=oldest - 2, upto=log.last_id, limit=1000) is None
        missed = await log.since(BOB, after=oldest - 1, upto=log.last_id, limit=1000)
        assert missed is not None
        assert [entry.id for entry in missed] == list(range(oldest, log.last_id + 1))
        # Whoever came later has missed nothing of it.
        newcomer = Reader("id-Cas", {RoomName("#general"): oldest})
        missed = await log.since(newcomer, after=0, upto=log.last_id, limit=1000)
        assert missed is not None
        assert missed[0].id == oldest + 1


async def test_a_search_does_not_find_what_is_gone_and_the_index_stays_sound(
    tmp_path: Path, steps: Steps
) -> None:
    path = tmp_path / "parlour.db"
    async with SqliteLog(path, history_per_room=0) as log:
        await _fill(log, 1000)
        before = await log.search(BOB, "word5", room=None, upto=log.last_id, limit=1000)
    async with SqliteLog(path, history_per_room=KEEP) as log:
        await _fill(log, SLACK, 1000)
        await steps.until(lambda: sum(steps.deleted) >= 1000 - KEEP)
    async with SqliteLog(path, history_per_room=0) as log:  # now nothing goes any more
        await log.append([told("Ann", "Bob", "word5 for Bob"), said("word5 at the end")])
        found = await log.search(BOB, "word5", room=None, upto=log.last_id, limit=1000)
        kept = await log.history(in_room(), before=None, limit=1000)
        expected = {text for text in texts(kept.entries) if text.startswith("word5")} | {"word5 for Bob"}
        assert len(before) > len(found)
        assert set(texts(found)) == expected
    _word_index_is_sound(path)


async def test_what_is_deleted_before_it_was_indexed_leaves_the_index_sound(
    tmp_path: Path,
) -> None:
    path = tmp_path / "parlour.db"
    async with SqliteLog(path, history_per_room=0) as log:
        await _fill(log, 1000)
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            tidying.trim_room(database, "#general", KEEP)
        assert await log.search(BOB, "word9", room=None, upto=log.last_id, limit=1000)
    _word_index_is_sound(path)


async def test_many_short_runs_do_not_let_a_room_grow(tmp_path: Path, steps: Steps) -> None:
    path = tmp_path / "parlour.db"
    for turn in range(10):
        async with SqliteLog(path, history_per_room=KEEP) as log:
            await _fill(log, SLACK - 10, turn * SLACK)
            await steps.until(lambda: sum(steps.indexed) >= (turn + 1) * (SLACK - 10))  # noqa: B023
            await log.search(BOB, "word", room=None, upto=log.last_id, limit=1)
    assert _rows(path) <= KEEP + 2 * SLACK


async def test_a_lower_limit_holds_for_what_is_there_already(tmp_path: Path, steps: Steps) -> None:
    path = tmp_path / "parlour.db"
    async with SqliteLog(path, history_per_room=0) as log:
        await _fill(log, 1000)
    async with SqliteLog(path, history_per_room=KEEP) as log:
        await log.append([said("one more")])
        await steps.until(lambda: sum(steps.deleted) >= 1000 - KEEP - SLACK)
    assert _rows(path) <= KEEP + SLACK + 1


async def test_old_sessions_go_in_small_steps_and_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, old, number = tmp_path / "parlour.db", 1_000, 3 * tidying.DELETE_STEP
    async with SqliteLog(path):
        pass
    with closing(sqlite3.connect(path)) as database, database:
        rows = [(f"id{n}", f"token{n}".encode(), "Ann", "{}", 0, old) for n in range(number)]
        database.executemany("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)", rows)
    forgotten: list[int] = []
    done = asyncio.Event()
    forget, loop = tidying.forget_sessions, asyncio.get_running_loop()

    def watched(database: sqlite3.Connection) -> bool:
        before = database.total_changes
        more = forget(database)
        forgotten.append(database.total_changes - before)
        if not more:
            loop.call_soon_threadsafe(done.set)
        return more

    monkeypatch.setattr(tidying, "forget_sessions", watched)
    monkeypatch.setattr("storage.sqlite.TIDY_EVERY", 0.001)
    async with SqliteLog(path), within(DEADLINE):
        await done.wait()
    assert forgotten == [tidying.DELETE_STEP] * 3 + [0]


async def test_a_step_that_fails_for_an_unknown_reason_is_logged_and_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    indexed = asyncio.Event()
    step, loop = tidying.index_some, asyncio.get_running_loop()

    def fails_once(database: sqlite3.Connection) -> bool:
        if not caplog.records:
            raise OverflowError("too large")
        loop.call_soon_threadsafe(indexed.set)
        return step(database)

    monkeypatch.setattr(tidying, "index_some", fails_once)
    monkeypatch.setattr("storage.sqlite.TIDY_EVERY", 0.001)
    monkeypatch.setattr("storage.sqlite.TIDY_AGAIN", 0.001)
    async with SqliteLog(tmp_path / "parlour.db") as log:
        await log.append([said("word")])
        async with within(DEADLINE):
            await indexed.wait()
    assert "cannot be tidied" in caplog.text
