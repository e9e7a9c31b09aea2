"""What those ask who look after a server: cheap however often, soon answered, and the truth."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from core.log import LogError
from storage import checkpoints, health, schema
from storage.sqlite import SqliteLog
from tests.clients import DEADLINE, within
from tests.storage.conftest import busy
from tests.storage.facts import said


def written_ahead(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


async def test_to_ask_often_writes_hardly_more_than_to_ask_once(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        before = written_ahead(path)
        await log.check()
        once = written_ahead(path) - before
        assert once > 65_536, "it takes the room of a few messages"
        for _ in range(100):
            await log.check()
        assert written_ahead(path) == before + once


async def test_those_who_ask_at_the_same_time_share_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        rows = log._writer.rows
        async with busy(log._writer._worker):
            asking = [asyncio.create_task(log.check()) for _ in range(100)]
            await asyncio.sleep(0)
        await asyncio.gather(*asking)
        assert log._writer.rows - rows == schema.PROBE_PAGES + 1


async def test_what_is_written_for_it_does_not_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FRESH", 0)
    monkeypatch.setattr(checkpoints, "CHECKPOINT", 100)
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        for _ in range(100):
            await log.check()
            await log._checkpoints.make()
        assert written_ahead(path) < 20 * 80_000, "of 100 times as much"


async def test_a_failure_is_not_covered_by_an_answer_from_before(tmp_path: Path) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log:
        await log.check()
        writer = log._writer.connection
        for table in ("message", "meta"):
            await log._writer.run(
                writer.execute,
                f"CREATE TEMP TRIGGER no_{table} BEFORE INSERT ON main.{table} "
                "BEGIN SELECT RAISE(ABORT, 'bad'); END",
            )
        with pytest.raises(LogError):
            await log.append([said("hello")])
        for _ in range(2):
            with pytest.raises(LogError):
                await log.check()
        for table in ("message", "meta"):
            await log._writer.run(writer.execute, f"DROP TRIGGER no_{table}")
        await log.check()


async def test_a_failure_while_one_asks_is_not_covered_by_that_answer(tmp_path: Path) -> None:
    """It came before or after it: nobody knows."""
    async with SqliteLog(tmp_path / "chat.db") as log:
        await log._writer.run(
            log._writer.connection.execute,
            "CREATE TEMP TRIGGER fails BEFORE INSERT ON main.message BEGIN SELECT RAISE(ABORT, 'bad'); END",
        )
        async with busy(log._writer._worker):
            storing = asyncio.create_task(log.append([said("hello")]))
            asking = asyncio.create_task(log.check())
            async with within(DEADLINE):
                while log._writer._worker.under_way < 3:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
        with pytest.raises(LogError):
            await storing
        await asking
        rows = log._writer.rows
        await log.check()
        assert log._writer.rows > rows, "it was tried again"


async def test_the_end_does_not_wait_for_who_asks(tmp_path: Path) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log:
        async with busy(log._writer._worker):
            asking = asyncio.create_task(log.check())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert log._writer._worker.under_way == 2
            async with within(DEADLINE / 2):
                await log._health.end()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_a_file_that_is_gone_is_not_covered_either(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        await log.check()
        path.rename(tmp_path / "away")
        assert log._lookout is not None
        await log._lookout.look()
        with pytest.raises(LogError):
            await log.check()
        (tmp_path / "away").rename(path)


async def test_another_program_that_holds_the_file_is_a_failure_that_is_told_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        with closing(schema.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                async with within(DEADLINE):
                    with pytest.raises(LogError, match="takes too long"):
                        await log.check()
            other.execute("COMMIT")
        await log.append([said("after it")])
        async with within(DEADLINE):
            await log.check()
