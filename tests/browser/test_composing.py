"""The box one types into."""

from typing import Final

import pytest
from playwright.async_api import expect

from tests.browser.guest import Guest, Guests, page_of
from tests.e2e.netcat import command_user, plain_user
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
        await ann.is_told("That is too long: 2000 characters are the most. Nothing was sent.")
        await expect(ann.message).to_have_value(most + "!")
        await ann.types("fine\n" + "x" * 2001)
        await ann.is_told("Line 2: That is too long: 2000 characters are the most. Nothing was sent.")
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


@pytest.mark.network
async def test_tab_completes_names_from_a_list_where_there_are_several(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    options = ann.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    async with command_user(server, "Cyan"), command_user(server, "Cyril"), command_user(server, "Dora"):
        await ann.finds_here("Ann you", "Cyan", "Cyril", "Dora")
        keys = ann.page.keyboard
        await keys.type("do")
        await keys.press("Tab")
        await expect(ann.message).to_have_value("Dora: ")
        await keys.type("ask cy")
        await keys.press("Tab")
        await expect(options).to_have_text(["Cyan", "Cyril"])
        await expect(ann.message).to_have_attribute("aria-activedescendant", "option-0")
        await keys.press("ArrowDown")
        await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
        await keys.press("Enter")
        await expect(ann.message).to_have_value("Dora: ask Cyril ")
        await expect(options).to_have_count(0)
        await keys.type("#gen")
        await keys.press("Tab")
        await keys.press("Enter")
        await ann.sees("Dora: ask Cyril #general")
        await keys.type("/wh")
        await keys.press("Tab")
        await options.nth(1).click()
        await expect(ann.message).to_have_value("/whosonline ")


async def test_emoji_are_offered_while_one_types_their_name(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    options = ann.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    await ann.message.press_sequentially("well :roc")
    await expect(options).to_have_text(["🚀 :rocket:"])
    await ann.message.press("Escape")
    await expect(options).to_have_count(0)
    await ann.message.press_sequentially("k")
    await expect(options).to_have_count(1)
    await ann.message.press("Enter")
    await expect(ann.message).to_have_value("well 🚀 ")


async def test_up_brings_back_what_one_has_sent(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.says("one", "two")
    for key, text in (("ArrowUp", "two"), ("ArrowUp", "one"), ("ArrowUp", "one"), ("ArrowDown", "two")):
        await ann.message.press(key)
        await expect(ann.message).to_have_value(text)
    await ann.message.press("ArrowDown")
    await expect(ann.message).to_have_value("")
    await ann.message.fill("something else")
    await ann.message.press("ArrowUp")
    await expect(ann.message).to_have_value("something else")


async def paste(guest: Guest, text: str) -> None:
    """As by Ctrl+V: when nobody objects, the text takes the place of the selection."""
    await guest.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    await guest.message.press("Control+v")


async def test_a_long_paste_is_put_in_when_one_has_agreed(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lines = "\n".join(f"line {n}" for n in range(7))
    question = ann.page.get_by_text("Paste 7 lines? Each will be a message of its own.")
    agree = ann.page.get_by_role("button", name="Paste", exact=True)
    decline = ann.page.get_by_role("button", name="Cancel", exact=True)

    await ann.message.fill("before  after")
    await ann.message.evaluate("box => box.setSelectionRange(7, 7)")
    await paste(ann, lines)
    await expect(question).to_be_visible()
    await expect(agree).to_be_focused()
    await expect(ann.message).to_have_value("before  after")
    await decline.click()
    await expect(question).not_to_be_visible()
    await expect(ann.message).to_be_focused()
    await expect(ann.message).to_have_value("before  after")

    await paste(ann, lines)
    await ann.page.keyboard.press("Escape")
    await expect(ann.message).to_be_focused()
    await expect(ann.message).to_have_value("before  after")

    await paste(ann, lines)
    await agree.click()
    await expect(question).not_to_be_visible()
    await expect(ann.message).to_have_value(f"before {lines} after")
    await ann.message.press("Enter")  # and is not asked again
    await ann.sees("before line 0", "line 1", "line 6 after")
    await expect(ann.message).to_have_value("")
    await ann.has_sent_everything()


async def test_a_long_paste_is_for_the_conversation_in_which_it_was_asked(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    question = ann.page.get_by_role("dialog", name="Paste 7 lines? Each will be a message of its own.")
    await ann.joins("#tea")
    await ann.message.fill("before")
    await paste(ann, "\n".join("abcdefg"))
    await question.wait_for()
    await ann.page.go_back()
    await ann.is_in("#general")
    await question.wait_for(state="hidden")
    await expect(ann.message).to_have_value("")
    await ann.opens("#tea")
    await expect(ann.message).to_have_value("before")


async def test_a_short_paste_is_put_in_at_once(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await paste(ann, "one\ntwo\n\n\n\n\nthree")
    await expect(ann.message).to_have_value("one\ntwo\n\n\n\n\nthree")


async def test_what_is_left_is_counted_near_the_limit_and_drafts_outlive_a_reload(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    counter = ann.page.locator("#counter")
    await ann.message.fill("x" * 1800)
    await expect(counter).to_be_empty()
    await ann.message.fill("x" * 1990)
    await expect(counter).to_have_text("10 left")
    height = await ann.message.evaluate("box => box.offsetHeight")
    assert height > 100
    await ann.message.fill("not yet")
    await ann.page.reload()
    await ann.is_connected()
    await expect(ann.message).to_have_value("not yet")


async def test_the_question_about_a_long_paste_is_answered_by_the_keyboard_too(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    agree = ann.page.get_by_role("button", name="Paste", exact=True)
    decline = ann.page.get_by_role("button", name="Cancel", exact=True)
    lines = "\n".join("abcdefg")
    await paste(ann, lines)
    await expect(agree).to_be_focused()
    await ann.page.keyboard.press("Tab")
    await expect(decline).to_be_focused()
    await ann.page.keyboard.press("Shift+Tab")
    await ann.page.keyboard.press("Enter")
    await expect(ann.message).to_have_value(lines)


async def test_who_enters_after_another_does_not_get_what_that_one_sent(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    await ann.says("between us")
    await ann.types("/quit")
    await ann.enters("Bo")
    await ann.message.press("ArrowUp")
    await expect(ann.message).to_have_value("")
    await ann.says("something of my own")
    await ann.message.press("ArrowUp")
    await expect(ann.message).to_have_value("something of my own")


async def test_in_a_low_window_the_suggestions_stay_in_it(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann", {"viewport": {"width": 800, "height": 220}})
    options = ann.page.get_by_role("listbox", name="Suggestions")
    await ann.message.press_sequentially(":co")
    await expect(options.get_by_role("option")).to_have_count(5)
    assert await options.evaluate("list => list.getBoundingClientRect().top") >= 0


async def test_an_emoji_may_be_typed_to_its_end(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    options = ann.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    await ann.message.press_sequentially("well :rocket:")
    await expect(options).to_have_text(["🚀 :rocket:"])
    await ann.message.press("Enter")
    await expect(ann.message).to_have_value("well 🚀 ")


ENTER: Final = """(field, options) => {
  const event = new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true, ...options});
  return !field.dispatchEvent(event);
}"""
"""Whether somebody made use of the key."""


async def test_enter_that_picks_a_candidate_of_an_input_method_sends_nothing(
    server: Server, guests: Guests
) -> None:
    """Safari ends the composition before it tells of the key, and leaves only its code."""
    ann = await guests.enter(page_of(server), "Ann")
    await ann.message.fill("half a sentence")
    for options in ({"isComposing": True}, {"keyCode": 229}):
        assert not await ann.message.evaluate(ENTER, options)
    await expect(ann.message).to_have_value("half a sentence")
    assert await ann.message.evaluate(ENTER, {"keyCode": 13})
    await ann.sees("half a sentence")
