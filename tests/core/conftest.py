"""In the core nothing may fail unseen."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_is_left_to_the_event_loop(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An exception that reaches nobody but the event loop fails the test."""
    yield
    unseen = [record.getMessage() for record in caplog.get_records("call") if record.name == "asyncio"]
    assert not [message for message in unseen if "xception" in message], unseen
