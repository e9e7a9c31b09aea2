"""Reading the plain dialect: every line begins with its time."""

import re
from datetime import datetime
from typing import Final

from tests.clients import LineClient

_LINE: Final = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] (.*)")
SECONDS: Final = 10.0
"""How far the time of a line may be from now."""


def timed(line: str) -> tuple[datetime, str]:
    """The time of a line, in this machine's time zone, and what follows it."""
    match = _LINE.fullmatch(line)
    assert match, f"{line!r} has no time"
    return datetime.fromisoformat(match[1]).astimezone(), match[2]


class PlainClient(LineClient):
    """Someone in the plain dialect. The times are checked and taken off."""

    def __init__(self, port: int, nick: str = "") -> None:
        super().__init__(port)
        self._nick = nick

    async def _enter(self) -> None:
        await super()._enter()
        if self._nick:
            await self.send(self._nick)
            while not (await self.hear()).startswith(f"You are {self._nick}, "):
                pass

    async def hear(self) -> str:
        time, text = timed(await self.line())
        assert abs((time - datetime.now().astimezone()).total_seconds()) < SECONDS
        return text

    async def hears(self, *texts: str) -> None:
        """These come next."""
        for text in texts:
            heard = await self.hear()
            assert heard == text, f"{heard!r}, not {text!r}"

    async def hears_nothing(self) -> None:
        """Nothing is waiting: the answer to /leave is the next line. For someone in #general."""
        await self.send("/leave")
        await self.hears("*** You are in #general already.")
