"""Where a peer really is: networks that are trusted to say so, and how addresses are counted."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@lru_cache(1024)  # all people behind a proxy come from its address
def parse_address(text: str) -> Address | None:
    """The address, an IPv4 one out of its IPv6 mapping; None if it is none (a local socket, rubbish)."""
    try:
        ip = ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def counted(text: str) -> str | None:
    """What counts as one address: an IPv4 address, an IPv6 /64; None for loopback and local sockets."""
    ip = parse_address(text)
    if ip is None or ip.is_loopback:
        return None
    return str(ip) if isinstance(ip, IPv4Address) else str(ip_network((ip, 64), strict=False))


def host(peername: Sequence[object] | None) -> str:
    """The address in what a transport calls its peer; "" where that is gone already."""
    return str(peername[0]) if peername else ""


def endpoint(name: object) -> str:
    """What a transport calls an end, as people write it: `192.0.2.1:4000`, `[2001:db8::1]:4000`."""
    match name:
        case (str(address), port, *_):
            return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        case _:  # a local socket, or one that was broken off at once
            return "somebody without an address"


class Trusted:
    """Networks whose word about somebody else's address is taken."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Raises ValueError for what is no network."""
        self._networks: Sequence[Network] = [ip_network(network) for network in networks]

    def __contains__(self, address: object) -> bool:
        ip = parse_address(address) if isinstance(address, str) else None
        return ip is not None and any(ip in network for network in self._networks)

    def counting(self, peername: Sequence[object] | None) -> str:
        """The address that a connection counts for: "" for a proxy, which is many people."""
        address = host(peername)
        return "" if address in self else address

    def behind(self, peer: str, forwarded: str) -> str:
        """The address behind a chain of proxies: in X-Forwarded-For, the rightmost that is not trusted.

        The peer itself where it is not trusted, or where something in the chain is not an address.
        """
        if peer not in self:
            return peer
        address = peer
        for hop in reversed(forwarded.split(",")):
            ip = parse_address(hop)
            if ip is None:
                break
            address = str(ip)
            if address not in self:
                break
        return address
