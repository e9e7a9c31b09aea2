"""Clock and scales: when it is time to send, what was used meanwhile, how late the slowest were."""

import asyncio
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from attack.server import Target
from bench import machine

PATIENCE: Final = 2.5
"""Seconds without a delivery after which what is missing is lost."""


class Ticker:
    """Calls back on the loop's thread, on time: timers of uvloop are good to a millisecond only."""

    def __init__(self, begin: int, period: float, call: Callable[[int], None]) -> None:
        """`begin` is a time of perf_counter_ns."""
        self._begin = begin
        self._period = int(period * 1e9)
        self._call = call
        self._stopped = False
        self._rung = 0
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> None:
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)
        self._loop.add_reader(self._bell, self._ring)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join()
        self._loop.remove_reader(self._bell)
        os.close(self._bell)

    def _run(self) -> None:
        number = 0
        while not self._stopped:
            number += 1
            wait = self._begin + number * self._period - time.perf_counter_ns()
            if wait > 0:
                time.sleep(wait / 1e9)
            os.eventfd_write(self._bell, 1)

    def _ring(self) -> None:
        for _ in range(os.eventfd_read(self._bell)):
            self._rung += 1
            self._call(self._begin + self._rung * self._period)


class Meter:
    """What happens between two moments: CPU of the server and of this process, deliveries, wall time."""

    def __init__(self, target: Target, delivered: Callable[[], int]) -> None:
        self._target = target
        self._delivered = delivered
        self.begin()

    def begin(self) -> None:
        self._before = self._now()

    async def something(self) -> None:
        """Until there was a delivery, or there will be none: a busy machine may be late with the first."""
        before = self._before[-1]
        end = time.monotonic() + PATIENCE
        while self._delivered() == before and time.monotonic() < end:
            await asyncio.sleep(0.01)

    def end(self) -> dict[str, float]:
        now = self._now()
        seconds, server, generator, delivered = (b - a for a, b in zip(self._before, now, strict=True))
        numbers = {
            "seconds": seconds,
            "deliveries": delivered,
            "deliveries_s": delivered / seconds,
            "server": server / seconds,
            "generator": generator / seconds,
        }
        if delivered:
            numbers["us"] = server / delivered * 1e6
            numbers["generator_us"] = generator / delivered * 1e6
        return numbers

    def _now(self) -> tuple[float, float, float, float]:
        return (
            time.perf_counter(),
            machine.cpu(self._target.pid),
            time.process_time(),
            self._delivered(),
        )


def percentiles(latencies: Sequence[int]) -> dict[str, float]:
    """In milliseconds."""
    if not latencies:
        return {}
    ordered = sorted(latencies)
    last = len(ordered) - 1
    return {
        name: ordered[min(last, int(len(ordered) * share))] / 1e6
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p99_9", 0.999))
    }


@asynccontextmanager
async def undisturbed() -> AsyncIterator[None]:
    """Our own garbage collector does not run while we measure."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
