"""The log when the wall clock jumps, and when its schema moves on."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from core.log import Reader, Record
from core.names import Nick, RoomName
from storage import schema, sqlite, tidying
from storage.errors import CannotOpen
from storage.ids import GAP
from storage.sqlite import SqliteLog
from tests.clients import DEADLINE, WebClient, within
from tests.e2e.server import serving
from tests.storage.facts import in_room, said, texts, told

HOUR: Final = 3_600_000_000_000
BOB: Final = Reader("id-Bob", {RoomName("#general"): 0})
JUMPS: Final = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["an hour on", "an hour back"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parlour.db"


@pytest.fixture
def clock_jumps(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the wall clock by so many nanoseconds."""
    now = time.time_ns

    def jump(nanoseconds: int) -> None:
        monkeypatch.setattr("storage.sqlite.time.time_ns", lambda: now() + nanoseconds)

    return jump


# ------------------------------------------------------------------ the power


def copy(path: Path, other: Path) -> None:
    """What the disk has by now, say; all that is stored after it is lost."""
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{other}{end}")


def put_back(path: Path, other: Path) -> None:
    """The copy in place of what there is; what lies beside it stays."""
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    for end in ("", "-wal"):
        shutil.copy(f"{other}{end}", f"{path}{end}")


async def test_ids_that_went_with_the_power_are_not_given_out_again(path: Path, tmp_path: Path) -> None:
    on_disk = tmp_path / "on-disk.db"
    async with SqliteLog(path) as log:
        (one,) = await log.append([said("one")])
        assert one.id == 1
        copy(path, on_disk)
        lost = await log.append([said("two"), said("three")])
    async with SqliteLog(on_disk) as log:
        assert log.last_id == one.id, "whoever has seen more is told that it is not recovered"
        (new,) = await log.append([said("four")])
        assert new.id > lost[-1].id
        missed = await log.since(BOB, after=lost[-1].id, upto=log.last_id, limit=50)
        assert texts(missed or ()) == ["four"]
    async with SqliteLog(on_disk) as log:
        (next_,) = await log.append([said("five")])
        assert next_.id == new.id + 1, "the last run ended cleanly"


async def test_nor_those_of_a_file_of_which_nothing_else_was_left(path: Path, tmp_path: Path) -> None:
    on_disk = tmp_path / "on-disk.db"
    async with SqliteLog(path) as log:
        copy(path, on_disk)
        lost = await log.append([said("one")])
    for _ in range(2):
        async with SqliteLog(on_disk):
            pass  # nobody says anything
    async with SqliteLog(on_disk) as log:
        (new,) = await log.append([said("two")])
        assert new.id > lost[-1].id


async def test_nor_those_of_a_run_that_had_left_ids_out_itself(path: Path, tmp_path: Path) -> None:
    """Although the mark was lost with its messages, twice."""
    async with SqliteLog(path) as log:
        await log.append([said("one")])
        copy(path, tmp_path / "first.db")
    async with SqliteLog(tmp_path / "first.db") as log:
        copy(tmp_path / "first.db", tmp_path / "second.db")
        (lost,) = await log.append([said("two")])
        assert lost.id > GAP
    async with SqliteLog(tmp_path / "second.db") as log:
        (new,) = await log.append([said("three")])
        assert new.id > lost.id


@pytest.mark.parametrize("nothing_in_it", [True, False])
async def test_an_older_copy_that_is_put_back_gives_no_id_out_again(
    path: Path, tmp_path: Path, nothing_in_it: bool
) -> None:
    backup = tmp_path / "backup.db"
    async with SqliteLog(path) as log:
        if not nothing_in_it:
            await log.append([said("one")])
        copy(path, backup)
        lost = await log.append([said("two"), said("three")])
    put_back(path, backup)
    async with SqliteLog(path) as log:
        (new,) = await log.append([said("four")])
        assert new.id > lost[-1].id


async def test_nor_one_of_all_the_runs_since(path: Path, tmp_path: Path) -> None:
    """However many ids those have left out."""
    backup = tmp_path / "backup.db"
    async with SqliteLog(path) as log:
        await log.append([said("one")])
        copy(path, backup)
    for _ in range(2):
        async with serving("--data", str(path)) as server, WebClient(server.web_port, "Ann") as ann:
            lost = await ann.call("msg", room="#general", text="lost")
            server.program.process.kill()
            await server.program.exited()
    assert lost["id"] > GAP
    put_back(path, backup)
    async with SqliteLog(path) as log:
        (new,) = await log.append([said("new")])
        assert new.id > lost["id"]


