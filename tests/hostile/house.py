"""The server process with everything that can be attacked: all its ports, and how it is started."""

import asyncio
import re
import resource
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.clients import within
from tests.e2e.programs import DEADLINE, Program, running
from tests.e2e.server import FREE_PORTS, IN_MEMORY, PARLOUR, Server, environment


class House(Server):
    """A server whose TLS and admin ports are known too."""

    tls_port = 0
    admin_port = 0

    async def metrics(self) -> dict[str, float]:
        """Every number of /metrics by its name, with its labels."""
        text = (await http(self.admin_port, "GET", "/metrics")).decode()
        lines = [line.rpartition(" ") for line in text.split("\n") if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in lines if re.match("[a-z]", name)}

    async def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.program.process.pid}/fd").iterdir()))

    async def back_to(self, descriptors: int) -> None:
        """Until it has let go of all but so many."""
        async with within(DEADLINE):
            while await self.descriptors() > descriptors:  # noqa: ASYNC110 - nothing tells when one is closed
                await asyncio.sleep(0.05)


async def http(port: int, method: str, path: str, *headers: str) -> bytes:
    """The whole answer to a request, headers and all."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    return await answer(port, "\r\n".join(lines).encode())


async def answer(port: int, *pieces: bytes, host: str = "127.0.0.1") -> bytes:
    """All that comes back until the server closes the connection; it must, in time."""
    loop = asyncio.get_running_loop()
    heard = b""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each piece is a packet of its own
        with suppress(OSError):  # some of what was sent is not wanted any more; what comes back counts
            for piece in pieces:
                await loop.sock_sendall(sock, piece)
                await asyncio.sleep(0)
        with suppress(OSError):
            async with within(DEADLINE):
                while more := await loop.sock_recv(sock, 65_536):
                    heard += more
    return heard


@asynccontextmanager
async def opened(
    *options: str,
    host: str = "127.0.0.1",
    data: Sequence[str] = IN_MEMORY,
    before: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[House]:
    """A server with these options, started by `before` (another program); it must stop cleanly."""
    command = [*before, PARLOUR, "serve", "--host", host, *FREE_PORTS, *data, *options]
    async with running(*command, env=environment(**(variables or {}))) as program:
        house = await at_home(program, options)
        yield house
        if program.process.returncode is None:
            await house.stops()


async def at_home(program: Program, options: Sequence[str]) -> House:
    """Wait until every door is open."""
    expected = 2 + ("--tls-tcp-port" in options) + ("--admin-port" in options)
    ports: dict[str, int] = {}
    for _ in range(expected):
        line = await program.line()
        match = re.fullmatch(r"(.+?) on (?:https?://)?.*:(\d+)(?:/.*)?", line)
        assert match, line
        ports[match[1]] = int(match[2])
    house = House(program, ports["Server listening"], ports["Page"])
    house.tls_port = ports.get("Server listening with TLS", 0)
    house.admin_port = ports.get("Metrics", 0)
    return house


def with_few_descriptors(number: int) -> Sequence[str]:
    """Starts a program that may open only so many."""
    return ("sh", "-c", f'ulimit -n {number}; exec "$@"', "sh")


def resident(pid: int) -> int:
    """Bytes of memory that a process uses."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()
