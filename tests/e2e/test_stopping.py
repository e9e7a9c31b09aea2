"""The server process from the signal to its end."""

import asyncio
import signal
import socket
import sqlite3
import time
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path

import pytest

from tests.e2e.netcat import command_user, netcat, plain_user
from tests.e2e.programs import DEADLINE, running
from tests.e2e.server import FREE_PORTS, IN_MEMORY, LOOPBACK, PARLOUR, Server, environment, serving
from tests.e2e.sockets import HANDSHAKE, Line, dialling, opening, small_socket, text_frame, web_user

MOST = 10.0
"""Seconds a stop may take, whatever the peers do."""


async def test_nobody_there_is_no_reason_to_wait() -> None:
    async with serving() as server:
        began = time.monotonic()
        await server.stops()
        assert time.monotonic() - began < MOST / 5


@pytest.mark.network
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_signal_to_stop_tells_everyone_and_ends_with_status_0(
    server: Server, number: signal.Signals
) -> None:
    async with (
        netcat(server) as guest,
        plain_user(server, "Pat", "ncat") as pat,
        command_user(server, "Ann", "nc.traditional") as ann,
        opening(server) as visitor,
        web_user(server, "Wes") as wes,
    ):
        await pat.is_told("Ann has joined the chat.", "Wes has joined the chat.")
        await ann.hears("INFO Wes connected")
        await server.stops(number)
        await ann.hears("INFO server is restarting")
        await guest.hears("INFO server is restarting")
        await pat.is_told("The server is restarting.")
        for user in (ann, guest, pat):
            await user.end_input()
            assert await user.rest() == []
        for page in (wes, visitor):
            await page.hears({"type": "bye", "reason": "restarting"})
            assert await page.close_code() == 1012


async def test_the_end_of_the_terminal_stops_it_as_cleanly(server: Server) -> None:
    async with dialling(server) as ann:
        await server.stops(signal.SIGHUP)
        await ann.hears("INFO server is restarting")


async def test_with_nohup_it_outlives_its_terminal() -> None:
    nohup = ("nohup", PARLOUR, "serve", *LOOPBACK, *FREE_PORTS, *IN_MEMORY)
    async with running(*nohup, env=environment()) as program:
        await program.until("Page on .*")
        program.process.send_signal(signal.SIGHUP)
        program.process.terminate()
        await program.complains("Stopping")
        assert await program.exited() == 0


async def fill(line: Line) -> None:
    """Say so much that its history is more than any socket takes."""
    await line.send("LOGIN Filler")
    await line.hears("OK")
    for _ in range(10):
        await line.send(*[f"MSG {'x' * 1900}"] * 20, "PING")
        await line.hears("PONG")


async def test_peers_that_never_read_and_never_answer_do_not_hold_up_the_end() -> None:
    async with AsyncExitStack() as stack:
        # Nobody is cut for being slow: the peers below are still there when the stop comes.
        server = await stack.enter_async_context(serving("--rate", "0", "--sendq", "1000000000"))
        filler = await stack.enter_async_context(dialling(server))
        await fill(filler)
        ann = await stack.enter_async_context(dialling(server))
        await ann.send("LOGIN Ann")

        deaf_line = stack.enter_context(small_socket(server.tcp_port))
        deaf_line.sendall(b"LOGIN Deaf\n" + b"HISTORY 200\n" * 400 + b"DM ann asked\n")
        await ann.until("DM Deaf asked")
        deaf_page = stack.enter_context(small_socket(server.web_port))
        deaf_page.sendall(HANDSHAKE + text_frame("login", nick="DeafToo"))
        deaf_page.sendall(text_frame("history", room="#general", limit=200) * 400)
        deaf_page.sendall(text_frame("dm", to="ann", text="asked"))
        await ann.until("DM DeafToo asked")
        mute_page = stack.enter_context(socket.create_connection(("127.0.0.1", server.web_port)))
        mute_page.sendall(HANDSHAKE + text_frame("login", nick="Mute"))
        await ann.until("INFO Mute connected")
        half_asked = stack.enter_context(socket.create_connection(("127.0.0.1", server.web_port)))
        half_asked.sendall(b"GET / HTTP/1.1\r\nHost: 127.")

        began = time.monotonic()
        await server.stops()
        assert time.monotonic() - began < MOST
        await ann.until("INFO server is restarting")
        with mute_page.makefile("rb") as file:
            said = file.read()
        assert b'{"type":"bye","reason":"restarting"}' in said
        assert b"\x88\x0c\x03\xf4restarting" in said, "a close frame with code 1012"
        await filler.until("INFO server is restarting")
        assert await filler.rest() == []


