"""Listening sockets: made here, or handed over by systemd so that a restart refuses nobody."""

import errno
import os
import socket
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import ExitStack
from typing import Final

from core.addresses import endpoint

SEND_BUFFER: Final = 65_536
"""Bytes the kernel may hold for one reader. Linux doubles the number."""

KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
"""Seconds until a silent peer is probed, and between probes; so many without an answer end the connection.

Without it nobody notices a peer that is gone while nothing is read from it or written to it.
"""

HINTS: Final = {
    errno.EADDRINUSE: "is a server running already? {} chooses another port",
    errno.EACCES: "ports below 1024 are for root; {} chooses another port",
}

FIRST_INHERITED: Final = 3
"""The first descriptor that systemd hands over (sd_listen_fds(3))."""

NAMES: Final = ("tcp", "web", "tls-tcp", "admin")
"""What inherited sockets are called, in the order of those without a name."""


class CannotListen(Exception):
    """An address that cannot be used, as one line."""


def listen(host: str, port: int, option: str) -> list[socket.socket]:
    """Listening sockets on every address of the host. Port 0 picks one free port for all.

    `option` is the one that chose the port. Raises CannotListen.
    """
    host = host.removeprefix("[").removesuffix("]")
    with ExitStack() as stack:
        try:
            found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            sockets: list[socket.socket] = []
            for family, kind, protocol, _, address in dict.fromkeys(found):
                if len(found) > 1 and not _has(family):
                    continue  # a name may have addresses of a kind that this machine does not
                sock = stack.enter_context(socket.socket(family, kind, protocol))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                chosen = sockets[0].getsockname()[1] if sockets else port
                sock.bind((address[0], chosen, *address[2:]))
                _prepared(sock).listen()  # else another door could bind the port, too
                sockets.append(sock)
            if not sockets:
                raise OSError(errno.EAFNOSUPPORT, "all its addresses are of a kind that this machine lacks")
        except OSError as error:
            why = error.strerror or str(error)
            hint = HINTS.get(error.errno or 0, "choose another address with --host").format(option)
            raise CannotListen(f"cannot listen on {host}:{port}: {why}; {hint}") from None
        stack.pop_all()
        return sockets


def _has(family: int) -> bool:
    """Whether this machine can listen on its own address of this kind."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    except OSError:
        return False
    return True


def _prepared(sock: socket.socket) -> socket.socket:
    """Options that accepted sockets inherit."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE.items():
        if hasattr(socket, option):  # Linux
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    sock.setblocking(False)
    return sock


def inherited(environment: MutableMapping[str, str] = os.environ) -> Mapping[str, Sequence[socket.socket]]:
    """Sockets handed over by systemd, by name (`FileDescriptorName=`), see NAMES.

    Without names the first is tcp, the second web; systemd calls them like their unit then.
    The variables are taken out: they are for us alone. Raises CannotListen for what is of no use.
    """
    count = environment.pop("LISTEN_FDS", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if environment.pop("LISTEN_PID", "") != str(os.getpid()) or not count.isdecimal():
        return {}
    sockets: dict[str, list[socket.socket]] = {}
    for number in range(int(count)):
        name = names[number] if number < len(names) else ""
        if name in ("", "unknown") or name.endswith(".socket"):
            name = NAMES[min(number, len(NAMES) - 1)]
        which = f"descriptor {FIRST_INHERITED + number} ({name})"
        if name not in NAMES:
            raise CannotListen(f"{which}: FileDescriptorName= is none of {', '.join(NAMES)}")
        try:
            sock = socket.socket(fileno=FIRST_INHERITED + number)
            listening = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError as error:
            raise CannotListen(f"{which}: {error.strerror}") from None
        if not listening or sock.family not in (socket.AF_INET, socket.AF_INET6):
            raise CannotListen(f"{which} is not a listening socket of TCP")
        sockets.setdefault(name, []).append(_prepared(sock))
    return sockets


def shown(sock: socket.socket) -> str:
    """The address as people write it."""
    return endpoint(sock.getsockname())


def for_browsers(sock: socket.socket) -> str:
    """The same, as a browser on this machine reaches it."""
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::", "127.0.0.1", "::1"):  # noqa: S104 - a comparison
        return f"localhost:{port}"
    return shown(sock)
