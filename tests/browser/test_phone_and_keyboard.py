"""A phone's screen and fingers; a keyboard alone."""

import re

import pytest
from playwright.async_api import FloatRect, Locator, expect

from tests.browser.guest import PHONE, Device, Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]


async def box_of(place: Locator) -> FloatRect:
    box = await place.bounding_box()
    assert box is not None, f"{place} is not shown"
    return box


async def fits(place: Locator, width: int, height: int) -> bool:
    box = await box_of(place)
    return (
        box["x"] >= 0
        and box["y"] >= 0
        and box["x"] + box["width"] <= width
        and box["y"] + box["height"] <= height
    )


async def test_on_a_phone_the_sides_are_drawers(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann", PHONE)
    page = ann.page
    show_rooms = page.get_by_role("button", name="Show rooms", exact=True)
    show_people = page.get_by_role("button", name="Show people", exact=True)
    async with command_user(server, "Cy") as cy:
        await expect(ann.rooms).not_to_be_visible()
        await expect(ann.people).not_to_be_visible()

        await show_rooms.tap()
        await expect(ann.rooms).to_be_visible()
        assert await fits(ann.rooms, 390, 844)
        await ann.rooms.get_by_role("button", name="Jump to or join").tap()
        await expect(ann.rooms).not_to_be_visible()
        await expect(ann.finder).to_be_visible()
        await page.keyboard.type("#tea")
        await page.keyboard.press("Enter")
        await ann.is_in("#tea")

        await show_rooms.tap()
        await ann.link("#general").tap()
        await ann.is_in("#general")
        await expect(ann.rooms).not_to_be_visible()

        await show_rooms.tap()
        await expect(ann.rooms).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(ann.rooms).not_to_be_visible()
        await show_rooms.tap()
        await expect(ann.rooms).to_be_visible()
        await page.touchscreen.tap(380, 400)  # beside it
        await expect(ann.rooms).not_to_be_visible()

        await show_people.tap()
        await expect(ann.people).to_be_visible()
        assert await fits(ann.people, 390, 844)
        await ann.finds_here("Ann you", "Cy")
        await ann.people.get_by_role("button", name="Cy", exact=True).tap()
        await expect(ann.people).not_to_be_visible()
        await ann.is_in("Cy")
        await ann.says("from a phone")
        await cy.hears("DM Ann from a phone")


@pytest.mark.parametrize("width", [320, 360, 390])
async def test_on_a_phone_the_header_is_one_row_whatever_the_room_is_called(
    server: Server, guests: Guests, width: int
) -> None:
    device: Device = {**PHONE, "viewport": {"width": width, "height": 740}}
    ann = await guests.enter(page_of(server), "Ann", device)
    for room in ("#announcements", "#" + "room-" * 12, "#general"):
        await ann.types(f"/join {room}")
        await ann.is_in(room)
        row = [
            ann.page.get_by_role("button", name="Show rooms", exact=True),
            ann.page.get_by_role("heading", name=room, exact=True),
            ann.page.get_by_role("button", name="Leave", exact=True),
            ann.status,
            ann.page.get_by_role("button", name="Show people", exact=True),
        ]
        end = 0.0
        for place in row:
            assert await fits(place, width, 60), (room, place)
            box = await box_of(place)
            assert box["x"] >= end, (room, place)
            end = box["x"] + box["width"]
        assert end > width - 16, room
        assert (await box_of(row[1]))["width"] > 90, room
        assert (await box_of(ann.message))["height"] < 50, room


async def test_on_a_phone_a_long_name_ends_before_the_sign_that_ignores(
    server: Server, guests: Guests
) -> None:
    ann = await guests.enter(page_of(server), "Ann", PHONE)
    name = "W" * 32
    async with command_user(server, name):
        await ann.page.get_by_role("button", name="Show people", exact=True).tap()
        person = ann.people.get_by_role("button", name=name, exact=True)
        written = await person.evaluate("""node => {
          const {paddingRight} = getComputedStyle(node);
          return node.getBoundingClientRect().right - parseFloat(paddingRight);
        }""")
        sign = ann.people.get_by_role("button", name=f"Ignore {name}", exact=True)
        assert written <= (await box_of(sign))["x"]
        await expect(person).to_have_css("text-overflow", "ellipsis")
        assert await person.evaluate("node => node.scrollWidth > node.clientWidth")


async def test_on_a_phone_one_writes_and_nothing_sticks_out(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann", PHONE)
    async with command_user(server, "Cy") as cy:
        send = ann.page.get_by_role("button", name="Send", exact=True)
        await ann.message.tap()
        await ann.message.press_sequentially("typed with thumbs")
        await send.tap()
        await ann.sees("typed with thumbs")
        await cy.hears("MSG Ann typed with thumbs")
        await cy.send(f"MSG {'long' * 400}", *(f"MSG m{n}" for n in range(30)), "NICK " + "c" * 32)
        await ann.sees("m29")
        await ann.message.fill("\n".join(["a line"] * 40))
        for place in (ann.message, send, ann.log, ann.status):
            assert await fits(place, 390, 844), place
        assert await ann.page.evaluate("document.documentElement.scrollWidth") == 390
        assert await ann.log.evaluate("log => log.scrollWidth - log.clientWidth") == 0


async def test_a_keyboard_is_enough_to_enter_talk_and_change_rooms(server: Server, guests: Guests) -> None:
    ann = await guests.visit(page_of(server))
    keyboard = ann.page.keyboard

    async def tabs_to(place: Locator, key: str) -> None:
        for _ in range(30):
            if await place.evaluate("node => node === document.activeElement"):
                return
            await keyboard.press(key)
        raise AssertionError(f"30 times {key} did not lead to {place}")

    await expect(ann.nick).to_be_focused()
    await keyboard.type("Ann")
    await keyboard.press("Enter")
    await ann.is_connected()
    async with command_user(server, "Cy") as cy:
        await expect(ann.message).to_be_focused()
        await keyboard.type("no mouse here")
        await keyboard.press("Enter")
        await ann.sees("no mouse here")
        await cy.hears("MSG Ann no mouse here")

        await tabs_to(ann.rooms.get_by_role("button", name="Jump to or join"), "Shift+Tab")
        await keyboard.press("Enter")
        await keyboard.type("tea")
        await keyboard.press("Enter")
        await ann.is_in("#tea")
        await expect(ann.message).to_be_focused()
        await keyboard.type("tea for one")
        await keyboard.press("Enter")
        await ann.sees("tea for one")

        await tabs_to(ann.link("#general"), "Shift+Tab")
        await keyboard.press("Enter")
        await ann.is_in("#general")
        await expect(ann.message).to_be_focused()
        await tabs_to(ann.people.get_by_role("button", name="Cy", exact=True), "Tab")
        await keyboard.press("Enter")
        await ann.is_in("Cy")
        await keyboard.type("psst")
        await keyboard.press("Enter")
        await cy.hears("DM Ann psst")


async def test_on_a_phone_a_dot_says_that_something_is_unread(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann", PHONE)
    drawer = ann.page.get_by_role("button", name="Show rooms")
    dot = "node => getComputedStyle(node, '::after').content"
    async with command_user(server, "Cy") as cy:
        await ann.sees("Cy joined the room")
        assert await drawer.evaluate(dot) == "none"
        await cy.send("DM Ann psst")
        await expect(ann.page).to_have_title(re.compile(r"^\(1\)"))
        assert "●" in await drawer.evaluate(dot)
        await drawer.tap()
        await ann.link("Cy", unread=1).tap()
        await ann.is_in("Cy")
        assert await drawer.evaluate(dot) == "none"


async def test_the_keyboard_is_not_lost_with_a_button_that_goes(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    press = ann.page.keyboard.press
    async with command_user(server, "Cy") as cy:
        await cy.send(*(f"MSG m{n}" for n in range(60)))
        await ann.sees("m59")
        await ann.log.evaluate("log => log.scrollTo(0, 0)")
        await ann.page.get_by_role("button", name="Jump to newest", exact=True).focus()
        await press("Enter")
        await expect(ann.log).to_be_focused()
    await ann.types("/ignore Di")
    await ann.opens_settings()
    await ann.settings.get_by_role("button", name="Unignore Di", exact=True).focus()
    await press("Enter")
    await expect(ann.settings.get_by_role("listitem")).to_have_count(0)
    await expect(ann.settings).to_be_focused()
    await press("Escape")
    await ann.types("/msg Nobody hello")
    await ann.log.get_by_role("button", name="Retry", exact=True).focus()
    await press("Enter")
    await expect(ann.log).to_be_focused()


async def test_the_keyboard_goes_into_what_opens_and_back(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann")
    commands = ann.page.get_by_role("dialog", name="Commands", exact=True)
    await ann.types("/help")
    await expect(commands).to_be_focused()
    await ann.page.keyboard.press("Tab")
    await expect(commands.get_by_role("button", name="Done", exact=True)).to_be_focused()
    await ann.page.keyboard.press("Escape")
    await expect(ann.message).to_be_focused()
    await ann.rooms.get_by_role("button", name="Settings", exact=True).press("Enter")
    await expect(ann.settings).to_be_focused()
    await ann.page.keyboard.press("Escape")
    await expect(ann.rooms.get_by_role("button", name="Settings", exact=True)).to_be_focused()


async def test_on_a_phone_the_help_names_the_keys_too(server: Server, guests: Guests) -> None:
    ann = await guests.enter(page_of(server), "Ann", PHONE)
    await ann.types("/help")
    keys = ann.page.get_by_text("Ctrl K", exact=True)
    await expect(keys.and_(ann.page.locator("#help kbd"))).to_be_visible()
    await expect(ann.page.locator("#jump-to kbd")).to_have_css("display", "none")
