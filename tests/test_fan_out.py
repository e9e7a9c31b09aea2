"""What a message costs: one encoding per kind of reader, one write per reader, nothing else per reader."""

import asyncio
import gc
import os
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from core import commands as c
from core import recorder
from core.chat import Chat
from core.limits import TEXT_MAX
from core.replies import Shown
from core.session import Encode, Session
from storage.memory import MemoryLog
from tcp_frontend import command_dialect, plain_dialect
from tests.clients import DEADLINE, within
from tests.doors import UNLIMITED
from ws_frontend import messages

ENCODERS: Final[dict[str, Encode]] = {
    "command": command_dialect.encode,
    "plain": plain_dialect.encode,
    "web": messages.encode,
}


class CountingWire:
    fd: int | None = None

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.written = asyncio.Event()

    def write(self, data: bytes, /) -> None:
        self.writes.append(data)
        self.written.set()

    def close(self, reason: str, /) -> None: ...

    def pause_input(self) -> None: ...

    def resume_input(self) -> None: ...

    def waiting(self) -> int:
        return 0

    async def is_written(self) -> None:
        async with within(DEADLINE):
            await self.written.wait()

    def forget(self) -> None:
        self.writes.clear()
        self.written.clear()


class House:
    """A sender of each kind and many readers of each kind, in one room."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self.encoded: Counter[str] = Counter()
        self._encoders = {kind: self._counting(kind, encode) for kind, encode in ENCODERS.items()}
        self.readers: dict[str, list[CountingWire]] = {kind: [] for kind in ENCODERS}
        self.sessions: list[Session] = []
        """Of the readers."""
        self.senders: dict[str, tuple[Session, CountingWire]] = {}

    def _counting(self, kind: str, encode: Encode) -> Encode:
        def counted(shown: Shown) -> bytes:
            self.encoded[kind] += 1
            return encode(shown)

        return counted

    async def _enter(self, kind: str, nick: str) -> tuple[Session, CountingWire]:
        wire = CountingWire()
        session = self._chat.connect(wire, self._encoders[kind], lambda raw: raw)
        self._chat.receive(session, c.Login(nick))
        await wire.is_written()
        return session, wire

    async def fill(self, each: int) -> None:
        for kind in ENCODERS:
            self.senders[kind] = await self._enter(kind, f"sender-{kind}")
            people = [await self._enter(kind, f"{kind}{n}") for n in range(each)]
            self.sessions += [session for session, _ in people]
            self.readers[kind] = [wire for _, wire in people]
        # What is said takes along the notices of who came, which would have waited for more of their kind.
        self._forget()
        await self.say(("web", c.Gmsg("all here?")))
        self._forget()

    def _forget(self) -> None:
        self.encoded.clear()
        for wire in [*self.all_readers, *(wire for _, wire in self.senders.values())]:
            wire.forget()

    @property
    def all_readers(self) -> list[CountingWire]:
        return [wire for wires in self.readers.values() for wire in wires]

    def write_to(self, fd: int, *senders: str) -> None:
        """That is the descriptor of each reader, and of these senders."""
        readers = zip(self.sessions, self.all_readers, strict=True)
        for session, wire in [*readers, *(self.senders[kind] for kind in senders)]:
            wire.fd = fd
            session.reach_by(wire)

    async def say(self, *said: tuple[str, c.AnyCommand]) -> None:
        """All of it in one tick; returns when every reader has been written to."""
        for kind, command in said:
            self._chat.receive(self.senders[kind][0], command)
        for wire in self.all_readers:
            await wire.is_written()


SPEECH: list[c.AnyCommand] = [c.Msg("#general", "hello"), c.Gmsg("hello")]


@pytest.fixture
async def house(chat: Chat) -> House:
    house = House(chat)
    await house.fill(50)
    return house


@pytest.mark.parametrize("command", SPEECH, ids=lambda command: type(command).__name__)
async def test_a_message_is_encoded_once_for_each_kind_of_reader(house: House, command: c.AnyCommand) -> None:
    await house.say(("web", command))
    acknowledgement = 1
    assert house.encoded == {"command": 1, "plain": 1, "web": 1 + acknowledgement}


@pytest.mark.parametrize("command", SPEECH, ids=lambda command: type(command).__name__)
async def test_readers_of_a_kind_share_the_very_same_bytes(house: House, command: c.AnyCommand) -> None:
    await house.say(("command", command))
    for kind, wires in house.readers.items():
        first = wires[0].writes[0]
        assert b"hello" in first, kind
        assert all(wire.writes[0] is first for wire in wires)


@pytest.mark.parametrize("each", [1, 5])
async def test_a_batch_leaves_in_one_write_for_each_reader(house: House, each: int) -> None:
    said = [(kind, f"{kind} says {n}") for n in range(each) for kind in ("command", "plain")]
    await house.say(*[(kind, c.Msg("#general", text)) for kind, text in said])
    for wire in house.all_readers:
        (data,) = wire.writes
        places = [data.index(text.encode()) for _, text in said]
        assert places == sorted(places)
    for kind, (_, wire) in house.senders.items():
        (data,) = wire.writes
        assert [text.encode() in data for _, text in said] == [by != kind for by, _ in said]
    acknowledgements = each
    assert house.encoded == {
        "command": len(said) + acknowledgements,
        "plain": len(said) + acknowledgements,
        "web": len(said),
    }


async def _activity(monkeypatch: pytest.MonkeyPatch, readers: int, command: c.AnyCommand) -> dict[str, int]:
    """What one message makes the event loop do."""
    counts: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., object]:
        original: Callable[..., object] = getattr(loop, name)

        def call(*arguments: object, **more: object) -> object:
            counts[name] += 1
            return original(*arguments, **more)

        return call

    loop = asyncio.get_running_loop()
    async with Chat(MemoryLog(), limits=UNLIMITED) as chat:
        house = House(chat)
        monkeypatch.setattr(recorder, "LONGEST", 0.0)  # as after a quiet moment
        await house.fill(readers)
        last = house.all_readers[-1]
        with monkeypatch.context() as patch:
            for name in ("call_soon", "call_later", "call_at", "create_task", "create_future"):
                patch.setattr(loop, name, counted(name))
            chat.receive(house.senders["plain"][0], command)
            await last.is_written()
        assert all(len(wire.writes) == 1 for wires in house.readers.values() for wire in wires)
    return dict(counts)


@pytest.mark.parametrize("command", SPEECH, ids=lambda command: type(command).__name__)
async def test_the_event_loop_does_the_same_for_many_readers_as_for_few(
    monkeypatch: pytest.MonkeyPatch, command: c.AnyCommand
) -> None:
    few = await _activity(monkeypatch, 3, command)
    many = await _activity(monkeypatch, 50, command)
    assert few == many
    assert 0 < sum(many.values()) <= 4, "a turn for the batch, and what the test itself waits with"


async def test_few_messages_for_many_readers_share_their_writes_and_one_alone_does_not_wait(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(chat)
    await house.fill(50)
    chat._speech._recorder._wrote = 0  # as after a quiet moment
    monkeypatch.setattr(recorder, "PACE", 1.0)
    monkeypatch.setattr(recorder, "LONGEST", 10 * DEADLINE)
    await house.say(("web", c.Msg("#general", "alone")))
    house._forget()
    *few, last = [(list(ENCODERS)[n % 3], c.Msg("#general", str(n))) for n in range(recorder.ENOUGH)]
    for kind, command in few:
        chat.receive(house.senders[kind][0], command)
        for _ in range(10):  # turns of the loop in which it would have been written
            await asyncio.sleep(0)
    assert not any(wire.writes for wire in house.all_readers)
    await house.say(last)
    assert all(len(wire.writes) == 1 for wire in house.all_readers)


async def test_enough_messages_at_once_do_not_wait_for_others(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(chat)
    await house.fill(1)
    monkeypatch.setattr(recorder, "PACE", DEADLINE)
    monkeypatch.setattr(recorder, "LONGEST", 10 * DEADLINE)
    await house.say(*[("web", c.Msg("#general", str(n))) for n in range(recorder.ENOUGH)])


async def test_few_messages_do_not_wait_for_long(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many the batch before them was written to."""
    house = House(chat)
    await house.fill(1)
    monkeypatch.setattr(recorder, "PACE", DEADLINE)
    monkeypatch.setattr(recorder, "LONGEST", DEADLINE / 10)
    await house.say(("web", c.Msg("#general", "hello")))


