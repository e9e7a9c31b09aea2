"""Who is here, and in which rooms. Changes only; the rules are checked before."""

from collections.abc import Iterator

from core.audience import Audience
from core.names import HALL, Folded, Nick, RoomName, fold
from core.session import Session


class Roster:
    def __init__(self) -> None:
        self.hall = Audience("")
        """Everyone who is logged in."""
        self._people: dict[Folded, Session] = {}
        self._rooms: dict[RoomName, Audience] = {}

    def find(self, nick: str) -> Session | None:
        return self._people.get(fold(nick))

    def room(self, name: RoomName) -> Audience | None:
        return self._rooms.get(name)

    def rooms(self) -> Iterator[Audience]:
        return iter(self._rooms.values())

    def nicks(self, room: RoomName | None = None) -> list[Nick]:
        """In alphabetical order, so that two answers can be compared."""
        audience = self.hall if room is None else self._rooms.get(room)
        members = () if audience is None else audience.members
        return sorted((s.nick for s in members if s.nick is not None), key=str.casefold)

    def admit(self, session: Session, nick: Nick, last_id: int) -> None:
        session.nick = nick
        session.entered[HALL] = last_id
        self._people[fold(nick)] = session
        self.hall.add(session)

    def rename(self, session: Session, nick: Nick) -> None:
        if session.nick is not None:
            self._people.pop(fold(session.nick), None)
        session.nick = nick
        self._people[fold(nick)] = session

    def enter(self, session: Session, room: RoomName, last_id: int) -> Audience:
        audience = self._rooms.get(room)
        if audience is None:
            audience = self._rooms[room] = Audience(room)
        audience.add(session)
        session.rooms[room] = audience
        session.entered[room] = last_id
        return audience

    def leave(self, session: Session, room: RoomName) -> Audience:
        audience = session.rooms.pop(room)
        del session.entered[room]
        audience.discard(session)
        if not audience.members:
            del self._rooms[room]
        return audience

    def replace(self, old: Session, new: Session) -> None:
        """The new session is the old one from now on: its nick, its rooms, what it hears, what it may do."""
        for audience in list(old.audiences):
            audience.discard(old)
            audience.add(new)
        new.nick, new.rooms, new.entered = old.nick, old.rooms, old.entered
        new.partners, new.buckets, new.pace = old.partners, old.buckets, old.pace or new.pace
        old.nick, old.rooms, old.entered, old.heir = None, {}, {}, new
        if new.nick is not None:
            self._people[fold(new.nick)] = new

    def dismiss(self, session: Session) -> None:
        """Take someone out of everything."""
        for room in list(session.rooms):
            self.leave(session, room)
        if session.nick is not None:
            self.hall.discard(session)
            self._people.pop(fold(session.nick), None)
