"""Log lines that somebody else can cause at will."""

import logging
import time
from collections.abc import Callable
from typing import Final

EVERY: Final = 1.0
"""Seconds between two lines of a kind."""


class Sparing:
    """Writes lines of one kind, one a second at most; the next one says how many were left out."""

    def __init__(
        self,
        logger: logging.Logger,
        level: int = logging.WARNING,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._level = level
        self._clock = clock
        self._next = 0.0
        self._left_out = 0

    def log(self, text: str, *values: object) -> None:
        now = self._clock()
        if now < self._next:
            self._left_out += 1
            return
        if self._left_out:
            text, values = f"{text} (%d like this were not logged)", (*values, self._left_out)
        self._next, self._left_out = now + EVERY, 0
        self._logger.log(self._level, text, *values)
