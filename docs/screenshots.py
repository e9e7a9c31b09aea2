"""Make the pictures of the README again: python docs/screenshots.py (with the Python of .venv).

A real server, a real netcat and real pages; people type at a natural pace, so it takes a minute. Only the
frame around the two windows of screenshot.png is drawn here.
"""

import asyncio
import base64
import re
from contextlib import AsyncExitStack
from html import escape
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser

from tests.browser.chromium import Watch, chromium
from tests.browser.guest import PHONE, Guest, Guests, page_of
from tests.e2e.netcat import GREETING, command_user, netcat, plain_welcome
from tests.e2e.programs import Program
from tests.e2e.server import Server, serving

DOCS: Final = Path(__file__).parent
KEYS_PER_SECOND: Final = 14
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")

TALK: Final = (
    ("Ann", "Good morning! The first figs are ripe, far too many of them."),
    ("Bob", "@Ann how many is too many?"),
    ("Ann", "Two buckets. I cannot lift the second one."),
    ("Cleo", "Fig tart! I have butter and a free hour."),
    ("Noor", "A jar of my plum jam for a dozen of them?"),
    ("Ann", "Deal. The kitchen door is open, the kettle is on."),
    ("Bob", "/me looks for the big bowl"),
    ("Cleo", "Keep me the squashed ones, they make the best filling"),
    ("Ann", "Then it is lunch for four, under the tree."),
)

ASKED: Final = "and some of your bread, please?"
ANSWERED: Final = "it is in the basket already"

FRAME: Final = """<!doctype html>
<style>
  * { box-sizing: border-box; margin: 0; }
  body { display: flex; gap: 28px; width: max-content; padding: 28px; background: #d8e3e0; }
  section { display: flex; flex-direction: column; border-radius: 10px; overflow: hidden;
    box-shadow: 0 0 0 1px #0003; background: #22262b; }
  h2 { padding: 8px 14px; font: 600 14px/20px "DejaVu Sans", system-ui, sans-serif; text-align: center;
    color: #5b5750; background: #eae5dc; }
  .terminal h2 { color: #b9bec5; background: #33383f; }
  pre { width: 640px; padding: 14px 16px; font: 14px/1.55 "DejaVu Sans Mono", ui-monospace, monospace;
    color: #dfe3e6; white-space: pre-wrap; overflow-wrap: anywhere; }
  pre b { font-weight: 400; color: #7fd6c6; }
  pre i { display: inline-block; width: 8px; height: 18px; vertical-align: text-bottom; background: #dfe3e6; }
  img { display: block; width: 1000px; height: 640px; }
</style>
"""


class Terminal:
    """What stands on a terminal: lines that came, and lines that were typed."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.html = ["<b>$ nc localhost 4000</b>", *map(escape, GREETING)]

    async def types(self, text: str) -> None:
        await self.program.send(text)
        self.html.append(f"<b>{escape(text)}</b>")

    async def shows(self, text: str) -> None:
        """Up to a line that ends with it."""
        self.html += map(escape, await self.program.until(f".*{re.escape(text)}"))


async def passes_while_typing(text: str) -> None:
    await asyncio.sleep(1 + len(text) / KEYS_PER_SECOND)


async def opens_on_a_phone(guest: Guest, name: str) -> None:
    await guest.page.get_by_role("button", name="Show rooms", exact=True).tap()
    await guest.opens(name)


class Picnic:
    """Four people, each in their own way: two pages, a netcat, a script."""

    def __init__(self, ann: Guest, cleo: Guest, bob: Terminal, noor: Program) -> None:
        self.ann = ann
        self.cleo = cleo
        self.bob = bob
        self._noor = noor

    async def talk(self) -> None:
        for who, text in TALK:
            await passes_while_typing(text)
            await self._say(who, text)
        await self._noor.send("DM Ann the jam is at your gate")
        await passes_while_typing(ASKED)
        await self.cleo.types(f"/msg Bob {ASKED}")
        await self.bob.shows(ASKED)
        await passes_while_typing(ANSWERED)
        await self.bob.types(f"/msg Cleo {ANSWERED}")
        await self.cleo.sees(ANSWERED)
        await passes_while_typing("/whosonline")
        await self.bob.types("/whosonline")
        await self.bob.shows("Noor")
        await opens_on_a_phone(self.cleo, "#recipes")
        await self.cleo.says("Fig tart for four, as my aunt makes it", "It begins with patience")
        await opens_on_a_phone(self.cleo, "#general")
        await self.ann.link("#recipes", unread=2).wait_for()

    async def _say(self, who: str, text: str) -> None:
        match who:
            case "Ann":
                await self.ann.says(text)
            case "Cleo":
                await self.cleo.says(text)
            case "Noor":
                await self._noor.send(f"MSG {text}")
            case _:
                await self.bob.types(text)
        if who != "Bob":
            await self.bob.shows(text)
        for guest in (self.ann, self.cleo):
            await guest.sees(text.replace("/me", f"* {who}"))


async def gather(stack: AsyncExitStack, server: Server, guests: Guests) -> Picnic:
    """They come one after the other; Ann and Cleo have one more room open."""
    ann = await guests.enter(page_of(server), "Ann")
    await ann.joins("#recipes")
    await ann.opens("#general")
    bob = Terminal(await stack.enter_async_context(netcat(server)))
    await bob.types("Bob")
    await bob.shows(plain_welcome("Bob")[-1])
    cleo = await guests.enter(page_of(server), "Cleo", PHONE)
    await cleo.types("/join #recipes")
    await cleo.is_in("#recipes")
    await opens_on_a_phone(cleo, "#general")
    await bob.shows("Cleo has joined the chat.")
    noor = await stack.enter_async_context(command_user(server, "Noor"))
    await bob.shows("Noor has joined the chat.")
    await ann.types("/topic Whatever is ripe: figs, plums, news")
    await bob.shows("Ann changed the topic: Whatever is ripe: figs, plums, news")
    return Picnic(ann, cleo, bob, noor)


async def side_by_side(browser: Browser, terminal: Terminal, page: bytes) -> None:
    lines = "\n".join([*terminal.html, "<i></i>"])
    image = base64.b64encode(page).decode()
    frame = await browser.new_page(viewport={"width": 1800, "height": 600})
    await frame.set_content(
        f"{FRAME}<section class=terminal><h2>Terminal</h2><pre>{lines}</pre></section>"
        f"<section><h2>http://localhost:8080</h2><img src='data:image/png;base64,{image}'></section>"
    )
    await frame.locator("body").screenshot(path=DOCS / "screenshot.png")


async def main() -> None:
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        server = await stack.enter_async_context(serving())
        guests = Guests(browser, Watch())
        stack.push_async_callback(guests.leave)
        picnic = await gather(stack, server, guests)
        await picnic.talk()
        await side_by_side(browser, picnic.bob, await picnic.ann.page.screenshot())
        for device, guest in {"desktop": picnic.ann, "phone": picnic.cleo}.items():
            for scheme in SCHEMES:
                await guest.page.emulate_media(color_scheme=scheme)
                await guest.page.screenshot(path=DOCS / f"page-{device}-{scheme}.png")


if __name__ == "__main__":
    asyncio.run(main())
