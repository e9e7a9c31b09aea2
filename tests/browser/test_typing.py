"""Who is typing."""

import pytest
from playwright.async_api import Locator, expect

from tests.browser.guest import Guest, Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def line(guest: Guest) -> Locator:
    return guest.page.locator("#typing")


async def test_the_others_see_who_types_until_it_is_said(server: Server, guests: Guests) -> None:
    ann, bo, cy = await guests.enter_all(page_of(server), "Ann", "Bo", "Cy")
    log = await ann.log.bounding_box()
    await bo.message.press_sequentially("well")
    await expect(line(ann)).to_have_text("Bo is typing…")
    await expect(line(bo)).to_be_empty()
    await cy.message.press_sequentially("I")
    await expect(line(ann)).to_have_text("Bo and Cy are typing…")
    assert await ann.log.bounding_box() == log  # nothing moves
    assert await line(ann).evaluate("node => !node.closest('[role=log], [aria-live], [role=status]')")
    await bo.message.press("Enter")
    await ann.sees("well")
    await expect(line(ann)).to_have_text("Cy is typing…")
    await cy.message.fill("")
    await expect(line(ann)).to_be_empty()  # 6 s later


async def test_typing_belongs_to_its_room_and_is_told_every_3_s_at_most(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    bo = await guests.visit(page_of(server))
    sent: list[str] = []
    bo.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    await bo.enters("Bo")
    await ann.joins("#tea")
    await bo.message.press_sequentially("/nick Bob")  # a command is nobody's concern
    await bo.message.fill("")
    await bo.message.press_sequentially("a long story")
    await ann.opens("#general")
    await expect(line(ann)).to_have_text("Bo is typing…")
    await ann.opens("#tea")
    await expect(line(ann)).to_be_empty()
    assert len([frame for frame in sent if "typing" in frame]) == 1


async def test_who_does_not_want_it_neither_tells_nor_sees_it(server: Server, guests: Guests) -> None:
    ann, bo, cy = await guests.enter_all(page_of(server), "Ann", "Bo", "Cy")
    await ann.opens_settings()
    choice = ann.settings.get_by_role("checkbox", name="Show who is typing, and that I am")
    await expect(choice).to_be_checked()
    await choice.uncheck()
    await ann.page.reload()
    await ann.is_connected()
    await ann.opens_settings()
    await expect(choice).not_to_be_checked()
    await ann.page.keyboard.press("Escape")
    await ann.message.press_sequentially("psst")
    await bo.message.press_sequentially("hm")
    await expect(line(cy)).to_have_text("Bo is typing…")  # and not Ann, who began earlier
    await expect(line(ann)).to_be_empty()


@pytest.mark.network
async def test_typing_is_not_stored(server: Server, guests: Guests) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    await bo.message.press_sequentially("hm")
    await expect(line(ann)).to_have_text("Bo is typing…")
    async with command_user(server, "Cy") as cy:
        await cy.send("HISTORY")
        await cy.hears("INFO --- End of History ---")
    await ann.page.reload()
    await ann.is_connected()
    await expect(line(ann)).to_be_empty()
