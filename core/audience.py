"""Who hears a room, grouped by the encoder that makes their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.session import Encode, Session, Write

if TYPE_CHECKING:
    from core.outbox import Item


class Audience:
    """The hearers of one room, or of the whole chat."""

    __slots__ = ("gathered", "groups", "members", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[Session, None] = {}
        """In the order in which they came."""
        self.groups: dict[Encode, dict[Session, Write]] = {}
        """How to reach each of them."""
        self.gathered: list[Item] = []
        """What this tick has for these hearers, in order; the outbox empties it."""

    def add(self, session: Session) -> None:
        self.members[session] = None
        self.groups.setdefault(session.encode, {})[session] = session.write
        session.audiences.append(self)

    def discard(self, session: Session) -> None:
        del self.members[session]
        group = self.groups[session.encode]
        del group[session]
        if not group:
            del self.groups[session.encode]
        session.audiences.remove(self)
