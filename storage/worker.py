"""One thread for work that may wait for the disk."""

import asyncio
import contextlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Worker:
    """Does what it is given, one after the other, and tells the event loop.

    `concurrent.futures` would do, but for its price: locks, a future of its own and one more turn of the loop
    for each piece of work, which is a tenth of what a message costs that comes alone (docs/performance.md).
    What nobody waits for any more is not begun. `interrupt` ends what is under way: with it, all that was
    given is given up at the end.
    """

    def __init__(self, name: str, *, interrupt: Callable[[], None] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=name, daemon=True)  # a failed end must not wait for it
        self._closed = False
        self._interrupt = interrupt
        self.under_way = 0
        """What it was given and is not done. While that is 0, the loop may touch what is the thread's."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Returns when everything is done that was given before, or given up."""
        self._closed = True
        if self._interrupt is not None:
            self._interrupt()
        self._jobs.put(None)
        self._thread.join()

    def run(self, work: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """The result is the future's, and so is what `work` raises."""
        if self._closed:
            raise RuntimeError("the worker has ended")
        future: asyncio.Future[T] = self._loop.create_future()

        def do() -> None:
            if future.cancelled() or (self._closed and self._interrupt is not None):
                self._tell(self._leave, future)
                return
            try:
                result = work(*args)
            except Exception as error:  # noqa: BLE001 - it is raised where the result is awaited
                self._tell(self._fail, future, error)
            else:
                self._tell(self._settle, future, result)

        self.under_way += 1
        self._jobs.put(do)
        return future

    def _tell(self, call: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(call, *args)

    def _work(self) -> None:
        while (do := self._jobs.get()) is not None:
            do()
            del do  # what it holds must not live until the next one comes

    def _leave(self, future: asyncio.Future[Any]) -> None:
        self.under_way -= 1
        future.cancel()

    def _settle(self, future: asyncio.Future[T], result: T) -> None:
        self.under_way -= 1
        if not future.done():  # else whoever waited was cancelled
            future.set_result(result)

    def _fail(self, future: asyncio.Future[Any], error: BaseException) -> None:
        self.under_way -= 1
        if not future.done():
            future.set_exception(error)
