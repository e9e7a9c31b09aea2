"""What the people of a crowd have in common: a door that may be shut, a trace, things to say."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Final

from tests.clients import within
from tests.durability.traces import Trace

WINDOW: Final = 4
"""Messages of one person that may wait for their acknowledgement."""


class Door:
    """Where to connect. It is shut while there is no server."""

    def __init__(self) -> None:
        self._port = 0
        self._open = asyncio.Event()

    def opens(self, port: int) -> None:
        self._port = port
        self._open.set()

    def shuts(self) -> None:
        self._open.clear()

    async def port(self) -> int:
        await self._open.wait()
        return self._port


class Person(ABC):
    """Comes back whenever the connection ends, until it is told to leave."""

    def __init__(self, nick: str, door: Door, chance: Random, *, talks: bool = True) -> None:
        self.nick = nick
        self.trace = Trace(nick)
        self.talks = talks
        self.speaking = False
        """Says new things as fast as they are acknowledged."""
        self.holds = False
        """Keeps what was not acknowledged until it is told to speak."""
        self.connections = 0
        self._door = door
        self._chance = chance
        self._count = 0
        self._life: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._leaving = False

    # ------------------------------------------------------------------ what the test does with them

    async def comes(self) -> None:
        """It is here, for the first time or again."""
        if self._life is None:
            self._life = asyncio.create_task(self._live())
            await self._until("here")
            await self.marks()  # from the answer on it has to be shown everything
            await self._until("silent")
        await self._until("here")

    async def leaves(self) -> None:
        """Everything was said and heard: say good-bye."""
        self._leaving = True
        await self._hang_up()
        if self._life is not None:
            async with within(10):
                await self._life

    async def vanishes(self) -> None:
        """At the end of a test, however it went."""
        if self._life is not None:
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life

    async def until_silent(self) -> None:
        """It is here and nothing it said waits for an answer."""
        await self._until("silent")

    async def _until(self, state: str) -> None:
        async with within(20):
            while not getattr(self, state):
                self._changed.clear()
                if self._life is not None and self._life.done():
                    self._life.result()
                    raise AssertionError(f"{self.nick} has left")
                await self._changed.wait()

    # ------------------------------------------------------------------ what they do by themselves

    async def _live(self) -> None:
        try:
            while not self._leaving:
                await self._converse(await self._door.port())
        finally:
            self._changed.set()

    def _new_text(self) -> str:
        """Nobody else ever says it."""
        self._count += 1
        return f"{self.nick}-{self._count} " + "x" * self._chance.randrange(120)

    @property
    @abstractmethod
    def here(self) -> bool: ...

    @property
    @abstractmethod
    def silent(self) -> bool: ...

    @abstractmethod
    async def speaks(self) -> None:
        """Begin to say things; what was not acknowledged goes again first, if it can."""

    @abstractmethod
    async def marks(self) -> None:
        """Say one more thing in the lobby: when it is acknowledged, all before it was shown."""

    @abstractmethod
    async def _converse(self, port: int) -> None:
        """Live one connection to its end."""

    @abstractmethod
    async def _hang_up(self) -> None: ...


@asynccontextmanager
async def crowd(people: Sequence[Person]) -> AsyncIterator[None]:
    """None of them is left when the block is left, however that comes about."""
    try:
        yield
    finally:
        for person in people:
            await person.vanishes()


async def settle(people: Iterable[Person]) -> None:
    """All fall silent, then each says one thing in the lobby, so that everything was shown to it."""
    for person in people:
        person.speaking = False
    for person in people:
        await person.until_silent()
    for person in people:
        await person.marks()
        await person.until_silent()
