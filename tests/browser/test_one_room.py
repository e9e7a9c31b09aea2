"""Two tabs and a netcat in one room."""

import asyncio

import pytest

from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import plain_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_two_tabs_and_a_netcat_hear_each_other_and_themselves_once(
    server: Server, guests: Guests
) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    await ann.sees("Bo joined the room")
    async with plain_user(server, "Pat") as pat:
        await ann.sees("Bo, Pat joined the room")
        await bo.sees("Pat joined the room")
        await ann.says("one, from Ann")
        await bo.sees("one, from Ann")
        await bo.says("two, from Bo")
        await pat.is_told("Ann: one, from Ann", "Bo: two, from Bo")
        await pat.send("three, from Pat")
        for tab in (ann, bo):
            await tab.sees("three, from Pat")
            assert await tab.reads(r"\w+, from \w+") == ["one, from Ann", "two, from Bo", "three, from Pat"]
        await pat.send("/quit")
        await pat.is_told("Bye.")
    for tab in (ann, bo):
        await tab.sees("Pat left the chat")
        await tab.sees("three, from Pat")
    await bo.page.close()
    await ann.sees("Pat, Bo left the chat")
    await ann.finds_here("Ann you")


async def test_what_is_said_at_the_same_time_has_one_order_for_all(server: Server, guests: Guests) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    numbers = range(20, 30)
    async with plain_user(server, "Pat") as pat, plain_user(server, "Quin") as quin:
        await pat.is_told("Quin has joined the chat.")
        await asyncio.gather(
            ann.says(*(f"A{n}" for n in numbers)),
            bo.says(*(f"B{n}" for n in numbers)),
            pat.send(*(f"P{n}" for n in numbers)),
        )
        order = [(await quin.line()).rpartition(" ")[2] for _ in range(30)]
        for tab in (ann, bo):
            await tab.sees(*order)
            assert await tab.reads(r"\b[ABP]\d\d\b") == order
