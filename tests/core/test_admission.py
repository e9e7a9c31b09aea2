"""How many connections are let in."""

import pytest

from core.admission import Admission


def entered(admission: Admission, *addresses: str) -> list[bool]:
    return [admission.enter(address) for address in addresses]


def test_without_limits_everyone_is_let_in() -> None:
    assert all(entered(Admission(), *["192.0.2.1"] * 1000))


def test_one_address_may_have_so_many_connections() -> None:
    admission = Admission(most_per_address=2)
    assert entered(admission, *["192.0.2.1"] * 3) == [True, True, False]
    assert admission.enter("192.0.2.2")


def test_a_connection_that_ends_makes_room_for_another_one() -> None:
    admission = Admission(most_per_address=1)
    assert admission.enter("192.0.2.1")
    assert not admission.enter("192.0.2.1")
    admission.leave("192.0.2.1")
    assert admission.enter("192.0.2.1")


def test_a_refused_connection_is_not_counted() -> None:
    admission = Admission(most=1)
    assert entered(admission, "192.0.2.1", "192.0.2.2", "192.0.2.3") == [True, False, False]
    admission.leave("192.0.2.1")
    assert admission.enter("192.0.2.2")


def test_an_ipv6_network_of_64_bits_counts_as_one_address() -> None:
    admission = Admission(most_per_address=2)
    addresses = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::3"]
    assert entered(admission, *addresses) == [True, True, False]
    assert admission.enter("2001:db8:0:2::1")


def test_an_ipv4_address_is_the_same_when_it_is_written_as_ipv6() -> None:
    admission = Admission(most_per_address=1)
    assert entered(admission, "192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2") == [True, False, True]


def test_a_zone_does_not_make_another_address() -> None:
    admission = Admission(most_per_address=1)
    assert entered(admission, "fe80::1%eth0", "fe80::2%eth1") == [True, False]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""])
def test_loopback_and_local_sockets_are_exempt_from_the_limit_per_address(address: str) -> None:
    assert all(entered(Admission(most_per_address=1), *[address] * 20))


def test_loopback_counts_for_the_limit_of_all() -> None:
    assert entered(Admission(most=2), *["127.0.0.1"] * 3) == [True, True, False]


def test_the_limit_of_all_holds_over_different_addresses() -> None:
    addresses = ["192.0.2.1", "2001:db8::1", "192.0.2.3"]
    assert entered(Admission(most=2, most_per_address=2), *addresses) == [True, True, False]


def test_addresses_that_have_left_take_no_memory() -> None:
    admission = Admission(most_per_address=1)
    for n in range(256):
        assert admission.enter(f"192.0.2.{n}")
        admission.leave(f"192.0.2.{n}")
    assert not admission._from
