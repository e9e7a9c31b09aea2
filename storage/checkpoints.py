"""Brings what the write-ahead log has gathered into the file, beside the writer."""

import contextlib
import logging
import sqlite3
from typing import Final

from core.log import LogError
from storage.worker import Worker
from storage.writer import Writer

logger = logging.getLogger("parlour.storage")

CHECKPOINT: Final = 1_000
"""Rows that were written since the last checkpoint, for another one. Each takes a page or two."""

LOG_MAX: Final = 4_000
"""Pages of the write-ahead log from which on messages wait for a checkpoint: else it could grow for ever."""


class Checkpoints:
    """They have a connection and a thread of their own: no message waits for them."""

    def __init__(self, writer: Writer, connection: sqlite3.Connection, worker: Worker) -> None:
        self._writer = writer
        self._connection = connection
        self._worker = worker
        self._rows: int | None = 0
        """The writer had written so many when the last checkpoint was over; None until that is known."""

    async def make(self) -> None:
        """If there is enough to do. Raises LogError.

        Never twice on this thread without a commit in between: a checkpoint that has nothing to do, while the
        log begins anew under it, may lose pages in SQLite before 3.51.3 (https://sqlite.org/wal.html, the
        "WAL-reset bug"). Under one that the writer makes itself nothing begins.
        """
        writer = self._writer
        if self._rows is None:  # the writer could not be asked: what it committed meanwhile may not count
            self._rows = await self._written()
        if writer.rows - self._rows < CHECKPOINT:
            return
        self._rows = None
        writer.caution.checkpoints += 1
        try:
            pages = await self._worker.run(_checkpoint, self._connection)
        except sqlite3.Error as error:
            logger.error("cannot make a checkpoint: %s", error)
        else:
            if pages > LOG_MAX:  # it begins anew only when nothing was written since its last page was taken
                with contextlib.suppress(LogError):  # it was logged
                    await writer.run(_checkpoint, writer.connection)
        writer.caution.checkpoints += 1
        self._rows = await self._written()

    async def _written(self) -> int:
        """How many rows, at a moment when no commit is under way. Raises LogError while the file is lost."""
        return await self._writer.run(lambda: self._writer.rows)


def _checkpoint(database: sqlite3.Connection) -> int:
    """Bring pages from the write-ahead log into the file, waiting for nobody; how many pages it has."""
    _, pages, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)
