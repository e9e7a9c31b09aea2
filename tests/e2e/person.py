"""One person, three ways to chat: the same wishes, answers and events for every door and dialect.

An answer is "" for a wish that was granted, else the error code. What others do is kept in `heard`
as events: ("msg", "Ann", "hello"), ("renamed", "Ann", "Anna"). Each wish waits for its answer, so a
script of wishes of several people has one order.
"""

import re
from abc import ABC, abstractmethod
from typing import Final

Event = tuple[str, ...]
LOBBY: Final = "#general"


class Person(ABC):
    kind: str

    def __init__(self) -> None:
        self.name = ""
        self.room = LOBBY
        self.heard: list[Event] = []

    async def login(self, name: str) -> str:
        answer = await self._login(name)
        self.name = self.name if answer else name
        return answer

    async def rename(self, name: str) -> str:
        answer = await self._rename(name)
        self.name = self.name if answer else name
        return answer

    async def move(self, room: str) -> str:
        """Go to another room, leaving this one."""
        answer = await self._move(room)
        self.room = self.room if answer else room
        return answer

    async def hears_of(self, event: Event) -> None:
        """Wait until it is in `heard`."""
        while event not in self.heard:
            await self._hear()

    @abstractmethod
    async def _hear(self) -> None:
        """Keep one more event."""

    @abstractmethod
    async def say(self, text: str) -> str: ...
    @abstractmethod
    async def act(self, text: str) -> str: ...
    @abstractmethod
    async def shout(self, text: str) -> str: ...
    @abstractmethod
    async def tell(self, to: str, text: str) -> str: ...
    @abstractmethod
    async def look(self) -> list[str]:
        """Who is in the room. Everything that was shown before is in `heard` then."""

    @abstractmethod
    async def quit(self) -> None: ...
    @abstractmethod
    def vanish(self) -> None:
        """Go without a word."""

    @abstractmethod
    async def _login(self, name: str) -> str: ...
    @abstractmethod
    async def _rename(self, name: str) -> str: ...
    @abstractmethod
    async def _move(self, room: str) -> str: ...


def event_in(text: str, patterns: dict[str, str]) -> Event:
    """The event that a line shows; the patterns are tried in their order."""
    for kind, pattern in patterns.items():
        if match := re.fullmatch(pattern, text):
            return (kind, *match.groups())
    raise AssertionError(f"a line that nobody expects: {text!r}")
