"""What one session is answered. Each door's encoder gives a reply its words."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from core.facts import Entry
from core.names import Nick, RoomName


class Reply(Struct, frozen=True, kw_only=True):
    ref: str | None = None


class Welcome(Reply, frozen=True):
    """Logged in. `recent` is what was said in the first room, for doors that ask for it."""

    nick: Nick
    token: str
    rooms: Sequence[RoomName]
    recent: Sequence[Entry] = ()
    topics: Mapping[RoomName, str] = {}
    """Of those of the rooms that have one."""


class Stored(Reply, frozen=True):
    """A message is durable and has been shown. `time` is milliseconds since 1970, UTC."""

    id: int
    time: int


class Entered(Reply, frozen=True):
    """You are in this room now."""

    room: RoomName
    recent: Sequence[Entry] = ()
    topic: str = ""


class Done(Reply, frozen=True):
    """Carried out, nothing to add. `what` is a word for doors that name it."""

    what: str = ""


class TopicIs(Reply, frozen=True):
    """What a room is about; "" for nothing. `changed`: because you have just said so."""

    room: RoomName
    text: str
    changed: bool = False


class Room(Struct, frozen=True):
    room: RoomName
    members: int
    topic: str


class RoomList(Reply, frozen=True):
    """Those with the most people first."""

    rooms: Sequence[Room]


class NickChanged(Reply, frozen=True):
    nick: Nick


class Users(Reply, frozen=True):
    """Who is in the room; in the whole chat when there is no room."""

    room: RoomName | None
    nicks: Sequence[Nick]


class HistoryPage(Reply, frozen=True):
    """Oldest first. Exactly one of `room` and `with_nick`; `more` says that older ones exist."""

    room: RoomName | None
    with_nick: str | None
    entries: Sequence[Entry]
    more: bool


class Results(Reply, frozen=True):
    """What a search found, oldest first."""

    entries: Sequence[Entry]


class TokenIs(Reply, frozen=True):
    """What takes this session back later, and the last id so far: nothing shown before has a higher one."""

    token: str
    last_id: int


class Resumed(Reply, frozen=True):
    """The session was taken back. `missed` counts the `Replayed` that follow.

    Not `recovered`: what was missed cannot be told for certain, so nothing follows.
    """

    nick: Nick
    rooms: Sequence[RoomName]
    recovered: bool
    missed: int
    topics: Mapping[RoomName, str] = {}


class Replayed(Reply, frozen=True):
    """Something that was said while its reader was away."""

    entry: Entry


class Pong(Reply, frozen=True):
    pass


class HelpText(Reply, frozen=True):
    """The door's own help."""


class Error(Reply, frozen=True):
    code: str
    detail: str = ""


class Goodbye(Reply, frozen=True):
    """The answer to a wish to leave."""


class IdleWarning(Reply, frozen=True):
    """Nothing has come from you for so long that you will be disconnected in `seconds`."""

    seconds: int


class Bye(Reply, frozen=True):
    """The server closes the connection. Reasons are the words of PROTOCOL.md."""

    reason: str
    detail: str = ""


AnyReply = (
    Welcome
    | Stored
    | Entered
    | Done
    | TopicIs
    | RoomList
    | NickChanged
    | Users
    | HistoryPage
    | Results
    | TokenIs
    | Resumed
    | Replayed
    | Pong
    | HelpText
    | Error
    | Goodbye
    | IdleWarning
    | Bye
)
Shown = Entry | AnyReply
"""Everything an encoder has words for."""
