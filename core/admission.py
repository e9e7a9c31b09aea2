"""Who may connect at all: so many in all, so many from one address, so fast from one address.

How fast matters because whoever comes anew has full buckets: without it, coming and going would be a way
around every pace in the chat.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from core.addresses import counted
from core.pace import Bucket
from core.sparing import Sparing

logger = logging.getLogger("parlour.admission")

BURST_MIN: Final = 16
"""Connections at once, however few may be open at the same time: a page is several."""


class Place(Struct):
    """What is known of an address."""

    bucket: Bucket
    """Of connections it may make."""
    open: int = 0


class Admission:
    """Counts connections. 0 turns a limit off.

    An address may make `4 * most_per_address` connections at once, and one every `8 / most_per_address`
    seconds after that. `clock` gives seconds.
    """

    def __init__(
        self, *, most: int = 0, most_per_address: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._clock = clock
        self._from: dict[str, Place] = {}
        """Addresses with connections."""
        self._left: dict[str, Place] = {}
        """Those without whose bucket is not full yet, whoever left first in front."""
        self._refusals = Sparing(logger)
        self.connected = 0
        self.refused = 0

    def enter(self, address: str) -> bool:
        """Count a new connection; False when it must be refused (and is not counted)."""
        if self._most and self.connected >= self._most:
            self._refuse(address, f"{self._most} in all")
            self.refused += 1
            return False
        if not self.visit(address):
            self.refused += 1
            return False
        self.connected += 1
        return True

    def _refuse(self, address: str, why: str) -> None:
        self._refusals.log("Refused %s: too-many-connections, %s", address or "a proxy", why)

    def leave(self, address: str) -> None:
        """A connection that was let in has ended."""
        self.connected -= 1
        self.depart(address)

    def hand_on(self, address: str) -> None:
        """A connection that was let in is counted again, in this moment, by what stands behind: it is one."""
        who = self._counted(address)
        if who is not None:
            self._from[who].bucket.give_back()
        self.leave(address)

    def _counted(self, address: str) -> str | None:
        """What it counts as; None where nothing is counted."""
        return counted(address) if self._most_per_address else None

    def visit(self, address: str) -> bool:
        """Count only against the address: for someone within a connection that was let in already."""
        who = self._counted(address)
        if who is None:
            return True
        place = self._from.get(who) or self._left.pop(who, None) or self._newcomer()
        many = place.open >= self._most_per_address
        if many or place.bucket.take(self._clock()):
            if not place.open:
                self._left[who] = place
            self._refuse(address, f"{place.open} from there" if many else "one after the other too fast")
            return False
        place.open += 1
        self._from[who] = place
        return True

    def _newcomer(self) -> Place:
        most = self._most_per_address
        return Place(Bucket(max(4 * most, BURST_MIN), most / 8, self._clock()))

    def depart(self, address: str) -> None:
        """The end of a visit."""
        who = self._counted(address)
        if who is None:
            return
        place = self._from[who]
        place.open -= 1
        if not place.open:
            self._left[who] = self._from.pop(who)

    def tidy(self) -> None:
        """Forget who has left and may do again what a newcomer may. The doors call it now and then."""
        now = self._clock()
        while self._left:
            who = next(iter(self._left))
            if not self._left[who].bucket.full(now):
                return
            del self._left[who]
