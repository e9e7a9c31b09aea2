"""Logs that are slow or fail when a test wants them to."""

import asyncio
from collections.abc import Sequence

from core.facts import Entry, Spoken
from core.log import LogError, Page, Place, Reader, Record
from core.names import RoomName
from storage.memory import MemoryLog
from tests.clients import DEADLINE, within


class HeldLog(MemoryLog):
    """A slow log: each batch waits for `release`. With `fail`, a batch is refused instead of stored.

    `stores_first`: it has the batch already while it waits, as a database does that still syncs.
    """

    def __init__(self, *, stores_first: bool = False) -> None:
        super().__init__()
        self._stores_first = stores_first
        self._turns: asyncio.Queue[Exception | None] = asyncio.Queue()
        self._asked = asyncio.Event()
        self.batches: list[list[Spoken]] = []

    def append_at_once(self, batch: Sequence[Spoken]) -> None:  # type: ignore[override]  # it never can
        del batch

    async def append(self, batch: Sequence[Spoken]) -> Sequence[Entry]:
        self.batches.append(list(batch))
        self._asked.set()
        entries = super().append_at_once(batch) if self._stores_first else []
        error = await self._turns.get()
        if error is not None:
            raise error
        return entries if self._stores_first else super().append_at_once(batch)

    async def is_asked(self, times: int = 1) -> None:
        """So many batches have come in all."""
        async with within(DEADLINE):
            while len(self.batches) < times:
                self._asked.clear()
                await self._asked.wait()

    def release(self, times: int = 1) -> None:
        for _ in range(times):
            self._turns.put_nowait(None)

    def fail(self, error: Exception | None = None) -> None:
        self._turns.put_nowait(error or LogError())


class SlowPast(MemoryLog):
    """A log whose history is read when it is told to, or cannot be read at all."""

    def __init__(self, *, error: Exception | None = None) -> None:
        super().__init__()
        self._error = error
        self.may_read = asyncio.Event()
        self.asked = asyncio.Event()

    async def history(self, place: Place, *, before: int | None, limit: int) -> Page:
        if self._error is not None:
            raise self._error
        self.asked.set()
        await self.may_read.wait()
        return await super().history(place, before=before, limit=limit)

    async def is_asked(self) -> None:
        async with within(DEADLINE):
            await self.asked.wait()
        self.asked.clear()


class SlowSince(MemoryLog):
    """Reads what was missed when it is told to, or cannot."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self._fails = fails
        self.asked = asyncio.Event()
        self.may = asyncio.Event()

    async def since(self, reader: Reader, *, after: int, upto: int, limit: int) -> Sequence[Entry] | None:
        if self._fails:
            raise LogError
        self.asked.set()
        await self.may.wait()
        return await super().since(reader, after=after, upto=upto, limit=limit)


class SlowSearch(MemoryLog):
    """Searches until it is given up."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.given_up = asyncio.Event()

    async def search(
        self, reader: Reader, words: str, *, room: RoomName | None, upto: int, limit: int
    ) -> Sequence[Entry]:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()
        raise AssertionError("nobody wakes it")


class SlowRecall(MemoryLog):
    """Who asks first for what a token takes back gets it when it is told to, as it was when it was read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.may = asyncio.Event()

    async def recall(self, token: bytes) -> Record | None:
        record = await super().recall(token)
        if not self.asked.is_set():
            self.asked.set()
            await self.may.wait()
        return record
