"""A TCP proxy that cuts connections at random places, as bad networks do."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final, Literal

from msgspec import Struct

from tests.clients import HOST, within
from tests.durability.breaking import reset

How = Literal["reset", "close", "swallow", "half"]
"""reset: both sides get a RST. close: both get a FIN. swallow: one direction is lost for a moment, then
both are reset. half: the client gets a RST, the server is left with a connection that nobody is behind."""

HOWS: Final[tuple[How, ...]] = ("reset", "close", "swallow", "half")
SWALLOWED_MAX: Final = 0.05
"""Seconds after which a connection that swallows is reset."""

FURTHEST: Final = 400_000
"""Bytes that a connection carries until it is cut, at most. Half of the cuts come within its square root."""


class Plan(Struct, frozen=True):
    at: int
    """So many bytes in both directions; this one and what follows in its direction is lost."""
    how: How


class Link:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter, plan: Plan) -> None:
        self.client = client
        self.server = server
        self.plan = plan
        self.passed = 0
        self.swallows = ""
        """The direction that is lost."""

    def abort(self) -> None:
        for writer in (self.client, self.server):
            reset(writer.transport)


class Cuts:
    """How many are to be made, by all proxies together; they begin when the number is set."""

    def __init__(self) -> None:
        self.left = 0
        self.made: Counter[How] = Counter()
        self._enough = asyncio.Event()

    async def happen(self, times: int, deadline: float) -> None:
        self.left = times
        async with within(deadline):
            await self._enough.wait()

    def count(self, how: How) -> None:
        self.made[how] += 1
        self.left -= 1
        if not self.left:
            self._enough.set()


class Proxy:
    def __init__(self, target: int, cuts: Cuts, chance: Random) -> None:
        self.target = target
        self.cuts = cuts
        self._chance = chance
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def _plan(self) -> Plan:
        at = int(math.exp(self._chance.uniform(0, math.log(FURTHEST))))
        return Plan(at, self._chance.choice(HOWS))

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, onward = await asyncio.open_connection(HOST, self.target)
        except OSError:
            reset(writer.transport)
            return
        link = Link(writer, onward, self._plan())
        self._links.add(link)
        task = asyncio.create_task(self._serve(link, reader, there))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, link: Link, from_client: asyncio.StreamReader, from_server: asyncio.StreamReader
    ) -> None:
        try:
            await asyncio.gather(
                self._pump(link, "up", from_client, link.server),
                self._pump(link, "down", from_server, link.client),
            )
        finally:
            link.abort()
            self._links.discard(link)

    async def _pump(
        self, link: Link, direction: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(65_536):
                left = link.plan.at - link.passed
                link.passed += len(data)
                if link.swallows == direction or writer.is_closing():
                    continue
                if self.cuts.left and not link.swallows and len(data) >= left:
                    writer.write(data[: max(0, left)])
                    self._cut(link, direction)
                else:
                    writer.write(data)
                    await writer.drain()
            if not writer.is_closing() and not link.swallows:
                writer.write_eof()
        except OSError:
            reset(writer.transport)

    def _cut(self, link: Link, direction: str) -> None:
        match link.plan.how:
            case "reset":
                link.abort()
            case "close":
                link.client.close()
                link.server.close()
            case "swallow":
                link.swallows = direction
                wait = self._chance.uniform(0, SWALLOWED_MAX)
                asyncio.get_running_loop().call_later(wait, link.abort)
            case "half":
                link.swallows = "down"  # what the server still says to it is lost
                reset(link.client.transport)
        self.cuts.count(link.plan.how)

    async def end(self) -> None:
        for link in list(self._links):
            link.abort()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def cutting(target: int, cuts: Cuts, chance: Random) -> AsyncIterator[int]:
    """The port of a proxy in front of a port of this machine."""
    proxy = Proxy(target, cuts, chance)
    async with await asyncio.start_server(proxy.accept, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]
        server.close()
        await proxy.end()
