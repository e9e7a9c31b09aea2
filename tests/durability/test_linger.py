"""Who is told that somebody left, and when: with each way in which a connection ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.clients import LineClient, WebClient
from tests.durability.breaking import (
    LineEnd,
    PageEnd,
    line_is_closed,
    line_resets,
    page_hangs_up,
    page_is_closed,
    page_is_killed,
    page_quits,
    page_resets,
)
from tests.e2e.server import Server, serving

LONG: tuple[str, ...] = ("--linger", "60")
"""Longer than any test waits: who is told, is told at once."""
SHORT: tuple[str, ...] = ("--linger", "0.2")


@asynccontextmanager
async def lingering(*options: str, data: str = "memory") -> AsyncIterator[Server]:
    async with serving("--data", data, "--rate", "0", *options) as server:
        yield server


@pytest.mark.parametrize("ends", [page_resets, page_is_killed])
async def test_nobody_notices_a_broken_connection_that_is_back_in_time(ends: PageEnd) -> None:
    async with (
        lingering(*LONG) as server,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
        LineClient(server.tcp_port, "LOGIN Cas") as cas,
        WebClient(server.web_port) as again,
    ):
        await bob.expect("joined", nick="Cas")
        await ends(ann)
        await server.logs("Closed connection")
        assert (await again.call("resume", token=ann.welcome["token"], after=0))["type"] == "resumed"
        await bob.hears_nothing()
        await cas.hears_nothing()


async def test_nobody_notices_who_comes_back_before_the_old_connection_is_known_to_be_dead() -> None:
    async with (
        lingering(*LONG) as server,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port) as again,
    ):
        await again.call("resume", token=ann.welcome["token"], after=0)
        await server.logs("Closed connection")
        await bob.hears_nothing()


@pytest.mark.parametrize("ends", [page_resets, page_is_killed])
async def test_who_does_not_come_back_is_gone_once(ends: PageEnd) -> None:
    async with (
        lingering(*SHORT) as server,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
        LineClient(server.tcp_port, "LOGIN Cas") as cas,
    ):
        await bob.expect("joined", nick="Cas")
        await ann.call("join", room="#tea")
        await bob.call("join", room="#tea")
        await ends(ann)
        await bob.expect("disconnected", nick="Ann")
        await bob.hears_nothing()
        await cas.expect("INFO Ann disconnected")
        await cas.hears_nothing()
        async with WebClient(server.web_port) as again:
            answer = await again.call("resume", token=ann.welcome["token"], after=0)
            assert set(answer["rooms"]) == {"#general", "#tea"}
            assert {(await bob.expect("joined", nick="Ann"))["room"] for _ in range(2)} == set(
                answer["rooms"]
            )
            await cas.expect("INFO Ann connected")


@pytest.mark.parametrize("ends", [page_is_closed, page_hangs_up, page_quits])
async def test_who_closes_the_page_is_gone_at_once(ends: PageEnd) -> None:
    async with (
        lingering(*LONG) as server,
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port, "Ann") as ann,
    ):
        await bob.expect("joined", nick="Ann")
        await ends(ann)
        await bob.expect("disconnected", nick="Ann")
        await bob.hears_nothing()


async def test_a_broken_line_with_a_token_lingers_too() -> None:
    async with (
        lingering(*LONG) as server,
        LineClient(server.tcp_port, "LOGIN Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
        LineClient(server.tcp_port) as again,
    ):
        await ann.expect("INFO Bob connected")
        await ann.send("TOKEN")
        token = (await ann.line()).split()[2]
        await line_resets(ann)
        await server.logs("Closed connection")
        await bob.hears_nothing()
        await again.send(f"RESUME {token}")
        await again.expect("OK resumed Ann 0")
        await bob.hears_nothing()


@pytest.mark.parametrize(
    ("token", "ends"),
    [(False, line_resets), (False, line_is_closed), (True, line_is_closed)],
    ids=["broken without a token", "closed without a token", "closed with a token"],
)
async def test_a_line_that_cannot_or_does_not_want_to_come_back_is_gone_at_once(
    token: bool, ends: LineEnd
) -> None:
    async with (
        lingering(*LONG) as server,
        WebClient(server.web_port, "Bob") as bob,
        LineClient(server.tcp_port, "LOGIN Ann") as ann,
    ):
        await bob.expect("joined", nick="Ann")
        if token:
            await ann.send("TOKEN")
            await ann.line()
        await ends(ann)
        await bob.expect("disconnected", nick="Ann")
        await bob.hears_nothing()


async def test_a_lingering_person_can_be_written_to_and_is_listed() -> None:
    async with (
        lingering(*LONG) as server,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port) as again,
    ):
        await page_resets(ann)
        await server.logs("Closed connection")
        sent = await bob.call("dm", to="Ann", text="for later")
        assert (await bob.call("who", room="#general"))["nicks"] == ["Ann", "Bob"]
        assert (await again.call("resume", token=ann.welcome["token"], after=0))["missed"] == 1
        await again.expect("dm", id=sent["id"], text="for later")


async def test_after_a_restart_nobody_is_there_until_they_are_back(tmp_path: Path) -> None:
    data = str(tmp_path / "parlour.db")
    async with (
        lingering(*LONG, data=data) as server,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
    ):
        await server.stops()
        assert [event["type"] for event in [await bob.next()]] == ["bye"]
    async with (
        lingering(*LONG, data=data) as server,
        WebClient(server.web_port) as bob_again,
        WebClient(server.web_port) as ann_again,
    ):
        await bob_again.call("resume", token=bob.welcome["token"], after=0)
        assert (await bob_again.call("who"))["nicks"] == ["Bob"]
        await ann_again.call("resume", token=ann.welcome["token"], after=0)
        await bob_again.expect("joined", nick="Ann", room="#general")
        await bob_again.hears_nothing()
