"""What has happened. Facts are past tense and frozen; an `Entry` is a fact with its place in time.

What a person says (`Spoken`) is stored before anyone is shown it. `Presence` is shown in the same
order but not stored.
"""

from msgspec import Struct

from core.names import Nick, RoomName


class Said(Struct, frozen=True, gc=False):
    """Said in a room.

    `author` is the session identity behind the nick and `ref` the name its client gave the message;
    neither is shown to others. The same author and ref twice is the same message.
    """

    room: RoomName
    nick: Nick
    text: str
    author: str
    ref: str | None = None


class Shouted(Struct, frozen=True, gc=False):
    """Said to everyone, whichever room they are in."""

    nick: Nick
    text: str
    author: str
    ref: str | None = None


class Told(Struct, frozen=True, gc=False):
    """Said to one person. `reader` is the session identity behind `to`."""

    nick: Nick
    to: Nick
    text: str
    author: str
    reader: str
    ref: str | None = None


class Connected(Struct, frozen=True, gc=False):
    """Logged in, and so came into the room where everybody starts."""

    room: RoomName
    nick: Nick


class Joined(Struct, frozen=True, gc=False):
    room: RoomName
    nick: Nick


class Left(Struct, frozen=True, gc=False):
    room: RoomName
    nick: Nick


class Disconnected(Struct, frozen=True, gc=False):
    nick: Nick


class Renamed(Struct, frozen=True, gc=False):
    old: Nick
    new: Nick


class Typed(Struct, frozen=True, gc=False):
    """Someone is typing in a room."""

    room: RoomName
    nick: Nick


class TopicChanged(Struct, frozen=True, gc=False):
    """What a room is about from now on; "" for nothing. Stored, but not among what was said."""

    room: RoomName
    nick: Nick
    text: str


Spoken = Said | Shouted | Told
Presence = Connected | Joined | Left | Disconnected | Renamed | Typed
Fact = Spoken | Presence | TopicChanged


class Entry(Struct, frozen=True, gc=False):
    """A fact with its id (0 for what is not stored) and its time in milliseconds since 1970, UTC."""

    id: int
    time: int
    fact: Fact