@pytest.mark.parametrize("tidied", [True, False])
async def test_nor_one_of_a_run_that_has_given_out_very_many(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tidied: bool
) -> None:
    """Whether or not it can be tidied."""
    monkeypatch.setattr("storage.ids.GAP", 100)
    monkeypatch.setattr(sqlite, "TIDY_EVERY", 0.01)
    monkeypatch.setattr(sqlite, "TIDY_AGAIN", 0.1)
    if not tidied:
        monkeypatch.delattr(tidying, "index_some")  # an error that nobody thought of
    (tmp_path / "killed").mkdir()
    left = tmp_path / "killed" / path.name
    async with SqliteLog(path) as log:
        await log.append([said("one")])
        copy(path, left)
        await log.append([said("many")] * 200)
        async with within(DEADLINE):
            while log._ids.marked <= log.last_id:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
        shutil.copy(f"{path}-lock", f"{left}-lock")
        lost = log.last_id
    monkeypatch.undo()
    async with SqliteLog(left) as log:
        (new,) = await log.append([said("new")])
        assert new.id > lost


async def test_the_mark_is_set_on_before_it_is_reached(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.ids.GAP", 100)
    async with SqliteLog(path) as log:
        await log.append([said("many")] * 49)
        await log._tidy_once()
        assert log._ids.marked == 100, "it is far"
        await log.append([said("many")] * 2)
        await log._tidy_once()
        assert log._ids.marked > 150


async def test_a_killed_server_is_followed_by_one_that_leaves_ids_out(path: Path) -> None:
    ids = []
    for _ in range(2):
        async with serving("--data", str(path)) as server, WebClient(server.web_port, "Ann") as ann:
            ids.append((await ann.call("msg", room="#general", text="hi"))["id"])
            server.program.process.kill()
            await server.program.exited()
    assert ids[0] == 1
    assert ids[1] > GAP
    for _ in range(2):  # and both of these end cleanly
        async with serving("--data", str(path)) as server, WebClient(server.web_port, "Ann") as ann:
            ids.append((await ann.call("msg", room="#general", text="hi"))["id"])
    assert ids[3] == ids[2] + 1


async def test_an_older_version_that_had_the_file_meanwhile_is_noticed(path: Path) -> None:
    """It knows no marks, and what it gave out may be gone; but it leaves a row of its own."""
    async with SqliteLog(path) as log:
        (one,) = await log.append([said("one")])
    with closing(schema.connect(path)) as database:
        database.execute("INSERT OR REPLACE INTO meta VALUES ('boot', 'x')")
    ids = []
    for _ in range(2):
        async with SqliteLog(path) as log:
            ids += [entry.id for entry in await log.append([said("new")])]
    assert ids[0] > one.id + GAP
    assert ids[1] == ids[0] + 1


async def test_a_mark_that_is_damaged_is_named(path: Path) -> None:
    beside = path.with_name(path.name + "-lock")
    beside.write_bytes(b"x" * 5000)
    with pytest.raises(CannotOpen, match=f"{beside} is damaged; remove that file"):
        await SqliteLog(path).__aenter__()
    beside.unlink()
    async with SqliteLog(path):
        pass


# ------------------------------------------------------------------ the clock


@JUMPS
async def test_order_is_by_id_whatever_the_clock_says(
    path: Path, clock_jumps: Callable[[int], None], jump: int
) -> None:
    async with SqliteLog(path) as log:
        before = await log.append([said("one"), told("Ann", "Bob", "two")])
        clock_jumps(jump)
        after = await log.append([said("three"), told("Ann", "Bob", "four")])
        clock_jumps(0)
        last = await log.append([said("five")])
        ids = [entry.id for entry in (*before, *after, *last)]
        assert ids == sorted(set(ids))
        page = await log.history(in_room(), before=None, limit=50)
        assert texts(page.entries) == ["one", "three", "five"]
        older = await log.history(in_room(), before=after[0].id, limit=50)
        assert texts(older.entries) == ["one"]
        missed = await log.since(BOB, after=before[0].id, upto=log.last_id, limit=50)
        assert missed is not None
        assert texts(missed) == ["two", "three", "four", "five"]


@JUMPS
async def test_a_log_that_is_opened_after_a_jump_goes_on_with_higher_ids(
    path: Path, clock_jumps: Callable[[int], None], jump: int
) -> None:
    async with SqliteLog(path) as log:
        (before,) = await log.append([said("before")])
    clock_jumps(jump)
    async with SqliteLog(path) as log:
        (after,) = await log.append([said("after")])
        assert after.id > before.id


@JUMPS
async def test_a_session_is_still_known_after_a_jump(
    path: Path, clock_jumps: Callable[[int], None], jump: int
) -> None:
    async with SqliteLog(path) as log:
        now = time.time_ns() // 1_000_000
        record = Record("id-Ann", b"token", Nick("Ann"), {RoomName("#general"): 0}, 0, now)
        log.remember(record)
        clock_jumps(jump)
        await log.append([said("hi")])
    async with SqliteLog(path) as log:
        assert await log.recall(b"token") == record


# ------------------------------------------------------------------ the schema


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


async def test_a_new_file_has_the_newest_schema_and_says_whose_it_is(path: Path) -> None:
    async with SqliteLog(path):
        pass
    assert _version(path) == len(schema.MIGRATIONS)
    assert path.read_bytes()[68:72] == schema.APPLICATION_ID.to_bytes(4, "big")


async def test_an_older_file_is_brought_forward_and_keeps_its_messages_and_its_epoch(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SqliteLog(path) as log:
        epoch = log.epoch
        await log.append([said("old")])
    step = "CREATE TABLE later (what TEXT); INSERT INTO later SELECT text FROM message"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    for _ in range(2):  # the second time there is nothing left to do
        async with SqliteLog(path) as log:
            assert log.epoch == epoch
            page = await log.history(in_room(), before=None, limit=50)
            assert texts(page.entries) == ["old"]
    assert _version(path) == len(schema.MIGRATIONS)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT what FROM later").fetchall() == [("old",)]
    monkeypatch.undo()
    with pytest.raises(CannotOpen, match="newer"):
        await SqliteLog(path).__aenter__()


async def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with SqliteLog(path) as log:
        await log.append([said("old")])
    step = "CREATE TABLE later (what TEXT); DELETE FROM message; INSERT INTO nowhere VALUES (1)"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    with pytest.raises(CannotOpen, match="nowhere"):
        await SqliteLog(path).__aenter__()
    monkeypatch.undo()
    assert _version(path) == len(schema.MIGRATIONS)
    async with SqliteLog(path) as log:
        page = await log.history(in_room(), before=None, limit=50)
        assert texts(page.entries) == ["old"]


def _keeps_the_wal(path: Path) -> sqlite3.Connection:
    """Another program that reads: while it does, no commit after this moves from `-wal` into the file."""
    other = schema.connect(path)
    other.execute("BEGIN")
    other.execute("SELECT * FROM meta").fetchall()
    return other


async def test_a_server_that_is_killed_after_a_migration_starts_again(path: Path) -> None:
    with closing(schema.connect(path)) as database:
        database.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        database.executescript(f"BEGIN; {schema.MIGRATIONS[0]}; PRAGMA user_version = 1; COMMIT")
        database.execute("PRAGMA journal_mode = WAL")
    with closing(_keeps_the_wal(path)):
        for _ in range(2):
            async with serving("--data", str(path)) as server:
                server.program.process.kill()
                await server.program.exited()
        # Not before: to close a file of one's own process ends the reader's locks.
        assert path.read_bytes()[60:64] == (1).to_bytes(4, "big")
    async with SqliteLog(path) as log:
        assert log.topics == {}
    assert _version(path) == len(schema.MIGRATIONS)


async def test_a_newer_version_that_only_the_wal_knows_is_refused(path: Path) -> None:
    async with SqliteLog(path):
        pass
    with closing(_keeps_the_wal(path)):
        with closing(schema.connect(path)) as database:
            database.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
        with pytest.raises(CannotOpen, match="newer"):
            await SqliteLog(path).__aenter__()


async def test_what_a_killed_first_start_left_behind_is_no_obstacle(path: Path) -> None:
    path.with_name(path.name + "-new").write_bytes(b"half a file")
    path.touch()
    async with SqliteLog(path) as log:
        assert (await log.append([said("hi")]))[0].id == 1
    assert not path.with_name(path.name + "-new").exists()


async def test_the_epoch_stays_and_every_file_has_its_own(tmp_path: Path) -> None:
    epochs = []
    for name in ("one", "two", "one", "two"):
        async with SqliteLog(tmp_path / name) as log:
            epochs.append(log.epoch)
    assert epochs[:2] == epochs[2:]
    assert epochs[0] != epochs[1]


async def test_ids_go_on_where_they_were_although_nothing_is_kept(path: Path) -> None:
    async with SqliteLog(path) as log:
        await log.append([said(str(n)) for n in range(10)])
        newest = log.last_id
    with closing(schema.connect(path)) as database:
        while tidying.trim_days(database, -1):
            pass
    async with SqliteLog(path) as log:
        assert log.last_id == newest
        assert (await log.append([said("next")]))[0].id > newest
        assert await log.since(BOB, after=newest - 5, upto=log.last_id, limit=50) is None
