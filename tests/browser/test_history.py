"""What was said before."""

import pytest
from playwright.async_api import expect

from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import command_user
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


async def test_older_messages_come_by_the_button_in_order_and_once(server: Server, guests: Guests) -> None:
    texts = [f"m{n}" for n in range(100, 220)]
    async with command_user(server, "Cy") as cy:
        await cy.send(*(f"MSG {text}" for text in texts), "PING")
        await cy.hears("PONG")
        ann = await guests.enter(page_of(server), "Ann")
        older = ann.page.get_by_role("button", name="Load older messages", exact=True)
        await ann.sees("m219")
        assert await ann.reads(r"\bm\d+") == texts[70:]
        await ann.says("m220")
        await older.click()
        await ann.sees("m120")
        assert await ann.reads(r"\bm\d+") == [*texts[20:], "m220"]
        await cy.send("MSG m221")
        await older.click()
        await ann.sees("m100", "m221")
        assert await ann.reads(r"\bm\d+") == [*texts, "m220", "m221"]
        await expect(older).not_to_be_visible()


async def test_history_that_is_asked_for_again_is_shown_once(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.says("m1", "m2", "m3")
    await ann.types("/history 2")
    await ann.types("/who")
    await ann.sees("In #general: Ann")
    await ann.types("/history 50")
    await ann.types("/whosonline")
    await ann.sees("Online users: Ann")
    assert await ann.reads(r"\bm\d\b") == ["m1", "m2", "m3"]


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
