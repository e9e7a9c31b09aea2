"""What the end-to-end tests share: a server process of their own each."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.server import Server, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A fresh server without a speed limit, so that tests need not wait for it."""
    async with serving("--rate", "0") as server:
        yield server
