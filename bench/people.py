"""People who come in by either door, thousands in one process: a protocol each, no task.

Someone who has come in is a Member. What a member does with what it hears is up to the load, which puts
a protocol of its own on the connection.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Literal, NamedTuple, cast

from attack.raw import UPGRADE, masked
from attack.server import Target
from bench import machine

DoorName = Literal["tcp", "web"]

PING: Final = b"\x89\x00"
PONG: Final = b"\x8a\x80\x00\x00\x00\x00"

QUIET: Final = 0.3
"""Seconds without a byte after which everything about those who came has been shown."""

QUIET_AT_LAST: Final = 15.0
"""Seconds after which it is measured all the same."""

IDLE: Final = 0.2
"""Share of a core below which the server is idle: a tick now and then."""

AT_ONCE: Final = 64
"""Connections on their way in at the same time."""


class Wish(NamedTuple):
    """Someone who is to come in. Without rooms it stays in #general."""

    door: DoorName
    nick: str
    rooms: Sequence[str] = ()
    leaves: bool = True
    """Whether it is in those only; a page may stay in #general too."""

    def entering(self) -> bytes:
        if self.door == "tcp":
            assert len(self.rooms) <= 1, "a line has one room"
            return f"LOGIN {self.nick}\n".encode() + b"".join(b"JOIN %s\n" % r.encode() for r in self.rooms)
        frames = [_frame(type="login", nick=self.nick)]
        if self.rooms:
            if self.leaves:
                frames.append(_frame(type="leave", room="#general"))
            frames += [_frame(type="join", room=room, ref=room) for room in self.rooms]
        return UPGRADE + b"".join(frames)

    def entered(self) -> bytes:
        """What is in the last answer."""
        if self.door == "tcp":
            return b"OK joined" if self.rooms else b"\nOK\n"
        return b'"ref":"%s"' % self.rooms[-1].encode() if self.rooms else b'"welcome"'


def _frame(**fields: str) -> bytes:
    return masked(json.dumps(fields, separators=(",", ":")).encode())


def around(door: DoorName, room: str, size: int) -> tuple[bytes, bytes]:
    """What stands before and after a text of this size when it is said."""
    text = "X" * size
    whole = f"MSG {text}\n".encode() if door == "tcp" else _frame(type="msg", room=room, text=text)
    before, _, after = whole.partition(text.encode())
    return before, after


class Member(asyncio.Protocol):
    """Comes in; then passes over what it hears, but answers pings."""

    def __init__(self, wish: Wish, crowd: "Crowd") -> None:
        self.wish = wish
        self._crowd = crowd
        self._heard = b""
        self.gone = False
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none of asyncio's classes
        self.transport.write(self.wish.entering())

    def data_received(self, data: bytes) -> None:
        self._crowd.heard += len(data)
        if not self.entered.done():
            self._heard += data
            if b"ERR " in self._heard or b'"error"' in self._heard:
                self.entered.set_exception(ConnectionError(f"{self.wish.nick} was refused: {self._heard!r}"))
            elif self.wish.entered() in self._heard:
                self._heard = b""
                self.entered.set_result(None)
        if PING in data:
            self.transport.write(PONG)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        if not self.entered.done():
            self.entered.set_exception(exc or ConnectionError(f"{self.wish.nick} was not let in"))


class Crowd:
    """All who have come in to one server."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.members: list[Member] = []
        self.heard = 0
        """Bytes heard by those for whom no load listens."""

    async def enter(self, wishes: Iterable[Wish]) -> list[Member]:
        """Let them in, AT_ONCE at the same time. Raises ConnectionError if one is not."""
        come: list[Member] = []
        waiting = iter(wishes)
        try:
            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._enter_some(waiting, come))
        except ExceptionGroup as problems:
            raise ConnectionError(str(problems.exceptions[0])) from None
        return come

    async def _enter_some(self, waiting: Iterator[Wish], come: list[Member]) -> None:
        loop = asyncio.get_running_loop()
        for wish in waiting:
            member = Member(wish, self)
            port = self._target.tcp if wish.door == "tcp" else self._target.web
            await loop.create_connection(lambda member=member: member, "127.0.0.1", port)  # type: ignore[misc]
            self.members.append(member)
            await member.entered
            come.append(member)

    async def all_shown(self) -> None:
        """Until nothing about those who came is on its way any more."""
        last, since = -1, time.monotonic()
        end = since + QUIET_AT_LAST
        while time.monotonic() - since < QUIET and time.monotonic() < end:
            if self.heard != last:
                last, since = self.heard, time.monotonic()
            await asyncio.sleep(0.02)

    async def quiet(self) -> None:
        """The same, and the server has nothing left to do for them."""
        await self.all_shown()
        end = time.monotonic() + QUIET_AT_LAST
        while time.monotonic() < end:
            before = machine.cpu(self._target.pid)
            await asyncio.sleep(0.1)
            if machine.cpu(self._target.pid) - before < 0.1 * IDLE:
                break

    def stay_awake(self) -> None:
        """The server pings a page only after 25 s of silence: after this it is silent while we measure."""
        for member in self.members:
            if member.wish.door == "web":
                member.transport.write(PONG)


@asynccontextmanager
async def crowd(target: Target) -> AsyncIterator[Crowd]:
    people = Crowd(target)
    try:
        yield people
    finally:
        for member in people.members:
            member.transport.abort()
