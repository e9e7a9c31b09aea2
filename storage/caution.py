"""Whether a transaction may have to wait for the disk, as far as that can be known."""

import sys
import time
from collections.abc import Callable
from typing import Final

SLOW: Final = 0.0005
"""Seconds. When the event loop waited in a transaction, and that took longer than this,"""

CAUTION: Final = 200
"""it owes so many times as long. What it owes goes by with the time,"""

CREDIT: Final = 1.0
"""and while that is more seconds than this, others are left to the thread. 5 ms now and then are nothing."""


def _idle_time() -> float:
    """It grows by one for each SLOW in which this thread has not run, for whatever reason."""
    return (time.perf_counter() - time.thread_time()) // SLOW


def _waits() -> Callable[[], float]:
    if sys.platform == "linux":
        from resource import RUSAGE_THREAD, getrusage

        def switches() -> float:
            return getrusage(RUSAGE_THREAD).ru_nvcsw

        before = switches()
        time.sleep(1e-4)
        if switches() > before:  # not all that calls itself Linux counts
            return switches
    return _idle_time


waits: Final = _waits()
"""What grows whenever this thread waits: for the disk, or the interpreter. Where the system counts that, it
does not grow when others have its core, or all of the machine."""


class Caution:
    """What is known of the disk: what its stalls cost, and when something is to be flushed to it."""

    def __init__(self) -> None:
        self.checkpoints = 0
        """Begun ones and ended ones: odd while one is under way and keeps the disk busy."""
        self._flushed = -1
        self._paid_at = 0.0
        """When the loop owes nothing any more."""

    @property
    def needed(self) -> bool:
        return (
            self._flushed != self.checkpoints
            or self.checkpoints % 2 == 1
            or time.perf_counter() < self._paid_at - CREDIT
        )

    def flushed(self, checkpoints: int) -> None:
        """A transaction is done that began after so many checkpoints had begun and ended.

        The first one after a checkpoint may begin the write-ahead log anew, and then it is flushed.
        """
        self._flushed = checkpoints

    def took(self, seconds: float, *, before: float) -> None:
        """A transaction of the event loop's; `before` it, `waits()` was so much."""
        if seconds > SLOW and waits() != before:
            self._paid_at = max(self._paid_at, time.perf_counter()) + seconds * CAUTION
