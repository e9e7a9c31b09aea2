"""Direct messages."""

import pytest
from playwright.async_api import expect

from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.programs import Program
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_direct_messages_pass_both_ways_and_stay_between_the_two(
    server: Server, guests: Guests
) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    async with command_user(server, "Cy") as cy:
        await ann.people.get_by_role("button", name="Bo", exact=True).click()
        await ann.is_in("Bo")
        await ann.says("psst, Bo")
        await bo.link("Ann", unread=1).click()
        await bo.is_in("Ann")
        await bo.sees("psst, Bo")
        await bo.says("what is it?")
        await ann.sees("what is it?")
        assert await ann.reads("psst, Bo|what is it") == ["psst, Bo", "what is it"]
        await bo.opens("#general")
        await bo.says("nothing")
        await bo.sees("psst, Bo", "what is it?", times=0)
        await cy.hears("MSG Bo nothing")  # and nothing before it


async def test_direct_messages_pass_between_the_page_and_a_netcat(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await ann.sees("Cy joined the room")
        await ann.types("/msg cy hello there")
        await ann.is_in("Cy")  # as Cy writes it
        await ann.sees("hello there")
        await cy.hears("DM Ann hello there")
        await cy.send("DM ann hello back")
        await ann.sees("hello there", "hello back")
        await expect(ann.rooms.get_by_role("link")).to_have_count(2)
        await ann.types("/dm nobody hello")
        await ann.is_in("nobody")
        await ann.sees("hello")
        await expect(ann.log).to_contain_text("Not sent. Nobody of that name is here.")
        await ann.page.get_by_role("button", name="Close", exact=True).click()
        await expect(ann.link("nobody")).to_have_count(0)


async def take_over(eve: Program, bob: Program) -> None:
    """Bob has another name and Eve has his, in rooms where nobody else is told of it."""
    for person, nick in ((bob, "Rob"), (eve, "Bob")):
        await person.send(f"JOIN #{nick}", f"NICK {nick}")
        await person.until("OK nick-changed")


async def test_who_takes_the_name_of_another_is_not_told_what_was_meant_for_that_one(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Bob") as bob, command_user(server, "Eve") as eve:
        await ann.sees("Bob, Eve joined the room")
        await ann.types("/msg Bob hello")
        await bob.until("DM Ann hello")
        await take_over(eve, bob)
        await ann.types("the key is under the mat")
        await expect(ann.log).to_contain_text("Not sent. Whoever is called Bob now came in anew")
        await eve.send("PING")
        await eve.hears("PONG")
        await ann.log.get_by_role("button", name="Retry", exact=True).click()
        await eve.hears("DM Ann the key is under the mat")
        await ann.has_sent_everything()
        await ann.says("well")
        await eve.hears("DM Ann well")


async def test_a_conversation_that_was_closed_is_with_the_same_person_again(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Bob") as bob, command_user(server, "Eve") as eve:
        await ann.sees("Bob, Eve joined the room")
        await ann.types("/msg Bob hello")
        await bob.until("DM Ann hello")
        await ann.page.get_by_role("button", name="Close", exact=True).click()
        await take_over(eve, bob)
        await eve.send("DM Ann me again")
        await ann.link("Bob", unread=1).click()
        await ann.sees("hello", "me again")
        await ann.types("the key is under the mat")
        await expect(ann.log).to_contain_text("Not sent. Whoever is called Bob now came in anew")
        await eve.send("PING")
        await eve.hears("PONG")


async def test_a_direct_conversation_says_whether_the_other_one_is_here(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy"):
        await ann.sees("Cy joined the room")
        await ann.types("/msg Cy hello")
        await ann.finds_here("Ann you", "Cy")
    await ann.sees("Cy left the chat")
    await ann.finds_here("Ann you")
    await ann.types("/who")
    await ann.sees("In Cy: Ann")
    await ann.page.reload()
    await ann.is_connected()
    await ann.finds_here("Ann you")
    async with command_user(server, "cy") as cy:
        await ann.finds_here("Ann you", "cy")
        await cy.send("NICK Zoe")
        await ann.finds_here("Ann you", "Zoe")
        await expect(ann.message).to_have_attribute("placeholder", "Message Zoe")
    await ann.types("/msg Nobody")
    await ann.finds_here("Ann you")
