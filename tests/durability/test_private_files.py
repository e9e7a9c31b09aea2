"""Other users of the machine: they read nothing of what is said, and hold no lock."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.sqlite import SqliteLog
from tests.e2e.server import serving
from tests.storage.facts import said


@pytest.fixture(autouse=True)
def everything_allowed() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(place: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in place.iterdir()}


async def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "new" / "place"
    async with SqliteLog(place / "chat.db") as log:
        await log.append([said("hello")])
        found = modes(place)
        assert {"chat.db", "chat.db-lock", "chat.db-wal", "chat.db-shm"} <= found.keys()
        assert set(found.values()) == {0o600}
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("folder", "open_to_others"), [(0o755, "chat.db"), (0o755, "chat.db-lock"), (0o711, "chat.db")]
)
async def test_who_has_files_that_others_can_use_is_told_so_and_they_stay_as_they_are(
    tmp_path: Path, folder: int, open_to_others: str
) -> None:
    """A folder that others may not list they may still go through."""
    tmp_path.chmod(folder)
    data = tmp_path / "chat.db"
    async with SqliteLog(data):
        pass
    (tmp_path / open_to_others).chmod(0o644)
    async with serving("--data", str(data)) as server:
        (line,) = await server.logs(" WARNING ")
        assert line.endswith(f": chmod 600 {data}*")
    assert modes(tmp_path) == {"chat.db": 0o600, "chat.db-lock": 0o600} | {open_to_others: 0o644}


@pytest.mark.parametrize(("folder", "mode"), [(0o700, 0o644), (0o744, 0o644), (0o755, 0o640)])
async def test_what_others_cannot_reach_is_nothing_to_warn_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, folder: int, mode: int
) -> None:
    data = tmp_path / "chat.db"
    for _ in range(2):
        tmp_path.chmod(folder)
        async with SqliteLog(data) as log:
            assert log._lookout is not None
            log._lookout.look_at_the_mode()
            assert caplog.messages == []
        data.chmod(mode)


async def test_an_empty_file_that_was_made_before_keeps_its_mode(tmp_path: Path) -> None:
    data = tmp_path / "chat.db"
    data.touch(0o640)
    async with SqliteLog(data) as log:
        await log.append([said("hello")])
        assert modes(tmp_path)["chat.db"] == modes(tmp_path)["chat.db-wal"] == 0o640
