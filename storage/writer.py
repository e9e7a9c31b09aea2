"""The connection that writes: on a thread of its own, or on the event loop's where nothing makes it wait."""

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from core.log import LogError
from storage import schema
from storage.caution import Caution, waits
from storage.errors import log_error
from storage.worker import Worker

T = TypeVar("T")

logger = logging.getLogger("parlour.storage")


class Writer:
    """`flushes`: each transaction waits for the disk."""

    def __init__(self, path: Path, connection: sqlite3.Connection, worker: Worker, *, flushes: bool) -> None:
        self._path = path
        self.connection = connection
        self.cursor = connection.cursor()
        """For what is asked often: else each statement makes one."""
        self._worker = worker
        self._flushes = flushes
        self._not_at_once = flushes
        self._lost = False
        self.caution = Caution()
        self.rows = 0
        """Written so far, and committed."""
        self.failures = 0
        self._patient = True
        """It waits for other programs that write."""

    @property
    def lost(self) -> bool:
        """A file is not where it was: what were stored now would be lost, so nothing is."""
        return self._lost

    @lost.setter
    def lost(self, lost: bool) -> None:
        self._lost = lost
        self._not_at_once = lost or self._flushes

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """On the thread. Raises LogError, and then nothing of it was stored."""
        if self._lost:
            raise LogError("storage-failed", "A file of the messages is gone; tell who runs this server")
        if not self._patient:  # so nothing is under way there
            self._wait_for_others(schema.PATIENCE)
        return await self._worker.run(self._on_its_thread, self.caution.checkpoints, work, *args)

    def at_once(self, work: Callable[..., T], *args: object) -> T | None:
        """On this thread, the event loop's. None when it might have to wait, or nothing could be stored.

        Whoever calls it adds to `rows`: to ask the connection for them costs too much of what this saves.
        """
        if self._not_at_once or self._worker.under_way or self.caution.needed:
            return None
        if self.connection.in_transaction:  # it could not be rolled back
            return None
        if self._patient:
            self._wait_for_others(0)
        began, before = time.perf_counter(), waits()
        try:
            return work(*args)
        except Exception as error:
            with suppress(sqlite3.Error):  # its thread will end what is still open
                self._roll_back()
            if not isinstance(error, sqlite3.Error):
                raise
            return None  # on its thread the writer can wait, and say what is wrong
        finally:
            self.caution.took(time.perf_counter() - began, before=before)

    def _wait_for_others(self, seconds: float) -> None:
        """How long, while another program is writing."""
        self._patient = bool(seconds)
        self.connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")

    def _on_its_thread(self, checkpoints: int, work: Callable[..., T], *args: object) -> T:
        rows = self.rows
        try:
            result = self._or_roll_back(work, *args)
        except sqlite3.Error as error:
            self.failures += 1
            logger.error("cannot write %s: %s", self._path, error)
            raise log_error(error) from error
        if self.rows > rows:
            self.caution.flushed(checkpoints)
        return result

    def _or_roll_back(self, work: Callable[..., T], *args: object) -> T:
        self._roll_back()
        before = self.connection.total_changes
        try:
            result = work(*args)
        finally:
            self._roll_back()
        self.rows += self.connection.total_changes - before
        return result

    def _roll_back(self) -> None:
        """What was begun and not committed."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
