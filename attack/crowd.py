"""Many people on the line door in one process, cheaply: a protocol each, no task."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, cast

SPEAK_EVERY: Final = 5.0
"""Seconds between two messages of one talker."""


class Person(asyncio.Protocol):
    """Logs in and notes how late every message is that carries the time at which it was said."""

    def __init__(self, nick: str, delays: list[float], *, room: str = "") -> None:
        self._said = f"LOGIN {nick}\n" + (f"JOIN {room}\n" if room else "")
        self._delays = delays
        self._rest = b""
        self.ready = asyncio.Event()
        self.gone = asyncio.Event()
        self._answers = 2 if room else 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._said.encode())

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"MSG "):
                mark, _, said = line.rpartition(b" @")
                if mark:
                    self._delays.append(now - float(said))
            elif line.startswith(b"OK"):
                self._answers -= 1
                if not self._answers:
                    self.ready.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()

    def say(self) -> None:
        self.transport.write(f"MSG hello @{time.monotonic()}\n".encode())


@asynccontextmanager
async def crowd(
    port: int, number: int, delays: list[float], *, name: str = "P"
) -> AsyncIterator[list[Person]]:
    """So many people in #general, all logged in."""
    loop = asyncio.get_running_loop()
    people: list[Person] = []
    try:
        for n in range(number):
            make = partial(Person, f"{name}{n}", delays)
            _, person = await loop.create_connection(make, "127.0.0.1", port)
            people.append(person)
        async with asyncio.timeout(30):
            for person in people:
                await person.ready.wait()
        yield people
    finally:
        for person in people:
            person.transport.abort()


async def talk(people: list[Person], seconds: float, *, every: float = SPEAK_EVERY) -> None:
    """All of them speak in turn, evenly spread."""
    loop = asyncio.get_running_loop()
    end, n = loop.time() + seconds, 0
    due = loop.time()
    while loop.time() < end:
        people[n % len(people)].say()
        n += 1
        due += every / len(people)
        await asyncio.sleep(max(0.0, due - loop.time()))


async def measured(people: list[Person], delays: list[float], seconds: float) -> float:
    """The 99th percentile of the delays while all of them talk, in seconds."""
    await talk(people, 1.0)
    await asyncio.sleep(0.3)
    delays.clear()
    await talk(people, seconds)
    await asyncio.sleep(0.5)
    return p99(delays)


def p99(delays: list[float]) -> float:
    ordered = sorted(delays)
    return ordered[int(len(ordered) * 0.99)] if ordered else float("inf")
