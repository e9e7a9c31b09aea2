"""What a tick of the event loop has gathered, written once per reader.

The cost of fan-out is the system call, so everything a reader is shown within one tick leaves in
one write. Rules of this file:

- what is shown is encoded once per kind of reader, whatever the number of readers;
- readers of the same kind in the same audience share one joined `bytes`;
- a session that needs anything of its own in this tick (a reply, its own message left out, a change
  of rooms, two busy rooms at once) has a join of its own, in the same order;
- who came and who went is gathered for longer the more people it is shown to, so that a rush of
  logins costs a large room a small part of a core; whatever else is shown takes it along, in order;
- nothing here waits, and nothing is created per reader who shares.
"""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from core.audience import Audience, Readers
from core.counters import Counters
from core.replies import Shown
from core.session import Encode, Session

logger = logging.getLogger("parlour.outbox")

Reach = TypeVar("Reach")
"""Where to write for a reader, or the function to call."""

PATIENCE: Final = 8e-5
"""Seconds that presence waits for each reader: twenty times what a write costs, so a twentieth of a core."""

FEW: Final = 4
"""Speakers to look for one by one."""

SHORTEST: Final = 0.002
LONGEST: Final = 0.25


class Timer(Protocol):
    def cancel(self) -> None: ...


Schedule = Callable[[float, Callable[[], None]], Timer]
"""Calls a function after so many seconds; 0 for the end of this tick."""


class Item(Struct, eq=False):
    """Something shown to an audience, with the bytes each kind of reader gets."""

    seq: int
    shown: Shown
    made: dict[Encode, bytes] = {}

    def encoded(self, encode: Encode) -> bytes:
        data = self.made.get(encode)
        if data is None:
            try:
                data = encode(self.shown)
            except Exception as error:  # noqa: BLE001 - a bug must not hold up what others are shown
                data = _left_out(self.shown, error)
            self.made[encode] = data
        return data


def _left_out(shown: Shown, error: Exception) -> bytes:
    """In place of what an encoder has failed to encode."""
    logger.error("cannot encode %s", type(shown).__name__, exc_info=error)  # no texts in the log
    return b""


class Own(Struct, eq=False):
    """A session's own share of the tick."""

    upto: int
    """Of the items before this one, everything is in `parts`."""
    parts: list[bytes] | None = None
    """None while the session differs from the other readers only by what it has said itself."""
    instead: dict[int, tuple[int, bytes]] = {}
    """What it is shown in place of its own items from `upto` on, by number; b"" for nothing.

    With the item's place among those of the audience: there is one, or else `parts` are made.
    """


class Promised:
    """Stands for a flush that is sure to come."""

    def cancel(self) -> None: ...


def _taken(fd: int, data: bytes) -> int:
    """How many bytes a socket takes. `_spread` has this in place: it must not call for each reader."""
    try:
        return os.write(fd, data)
    except OSError:
        return 0


