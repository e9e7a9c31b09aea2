"""The real server process, as a person starts it."""

import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.programs import Program, running

PARLOUR = str(Path(sys.executable).with_name("parlour"))

LOOPBACK = ("--host", "127.0.0.1")
FREE_PORTS = ("--tcp-port", "0", "--web-port", "0")
IN_MEMORY = ("--data", "memory")


def environment(**variables: str) -> dict[str, str]:
    """Ours without what configures a server or hides what it forgets to flush, and these variables."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not re.match("PARLOUR_|CHAT_PORT|PYTHONUNBUFFERED", name)
    }
    return ours | variables


class Server:
    """A running `parlour serve` whose doors are open."""

    def __init__(self, program: Program, tcp_port: int, web_port: int) -> None:
        self.program = program
        self.tcp_port = tcp_port
        self.web_port = web_port

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.web_port}/ws"

    async def logs(self, pattern: str, *, times: int = 1) -> list[str]:
        """The log lines in which the pattern is found, once there are as many."""
        return await self.program.complains(pattern, times=times)

    async def stops(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop; it must do so, cleanly, and have reported no failure of its own."""
        self.program.process.send_signal(number)
        status = await self.program.exited()
        log = self.program.errors
        assert status == 0, "\n".join([f"exit status {status}", *log[-20:]])
        failures = [
            n for n, line in enumerate(log) if re.search(r"Traceback| ERROR | CRITICAL |Warning:", line)
        ]
        assert not failures, "\n".join(log[failures[0] :][:20])


@asynccontextmanager
async def parlour(*options: str, variables: Mapping[str, str] | None = None) -> AsyncIterator[Program]:
    """`parlour` with these arguments, as it is started from a shell."""
    assert Path(PARLOUR).exists(), "Parlour is to be installed in the environment of the tests"
    async with running(PARLOUR, *options, env=environment(**(variables or {}))) as program:
        yield program


@asynccontextmanager
async def serving(*options: str, variables: Mapping[str, str] | None = None) -> AsyncIterator[Server]:
    """A server on free ports; at the end of the block it is asked to stop and must stop cleanly."""
    async with parlour("serve", *LOOPBACK, *FREE_PORTS, *IN_MEMORY, *options, variables=variables) as program:
        tcp_port = port_in(r"Server listening on 127\.0\.0\.1:(\d+)", await program.line())
        web_port = port_in(r"Page on http://localhost:(\d+)/", await program.line())
        server = Server(program, tcp_port, web_port)
        yield server
        if program.process.returncode is None:
            await server.stops()


def port_in(pattern: str, line: str) -> int:
    match = re.fullmatch(pattern, line)
    assert match, f"{line!r} is not like {pattern!r}"
    return int(match[1])
