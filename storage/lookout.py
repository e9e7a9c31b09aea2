"""Looks after the files while the server runs: SQLite goes on with those that were moved or replaced."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.chores import every
from storage.holding import Watch, is_open_to_others
from storage.worker import Worker
from storage.writer import Writer

logger = logging.getLogger("parlour.storage")

WATCH_EVERY: Final = 1.0
"""Seconds between two looks whether the file is where it was."""


class Lookout:
    """`worker` does what may wait for the disk. `ours` says whether no other server has begun on the file."""

    def __init__(
        self, path: Path, files: Watch, writer: Writer, worker: Worker, *, ours: Callable[[], bool]
    ) -> None:
        self._path = path
        self._files = files
        self._writer = writer
        self._worker = worker
        self._ours = ours
        self.was_lost = False
        """A file was not where it is to be, at least once."""
        self._given_up = False

    async def keep(self) -> None:
        """Runs until cancelled."""
        await asyncio.sleep(WATCH_EVERY)  # a server that cannot start says why, in one line and nothing else
        self.look_at_the_mode()
        await every(WATCH_EVERY, "see whether the files are there", self.look)

    def look_at_the_mode(self) -> None:
        with suppress(OSError):
            if is_open_to_others(self._path):
                advice = "other users of this machine can read %s, or keep it from you: chmod 600 %s*"
                logger.warning(advice, self._path, self._path)

    async def look(self) -> None:
        writer = self._writer
        missing = await self._worker.run(self._files.missing)
        if missing is not None and not writer.lost:
            writer.lost = self.was_lost = True
            logger.error(
                "%s was moved, removed or replaced while this server has it open: nothing is stored any more."
                " Put that very file back, with all that lay beside it, or stop the server, put the right"
                " files there and start again",
                missing,
            )
        elif missing is None and writer.lost and not self._given_up:
            with suppress(sqlite3.Error):  # the next look will tell
                await self._see_whose_it_is()

    async def _see_whose_it_is(self) -> None:
        """While the lock was away another server may have begun, and gone on with other ids."""
        if await self._worker.run(self._ours):
            self._writer.lost = False
            logger.warning("%s is back: messages are stored again", self._path)
        else:
            self._given_up = True
            logger.error("%s is back, but another server had it meanwhile: start this one again", self._path)
