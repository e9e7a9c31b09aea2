"""Who may connect at all: so many in all, so many from one address."""

from collections import Counter

from core.addresses import counted


class Admission:
    """Counts connections. 0 turns a limit off."""

    def __init__(self, *, most: int = 0, most_per_address: int = 0) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._from: Counter[str] = Counter()
        self.connected = 0
        self.refused = 0

    def enter(self, address: str) -> bool:
        """Count a new connection; False when it must be refused (and is not counted)."""
        if (self._most and self.connected >= self._most) or not self.visit(address):
            self.refused += 1
            return False
        self.connected += 1
        return True

    def leave(self, address: str) -> None:
        """A connection that was let in has ended."""
        self.connected -= 1
        self.depart(address)

    def visit(self, address: str) -> bool:
        """Count only against the address: for someone within a connection that was let in already."""
        who = counted(address)
        if who is None:
            return True
        if self._most_per_address and self._from[who] >= self._most_per_address:
            return False
        self._from[who] += 1
        return True

    def depart(self, address: str) -> None:
        """The end of a visit."""
        who = counted(address)
        if who is not None:
            self._from[who] -= 1
            if not self._from[who]:
                del self._from[who]
