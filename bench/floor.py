"""The least a line chat can do: what comes in goes out to everyone else, once per reader and tick.

No names, no rules, no rooms, no log, nothing parsed but the line ending. The generator's own limit is
measured against it, and it says how far a server in Python is from the floor.
"""

import asyncio
from typing import cast

import uvloop

GREETING = b"Welcome!\nOK\n"

members: "set[Member]" = set()
said: "list[tuple[Member, bytes]]" = []
"""In this tick."""


class Member(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none of asyncio's classes
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        if self not in members:
            members.add(self)
            self.transport.write(GREETING)
            return
        whole, ending, self._rest = (self._rest + data).rpartition(b"\n")
        if not ending:
            return
        if not said:
            asyncio.get_running_loop().call_soon(show)
        said.append((self, whole + ending))

    def connection_lost(self, exc: Exception | None) -> None:
        members.discard(self)


def show() -> None:
    together = b"".join([data for _, data in said])
    speakers = {member for member, _ in said}
    for member in members:
        if member in speakers:
            member.transport.write(b"".join([data for who, data in said if who is not member]))
        else:
            member.transport.write(together)
    said.clear()


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Member, "127.0.0.1", 0, backlog=1024)
    host, port = server.sockets[0].getsockname()
    print(f"{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
