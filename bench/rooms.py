"""Many rooms at once: small ones where everybody speaks, and ten thousand of two people each."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from bench.load import MARK, SIZE, STALL, STAMP, STAMP_SIZE, Faults
from bench.measuring import PATIENCE, Ticker
from bench.people import Member, Wish, around

ROOMS_EACH: Final = 10
"""Rooms of one person on the web door: as many as may be entered at once."""


class Talker(asyncio.Protocol):
    """One of a small room: says the next message when all the others have its last one."""

    def __init__(self, member: Member, room: "SmallRoom", number: int) -> None:
        before, after = around(member.wish.door, member.wish.rooms[0], SIZE)
        self.member = member
        self._room = room
        self._before = before + b"@%02d" % number
        self._after = b"%012d" % 0 + b"." * (SIZE - STAMP_SIZE) + after
        self.said = 0
        self.heard = 0
        self.waiting_for = 0
        self._rest = b""
        self._next: dict[int, int] = {}

    def say(self) -> None:
        self.waiting_for = self._room.others
        self.member.transport.write(self._before + b"%08d" % self.said + self._after)
        self.said += 1

    def data_received(self, data: bytes) -> None:
        whole = self._rest + data
        end = 0
        for found in STAMP.finditer(whole):
            end = found.end()
            speaker, number = int(found[1]), int(found[2])
            expected = self._next.get(speaker, 0)
            if number != expected:
                self._room.faults["doubled" if number < expected else "disordered"] += 1
            self._next[speaker] = number + 1
            self.heard += 1
            self._room.was_heard(speaker)
        start = whole.rfind(MARK, end)
        self._rest = whole[start:] if start >= 0 else b""

    def connection_lost(self, exc: Exception | None) -> None:
        self.member.gone = True


class SmallRoom:
    def __init__(self, members: Sequence[Member], faults: Faults) -> None:
        self.faults = faults
        self.others = len(members) - 1
        self.talking = False
        self.talkers = [Talker(member, self, number) for number, member in enumerate(members)]
        for talker in self.talkers:
            talker.member.transport.set_protocol(talker)

    def was_heard(self, speaker: int) -> None:
        talker = self.talkers[speaker]
        talker.waiting_for -= 1
        if talker.waiting_for == 0 and self.talking:
            talker.say()


class SmallRooms:
    """All of them together. `members` are in the order of their rooms."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.faults = Faults()
        rooms: dict[str, list[Member]] = {}
        for member in members:
            rooms.setdefault(member.wish.rooms[0], []).append(member)
        self.rooms = [SmallRoom(people, self.faults) for people in rooms.values()]
        self.talkers = [talker for room in self.rooms for talker in room.talkers]

    def delivered(self) -> int:
        return sum(talker.heard for talker in self.talkers)

    async def converse(self, seconds: float) -> None:
        for room in self.rooms:
            room.talking = True
            for talker in room.talkers:
                talker.say()
        end, before = time.monotonic() + seconds, -1
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, STALL))
            heard = self.delivered()
            if left >= STALL and heard == before:
                self.faults["stalls"] += 1
                return
            before = heard

    async def finish(self) -> None:
        for room in self.rooms:
            room.talking = False
        last, since = -1, time.monotonic()
        while time.monotonic() - since < PATIENCE and any(talker.waiting_for for talker in self.talkers):
            if (heard := self.delivered()) != last:
                last, since = heard, time.monotonic()
            await asyncio.sleep(0.01)
        for room in self.rooms:
            said = sum(talker.said for talker in room.talkers)
            for talker in room.talkers:
                missing = said - talker.said - talker.heard
                if missing:
                    self.faults["lost" if missing > 0 else "doubled"] += abs(missing)
                if talker.member.gone:
                    self.faults["disconnected"] += 1


def pairs(rooms: int) -> list[Wish]:
    """Two people for every ROOMS_EACH rooms, who share them. Speakers and listeners in turn."""
    wishes = []
    for first in range(0, rooms, ROOMS_EACH):
        names = [f"#pair-{number}" for number in range(first, min(rooms, first + ROOMS_EACH))]
        wishes += [Wish("web", f"speaker{first}", names), Wish("web", f"listener{first}", names)]
    return wishes


class Paired(asyncio.Protocol):
    """A listener of `pairs`: the messages it hears are numbered in one row."""

    def __init__(self, member: Member, faults: Faults) -> None:
        self.member = member
        self._faults = faults
        self._rest = b""
        self.heard = 0

    def data_received(self, data: bytes) -> None:
        whole = self._rest + data
        end = 0
        for found in STAMP.finditer(whole):
            end = found.end()
            number = int(found[2])
            if number != self.heard:
                self._faults["doubled" if number < self.heard else "disordered"] += 1
            self.heard = number + 1
        start = whole.rfind(MARK, end)
        self._rest = whole[start:] if start >= 0 else b""

    def connection_lost(self, exc: Exception | None) -> None:
        self.member.gone = True


class Pairs:
    """An open loop that goes round all rooms; each message has one reader."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.faults = Faults()
        by_nick = {member.wish.nick: member for member in members}
        self._speakers = [m for nick, m in by_nick.items() if nick.startswith("speaker")]
        listeners = [by_nick[m.wish.nick.replace("speaker", "listener")] for m in self._speakers]
        self._listeners = [Paired(member, self.faults) for member in listeners]
        for listener in self._listeners:
            listener.member.transport.set_protocol(listener)
        self._said = [0] * len(self._speakers)
        self._turn = 0
        # Round by round: first everyone's first room, then everyone's second.
        self._turns = [
            (n, *around("web", room, SIZE))
            for place in range(ROOMS_EACH)
            for n, speaker in enumerate(self._speakers)
            for room in speaker.wish.rooms[place : place + 1]
        ]

    def delivered(self) -> int:
        return sum(listener.heard for listener in self._listeners)

    async def offer(self, rate: float, seconds: float) -> None:
        messages, number = round(rate * seconds), 0
        done = asyncio.get_running_loop().create_future()
        dots = b"." * (SIZE - STAMP_SIZE)

        def send(due: int) -> None:
            nonlocal number
            n, before, after = self._turns[self._turn % len(self._turns)]
            self._turn += 1
            stamp = b"@00%08d%012d" % (self._said[n], 0) + dots
            self._speakers[n].transport.write(before + stamp + after)
            self._said[n] += 1
            number += 1
            if number == messages and not done.done():
                done.set_result(None)

        with Ticker(time.perf_counter_ns(), 1 / rate, send):
            await done

    async def finish(self) -> None:
        end = time.monotonic() + PATIENCE
        while self.delivered() < sum(self._said) and time.monotonic() < end:
            await asyncio.sleep(0.01)
        for said, listener in zip(self._said, self._listeners, strict=True):
            if said != listener.heard:
                self.faults["lost"] += said - listener.heard
            if listener.member.gone:
                self.faults["disconnected"] += 1