async def talks_on(line: Line) -> None:
    with suppress(ConnectionError):
        while True:
            await line.send(*["MSG and another thing"] * 50)
            await asyncio.sleep(0)


async def listens(line: Line) -> None:
    with suppress(ConnectionError):  # it was still talking
        await line.until("INFO server is restarting")


async def test_people_who_go_on_talking_do_not_hold_up_the_end(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            serving("--rate", "0", "--data", str(tmp_path / "parlour.db"))
        )
        lines = [await stack.enter_async_context(dialling(server)) for _ in range(20)]
        bob = await stack.enter_async_context(dialling(server))
        async with asyncio.TaskGroup() as group:
            for number, line in enumerate(lines):
                await line.send(f"LOGIN Ann{number}", f"JOIN #room{number}")
                await line.until(f"OK joined #room{number}")
            await bob.send("LOGIN Bob", "JOIN #room0")
            await bob.until("OK joined #room0")
            for line in lines:
                group.create_task(talks_on(line))
                group.create_task(listens(line))
            for _ in range(1000):  # so many of one of them, and each says more than the server can store
                await bob.hears("MSG Ann0 and another thing")
            group.create_task(listens(bob))
            began = time.monotonic()
            await server.stops()
            assert time.monotonic() - began < MOST


async def test_a_log_that_another_program_holds_does_not_hold_up_the_end(tmp_path: Path) -> None:
    file = tmp_path / "parlour.db"
    async with (
        serving("--data", str(file)) as server,
        dialling(server) as ann,
        web_user(server, "Wes") as wes,
    ):
        await ann.send("LOGIN Ann")
        await ann.hears("OK")
        await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await ann.send("MSG one", "PING")
            began = time.monotonic()
            server.program.process.terminate()
            await ann.hears("INFO server is restarting")
            await wes.hears({"type": "bye", "reason": "restarting"})
            assert await server.program.exited() in (0, 1)
            assert time.monotonic() - began < MOST


async def test_what_was_said_just_before_the_end_is_heard(server: Server) -> None:
    async with dialling(server) as ann, web_user(server, "Wes") as wes:
        await ann.send("LOGIN Ann", *[f"MSG {n}" for n in range(500)])
        await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        await wes.hears({"type": "msg", "room": "#general", "nick": "Ann", "text": "0"})
        await server.stops()
        texts = ["0"]
        while (event := await wes.event())["type"] == "msg":
            texts.append(event["text"])
        assert event == {"type": "bye", "reason": "restarting"}
        assert texts == [str(n) for n in range(len(texts))]
        await ann.hears("OK", "INFO server is restarting")


async def test_who_is_behind_when_the_stop_comes_and_reads_on_is_told_too(server: Server) -> None:
    async with dialling(server) as ann:
        with small_socket(server.tcp_port) as slow, slow.makefile("rb") as file:
            slow.sendall(b"LOGIN Slow\nPING\n")
            while file.readline() != b"PONG\n":
                pass
            await ann.send("LOGIN Ann", *[f"MSG {n} {'x' * 1900}" for n in range(120)], "PING")
            await ann.until("PONG")  # and so much waits for Slow, less than what it would be cut for
            server.program.process.terminate()
            await ann.until("INFO server is restarting")
            heard = await asyncio.to_thread(file.read)
        assert await server.program.exited() == 0
        assert heard.startswith(b"INFO Ann connected\nMSG Ann 0 ")
        assert heard.endswith(b"x\nINFO server is restarting\n")


async def test_nobody_can_come_in_any_more_once_the_server_has_stopped(server: Server) -> None:
    await server.stops()
    for port in (server.tcp_port, server.web_port):
        with pytest.raises(ConnectionRefusedError):
            async with asyncio.timeout(DEADLINE):
                await asyncio.open_connection("127.0.0.1", port)


async def test_a_second_signal_ends_a_stop_that_waits_for_someone_at_once(server: Server) -> None:
    async with dialling(server) as ann:
        await ann.send("LOGIN Ann")
        await ann.hears("OK")
        with socket.create_connection(("127.0.0.1", server.web_port)) as mute:
            mute.sendall(HANDSHAKE + text_frame("login", nick="Mute"))
            await ann.hears("INFO Mute connected")
            server.program.process.terminate()
            await ann.hears("INFO server is restarting")
            server.program.process.send_signal(signal.SIGINT)
            assert await server.program.exited() == 1
    assert not [line for line in server.program.errors if "Traceback" in line]
