"""Ignoring a person, on this device."""

import pytest
from playwright.async_api import expect

from tests.browser.guest import PHONE, Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_what_an_ignored_person_says_is_hidden_and_comes_back(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy, command_user(server, "Di") as di:
        await ann.sees("Cy, Di joined the room")
        await cy.send("MSG before")
        await ann.sees("before")
        await ann.types("/ignore cy")
        await ann.sees("You ignore cy; /unignore cy ends that.")
        await ann.sees("before", times=0)
        await ann.joins("#tea")
        await cy.send("MSG Ann, hear me", "DM Ann psst", "PING")
        await cy.until("PONG")
        await di.send("MSG hello")
        await ann.link("#general", unread=1).wait_for()  # Di's
        await expect(ann.link("#general").locator(".mentions")).to_have_count(0)
        await expect(ann.rooms.get_by_role("link")).to_have_count(2)  # no conversation with Cy
        await ann.opens_settings()
        await expect(ann.settings.get_by_role("listitem")).to_contain_text("cy")
        await ann.page.reload()
        await ann.is_connected()
        await ann.link("#general", unread=1).click()
        await ann.sees("hello")
        await ann.sees("before", "Ann, hear me", times=0)
        await ann.types("/ignore")
        await ann.sees("You ignore cy.")
        await ann.types("/unignore Cy")
        await ann.sees("You do not ignore Cy.")
        await ann.sees("before", "Ann, hear me")
        await ann.types("/ignore")
        await ann.sees("You ignore nobody.")
        await ann.types("/ignore ann")
        await ann.is_told("That is you.")


async def test_a_button_beside_the_name_ignores_and_the_settings_undo_it(
    server: Server, guests: Guests
) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    await bo.says("a word")
    await ann.sees("a word")
    button = ann.people.get_by_role("button", name="Ignore Bo", exact=True)
    await expect(button).to_have_attribute("aria-pressed", "false")
    await button.focus()  # a keyboard is enough
    await ann.page.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-pressed", "true")
    await expect(button).to_be_focused()
    await ann.sees("a word", times=0)
    await bo.message.press_sequentially("hm")
    await expect(ann.page.locator("#typing")).to_be_empty()
    await ann.opens_settings()
    await ann.settings.get_by_role("button", name="Unignore Bo", exact=True).click()
    await ann.sees("a word")
    await expect(button).to_have_attribute("aria-pressed", "false")


async def test_on_a_phone_the_button_is_always_there(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann", PHONE)
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG a word")
        await ann.sees("a word")
        await ann.page.get_by_role("button", name="Show people", exact=True).tap()
        button = ann.people.get_by_role("button", name="Ignore Cy", exact=True)
        await expect(button).to_have_css("opacity", "1")
        await button.tap()
        await expect(button).to_have_attribute("aria-pressed", "true")
        await expect(ann.people).to_be_visible()
        await ann.sees("a word", times=0)


async def test_a_search_does_not_find_what_an_ignored_person_said(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy, command_user(server, "Di") as di:
        await cy.send("MSG needle one")
        await di.send("MSG needle two")
        await ann.sees("needle one", "needle two")
        await ann.types("/ignore Cy")
        await ann.page.keyboard.press("Control+k")
        await ann.page.keyboard.type("needle")
        await ann.finder.get_by_role("button", name="Di: needle two").wait_for()
        await expect(ann.finder.get_by_role("button", name="Cy: needle one")).to_have_count(0)


async def test_what_is_chosen_in_one_tab_holds_in_the_others(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    bo = await guests.another_tab(await ann.page.context.new_page(), page_of(server))
    await bo.enters("Bo")
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG a word")
        await ann.sees("a word")
        await bo.sees("a word")
        await ann.types("/ignore Cy")
        await bo.sees("a word", times=0)


async def test_who_reads_higher_up_stays_there_when_what_is_read_is_hidden(
    server: Server, guests: Guests
) -> None:
    """Even when the words at the edge of what is in the page, 160 rows before the end, are theirs."""
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy, command_user(server, "Di") as di:
        await ann.sees("Cy, Di joined the room")
        for start in range(100, 700, 20):
            await cy.send(*(f"MSG m{n}" for n in range(start, start + 10)), "PING")
            await cy.until("PONG")
            await di.send(*(f"MSG m{n}" for n in range(start + 10, start + 20)), "PING")
            await di.until("PONG")
        await ann.sees("m699")
        assert (await ann.reads(r"\bm\d+"))[:2] == ["m540", "m541"]
        place = ann.log.get_by_text("m655", exact=True)
        await place.evaluate("node => node.scrollIntoView()")
        await expect(ann.page.get_by_role("button", name="Jump to newest", exact=True)).to_be_visible()
        await ann.people.get_by_role("button", name="Ignore Cy", exact=True).click()
        await ann.sees("m640", times=0)
        await expect(place).to_be_in_viewport()
