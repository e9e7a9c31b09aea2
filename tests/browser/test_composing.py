"""The box one types into."""

import pytest
from playwright.async_api import expect

from tests.browser.guest import Guests, page_of
from tests.e2e.netcat import plain_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.network
async def test_each_line_of_a_text_becomes_a_message(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with plain_user(server, "Pat") as pat:
        await ann.message.press_sequentially("roses")
        await ann.message.press("Shift+Enter")
        await ann.message.press_sequentially("  are red")
        await ann.message.press("Shift+Enter")
        await ann.message.press("Shift+Enter")
        await ann.message.press_sequentially("/quit")
        await expect(ann.message).to_have_value("roses\n  are red\n\n/quit")
        await ann.message.press("Enter")
        await expect(ann.message).to_have_value("")
        await pat.is_told("Ann: roses", "Ann:   are red", "Ann: /quit")
        await ann.sees("roses", "are red", "/quit")


@pytest.mark.network
async def test_a_text_that_is_too_long_is_refused_and_kept(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    async with plain_user(server, "Pat") as pat:
        most = "🫖" * 2000  # characters, whatever number of bytes or code units they are
        await ann.types(most + "!")
        await ann.is_told("This message has 2001 characters, 2000 is the most. Nothing was sent.")
        await expect(ann.message).to_have_value(most + "!")
        await ann.types("fine\n" + "x" * 2001)
        await ann.is_told("Line 2 has 2001 characters, 2000 is the most. Nothing was sent.")
        await ann.sees("fine", times=0)
        await ann.says(most)
        await pat.is_told(f"Ann: {most}")


async def test_nothing_is_sent_by_enter_in_an_empty_box(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.types("   ")
    await ann.types("\n \n")
    await ann.message.fill("by the button")
    await ann.page.get_by_role("button", name="Send", exact=True).click()
    await ann.sees("by the button")
    assert await ann.reads("Ann") == ["Ann"]


async def test_each_conversation_has_a_draft_of_its_own(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.message.fill("for all")
    await ann.joins("#tea")
    await expect(ann.message).to_have_value("")
    await ann.message.fill("for tea")
    await ann.opens("#general")
    await expect(ann.message).to_have_value("for all")
    await ann.opens("#tea")
    await expect(ann.message).to_have_value("for tea")


async def test_what_was_sent_is_no_draft_even_if_it_opened_another_conversation(
    server: Server, guests: Guests
) -> None:
    ann, bo = await guests.enter_all(page_of(server), "Ann", "Bo")
    await ann.types("/msg Bo psst")
    await ann.is_in("Bo")
    await expect(ann.message).to_have_value("")
    await bo.link("Ann", unread=1).wait_for()
    await ann.opens("#general")
    await expect(ann.message).to_have_value("")
    await ann.message.fill("not done yet")
    await ann.opens("Bo")
    await ann.types("/leave")
    await ann.is_in("#general")
    await expect(ann.message).to_have_value("not done yet")
