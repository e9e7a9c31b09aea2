"""Looks for those who never log in or have fallen silent: one pass for all, no timer each."""

import asyncio
from collections.abc import Callable, Iterable
from math import ceil
from typing import Final

from core.chores import every
from core.limits import Limits
from core.replies import Bye, IdleWarning
from core.session import Session

STANDSTILL: Final = 1.0
"""Seconds by which a look is late only when the process was stopped, or the machine slept."""


async def watch(
    sessions: Callable[[], Iterable[tuple[Session, float]]],
    limits: Limits,
    tell: Callable[[Session, IdleWarning], None],
    close: Callable[[Session, Bye], None],
) -> None:
    """`sessions` gives every connection with the time at which it was made. Runs until cancelled."""
    spans = [span for span in (limits.login_timeout, limits.idle_timeout) if span]
    if not spans:
        return
    pause, loop = min(1.0, min(spans) / 4), asyncio.get_running_loop()
    warns = 0 < limits.idle_warning < limits.idle_timeout
    before = loop.time()

    async def look() -> None:
        nonlocal before
        if loop.time() - before > STANDSTILL + pause:
            await asyncio.sleep(pause)  # what has come meanwhile waits in the sockets: it is read first
        now = before = loop.time()
        for session, since in list(sessions()):
            if session.nick is None:
                if limits.login_timeout and now - since >= limits.login_timeout:
                    close(session, Bye("login-timeout", f"{limits.login_timeout:g}"))
            elif session.idles and limits.idle_timeout:
                left = limits.idle_timeout - (now - session.heard)
                if left <= 0 and warns and not session.warned:  # the time for that went by in a standstill
                    left = limits.idle_warning
                    session.heard = now - limits.idle_timeout + left
                if left <= 0:
                    close(session, Bye("idle-timeout", f"{limits.idle_timeout:g}"))
                elif warns and not session.warned and left <= limits.idle_warning:
                    session.warned = True
                    tell(session, IdleWarning(ceil(left)))

    await every(pause, "look for those who are silent", look)
