"""Whose word about an address is taken, and what counts as one address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import Trusted, counted, endpoint, parse_address

PROXIES = Trusted(["10.0.0.0/8", "2001:db8:ffff::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.9", "203.0.113.5", "192.0.2.9"),  # not a proxy of ours: it may say what it likes
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.5, 10.0.0.2", "203.0.113.5"),  # the first is hearsay
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.5, nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("2001:db8:ffff::1", "[2001:db8::5]", "2001:db8::5"),
        ("", "203.0.113.5", ""),
    ],
)
def test_the_address_behind_proxies_is_the_last_one_that_is_not_trusted(
    peer: str, forwarded: str, address: str
) -> None:
    assert PROXIES.behind(peer, forwarded) == address


def test_without_trusted_networks_nobody_is_believed() -> None:
    assert Trusted().behind("127.0.0.1", "203.0.113.5") == "127.0.0.1"
    assert "127.0.0.1" not in Trusted()


def test_a_network_must_be_one() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Trusted(["nonsense"])


@given(st.text(), st.text())
def test_whatever_is_forwarded_gives_an_address(peer: str, forwarded: str) -> None:
    assert PROXIES.behind(peer, forwarded) == peer
    behind = PROXIES.behind("10.0.0.1", forwarded)
    assert parse_address(behind) is not None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("", None),
        ("/run/parlour.sock", None),
    ],
)
def test_an_ipv4_address_or_an_ipv6_network_of_64_bits_counts_as_one(
    address: str, network: str | None
) -> None:
    assert counted(address) == network


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (("192.0.2.1", 4000), "192.0.2.1:4000"),
        (("2001:db8::1", 4000, 0, 0), "[2001:db8::1]:4000"),
        ("", "somebody without an address"),  # a local socket
        (None, "somebody without an address"),
    ],
)
def test_an_end_is_written_as_people_write_it(name: object, written: str) -> None:
    assert endpoint(name) == written
