"""Who hears a room, grouped by the encoder that makes their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from core.session import Encode, Session, Write

if TYPE_CHECKING:
    from core.outbox import Item


class Readers(Struct, eq=False):
    """How to reach those who are shown the same bytes: each is in one of the two."""

    fds: dict[Session, int] = {}
    writes: dict[Session, Write] = {}

    def reach(self, session: Session) -> None:
        """As its wire says now."""
        self.discard(session)
        wire = session.wire
        if wire.fd is None:
            self.writes[session] = wire.write
        else:
            self.fds[session] = wire.fd

    def discard(self, session: Session) -> None:
        self.fds.pop(session, None)
        self.writes.pop(session, None)


class Audience:
    """The hearers of one room, or of the whole chat."""

    __slots__ = ("gathered", "groups", "members", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[Session, None] = {}
        """In the order in which they came."""
        self.groups: dict[Encode, Readers] = {}
        self.gathered: list[Item] = []
        """What this tick has for these hearers, in order; the outbox empties it."""

    def add(self, session: Session) -> None:
        self.members[session] = None
        if session.encode not in self.groups:
            self.groups[session.encode] = Readers()
        self.groups[session.encode].reach(session)
        session.audiences.append(self)

    def discard(self, session: Session) -> None:
        del self.members[session]
        readers = self.groups[session.encode]
        readers.discard(session)
        if not readers.fds and not readers.writes:
            del self.groups[session.encode]
        session.audiences.remove(self)
