"""`parlour connect` at a terminal, as a person uses it: however it ends, it ends silently."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pexpect
import pytest

from tests.e2e.netcat import GREETING
from tests.e2e.programs import DEADLINE, running
from tests.e2e.server import PARLOUR, Server, environment, parlour, serving

# Python 3.12 warns of a fork beside threads; pexpect's child is replaced by parlour at once.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*forkpty:DeprecationWarning")


class Terminal:
    """A terminal with `parlour connect` in it, past the greeting."""

    def __init__(self, child: "pexpect.spawn[str]", screen: io.StringIO) -> None:
        self._child = child
        self._screen = screen

    async def types(self, line: str) -> None:
        await asyncio.to_thread(self._child.sendline, line)

    async def presses(self, key: str) -> None:
        await asyncio.to_thread(self._child.sendcontrol, key)

    async def sees(self, text: str) -> None:
        await asyncio.to_thread(self._child.expect_exact, text, timeout=DEADLINE)

    async def ends(self) -> int | None:
        """Its exit status, or None where a signal has ended it; it said nothing of its own."""
        await asyncio.to_thread(self._child.expect_exact, pexpect.EOF, timeout=DEADLINE)
        await asyncio.to_thread(self._child.wait)
        assert "Error" not in self._screen.getvalue(), self._screen.getvalue()
        assert "Traceback" not in self._screen.getvalue(), self._screen.getvalue()
        return self._child.exitstatus


@asynccontextmanager
async def connecting(server: Server) -> AsyncIterator[Terminal]:
    screen = io.StringIO()

    def start() -> "pexpect.spawn[str]":
        where = ["connect", "127.0.0.1", str(server.tcp_port)]
        return pexpect.spawn(PARLOUR, where, encoding="utf-8", logfile=screen, env=environment())

    child = await asyncio.to_thread(start)
    try:
        terminal = Terminal(child, screen)
        await terminal.sees(GREETING[-1])
        yield terminal
    finally:
        await asyncio.to_thread(child.close, force=True)


async def says_quit(ann: Terminal) -> None:
    await ann.types("/quit")


async def presses_ctrl_d(ann: Terminal) -> None:
    await ann.presses("d")


@pytest.mark.parametrize("finishes", [says_quit, presses_ctrl_d])
async def test_who_has_finished_leaves_with_status_0(finishes: Callable[[Terminal], Awaitable[None]]) -> None:
    async with serving() as server, connecting(server) as ann:
        await ann.types("Ann")
        await ann.sees("You are Ann")
        await finishes(ann)
        assert await ann.ends() == 0


async def test_ctrl_c_is_status_130() -> None:
    async with serving() as server, connecting(server) as ann:
        await ann.presses("c")
        assert await ann.ends() == 130


async def test_who_is_cut_for_silence_leaves_with_status_0() -> None:
    async with serving("--login-timeout", "0.5") as server, connecting(server) as ann:
        assert await ann.ends() == 0


async def test_half_a_line_is_not_left_to_the_shell() -> None:
    """Which would take it, with what is typed next, for a command."""

    def start(port: int) -> "pexpect.spawn[str]":
        command = f"{PARLOUR} connect 127.0.0.1 {port}; echo over; read line; echo =$line="
        return pexpect.spawn("sh", ["-c", command], encoding="utf-8", env=environment())

    async with serving() as server:
        child = await asyncio.to_thread(start, server.tcp_port)
        try:
            shell = Terminal(child, io.StringIO())
            await shell.sees(GREETING[-1])
            await asyncio.to_thread(child.send, "half")
            await shell.sees("half")
            await server.stops()
            await shell.sees("over")
            await shell.types("whole")
            await shell.sees("=whole=")
        finally:
            await asyncio.to_thread(child.close, force=True)


async def test_the_end_of_the_server_is_status_0() -> None:
    async with serving() as server, connecting(server) as ann:
        await server.stops()
        await ann.sees("restarting")
        assert await ann.ends() == 0


@pytest.mark.parametrize(("ends", "heard"), [("</dev/null", True), ("<&-", True), ("</dev/null >&-", False)])
async def test_a_script_may_leave_either_end_closed(ends: str, *, heard: bool) -> None:
    async with serving() as server:
        command = f"exec {PARLOUR} connect 127.0.0.1 {server.tcp_port} {ends}"
        async with running("sh", "-c", command, env=environment()) as script:
            assert await script.rest() == [*GREETING] * heard
            assert await script.exited() == 0
            assert script.errors == []


async def test_it_ends_silently_when_nobody_reads_what_it_hears() -> None:
    async with serving() as server:
        reader = f"(head -n {len(GREETING)}; exec <&-; echo enough)"
        command = f"{PARLOUR} connect 127.0.0.1 {server.tcp_port} | {reader}"
        async with running("sh", "-c", command, env=environment()) as script:
            await script.hears(*GREETING, "enough")
            await script.send("Ann")
            assert await script.exited() == 0
            assert script.errors == []


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        (["ünïcode..x"], 1, "ünïcode..x:4000"),
        (["localhost", "99999"], 2, "99999"),
        (["localhost", "-1"], 2, "-1"),
        (["localhost", "0"], 2, "0"),
        (["localhost", "chat"], 2, "chat"),
    ],
)
async def test_what_is_no_address_is_one_clear_line(arguments: list[str], status: int, named: str) -> None:
    async with parlour("connect", *arguments) as program:
        assert await program.exited() == status
        (line,) = program.errors
        assert line.startswith("parlour: ")
        assert named in line
