"""The scenarios by which chat servers are compared. Each has a fresh server.

The closed loops (fan, flood, fan1k, rooms) show what the server can do, the open ones (rate, rate2k, slow)
what its readers feel at a given load.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import cycle
from typing import Final

import msgspec

from attack.server import Target
from bench import server
from bench.load import SIZE, Faults, Room
from bench.measuring import Meter, percentiles, undisturbed
from bench.people import Crowd, DoorName, Member, Wish, crowd
from bench.results import Kind, Result, Scale, Step, faults_of, rounded
from bench.rooms import SmallRooms

SPEAKERS: Final = 10
IN_ROOM: Final = 20
"""People in each room of those who are idle."""

DOORS: Final[dict[Kind, tuple[DoorName, ...]]] = {"tcp": ("tcp",), "web": ("web",), "mixed": ("tcp", "web")}
WATCHED: Final = 100_000
"""Deliveries a second that we can look at one by one."""


def wishes(kind: Kind, number: int, in_room: int = 0, *, leave: bool = True) -> Iterator[Wish]:
    """People of this kind; with `in_room`, so many in each room, and not in #general if they leave it."""
    doors = cycle(DOORS[kind])
    for n, door in zip(range(number), doors, strict=False):
        rooms = [f"#room-{n // in_room:04d}"] if in_room else ()
        yield Wish(door, f"{door}{n:05d}", rooms, leave)


async def closed_loop(
    target: Target, people: Crowd, members: list[Member], *, speakers: int, window: int, scale: Scale
) -> tuple[dict[str, float], Faults]:
    await people.quiet()
    people.stay_awake()
    room = Room(people, members, speakers=speakers, watchers=1)
    meter = Meter(target, room.delivered)
    async with undisturbed(), asyncio.TaskGroup() as group:
        talking = group.create_task(room.converse(window, scale.warm_up + scale.seconds + 0.2))
        await asyncio.sleep(scale.warm_up)
        meter.begin()
        room.counted_from = room.now()
        await asyncio.wait([talking], timeout=scale.seconds)
        await meter.something()
        numbers = meter.end() | percentiles(room.latencies)
    await room.finish()
    return numbers, room.faults


async def open_loop(
    target: Target,
    people: Crowd,
    members: list[Member],
    *,
    speakers: int,
    rate: float,
    scale: Scale,
    size: int = SIZE,
) -> tuple[dict[str, float], Faults]:
    await people.quiet()
    people.stay_awake()
    watchers = int(max(1, min(10, WATCHED / rate / 2)))
    room = Room(people, members, speakers=speakers, watchers=watchers, size=size)
    async with undisturbed(), room.swept(rate, size):
        await room.offer(rate, scale.warm_up)
        room.counted_from = room.now()
        meter = Meter(target, room.delivered)
        await room.offer(rate, scale.seconds)
        await meter.something()
        numbers = meter.end()
        await room.finish()
    numbers["offered_s"] = rate * (len(members) - 1)
    return numbers | percentiles(room.latencies), room.faults


def _server(data: str) -> AbstractAsyncContextManager[Target]:
    return server.floor() if data == "floor" else server.parlour(data)


