"""The cable between a page and the server, which a test can pull."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

HOST: Final = "127.0.0.1"


class Cable:
    """A TCP proxy. Cut, it drops every connection and each new one; muffled, answers get lost in it."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._ends: set[asyncio.StreamWriter] = set()
        self._whole = True
        self._muffled = False
        self.port = 0

    @property
    def url(self) -> str:
        """The page, seen through it."""
        return f"http://{HOST}:{self.port}/"

    def cut(self) -> None:
        """As when Wi-Fi goes: nobody says goodbye."""
        self._whole = False
        for end in self._ends:
            end.transport.abort()

    def muffle(self) -> None:
        """From now on nothing that the server says arrives, until the cable is mended."""
        self._muffled = True

    def mend(self) -> None:
        self._whole = True
        self._muffled = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        try:
            upstream_reader, upstream = await asyncio.open_connection(HOST, self._to)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, upstream}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, upstream))
                tasks.create_task(self._pump(upstream_reader, writer, answers=True))
        finally:
            self._ends -= {writer, upstream}

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if answers and self._muffled:
                    continue
                writer.write(data)
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def cable(to: int) -> AsyncIterator[Cable]:
    """A whole cable to that port of this machine."""
    line = Cable(to)
    server = await asyncio.start_server(line.carry, HOST, 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        line.cut()
        await server.wait_closed()
