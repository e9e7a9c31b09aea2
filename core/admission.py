"""Who may connect at all: so many in all, so many from one address."""

from collections import Counter
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def _network(address: str) -> str | None:
    """What counts as one address: an IPv4 address, an IPv6 /64; None for loopback and local sockets."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            return None if ip.is_loopback else str(ip_network((ip, 64), strict=False))
        ip = ip.ipv4_mapped
    return None if ip.is_loopback else str(ip)


class Admission:
    """Counts connections. 0 turns a limit off."""

    def __init__(self, *, most: int = 0, most_per_address: int = 0) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._all = 0
        self._from: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a new connection; False when it must be refused (and is not counted)."""
        network = _network(address)
        if self._most and self._all >= self._most:
            return False
        if network and self._most_per_address and self._from[network] >= self._most_per_address:
            return False
        self._all += 1
        if network:
            self._from[network] += 1
        return True

    def leave(self, address: str) -> None:
        """A connection that was let in has ended."""
        self._all -= 1
        network = _network(address)
        if network:
            self._from[network] -= 1
            if not self._from[network]:
                del self._from[network]
