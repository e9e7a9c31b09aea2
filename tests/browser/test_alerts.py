"""What calls those who look elsewhere: notifications and a sound."""

import re
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.guest import Guest, Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]

RECORDED: Final = """
window.called = [];
window.asked = 0;
window.beeps = 0;
window.Notification = class {
  static permission = localStorage.getItem("permission") ?? "default";
  static async requestPermission() {
    window.asked += 1;
    localStorage.setItem("permission", "granted");
    return (this.permission = "granted");
  }
  constructor(title, {body}) {
    called.push(`${title}: ${body}`);
    window.last = this;
  }
  close() {}
};
const play = Audio.prototype.play;
Audio.prototype.play = function () {
  if (this.paused) {
    window.beeps += 1;
    window.silence = new Promise((done) => this.addEventListener("ended", () => done(null)));
  }
  return play.call(this);
};
"""
"""The browser's own notifications, which nobody could look at, noted down; and each sound."""

HIDDEN: Final = """hidden => {
  if (hidden) Object.defineProperty(document, "hidden", {value: true, configurable: true});
  else delete document.hidden;
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def ann(server: Server, guests: Guests) -> AsyncIterator[Guest]:
    ann = await guests.visit("about:blank")
    await ann.page.context.add_init_script(RECORDED)
    await ann.page.goto(page_of(server))
    await ann.enters("Ann")
    yield ann


async def called(guest: Guest) -> list[str]:
    found: list[str] = await guest.page.evaluate("called")
    return found


async def silence(guest: Guest) -> None:
    """The last sound is over: what comes before that is not heard apart."""
    await guest.page.evaluate("silence")


async def test_one_is_notified_of_mentions_and_direct_messages_that_one_does_not_see(
    server: Server, ann: Guest
) -> None:
    async with command_user(server, "Cy") as cy:
        await ann.sees("Cy joined the room")
        await cy.send("DM Ann too early")
        await ann.link("Cy", unread=1).wait_for()
        assert await ann.page.evaluate("asked") == 0
        await ann.opens_settings()
        button = ann.settings.get_by_role("button", name="Turn on notifications", exact=True)
        await button.click()
        await expect(ann.settings.get_by_role("button", name="Turn off notifications")).to_be_visible()
        assert await ann.page.evaluate("asked") == 1
        await ann.page.keyboard.press("Escape")

        await cy.send("MSG Ann, before your eyes")
        await ann.sees("Ann, before your eyes")
        await ann.joins("#tea")
        await cy.send("MSG for all", "MSG hello ann", "DM Ann psst")
        await ann.link("Cy", unread=2).wait_for()
        assert await called(ann) == ["Cy in #general: hello ann", "Cy: psst"]

        await ann.page.evaluate("last.onclick()")
        await ann.is_in("Cy")
        await ann.sees("too early", "psst")
        await cy.send("DM Ann you look already")
        await ann.sees("you look already")
        await ann.page.evaluate(HIDDEN, True)
        await cy.send("DM Ann you do not")
        await ann.sees("you do not")
        assert (await called(ann))[2:] == ["Cy: you do not"]
        await ann.page.evaluate(HIDDEN, False)

        # Neither history nor whom one ignores.
        await ann.page.reload()
        await ann.is_connected()
        await ann.opens("#tea")
        await ann.link("#general", unread=2).click()  # which a reload does not forget
        await ann.sees("hello ann")
        await ann.types("/ignore Cy")
        await ann.opens("#tea")
        await cy.send("MSG Ann!", "DM Ann hear me", "PING")
        await cy.until("PONG")
        async with command_user(server, "Di") as di:
            await di.send("MSG Ann?")
            await ann.link("#general", unread=1).wait_for()
        assert await called(ann) == ["Di in #general: Ann?"]

        await ann.opens_settings()
        await ann.settings.get_by_role("button", name="Turn off notifications").click()
        await ann.page.keyboard.press("Escape")
        await ann.types("/unignore Cy")
        await cy.send("DM Ann again")
        await ann.link("Cy", unread=1).wait_for()
        assert await called(ann) == ["Di in #general: Ann?"]


async def test_a_message_to_everyone_that_names_one_calls(ann: Guest, server: Server) -> None:
    await ann.opens_settings()
    await ann.settings.get_by_role("button", name="Turn on notifications", exact=True).click()
    await ann.page.keyboard.press("Escape")
    async with command_user(server, "Cy") as cy:
        await cy.send("GMSG Ann, before your eyes")
        await ann.sees("Ann, before your eyes")
        await ann.page.evaluate(HIDDEN, True)
        await cy.send("GMSG nobody in particular", "GMSG Ann, please read this")
        await ann.link("#general", unread=2).wait_for()
    await expect(ann.page).to_have_title(re.compile(r"^\(2\) #general"))
    assert await called(ann) == ["Cy in #general: Ann, please read this"]


async def test_a_sound_is_off_at_first_and_is_heard_on_the_same_occasions(server: Server, ann: Guest) -> None:
    async with command_user(server, "Cy") as cy:
        await cy.send("DM Ann silently")
        await ann.link("Cy", unread=1).wait_for()
        assert await ann.page.evaluate("beeps") == 0
        await ann.opens_settings()
        sound = ann.settings.get_by_role("checkbox", name="Sound for mentions and direct messages")
        await expect(sound).not_to_be_checked()
        await sound.check()
        assert await ann.page.evaluate("beeps") == 1  # so this is how it sounds
        await ann.page.keyboard.press("Escape")
        await silence(ann)
        await cy.send("MSG for all", "DM Ann aloud")
        await ann.link("Cy", unread=2).wait_for()
        assert await ann.page.evaluate("beeps") == 2
        await silence(ann)
        await ann.types("/ignore Cy")
        await cy.send("DM Ann unheard")
        async with command_user(server, "Di") as di:
            await cy.send("PING")
            await cy.until("PONG")
            await di.send("DM Ann heard")
            await ann.link("Di", unread=1).wait_for()
        assert await ann.page.evaluate("beeps") == 3


async def test_what_comes_at_once_is_one_sound_and_the_sound_can_be_switched_off(
    server: Server, ann: Guest
) -> None:
    async with command_user(server, "Cy") as cy:
        await ann.opens_settings()
        sound = ann.settings.get_by_role("checkbox", name="Sound for mentions and direct messages")
        await sound.check()
        await ann.page.keyboard.press("Escape")
        await silence(ann)
        await cy.send(*(f"DM Ann m{n}" for n in range(5)))
        await ann.link("Cy", unread=5).wait_for()
        assert await ann.page.evaluate("beeps") == 2
        await silence(ann)
        await ann.opens_settings()
        await sound.click()
        await expect(sound).not_to_be_checked()
        await ann.page.keyboard.press("Escape")
        await cy.send("DM Ann silently")
        await ann.link("Cy", unread=6).wait_for()
        assert await ann.page.evaluate("beeps") == 2


async def test_a_notification_of_a_conversation_that_was_closed_opens_no_ghost(
    server: Server, ann: Guest
) -> None:
    await ann.opens_settings()
    await ann.settings.get_by_role("button", name="Turn on notifications", exact=True).click()
    await ann.page.keyboard.press("Escape")
    async with command_user(server, "Cy") as cy:
        await ann.joins("#tea")
        await cy.send("MSG /me waves at Ann", "DM Ann psst")
        await ann.link("Cy", unread=1).click()
        await ann.sees("psst")
        assert await called(ann) == ["Cy in #general: * waves at Ann", "Cy: psst"]
        await ann.types("/leave")
        await ann.is_in("#tea")
        await ann.page.evaluate("last.onclick()")
        await ann.is_in("#tea")
        await cy.send("DM Ann again")
        await ann.link("Cy", unread=1).click()
        await ann.sees("psst", "again")


async def test_a_browser_that_forbids_notifications_is_not_asked(server: Server, guests: Guests) -> None:
    ann = await guests.visit("about:blank")
    await ann.page.context.add_init_script(f"{RECORDED}; Notification.permission = 'denied';")
    await ann.page.goto(page_of(server))
    await ann.enters("Ann")
    await ann.opens_settings()
    await expect(ann.settings.get_by_role("button", name="Blocked by the browser")).to_be_disabled()
