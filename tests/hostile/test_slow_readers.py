"""Whoever does not read is cut and learns why when it reads on; the others' messages are unhurt."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.clients import within
from tests.e2e.programs import DEADLINE
from tests.e2e.sockets import HANDSHAKE, Line, dialling, small_socket, text_frame
from tests.hostile.house import House, opened
from tests.ws_frontend.raw import CLOSE, split

SENDQ = 150_000
OPTIONS = ("--rate", "0", "--sendq", str(SENDQ), "--admin-port", "0")


@asynccontextmanager
async def speaking(house: House, nick: str) -> AsyncIterator[Line]:
    async with dialling(house) as line:
        await line.send(f"LOGIN {nick}")
        await line.hears("OK")
        yield line


def deaf(house: House, door: str) -> socket.socket:
    """Somebody called Mute who does not read."""
    sock = small_socket(house.tcp_port if door == "line" else house.web_port)
    sock.sendall(b"LOGIN Mute\n" if door == "line" else HANDSHAKE + text_frame("login", nick="Mute"))
    return sock


async def talk_until_cut(ann: Line, bob: Line) -> int:
    """Bob hears everything in order while Mute is cut. Gives the number of messages."""
    sent = 0
    while sent < 4000:
        numbers = range(sent, sent + 20)
        await ann.send(*[f"MSG {n} {'x' * 1900}" for n in numbers], "DM Bob pause")
        heard = await bob.until("DM Ann pause")
        sent += 20
        said = [line.split(" ", 3)[2] for line in heard if line.startswith("MSG ")]
        assert said == [str(n) for n in numbers]
        if "INFO Mute disconnected" in heard:
            return sent
        # Mute's connection broke, but it has a token: the others hear of it later.
        await ann.send("WHO")
        if "USER Mute" not in await ann.until("INFO --- End of List ---"):
            return sent
    raise AssertionError("somebody who does not read is never cut")


async def rest(sock: socket.socket, other: Line) -> bytes:
    """All that it reads in the end, in pieces; the server has a turn between them (another's PING)."""
    sock.setblocking(False)
    heard = b""
    try:
        async with within(DEADLINE):
            while piece := await asyncio.get_running_loop().sock_recv(sock, 2048):
                heard += piece
                await other.send("PING")
                await other.until("PONG")
    except ConnectionResetError:
        pass
    return heard


@pytest.mark.parametrize("door", ["line", "web"])
async def test_who_does_not_read_is_cut_logged_and_counted_and_nobody_else_misses_a_word(door: str) -> None:
    async with (
        opened(*OPTIONS, "--linger", "0") as house,
        speaking(house, "Ann") as ann,
        speaking(house, "Bob") as bob,
    ):
        with deaf(house, door) as mute:
            await bob.hears("INFO Mute connected")
            sent = await talk_until_cut(ann, bob)
            assert sent * 1900 < SENDQ + 2_000_000, "what waits never grows beyond sendq and the kernel's own"
            heard = await rest(mute, ann)  # within 2 s it may read on
        (line,) = await house.logs("Cut ")
        assert "127.0.0.1" in line
        assert "sendq" in line
        numbers = await house.metrics()
        assert numbers['parlour_cuts_total{reason="sendq"}'] == 1
        if door == "line":
            assert heard.endswith(b"\nERROR sendq exceeded\n")
        else:
            frames = split(heard.partition(b"\r\n\r\n")[2])
            opcode, payload = frames[-1]
            assert (opcode, payload[:2]) == (CLOSE, (4008).to_bytes(2, "big"))
            assert json.loads(frames[0][1])["type"] == "hello"


@pytest.mark.parametrize("door", ["line", "web"])
async def test_who_never_reads_on_is_gone_after_a_moment_and_leaves_no_descriptor(door: str) -> None:
    async with (
        opened(*OPTIONS, "--linger", "0") as house,
        speaking(house, "Ann") as ann,
        speaking(house, "Bob") as bob,
    ):
        before = await house.descriptors()
        with deaf(house, door):
            await bob.hears("INFO Mute connected")
            await talk_until_cut(ann, bob)
            await house.back_to(before)


@pytest.mark.parametrize("door", ["line", "web"])
async def test_who_asks_for_more_than_it_reads_is_cut_too(door: str) -> None:
    """Answers wait for their reader as messages do: it cannot make the server keep them."""
    async with opened(*OPTIONS) as house, speaking(house, "Ann") as ann:
        for _ in range(10):
            await ann.send(*[f"MSG {'x' * 1900}"] * 20)
        with deaf(house, door) as mute:
            mute.settimeout(DEADLINE)
            ask = b"HISTORY 200\n" if door == "line" else text_frame("history", room="#general", limit=200)
            await asyncio.to_thread(mute.sendall, ask * 300)
            await house.logs("Cut ")
            await ann.send("PING")
            await ann.until("PONG")


async def test_accepted_sockets_hold_little_in_the_kernel() -> None:
    """SO_SNDBUF is set: 64 KiB, which Linux doubles; without it the kernel would take megabytes."""
    async with (
        opened(*OPTIONS, "--linger", "0") as house,
        speaking(house, "Ann") as ann,
        speaking(house, "Bob") as bob,
    ):
        with deaf(house, "line"):
            await bob.hears("INFO Mute connected")
            assert await talk_until_cut(ann, bob) * 1900 < 600_000
