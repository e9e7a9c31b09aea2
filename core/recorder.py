"""The way into the log: messages wait for the batch before them, then go together.

One batch is under way at a time, so the order of the log is the order of arrival, and a slow log
makes larger batches, not more of them. So do many readers: after a batch that was written to many,
a few messages wait a moment for others to share their writes with. One that comes alone never waits.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from core.counters import Counters
from core.facts import Entry, Said, Spoken
from core.log import Log, LogError
from core.session import Session

logger = logging.getLogger("parlour.recorder")

BATCH_CHARACTERS = 262_144
"""Text that one batch may hold,"""

AUDIENCE_CHARACTERS = 32_768
"""and for any one audience: it reaches each reader in one write, which must stay well under sendq."""


SHORT = 32
"""Characters of a short message."""

PACE = 15e-6
"""Seconds between two batches for each delivery of the first: about four times what a write costs,"""

LONGEST = 0.0015
"""but no more than this,"""

ENOUGH = 8
"""and with so many messages it goes at once."""


class Pending:
    """A message on its way into the log, and who waits for it."""

    __slots__ = ("fact", "reader", "session")

    def __init__(self, session: Session, fact: Spoken, reader: Session | None) -> None:
        self.session = session
        self.fact = fact
        self.reader = reader


class Recorder:
    """Hands batches to the log and their outcome to `stored` or `failed`."""

    def __init__(
        self,
        log: Log,
        stored: Callable[[Sequence[Pending], Sequence[Entry]], None],
        failed: Callable[[Sequence[Pending], LogError], None],
        counters: Counters,
    ) -> None:
        self._log = log
        self._stored = stored
        self._failed = failed
        self._counters = counters
        self._pending: deque[Pending] = deque()
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._next = 0.0
        """When the next batch may go, be it as small as it likes."""
        self._enough: asyncio.Future[None] | None = None
        """Waits for more messages to come."""

    def add(self, pending: Pending) -> None:
        self._pending.append(pending)
        if self._enough is not None and len(self._pending) >= ENOUGH:
            self._go()
        self._wanted.set()
        self._idle.clear()

    async def drained(self) -> None:
        """Everything that was added has been stored or has failed."""
        await self._idle.wait()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            while self._pending:
                wait = self._next - time.perf_counter()
                if wait > 0 and len(self._pending) < ENOUGH:
                    await self._gather(wait)
                await self._record(self._take())
            self._wanted.clear()
            self._idle.set()

    async def _gather(self, seconds: float) -> None:
        """Wait for more messages, for a moment at most."""
        loop = asyncio.get_running_loop()
        self._enough = loop.create_future()
        timer = loop.call_later(seconds, self._go)
        try:
            await self._enough
        finally:
            timer.cancel()
            self._enough = None

    def _go(self) -> None:
        if self._enough is not None and not self._enough.done():
            self._enough.set_result(None)

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

    async def _record(self, batch: list[Pending]) -> None:
        began = time.perf_counter()
        try:
            entries = await self._log.append([pending.fact for pending in batch])
        except LogError as error:
            self._failed(batch, error)
        except Exception:  # an adapter's bug must not end the chat: the senders are told, nobody is shown
            logger.exception("the log failed to store %d messages", len(batch))
            self._failed(batch, LogError())
        else:
            self._counters.appended(time.perf_counter() - began)
            before = self._counters.deliveries
            try:
                self._stored(batch, entries)
            except Exception:  # the messages are durable; whoever missed one finds it in the history
                logger.exception("failed to show %d stored messages", len(batch))
            self._next = began + min((self._counters.deliveries - before) * PACE, LONGEST)
        if self._pending:
            await asyncio.sleep(0)  # let the sockets take what was written before the next batch
