"""axe-core (https://github.com/dequelabs/axe-core), which looks for what keeps people out.

The script comes with the package axe-playwright-python, pinned like all others.
"""

from importlib import resources
from typing import Final

from playwright.async_api import Page

RUN: Final = """axe.run().then(({violations}) =>
  violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`)))"""


async def violations(page: Page) -> list[str]:
    await page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found: list[str] = await page.evaluate(RUN)
    return found
