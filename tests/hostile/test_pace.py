"""Whoever is too fast waits; nothing of what it said is lost, and nobody else waits with it."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.netcat import netcat
from tests.e2e.server import serving
from tests.e2e.sockets import Line, dialling, opening, reset_at_close, web_user
from tests.hostile.house import opened

QUICK = ("--rate", "50", "--burst", "10")
"""The same rules, ten times as fast, so that the test is."""


async def enter(line: Line, nick: str) -> None:
    await line.send(f"LOGIN {nick}")
    await line.hears("OK")


@pytest.mark.network
async def test_a_hundred_lines_pasted_into_netcat_arrive_whole_and_slowly() -> None:
    async with serving(*QUICK) as server, dialling(server) as ann:
        await enter(ann, "Ann")
        async with netcat(server) as eve:
            began = time.monotonic()
            await eve.send("LOGIN Eve", *[f"MSG {n} {'x' * 500}" for n in range(100)])
            await ann.hears("INFO Eve connected", *[f"MSG Eve {n} {'x' * 500}" for n in range(100)])
            assert time.monotonic() - began >= (101 - 10) / 50 * 0.95


async def test_nobody_waits_because_somebody_else_is_too_fast() -> None:
    async with (
        serving(*QUICK) as server,
        dialling(server) as ann,
        dialling(server) as eve,
        web_user(server, "Wes") as wes,
    ):
        await enter(ann, "Ann")
        await eve.send("LOGIN Eve", *["PING"] * 5000)
        await eve.hears("OK")
        for n in range(5):
            began = time.monotonic()
            await wes.send("gmsg", text=str(n), ref=str(n))
            await ann.until(f"GMSG Wes {n}")
            assert time.monotonic() - began < 0.5
        eve.abort()


async def test_the_web_door_paces_too_and_answers_everything_in_order() -> None:
    async with serving(*QUICK) as server, opening(server) as eve:
        began = time.monotonic()
        await eve.send("login", nick="Eve", ref="in")
        for n in range(60):
            await eve.send("ping", ref=str(n))
        assert [(await eve.event())["ref"] for _ in range(61)] == ["in", *map(str, range(60))]
        assert time.monotonic() - began >= (61 - 10) / 50 * 0.95


async def test_names_rooms_and_strangers_have_small_buckets_on_the_line_door() -> None:
    async with serving("--rate", "1000", "--burst", "1000") as server, dialling(server) as eve:
        await enter(eve, "Eve")
        await eve.send(*[f"NICK Eve{n}" for n in range(5)])
        await eve.hears(*["OK nick-changed"] * 3, *["ERR too-fast 20"] * 2)
        await eve.send(*[f"JOIN #r{n}" for n in range(12)])
        await eve.hears(*[f"OK joined #r{n}" for n in range(10)], *["ERR too-fast 6"] * 2)
        await eve.send("LEAVE", "LEAVE")
        heard = [await eve.line(), await eve.line()]
        assert heard[0] == "OK joined #general", "leaving is always allowed"
        assert heard[1] == "ERR already-in-general"


async def test_they_have_them_on_the_web_door_and_an_answer_is_free() -> None:
    fast = ("--rate", "1000", "--burst", "1000")
    async with serving(*fast) as server, opening(server) as eve, AsyncExitStack() as stack:
        people = [await stack.enter_async_context(dialling(server)) for _ in range(6)]
        for n, person in enumerate(people):
            await enter(person, f"P{n}")
        await eve.send("login", nick="Eve")
        await eve.event()
        for n in range(6):
            await eve.send("dm", to=f"P{n}", text="psst", ref=str(n))
        events = [await eve.event() for _ in range(6)]
        assert [event["type"] for event in events] == ["ok"] * 5 + ["error"]
        assert (events[5]["code"], events[5]["detail"]) == ("too-fast", "15")
        await people[5].send("DM Eve hello")
        assert (await eve.event())["text"] == "hello"
        for to in ("P5", "P0", "P1"):
            await eve.send("dm", to=to, text="an answer")
            assert (await eve.event())["type"] == "ok"
        await people[5].until("DM Eve an answer")


async def test_nobody_speaks_on_for_long_after_the_connection_is_gone() -> None:
    """Otherwise a few bytes make a ghost: it has the name, talks on, and nobody is left who could stop it."""
    async with serving("--rate", "20", "--burst", "10") as server, dialling(server) as ann:
        await enter(ann, "Ann")
        async with dialling(server) as eve:
            await eve.send("LOGIN Eve", *["MSG boo"] * 2000)
            await ann.hears("INFO Eve connected", "MSG Eve boo")
            reset_at_close(eve.writer.get_extra_info("socket"))
        async with asyncio.timeout(5):
            await ann.until("INFO Eve disconnected")


async def test_a_connection_that_is_not_read_is_probed_by_the_kernel() -> None:
    """A peer that closed its side may still be listening, as `nc -N` does: only a probe tells."""
    keepalive = "02"
    async with serving(*QUICK) as server, dialling(server) as eve:
        here, there = eve.writer.get_extra_info("sockname")[1], server.tcp_port
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        timers = {(row[1].partition(":")[2], row[2].partition(":")[2]): row[5][:2] for row in rows}
        assert timers[f"{there:04X}", f"{here:04X}"] == keepalive


async def test_telnet_commands_and_pings_cost_what_lines_and_frames_cost() -> None:
    """Else a peer that never says a word could keep the server busy at any rate."""
    async with opened("--rate", "0.001", "--burst", "11", "--admin-port", "0") as house:

        async def received() -> float:
            return (await house.metrics())["parlour_received_total"]

        async with dialling(house) as eve:
            await eve.send_raw(b"\xff\xf1" * 256 * 10 + b"LOGIN Eve\nMSG too late\n")
            await eve.hears("OK")
            assert await received() == 10 + 2
        async with web_user(house, "Bob") as bob:
            for _ in range(11):
                await (await bob.websocket.ping())
            assert await received() == 12 + 1 + 11
            too_late = await bob.websocket.ping()
            pong, _ = await asyncio.wait([asyncio.ensure_future(too_late)], timeout=0.3)
            assert not pong
            bob.abort()
        assert (await house.metrics())["parlour_messages_total"] == 0
