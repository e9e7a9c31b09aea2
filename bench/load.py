"""One room that is talked in, from two sides: who speaks, and who listens and checks what is heard.

- A text is `@`, the speaker's number, the number of its message, the time at which it was due, and dots.
- A listener counts the `@` in each chunk it gets and takes the chunk into a checksum: no work per message.
- A few listeners on each door are watchers. They look at each message: none lost, doubled or out of order,
  and how late. All listeners of a door hear the same bytes, so one whose checksum is not the watchers'
  has heard something else.
- Speakers hear the others too. They are not shown what they said themselves, so they only count.
"""

import asyncio
import os
import re
import time
from abc import ABC, abstractmethod
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from zlib import crc32

from bench.measuring import PATIENCE, Ticker
from bench.people import Crowd, DoorName, Member, around

MARK: Final = b"@"
"""Nothing else on the wire has it: no time, no name, no length of a frame (64, 320 and so on)."""

STAMP: Final = re.compile(rb"@(\d\d)(\d{8})(\d{12})")
STAMP_SIZE: Final = 1 + 2 + 8 + 12
SIZE: Final = 64
"""Bytes of a text."""

STALL: Final = 1.5
"""Seconds without a delivery after which a closed loop has come to a standstill."""

SWEEP: Final = 0.02
"""Seconds between two reads of a listener that is not watched, in an open loop."""

SWEEP_BYTES: Final = 16_384
"""What may come for it meanwhile: below what the kernel holds, so that the server never notices."""

READ: Final = 65_536
"""Bytes that are read at once."""

TICK: Final = 0.0005
"""Seconds between two sendings in an open loop, if the rate does not ask for fewer."""


class Faults(Counter[str]):
    """What must not happen, by kind: lost, doubled, disordered, different, disconnected, stalls."""


class Hearer(asyncio.Protocol, ABC):
    """Whoever is in the room."""

    count = 0
    """Messages heard."""

    def __init__(self, room: "Room", member: Member) -> None:
        self.room = room
        self.member = member

    @abstractmethod
    def data_received(self, data: bytes) -> None: ...

    def sweep(self) -> None:
        """Read what is there, while the event loop does not."""
        try:
            while data := os.read(self.descriptor, READ):
                self.data_received(data)
                if len(data) < READ:
                    return
        except BlockingIOError:
            return
        except ConnectionError:
            pass
        self.member.gone = True

    def leave_to_sweep(self) -> None:
        self.descriptor = self.member.transport.get_extra_info("socket").fileno()
        self.member.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.member.gone = True


class Speaker(Hearer):
    def __init__(self, room: "Room", member: Member, number: int, size: int) -> None:
        super().__init__(room, member)
        before, self._after = around(member.wish.door, room.name, size)
        self._before = before + b"@%02d" % number
        self._after = b"." * (size - STAMP_SIZE) + self._after
        self.said = 0

    def say(self, times: int, due: int) -> None:
        """`due` is in nanoseconds since the room began."""
        first = self.said
        self.said = first + times
        stamp = b"%012d" % due + self._after
        self.member.transport.write(
            b"".join([self._before + b"%08d" % number + stamp for number in range(first, first + times)])
        )

    def data_received(self, data: bytes) -> None:
        self.count += data.count(MARK)


class Listener(Hearer):
    checksum = 0

    def data_received(self, data: bytes) -> None:
        self.checksum = crc32(data, self.checksum)
        heard = data.count(MARK)
        if heard:
            before = self.count
            self.count = before + heard
            self.room.listened(before, self.count)


class Watcher(Listener):
    def __init__(self, room: "Room", member: Member, speakers: int) -> None:
        super().__init__(room, member)
        self._rest = b""
        self._next = [0] * speakers

    def data_received(self, data: bytes) -> None:
        room = self.room
        now = time.perf_counter_ns() - room.begun
        whole = self._rest + data
        end = 0
        for found in STAMP.finditer(whole):
            end = found.end()
            speaker, number, due = int(found[1]), int(found[2]), int(found[3])
            expected = self._next[speaker]
            if number != expected:
                room.faults["doubled" if number < expected else "disordered"] += 1
            self._next[speaker] = number + 1
            if due >= room.counted_from:
                room.latencies.append(now - due)
            if self is room.leader:
                room.order.append(speaker)
        start = whole.rfind(MARK, end)
        self._rest = whole[start:] if start >= 0 else b""
        super().data_received(data)