async def fan(name: str, data: str, kind: Kind, readers: int, *, window: int, scale: Scale) -> list[Result]:
    async with _server(data) as target, crowd(target) as people:
        members = await people.enter(wishes(kind, readers))
        speakers = min(SPEAKERS, readers // 2)
        numbers, faults = await closed_loop(
            target, people, members, speakers=speakers, window=window, scale=scale
        )
    return [
        Result(
            name,
            {"data": data, "kind": kind, "readers": readers},
            rounded(numbers),
            faults_of(numbers, faults),
        )
    ]


async def rate(name: str, data: str, kind: Kind, readers: int, messages: int, scale: Scale) -> list[Result]:
    async with _server(data) as target, crowd(target) as people:
        members = await people.enter(wishes(kind, readers))
        numbers, faults = await open_loop(
            target, people, members, speakers=min(SPEAKERS, readers // 2), rate=messages, scale=scale
        )
    return [
        Result(
            name,
            {"data": data, "kind": kind, "readers": readers},
            rounded(numbers),
            faults_of(numbers, faults),
        )
    ]


async def small_rooms(data: str, number: int, scale: Scale) -> list[Result]:
    async with server.parlour(data) as target, crowd(target) as people:
        members = await people.enter(wishes("mixed", number * 5, in_room=5))
        await people.quiet()
        people.stay_awake()
        rooms = SmallRooms(members)
        meter = Meter(target, rooms.delivered)
        async with undisturbed(), asyncio.TaskGroup() as group:
            talking = group.create_task(rooms.converse(scale.warm_up + scale.seconds + 0.2))
            await asyncio.sleep(scale.warm_up)
            meter.begin()
            await asyncio.wait([talking], timeout=scale.seconds)
            await meter.something()
            numbers = meter.end()
        await rooms.finish()
    return [
        Result(
            "rooms",
            {"data": data, "kind": "mixed", "rooms": number},
            rounded(numbers),
            faults_of(numbers, rooms.faults),
        )
    ]


async def idle(door: DoorName, number: int) -> list[Result]:
    """Logging in, and what a connection takes that does nothing."""
    async with server.parlour() as target, crowd(target) as people:
        await people.enter([Wish("tcp", "first")])
        before = target.memory()
        meter = Meter(target, lambda: len(people.members))
        async with undisturbed():
            await people.enter(wishes(door, number, in_room=IN_ROOM, leave=False))
            numbers = meter.end()
        await people.quiet()
        numbers = {
            "logins_s": numbers["deliveries_s"],
            "login_us": numbers["us"],
            "server": numbers["server"],
            "generator": numbers["generator"],
            "kib": (target.memory() - before) / number / 1024,
        }
        faults = Faults(disconnected=sum(member.gone for member in people.members))
    return [Result("idle", {"data": "file", "kind": door, "connections": number}, rounded(numbers), +faults)]


MUST_BE_CUT: Final = 3.0
"""Seconds after which more than `sendq` waits for one who never reads: 400 KB come in each."""


@asynccontextmanager
async def who_never_reads(target: Target) -> AsyncIterator[None]:
    """A member behind a small window, as if far away, that reads nothing at all."""
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", target.tcp))
        await loop.sock_sendall(sock, b"LOGIN Stuck\n")
        yield


async def slow(stuck: bool, scale: Scale) -> list[Result]:
    """20 readers, 1,000 messages of 400 bytes a second, with or without one more who never reads."""
    async with server.parlour() as target, crowd(target) as people:
        members = await people.enter(wishes("mixed", 20))
        if not stuck:
            numbers, faults = await _slow(target, people, members, scale)
        else:
            async with who_never_reads(target):
                numbers, faults = await _slow(target, people, members, scale)
                cuts = await target.counters()
                numbers["cut"] = cuts.get('parlour_cuts_total{reason="sendq"}', 0)
                if numbers["took"] > MUST_BE_CUT and not numbers["cut"]:
                    faults["not cut"] += 1
    return [
        Result(
            "slow" if stuck else "noslow",
            {"data": "file", "kind": "mixed"},
            rounded(numbers),
            faults_of(numbers, faults),
        )
    ]


async def _slow(
    target: Target, people: Crowd, members: list[Member], scale: Scale
) -> tuple[dict[str, float], Faults]:
    await people.quiet()
    before = most = target.memory()

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, target.memory())
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    began = time.monotonic()
    numbers, faults = await open_loop(target, people, members, speakers=5, rate=1000, scale=scale, size=400)
    watching.cancel()
    numbers["took"] = time.monotonic() - began
    numbers["growth_mib"] = (most - before) / 2**20
    return numbers, faults


def steps(scale: Scale) -> list[Step]:
    """In the order in which they are run."""
    n, many = scale.readers, scale.many_readers
    once = scale.warm_up + scale.seconds + 1.3
    longer = msgspec.structs.replace(scale, seconds=2 * scale.seconds)
    found: list[Step] = []
    for data in scale.data:
        kind: Kind = "tcp" if data == "floor" else "mixed"
        where = f"{data}, {kind}"
        found += [
            Step("fan", where, once, partial(fan, "fan", data, kind, n, window=2, scale=scale)),
            Step("flood", where, once, partial(fan, "flood", data, kind, n, window=20, scale=scale)),
            Step("rate", where, once, partial(rate, "rate", data, kind, n, 400, scale)),
            Step("rate2k", where, once, partial(rate, "rate2k", data, kind, n, 2000, scale)),
        ]
        if data != "floor":
            found.append(
                Step("fan1k", where, once + 1, partial(fan, "fan1k", data, kind, many, window=2, scale=scale))
            )
            found.append(Step("rooms", where, once + 1, partial(small_rooms, data, scale.rooms, scale)))
    found += [
        Step("noslow", "file, mixed", once + scale.seconds, partial(slow, False, longer)),
        Step("slow", "file, mixed", once + scale.seconds, partial(slow, True, longer)),
        Step("idle", "file, tcp", 3, partial(idle, "tcp", scale.idle)),
        Step("idle", "file, web", 3, partial(idle, "web", scale.idle)),
    ]
    return found
