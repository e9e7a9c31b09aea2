"""People without sockets: what they are shown is collected as it is, and read as short lines."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from core import commands as c
from core.chat import Chat
from core.facts import Entry
from core.replies import Shown
from core.session import Encode, Parse
from tests.clients import DEADLINE, within

_UNSAID: Final = {"id", "time", "ref", "author", "reader", "token", "recent", "entries", "more"}
"""Fields that a test looks at by themselves, if at all."""


def words(shown: Shown) -> str:
    """Its class and what is in it: `Said #general Ann hello`, `Error user-not-found Bob`."""
    said = shown.fact if isinstance(shown, Entry) else shown
    values = [getattr(said, name) for name in said.__struct_fields__ if name not in _UNSAID]
    return " ".join([type(said).__name__, *map(_word, filter(None, values))])


def _word(value: object) -> str:
    if isinstance(value, Entry):
        return words(value)
    return ",".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)


class Kind:
    """An encoder whose bytes can be turned back into what was shown."""

    def __init__(self) -> None:
        self.encoded: list[Shown] = []
        self.encode: Encode = self._encode

    def _encode(self, shown: Shown) -> bytes:
        self.encoded.append(shown)
        return (len(self.encoded) - 1).to_bytes(4, "big")

    def decode(self, data: bytes) -> list[Shown]:
        return [self.encoded[int.from_bytes(data[at : at + 4], "big")] for at in range(0, len(data), 4)]


class ListWire:
    """A `core.session.Wire` that keeps what it is given until it is closed."""

    fd = None

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self.stuck = 0
        """Bytes that do not leave."""
        self.writes: list[list[Shown]] = []
        self.closed: list[str] = []
        self.paused = False
        self.changed = asyncio.Event()

    def write(self, data: bytes, /) -> None:
        if not self.closed:
            self.writes.append(self._kind.decode(data))
            self.changed.set()

    def close(self, reason: str, /) -> None:
        self.closed.append(reason)
        self.changed.set()

    def pause_input(self) -> None:
        self.paused = True

    def resume_input(self) -> None:
        self.paused = False
        self.changed.set()

    def waiting(self) -> int:
        return self.stuck


class Person:
    """A session with a wire in memory. What it sends are commands; no parser stands between."""

    deadline = DEADLINE

    def __init__(
        self,
        chat: Chat,
        *,
        one_room: bool = False,
        idles: bool = False,
        recent: int = 0,
        kind: Kind | None = None,
        parse: Parse = lambda raw: raw,
    ) -> None:
        self._chat = chat
        kind = kind or Kind()
        self.wire = ListWire(kind)
        self.session = chat.connect(self.wire, kind.encode, parse, one_room=one_room, idles=idles)
        self.session.recent = recent
        self._taken = 0

    def does(self, *commands: c.AnyCommand) -> None:
        """All of them at once."""
        for command in commands:
            self._chat.receive(self.session, command)

    def leaves(self, *, dropped: bool = False) -> None:
        """The connection ends from the far side; `dropped`: it broke."""
        self._chat.end(self.session, dropped=dropped)

    @property
    def seen(self) -> list[Shown]:
        """Everything shown so far."""
        return [shown for write in self.wire.writes for shown in write]

    @property
    def waiting(self) -> list[str]:
        """What was shown and not taken yet."""
        return [words(shown) for shown in self.seen[self._taken :]]

    async def until(self, ready: Callable[[], bool]) -> None:
        async with within(self.deadline):
            while not ready():
                self.wire.changed.clear()
                await self.wire.changed.wait()

    async def next(self) -> Shown:
        await self.until(lambda: len(self.seen) > self._taken)
        self._taken += 1
        return self.seen[self._taken - 1]

    async def sees(self, *lines: str) -> None:
        """These come next."""
        for line in lines:
            shown = words(await self.next())
            assert shown == line, f"{shown!r}, not {line!r}; then {self.waiting}"

    async def sees_nothing(self) -> None:
        """Nothing comes before the answer to a ping."""
        self.does(c.Ping())
        await self.sees("Pong")

    async def is_closed(self) -> str:
        """The reason, once the wire is closed."""
        await self.until(lambda: bool(self.wire.closed))
        return self.wire.closed[0]


async def enter(
    chat: Chat,
    *nicks: str,
    one_room: bool = False,
    idles: bool = False,
    recent: int = 0,
    kind: Kind | None = None,
) -> list[Person]:
    """People who are logged in, one after the other; nothing is waiting for any of them."""
    people: list[Person] = []
    for nick in nicks:
        person = Person(chat, one_room=one_room, idles=idles, recent=recent, kind=kind)
        person.does(c.Login(nick))
        await person.sees(f"Welcome {nick} #general")
        for other in people:
            await other.sees(f"Connected #general {nick}")
        people.append(person)
    return people


async def join(room: str, *people: Person) -> None:
    """All of them come into the room, one after the other; nobody is left with a notice of it."""
    for index, person in enumerate(people):
        person.does(c.Join(room))
        await person.sees(f"Entered {room}")
        for other in people[:index]:
            await other.sees(f"Joined {room} {person.session.nick}")


def numbered(room: str, start: int, end: int) -> list[c.Msg]:
    return [c.Msg(room, str(n)) for n in range(start, end)]
