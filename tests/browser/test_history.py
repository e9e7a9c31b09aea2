"""What was said before."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.guest import Guest, Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.programs import Program
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def test_who_comes_later_reads_what_was_said(server: Server, guests: Guests) -> None:
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG early one", "MSG early two", "JOIN #tea", "MSG early tea", "PING")
        await cy.hears("OK joined #tea", "PONG")
    ann = await guests.enter(page_of(server), "Ann")
    await ann.sees("early one", "early two")
    await ann.says("late three")
    assert await ann.reads(r"(?:early|late) \w+") == ["early one", "early two", "late three"]
    await ann.joins("#tea")
    await ann.sees("early tea")
    await ann.sees("early one", times=0)


async def test_older_messages_come_by_scrolling_up_without_a_jump(server: Server, guests: Guests) -> None:
    texts = [f"m{n}" for n in range(100, 320)]
    async with command_user(server, "Cy") as cy:
        await cy.send(*(f"MSG {text}" for text in texts), "PING")
        await cy.hears("PONG")
        ann = await guests.enter(page_of(server), "Ann")
        await ann.sees("m319")
        assert await ann.reads(r"\bm\d+") == texts[170:]
        await ann.says("m320")
        reading = ann.log.get_by_text("m275", exact=True)
        top = await reading.evaluate("node => (node.scrollIntoView(), node.getBoundingClientRect().top)")
        await ann.sees("m269")
        assert abs(await reading.evaluate("node => node.getBoundingClientRect().top") - top) < 1
        for text in ("m220", "m180", "m120", "m100"):
            await ann.log.get_by_text(text, exact=True).evaluate("node => node.scrollIntoView()")
        await expect(ann.log.get_by_text("m100", exact=True)).to_be_in_viewport()
        read = await ann.reads(r"\bm\d+")
        assert read == [*texts, "m320"][: len(read)]
        await ann.page.get_by_role("button", name="Jump to newest", exact=True).click()
        await expect(ann.log.get_by_text("m320", exact=True)).to_be_in_viewport()
        read = await ann.reads(r"\bm\d+")
        assert read == [*texts, "m320"][-len(read) :]


async def reading_higher_up(server: Server, guests: Guests, cy: Program) -> Guest:
    """Ann, with m105 of m100 to m149 in sight."""
    await cy.send(*(f"MSG m{n}" for n in range(100, 150)), "PING")
    await cy.hears("PONG")
    ann = await guests.enter(page_of(server), "Ann")
    await ann.sees("m149")
    await ann.log.get_by_text("m105", exact=True).evaluate("node => node.scrollIntoView()")
    return ann


async def test_what_comes_while_one_reads_higher_up_is_counted(server: Server, guests: Guests) -> None:
    async with command_user(server, "Cy") as cy:
        ann = await reading_higher_up(server, guests, cy)
        jump = ann.page.get_by_role("button", name=re.compile("^Jump to newest"))
        await expect(jump).to_have_text("Jump to newest")
        await cy.send("MSG m150", "MSG m151")
        await expect(jump).to_have_text("Jump to newest (2 new)")
        await jump.click()
        await expect(jump).not_to_be_visible()
        await expect(ann.log.get_by_text("m151", exact=True)).to_be_in_viewport()


async def test_a_room_where_nothing_was_said_says_so(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    empty = ann.log.get_by_text("Nothing has been said here yet.", exact=True)
    await expect(empty).to_be_visible()
    await ann.says("something")
    await expect(empty).not_to_be_visible()


async def test_the_newest_message_stays_in_sight_unless_one_reads_higher_up(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with command_user(server, "Cy") as cy:
        await ann.sees("Cy joined the room")
        await cy.send(*(f"MSG m{n}" for n in range(100, 160)))
        await expect(ann.log.get_by_text("m159", exact=True)).to_be_in_viewport()
        await expect(ann.log.get_by_text("m100", exact=True)).not_to_be_in_viewport()
        await ann.log.get_by_text("m110", exact=True).scroll_into_view_if_needed()
        await cy.send("MSG m160")
        await ann.sees("m160")
        await expect(ann.log.get_by_text("m110", exact=True)).to_be_in_viewport()
        await expect(ann.log.get_by_text("m160", exact=True)).not_to_be_in_viewport()


async def test_who_says_something_sees_it_wherever_one_was_reading(server: Server, guests: Guests) -> None:
    async with command_user(server, "Cy") as cy:
        ann = await reading_higher_up(server, guests, cy)
        await expect(ann.page.get_by_role("button", name="Jump to newest", exact=True)).to_be_visible()
        await ann.says("here I am")
        await expect(ann.log.get_by_text("here I am", exact=True)).to_be_in_viewport()