async def test_between_two_batches_the_sockets_have_their_turn(chat: Chat) -> None:
    """Else what is written would pile up behind them, and readers that keep up would be cut."""
    house = House(chat)
    await house.fill(1)
    turns, written_in = 0, []

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    class TimedWire(CountingWire):
        def write(self, data: bytes, /) -> None:
            written_in.append(turns)
            super().write(data)

    late = TimedWire()
    reader = chat.connect(late, messages.encode, lambda raw: raw)
    chat.receive(reader, c.Login("late"))
    await late.is_written()
    written_in.clear()
    counting = asyncio.create_task(count())
    await house.say(*[("web", c.Msg("#general", "x" * TEXT_MAX))] * 100, ("web", c.Msg("#general", "last")))
    async with within(DEADLINE):
        while b"last" not in late.writes[-1]:
            late.written.clear()
            await late.written.wait()
    counting.cancel()
    assert len(written_in) > 3
    assert len(set(written_in)) == len(written_in)


class QuietWire(CountingWire):
    """Counts without making anything, so that only the chat's own doing is measured."""

    number = 0

    def write(self, data: bytes, /) -> None:
        self.number += 1
        self.written.set()


@contextmanager
def counting_calls(costs: list[int]) -> Iterator[None]:
    """Adds how many functions were called in this block, Python's and C's."""
    events: Counter[str] = Counter()

    def called(frame: object, event: str, argument: object) -> None:
        events[event] += 1

    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(None)
        costs.append(events["call"] + events["c_call"])


