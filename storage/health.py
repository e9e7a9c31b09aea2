"""Whether anything could be stored now, for those who ask again and again."""

import asyncio
from typing import Final

from core.log import LogError
from storage import schema
from storage.writer import Writer

FRESH: Final = 5.0
"""Seconds for which a good outcome holds, unless something could not be written meanwhile."""

PATIENCE: Final = 2.0
"""Seconds after which whoever asks has an answer."""


class Health:
    """One attempt at a time, whoever asks: it writes as much as a few messages do."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._attempt: asyncio.Task[LogError | None] | None = None
        self._well_until = 0.0
        self._failures = 0
        """The writer had so many when all was well."""

    async def check(self) -> None:
        """Raises LogError."""
        writer = self._writer
        if not writer.lost and writer.failures == self._failures and self._loop.time() < self._well_until:
            return
        if self._attempt is None or self._attempt.done():
            self._attempt = self._loop.create_task(self._try())
        done, _ = await asyncio.wait([self._attempt], timeout=PATIENCE)
        if not done:
            raise LogError("storage-failed", "To store takes too long")
        error = self._attempt.result()
        if error is not None:
            raise error

    async def end(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait([self._attempt])

    async def _try(self) -> LogError | None:
        failures = self._writer.failures
        try:
            await self._writer.run(self._store)
        except LogError as error:
            return error
        self._failures, self._well_until = failures, self._loop.time() + FRESH
        return None

    def _store(self) -> None:
        schema.try_storing(self._writer.connection)
        self._writer.rows += schema.PROBE_PAGES  # else the write-ahead log would grow until many have spoken
