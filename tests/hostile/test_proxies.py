"""Behind Debian's haproxy, and in front of everyone who only says to be one."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcp_frontend.proxy_protocol import SIGNATURE, Bad, Header, parse
from tests.clients import require, within
from tests.e2e.programs import running
from tests.hostile.house import House, answer, opened
from tests.hostile.test_caps import UPGRADE, calling, own_address

PROXIED = ("--trusted-proxy", "127.0.0.0/8", "--proxy-protocol", "--rate", "0")

CONFIGURATION = """
global
    stats socket {folder}/admin.sock
defaults
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend lines
    mode tcp
    bind fd@{lines}
    default_backend lines
backend lines
    mode tcp
    server parlour 127.0.0.1:{tcp} {send}
frontend pages
    mode http
    bind fd@{pages}
    option forwardfor
    default_backend pages
backend pages
    mode http
    server parlour 127.0.0.1:{web}
"""


def listening() -> socket.socket:
    """Held open by the test, so that no port can be lost between choosing and binding."""
    sock = socket.socket()
    sock.bind(("0.0.0.0", 0))
    sock.listen(100)
    return sock


@asynccontextmanager
async def haproxy(house: House, folder: Path, version: str) -> AsyncIterator[tuple[int, int]]:
    """Gives its ports for lines and for pages."""
    program = require("haproxy")
    with listening() as lines, listening() as pages:
        file = folder / "haproxy.cfg"
        send = {"1": "send-proxy", "2": "send-proxy-v2"}[version]
        file.write_text(
            CONFIGURATION.format(
                folder=folder,
                send=send,
                lines=lines.fileno(),
                pages=pages.fileno(),
                tcp=house.tcp_port,
                web=house.web_port,
            )
        )
        process = await asyncio.create_subprocess_exec(
            program, "-db", "-q", "-f", str(file), pass_fds=(lines.fileno(), pages.fileno())
        )
        try:
            yield lines.getsockname()[1], pages.getsockname()[1]
        finally:
            process.kill()
            await process.wait()


@pytest.mark.network
@pytest.mark.parametrize("version", ["1", "2"])
async def test_behind_haproxy_both_doors_know_the_real_address(tmp_path: Path, version: str) -> None:
    own = own_address(socket.AF_INET)
    options = (*PROXIED, "--max-connections-per-address", "3")
    async with (
        opened(*options) as house,
        haproxy(house, tmp_path, version) as (lines, pages),
        AsyncExitStack() as stack,
    ):
        enter = stack.enter_async_context
        ann, *others = [await enter(calling(lines, host=own)) for _ in range(4)]
        firsts = [await caller.first() for caller in (ann, *others)]
        assert sorted(first.split()[0] for first in firsts) == [b"ERR"] + [b"Welcome!"] * 3
        said = UPGRADE + b"\r\n"
        browsers = [await enter(calling(pages, said, host=own)) for _ in range(4)]
        statuses = sorted([(await browser.first()).split()[1] for browser in browsers])
        assert statuses == [b"101"] * 3 + [b"503"]
        for port, first in ((lines, b"Welcome!"), (pages, b"HTTP/1.1 101")):
            for _ in range(5):  # loopback is exempt, through the proxy too
                local = await enter(calling(port, said if port == pages else b""))
                assert (await local.first()).startswith(first)
        await house.logs(rf"Accepted connection from {own} through 127\.0\.0\.1:\d+", times=6)


@pytest.mark.network
async def test_two_people_talk_through_haproxy(tmp_path: Path) -> None:
    async with opened(*PROXIED) as house, haproxy(house, tmp_path, "2") as (lines, _):
        netcat = ("nc.openbsd", "127.0.0.1", str(lines))
        async with running(*netcat) as ann, running(*netcat) as bob:
            for person, name in ((ann, "Ann"), (bob, "Bob")):
                await person.until("Or type just a name.*")
                await person.send(f"LOGIN {name}")
                await person.hears("OK")
            await ann.hears("INFO Bob connected")
            await ann.send("MSG " + "x" * 1000)
            await bob.hears("MSG Ann " + "x" * 1000)


# ------------------------------------------------------------------ those who only say so


async def test_nobody_else_is_believed_on_either_door() -> None:
    own = own_address(socket.AF_INET)
    async with (
        opened(*PROXIED, "--max-connections-per-address", "2", host="0.0.0.0") as house,
        AsyncExitStack() as stack,
    ):
        enter = stack.enter_async_context
        lied = b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"
        callers = [await enter(calling(house.tcp_port, lied, host=own)) for _ in range(4)]
        assert [(await caller.first()).split()[0] for caller in callers].count(b"ERR") == 2
        lied = (
            UPGRADE
            + b"X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\n\r\n"
        )
        callers = [await enter(calling(house.web_port, lied, host=own)) for _ in range(4)]
        assert [(await caller.first()).split()[1] for caller in callers].count(b"503") == 2


@pytest.mark.parametrize(
    "head",
    [
        b"LOGIN Ann\n",
        b"PROXY\r\n",
        b"PROXY TCP4 x y 1 2\r\n",
        b"PROXY " + b"a" * 200,
        SIGNATURE + b"\x11\x11\x00\x00",
        SIGNATURE + b"\x21\x11\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\x00\r\nQUIX",
        b"\x16\x03\x01",
    ],
)
async def test_a_proxy_that_says_nonsense_is_cut_without_a_word(head: bytes) -> None:
    async with opened(*PROXIED) as house:
        assert await answer(house.tcp_port, head, b"LOGIN Ann\nMSG boo\n") == b""
        await house.logs("Refused .*")


async def test_a_header_that_never_comes_whole_is_cut_within_ten_seconds() -> None:
    async with opened(*PROXIED) as house, AsyncExitStack() as stack:
        callers = [
            await stack.enter_async_context(calling(house.tcp_port, head))
            for head in (
                b"",
                b"PROXY TCP4 192.0.2.1",
                SIGNATURE,
                SIGNATURE + b"\x21\x11\x10\x00" + b"x" * 4000,
            )
        ]
        async with within(10):
            assert await asyncio.gather(*[caller.end(10) for caller in callers]) == [b""] * 4


async def test_a_header_may_come_byte_by_byte_and_with_the_first_lines() -> None:
    v2 = (
        SIGNATURE
        + b"\x21\x11\x00\x14"
        + bytes([203, 0, 113, 9, 127, 0, 0, 1, 0, 99, 0, 80])
        + b"\x04\x00\x05hello"
    )
    async with opened(*PROXIED) as house:
        for n, head in enumerate((b"PROXY TCP4 203.0.113.9 127.0.0.1 99 80\r\n", v2)):
            said = head + f"LOGIN Ann{n}\nQUIT\n".encode()
            for pieces in ([said], [said[i : i + 1] for i in range(len(said))]):
                assert (await answer(house.tcp_port, *pieces)).endswith(b"OK\nOK bye\n")
        await house.logs(r"Accepted connection from 203\.0\.113\.9 through ", times=4)


addresses = st.ip_addresses()


@given(
    address=addresses, port=st.integers(0, 65_535), extra=st.binary(max_size=300), rest=st.binary(max_size=50)
)
def test_a_whole_header_is_read_wherever_it_is_cut(
    address: object, port: int, extra: bytes, rest: bytes
) -> None:
    text = str(address)
    family, packed = (0x21, socket.AF_INET6) if ":" in text else (0x11, socket.AF_INET)
    raw = socket.inet_pton(packed, text)
    ports = port.to_bytes(2, "big") * 2
    body = raw + raw + ports + extra
    v2 = SIGNATURE + bytes([0x21, family]) + len(body).to_bytes(2, "big") + body
    v1 = f"PROXY TCP{'6' if ':' in text else '4'} {text} {text} {port} {port}\r\n".encode()
    mapped = getattr(address, "ipv4_mapped", None)
    for head in (v1, v2):
        assert {parse(head[:end]) for end in range(len(head))} == {None}
        assert parse(head + rest) == Header(str(mapped or address), len(head))


@pytest.mark.parametrize(("family", "enough"), [(0x11, 12), (0x21, 36)], ids=["IPv4", "IPv6"])
def test_a_binary_header_without_room_for_both_addresses_and_ports_names_nobody(
    family: int, enough: int
) -> None:
    for length in range(enough + 1):
        head = SIGNATURE + bytes([0x21, family, 0, length]) + b"\x20" * length
        header = parse(head)
        assert isinstance(header, Header)
        assert header.size == len(head)
        assert (header.address is None) == (length < enough), length


def test_a_line_of_a_proxy_has_at_most_107_bytes_with_its_ending() -> None:
    unknown = b"PROXY UNKNOWN "
    longest = unknown + b"x" * (107 - len(unknown) - 2) + b"\r\n"
    assert parse(longest) == Header(None, 107)
    longer = unknown + b"x" + longest[len(unknown) :]
    assert isinstance(parse(longer), Bad)
    assert isinstance(parse(longer + b"LOGIN Ann\n"), Bad)


def outcomes(data: bytes) -> Sequence[object]:
    return [parse(data[:end]) for end in range(len(data) + 1)]


@given(
    st.binary(max_size=80).map(lambda data: SIGNATURE + data)
    | st.binary(max_size=200).map(lambda d: b"PROXY " + d)
)
def test_once_something_is_known_more_bytes_do_not_change_it(data: bytes) -> None:
    """Otherwise the cut of the packets would decide who somebody is."""
    known = [outcome for outcome in outcomes(data) if outcome is not None]
    assert all(outcome == known[0] for outcome in known)
    assert all(isinstance(outcome, Header | Bad) for outcome in known)
