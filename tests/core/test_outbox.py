"""One order for all readers, each thing once, one write each: whatever happens within a tick."""

import fcntl
import os
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Final
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audience import Audience
from core.counters import Counters
from core.outbox import Outbox
from core.replies import Pong, Shown
from core.session import Encode, Session

SESSIONS: Final = 4
ROOMS: Final = 3


class BytesWire:
    """Takes what is given to `write`, and only there."""

    fd: int | None = None

    def __init__(self) -> None:
        self._writes: list[bytes] = []

    def write(self, data: bytes, /) -> None:
        self._writes.append(data)

    def writes(self) -> list[bytes]:
        return self._writes

    def close(self, reason: str, /) -> None: ...

    def pause_input(self) -> None: ...

    def resume_input(self) -> None: ...

    def waiting(self) -> int:
        return 0


class StraightWire(BytesWire):
    """A socket that keeps writes apart."""

    written = 0
    """By its own function."""

    def __init__(self, stack: ExitStack) -> None:
        super().__init__()
        near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stack.enter_context(near)
        stack.enter_context(self._far).setblocking(False)
        self.fd = near.fileno()

    def write(self, data: bytes, /) -> None:
        self.written += 1
        os.write(self.fd or -1, data)

    def writes(self) -> list[bytes]:
        with suppress(BlockingIOError):
            while True:
                self._writes.append(self._far.recv(65_536))
        return self._writes


class FullWire(BytesWire):
    """Straight to it nothing goes, as to a socket whose peer does not read."""

    def __init__(self, stack: ExitStack) -> None:
        super().__init__()
        far, self.fd = os.pipe2(os.O_NONBLOCK)
        stack.callback(os.close, far)
        stack.callback(os.close, self.fd)
        os.write(self.fd, bytes(fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, 4096)))


def line(kind: int, shown: Shown) -> bytes:
    """What each kind of reader is shown; the second kind is deaf to every third thing."""
    assert isinstance(shown, Pong)
    assert shown.ref
    return b"" if kind and int(shown.ref) % 3 == 0 else f"{shown.ref} for kind {kind}\n".encode()


class Timer:
    def __init__(self, flush: Callable[[], None]) -> None:
        self.flush: Callable[[], None] | None = flush

    def cancel(self) -> None:
        self.flush = None


