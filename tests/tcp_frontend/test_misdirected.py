"""Browsers and proxies on the line port: HTTP is turned away, a PROXY header is taken from who is trusted."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.addresses import Trusted
from core.admission import Admission
from tcp_frontend.proxy_protocol import SIGNATURE, Bad, Header, parse
from tests.clients import LineClient, commanders
from tests.doors import Doors, open_doors
from tests.tcp_frontend.plain import PlainClient

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: localhost:4000\r\n\r\n",
    b"POST /x HTTP/1.1\r\nContent-Type: text/plain\r\n\r\nLOGIN Eve\r\nMSG boo\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\nLOGIN Eve\nMSG boo\n",
    b"OPTIONS * HTTP/1.0\r\nLOGIN Eve\r\n",
]


@pytest.mark.parametrize("request_", REQUESTS)
async def test_an_http_request_is_answered_with_421_and_nothing_in_it_is_a_command(
    doors: Doors, request_: bytes
) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), LineClient(doors.tcp_port) as browser:
        await browser.send_bytes(request_ + b"LOGIN Eve\nMSG boo\n")
        answer = await browser.rest()
        assert answer[0] == "HTTP/1.1 421 Misdirected Request\r"
        await ann.hears_nothing()


async def test_whoever_is_logged_in_may_speak_of_http(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.send("GET / HTTP/1.1", "Host: localhost")
        await bob.hears("Ann: GET / HTTP/1.1", "Ann: Host: localhost")


# ------------------------------------------------------------------ the PROXY protocol

V2_LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
V2_IPV4 = SIGNATURE + b"\x21\x11\x00\x0c" + bytes([192, 0, 2, 1, 127, 0, 0, 1, 0, 99, 0, 80])
V2_IPV6 = SIGNATURE + b"\x21\x21\x00\x24" + bytes.fromhex("20010db8" + "00" * 11 + "01") + bytes(20)

HEADERS = [
    (b"PROXY TCP4 192.0.2.1 127.0.0.1 99 80\r\n", "192.0.2.1"),
    (b"PROXY TCP6 2001:db8::1 ::1 99 80\r\n", "2001:db8::1"),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 99 80\r\n", "192.0.2.1"),
    (b"PROXY UNKNOWN\r\n", None),
    (V2_LOCAL, None),
    (V2_IPV4, "192.0.2.1"),
    (V2_IPV6, "2001:db8::1"),
]


@pytest.mark.parametrize(("header", "address"), HEADERS)
def test_a_header_names_the_address_and_its_own_length_wherever_it_is_cut(
    header: bytes, address: str | None
) -> None:
    for end in range(len(header)):
        assert parse(header[:end]) is None
    for rest in (b"", b"LOGIN Ann\n", header):
        assert parse(header + rest) == Header(address, len(header))


@pytest.mark.parametrize(
    "data",
    [
        b"LOGIN Ann\n",
        b"PROXY TCP4 nonsense 127.0.0.1 99 80\r\n",
        b"PROXY TCP4\r\n",
        b"PROXY TCP4 192.0.2.1 127.0.0.1 99 80" + b" " * 100,
        SIGNATURE + b"\x31\x11\x00\x00",
        SIGNATURE + b"\x21\x11\xff\xff",
    ],
)
def test_what_is_no_header_is_bad(data: bytes) -> None:
    assert isinstance(parse(data), Bad)


@example(b"PROXY \xff\r\n")
@given(
    st.binary()
    | st.binary().map(lambda data: SIGNATURE + data)
    | st.binary().map(lambda data: b"PROXY " + data)
)
def test_any_bytes_are_a_header_or_bad_or_too_few(data: bytes) -> None:
    assert isinstance(parse(data), Header | Bad | None)


async def test_a_trusted_proxy_speaks_for_the_address_behind_it() -> None:
    proxies, admission = Trusted(["127.0.0.0/8"]), Admission(most_per_address=1)
    async with (
        open_doors(proxies=proxies, admission=admission) as doors,
        LineClient(doors.tcp_port, greeted=False) as ann,
        LineClient(doors.tcp_port, greeted=False) as other,
        LineClient(doors.tcp_port, greeted=False) as bob,
    ):
        await ann.send_bytes(b"PROXY TCP4 192.0.2.1 127.0.0.1 99 80\r\nLOGIN Ann\n")
        await ann.until("OK")
        await other.send_bytes(b"PROXY TCP4 192.0.2.1 127.0.0.1 99 80\r\n")
        assert (await other.line()).startswith("ERR too-many-connections")
        await bob.send_bytes(V2_IPV6 + b"LOGIN Bob\n")
        await bob.until("OK")
        await ann.expect("INFO Bob connected")


async def test_a_proxy_that_sends_no_header_is_cut() -> None:
    async with (
        open_doors(proxies=Trusted(["127.0.0.0/8"])) as doors,
        LineClient(doors.tcp_port, greeted=False) as broken,
    ):
        await broken.send("LOGIN Ann")
        assert await broken.rest() == []


async def test_whoever_is_not_trusted_is_an_ordinary_client() -> None:
    async with open_doors(proxies=Trusted(["192.0.2.0/24"])) as doors, LineClient(doors.tcp_port) as ann:
        await ann.send_bytes(b"PROXY TCP4 192.0.2.1 127.0.0.1 99 80\r\nLOGIN Ann\n")
        assert (await ann.line()).startswith("ERR login-required")
        await ann.expect("OK")


async def test_whoever_comes_and_goes_without_end_is_refused_after_a_while() -> None:
    """Each connection has a new burst of lines: so an address has a pace of connections."""
    proxies, admission = Trusted(["127.0.0.0/8"]), Admission(most_per_address=5, clock=lambda: 0.0)
    async with open_doors(proxies=proxies, admission=admission) as doors:

        async def comes_and_goes(address: str) -> str:
            async with LineClient(doors.tcp_port, greeted=False) as eve:
                await eve.send(f"PROXY TCP4 {address} 127.0.0.1 99 80\r", "QUIT")
                return (await eve.rest())[-1]

        heard = [await comes_and_goes("192.0.2.1") for _ in range(22)]
        assert heard == ["OK bye"] * 20 + ["ERR too-many-connections Try again later"] * 2
        assert await comes_and_goes("192.0.2.2") == "OK bye"
        assert {await comes_and_goes("127.0.0.1") for _ in range(30)} == {"OK bye"}
