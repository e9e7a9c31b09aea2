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


# ------------------------------------------------------------------ how fast


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def come_and_go(admission: Admission, address: str, times: int) -> int:
    """How many of so many short connections are let in."""
    count = 0
    for _ in range(times):
        if admission.enter(address):
            admission.leave(address)
            count += 1
    return count


def test_whoever_comes_and_goes_gets_a_burst_and_then_a_pace() -> None:
    clock = Clock()
    admission = Admission(most_per_address=16, clock=clock)
    assert come_and_go(admission, "192.0.2.1", 1000) == 64
    assert admission.refused == 1000 - 64
    assert come_and_go(admission, "192.0.2.2", 1000) == 64
    clock.now += 10
    assert come_and_go(admission, "192.0.2.1", 1000) == 20
    assert come_and_go(admission, "127.0.0.1", 1000) == 1000


def test_without_a_limit_per_address_there_is_no_pace() -> None:
    assert come_and_go(Admission(most=1), "192.0.2.1", 1000) == 1000


def test_whoever_is_refused_because_too_many_are_open_pays_nothing_for_it() -> None:
    admission = Admission(most_per_address=4, clock=Clock())
    assert sum(entered(admission, *["192.0.2.1"] * 100)) == 4
    for _ in range(4):
        admission.leave("192.0.2.1")
    assert come_and_go(admission, "192.0.2.1", 100) == 12


def test_a_connection_that_is_handed_on_is_one() -> None:
    admission = Admission(most_per_address=16, clock=Clock())
    for _ in range(64):
        assert admission.enter("192.0.2.1")
        admission.hand_on("192.0.2.1")
        assert admission.enter("192.0.2.1")
        admission.leave("192.0.2.1")
    assert not admission.enter("192.0.2.1")


def test_whoever_may_do_again_what_a_newcomer_may_is_forgotten() -> None:
    clock = Clock()
    admission = Admission(most_per_address=8, clock=clock)
    assert come_and_go(admission, "192.0.2.1", 10) == 10
    assert come_and_go(admission, "192.0.2.2", 1) == 1
    admission.enter("192.0.2.3")
    for later, known in ((0, 2), (9, 2), (1, 0)):
        clock.now += later
        admission.tidy()
        assert len(admission._left) == known
    assert len(admission._from) == 1
