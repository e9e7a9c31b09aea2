"""Which connections of a door are open."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class OpenConnections(Generic[T]):
    def __init__(self) -> None:
        self._open: set[T] = set()
        self._last_closed = asyncio.Event()

    def add(self, connection: T) -> None:
        self._open.add(connection)

    def discard(self, connection: T) -> None:
        self._open.discard(connection)
        if not self._open:
            self._last_closed.set()

    def __iter__(self) -> Iterator[T]:
        """Over those that are open now: connections may come and go meanwhile."""
        return iter(list(self._open))

    async def all_closed(self, patience: float) -> None:
        """Returns when none is open, or after so many seconds."""
        self._last_closed.clear()
        if self._open:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._last_closed.wait(), patience)
