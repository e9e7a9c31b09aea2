"""Work that is done every few seconds. On the clock that skips."""

import asyncio

import pytest

from core.chores import every

pytestmark = pytest.mark.asyncio(loop_factories=["skipping"])


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "with waiting"])
async def test_a_turn_that_fails_is_logged_and_not_the_last(
    caplog: pytest.LogCaptureFixture, *, waits: bool
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    turns: list[int] = []

    def work() -> None:
        turns.append(round(loop.time() - began))
        if len(turns) == 2:
            raise ZeroDivisionError

    async def slow_work() -> None:
        await asyncio.sleep(0)
        work()

    chore = asyncio.create_task(every(10, "look around", slow_work if waits else work))
    await asyncio.sleep(41)
    chore.cancel()
    assert turns == [10, 20, 30, 40]
    assert caplog.text.count("failed to look around, which is tried again") == 1
    assert "ZeroDivisionError" in caplog.text
