"""A log that lives as long as the process: `--data memory`."""

import secrets
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from itertools import islice
from types import TracebackType
from typing import Self, assert_never

from core.facts import Entry, Said, Shouted, Spoken, Told
from core.log import Between, InRoom, Page, Place
from core.names import Folded, RoomName, fold


class MemoryLog:
    """Keeps the newest `history_per_room` entries of each room and each pair of people."""

    def __init__(self, *, history_per_room: int = 10_000) -> None:
        keep = history_per_room or None
        self.epoch = secrets.token_hex(8)
        self.last_id = 0
        self._rooms: defaultdict[RoomName, deque[Entry]] = defaultdict(lambda: deque(maxlen=keep))
        self._pairs: defaultdict[tuple[str, Folded], deque[Entry]] = defaultdict(lambda: deque(maxlen=keep))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def append(self, batch: Sequence[Spoken]) -> Sequence[Entry]:
        now = time.time_ns() // 1_000_000
        return [self._store(fact, now) for fact in batch]

    def _store(self, fact: Spoken, now: int) -> Entry:
        self.last_id += 1
        entry = Entry(self.last_id, now, fact)
        match fact:
            case Said():
                self._rooms[fact.room].append(entry)
            case Told():
                for pair in {(fact.author, fold(fact.to)), (fact.reader, fold(fact.nick))}:
                    self._pairs[pair].append(entry)
            case Shouted():
                pass  # belongs to no room; it is in no history
            case _:
                assert_never(fact)
        return entry

    async def history(self, place: Place, *, before: int | None, limit: int) -> Page:
        kept: Iterable[Entry]
        match place:
            case InRoom():
                kept = reversed(self._rooms.get(place.room, ()))
            case Between():
                kept = reversed(self._pairs.get((place.reader, place.nick), ()))
            case _:
                assert_never(place)
        older = (entry for entry in kept if before is None or entry.id < before)
        newest = list(islice(older, limit + 1))
        return Page(tuple(reversed(newest[:limit])), more=len(newest) > limit)
