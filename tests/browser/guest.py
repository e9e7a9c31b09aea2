"""Someone at the page. What is on it is found by role and accessible name, as a screen reader finds it."""

import asyncio
import re
from contextlib import suppress
from typing import Final, TypedDict

from playwright.async_api import Browser, Locator, Page, TimeoutError, ViewportSize, expect

from tests.browser.chromium import Watch
from tests.e2e.server import Server

PATIENCE: Final = 10_000
"""Milliseconds that anything may take on a busy machine. A test that works waits for none of it."""

expect.set_options(timeout=PATIENCE)


class Device(TypedDict, total=False):
    """What a guest looks at the page with; these are options of Playwright's `new_context`."""

    viewport: ViewportSize
    has_touch: bool
    is_mobile: bool


DESKTOP: Final = Device(viewport={"width": 1000, "height": 640})
PHONE: Final = Device(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)


def page_of(server: Server) -> str:
    """The address of a server's page."""
    return f"http://127.0.0.1:{server.web_port}/"


class Guest:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.entry = page.get_by_role("form", name="Enter the chat", exact=True)
        self.nick = self.entry.get_by_role("textbox", name="Nick", exact=True)
        self.enter = self.entry.get_by_role("button", name="Enter", exact=True)
        self.status = page.get_by_role("status", name="Connection", exact=True)
        self.rooms = page.get_by_role("navigation", name="Rooms", exact=True)
        self.people = page.get_by_role("complementary", name="People", exact=True)
        self.log = page.get_by_role("log")
        self.finder = page.get_by_role("dialog", name="Jump to", exact=True)
        self.settings = page.get_by_role("dialog", name="Settings", exact=True)
        self.message = page.get_by_role("textbox", name="Message", exact=True)
        self.unsent = self.log.get_by_text("(not sent yet)")
        self.problem = page.get_by_role("form", name="Write", exact=True).get_by_role("alert")

    # --- doing

    async def enters(self, nick: str) -> None:
        await self.nick.fill(nick)
        await self.enter.click()
        await self.is_connected()

    async def waits_long_between_attempts(self) -> None:
        """About 30 s: who wants to be sure that a page comes back for another reason asks for this first."""
        await self.page.add_init_script("const chance = Math.random; Math.random = () => 60 + chance();")
        await self.page.reload()

    async def types(self, text: str) -> None:
        """Into the box, and Enter."""
        await self.message.fill(text)
        await self.message.press("Enter")

    async def says(self, *texts: str) -> None:
        """One after the other; each is shown, stored, and the box is empty for the next one."""
        for text in texts:
            await self.types(text)
            await self.sees(text)
            await expect(self.message).to_have_value("")
        await self.has_sent_everything()

    async def joins(self, room: str) -> None:
        """By the dialog "Jump to"."""
        await self.page.keyboard.press("Control+k")
        await self.finder.get_by_role("searchbox", name="Search", exact=True).fill(room)
        await self.finder.get_by_role("button", name=re.compile(rf"^{re.escape(room)} ")).click()
        await self.is_in(room)

    async def opens_settings(self) -> None:
        await self.rooms.get_by_role("button", name="Settings", exact=True).click()
        await self.settings.wait_for()

    async def opens(self, name: str) -> None:
        """A conversation of the side bar."""
        await self.link(name).click()
        await self.is_in(name)

    # --- seeing

    def link(self, name: str, unread: int = 0) -> Locator:
        """The one to a conversation in the side bar, with so many unread messages."""
        count = rf" ?{unread} unread" if unread else ""
        return self.rooms.get_by_role("link", name=re.compile(f"^{re.escape(name)}{count}$"))

    # `wait_for` looks again sooner than `expect` does.

    async def is_connected(self) -> None:
        await self.status.filter(has_text=re.compile("^Connected$")).wait_for()
        await self.log.wait_for()

    async def is_cut_off(self) -> None:
        await self.status.filter(has_text=re.compile("^Reconnecting")).wait_for()

    async def connects_again(self) -> None:
        """Without waiting for the next attempt: the browser says that the network is back."""
        connected = self.status.filter(has_text=re.compile("^Connected$"))
        for _ in range(PATIENCE // 1000):
            await self.page.evaluate("dispatchEvent(new Event('online'))")
            with suppress(TimeoutError):  # it was just about to fail once more, and did not listen
                return await connected.wait_for(timeout=1000)
        raise AssertionError("the page has not come back")

    async def has_sent_everything(self) -> None:
        await expect(self.unsent).to_have_count(0)
        await expect(self.log.get_by_text("Not sent.")).to_have_count(0)

    async def is_in(self, name: str) -> None:
        """A room or a person's conversation is open."""
        await self.page.get_by_role("log", name=name, exact=True).wait_for()

    async def sees(self, *texts: str, times: int = 1) -> None:
        """Each of them so many times, as a whole text of the open conversation."""
        for text in texts:
            places = self.log.get_by_text(text, exact=True)
            if times:
                await places.nth(times - 1).wait_for(state="attached")
            await expect(places).to_have_count(times)

    async def is_told(self, problem: str) -> None:
        """Beside the box, to this person alone."""
        await expect(self.problem).to_have_text(problem)

    async def is_told_nothing(self) -> None:
        await expect(self.problem).to_have_count(0)

    async def reads(self, pattern: str) -> list[str]:
        """All that the pattern finds in the open conversation, from the top."""
        return re.findall(pattern, await self.log.inner_text())

    async def finds_here(self, *nicks: str) -> None:
        """Exactly these people are listed; one's own name has a mark."""
        await expect(self.people.get_by_role("listitem")).to_have_text(list(nicks))


class Guests:
    """The guests of one test: each has a browser profile of their own, and all are watched."""

    def __init__(self, browser: Browser, watch: Watch) -> None:
        self._browser = browser
        self._watch = watch
        self._pages: list[Page] = []

    async def visit(self, url: str, device: Device = DESKTOP) -> Guest:
        """Someone who stands before the door."""
        context = await self._browser.new_context(**device, locale="en-GB")
        context.set_default_timeout(PATIENCE)
        await self._watch.over(context)
        return await self.another_tab(await context.new_page(), url)

    async def another_tab(self, page: Page, url: str) -> Guest:
        """One more page of a profile."""
        self._pages.append(page)
        await page.goto(url)
        return Guest(page)

    async def enter(self, url: str, nick: str, device: Device = DESKTOP) -> Guest:
        guest = await self.visit(url, device)
        await guest.enters(nick)
        return guest

    async def enter_all(self, url: str, *nicks: str) -> list[Guest]:
        """They come at the same time and enter one after the other."""
        guests = await asyncio.gather(*(self.visit(url) for _ in nicks))
        for guest, nick in zip(guests, nicks, strict=True):
            await guest.enters(nick)
        return guests

    async def leave(self) -> None:
        """All of them; what their pages had to complain about has been heard then."""
        for page in self._pages:
            if not page.is_closed():
                await page.evaluate("0")
        await asyncio.gather(*(context.close() for context in {page.context for page in self._pages}))
