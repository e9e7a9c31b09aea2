"""What is said to everyone: shown wherever one is, and never lost on the way."""

import pytest
from playwright.async_api import expect

from tests.browser.guest import Guests, page_of
from tests.browser.test_alerts import HIDDEN
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_who_is_in_no_room_hears_what_all_hear(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.types("/leave")
    await expect(ann.rooms.get_by_role("link")).to_have_count(0)
    async with command_user(server, "Cy") as cy:
        await cy.send("GMSG fire drill")
        await ann.sees("fire drill")
        await ann.types("/all on my way")
        await cy.hears("GMSG Ann on my way")
        await ann.sees("on my way")


async def test_what_all_heard_behind_ones_back_is_marked_and_survives_a_reload(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.evaluate(HIDDEN, True)
    async with command_user(server, "Cy") as cy:
        await cy.send("GMSG evacuate")
        await ann.link("#general", unread=1).wait_for()
    await ann.page.reload()
    await ann.is_connected()
    await ann.sees("evacuate", "New messages")
    await expect(ann.link("#general")).to_be_visible()
    await ann.page.reload()
    await ann.is_connected()
    await ann.sees("evacuate")


async def test_an_action_for_everyone_says_so_too(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await ann.types("/all /me dances")
        await cy.hears("GMSG Ann /me dances")
        await cy.send("GMSG /me claps")
        await ann.sees("claps")
    assert await ann.reads(r"\* .*(?:dances|claps)") == ["* Ann to everyone dances", "* Cy to everyone claps"]
