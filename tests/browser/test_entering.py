"""The form at the door."""

import json
import re

import pytest
from playwright.async_api import Route, expect

from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.network
async def test_a_name_that_is_taken_is_told_at_the_form_and_another_one_may_be_tried(
    server: Server, guests: Guests
) -> None:
    async with command_user(server, "Ann") as ann:
        guest = await guests.visit(page_of(server))
        await guest.nick.fill("ann")
        await guest.enter.click()
        await expect(guest.entry.get_by_role("alert")).to_have_text(
            "Somebody has that name, or you are in the chat with it in another tab. Please choose another."
        )
        await expect(guest.nick).to_have_accessible_description(re.compile("Somebody has that name"))
        await expect(guest.log).not_to_be_visible()
        await guest.enters("Bo")
        await guest.is_in("#general")
        await guest.finds_here("Ann", "Bo you")
        await ann.hears("INFO Bo connected")


@pytest.mark.network
async def test_another_name_is_typed_over_one_that_is_taken(server: Server, guests: Guests) -> None:
    """As in a second tab, where one's own name stands already."""
    ann = await guests.enter(page_of(server), "Ann")
    other = await guests.another_tab(await ann.page.context.new_page(), page_of(server))
    await expect(other.nick).to_have_value("Ann")
    await other.enter.click()
    await expect(other.entry.get_by_role("alert")).to_contain_text("Somebody has that name")
    await expect(other.nick).to_be_focused()
    await other.page.keyboard.type("Anna")
    await expect(other.nick).to_have_value("Anna")


async def test_a_name_that_cannot_be_one_is_told_at_the_form(server: Server, guests: Guests) -> None:
    guest = await guests.visit(page_of(server))
    alert = guest.entry.get_by_role("alert")
    for nick in ("  ", "9lives", "Ann Lee", "admin", "Ä", "x" * 33):
        await guest.nick.fill(nick)
        await guest.enter.click()
        await expect(alert).to_have_text(
            "A nick begins with a letter; letters, digits, - and _ may follow, 32 at most."
            " A few are reserved."
        )
        await expect(guest.entry).to_be_visible()
    await guest.enters("x" * 32)
    await expect(guest.entry).not_to_be_visible()


async def test_a_page_from_before_an_upgrade_has_its_script_and_its_style_sheet(
    server: Server, guests: Guests
) -> None:
    async def older(route: Route) -> None:
        answer = await route.fetch()
        body, count = re.subn(r"/static/[0-9a-f]{16}/", "/static/0123456789abcdef/", await answer.text())
        assert count == 2
        await route.fulfill(response=answer, body=body)

    ann = await guests.visit("about:blank")
    await ann.page.route(page_of(server), older)
    await ann.page.goto(page_of(server))
    await expect(ann.nick).to_be_focused()
    await expect(ann.page.locator("body")).to_have_css("overflow", "hidden")  # the style sheet is there


async def test_the_name_is_remembered_for_the_next_visit(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    again = await guests.another_tab(await ann.page.context.new_page(), page_of(server))
    await expect(again.nick).to_have_value("Ann")
    stranger = await guests.visit(page_of(server))
    await expect(stranger.nick).to_have_value("")


async def test_two_tabs_of_one_profile_are_two_people(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    bo = await guests.another_tab(await ann.page.context.new_page(), page_of(server))
    await bo.enters("Bo")
    await bo.says("two of us")
    await ann.sees("two of us")
    await ann.finds_here("Ann you", "Bo")


async def test_a_tab_that_was_loaded_while_nobody_looked_may_be_discarded(
    server: Server, guests: Guests
) -> None:
    """Its session is kept before it is shown or left: a browser that is short of memory asks nobody."""
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => true})")
    await ann.page.reload()
    await ann.is_connected()
    await ann.page.wait_for_function("sessionStorage.getItem('parlour.session')")
    kept = json.loads(await ann.page.evaluate("sessionStorage.getItem('parlour.session')"))
    assert kept["nick"] == "Ann"


async def test_a_chat_that_goes_on_in_another_tab_says_so_and_can_be_taken_back(
    server: Server, guests: Guests
) -> None:
    """As when a browser duplicates a tab that nobody looks at, with all that it keeps."""
    ann = await guests.enter(page_of(server), "Ann")
    await ann.says("one of us")
    await ann.page.evaluate("dispatchEvent(new Event('pagehide'))")
    kept = await ann.page.evaluate("sessionStorage.getItem('parlour.session')")
    tab = await ann.page.context.new_page()
    await tab.add_init_script(f"sessionStorage.setItem('parlour.session', {json.dumps(kept)})")
    again = await guests.another_tab(tab, page_of(server))
    await again.is_connected()
    await again.sees("one of us")
    await expect(ann.status).to_have_text("Offline (this chat goes on in another tab)")
    await ann.page.get_by_role("button", name="Use it here", exact=True).click()
    await ann.is_connected()
    await expect(again.status).to_have_text("Offline (this chat goes on in another tab)")
    await ann.says("here again")
    await ann.finds_here("Ann you")
