"""What people at the page wait for, in Chromium: the form, the room, and to scroll through what was said."""

import asyncio
import shutil
import statistics
from typing import Final

from playwright.async_api import Browser, Page, async_playwright

from attack.server import Target
from bench import server
from bench.results import Result, Scale, Step, rounded

BROWSER: Final = shutil.which("chromium")
"""None where there is none: then nothing here can be carried out."""

AT_ONCE: Final = 1000
"""Messages; more would have the page cut off, if it is slow."""

SCROLL_STEPS: Final = 60
PATIENCE: Final = 120
"""Seconds for all of it, on any machine."""

AT_THE_FORM: Final = "addEventListener('focusin', () => (window.atTheForm ??= performance.now()))"

ENTER: Final = """async (nick) => {
  const began = performance.now();
  document.querySelector("#nick").value = nick;
  document.querySelector("#enter").requestSubmit();
  const log = document.querySelector("[role=log]");
  while (!log.textContent.includes("the last.")) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""

SCROLL: Final = """async (steps) => {
  const log = document.querySelector("[role=log]");
  const took = [];
  for (let step = 0; step < steps; step += 1) {
    const began = performance.now();
    log.scrollTop -= 800;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    took.push(performance.now() - began);
  }
  return took;
}"""


async def talk(target: Target, number: int, last: str) -> None:
    """Someone on the line door says so many things and leaves."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.tcp)
    writer.write(b"LOGIN Cy\n")
    for begin in range(1, number, AT_ONCE):
        writer.writelines(b"MSG m%d.\n" % n for n in range(begin, min(begin + AT_ONCE, number)))
        writer.write(b"PING\n")
        while await reader.readline() != b"PONG\n":
            pass
    writer.write(b"MSG %s\nQUIT\n" % last.encode())
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def _open(browser: Browser, target: Target) -> tuple[Page, float]:
    """As somebody who was never here; milliseconds to the form."""
    page = await browser.new_page()
    await page.add_init_script(AT_THE_FORM)
    await page.goto(f"http://127.0.0.1:{target.web}/")
    return page, await _at_the_form(page)


async def _at_the_form(page: Page) -> float:
    milliseconds: float = await (await page.wait_for_function("window.atTheForm")).json_value()
    return milliseconds


async def _visit(browser: Browser, target: Target, nick: str) -> tuple[float, float]:
    """Milliseconds to the form, and from there into the room."""
    page, form = await _open(browser, target)
    room = await page.evaluate(ENTER, nick)
    await page.close()
    return form, room


async def _again(page: Page) -> float:
    await page.reload()
    return await _at_the_form(page)


async def look(messages: int, times: int) -> list[Result]:
    async with (
        asyncio.timeout(PATIENCE),
        server.parlour() as target,
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"]) as browser,
    ):
        await talk(target, 100, "the last.")
        visits = [await _visit(browser, target, f"Ann{n}") for n in range(times)]
        page, _ = await _open(browser, target)
        again = [await _again(page) for _ in range(times)]
        await page.evaluate(ENTER, "Bo")
        await talk(target, messages, "newest.")
        await page.get_by_role("log").get_by_text("newest.", exact=True).wait_for()
        steps = await page.evaluate(SCROLL, SCROLL_STEPS)
        heap = await page.evaluate("performance.memory.usedJSHeapSize")
    numbers = {
        "form_ms": statistics.median(form for form, _ in visits),
        "form_again_ms": statistics.median(again),
        "room_ms": statistics.median(room for _, room in visits),
        "scroll_ms": statistics.median(steps),
        "scroll_longest_ms": max(steps),
        "heap_mib": heap / 2**20,
    }
    return [Result("page", {"messages": messages}, rounded(numbers))]


def steps(scale: Scale) -> list[Step]:
    return [Step("page", f"{scale.shown:,} messages shown", 10, lambda: look(scale.shown, scale.visits))]
