"""What is allowed. Every check either returns the checked value or raises the one `Refusal`."""

import re
from math import ceil
from typing import Final
from unicodedata import category

from core.commands import HERE
from core.limits import ROOMS_MAX, TEXT_MAX, TOPIC_MAX
from core.names import LOBBY, Nick, RoomName, nick_problem, parse_room
from core.pace import Bucket
from core.session import Session
from core.text import clean


class Refusal(Exception):
    """A wish that is not granted. `code` is one of PROTOCOL.md's error codes."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


_BLANK: Final = re.compile("[\u115f\u1160\u2800\u3164\uffa0\u2065\ufff0-\ufff8\U000e0000-\U000e0fff]")
"""What shows nothing, and has no category that says so.

Fillers of Hangul, Braille without dots, and what is to be ignored once it is in use
(DerivedCoreProperties.txt).
"""

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp"})
"""Categories that show nothing; marks need something to stand on. What this Python's Unicode does not know is
not among them: new emoji, mostly."""


def _visible(text: str) -> bool:
    """Something is left to see of this clean text when spaces and what has no width are taken away."""
    if text.isascii():
        return bool(text) and not text.isspace()
    return any(category(letter) not in _UNSEEN for letter in _BLANK.sub("", text))


def speech(text: str, most: int = TEXT_MAX, advice: str = "Say something") -> str:
    """What is said, or searched for: so many characters at most, and something of it can be seen."""
    text = clean(text)
    if len(text) > most:
        raise Refusal("text-too-long", str(most))
    if not _visible(text):
        raise Refusal("empty-text", advice)
    return text


def topic(text: str) -> str:
    """ "" for a room that is about nothing."""
    text = clean(text).strip()
    if len(text) > TOPIC_MAX:
        raise Refusal("text-too-long", str(TOPIC_MAX))
    if text and not _visible(text):
        raise Refusal("empty-text", "Nothing of that can be seen")
    return text


def new_nick(name: str) -> Nick:
    problem = nick_problem(name)
    if problem is not None:
        raise Refusal("invalid-username", problem)
    return Nick(name)


def unhurried(session: Session, what: str, allowed: tuple[float, float], now: float) -> None:
    """One of these is taken from the session's small bucket of that name."""
    if session.buckets is None:
        session.buckets = {}
    bucket = session.buckets.get(what)
    if bucket is None:
        bucket = session.buckets[what] = Bucket(*allowed, now)
    wait = bucket.take(now)
    if wait:
        raise Refusal("too-fast", str(ceil(wait)))


def logged_in(session: Session) -> Nick:
    if session.nick is None:
        raise Refusal("login-required", "Send login or resume first")
    return session.nick


def room_name(name: str) -> RoomName:
    room = parse_room(name)
    if room is None:
        raise Refusal("bad-room-name", "# and then 1 to 63 letters, digits, - or _, like #python")
    return room


def known_room(session: Session, name: str) -> RoomName:
    """The room that is meant; `HERE` is the one someone on a door with one room is in."""
    return (session.here if name == HERE else None) or room_name(name)


def own_room(session: Session, name: str) -> RoomName:
    """The room that is meant, which the session must be in."""
    if name in session.rooms:
        return RoomName(name)  # written as we write it: there is nothing to find out
    room = known_room(session, name)
    if room not in session.rooms:
        raise Refusal("not-in-room", room)
    return room


def room_to_join(session: Session, name: str) -> RoomName:
    room = room_name(name)
    if room in session.rooms:
        raise Refusal("already-in-that-room")
    if not session.one_room and len(session.rooms) >= ROOMS_MAX:
        raise Refusal("too-many-rooms", str(ROOMS_MAX))
    return room


def room_to_leave(session: Session, name: str) -> RoomName:
    room = own_room(session, name)
    if session.one_room and room == LOBBY:
        raise Refusal("already-in-general")
    return room