class Room:
    """A load on one room whose members are all here."""

    def __init__(
        self,
        crowd: Crowd,
        members: Sequence[Member],
        *,
        speakers: int,
        watchers: int,
        size: int = SIZE,
        name: str = "#general",
    ) -> None:
        """`watchers` is their number on each door."""
        self.name = name
        self.begun = time.perf_counter_ns()
        self.counted_from = 1 << 62
        """Latency is that of messages due from here on, in nanoseconds since the room began."""
        self.latencies = array("q")
        self.faults = Faults()
        self.order: list[int] = []
        """Who said the messages, as the first watcher has heard them."""
        self._crowd = crowd
        self._at = Counter[int]()
        """How many listeners have heard so many messages."""
        self._all_heard = 0
        self.window = 0
        spoken, listening = _split(members, speakers)
        self.speakers = [Speaker(self, member, n, size) for n, member in enumerate(spoken)]
        self.listeners: list[Listener] = []
        for door in ("tcp", "web"):
            there = [member for member in listening if member.wish.door == door]
            step = max(1, len(there) // max(1, watchers))
            for n, member in enumerate(there):
                watched = n % step == 0 and n // step < watchers
                self.listeners.append(Watcher(self, member, speakers) if watched else Listener(self, member))
        self.watchers = [each for each in self.listeners if isinstance(each, Watcher)]
        self.leader = self.watchers[0]
        self._at[0] = len(self.listeners)
        for hearer in self.hearers:
            hearer.member.transport.set_protocol(hearer)

    @property
    def hearers(self) -> Sequence[Hearer]:
        return [*self.speakers, *self.listeners]

    def now(self) -> int:
        return time.perf_counter_ns() - self.begun

    def said(self) -> int:
        return sum(speaker.said for speaker in self.speakers)

    def delivered(self) -> int:
        return sum(hearer.count for hearer in self.hearers)

    # ------------------------------------------------------------------ a closed loop

    def listened(self, before: int, now: int) -> None:
        """Someone has heard so many messages; what all have heard is followed by the next."""
        at = self._at
        at[now] += 1
        at[before] -= 1
        if at[before]:
            return
        del at[before]
        heard_by_all = self._all_heard
        if before != heard_by_all:
            return
        upto = heard_by_all
        while upto not in at:
            upto += 1
        self._all_heard = upto
        if self.window:
            due = self.now()
            for number, times in Counter(self.order[heard_by_all:upto]).items():
                self.speakers[number].say(times, due)

    async def converse(self, window: int, seconds: float) -> None:
        """Each speaker has so many messages under way, and says the next when all listeners have one."""
        self.window = window
        for speaker in self.speakers:
            speaker.say(window, self.now())
        end, before = time.monotonic() + seconds, -1
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, STALL))
            heard = len(self.order)
            if left >= STALL and heard == before:
                self.faults["stalls"] += 1
                return
            before = heard

    # ------------------------------------------------------------------ an open loop

    @asynccontextmanager
    async def swept(self, rate: float, size: int = SIZE) -> AsyncIterator[None]:
        """Those who are not watched are read now and then: cheap for us, and the server cannot tell."""
        lazy = [each for each in self.hearers if not isinstance(each, Watcher)]
        for each in lazy:
            each.leave_to_sweep()
        every = min(SWEEP, SWEEP_BYTES / (rate * (size + 120)))
        sweeping = asyncio.create_task(self._sweep(lazy, every))
        try:
            yield
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            for each in lazy:
                if not each.member.gone:
                    each.member.transport.resume_reading()

    async def _sweep(self, lazy: Sequence[Hearer], every: float) -> None:
        """A few each millisecond, so that no watcher waits for long."""
        loop = asyncio.get_running_loop()
        share = max(1, round(len(lazy) * 0.001 / every))
        while True:
            for start in range(0, len(lazy), share):
                began = loop.time()
                for each in lazy[start : start + share]:
                    if not each.member.gone:
                        each.sweep()
                await asyncio.sleep(max(0.0, 0.001 - (loop.time() - began)))

    async def offer(self, rate: float, seconds: float) -> None:
        """So many messages a second, whatever becomes of them. Each is due when the clock says so."""
        number, done = 0, asyncio.get_running_loop().create_future()
        period = max(TICK, 1 / rate)
        begin, ticks = self.now(), 0
        messages = round(rate * seconds)

        def send(due: int) -> None:
            nonlocal number, ticks
            ticks += 1
            upto = min(messages, round(ticks * period * rate))
            times, more = divmod(upto - number, len(self.speakers))
            for n in range(len(self.speakers) if times else more):
                speaker = self.speakers[(number + n) % len(self.speakers)]
                speaker.say(times + (n < more), due - self.begun)
            number = upto
            if number == messages and not done.done():
                done.set_result(None)

        with Ticker(self.begun + begin, period, send):
            await done

    # ------------------------------------------------------------------ the end

    async def finish(self) -> None:
        """Until everything said was heard by everyone, or is lost. Counts the faults."""
        self.window = 0
        last, since = -1, time.monotonic()
        while time.monotonic() - since < PATIENCE:
            heard = self.delivered()
            if heard == self._expected():
                break
            if heard != last:
                last, since = heard, time.monotonic()
            await asyncio.sleep(0.01)
        said = self.said()
        for speaker in self.speakers:
            self._miscounted(said - speaker.said - speaker.count)
        for listener in self.listeners:
            self._miscounted(said - listener.count)
        for door in ("tcp", "web"):
            there = [each for each in self.listeners if each.member.wish.door == door]
            right = {each.checksum for each in there if isinstance(each, Watcher)}
            wrong = sum(each.checksum not in right for each in there) + max(0, len(right) - 1)
            self._count("different", wrong)
        self._count("disconnected", sum(each.member.gone for each in self.hearers))

    def _expected(self) -> int:
        return self.said() * (len(self.listeners) + len(self.speakers) - 1)

    def _miscounted(self, missing: int) -> None:
        self._count("lost" if missing > 0 else "doubled", abs(missing))

    def _count(self, kind: str, number: int) -> None:
        if number:
            self.faults[kind] += number


def _split(members: Iterable[Member], speakers: int) -> tuple[list[Member], list[Member]]:
    """Those who speak, from both doors in turn, and those who listen."""
    doors: dict[DoorName, list[Member]] = {"tcp": [], "web": []}
    for member in members:
        doors[member.wish.door].append(member)
    spoken: list[Member] = []
    while len(spoken) < speakers:
        spoken += [doors[door].pop(0) for door in ("tcp", "web") if doors[door]][: speakers - len(spoken)]
    return spoken, doors["tcp"] + doors["web"]
