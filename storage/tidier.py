"""Does what nobody waits for, when it is quiet: the word index, and what is too old to keep."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from core.facts import Said, Spoken
from core.log import LogError
from core.names import RoomName
from storage import tidying
from storage.checkpoints import Checkpoints
from storage.writer import Writer

BUSY: Final = 2_000
"""Messages since the last look from which on tidying waits,"""

BACKLOG: Final = 50_000
"""unless so many are not in the word index yet."""

SLACK_MAX: Final = 10_000
"""Messages by which a room may be over its limit before it is trimmed."""


class Tidier:
    """`newest`: the id of the newest message. `indexed`: that of the last one in the word index.

    `all_rooms` are the rooms that have messages. 0 turns a retention limit off.
    """

    def __init__(
        self,
        writer: Writer,
        checkpoints: Checkpoints,
        *,
        newest: Callable[[], int],
        indexed: int,
        all_rooms: Callable[[], Awaitable[Sequence[RoomName]]],
        history_per_room: int,
        history_days: float,
    ) -> None:
        self._writer = writer
        self._checkpoints = checkpoints
        self._newest = newest
        self._indexed = indexed
        self._all_rooms = all_rooms
        self._history_per_room = history_per_room
        self._history_days = history_days
        self._loop = asyncio.get_running_loop()
        self._fresh: defaultdict[RoomName, int] = defaultdict(int)
        """Messages in a room since it was trimmed."""
        self._recent = 0
        """Messages since the last look."""
        self._rooms_unknown = bool(history_per_room)
        """The last run may have left rooms over the limit, or it was another one."""
        self._next_hour = 0.0

    def appended(self, batch: Sequence[Spoken]) -> None:
        self._recent += len(batch)
        for fact in batch:
            if isinstance(fact, Said):
                self._fresh[fact.room] += 1

    async def look(self) -> None:
        """Do what there is to do, unless it is busy. Raises LogError, and tries again the next time."""
        await self._checkpoints.make()
        recent, self._recent = self._recent, 0
        if recent > BUSY and self._newest() - self._indexed < BACKLOG:
            return
        if self._rooms_unknown:
            for room in await self._all_rooms():
                self._fresh[room] = max(self._fresh[room], SLACK_MAX)
            self._rooms_unknown = False
        await self.trim_rooms()  # first: what goes need not go through the index
        if self._indexed < self._newest():
            while await self.index_some():
                await self._checkpoints.make()
        if self._loop.time() >= self._next_hour:
            await self._forget()
            self._next_hour = self._loop.time() + 3600

    async def index_some(self) -> bool:
        """Whether there may be more."""
        newest = self._newest()
        more = await self._writer.run(tidying.index_some, self._writer.connection)
        if not more:
            self._indexed = newest
        return more

    async def trim_rooms(self) -> None:
        keep = self._history_per_room
        if not keep:
            return
        slack = min(max(100, keep // 20), SLACK_MAX)  # trimming has its price: not for each message
        for room in [room for room, fresh in self._fresh.items() if fresh >= slack]:
            fresh = self._fresh.pop(room)  # what comes meanwhile counts for the next time
            try:
                while await self._writer.run(tidying.trim_room, self._writer.connection, room, keep):
                    await self._checkpoints.make()  # each step writes many pages
            except LogError:
                self._fresh[room] += fresh
                raise

    async def _forget(self) -> None:
        """What is too old."""
        database, days = self._writer.connection, self._history_days
        while days and await self._writer.run(tidying.trim_days, database, days):
            await self._checkpoints.make()
        while await self._writer.run(tidying.forget_sessions, database):
            await self._checkpoints.make()
