"""Who may use a nick. Awaitable, because several servers may have to agree one day."""

from typing import Protocol

from core.names import Folded


class Claims(Protocol):
    async def claim(self, nick: Folded, owner: str) -> bool:
        """Take the nick for the session identity `owner`; False when another one has it."""
        ...

    def release(self, nick: Folded, owner: str) -> None:
        """Give the nick up; nothing happens when `owner` does not have it."""
        ...


class LocalClaims:
    """The nicks of one process."""

    def __init__(self) -> None:
        self._owners: dict[Folded, str] = {}

    async def claim(self, nick: Folded, owner: str) -> bool:
        return self._owners.setdefault(nick, owner) == owner

    def release(self, nick: Folded, owner: str) -> None:
        if self._owners.get(nick) == owner:
            del self._owners[nick]
