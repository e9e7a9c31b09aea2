"""A wire that keeps what is written until something else has gone first."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from core.session import Session, Wire

AHEAD: Final = 32_768
"""Bytes that may wait for the peer when the next part of a long reply is written."""

PATIENCE: Final = 20.0
"""Seconds a peer may take for a long reply."""


class Gate:
    """Stands in for a session's wire while its history is being read, and from a good-bye on."""

    __slots__ = ("_ended", "_kept", "_session", "_size", "_wire")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._wire: Wire = session.wire
        self._kept: deque[bytes] = deque()
        self._size = 0
        """Bytes of that."""
        self._ended = False
        session.reach_by(self)

    @property
    def fd(self) -> None:
        """Everything is kept here."""

    def write(self, data: bytes, /) -> None:
        if not self._ended:
            self._kept.append(data)
            self._size += len(data)

    def end_with(self, data: bytes) -> None:
        """Let go of what was kept: who was not given what comes first must not be given what comes after."""
        self._kept, self._size = deque([data]), 0
        self._ended = True

    def close(self, reason: str, /) -> None:
        self.open()
        self._wire.close(reason)

    def pause_input(self) -> None:
        self._wire.pause_input()

    def resume_input(self) -> None:
        self._wire.resume_input()

    def waiting(self) -> int:
        return self._wire.waiting()

    async def first(self, parts: Iterable[bytes]) -> None:
        """Write these, and much of what is kept meanwhile, at the pace at which the peer takes them."""
        async with asyncio.timeout(PATIENCE):
            for part in chain(parts, self._kept_too_much()):
                if self._ended:
                    return
                while self._wire.waiting() > AHEAD:  # noqa: ASYNC110 - rare, and a wire has no such event
                    await asyncio.sleep(0.005)
                self._wire.write(part)

    def _kept_too_much(self) -> Iterator[bytes]:
        """What is more than may be written in one piece when the gate opens, oldest first."""
        while self._size > AHEAD:
            part = self._kept.popleft()
            self._size -= len(part)
            yield part

    def open(self, first: bytes = b"") -> None:
        """Write `first`, then what was kept; from now on the session writes to its own wire again."""
        if self._session.wire is not self:
            return
        self._session.reach_by(self._wire)
        data = b"".join([first, *self._kept])
        if data:
            self._wire.write(data)