async def _cost(
    monkeypatch: pytest.MonkeyPatch, readers: int, straight_to: int | None = None
) -> tuple[int, int]:
    """Of one message to so many of each kind: functions that are called, bytes that it takes in between.

    The least of several: now and then something else happens in the same moment.
    `straight_to`: the descriptor of each reader, and of the speaker.
    """
    calls: list[int] = []
    sizes: list[int] = []
    monkeypatch.setattr(recorder, "LONGEST", 0.0)  # as after a quiet moment
    monkeypatch.setattr("tests.test_fan_out.CountingWire", QuietWire)
    async with Chat(MemoryLog(), limits=UNLIMITED) as chat:
        house = House(chat)
        await house.fill(readers)
        speaker, last = house.senders["command"][0], house.senders["web"][1]
        if straight_to is not None:
            house.write_to(straight_to, "command", "plain")
        for _ in range(5):
            gc.collect()
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            chat.receive(speaker, c.Msg("#general", "hello"))
            await last.is_written()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            sizes.append(peak - before)
            house._forget()
            with counting_calls(calls):
                chat.receive(speaker, c.Msg("#general", "hello"))
                await last.is_written()
            house._forget()
    return min(calls), min(sizes)


async def test_a_delivery_calls_one_function_and_makes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more function is the test's own: the event that it sets."""
    few_calls, few_bytes = await _cost(monkeypatch, 20)
    many_calls, many_bytes = await _cost(monkeypatch, 120)
    more = 100 * len(ENCODERS)
    assert (many_calls - few_calls) / more <= 1 + 1
    assert few_calls - 20 * len(ENCODERS) * 2 < 250, "for the message itself"
    assert (many_bytes - few_bytes) / more <= 16, "its place in two lists"


@pytest.fixture
def takes_all() -> Iterator[int]:
    """A descriptor to which anything may be written."""
    fd = os.open(os.devnull, os.O_WRONLY)
    yield fd
    os.close(fd)


async def test_a_delivery_to_a_socket_is_its_write(monkeypatch: pytest.MonkeyPatch, takes_all: int) -> None:
    few_calls, few_bytes = await _cost(monkeypatch, 20, takes_all)
    many_calls, many_bytes = await _cost(monkeypatch, 120, takes_all)
    more = 100 * len(ENCODERS)
    assert (many_calls - few_calls) / more <= 1
    assert few_calls - 20 * len(ENCODERS) < 260, "for the message itself, and for one that is no socket"
    assert (many_bytes - few_bytes) / more <= 16, "its place in two lists"


async def test_while_a_thread_of_the_log_is_at_work_wires_write_themselves(takes_all: int) -> None:
    """Each system call of the event loop's would let that thread have the interpreter."""
    log = MemoryLog()
    async with Chat(log, limits=UNLIMITED) as chat:
        house = House(chat)
        await house.fill(2)
        house.write_to(takes_all)
        log.busy = True
        await house.say(("web", c.Msg("#general", "hello")))


async def _all_talk(chat: Chat, size: int) -> float:
    """Functions that are called for a message, where so many people in a room say one in the same tick."""
    calls: list[int] = []
    wires = [QuietWire() for _ in range(size)]
    people = [
        chat.connect(wire, list(ENCODERS.values())[n % 3], lambda raw: raw) for n, wire in enumerate(wires)
    ]
    for n, (person, wire) in enumerate(zip(people, wires, strict=True)):
        for command in (c.Login(f"P{n}"), c.Join("#talk")):
            chat.receive(person, command)
            await wire.is_written()
            wire.forget()
    chat._outbox.flush()  # who came
    for wire in wires:
        wire.forget()
    with counting_calls(calls):
        for person in people:
            chat.receive(person, c.Msg("#talk", "hello"))
        for wire in wires:
            await wire.is_written()
    return calls[0] / size


async def test_where_everybody_talks_a_message_costs_no_more_than_elsewhere() -> None:
    """A speaker's share is not put together message by message: that is as many steps as pairs of people."""
    async with Chat(MemoryLog(), limits=UNLIMITED) as chat:
        few = await _all_talk(chat, 6)
    async with Chat(MemoryLog(), limits=UNLIMITED) as chat:
        many = await _all_talk(chat, 60)
    assert many < few < 170
