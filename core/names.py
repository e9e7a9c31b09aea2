"""Names of people and rooms: what is allowed, and how two of them compare."""

import re
from typing import Final, NewType

Nick = NewType("Nick", str)
"""A name as its owner writes it. Compare the folded form."""

Folded = NewType("Folded", str)
"""A name without regard to case: two people cannot share one."""

RoomName = NewType("RoomName", str)
"""A valid room name in lower case, with its `#`."""

LOBBY: Final = RoomName("#general")
"""Where everybody starts."""

HALL: Final = RoomName("")
"""Where everyone is who is logged in. No room is called that."""

NICK_MAX: Final = 32
ROOM_MAX: Final = 63
RESERVED: Final = frozenset({"server", "admin", "system", "info"})

_NICK: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ROOM: Final = re.compile(r"#[a-z0-9_-]+")


def fold(nick: str) -> Folded:
    """The form under which a nick is unique."""
    return Folded(nick.casefold())


def nick_problem(nick: str) -> str | None:
    """Why this cannot be a nick, in words for its owner; None if it can."""
    if not nick:
        return "a name is needed"
    if len(nick) > NICK_MAX:
        return f"a name has at most {NICK_MAX} characters"
    if not _NICK.fullmatch(nick):
        return "use a letter first, then letters, digits, - or _"
    if fold(nick) in RESERVED:
        return "that name is reserved"
    return None


def parse_room(name: str) -> RoomName | None:
    """The room that is meant, in lower case; None if no room can be called that."""
    folded = name.lower()
    if len(folded) <= ROOM_MAX + 1 and _ROOM.fullmatch(folded):
        return RoomName(folded)
    return None
