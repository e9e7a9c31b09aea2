"""Stands between a transport and aiohttp: counts connections, and hands WebSockets over.

aiohttp's own protocol has no place for either; everything else is passed on as it is.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Final, cast

from aiohttp import web

from core.addresses import Trusted
from core.admission import Admission
from core.chores import every
from core.connections import OpenConnections

FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 60\r\n"
    b"Content-Length: 21\r\nConnection: close\r\n\r\ntoo-many-connections\n"
)

FAREWELL: Final = 0.5
"""Seconds that somebody who is turned away has to read why."""

LINGERING: Final = 32
"""How many of them at once; the others are closed at once. They count against the reserve of descriptors."""

ANSWER_PATIENCE: Final = 8.0
"""Seconds in which something of the answer must be taken."""

WATCH_EVERY: Final = 1.0
"""Seconds between two looks after connections that do not take their answer."""


class Doorman(asyncio.Protocol):
    __slots__ = (
        "_address",
        "_admission",
        "_doormen",
        "_inner",
        "_make",
        "_moved",
        "_proxies",
        "_sendq",
        "_transport",
        "_turned_away",
        "_visit_ends",
        "_waiting",
    )
    turned_away: ClassVar[int] = 0

    def __init__(
        self,
        make: Callable[[], asyncio.Protocol],
        admission: Admission,
        proxies: Trusted,
        sendq: int,
        doormen: "Doormen",
    ) -> None:
        self._make = make
        self._proxies = proxies
        self._admission = admission
        self._sendq = sendq
        self._doormen = doormen
        self._inner: asyncio.Protocol | None = None
        self._visit_ends: Callable[[], None] | None = None
        self._moved = 0.0
        """When the peer was last seen to take something, or to have nothing to take,"""
        self._waiting = 0
        """and how many bytes waited for it then."""
        self._turned_away: asyncio.Transport | None = None

    def hand_over(
        self, transport: asyncio.Transport, to: asyncio.Protocol, visit_ends: Callable[[], None] | None
    ) -> None:
        """From now on the connection is none of aiohttp's business, which believes that it has lost it.

        Nor is it the doorman's, but for `leave`; `visit_ends` is called then.
        """
        handler, self._inner = self._inner, None
        assert isinstance(handler, web.RequestHandler)
        handler.transport = None  # else it would close it,
        handler._payload_parser = None  # and tell our reader that nothing more comes
        handler.connection_lost(None)
        transport.set_protocol(to)
        self._doormen.discard(self)
        self._visit_ends = visit_ends

    def leave(self) -> None:
        """The end of a connection. Who takes one over says when: what still waits for its turn counts too."""
        self._admission.leave(self._address)
        if self._visit_ends is not None:
            self._visit_ends()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = self._transport = cast(asyncio.Transport, transport)
        self._moved = asyncio.get_running_loop().time()
        self._doormen.add(self)
        # The people behind a proxy are counted when they are known.
        self._address = self._proxies.counting(wire.get_extra_info("peername"))
        if not self._admission.enter(self._address):
            self._turn_away(wire)
            return
        wire.set_write_buffer_limits(high=self._sendq)
        self._inner = self._make()
        self._inner.connection_made(transport)

    def _turn_away(self, wire: asyncio.Transport) -> None:
        if Doorman.turned_away >= LINGERING:
            wire.write(FULL)
            wire.close()
            return
        # An answer before the request, or with the request unread, is one that clients cannot take.
        Doorman.turned_away += 1
        self._turned_away = wire
        asyncio.get_running_loop().call_later(FAREWELL, self._part)

    def _part(self) -> None:
        """The end of turning somebody away, whatever comes first: the answer, patience, or the peer's end."""
        wire, self._turned_away = self._turned_away, None
        if wire is not None:
            Doorman.turned_away -= 1
            wire.close()

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)
        elif self._turned_away is not None:
            self._turned_away.write(FULL)
            self._part()

    def eof_received(self) -> bool | None:
        return None if self._inner is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def abort(self) -> None:
        self._transport.abort()

    def look_after(self, now: float) -> None:
        """End the connection when the peer does not take its answer."""
        waiting = self._transport.get_write_buffer_size()
        owes = waiting or self._transport.is_closing()  # with TLS it has to answer the end, too
        if not owes or waiting < self._waiting:
            self._moved = now
        elif now - self._moved >= ANSWER_PATIENCE:
            self.abort()
        self._waiting = waiting

    def connection_lost(self, exc: Exception | None) -> None:
        self._doormen.discard(self)
        if self._inner is None:
            self._part()
            return
        try:
            self._inner.connection_lost(exc)
        finally:
            self.leave()


class Doormen(OpenConnections[Doorman]):
    """Those that have not handed over."""

    async def watch(self) -> None:
        """End those whose peers do not read: one pass for all, no timer each."""

        def look() -> None:
            now = asyncio.get_running_loop().time()
            for doorman in self:
                doorman.look_after(now)

        await every(WATCH_EVERY, "look after requests", look)

    def abort(self) -> None:
        for doorman in self:
            doorman.abort()
