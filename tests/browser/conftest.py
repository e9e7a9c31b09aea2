"""What the browser tests share: one Chromium for all, a server and guests of their own each.

Playwright belongs to the event loop it was started on, so all of them run on one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.chromium import Watch, chromium
from tests.browser.guest import Guests
from tests.e2e.server import Server, serving


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def launch() -> AsyncIterator[Callable[[], Awaitable[Browser]]]:
    """Gives the one Chromium, or another where that has died: one test fails then, not all that follow."""
    async with AsyncExitStack() as stack:
        launched: list[Browser] = []

        async def running() -> Browser:
            if not launched or not launched[-1].is_connected():
                launched.append(await stack.enter_async_context(chromium()))
            return launched[-1]

        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(launch: Callable[[], Awaitable[Browser]]) -> Browser:
    return await launch()


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[Server]:
    """A fresh server without a speed limit, so that tests need not wait for it."""
    async with serving("--rate", "0") as server:
        yield server


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest_asyncio.fixture(loop_scope="session")
async def guests(browser: Browser, watch: Watch) -> AsyncIterator[Guests]:
    """At the end no page may have had anything to complain about."""
    guests = Guests(browser, watch)
    yield guests
    await guests.leave()
    assert watch.complaints == []
