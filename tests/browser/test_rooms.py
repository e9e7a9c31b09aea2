"""Rooms: in, out, who is there, and what was said while one looked elsewhere."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.cable import cable
from tests.browser.chromium import NO_NETWORK, Watch
from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_a_room_is_joined_by_ctrl_k_or_by_slash_join_and_left_again(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await cy.send("JOIN #tea")
        await cy.hears("OK joined #tea")
        await ann.joins("#tea")
        await ann.says("milk?")
        await cy.hears("INFO Ann joined the room", "MSG Ann milk?")
        await ann.types("/leave")
        await ann.is_in("#general")
        await expect(ann.link("#tea")).to_have_count(0)
        await cy.hears("INFO Ann left the room")
        await ann.types("/JOIN #tea")
        await ann.is_in("#tea")
        await cy.hears("INFO Ann joined the room")
        await ann.page.get_by_role("button", name="Leave", exact=True).click()
        await ann.is_in("#general")
        await cy.hears("INFO Ann left the room")


async def test_a_name_that_is_no_room_is_told(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    rule = "A room is # and 1 to 63 of: letters, digits, - and _."
    for room in ("two words", "ärger", "x" * 64):
        await ann.types(f"/join {room}")
        await ann.is_told(rule)
        await ann.says(f"not {room}")
        await ann.is_told_nothing()
    await ann.types("/leave #nowhere")
    await ann.is_told("You are not in that room.")
    await expect(ann.rooms.get_by_role("link")).to_have_count(1)


async def test_who_has_left_the_last_room_can_go_to_another(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.types("/leave")
    await expect(ann.rooms.get_by_role("link")).to_have_count(0)
    await ann.types("is anyone here?")
    await ann.is_told("Join a room first.")
    await expect(ann.message).to_have_value("is anyone here?")
    await ann.types("/join tea")
    await ann.is_in("#tea")
    await ann.says("here, perhaps")


async def test_what_is_said_in_another_room_is_counted_until_it_is_read(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.joins("#tea")
    await ann.opens("#general")
    async with command_user(server, "Cy") as cy:
        await ann.sees("Cy joined the room")
        await cy.send("MSG here", "JOIN #tea", "MSG one", "MSG two")
        await ann.sees("here")
        await expect(ann.link("#tea", unread=2)).to_be_visible()
        await expect(ann.link("#general")).to_be_visible()
        await expect(ann.page).to_have_title(re.compile(r"^\(2\)"))
        await ann.link("#tea", unread=2).click()
        await ann.is_in("#tea")
        await ann.sees("one", "two")
        await ann.sees("here", times=0)
        await expect(ann.link("#tea")).to_be_visible()
        await expect(ann.page).to_have_title(re.compile(r"^#tea"))


async def test_who_is_here_follows_those_who_come_go_and_change_their_name(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.finds_here("Ann you")
    async with command_user(server, "Cy") as cy, command_user(server, "Di") as di:
        await cy.hears("INFO Di connected")
        await ann.finds_here("Ann you", "Cy", "Di")
        await cy.send("NICK Zoe")
        await cy.hears("OK nick-changed")
        await ann.sees("Cy is now known as Zoe")
        await ann.finds_here("Ann you", "Di", "Zoe")
        await di.send("JOIN #tea")
        await ann.sees("Di left the room")
        await ann.finds_here("Ann you", "Zoe")
        await ann.joins("#tea")
        await ann.finds_here("Ann you", "Di")
    await ann.sees("Di left the chat")
    await ann.finds_here("Ann you")
    await ann.opens("#general")
    await ann.sees("Zoe left the chat")
    await ann.finds_here("Ann you")


async def test_a_topic_is_shown_to_everyone_in_the_room_and_kept(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    topic = ann.page.locator("#topic")
    async with command_user(server, "Cy") as cy:
        await ann.sees("Cy joined the room")
        await ann.types("/topic <b>tea</b> or coffee?")
        await expect(topic).to_have_text("<b>tea</b> or coffee?")
        await cy.hears("INFO Ann changed the topic: <b>tea</b> or coffee?")
        await cy.send("TOPIC coffee it is", "TOPIC")
        await cy.hears("OK topic-changed", "INFO topic: coffee it is")
        await expect(topic).to_have_text("coffee it is")
        await ann.sees("Cy changed the topic: coffee it is")
        await ann.joins("#tea")
        await expect(topic).to_have_text("")
        bo = await guests.enter(page_of(server), "Bo")
        await expect(bo.page.locator("#topic")).to_have_text("coffee it is")
        await bo.types("/topic -")
        await expect(bo.page.locator("#topic")).to_have_text("")
        await cy.hears("INFO Bo connected", "INFO Bo took the topic away")


async def test_what_is_typed_right_after_a_join_goes_to_the_new_room(
    server: Server, guests: Guests, watch: Watch
) -> None:
    """Even before the server has answered."""
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line, command_user(server, "Cy") as cy:
        ann = await guests.enter(line.url, "Ann")
        await cy.hears("INFO Ann connected")
        line.muffle()
        await ann.types("/join #tea")
        await ann.types("is there any left?")
        await ann.is_in("#tea")
        await ann.sees("is there any left?")
        await cy.send("JOIN #tea", "HISTORY")
        await cy.until(".*Ann is there any left.*")


async def test_a_double_click_on_leave_leaves_one_room(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.joins("#tea")
    await ann.joins("#python")
    await ann.page.get_by_role("button", name="Leave", exact=True).dblclick()
    await ann.is_in("#tea")
    await expect(ann.link("#python")).to_have_count(0)
    await ann.says("still here")
    await expect(ann.link("#tea")).to_have_count(1)
    await expect(ann.link("#general")).to_have_count(1)


async def test_the_open_conversation_is_always_in_sight_in_the_list(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann", {"viewport": {"width": 1000, "height": 400}})
    for n in range(12):
        await ann.types(f"/join #room-{n}")
        await ann.is_in(f"#room-{n}")
    await expect(ann.link("#room-11")).to_be_in_viewport(ratio=1)
    await expect(ann.link("#room-10")).not_to_be_in_viewport()
    await ann.types("/msg Bo")
    await ann.is_in("Bo")
    await expect(ann.link("Bo")).to_be_in_viewport(ratio=1)
    await ann.opens("#general")
    await ann.link("Bo").scroll_into_view_if_needed()
    await expect(ann.link("Bo")).to_be_in_viewport()
    await expect(ann.link("#general")).to_be_in_viewport(ratio=1)
