"""Whether a transaction may have to wait for the disk, as far as that can be known."""

import time
from typing import Final

SLOW: Final = 0.0005
"""Seconds. When the event loop waited longer than this in a transaction,"""

CAUTION: Final = 200
"""it leaves all others to the thread for so many times as long."""


class Caution:
    """What is known of the disk: when it was slow, and when something is to be flushed to it."""

    def __init__(self) -> None:
        self.checkpoints = 0
        """Begun ones and ended ones: odd while one is under way and keeps the disk busy."""
        self._flushed = -1
        self._slow_until = 0.0

    @property
    def needed(self) -> bool:
        return (
            self._flushed != self.checkpoints
            or self.checkpoints % 2 == 1
            or time.perf_counter() < self._slow_until
        )

    def flushed(self, checkpoints: int) -> None:
        """A transaction is done that began after so many checkpoints had begun and ended.

        The first one after a checkpoint may begin the write-ahead log anew, and then it is flushed.
        """
        self._flushed = checkpoints

    def waited(self, seconds: float) -> None:
        """The event loop has, in a transaction."""
        if seconds > SLOW:
            self._slow_until = time.perf_counter() + seconds * CAUTION
