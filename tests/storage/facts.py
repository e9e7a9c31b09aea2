"""Things people said, as the log is given them."""

from collections.abc import Iterable

from core.facts import Entry, Said, Shouted, Told
from core.log import Between, InRoom, Reader
from core.names import Nick, RoomName, fold


def said(text: str, room: str = "#general", nick: str = "Ann", ref: str | None = None) -> Said:
    """The identity behind a nick is `id-` and the nick, unless a test says otherwise."""
    return Said(RoomName(room), Nick(nick), text, f"id-{nick}", ref)


def shouted(text: str, nick: str = "Ann", ref: str | None = None) -> Shouted:
    return Shouted(Nick(nick), text, f"id-{nick}", ref)


def told(nick: str, to: str, text: str, ref: str | None = None) -> Told:
    return Told(Nick(nick), Nick(to), text, f"id-{nick}", f"id-{to}", ref)


def in_room(room: str = "#general") -> InRoom:
    return InRoom(RoomName(room))


def between(reader: str, nick: str, who: str | None = None) -> Between:
    """The direct messages of whoever is behind `reader` with someone called `nick`, who is `who`."""
    return Between(f"id-{reader}", fold(nick), f"id-{who}" if who else None)


def reader(nick: str, **rooms: int) -> Reader:
    """Whoever is behind this nick, in these rooms (without their #) since these ids."""
    return Reader(f"id-{nick}", {RoomName(f"#{room}"): entered for room, entered in rooms.items()})


def texts(entries: Iterable[Entry]) -> list[str]:
    """What was said in these entries."""
    spoken = [entry.fact for entry in entries]
    return [fact.text for fact in spoken if isinstance(fact, Said | Shouted | Told)]
