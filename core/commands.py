"""What a person wishes. Commands are frozen; both doors parse into them, `Chat` decides.

The tags are the words of the web door, whose JSON decodes straight into these classes; unknown
fields are refused there. `ref` comes back in the answer.
"""

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, Struct, field

Ref = Annotated[str, Meta(max_length=64)]

HERE = ""
"""As a room: the one room that the person is in. For doors whose people are in one room at a time."""

HISTORY_DEFAULT = 50
HISTORY_MAX = 200
QUERY_MAX = 200


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ref: Ref | None = None


class Login(Command, frozen=True, tag="login"):
    nick: str


class Msg(Command, frozen=True, tag="msg"):
    room: str
    text: str


class Gmsg(Command, frozen=True, tag="gmsg"):
    text: str


class Dm(Command, frozen=True, tag="dm"):
    """With `follows`: only for the person with whom that direct message was exchanged.

    It is the id of one, or the ref of one that the same session has sent before.
    """

    to: str
    text: str
    follows: int | Ref | None = None


class Join(Command, frozen=True, tag="join"):
    room: str


class Leave(Command, frozen=True, tag="leave"):
    room: str


class Who(Command, frozen=True, tag="who"):
    """Without a room: everyone."""

    room: str | None = None


class Rename(Command, frozen=True, tag="nick"):
    nick: str


class History(Command, frozen=True, tag="history"):
    """Of a room, or of the direct messages with a person: exactly one of the two."""

    room: str | None = None
    with_: str | None = field(default=None, name="with")
    before: Annotated[int, Meta(ge=1)] | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_MAX)] = HISTORY_DEFAULT


class Search(Command, frozen=True, tag="search"):
    """Words in what the asker may see; in one room or everywhere."""

    query: str
    room: str | None = None
    limit: Annotated[int, Meta(ge=1, le=HISTORY_MAX)] = HISTORY_DEFAULT


class Resume(Command, frozen=True, tag="resume"):
    """Take a session back. `after` is the last id that its reader saw.

    Doors whose readers see no ids leave it out: then it is the last one the session was shown.
    """

    token: str
    after: Annotated[int, Meta(ge=0)] | None = None


class Rooms(Command, frozen=True, tag="rooms"):
    """Which rooms there are."""


class Topic(Command, frozen=True, tag="topic"):
    """Set what a room is about; "" for nothing. Without a text: ask for it."""

    room: str
    text: str | None = None


class Typing(Command, frozen=True, tag="typing"):
    room: str


class Ping(Command, frozen=True, tag="ping"):
    pass


class Quit(Command, frozen=True, tag="quit"):
    pass


class Token(Command, frozen=True, tag="token"):
    """Ask for what `Resume` takes."""


class Help(Command, frozen=True, tag="help"):
    """How the door is used. Answered by the door's own encoder."""


class Reencode(Command, frozen=True, tag="reencode"):
    """From now on this person is shown things by another encoder of the same door."""

    encode: Callable[[Any], bytes]


class Gone(Command, frozen=True, tag="gone"):
    """The connection has ended; comes from a door, after everything that was said on it."""

    dropped: bool = False
    """It broke, nobody closed it: the person may come back in a moment."""


class Invalid(Command, frozen=True, tag="invalid"):
    """What a parser makes of bad input: the answer is this error."""

    code: str
    detail: str = ""
    said: bool = False
    """It is a message with a ref: if it was stored before, it is no error."""


Spoken = Msg | Gmsg | Dm
FromWire = (
    Login
    | Msg
    | Gmsg
    | Dm
    | Join
    | Leave
    | Who
    | Rooms
    | Topic
    | Rename
    | History
    | Search
    | Resume
    | Typing
    | Ping
    | Quit
)
"""What the web door may send."""

AnyCommand = FromWire | Token | Help | Reencode | Gone | Invalid
