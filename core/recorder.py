"""The way into the log: messages wait for the batch before them, then go together.

One batch is under way at a time, so the order of the log is the order of arrival, and a slow log
makes larger batches, not more of them. So do many readers: after a batch that was written to many,
a few messages wait a moment for others to share their writes with. One that comes alone never waits.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from msgspec import Struct

from core.counters import Counters
from core.facts import Entry, Said, Spoken
from core.log import Log, LogError
from core.session import Session

logger = logging.getLogger("parlour.recorder")

BATCH_CHARACTERS = 49_152
"""Text that one batch may hold, for whoever is in all of its rooms,"""

AUDIENCE_CHARACTERS = 32_768
"""and for any one audience: it reaches each reader in one write, which must stay well under sendq.

With letters of four bytes, too.
"""


SHORT = 32
"""Characters of a short message."""

PACE = 15e-6
"""Seconds between two batches for each delivery of the first: about four times what a write costs,"""

LONGEST = 0.0015
"""but no more than this,"""

ENOUGH = 8
"""and with so many messages it goes at once."""


class Pending(Struct, frozen=True, eq=False):
    """A message on its way into the log, and who waits for it."""

    session: Session
    fact: Spoken
    reader: Session | None


class Recorder:
    """Hands batches to the log and their outcome to `stored` or `failed`. `start` runs what has to wait."""

    def __init__(
        self,
        log: Log,
        stored: Callable[[Sequence[Pending], Sequence[Entry]], None],
        failed: Callable[[Sequence[Pending], LogError], None],
        counters: Counters,
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._log = log
        self._stored = stored
        self._failed = failed
        self._counters = counters
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._pending: deque[Pending] = deque()
        self._busy = False
        """A batch is under way, or will be."""
        self._began = 0.0
        """When the batch before began,"""
        self._wrote = 0
        """and to how many it was written."""
        self._gathering: asyncio.TimerHandle | None = None
        """Waits for more messages to come."""
        self._drained: asyncio.Event | None = None
        """Somebody waits for that."""

    def add(self, pending: Pending) -> None:
        self._pending.append(pending)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._next_batch)  # what else comes in this tick goes with it
        elif self._gathering is not None and len(self._pending) >= ENOUGH:
            self._gathering.cancel()
            self._gathering = None
            self._loop.call_soon(self._record)

    async def drained(self) -> None:
        """Everything that was added has been stored or has failed."""
        if self._busy:
            if self._drained is None:
                self._drained = asyncio.Event()
            await self._drained.wait()

    def _next_batch(self) -> None:
        """Record it, now or after a moment in which more messages may come."""
        passed = time.perf_counter() - self._began
        if passed < LONGEST and len(self._pending) < ENOUGH:
            wait = min(self._wrote * PACE, LONGEST) - passed
            if wait > 0:
                self._gathering = self._loop.call_later(wait, self._record)
                return
        self._record()

    def _record(self) -> None:
        self._gathering = None
        began = time.perf_counter()
        if len(self._pending) == 1:
            batch = [self._pending.popleft()]
            facts = [batch[0].fact]
        else:
            batch = self._take()
            facts = [pending.fact for pending in batch]
        try:
            entries = self._log.append_at_once(facts)
        except Exception as error:  # noqa: BLE001 - it is told to whoever waits
            self._refuse(batch, error)
        else:
            if entries is None:
                self._start(self._wait(batch, facts, began))
                return
            self._show(batch, entries, began)
        self._go_on()

    async def _wait(self, batch: Sequence[Pending], facts: Sequence[Spoken], began: float) -> None:
        try:
            entries = await self._log.append(facts)
        except Exception as error:  # noqa: BLE001 - it is told to whoever waits
            self._refuse(batch, error)
        else:
            self._show(batch, entries, began)
        self._go_on()

    def _show(self, batch: Sequence[Pending], entries: Sequence[Entry], began: float) -> None:
        self._counters.appended(time.perf_counter() - began)
        before = self._counters.deliveries
        try:
            self._stored(batch, entries)
        except Exception:  # the messages are durable, and the next ones wait
            logger.exception("failed to show %d stored messages", len(batch))
        self._began, self._wrote = began, self._counters.deliveries - before

    def _refuse(self, batch: Sequence[Pending], error: Exception) -> None:
        """Nothing was stored."""
        if not isinstance(error, LogError):  # an adapter's bug must not end the chat
            logger.error("the log failed to store %d messages", len(batch), exc_info=error)
            error = LogError()
        try:
            self._failed(batch, error)
        except Exception:  # the next ones wait
            logger.exception("failed to tell what became of %d messages", len(batch))

    def _go_on(self) -> None:
        if self._pending:
            self._loop.call_soon(self._next_batch)  # first the sockets take what was written
            return
        self._busy = False
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    def _take(self) -> list[Pending]:
        batch: list[Pending] = []
        pending, whole = self._pending, BATCH_CHARACTERS
        few = len(pending) <= AUDIENCE_CHARACTERS // SHORT
        if few and sum([len(each.fact.text) for each in pending]) <= AUDIENCE_CHARACTERS:
            # Nobody's share can be too much.
            batch.extend(pending)
            pending.clear()
            return batch
        audiences: dict[str | Session | None, int] = {}
        while pending and whole > 0:
            fact = pending[0].fact
            audience = fact.room if isinstance(fact, Said) else pending[0].reader
            share = audiences.get(audience, 0)
            if share > AUDIENCE_CHARACTERS:
                break
            size = len(fact.text)
            audiences[audience] = share + size
            whole -= size
            batch.append(pending.popleft())
        return batch
