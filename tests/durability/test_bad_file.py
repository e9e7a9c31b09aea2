"""Files that a server must not use: one clear line, exit status 1, and the file is left as it is."""

import os
import re
import signal
import socket
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from storage import schema
from storage.errors import CannotOpen
from storage.sqlite import SqliteLog
from tests.clients import WebClient
from tests.durability.disks import mounted, remount_read_only, suffering
from tests.durability.traces import stored
from tests.e2e.server import FREE_PORTS, LOOPBACK, parlour, serving
from tests.storage.facts import said


async def refused(data: Path) -> str:
    """What the server says about the file, in its one line."""
    async with parlour("serve", *LOOPBACK, *FREE_PORTS, "--data", str(data)) as program:
        assert await program.exited() == 1
        (line,) = program.errors
        assert line.startswith("parlour: ")
        assert str(data) in line
        return line


async def _log_of(data: Path, count: int = 500) -> None:
    async with SqliteLog(data) as log:
        await log.append([said(f"message {n}") for n in range(count)])


def _random_bytes(data: Path) -> None:
    data.write_bytes(Random(1).randbytes(20_000))


def _one_byte(data: Path) -> None:
    data.write_bytes(b"x")


def _text(data: Path) -> None:
    data.write_text("[general]\nthis is somebody's configuration\n")


def _a_header_and_nothing(data: Path) -> None:
    data.write_bytes(data.read_bytes()[:100])


def _truncated(data: Path) -> None:
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])


def _truncated_within_a_page(data: Path) -> None:
    data.write_bytes(data.read_bytes()[: data.stat().st_size - 1000])


def _damaged_tables(data: Path) -> None:
    """The header is right, the list of tables behind it is not."""
    content = bytearray(data.read_bytes())
    content[100:4096] = Random(2).randbytes(3996)
    data.write_bytes(content)


def _of_another_application(data: Path) -> None:
    data.unlink()
    with closing(sqlite3.connect(data)) as database:
        database.executescript(
            "CREATE TABLE message (id INTEGER PRIMARY KEY); INSERT INTO message VALUES (1)"
        )


def _of_another_application_that_says_so(data: Path) -> None:
    data.unlink()
    with closing(sqlite3.connect(data)) as database:
        database.executescript("PRAGMA application_id = 12345; CREATE TABLE meta (key, value)")


def _of_a_newer_version(data: Path) -> None:
    with closing(sqlite3.connect(data)) as database:
        database.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_random_bytes, "not a Parlour message log, or it is damaged"),
        (_one_byte, "not a Parlour message log, or it is damaged"),
        (_text, "not a Parlour message log, or it is damaged"),
        (_a_header_and_nothing, "malformed|damaged"),
        (_truncated, "malformed|damaged"),
        (_truncated_within_a_page, "malformed|damaged"),
        (_damaged_tables, "malformed|damaged"),
        (_of_another_application, "not a Parlour message log"),
        (_of_another_application_that_says_so, "not a Parlour message log"),
        (_of_a_newer_version, "newer"),
    ],
    ids=lambda case: case.__name__.strip("_") if callable(case) else "",
)
async def test_a_file_that_is_not_a_sound_log_is_refused_and_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    data = tmp_path / "parlour.db"
    await _log_of(data)
    spoil(data)
    before = data.read_bytes()
    assert re.search(words, await refused(data))
    assert data.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} <= {data.name, f"{data.name}-lock"}


