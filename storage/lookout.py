"""Looks after the file while the server runs: SQLite goes on with one that was moved, removed or replaced."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Final

from storage.holding import Watch, is_open_to_others
from storage.worker import Worker
from storage.writer import Writer

logger = logging.getLogger("parlour.storage")

WATCH_EVERY: Final = 1.0
"""Seconds between two looks whether the file is where it was."""


class Lookout:
    """`worker` does what may wait for the disk."""

    def __init__(self, path: Path, files: Watch, writer: Writer, worker: Worker) -> None:
        self._path = path
        self._files = files
        self._writer = writer
        self._worker = worker
        self.was_lost = False
        """The file was not where it is to be, at least once."""

    async def keep(self) -> None:
        """Runs until cancelled."""
        await asyncio.sleep(WATCH_EVERY)  # what cannot begin has one line to say, and that is another one
        self.look_at_the_mode()
        while True:
            await self.look()
            await asyncio.sleep(WATCH_EVERY)

    def look_at_the_mode(self) -> None:
        with suppress(OSError):
            if is_open_to_others(self._path):
                advice = "other users of this machine can read %s, or keep it from you: chmod 600 %s*"
                logger.warning(advice, self._path, self._path)

    async def look(self) -> None:
        writer = self._writer
        lost = not await self._worker.run(self._files.all_there)
        if lost and not writer.lost:
            self.was_lost = True
            logger.error(
                "%s was moved, removed or replaced while this server has it open: nothing is stored any more."
                " Put it back with its -wal, or stop the server, put the right file there and start again",
                self._path,
            )
        elif writer.lost and not lost:
            logger.warning("%s is back: messages are stored again", self._path)
        writer.lost = lost
