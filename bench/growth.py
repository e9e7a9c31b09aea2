"""How cost grows: with readers, load, rooms, connections, and the size of the database."""

import asyncio
import statistics
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import history, machine, server
from bench.load import Faults
from bench.measuring import Meter, undisturbed
from bench.people import DoorName, crowd
from bench.results import Kind, Result, Scale, Step, faults_of, rounded
from bench.rooms import Pairs, pairs
from bench.scenarios import IN_ROOM, SPEAKERS, fan, open_loop, wishes

SATURATED: Final = 0.95
"""Share of the offered deliveries below which the server does not keep up."""

UNBEARABLE: Final = 100.0
"""Milliseconds: a 99th percentile from which on more load tells nothing."""

ROOM_RATE: Final = 1000
"""Messages a second over all rooms."""

RESERVE: Final = 400
"""Descriptors for all but connections. The server gives half of what it has to each door."""

STARTS: Final = 5


async def latency(readers: int, scale: Scale) -> list[Result]:
    """More and more messages a second, until the server or the generator is full."""
    results = []
    async with server.parlour() as target, crowd(target) as people:
        members = await people.enter(wishes("mixed", readers))
        for rate in scale.rates:
            numbers, faults = await open_loop(
                target, people, members, speakers=min(SPEAKERS, readers // 2), rate=rate, scale=scale
            )
            setting: dict[str, str | int] = {"kind": "mixed", "readers": readers, "messages_s": rate}
            slow = numbers.get("p99", UNBEARABLE) >= UNBEARABLE
            full = slow or numbers["deliveries_s"] < SATURATED * numbers["offered_s"]
            if full and faults["disconnected"]:
                # We did not read in time what a full server sent: it cuts such readers, and should.
                numbers["cut"] = faults["disconnected"]
                faults.clear()
            results.append(Result("latency", setting, rounded(numbers), faults_of(numbers, faults)))
            if full or any(member.gone for member in members):
                break
    return results


async def many_rooms(number: int, scale: Scale) -> list[Result]:
    async with server.parlour() as target, crowd(target) as people:
        members = await people.enter(pairs(number))
        await people.quiet()
        people.stay_awake()
        rooms = Pairs(members)
        async with undisturbed():
            await rooms.offer(ROOM_RATE, scale.warm_up)
            meter = Meter(target, rooms.delivered)
            await rooms.offer(ROOM_RATE, scale.seconds)
            await meter.something()
            numbers = meter.end()
        await rooms.finish()
    return [Result("by rooms", {"rooms": number}, rounded(numbers), faults_of(numbers, rooms.faults))]


async def connections(door: DoorName, scale: Scale) -> list[Result]:
    """More and more, in rooms of 20; the last of them are watched while they do nothing."""
    # The last are a few fewer where the limit of descriptors is too low for all.
    most = (machine.descriptors() - 200) // 2
    counts = sorted({min(count, most) for count in scale.connection_counts})
    results = []
    async with server.parlour() as target, crowd(target) as people:
        base = target.memory()
        waiting = wishes(door, counts[-1], in_room=IN_ROOM)
        meter = Meter(target, lambda: len(people.members))
        for before, count in pairwise([0, *counts]):
            meter.begin()
            await people.enter(next(waiting) for _ in range(count - before))
            entering = meter.end()
            await people.all_shown()
            numbers = {
                "login_us": entering["us"],
                "logins_s": entering["deliveries_s"],
                "server": entering["server"],
                "generator": entering["generator"],
                "mib": target.memory() / 2**20,
                "kib": (target.memory() - base) / count / 1024,
            }
            gone = Faults(disconnected=sum(member.gone for member in people.members))
            results.append(
                Result("connections", {"kind": door, "connections": count}, rounded(numbers), +gone)
            )
        meter.begin()
        await asyncio.sleep(scale.hold)
        held = {"idle_cpu": meter.end()["server"], "seconds": scale.hold}
        gone = Faults(disconnected=sum(member.gone for member in people.members))
        results.append(Result("held", {"kind": door, "connections": counts[-1]}, rounded(held), +gone))
    return results


async def database(scale: Scale) -> list[Result]:
    """Start-up with an ever larger one; then the largest is paged through and searched."""
    results = []
    with TemporaryDirectory(prefix="parlour-bench-") as folder:
        file = Path(folder, "parlour.db")
        await asyncio.to_thread(history.create, file)
        for before, messages in pairwise([0, *scale.messages]):
            await asyncio.to_thread(history.extend, file, before, messages)
            starts = [await server.until_open(str(file)) for _ in range(STARTS)]
            numbers = {
                "open_s": statistics.median(seconds for seconds, _ in starts),
                "slowest_s": max(seconds for seconds, _ in starts),
                "start_cpu_s": statistics.median(cpu for _, cpu in starts),
            }
            results.append(Result("start", {"messages": messages}, rounded(numbers)))
        results += await history.read(file, scale.messages[-1], scale.paging)
    return results


def steps(scale: Scale) -> list[Step]:
    once = scale.warm_up + scale.seconds + 1.3
    found: list[Step] = []
    doors: tuple[DoorName, ...] = ("tcp", "web")
    for readers in scale.reader_counts:
        for door in doors:
            kind: Kind = door
            found.append(
                Step(
                    "readers",
                    f"{readers:,} {door}",
                    once + readers / 1000,
                    partial(fan, "readers", "file", kind, readers, window=2, scale=scale),
                )
            )
    rates = len(scale.rates) * 0.75
    found.append(Step("latency", "more and more load", once * rates, partial(latency, scale.readers, scale)))
    found += [
        Step("by rooms", f"{rooms:,} rooms", once + rooms / 2000, partial(many_rooms, rooms, scale))
        for rooms in scale.room_counts
    ]
    most = scale.connection_counts[-1]
    found += [
        Step(
            "connections",
            f"up to {most:,} {door}, then idle",
            scale.hold + most / 600,
            partial(connections, door, scale),
        )
        for door in doors
    ]
    messages = scale.messages[-1]
    found.append(
        Step(
            "database",
            f"up to {messages:,} messages: start, page, search",
            8 + scale.paging + messages / 30_000,
            partial(database, scale),
        )
    )
    return found