@pytest.mark.parametrize("spoil", [_random_bytes, _one_byte, _text])
async def test_nothing_is_left_beside_a_file_that_is_not_ours(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    data = tmp_path / "somebody.else"
    spoil(data)
    await refused(data)
    assert [file.name for file in tmp_path.iterdir()] == [data.name]


async def test_who_has_a_newer_file_is_told_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "parlour.db"
    await _log_of(data)
    _of_a_newer_version(data)
    line = await refused(data)
    assert "run that version" in line
    assert "copy that was made before the upgrade" in line


async def test_a_name_that_is_a_folders_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    place = tmp_path / "new"
    async with parlour("serve", *LOOPBACK, *FREE_PORTS, "--data", f"{place}/") as program:
        assert await program.exited() == 1
        (line,) = program.errors
        assert line == f"parlour: cannot use {place}/: the messages go into a file, and that names a folder"
    assert not place.exists()


async def test_a_file_that_may_only_be_read_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "parlour.db"
    if os.geteuid() != 0:
        await _log_of(data)
        data.chmod(stat.S_IRUSR)
        await refused(data)
        return
    with mounted(tmp_path):  # root may write to any file, but not here
        await _log_of(data)
        before = data.read_bytes()
        remount_read_only(tmp_path)
        assert "cannot be written" in await refused(data)
        assert data.read_bytes() == before


async def test_a_folder_in_which_no_file_can_be_made_is_named(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with mounted(place):
        remount_read_only(place)
        assert f"{place} cannot be written" in await refused(place / "parlour.db")
        assert "Read-only" in await refused(place / "folder" / "parlour.db")


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "directory" in await refused(tmp_path)


def _device(data: Path) -> None:
    """Like /dev/null, but nobody else's."""
    try:
        os.mknod(data, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


def _socket(data: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(data))


@pytest.mark.parametrize("make", [_device, os.mkfifo, _socket, Path.mkdir])
@pytest.mark.parametrize("linked", [False, True], ids=["itself", "linked"])
async def test_what_is_no_file_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], linked: bool
) -> None:
    place = tmp_path / "place"
    make(place)
    kind = stat.S_IFMT(place.stat().st_mode)
    data = tmp_path / "parlour.db"
    if linked:
        data.symlink_to(place)
    async with parlour("serve", *LOOPBACK, *FREE_PORTS, "--data", str(data if linked else place)) as program:
        assert await program.exited() == 1
        (line,) = program.errors
        assert line.startswith(f"parlour: cannot use {place}: it is ")
        assert line.endswith(", not a file")
    assert stat.S_IFMT(place.stat().st_mode) == kind
    assert {file.name for file in tmp_path.iterdir()} == {"place"} | ({data.name} if linked else set())


@pytest.mark.parametrize(
    ("data", "status"), [(".", 1), ("/", 1), ("", 2), ("~nobody-of-this-name/parlour.db", 2)]
)
async def test_what_names_no_file_is_one_clear_line(data: str, status: int) -> None:
    async with parlour("serve", *LOOPBACK, *FREE_PORTS, "--data", data) as program:
        assert await program.exited() == status
        (line,) = program.errors
        assert line.startswith("parlour: ")
        assert "file" in line or "--data" in line


@pytest.mark.parametrize("before", ["missing", "empty", "a log"])
async def test_a_link_stays_one_and_the_messages_are_where_it_leads(tmp_path: Path, before: str) -> None:
    real, data = tmp_path / "other" / "real.db", tmp_path / "parlour.db"
    real.parent.mkdir()
    if before == "a log":
        await _log_of(real)
    elif before == "empty":
        real.touch()
    data.symlink_to("other/real.db")
    async with SqliteLog(data) as log:
        await log.append([said("here")])
    assert data.is_symlink()
    assert stored(real)[-1].text == "here"
    assert {file.name for file in tmp_path.iterdir()} == {"other", "parlour.db"}


async def test_a_link_to_a_file_in_use_is_in_use_too(tmp_path: Path) -> None:
    real, data = tmp_path / "real.db", tmp_path / "parlour.db"
    data.symlink_to(real)
    async with SqliteLog(real):
        with pytest.raises(CannotOpen, match="in use by another server"):
            await SqliteLog(data).__aenter__()


async def test_what_a_killed_server_left_beside_a_deleted_file_does_not_come_back(tmp_path: Path) -> None:
    data = tmp_path / "parlour.db"
    async with serving("--data", str(data)) as server, WebClient(server.web_port, "Ann") as ann:
        assert (await ann.call("msg", room="#general", text="gone"))["type"] == "ok"
        server.program.process.kill()
        await server.program.exited()
    assert data.with_name("parlour.db-wal").stat().st_size
    data.unlink()
    async with serving("--data", str(data)) as server, WebClient(server.web_port, "Ann") as ann:
        assert (await ann.call("history", room="#general", limit=10))["messages"] == []
        assert (await ann.call("msg", room="#general", text="new"))["type"] == "ok"
    assert [row.text for row in stored(data)] == ["new"]


async def test_a_second_server_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "parlour.db"
    async with (
        serving("--data", str(data)) as server,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
    ):
        assert "in use by another server" in await refused(data)
        await ann.expect("joined", nick="Bob")
        assert (await bob.call("msg", room="#general", text="still here"))["type"] == "ok"
        await ann.expect("msg", text="still here")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_the_next_server_can_have_the_file_as_soon_as_the_first_has_ended(
    tmp_path: Path, number: signal.Signals
) -> None:
    options = ("--data", str(tmp_path / "parlour.db"))
    async with serving(*options) as server, WebClient(server.web_port, "Ann") as ann:
        epoch = ann.hello["epoch"]
        server.program.process.send_signal(number)
        await server.program.exited()
        async with serving(*options) as successor, WebClient(successor.web_port) as page:
            assert page.hello["epoch"] == epoch


async def test_two_files_are_two_logs(tmp_path: Path) -> None:
    epochs = set()
    for name in ("one", "two", "one"):
        async with serving("--data", str(tmp_path / name)) as server, WebClient(server.web_port) as page:
            epochs.add(page.hello["epoch"])
    assert len(epochs) == 2


async def test_a_log_that_is_damaged_in_the_middle_fails_only_where_it_is_damaged(tmp_path: Path) -> None:
    """Nobody looks through the whole file at the start; what cannot be read is an error, not an end."""
    data = tmp_path / "parlour.db"
    await _log_of(data, 5000)
    content = bytearray(data.read_bytes())
    for page in range(60, 70):
        content[page * 4096 : (page + 1) * 4096] = Random(page).randbytes(4096)
    data.write_bytes(content)
    async with suffering(data) as server, WebClient(server.web_port, "Ann") as ann:
        before, codes = 5001, []
        while before > 200:
            answer = await ann.call("history", room="#general", before=before, limit=200)
            codes.append(answer.get("code"))
            before -= 200
        assert set(codes) == {None, "storage-failed"}
        assert codes[0] is None
