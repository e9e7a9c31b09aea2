"""The generator notices a server that loses, doubles, swaps or changes what was said."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import msgspec
import pytest

from attack.server import Target
from bench import load, measuring
from bench.load import Room
from bench.people import Wish, crowd
from bench.results import QUICK, faults_of
from bench.scenarios import open_loop

READERS = 4
SPEAKERS = 1

Spoil = Callable[[int, bytes], list[bytes]]
"""What the last reader gets in place of the message with this number."""


class Line(asyncio.Protocol):
    """A chat of lines that treats its last member badly, or takes its time."""

    members: list["Line"]

    def __init__(self, members: list["Line"], spoil: Spoil, delay: float) -> None:
        self.members = members
        self._spoil = spoil
        self._delay = delay
        self._said = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for line in data.splitlines(keepends=True):
            if line.startswith(b"LOGIN"):
                self.members.append(self)
                self.transport.write(b"Welcome!\nOK\n")
                continue
            asyncio.get_running_loop().call_later(self._delay, self._deliver, line)

    def _deliver(self, line: bytes) -> None:
        *others, last = [member for member in self.members if member is not self]
        for member in others:
            member.transport.write(line)
        last.transport.write(b"".join(self._spoil(self._said, line)))
        self._said += 1


def right(_: int, line: bytes) -> list[bytes]:
    return [line]


@asynccontextmanager
async def chat(spoil: Spoil, *, delay: float = 0) -> AsyncIterator[Target]:
    """`delay` is in seconds, of each message."""
    members: list[Line] = []
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Line(members, spoil, delay), "127.0.0.1", 0) as server:
        yield Target(os.getpid(), server.sockets[0].getsockname()[1], 0, 0)


async def faults(spoil: Spoil, *, watchers: int = 1) -> dict[str, int]:
    """Those of 20 messages in an open loop. Speakers come first, then the listeners, watchers first."""
    async with chat(spoil) as target, crowd(target) as people:
        members = []
        for n in range(SPEAKERS + READERS):
            members += await people.enter([Wish("tcp", f"p{n}")])
        room = Room(people, members, speakers=SPEAKERS, watchers=watchers)
        async with room.swept(100):
            await room.offer(100, 0.2)
            await room.finish()
        assert room.said() == 20
        return dict(room.faults)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PATIENCE", 0.2)


async def measured(spoil: Spoil, *, delay: float = 0) -> dict[str, int]:
    """Faults of an open loop that is measured for a tenth of a second."""
    scale = msgspec.structs.replace(QUICK, warm_up=0.1, seconds=0.1)
    async with chat(spoil, delay=delay) as target, crowd(target) as people:
        members = await people.enter([Wish("tcp", f"p{n}") for n in range(SPEAKERS + READERS)])
        numbers, faults = await open_loop(target, people, members, speakers=SPEAKERS, rate=100, scale=scale)
    return faults_of(numbers, faults)


async def test_a_chat_that_does_it_right_has_no_faults() -> None:
    assert await faults(right) == {}


async def test_a_lost_message_is_noticed() -> None:
    assert await faults(lambda n, line: [] if n == 7 else [line]) == {"lost": 1, "different": 1}


async def test_a_doubled_message_is_noticed() -> None:
    assert await faults(lambda n, line: [line, line] if n == 7 else [line]) == {"doubled": 1, "different": 1}


async def test_a_changed_message_is_noticed() -> None:
    assert await faults(lambda n, line: [line.replace(b"..", b".,") if n == 7 else line]) == {"different": 1}


async def test_messages_out_of_order_are_noticed_by_checksum_and_by_a_watcher() -> None:
    kept: list[bytes] = []

    def swap(number: int, line: bytes) -> list[bytes]:
        if number == 7:
            kept.append(line)
            return []
        return [line, kept.pop()] if kept else [line]

    assert await faults(swap) == {"different": 1}
    watched = await faults(swap, watchers=READERS)
    assert watched["different"] == 1
    assert watched["disordered"] + watched["doubled"] == 3


async def test_it_is_measured_until_something_was_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PATIENCE", 5)
    assert await measured(right, delay=0.5) == {}


async def test_it_is_noticed_that_nothing_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "PATIENCE", 0.2)
    assert (await measured(right, delay=60))["nothing delivered"] == 1


async def test_a_lost_message_brings_a_closed_loop_to_a_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "STALL", 0.2)
    async with chat(lambda n, line: [] if n == 7 else [line]) as target, crowd(target) as people:
        members = await people.enter([Wish("tcp", f"p{n}") for n in range(SPEAKERS + READERS)])
        room = Room(people, members, speakers=SPEAKERS, watchers=1)
        await room.converse(1, 1.0)
        await room.finish()
    assert room.faults["stalls"] == 1
