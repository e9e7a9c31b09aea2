"""Every adapter of the log, and how a test opens one. A new adapter is one line in ADAPTERS."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import pytest
from msgspec import Struct

from core.log import Log
from storage import searching, sqlite
from storage.memory import MemoryLog
from storage.sqlite import SqliteLog
from storage.worker import Worker
from tests.clients import DEADLINE


class Adapter(Struct, frozen=True):
    """`open` takes a path of its own for the messages and how many to keep of each room."""

    name: str
    open: Callable[[Path, int], AbstractAsyncContextManager[Log]]
    durable: bool


def _memory(_: Path, history_per_room: int) -> MemoryLog:
    return MemoryLog(history_per_room=history_per_room)


def _sqlite(path: Path, history_per_room: int) -> SqliteLog:
    return SqliteLog(path, history_per_room=history_per_room)


ADAPTERS: Final = [
    Adapter("memory", _memory, durable=False),
    Adapter("sqlite", _sqlite, durable=True),
]


@pytest.fixture(autouse=True)
def in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tidying begins when a test says so, and searches may take as long as a busy machine makes them."""
    monkeypatch.setattr(sqlite, "TIDY_EVERY", DEADLINE * 100)
    monkeypatch.setattr(searching, "QUICK", DEADLINE * 10)
    monkeypatch.setattr(searching, "LONG", DEADLINE * 20)


async def tidied(log: Log) -> None:
    """What the adapter does about old messages when it is quiet, done now."""
    if isinstance(log, SqliteLog):
        await log._tidier.trim_rooms()


@asynccontextmanager
async def busy(worker: Worker) -> AsyncIterator[None]:
    """It has something else to do until the end of this block."""
    free = threading.Event()
    working = worker.run(free.wait, DEADLINE)
    try:
        yield
    finally:
        free.set()
        assert await working


class OpenLog(Protocol):
    def __call__(self, *, history_per_room: int = 10_000) -> AbstractAsyncContextManager[Log]:
        """The same messages each time, for an adapter that is durable."""


def _opener(adapter: Adapter, path: Path) -> OpenLog:
    def open_log(*, history_per_room: int = 10_000) -> AbstractAsyncContextManager[Log]:
        return adapter.open(path / "parlour.db", history_per_room)

    return open_log


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
def open_log(request: pytest.FixtureRequest, tmp_path: Path) -> OpenLog:
    """Opens the log of each adapter in turn."""
    return _opener(request.param, tmp_path)


@pytest.fixture(params=[adapter for adapter in ADAPTERS if adapter.durable], ids=lambda adapter: adapter.name)
def open_durable_log(request: pytest.FixtureRequest, tmp_path: Path) -> OpenLog:
    """The same, for the adapters whose messages outlive the process."""
    return _opener(request.param, tmp_path)


@pytest.fixture
async def log(open_log: OpenLog) -> AsyncIterator[Log]:
    async with open_log() as log:
        yield log
