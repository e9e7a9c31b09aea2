"""The way into the log: messages wait for the batch before them, then go together.

One batch is under way at a time, so the order of the log is the order of arrival, and a slow log
makes larger batches, not more of them.
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

    def add(self, pending: Pending) -> None:
        self._pending.append(pending)
        self._wanted.set()
        self._idle.clear()

    async def drained(self) -> None:
        """Everything that was added has been stored or has failed."""
        await self._idle.wait()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            while self._pending:
                await self._record(self._take())
            self._wanted.clear()
            self._idle.set()

    def _take(self) -> list[Pending]:
        batch: list[Pending] = []
        pending, whole = self._pending, BATCH_CHARACTERS
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
            try:
                self._stored(batch, entries)
            except Exception:  # the messages are durable; whoever missed one finds it in the history
                logger.exception("failed to show %d stored messages", len(batch))
        if self._pending:
            await asyncio.sleep(0)  # let the sockets take what was written before the next batch
