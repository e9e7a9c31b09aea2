"""What the page costs, in counts: the same however busy the machine is. Times are in bench/page.py."""

import re
from collections import Counter
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.guest import Guest, Guests, page_of
from tests.e2e.netcat import command_user
from tests.e2e.server import Server
from ws_frontend.pages import STATIC

pytestmark = [pytest.mark.browser, pytest.mark.network, pytest.mark.asyncio(loop_scope="session")]

DRAWN: Final = 240
"""Messages that a log has at most, however many were said."""

STEPS: Final = 60

SCROLL: Final = """async (steps) => {
  const log = document.querySelector("[role=log]");
  let added = 0;
  const count = (records) => { for (const record of records) added += record.addedNodes.length; };
  const observer = new MutationObserver(count);
  observer.observe(log, { childList: true, subtree: true });
  for (let step = 0; step < steps; step += 1) {
    log.scrollTop -= 800;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  count(observer.takeRecords());
  return added;
}"""

ASKED: Final = """
  ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
    .filter(({ transferSize }) => transferSize > 0).map(({ name }) => name)
"""
"""URLs of all that did not come from the cache alone."""


def name_of(url: str) -> str:
    """Of a file in `static`; else the path."""
    return re.sub(r"^/static/([0-9a-f]{16}/)?", "", urlsplit(url).path)


class Layouts:
    """How often Chromium has computed where things are, as it counts itself."""

    async def watch(self, page: Page) -> None:
        self._cdp = await page.context.new_cdp_session(page)
        await self._cdp.send("Performance.enable")

    async def count(self) -> int:
        metrics = (await self._cdp.send("Performance.getMetrics"))["metrics"]
        return int(next(metric["value"] for metric in metrics if metric["name"] == "LayoutCount"))


async def test_the_form_waits_for_the_files_of_the_page_and_for_nothing_else(
    server: Server, guests: Guests
) -> None:
    ann, layouts = await guests.visit("about:blank"), Layouts()
    await layouts.watch(ann.page)
    asked: Counter[str] = Counter()
    connections = []
    ann.page.on("request", lambda request: asked.update([name_of(request.url)]))
    ann.page.on("websocket", lambda socket: connections.append(socket.url))
    await ann.page.goto(page_of(server))
    await expect(ann.nick).to_be_focused()
    icon = "favicon.svg"  # Chromium's tab and the page ask for it
    scripts = {str(file.relative_to(STATIC)) for file in STATIC.rglob("*.js")}
    others = {"/", "style.css", "words.json"}
    assert dict.fromkeys({*scripts, *others}, 1) == {name: asked[name] for name in asked if name != icon}
    assert connections == []
    assert await layouts.count() <= 6


async def test_who_comes_again_asks_for_the_page_and_for_nothing_that_has_a_version(
    server: Server, guests: Guests
) -> None:
    ann = await guests.visit(page_of(server))
    await expect(ann.nick).to_be_focused()
    bo = await guests.another_tab(await ann.page.context.new_page(), page_of(server))
    await expect(bo.nick).to_be_focused()
    asked = await bo.page.evaluate(ASKED)
    assert {name_of(url) for url in asked} <= {"/", "favicon.svg"}
    assert page_of(server) in asked


async def hears_ten_thousand(ann: Guest, server: Server) -> None:
    async with command_user(server, "Cy") as cy:
        for start in range(0, 10_000, 1000):
            await cy.send(*(f"MSG m{n}." for n in range(start, start + 1000)), "PING")
            await cy.hears("PONG")
        await expect(ann.log.get_by_text("m9999.", exact=True)).to_be_in_viewport()


async def test_ten_thousand_messages_are_no_burden(server: Server, guests: Guests) -> None:
    ann, layouts = await guests.enter(page_of(server), "Ann"), Layouts()
    await layouts.watch(ann.page)
    await hears_ten_thousand(ann, server)
    assert await ann.log.locator(".item").count() <= DRAWN
    before = await layouts.count()
    added = await ann.page.evaluate(SCROLL, STEPS)
    assert await ann.log.locator(".item").count() <= DRAWN
    assert await layouts.count() - before <= 4 * STEPS
    assert 800 * STEPS / 100 < added <= DRAWN * STEPS / 2, "what comes into sight is drawn, not all again"
    assert await ann.page.evaluate("performance.memory.usedJSHeapSize") < 60_000_000
