"""Listening on a name, on a machine that may not have every kind of address."""

import errno
import os
import socket

import pytest

from gateway import sockets
from gateway.sockets import CannotListen, listen
from tests.clients import DEADLINE, HOST

V4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
V6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0))
OTHER_V6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fd00::1", 0, 0, 0))


class NoAddress(socket.socket):
    """The kernel knows IPv6, and no interface has an address of it: a container, say."""

    def bind(self, address: tuple[object, ...]) -> None:  # type: ignore[override]  # of IP alone
        if self.family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        super().bind(address)


def not_in_the_kernel(family: int, *kind: int) -> socket.socket:
    if family == socket.AF_INET6:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    return socket.socket(family, *kind)


class Machine:
    """The module `socket` of a machine without IPv6, where every name has these addresses."""

    def __init__(self, make: object, *found: object) -> None:
        self.socket = make
        self.found = list(found)

    def getaddrinfo(self, *_: object, **__: object) -> list[object]:
        return self.found

    def __getattr__(self, name: str) -> object:
        return getattr(socket, name)


@pytest.fixture(params=[NoAddress, not_in_the_kernel], ids=["no address", "not in the kernel"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(request.param)
    monkeypatch.setattr(sockets, "socket", machine)
    return machine


@pytest.mark.parametrize("found", [(V6, V4), (V4, V6)], ids=["IPv6 first", "IPv4 first"])
def test_of_a_name_with_both_kinds_of_addresses_those_are_used_that_the_machine_has(
    machine: Machine, found: tuple[object, ...]
) -> None:
    machine.found = list(found)
    (sock,) = listen("localhost", 0, "--tcp-port")
    with sock:
        assert sock.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("found", [(V6,), (V6, OTHER_V6)], ids=["one", "two"])
def test_a_name_whose_addresses_are_all_of_a_kind_that_the_machine_lacks_cannot_be_used(
    machine: Machine, found: tuple[object, ...]
) -> None:
    machine.found = list(found)
    with pytest.raises(CannotListen, match=r"^cannot listen on six\.example:4000: .*--host$"):
        listen("six.example", 4000, "--tcp-port")


@pytest.mark.parametrize("number", ["two", "²", "-1", ""])
def test_a_number_of_sockets_that_is_none_is_ignored_and_nobody_else_sees_it(number: str) -> None:
    environment = {"LISTEN_FDS": number, "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "tcp", "A": "b"}
    assert sockets.inherited(environment) == {}
    assert environment == {"A": "b"}


def test_an_address_that_a_name_has_twice_is_listened_on_once(machine: Machine) -> None:
    machine.found = [V4, V4]
    (sock,) = listen("localhost", 0, "--tcp-port")
    sock.close()


def test_a_connection_has_what_its_door_was_given() -> None:
    """A small send buffer, probes for peers that are gone; and a port that may be taken again at once."""
    (door,) = listen(HOST, 0, "--tcp-port")
    with door, socket.create_connection(door.getsockname()):
        assert not door.getblocking()
        assert door.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        door.settimeout(DEADLINE)
        accepted, _ = door.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            buffer = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            assert buffer in (sockets.SEND_BUFFER, 2 * sockets.SEND_BUFFER)
            for option, seconds in sockets.KEEPALIVE.items():
                assert accepted.getsockopt(socket.IPPROTO_TCP, getattr(socket, option)) == seconds


def test_no_host_is_every_address() -> None:
    doors = listen("", 0, "--tcp-port")
    assert "0.0.0.0" in [sockets.shown(door).rpartition(":")[0] for door in doors]
    for door in doors:
        door.close()
