"""The JSON that the web door sends, one class per `type`, and how it becomes a WebSocket frame."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct, field

from core.names import RoomName
from ws_frontend import frames


class Hello(Struct, frozen=True, tag="hello"):
    server: str
    version: str
    epoch: str
    limits: dict[str, int]


class Welcome(Struct, frozen=True, tag="welcome", omit_defaults=True):
    nick: str
    token: str
    rooms: Sequence[str]
    topics: Mapping[RoomName, str] = {}
    ref: str | None = None


class Msg(Struct, frozen=True, tag="msg"):
    id: int
    time: str
    room: str
    nick: str
    text: str


class Gmsg(Struct, frozen=True, tag="gmsg"):
    id: int
    time: str
    nick: str
    text: str


class Dm(Struct, frozen=True, tag="dm"):
    id: int
    time: str
    nick: str
    to: str
    text: str


class Joined(Struct, frozen=True, tag="joined"):
    room: str
    nick: str


class Left(Struct, frozen=True, tag="left"):
    room: str
    nick: str


class Disconnected(Struct, frozen=True, tag="disconnected"):
    nick: str


class Renamed(Struct, frozen=True, tag="renamed"):
    old: str
    new: str


class Typing(Struct, frozen=True, tag="typing"):
    room: str
    nick: str


class Topic(Struct, frozen=True, tag="topic"):
    room: str
    nick: str
    text: str


class Room(Struct, frozen=True):
    room: str
    members: int
    topic: str


class Rooms(Struct, frozen=True, tag="rooms", omit_defaults=True):
    rooms: Sequence[Room]
    ref: str | None = None


class Users(Struct, frozen=True, tag="users", omit_defaults=True):
    nicks: Sequence[str]
    room: str | None = None
    ref: str | None = None


class History(Struct, frozen=True, tag="history", omit_defaults=True):
    messages: Sequence[Msg | Gmsg | Dm]
    more: bool
    room: str | None = None
    with_: str | None = field(default=None, name="with")
    ref: str | None = None


class Results(Struct, frozen=True, tag="results", omit_defaults=True):
    messages: Sequence[Msg | Gmsg | Dm]
    ref: str | None = None


class Resumed(Struct, frozen=True, tag="resumed", omit_defaults=True):
    nick: str
    rooms: Sequence[str]
    recovered: bool
    missed: int
    topics: Mapping[RoomName, str] = {}
    ref: str | None = None


class Ok(Struct, frozen=True, tag="ok", omit_defaults=True):
    id: int | None = None
    time: str | None = None
    topic: str | None = None
    ref: str | None = None


class Error(Struct, frozen=True, tag="error", omit_defaults=True):
    code: str
    detail: str
    ref: str | None = None


class Pong(Struct, frozen=True, tag="pong", omit_defaults=True):
    ref: str | None = None


class Bye(Struct, frozen=True, tag="bye"):
    reason: str


Spoken = Msg | Gmsg | Dm
Event = (
    Hello
    | Welcome
    | Spoken
    | Joined
    | Left
    | Disconnected
    | Renamed
    | Typing
    | Topic
    | Users
    | Rooms
    | History
    | Results
    | Resumed
    | Ok
    | Error
    | Pong
    | Bye
)

_encoder: Final = msgspec.json.Encoder()


def frame(event: Event) -> bytes:
    """The event as a text frame."""
    return frames.frame(frames.TEXT, _encoder.encode(event))
