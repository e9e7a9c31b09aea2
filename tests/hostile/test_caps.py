"""So many from one address, so many in all, and no connection that only half asks for something."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from tests.clients import within
from tests.e2e.programs import DEADLINE
from tests.hostile.house import House, answer, opened, with_few_descriptors

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


def own_address(family: socket.AddressFamily) -> str:
    """An address of this machine that is not loopback; connecting a UDP socket sends nothing."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("198.51.100.1" if family == socket.AF_INET else "2001:db8::1", 9))
        except OSError:
            pytest.skip(f"this machine has no {family.name} address")
        return str(sock.getsockname()[0])


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def first(self) -> bytes:
        """The first line, or the next one; nothing where the connection was reset."""
        with suppress(ConnectionResetError):
            async with within(DEADLINE):
                return await self.reader.readline()
        return b""

    async def end(self, deadline: float) -> bytes:
        """All that comes until the server closes."""
        heard = b""
        try:
            async with within(deadline):
                while piece := await self.reader.read(65_536):
                    heard += piece
        except ConnectionResetError:
            pass
        return heard


@asynccontextmanager
async def calling(port: int, said: bytes = b"", *, host: str = "127.0.0.1") -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(said)
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()


async def lets_in(house: House, port: int, said: bytes, number: int, host: str) -> int:
    """How many of so many at once are let in; the others are told why."""
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(calling(port, said, host=host)) for _ in range(number)]
        firsts = [await caller.first() for caller in callers]
        refused = [n for n, first in enumerate(firsts) if b"Welcome" not in first and b"101" not in first]
        for n in refused:
            if b"too-many-connections" not in firsts[n]:
                async with within(DEADLINE):
                    await callers[n].reader.readuntil(b"too-many-connections")
        return number - len(refused)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=lambda family: family.name)
async def test_sixteen_from_one_address_on_each_door_and_any_number_from_loopback(
    family: socket.AddressFamily,
) -> None:
    own = own_address(family)
    anywhere, loopback = ("::", "::1") if family == socket.AF_INET6 else ("0.0.0.0", "127.0.0.1")
    async with opened(host=anywhere) as house:
        for port, said in ((house.tcp_port, b""), (house.web_port, UPGRADE + b"\r\n")):
            assert await lets_in(house, port, said, 20, own) == 16
            assert await lets_in(house, port, said, 20, loopback) == 20
            assert await lets_in(house, port, said, 16, own) == 16, "whoever goes makes room"


async def test_behind_a_proxy_the_address_of_the_visitor_counts() -> None:
    async with opened("--trusted-proxy", "127.0.0.0/8", "--max-connections-per-address", "2") as house:
        for chain in (
            b"203.0.113.9",
            b"1.1.1.1, 203.0.113.9",
            b"1.1.1.1,203.0.113.9,127.0.0.5",
            b"x, 203.0.113.9",
        ):
            said = UPGRADE + b"X-Forwarded-For: " + chain + b"\r\n\r\n"
            assert await lets_in(house, house.web_port, said, 4, "127.0.0.1") == 2
        two = UPGRADE + b"X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
        assert await lets_in(house, house.web_port, two, 4, "127.0.0.1") == 2
        v6 = [UPGRADE + f"X-Forwarded-For: 2001:db8::{n}\r\n\r\n".encode() for n in range(1, 4)]
        async with (
            calling(house.web_port, v6[0]) as one,
            calling(house.web_port, v6[1]) as two_,
            calling(house.web_port, v6[2]) as three,
        ):
            firsts = [await caller.first() for caller in (one, two_, three)]
            assert sorted(first.split()[1] for first in firsts) == [b"101", b"101", b"503"], "one /64"
        await house.logs(r"Accepted connection from 203\.0\.113\.9 through ")


async def test_a_proxy_that_is_not_on_this_machine_may_bring_any_number_of_visitors() -> None:
    own = own_address(socket.AF_INET)
    async with opened("--trusted-proxy", f"{own}/32", host="0.0.0.0") as house, AsyncExitStack() as stack:
        for n in range(20):
            said = UPGRADE + f"X-Forwarded-For: 203.0.113.{n}\r\n\r\n".encode()
            caller = await stack.enter_async_context(calling(house.web_port, said, host=own))
            assert b"101" in await caller.first()


async def test_the_cap_of_all_connections_holds_on_both_doors_and_somebody_else_may_come_afterwards() -> None:
    async with opened("--max-connections", "5") as house:
        for port, said in ((house.tcp_port, b""), (house.web_port, UPGRADE + b"\r\n")):
            for _ in range(2):
                assert await lets_in(house, port, said, 12, "127.0.0.1") == 5


HALF = {
    "nothing": b"",
    "half a request line": b"GET / HT",
    "half a header": b"GET / HTTP/1.1\r\nHost: x\r\nCook",
    "no empty line": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "half a WebSocket": UPGRADE,
}


async def test_half_sent_headers_are_cut_within_ten_seconds_even_when_they_drip() -> None:
    async with opened() as house, AsyncExitStack() as stack:
        began = time.monotonic()
        callers = {
            n: await stack.enter_async_context(calling(house.web_port, said)) for n, said in HALF.items()
        }
        drip = await stack.enter_async_context(calling(house.web_port, b"GET / HTTP/1.1\r\nX: "))
        body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf"
        callers["half a body"] = await stack.enter_async_context(calling(house.web_port, body))
        again = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea"
        callers["half a second request"] = await stack.enter_async_context(calling(house.web_port, again))

        async def dripping() -> None:
            while True:
                drip.writer.write(b"x")
                await asyncio.sleep(0.2)  # the attack is made of waiting

        task = asyncio.create_task(dripping())
        ends = [caller.end(20) for caller in callers.values()] + [drip.end(20)]
        times = dict.fromkeys([*callers, "drip"], 0.0)

        async def timed(name: str, end: object) -> None:
            await end  # type: ignore[misc]
            times[name] = time.monotonic() - began

        await asyncio.gather(*[timed(name, end) for name, end in zip(times, ends, strict=True)])
        task.cancel()
        assert {name: took for name, took in times.items() if took > 12} == {}
        assert not [name for name in HALF if times[name] > 10]


async def test_at_256_descriptors_a_thousand_connects_are_refused_with_a_reason_and_then_all_is_well() -> (
    None
):
    async with (
        opened("--admin-port", "0", before=with_few_descriptors(256)) as house,
        AsyncExitStack() as stack,
    ):
        ann = await stack.enter_async_context(calling(house.tcp_port, b"LOGIN Ann\n"))
        for _ in range(3):
            await ann.first()
        before = await house.descriptors()
        for port, said in ((house.tcp_port, b""), (house.web_port, UPGRADE + b"\r\n")):
            async with AsyncExitStack() as crowd:
                firsts: list[bytes] = []
                for _ in range(20):
                    connecting = [crowd.enter_async_context(calling(port, said)) for _ in range(25)]
                    callers = [await connection for connection in connecting]
                    firsts += await asyncio.gather(*[caller.first() for caller in callers])
                good = [first for first in firsts if b"Welcome" in first or b"101" in first]
                told = [first for first in firsts if b"too-many" in first or b"503" in first]
                assert 80 <= len(good) <= 128
                assert len(told) >= (500 - len(good)) * 0.9, "nearly everyone else is told why"
                ann.writer.write(b"PING\n")
                assert await ann.first() == b"PONG\n"
                assert await house.descriptors() < 256
        await house.back_to(before + 2)
        assert b"200 OK" in await answer(house.web_port, b"GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n")
        loud = [line for line in house.program.errors if " INFO " not in line]
        assert len(loud) < 10, loud[:10]
