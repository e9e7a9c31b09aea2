"""What all tests share. The clients are in `clients.py`, the ways to a whole Parlour in `doors.py`."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest
from hypothesis import settings

from core.chat import Chat
from storage.memory import MemoryLog
from tests.doors import UNLIMITED, Doors, open_doors

# A busy machine is no reason for a test to fail.
settings.register_profile("parlour", deadline=None)
settings.load_profile("parlour")

NewLoop = Callable[[], asyncio.AbstractEventLoop]


class _SkippingSelector(selectors.DefaultSelector):
    """The loop's own clock: it moves where the loop would wait, and by a microsecond with each turn."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select()
        self.seconds += max(timeout, 0.000_001)
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop on which an hour passes at once when everybody waits. For code that does no I/O.

    How long work takes is not in its clock: a busy machine is no reason for a test to fail.
    """

    def __init__(self) -> None:
        self._skipping = _SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.seconds

    def stop_for(self, seconds: float) -> None:
        """As if the process had been stopped so long: nothing is done meanwhile."""
        self._skipping.seconds += seconds


def _loops() -> dict[str, NewLoop]:
    loops: dict[str, NewLoop] = {"asyncio": asyncio.SelectorEventLoop}
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return loops
    return loops | {"uvloop": uvloop.new_event_loop}


LOOPS: Final = _loops()
ON_EVERY_LOOP: Final = {"tcp_frontend", "ws_frontend"}


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, NewLoop]:
    """The front ends are tested on both event loops; a module may ask for the loop that skips waiting."""
    del config
    marker = item.get_closest_marker("asyncio")
    if marker and "loop_factories" in marker.kwargs:
        return LOOPS | {"skipping": SkippingLoop}
    return LOOPS if item.path.parent.name in ON_EVERY_LOOP else {"asyncio": LOOPS["asyncio"]}


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    """The chat alone, in this process, without limits of time or pace."""
    async with Chat(MemoryLog(), limits=UNLIMITED) as chat:
        yield chat


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    """The chat with both doors, on real sockets, without limits of time or pace."""
    async with open_doors() as doors:
        yield doors
