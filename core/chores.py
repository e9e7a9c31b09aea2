"""Work that is done every few seconds, whatever became of the time before."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

logger = logging.getLogger("parlour.chores")


async def every(seconds: float, what: str, work: Callable[[], Awaitable[None] | None]) -> NoReturn:
    """Runs until cancelled. `what` is for the log, where it failed for a reason that nobody thought of."""
    while True:
        await asyncio.sleep(seconds)
        try:
            waits = work()
            if waits is not None:
                await waits
        except Exception:
            logger.exception("failed to %s, which is tried again", what)