class Outbox:
    """`with outbox:` writes what is shown meanwhile at the end of the block, instead of the tick's."""

    def __init__(self, schedule: Schedule, counters: Counters, contended: Callable[[], bool]) -> None:
        """`contended`: another thread is at work; it would get the interpreter at each system call."""
        self._later = schedule
        self._contended = contended
        self._counters = counters
        self._seq = 0
        self._first = 0
        """The first item of this tick."""
        self._active: list[Audience] = []
        self._own: dict[Session, Own] = {}
        self._timer: Timer | None = None
        """The flush that is to come; None when nothing is gathered."""
        self._patience = 0.0
        """Seconds that it can wait; less than SHORTEST is the end of the tick."""
        self._promised = Promised()

    def __enter__(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._patience = self._promised, 0.0

    def __exit__(self, *_: object) -> None:
        self.flush()

    def show(
        self,
        audiences: Collection[Audience],
        shown: Shown,
        *,
        without: Session | None = None,
        instead: Shown | None = None,
        patient: bool = False,
    ) -> None:
        """Show it to everyone in these audiences, once each, except to the session it comes from.

        `instead`: what that session is shown in its place.
        `patient`: it may wait a moment for more of its kind.
        """
        item = Item(self._seq, shown)
        self._seq += 1
        place = None
        for audience in audiences:
            if not audience.gathered:
                self._active.append(audience)
            if without in audience.members:
                place = len(audience.gathered)
            audience.gathered.append(item)
        if patient:
            self._schedule(sum(len(a.members) for a in audiences) * PATIENCE)
        elif self._timer is None or self._patience:
            self._schedule(0.0)
        if without is None:
            return
        if place is not None:
            own = self._own_of(without)
            own.instead[item.seq] = place, b"" if instead is None else without.encode(instead)
        elif instead is not None:
            self.tell(without, instead)

    def tell(self, session: Session, shown: Shown) -> None:
        """Show it to one session, after all that was shown to it before."""
        try:
            data = session.encode(shown)
        except Exception as error:  # noqa: BLE001 - as above
            data = _left_out(shown, error)
        if not data:
            return
        if self._timer is None:
            self._write(session, [data])  # a quiet moment: nothing to keep the order with
            return
        self._catch_up(session).append(data)
        if self._patience >= SHORTEST:  # a reply can't wait: it takes along what came before it
            self.write_out(session)

    def settle(self, session: Session) -> None:
        """Fix what the session is to be shown so far. Call it before its audiences or encoder change."""
        if self._timer is not None:
            self._catch_up(session)

    def write_out(self, session: Session) -> None:
        """Write now what the session is to be shown so far, ahead of the others."""
        if self._timer is not None:
            parts = self._catch_up(session)
            self._own_of(session).parts = []
            self._write(session, parts)

    def flush(self) -> None:
        """Write everything that was gathered."""
        active, own, counters = self._active, self._own, self._counters
        if len(active) > 1:
            # A reader of two busy audiences needs both in one order, and each item once.
            seen: set[Session] = set()
            for audience in active:
                for session in seen.intersection(audience.members):
                    self._catch_up(session)
                seen.update(audience.members)
        for session, mine in own.items():
            if mine.parts is not None:
                self._catch_up(session)
        shares = []
        for audience in active:
            items, audience.gathered = audience.gathered, []
            for encode, readers in audience.groups.items():
                made = []
                for item in items:
                    made.append(item.made.get(encode) or item.encoded(encode))  # noqa: PERF401 - no function for it
                fds = self._alike(readers.fds, made) if readers.fds else []
                writes = self._alike(readers.writes, made) if readers.writes else []
                number = len(fds) + len(writes)
                data = b"".join(made) if number else b""
                if data:
                    shares.append((readers, fds, writes, data))
                    counters.deliveries += number * (len(made) - made.count(b""))
                    counters.sent += number * len(data)
        self._active, self._own = [], {}
        self._first = self._seq
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        contended = self._contended()
        for readers, fds, writes, data in shares:
            if fds:
                self._spread(readers, fds, data, contended=contended)
            for write in writes:
                write(data)
        for session, mine in own.items():
            self._write(session, mine.parts or [], straight=not contended)

    def _spread(self, readers: Readers, fds: Iterable[int], data: bytes, *, contended: bool) -> None:
        """Write to each. Nothing is looked up for a reader, nor are its session and its wire touched."""
        write, size, short = os.write, len(data), {}
        if contended:  # a transport keeps the interpreter while it writes
            short, fds = dict.fromkeys(fds, 0), ()
        for fd in fds:
            try:
                sent = write(fd, data)
            except OSError:
                sent = 0
            if sent != size:
                short[fd] = sent
        if short:
            for session, fd in list(readers.fds.items()):
                if fd in short:
                    session.wire.write(data[short[fd] :])

    def _alike(self, group: Mapping[Session, Reach], made: Sequence[bytes]) -> list[Reach]:
        """How to reach those who share the same bytes. Who has spoken gets these without what it said."""
        own, alike = self._own, [*group.values()]
        speakers: Iterable[Session] = own
        few = len(own) <= FEW
        if not few:
            speakers = own.keys() & group.keys()
            spoke = {group[session] for session in speakers}
            alike = [each for each in alike if each not in spoke]
        for session in speakers:
            if session not in group:
                continue
            if few:  # to look for one costs less than to look at each
                alike.remove(group[session])
            mine = own[session]
            if mine.parts is None:
                mine.parts = [*made]
                for place, data in mine.instead.values():
                    mine.parts[place] = data
        return alike

    def _write(self, session: Session, parts: Sequence[bytes], *, straight: bool = False) -> None:
        data = b"".join(parts)
        if data:
            wire = session.wire
            fd = wire.fd if straight else None
            rest = data if fd is None else data[_taken(fd, data) :]
            if rest:
                wire.write(rest)
            self._counters.deliveries += len(parts) - parts.count(b"")
            self._counters.sent += len(data)

    def _own_of(self, session: Session) -> Own:
        own = self._own.get(session)
        if own is None:
            own = self._own[session] = Own(self._first)
        return own

    def _catch_up(self, session: Session) -> list[bytes]:
        """Give the session its own share of all that was gathered for it until now."""
        own = self._own_of(session)
        if own.parts is None:
            own.parts = []
        if own.upto == self._seq:
            return own.parts
        encode = session.encode
        sources = [audience.gathered for audience in session.audiences if audience.gathered]
        missed: list[Item] = []
        for gathered in sources:
            for item in reversed(gathered):
                if item.seq < own.upto:
                    break
                missed.append(item)
        if len(sources) > 1:
            missed = list({item.seq: item for item in missed}.values())
            missed.sort(key=lambda item: -item.seq)
        for item in reversed(missed):
            instead = own.instead.get(item.seq)
            own.parts.append(item.encoded(encode) if instead is None else instead[1])
        own.upto = self._seq
        return own.parts

    def _schedule(self, delay: float) -> None:
        """Flush at the end of this tick, or after the delay if that is worth waiting for.

        What can wait does so for others that can wait longer, or else those would be taken along too soon.
        """
        patience = min(delay, LONGEST)
        if self._timer is not None:
            if patience == self._patience:
                return
            if patience and not 0.0 < 2 * self._patience < patience:  # twice: that is not put off for ever
                return
            if patience >= SHORTEST:
                for session in [session for session, own in self._own.items() if own.parts]:
                    self.write_out(session)  # replies that would go at the end of this tick
            self._timer.cancel()
        self._patience = patience
        self._timer = self._later(patience if patience >= SHORTEST else 0.0, self.flush)
