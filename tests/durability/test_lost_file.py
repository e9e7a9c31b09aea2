"""The file of a running server is taken away: nothing is acknowledged that would be lost with it."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from core.log import LogError, Record
from core.names import Nick
from storage.ids import GAP
from storage.sqlite import SqliteLog
from tests.clients import LineClient, WebClient
from tests.durability.traces import stored
from tests.e2e.server import serving
from tests.storage.facts import said

DATA: Final = "parlour.db"


def _removed(place: Path) -> None:
    (place / DATA).unlink()


def _moved_with_its_folder(place: Path) -> None:
    place.rename(place.with_name("elsewhere"))


def _replaced(place: Path) -> None:
    shutil.copy(place / DATA, place / "copy")
    (place / "copy").replace(place / DATA)


def _without_its_wal(place: Path) -> None:
    (place / f"{DATA}-wal").unlink()


def _without_its_lock(place: Path) -> None:
    (place / f"{DATA}-lock").unlink()


TAKEN: Final = [
    (_removed, DATA),
    (_moved_with_its_folder, DATA),
    (_replaced, DATA),
    (_without_its_wal, f"{DATA}-wal"),
    (_without_its_lock, f"{DATA}-lock"),
]


async def looked(log: SqliteLog) -> None:
    assert log._lookout is not None
    await log._lookout.look()


@pytest.mark.parametrize(
    ("taken", "named"), TAKEN, ids=lambda case: case.__name__.strip("_") if callable(case) else ""
)
async def test_what_would_be_lost_is_refused_and_shown_to_nobody(
    tmp_path: Path, taken: Callable[[Path], None], named: str
) -> None:
    data = tmp_path / "place" / DATA
    async with (
        serving("--data", str(data)) as server,
        WebClient(server.web_port, "Ann") as ann,
        LineClient(server.tcp_port, "LOGIN Bob") as bob,
    ):
        assert (await ann.call("msg", room="#general", text="before"))["type"] == "ok"
        await bob.expect("MSG Ann before")
        taken(data.parent)
        (line, *more) = await server.logs(" ERROR ")
        assert not more, more
        assert f"{data.with_name(named)} was moved, removed or replaced" in line
        assert "start again" in line
        for _ in range(2):
            answer = await ann.call("msg", room="#general", text="lost")
            assert (answer["type"], answer["code"]) == ("error", "storage-failed")
            assert "gone" in answer["detail"]
        answer = await ann.call("topic", room="#general", text="lost")
        assert (answer["type"], answer["code"]) == ("error", "storage-failed")
        await bob.hears_nothing()
        history = await ann.call("history", room="#general", limit=10)
        assert [message["text"] for message in history["messages"]] == ["before"]
        server.program.process.terminate()
        assert await server.program.exited() == 0
        assert len([line for line in server.program.errors if " ERROR " in line]) == 1, "once"


async def test_all_goes_on_when_the_file_is_back(tmp_path: Path) -> None:
    data = tmp_path / DATA
    async with serving("--data", str(data)) as server, WebClient(server.web_port, "Ann") as ann:
        data.rename(tmp_path / "away")
        await server.logs("was moved, removed or replaced")
        async with WebClient(server.web_port, "Bob") as bob:
            assert (await ann.call("msg", room="#general", text="no"))["type"] == "error"
            (tmp_path / "away").rename(data)
            await server.logs("is back")
            for text in ("yes", "and again"):
                assert (await ann.call("msg", room="#general", text=text))["type"] == "ok"
        server.program.process.kill()
        await server.program.exited()
    assert [row.text for row in stored(data)] == ["yes", "and again"]
    async with serving("--data", str(data)) as server, WebClient(server.web_port) as again:
        answer = await again.call("resume", token=bob.welcome["token"], after=0)
        assert answer["type"] == "resumed", "its record was written when the file was back"


async def test_nothing_at_all_is_written(tmp_path: Path) -> None:
    data = tmp_path / DATA
    async with SqliteLog(data) as log:
        await log.append([said("one")])
        data.rename(tmp_path / "away")
        await looked(log)
        assert log.append_at_once([said("two")]) is None
        for storing in (log.append([said("two")]), log.check(), log.set_topic(said("").room, "two")):
            with pytest.raises(LogError, match="storage-failed"):
                await storing
        log.remember(Record("0" * 16, b"0" * 32, Nick("Ann"), {}, 0, 1_000))
        await asyncio.gather(*log._tasks)
        assert log._records, "it waits for the file"
        (tmp_path / "away").rename(data)
        await looked(log)
        await log.append([said("three")])
        assert not log._records
        await log.check()
    assert [row.text for row in stored(data)] == ["one", "three"]


async def test_it_is_said_once_that_it_is_gone_and_once_that_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / DATA
    async with SqliteLog(data) as log:
        data.rename(tmp_path / "away")
        for _ in range(3):
            await looked(log)
        (tmp_path / "away").rename(data)
        for _ in range(3):
            await looked(log)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


async def test_after_a_run_that_had_lost_the_file_ids_are_left_out(tmp_path: Path) -> None:
    """Nobody knows what became of it meanwhile."""
    data = tmp_path / DATA
    async with SqliteLog(data) as log:
        await log.append([said("one")])
        data.rename(tmp_path / "away")
        await looked(log)
        (tmp_path / "away").rename(data)
        await looked(log)
    async with SqliteLog(data) as log:
        (new,) = await log.append([said("two")])
        assert new.id > GAP


async def test_the_lock_may_come_back_when_nobody_was_let_in(tmp_path: Path) -> None:
    data, lock = tmp_path / DATA, tmp_path / f"{DATA}-lock"
    async with SqliteLog(data) as log:
        lock.rename(tmp_path / "away")
        await looked(log)
        shutil.copy(tmp_path / "away", lock)
        await looked(log)
        with pytest.raises(LogError, match="storage-failed"):
            await log.append([said("a copy is held by nobody")])
        (tmp_path / "away").rename(lock)
        await looked(log)
        await log.append([said("the very same")])
    assert [row.text for row in stored(data)] == ["the very same"]


async def test_who_was_let_in_while_the_lock_was_away_is_not_written_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, lock = tmp_path / DATA, tmp_path / f"{DATA}-lock"
    async with SqliteLog(data) as log:
        await log.append([said("one")])
        lock.rename(tmp_path / "away")
        await looked(log)
        async with SqliteLog(data) as other:
            await other.append([said("two")])
            (tmp_path / "away").rename(lock)
            for each in (other, log, log):
                await looked(each)
                with pytest.raises(LogError, match="storage-failed"):
                    await each.append([said("three")])
    assert [row.text for row in stored(data)] == ["one", "two"]
    assert "another server had it" in caplog.records[-1].message
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
