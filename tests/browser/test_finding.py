"""The dialog "Jump to": rooms, people, and what was said."""

import re
from typing import Final

import pytest
from playwright.async_api import Locator, expect

from tests.browser.cable import cable
from tests.browser.chromium import NO_NETWORK, Watch
from tests.browser.guest import Guest, Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]

SCROLL_DOWN: Final = """async log => {
  log.scrollBy(0, 4000);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}"""


def finder(guest: Guest) -> tuple[Locator, Locator]:
    """The dialog and the box in it."""
    return guest.finder, guest.finder.get_by_role("searchbox", name="Search", exact=True)


async def test_ctrl_k_jumps_to_rooms_and_people(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    dialog, box = finder(ann)
    async with command_user(server, "Cy") as cy:
        await cy.send("JOIN #tea", "TOPIC green or black?")
        await cy.hears("OK joined #tea", "OK topic-changed")
        await ann.page.keyboard.press("Control+k")
        await expect(box).to_be_focused()
        await expect(dialog.get_by_role("button")).to_have_text(
            ["#general 1 here", "#tea 1 here · green or black?", "Ann", "Cy"]
        )
        await ann.page.keyboard.type("green")
        await expect(dialog.get_by_role("button")).to_have_text(
            ["#tea 1 here · green or black?", "#green a new room"]
        )
        await ann.page.keyboard.press("Enter")
        await ann.is_in("#tea")
        await expect(dialog).not_to_be_visible()
        await expect(ann.message).to_be_focused()
        await ann.types("/rooms")
        await expect(box).to_have_value("")
        await ann.page.keyboard.type("cy")
        await expect(dialog.get_by_role("button")).to_have_text(["Cy", "#cy a new room"])
        await ann.page.keyboard.press("ArrowDown")
        await expect(dialog.get_by_role("button", name="Cy", exact=True)).to_be_focused()
        await ann.page.keyboard.press("Enter")
        await ann.is_in("Cy")
        await ann.page.get_by_role("button", name="Jump to").first.click()
        await expect(dialog).to_be_visible()
        await ann.page.keyboard.press("Escape")
        await expect(dialog).not_to_be_visible()


async def test_what_a_search_finds_opens_where_it_was_said(server: Server, guests: Guests) -> None:
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG a needle <b>here</b>", *(f"MSG m{n}" for n in range(500)), "PING")
        await cy.hears("PONG")
        ann = await guests.enter(page_of(server), "Ann")
        await ann.joins("#tea")
        dialog, box = finder(ann)
        await ann.page.keyboard.press("Control+k")
        await box.fill("needle")
        await dialog.get_by_role("button", name="Cy: a needle <b>here</b>").click()
        await ann.is_in("#general")
        await expect(ann.log.get_by_text("a needle <b>here</b>", exact=True)).to_be_in_viewport()
        await expect(ann.log.locator(".found")).to_have_count(1)
        await ann.sees("m499", times=0)
        await ann.page.get_by_role("button", name="Jump to newest", exact=True).click()
        await expect(ann.log.get_by_text("m499", exact=True)).to_be_in_viewport()


async def test_a_search_that_finds_nothing_shows_nothing(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    dialog, box = finder(ann)
    await ann.page.keyboard.press("Control+k")
    await box.fill("<img src=x onerror=alert(1)>")
    await expect(dialog.get_by_role("button")).to_have_count(0)


async def test_whoever_finds_nothing_is_told_why(server: Server, guests: Guests, watch: Watch) -> None:
    watch.allow(NO_NETWORK)
    async with cable(server.web_port) as line:
        ann = await guests.enter(line.url, "Ann")
        dialog, box = finder(ann)
        note = dialog.get_by_role("status")
        await ann.page.keyboard.press("Control+k")
        await expect(note).to_be_empty()
        await box.fill("nowhere said")
        await expect(note).to_have_text("No message has these words.")
        await box.fill("long " * 41)
        await expect(note).to_have_text("That is too long: 200 characters are the most.")
        await box.fill("")
        await expect(note).to_be_empty()
        line.cut()
        await ann.is_cut_off()
        offline = "There is no connection at the moment. Please try again."
        await box.fill("said")
        await expect(note).to_have_text(offline)
        await box.fill("")
        await ann.page.keyboard.press("Escape")
        await expect(dialog).not_to_be_visible()
        await ann.page.keyboard.press("Control+k")
        await expect(note).to_have_text(offline)


async def test_what_is_found_is_shown_with_its_day(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    dialog, box = finder(ann)
    note = dialog.get_by_role("status")
    async with command_user(server, "Cy") as cy:
        await cy.send(*(f"MSG needle {n}" for n in range(18)), "MSG a needle, שלום!", "PING")
        await cy.hears("PONG")
        await ann.page.keyboard.press("Control+k")
        await box.fill("needle")
        found = dialog.get_by_role("button", name="Cy:")
        await expect(found).to_have_count(19)
        await expect(note).to_be_empty()
        await expect(found.first).to_have_text(
            re.compile(r"^#general Cy: a needle, שלום! \w+day,? \d+ \w+ \d{4}$")
        )
        await cy.send("TOPIC שלום needle!", "MSG needle 18", "MSG שלום needle!", "PING")
        await cy.hears("OK topic-changed", "PONG")
        await box.fill("")
        await ann.page.keyboard.press("Escape")
        await ann.page.keyboard.press("Control+k")
        await box.fill("needl")
        await expect(found).to_have_count(20)
        await expect(note).to_have_text("These are the newest 20. There may be more: add a word.")
        backwards = dialog.locator("bdi:dir(rtl)")
        await expect(backwards).to_have_text(["שלום needle!", "שלום needle!"])


async def test_a_room_that_is_not_there_yet_is_opened_by_its_name(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    dialog, box = finder(ann)
    await ann.page.keyboard.press("Control+k")
    await ann.page.keyboard.type("Tea")
    await expect(dialog.get_by_role("button")).to_have_text(["#tea a new room"])
    await ann.page.keyboard.press("Enter")
    await ann.is_in("#tea")
    for text in ("two words", "ärger", "x" * 64):
        await ann.page.keyboard.press("Control+k")
        await box.fill(text)
        await expect(dialog.get_by_role("button")).to_have_count(0)
        await ann.page.keyboard.press("Escape")


async def test_what_was_said_five_thousand_messages_ago_is_shown_at_once(
    server: Server, guests: Guests
) -> None:
    """After one page of history; what lies between is read when one scrolls there."""
    async with command_user(server, "Cy") as cy:
        for start in range(0, 5500, 500):
            await cy.send(
                *(f"MSG m{n:04}{' needle' * (n == 500)}" for n in range(start, start + 500)), "PING"
            )
            await cy.hears("PONG")
    ann = await guests.visit(page_of(server))
    asked: list[str] = []
    ann.page.on(
        "websocket",
        lambda socket: socket.on(
            "framesent", lambda frame: asked.append(str(frame)) if '"history"' in str(frame) else None
        ),
    )
    await ann.enters("Ann")
    await ann.sees("m5499")
    dialog, box = finder(ann)
    await ann.page.keyboard.press("Control+k")
    await box.fill("needle")
    found = dialog.get_by_role("button", name="Cy: m0500 needle")
    await found.wait_for()
    before = len(asked)
    await found.click()
    await expect(ann.log.get_by_text("m0500 needle", exact=True)).to_be_in_viewport()
    assert len(asked) - before == 1
    seen: set[int] = set()

    async def reads_on() -> None:
        """What is in the page now follows one after the other."""
        numbers = [int(each) for each in await ann.reads(r"\bm(\d{4})\b")]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        seen.update(numbers)

    await reads_on()
    await ann.log.evaluate("log => log.scrollTo(0, 0)")
    await ann.sees("m0410")
    await reads_on()
    newest = ann.log.get_by_text("m5499", exact=True)
    while not await newest.count():  # down through the hole
        await ann.log.evaluate(SCROLL_DOWN)
        await expect(ann.log.get_by_text("What was said in between")).to_have_count(0)
        await reads_on()
    assert sorted(seen) == list(range(min(seen), 5500))


PRESS: Final = """(field, options) => {
  const event = new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ...options});
  return !field.dispatchEvent(event);
}"""
"""Whether somebody made use of the key."""


async def test_keys_that_belong_to_an_input_method_are_left_to_it(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    dialog, box = finder(ann)
    await ann.page.keyboard.press("Control+k")
    await expect(dialog.get_by_role("button", name="#general")).to_be_visible()
    for key in ("Enter", "ArrowDown"):
        assert not await box.evaluate(PRESS, {"key": key, "isComposing": True})
        assert not await box.evaluate(PRESS, {"key": key, "keyCode": 229})  # as in Safari
    await expect(box).to_be_focused()
    await expect(dialog).to_be_visible()
    assert await box.evaluate(PRESS, {"key": "Enter"})
    await expect(dialog).not_to_be_visible()


@pytest.mark.parametrize(
    ("key", "code", "opens"),
    [
        ("K", "KeyK", True),  # with Caps Lock
        ("л", "KeyK", True),
        ("k", "KeyV", True),  # Dvorak
        ("t", "KeyK", False),
    ],
)
async def test_ctrl_k_is_the_same_key_whatever_is_written_with_it(
    server: Server, guests: Guests, key: str, code: str, opens: bool
) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    assert await ann.message.evaluate(PRESS, {"key": key, "code": code, "ctrlKey": True}) is opens
    await expect(ann.finder).to_be_visible(visible=opens)


async def test_an_action_is_found_as_one(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    dialog, box = finder(ann)
    await ann.types("/me waves")
    await ann.sees("* Ann waves")
    await ann.page.keyboard.press("Control+k")
    await box.fill("waves")
    await expect(dialog.get_by_role("button", name="Ann: * waves")).to_be_visible()


async def test_a_hit_among_the_longest_messages_is_shown(server: Server, guests: Guests) -> None:
    """A page of history holds few of them."""
    async with command_user(server, "Cy") as cy:
        long = "x" * 2000
        await cy.send("MSG needle", *(f"MSG {n} {long[:1990]}" for n in range(130)), "PING")
        await cy.hears("PONG")
        ann = await guests.enter(page_of(server), "Ann")
        dialog, box = finder(ann)
        await ann.page.keyboard.press("Control+k")
        await box.fill("needle")
        await dialog.get_by_role("button", name="Cy: needle").click()
        await expect(ann.log.get_by_text("needle", exact=True)).to_be_in_viewport()
        await expect(ann.log.locator(".found")).to_have_count(1)


async def test_enter_takes_what_was_said_before_a_room_that_is_not_there_yet(
    server: Server, guests: Guests
) -> None:
    """However fast it is pressed. Who writes the # means a room."""
    ann = await guests.enter(page_of(server), "Ann")
    dialog, box = finder(ann)
    keyboard = ann.page.keyboard
    async with command_user(server, "Cy") as cy:
        await cy.send("MSG the release is tomorrow")
        await ann.sees("the release is tomorrow")
        await ann.joins("#tea")
        await keyboard.press("Control+k")
        await expect(dialog.get_by_role("button", name="Cy", exact=True)).to_be_visible()
        await box.fill("release")
        await keyboard.press("Enter")
        await ann.is_in("#general")
        await expect(ann.log.locator(".found")).to_have_text(re.compile("the release is tomorrow"))
        await expect(ann.link("#release")).to_have_count(0)
        await keyboard.press("Control+k")
        await box.fill("release")
        await expect(dialog.get_by_role("button")).to_have_text(
            [re.compile("Cy: the release is tomorrow"), "#release a new room"]
        )
        await box.fill("#release")
        await expect(dialog.get_by_role("button")).to_have_text(
            ["#release a new room", re.compile("Cy: the release is tomorrow")]
        )
        await keyboard.press("Enter")
        await ann.is_in("#release")


async def test_escape_closes_the_dialog_whatever_stands_in_it(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    dialog, box = finder(ann)
    await ann.page.keyboard.press("Control+k")
    await ann.page.keyboard.type("some words")
    await expect(box).to_have_value("some words")
    await ann.page.keyboard.press("Escape")
    await expect(dialog).not_to_be_visible()
    await expect(ann.message).to_be_focused()
