"""Telnet: the program under a terminal of its own, and the bytes that other telnets send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pexpect
import pytest

from tests.clients import require
from tests.e2e.netcat import GREETING, command_user, plain_welcome
from tests.e2e.programs import DEADLINE, STAMP
from tests.e2e.server import Server
from tests.e2e.sockets import dialling

pytestmark = [
    pytest.mark.network,
    # Python 3.12 warns of a fork beside threads; pexpect's child is replaced by telnet at once.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*forkpty:DeprecationWarning"),
]

IAC, IP, DO, DONT, WILL, WONT = b"\xff", b"\xf4", b"\xfd", b"\xfe", b"\xfb", b"\xfc"
TIMING_MARK = b"\x06"


class Telnet:
    """A person at a terminal, with telnet running in it."""

    def __init__(self, child: "pexpect.spawn[str]") -> None:
        self._child = child

    async def types(self, line: str) -> None:
        await asyncio.to_thread(self._child.sendline, line)

    async def presses_ctrl_c(self) -> None:
        await asyncio.to_thread(self._child.sendcontrol, "c")

    async def sees(self, text: str) -> str:
        """The next line on the screen that ends with the text, as a whole. What is typed is there, too."""
        await asyncio.to_thread(self._child.expect_exact, text + "\r\n", timeout=DEADLINE)
        return str(self._child.before).rpartition("\n")[2] + text

    async def sees_the_end(self) -> str:
        """What is left on the screen once telnet has ended by itself."""
        await asyncio.to_thread(self._child.expect_exact, pexpect.EOF, timeout=DEADLINE)
        return str(self._child.before)


@asynccontextmanager
async def telnet(server: Server) -> AsyncIterator[Telnet]:
    def start() -> "pexpect.spawn[str]":
        return pexpect.spawn(require("telnet"), ["127.0.0.1", str(server.tcp_port)], encoding="utf-8")

    child = await asyncio.to_thread(start)
    try:
        terminal = Telnet(child)
        for line in GREETING:
            assert await terminal.sees(line) == line
        yield terminal
    finally:
        await asyncio.to_thread(child.close, force=True)


async def test_a_telnet_user_logs_in_talks_and_quits(server: Server) -> None:
    async with command_user(server, "Ann") as ann, telnet(server) as terminal:
        await terminal.types("Tess")
        for text in plain_welcome("Tess"):
            seen = await terminal.sees(text)
            assert STAMP.sub("", seen) == text
        await ann.hears("INFO Tess connected")
        await terminal.types("hello from a terminal")
        await ann.hears("MSG Tess hello from a terminal")
        await ann.send("MSG hello Tess")
        seen = await terminal.sees("Ann: hello Tess")
        assert STAMP.fullmatch(seen.removesuffix("Ann: hello Tess"))
        await terminal.types("/quit")
        assert await terminal.sees("Bye.")
        assert await terminal.sees_the_end() == "Connection closed by foreign host.\r\n"
        await ann.hears("INFO Tess disconnected")


async def test_ctrl_c_in_telnet_does_not_mute_what_comes_after_it(server: Server) -> None:
    async with command_user(server, "Ann") as ann, telnet(server) as terminal:
        await terminal.types("Tess")
        await terminal.sees(plain_welcome("Tess")[-1])
        await ann.hears("INFO Tess connected")
        await terminal.presses_ctrl_c()  # telnet shows nothing until its question is answered
        await terminal.types("still there?")
        await ann.hears("MSG Tess still there?")
        await ann.send("MSG yes")
        await terminal.sees("Ann: yes")


async def test_the_server_begins_no_telnet_negotiation(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.tcp_port)
    writer.write(b"LOGIN Tess\nPING\nQUIT\n")
    async with asyncio.timeout(DEADLINE):
        said = await reader.read()
    writer.transport.abort()
    assert said == ("\n".join(GREETING) + "\nOK\nPONG\nOK bye\n").encode()


async def test_telnet_offers_and_requests_are_refused_and_leave_no_trace(server: Server) -> None:
    async with command_user(server, "Ann") as ann, dialling(server) as line:
        await line.send_raw(IAC + WILL + b"\x1f" + IAC + DO + b"\x01" + b"LOGIN Te" + IAC + IP + b"ss\r\n")
        async with asyncio.timeout(DEADLINE):
            assert await line.reader.readexactly(9) == IAC + DONT + b"\x1f" + IAC + WONT + b"\x01" + b"OK\n"
        await ann.hears("INFO Tess connected")
        size = IAC + b"\xfa\x1f\x00\x50\x00\x18" + IAC + b"\xf0"  # SB NAWS 80 24 SE
        await line.send_raw(b"MSG cl" + size + b"ean" + IAC + WONT + b"\x03" + IAC + DONT + b"\x03" + b"\r\0")
        await line.send("PING")
        await line.hears("PONG")  # a refusal is not answered
        await ann.hears("MSG Tess clean")


async def test_ctrl_c_of_any_telnet_is_answered_so_that_it_shows_output_again(server: Server) -> None:
    async with dialling(server) as line:
        await line.send("LOGIN Tess")
        await line.hears("OK")
        await line.send_raw(IAC + IP + IAC + DO + TIMING_MARK)
        async with asyncio.timeout(DEADLINE):
            assert await line.reader.readexactly(3) == IAC + WONT + TIMING_MARK
        await line.send("PING")
        await line.hears("PONG")
