"""One connection's place in the chat, and the wire it is written to."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from core.commands import AnyCommand
from core.limits import PARTNERS_MAX
from core.names import Nick, RoomName
from core.replies import Shown

if TYPE_CHECKING:
    from core.audience import Audience
    from core.pace import Bucket

Encode = Callable[[Shown], bytes]
"""Gives what is shown its words; b"" for what this kind of reader is not shown."""

Parse = Callable[[Any], AnyCommand | None]
"""Makes a command of one input (a line, a frame). Never raises; None for nothing to do."""


Write = Callable[[bytes], None]
"""Takes bytes for one peer."""


class Wire(Protocol):
    """A way to one peer. Nothing here waits or raises, whatever state the peer is in."""

    @property
    def fd(self) -> int | None:
        """The file descriptor to which `write` would write at once, if there is one and nothing waits.

        Who has bytes for it may write there itself, and gives to `write` what was not taken.
        A wire tells its session when this changes: `Session.reach_by`.
        """
        ...

    def write(self, data: bytes, /) -> None:
        """Hand over bytes. A peer that has too many of them waiting is cut by the wire itself."""

    def close(self, reason: str, /) -> None:
        """Send what was written, then close."""

    def pause_input(self) -> None:
        """Hand no more input to the chat until `resume_input` (what is on its way may still come)."""

    def resume_input(self) -> None: ...

    def waiting(self) -> int:
        """Bytes that were written and have not left yet; 0 when the peer is gone."""
        ...


class Session:
    """State of one connection. Doors make it through `Chat.connect` and only read it."""

    __slots__ = (
        "asked",
        "audiences",
        "behind",
        "buckets",
        "busy",
        "closing",
        "dropped",
        "encode",
        "ended",
        "entered",
        "gone",
        "heard",
        "heir",
        "held",
        "id",
        "idles",
        "in_flight",
        "inbox",
        "nick",
        "one_room",
        "pace",
        "parse",
        "partners",
        "paused",
        "peer",
        "recent",
        "rooms",
        "token",
        "waits",
        "warned",
        "wire",
    )

    def __init__(
        self,
        wire: Wire,
        encode: Encode,
        parse: Parse,
        *,
        peer: str = "",
        one_room: bool = False,
        idles: bool = False,
    ) -> None:
        self.wire = wire
        self.encode = encode
        self.parse = parse
        self.one_room = one_room
        """Joining a room leaves the one before; leaving goes back to the lobby."""
        self.idles = idles
        """It is disconnected when nothing comes from it for too long."""
        self.recent = 0
        """How many past messages are shown on entering a room."""
        self.peer = peer
        """Its address as the log shows it."""
        self.id = secrets.token_hex(8)
        """Identity behind the nick; never shown to anyone."""
        self.nick: Nick | None = None
        self.token: str | None = None
        """What takes this session back; None if none was given out. Never kept on disk, only its hash."""
        self.heir: Session | None = None
        """The session that has taken this one's place."""
        self.rooms: dict[RoomName, Audience] = {}
        self.entered: dict[RoomName, int] = {}
        """The last id shown before this session came into the hall (its login) and into each room."""
        self.behind: int | None = None
        """The last id it has seen, while it is being given what it missed since."""
        self.audiences: list[Audience] = []
        """Everything this session hears: the rooms, and the hall of all who are logged in."""
        self.inbox: deque[Any] | None = None
        """Inputs that wait for their turn."""
        self.busy = False
        """The next input must wait: for a command under way, for the bucket, or for the log."""
        self.waits = False
        """Busy until this session's messages are stored."""
        self.held: AnyCommand | None = None
        """The command to carry out then."""
        self.asked: asyncio.Task[Any] | None = None
        """What it is busy with, if that may be given up when the connection ends."""
        self.in_flight = 0
        """Messages of this session on their way into the log."""
        self.paused = False
        """The wire was told to hand over no more input."""
        self.ended = False
        """Nothing more will come from the peer."""
        self.dropped = False
        """And that because the connection broke, not because anyone closed it."""
        self.gone = False
        """And the chat has taken note of that."""
        self.closing = False
        """The server is closing the connection."""
        self.heard = 0.0
        """When the last input came, in the loop's time."""
        self.warned = False
        self.pace: Bucket | None = None
        """For its commands; the small ones are made when they are needed."""
        self.buckets: dict[str, Bucket] | None = None
        self.partners: dict[str, None] | None = None
        """Identities it has exchanged direct messages with, the latest last."""

    @property
    def here(self) -> RoomName | None:
        """The room of someone who is in one room at a time."""
        return next(iter(self.rooms), None) if self.one_room else None

    def reach_by(self, wire: Wire) -> None:
        """What it is shown goes this way from now on: another wire, or the same with another `fd`."""
        self.wire = wire
        for audience in self.audiences:
            audience.groups[self.encode].reach(self)

    def knows(self, identity: str) -> None:
        """Note a partner of direct messages. Of very many the latest are known."""
        if self.partners is None:
            self.partners = {}
        self.partners.pop(identity, None)
        self.partners[identity] = None
        if len(self.partners) > PARTNERS_MAX:
            del self.partners[next(iter(self.partners))]

    @property
    def current(self) -> Session:
        """Who this person's session is now."""
        session = self
        while session.heir is not None:
            session = session.heir
        return session
