"""Reloading, links into the chat, back and forward."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.cable import cable
from tests.browser.chromium import NO_NETWORK, Watch
from tests.browser.guest import Guest, Guests, page_of
from tests.e2e.netcat import command_user, plain_user
from tests.e2e.programs import Program
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.network
async def test_a_reloaded_page_is_the_same_person_in_the_same_rooms(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with plain_user(server, "Pat") as pat:
        await ann.says("m1")
        await pat.send("m2")
        await ann.sees("m2")
        await ann.joins("#tea")
        await ann.says("t1")
        await ann.page.reload()
        await ann.is_connected()
        await ann.is_in("#tea")
        await ann.says("t2")
        assert await ann.reads(r"\bt\d\b") == ["t1", "t2"]
        await ann.opens("#general")
        await ann.says("m3")
        await pat.until(".*Ann: m3")
        await pat.send("m4")
        await ann.sees("m4")
        assert await ann.reads(r"\bm\d\b") == ["m1", "m2", "m3", "m4"]
        await ann.finds_here("Ann you", "Pat")


@pytest.mark.network
async def test_what_was_not_answered_and_what_was_not_sent_survive_a_reload_and_are_said_once(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line, plain_user(server, "Pat") as pat:
        ann = await guests.visit(line.url)
        await ann.waits_long_between_attempts()
        await ann.enters("Ann")
        line.muffle()
        await ann.types("m1")
        await pat.is_told("Ann has joined the chat.", "Ann: m1")
        line.cut()
        await ann.is_cut_off()
        await ann.types("m2")
        await expect(ann.unsent).to_have_count(2)
        line.mend()
        await ann.page.reload()
        await ann.is_connected()
        await ann.sees("m1", "m2")
        await ann.says("m3")
        assert await ann.reads(r"\bm\d\b") == ["m1", "m2", "m3"]
        await pat.is_told("Ann: m2", "Ann: m3")


@pytest.mark.network
async def test_what_was_written_offline_to_somebody_outlives_a_closed_conversation_and_a_reload(
    server: Server, guests: Guests, watch: Watch
) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line:
        bo = await guests.enter(page_of(server), "Bo")
        ann = await guests.visit(line.url)
        await ann.waits_long_between_attempts()
        await ann.enters("Ann")
        line.cut()
        await ann.is_cut_off()
        await ann.types("/msg Bo are you there?")
        await ann.is_in("Bo")
        await ann.page.get_by_role("button", name="Close", exact=True).click()
        await ann.is_in("#general")
        line.mend()
        await ann.page.reload()
        await ann.is_connected()
        await bo.link("Ann", unread=1).click()
        await bo.sees("are you there?")


async def test_a_link_to_a_room_opens_it(server: Server, guests: Guests) -> None:
    ann = await guests.visit(page_of(server) + "#/room/Python")
    await ann.enters("Ann")
    await ann.is_in("#python")
    await expect(ann.link("#general")).to_be_visible()
    await ann.page.goto(page_of(server) + "#/room/tea")
    await ann.is_in("#tea")
    await ann.page.goto(page_of(server) + "#/with/Bo")
    await ann.is_in("Bo")


async def test_a_link_to_nowhere_leads_to_the_first_room(server: Server, guests: Guests) -> None:
    ann = await guests.visit(page_of(server) + "#/room/no such room")
    await ann.enters("Ann")
    await ann.is_in("#general")
    await expect(ann.page).to_have_url(page_of(server) + "#/room/general")


async def test_back_and_forward_go_through_the_rooms(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.joins("#tea")
    await ann.joins("#python")
    await expect(ann.page).to_have_url(re.compile("#/room/python$"))
    await ann.page.go_back()
    await ann.is_in("#tea")
    await ann.page.go_back()
    await ann.is_in("#general")
    await ann.page.go_forward()
    await ann.is_in("#tea")
    await expect(ann.page).to_have_url(re.compile("#/room/tea$"))
    await ann.says("here again")
    await ann.page.go_forward()
    await ann.is_in("#python")
    await ann.sees("here again", times=0)


async def leaves_and_goes_back(ann: Guest, cy: Program, words: str) -> None:
    """From #tea, where Cy is; what Ann says then, she says in #general."""
    await cy.hears("INFO Ann joined the room")
    await ann.types("/leave")
    await ann.is_in("#general")
    await cy.hears("INFO Ann left the room")
    await ann.page.go_back()
    await expect(ann.page).to_have_url(re.compile("#/room/general$"))
    await ann.says(words)
    await ann.is_in("#general")
    await expect(ann.link("#tea")).to_have_count(0)


@pytest.mark.network
async def test_back_does_not_join_a_room_again_that_was_left(server: Server, guests: Guests) -> None:
    async with command_user(server, "Cy") as cy:
        await cy.send("JOIN #tea")
        await cy.hears("OK joined #tea")
        ann = await guests.enter(page_of(server), "Ann")
        await ann.joins("#tea")
        await leaves_and_goes_back(ann, cy, "still here")
        await ann.page.goto(page_of(server) + "#/room/tea")
        await ann.is_in("#tea")
        await leaves_and_goes_back(ann, cy, "here once more")


async def test_back_does_not_open_a_conversation_by_a_former_name(server: Server, guests: Guests) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    await ann.types("/msg Bo hello")
    await ann.is_in("Bo")
    await ann.opens("#general")
    await bo.types("/nick Bob")
    await expect(ann.link("Bob")).to_be_visible()
    await ann.page.go_back()
    await expect(ann.page).to_have_url(re.compile("#/room/general$"))
    await ann.is_in("#general")
    await expect(ann.link("Bo")).to_have_count(0)
