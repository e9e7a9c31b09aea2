"""What a tick of the event loop has gathered, written once per reader.

The cost of fan-out is the system call, so everything a reader is shown within one tick leaves in
one write. Rules of this file:

- what is shown is encoded once per kind of reader, whatever the number of readers;
- readers of the same kind in the same audience share one joined `bytes`;
- a session that needs anything of its own in this tick (a reply, its own message left out, a change
  of rooms, two busy rooms at once) has a join of its own, in the same order;
- nothing here waits, and nothing is created per reader who shares.
"""

from collections.abc import Callable, Iterable

from core.audience import Audience
from core.counters import Counters
from core.replies import Shown
from core.session import Encode, Session


class Item:
    """Something shown to an audience, with the bytes each kind of reader gets."""

    __slots__ = ("made", "seq", "shown")

    def __init__(self, seq: int, shown: Shown) -> None:
        self.seq = seq
        self.shown = shown
        self.made: dict[Encode, bytes] = {}

    def encoded(self, encode: Encode) -> bytes:
        data = self.made.get(encode)
        if data is None:
            data = self.made[encode] = encode(self.shown)
        return data


class Own:
    """A session's own share of the tick: everything up to item `upto` is in `parts`."""

    __slots__ = ("parts", "upto")

    def __init__(self, upto: int) -> None:
        self.parts: list[bytes] = []
        self.upto = upto


class Outbox:
    def __init__(self, call_soon: Callable[[Callable[[], None]], object], counters: Counters) -> None:
        self._counters = counters
        self._call_soon = call_soon
        self._seq = 0
        self._first = 0
        """The first item of this tick."""
        self._active: list[Audience] = []
        self._own: dict[Session, Own] = {}
        self._scheduled = False

    def show(self, audiences: Iterable[Audience], shown: Shown, *, without: Session | None = None) -> None:
        """Show it to everyone in these audiences, once each, except to the session it comes from."""
        own = None if without is None else self._catch_up(without)
        item = Item(self._seq, shown)
        self._seq += 1
        for audience in audiences:
            if not audience.gathered:
                self._active.append(audience)
            audience.gathered.append(item)
        if own is not None:
            own.upto = self._seq
        self._schedule()

    def tell(self, session: Session, shown: Shown) -> None:
        """Show it to one session, after all that was shown to it before."""
        data = session.encode(shown)
        if not data:
            return
        if not self._scheduled:
            session.wire.write(data)  # a quiet moment: nothing to keep the order with
            return
        self._catch_up(session).parts.append(data)
        self._schedule()

    def settle(self, session: Session) -> None:
        """Fix what the session is to be shown so far. Call it before its audiences or encoder change."""
        if self._scheduled:
            self._catch_up(session)

    def write_out(self, session: Session) -> None:
        """Write now what the session is to be shown so far, ahead of the others."""
        if self._scheduled:
            own = self._catch_up(session)
            data, own.parts = b"".join(own.parts), []
            if data:
                session.wire.write(data)

    def flush(self) -> None:
        """Write everything that was gathered."""
        active, own, counters = self._active, self._own, self._counters
        if len(active) > 1:
            # A reader of two busy audiences needs both in one order, and each item once.
            seen: set[Session] = set()
            for audience in active:
                for session in audience.members:
                    if session in seen:
                        self._catch_up(session)
                    else:
                        seen.add(session)
        for session in own:
            self._catch_up(session)
        shares = []
        for audience in active:
            items = audience.gathered
            audience.gathered = []
            for encode, group in audience.groups.items():
                readers = [session for session in group if session not in own] if own else list(group)
                if readers:
                    data = b"".join([item.encoded(encode) for item in items])
                    if data:
                        shares.append((readers, data))
                        counters.deliveries += len(readers) * len(items)
                        counters.sent += len(readers) * len(data)
        self._active, self._own = [], {}
        self._first = self._seq
        self._scheduled = False
        for readers, data in shares:
            for session in readers:
                session.wire.write(data)
        for session, mine in own.items():
            if mine.parts:
                data = b"".join(mine.parts)
                session.wire.write(data)
                counters.deliveries += len(mine.parts)
                counters.sent += len(data)

    def _catch_up(self, session: Session) -> Own:
        """Give the session its own share of all that was gathered for it until now."""
        own = self._own.get(session)
        if own is None:
            own = self._own[session] = Own(self._first)
        if own.upto == self._seq:
            return own
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
        own.parts.extend([item.encoded(encode) for item in reversed(missed)])
        own.upto = self._seq
        return own

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self.flush)
