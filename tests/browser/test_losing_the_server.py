"""The server ends in mid-conversation and is started again on the same ports."""

import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.cable import cable
from tests.browser.chromium import NO_NETWORK, Watch
from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import netcat, plain_user, plain_welcome
from tests.e2e.programs import Program
from tests.e2e.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


@asynccontextmanager
async def serving_from(data: str | Path, like: Server | None = None) -> AsyncIterator[Server]:
    """A server that keeps its messages there, on the ports of an earlier one."""
    ports = ("--tcp-port", str(like.tcp_port), "--web-port", str(like.web_port)) if like else ()
    async with serving("--rate", "0", "--data", str(data), *ports) as server:
        yield server


async def is_killed(server: Server) -> None:
    """With signal 9: no time for last words."""
    server.program.process.kill()
    assert await server.program.exited() == -signal.SIGKILL


@asynccontextmanager
async def plain_user_again(server: Server, name: str, *history: str) -> AsyncIterator[Program]:
    """As `plain_user`, into a room where this was said."""
    async with netcat(server) as user:
        await user.send(name)
        await user.is_told(*(f"(history) {said}" for said in history), *plain_welcome(name))
        yield user


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed(
    guests: Guests, watch: Watch, tmp_path: Path
) -> None:
    watch.allow(NO_NETWORK)
    file = tmp_path / "parlour.db"
    async with serving_from(file) as first, cable(first.web_port) as line:
        ann = await guests.enter(line.url, "Ann")  # who will be back last
        bo = await guests.enter(page_of(first), "Bo")
        await bo.joins("#tea")
        await ann.joins("#tea")
        await bo.sees("Ann joined the room")
        await bo.opens("#general")
        await ann.opens("#general")
        async with plain_user(first, "Pat") as pat:
            await pat.send("m1")
            await ann.sees("m1")
            await ann.says("m2")
            await bo.sees("m2")
            await bo.says("m3")
            await pat.is_told("Ann: m2", "Bo: m3")
            await ann.sees("m3")

            await is_killed(first)
            line.cut()
            await ann.is_cut_off()
            await bo.is_cut_off()
            await bo.types("m4")
            await ann.types("m6")
            for tab in (ann, bo):
                await expect(tab.unsent).to_have_count(1)

        async with serving_from(file, first) as second:
            await bo.connects_again()
            await bo.has_sent_everything()
            async with plain_user_again(second, "Pat", "Pat: m1", "Ann: m2", "Bo: m3", "Bo: m4") as pat:
                await pat.send("m5")
                await bo.sees("m5")
                await bo.opens("#tea")
                await bo.says("t1")
                await bo.opens("#general")

                await ann.sees("m6")
                await ann.sees("m4", "m5", times=0)
                line.mend()
                await ann.connects_again()
                await ann.sees("m4", "m5", "m6")
                await ann.says("m7")
                await pat.is_told("Ann has joined the chat.", "Ann: m6", "Ann: m7")
                await bo.sees("m7")
                for tab in (ann, bo):
                    assert await tab.reads(r"\bm\d\b") == ["m1", "m2", "m3", "m4", "m5", "m6", "m7"]
                await ann.finds_here("Ann you", "Bo", "Pat")
                await bo.finds_here("Ann", "Bo you", "Pat")
                await ann.link("#tea", unread=1).click()
                await ann.sees("t1")


async def test_a_message_whose_answer_died_with_the_server_is_said_once(
    guests: Guests, watch: Watch, tmp_path: Path
) -> None:
    watch.allow(NO_NETWORK)
    file = tmp_path / "parlour.db"
    async with serving_from(file) as first, cable(first.web_port) as line:
        ann = await guests.enter(line.url, "Ann")
        async with plain_user(first, "Pat") as pat:
            line.muffle()
            await ann.types("m1")
            await pat.is_told("Ann: m1")  # so it is stored
            await is_killed(first)
        await ann.is_cut_off()
        await expect(ann.unsent).to_have_count(1)
        async with serving_from(file, first) as second:
            line.mend()
            await ann.connects_again()
            await ann.has_sent_everything()
            await ann.says("m2")
            assert await ann.reads(r"\bm\d\b") == ["m1", "m2"]
            async with plain_user_again(second, "Pat", "Ann: m1", "Ann: m2"):
                pass


async def test_a_restart_is_announced_and_the_page_comes_back_by_itself(
    guests: Guests, watch: Watch, tmp_path: Path
) -> None:
    watch.allow(NO_NETWORK)
    file = tmp_path / "parlour.db"
    async with serving_from(file) as first:
        ann = await guests.enter(page_of(first), "Ann")
        await ann.says("m1")
        await first.stops()
        await expect(ann.status).to_have_text(re.compile(r"^Reconnecting.*\(the server is restarting\)$"))
        async with serving_from(file, first):
            await ann.is_connected()
            await ann.says("m2")
            assert await ann.reads(r"\bm\d\b") == ["m1", "m2"]


async def test_a_server_that_kept_nothing_is_told_apart(guests: Guests, watch: Watch) -> None:
    watch.allow(NO_NETWORK)
    async with serving_from("memory") as first:
        ann = await guests.enter(page_of(first), "Ann")
        await ann.joins("#tea")
        await ann.says("m1")
        await is_killed(first)
        await ann.is_cut_off()
        await ann.types("m2")
        async with serving_from("memory", first):
            await ann.connects_again()
            await ann.sees("The server has started anew; what was said before is not kept.")
            await ann.has_sent_everything()
            await ann.is_in("#tea")
            await ann.says("m3")
            assert await ann.reads(r"\bm\d\b") == ["m2", "m3"]