class House:
    """Two kinds of readers in a few rooms, and what each of them must have been shown in the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.contended = False
        self._timers: list[Timer] = []
        self.outbox = Outbox(self._schedule, Counters(), lambda: self.contended)
        self.encoded: Counter[bytes] = Counter()
        self.kinds: list[Encode] = [self._kind(0), self._kind(1)]
        self.wires = [self._wire(n) for n in range(SESSIONS)]
        self.sessions = [
            Session(wire, self.kinds[n % 2], lambda _: None) for n, wire in enumerate(self.wires)
        ]
        self.rooms = [Audience(f"#{n}") for n in range(ROOMS)]
        self.expected = [b""] * SESSIONS
        self._count = 0
        self._urgent = False
        """Something is gathered that leaves at the end of the tick."""

    def _wire(self, n: int) -> BytesWire:
        return [StraightWire(self._stack), BytesWire(), FullWire(self._stack)][n % 3]

    def _kind(self, kind: int) -> Encode:
        def encode(shown: Shown) -> bytes:
            data = line(kind, shown)
            self.encoded[data] += bool(data)
            return data

        return encode

    def _schedule(self, delay: float, flush: Callable[[], None]) -> "Timer":
        del delay  # a tick ends when the test says so
        self._timers.append(Timer(flush))
        return self._timers[-1]

    def _next(self) -> Pong:
        self._count += 1
        return Pong(ref=str(self._count))

    def _expect(self, who: int, shown: Pong) -> None:
        self.expected[who] += line(self.kinds.index(self.sessions[who].encode), shown)

    def show(
        self, rooms: set[int], without: int | None, answered: bool = False, patient: bool = False
    ) -> None:
        shown = self._next()
        reply = self._next() if answered and without is not None else None
        audiences = [self.rooms[room] for room in sorted(rooms)]
        for who, session in enumerate(self.sessions):
            if who != without and any(session in audience.members for audience in audiences):
                self._expect(who, shown)
        author = None if without is None else self.sessions[without]
        if without is not None and reply is not None:
            self._expect(without, reply)
        self._urgent |= not patient or not any(audience.members for audience in audiences)
        self.outbox.show(audiences, shown, without=author, instead=reply, patient=patient)

    def tell(self, who: int) -> None:
        shown = self._next()
        before = self.expected[who]
        self._expect(who, shown)
        self.outbox.tell(self.sessions[who], shown)
        if self.expected[who] != before and not self._urgent:  # a reply does not wait for more presence
            assert b"".join(self.wires[who].writes()) == self.expected[who]

    def move(self, who: int, room: int) -> None:
        """Into the room, or out of it."""
        session, audience = self.sessions[who], self.rooms[room]
        self.outbox.settle(session)
        if session in audience.members:
            audience.discard(session)
        else:
            audience.add(session)

    def reencode(self, who: int, kind: int) -> None:
        session = self.sessions[who]
        self.outbox.settle(session)
        audiences = list(session.audiences)
        for audience in audiences:
            audience.discard(session)
        session.encode = self.kinds[kind]
        for audience in audiences:
            audience.add(session)

    def contend(self, contended: bool) -> None:
        self.contended = contended

    def write_out(self, who: int) -> None:
        self.outbox.write_out(self.sessions[who])

    def rewire(self, who: int, kind: int) -> None:
        """Another wire to the same peer; what still went to the one before would be missed."""
        wire = self._wire(kind)
        wire.writes().extend(self.wires[who].writes())
        self.wires[who] = wire
        self.sessions[who].reach_by(wire)

    def block(self, steps: list[tuple[object, ...]], fails: bool) -> None:
        """All of it leaves at the end of the block, also when something goes wrong there."""
        before = [len(wire.writes()) for wire in self.wires]
        self._urgent = True
        with suppress(ZeroDivisionError), self.outbox:
            for name, *arguments in steps:
                getattr(self, str(name))(*arguments)
            assert [len(wire.writes()) for wire in self.wires] == before
            if fails:
                _ = 1 / 0
        self._urgent = False
        assert not any(timer.flush for timer in self._timers), "there is nothing left to flush"
        assert [b"".join(wire.writes()) for wire in self.wires] == self.expected
        for wire, writes in zip(self.wires, before, strict=True):
            assert len(wire.writes()) - writes <= 1

    def flush(self) -> None:
        """The end of the tick."""
        before = [len(wire.writes()) for wire in self.wires]
        self._urgent = False
        due = [timer for timer in self._timers if timer.flush is not None]
        self._timers.clear()
        assert len(due) <= 1
        for timer in due:
            if timer.flush is not None:
                timer.flush()
        for wire, writes in zip(self.wires, before, strict=True):
            assert len(wire.writes()) - writes <= 1


_who = st.integers(0, SESSIONS - 1)
_room = st.integers(0, ROOMS - 1)
_step = st.one_of(
    st.tuples(st.just("show"), st.sets(_room, min_size=1), st.none() | _who, st.booleans(), st.booleans()),
    st.tuples(st.just("tell"), _who),
    st.tuples(st.just("move"), _who, _room),
    st.tuples(st.just("reencode"), _who, st.integers(0, 1)),
    st.tuples(st.just("rewire"), _who, st.integers(0, 2)),
    st.tuples(st.just("contend"), st.booleans()),
)
_steps = st.lists(
    st.one_of(
        _step,
        st.tuples(st.just("block"), st.lists(_step, max_size=10), st.booleans()),
        st.tuples(st.just("write_out"), _who),
        st.tuples(st.just("flush")),
    ),
    max_size=60,
)


@settings(max_examples=500)
@given(members=st.sets(st.tuples(_who, _room)), steps=_steps, few=st.integers(0, SESSIONS))
def test_everyone_is_shown_exactly_what_is_theirs_in_order_whatever_happens(
    members: set[tuple[int, int]], steps: list[tuple[object, ...]], few: int
) -> None:
    # As if each reader were a crowd; and so many speakers are looked for one by one.
    with ExitStack() as stack, patch("core.outbox.PATIENCE", 1.0), patch("core.outbox.FEW", few):
        house = House(stack)
        for who, room in members:
            house.move(who, room)
        for name, *arguments in steps:
            getattr(house, str(name))(*arguments)
        house.flush()
        assert [b"".join(wire.writes()) for wire in house.wires] == house.expected
    assert max(house.encoded.values(), default=0) <= 1


@pytest.mark.parametrize("speaker", [None, 0], ids=["a reader", "who speaks"])
def test_while_another_thread_is_at_work_nothing_is_written_past_a_wire(speaker: int | None) -> None:
    with ExitStack() as stack:
        house = House(stack)
        wire = house.wires[0]
        assert isinstance(wire, StraightWire)
        house.move(0, 0)
        for contended, written in ((False, 0), (True, 1), (False, 1)):
            house.contend(contended)
            house.show({0}, speaker, answered=True)
            house.flush()
            assert wire.written == written
        assert b"".join(wire.writes()) == house.expected[0]
