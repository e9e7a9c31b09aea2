"""What an operator's tools ask: /metrics in the Prometheus format, /healthz. On loopback only."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from core.admission import Admission
from core.chat import Chat
from core.counters import APPEND_BOUNDS
from core.log import Log, LogError

LAG_EVERY: Final = 0.5
"""Seconds between two measurements of how late the event loop is."""


class _Numbers(Collector):
    """Reads the chat's own counters when somebody asks: nothing is measured per message."""

    def __init__(self, chat: Chat, doors: dict[str, Admission]) -> None:
        self._chat = chat
        self._doors = doors
        self.lag = 0.0

    def collect(self) -> Iterable[Metric]:
        counters = self._chat.counters
        connections = GaugeMetricFamily("parlour_connections", "Open connections.", labels=["door"])
        for door, admission in self._doors.items():
            connections.add_metric([door], admission.connected)
        yield connections
        for name, text, value in (
            ("messages", "Messages stored and shown.", counters.messages),
            ("deliveries", "Items written to readers.", counters.deliveries),
            ("received", "Lines and frames taken from peers.", counters.received),
            ("sent_bytes", "Bytes handed to connections.", counters.sent),
        ):
            yield CounterMetricFamily(f"parlour_{name}", text, value=value)
        refusals = CounterMetricFamily("parlour_refusals", "Errors answered, by code.", labels=["code"])
        for code, number in counters.refusals.items():
            refusals.add_metric([code], number)
        yield refusals
        cuts = CounterMetricFamily("parlour_cuts", "Connections ended by us, by reason.", labels=["reason"])
        for reason, number in counters.cuts.items():
            cuts.add_metric([reason], number)
        cuts.add_metric(["too-many-connections"], sum(door.refused for door in self._doors.values()))
        yield cuts
        buckets, total = [], 0
        for bound, number in zip((*map(str, APPEND_BOUNDS), "+Inf"), counters.appends, strict=True):
            total += number
            buckets.append((bound, total))
        yield HistogramMetricFamily(
            "parlour_append_seconds",
            "Time until a batch was stored.",
            buckets=buckets,
            sum_value=counters.append_seconds,
        )
        yield GaugeMetricFamily("parlour_loop_lag_seconds", "How late the event loop is.", value=self.lag)

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self.lag = max(0.0, loop.time() - due)


@asynccontextmanager
async def serve(
    chat: Chat, log: Log, doors: dict[str, Admission], sockets: Sequence[socket.socket]
) -> AsyncIterator[None]:
    registry = CollectorRegistry()
    numbers = _Numbers(chat, doors)
    registry.register(numbers)
    for collect in (ProcessCollector, PlatformCollector, GCCollector):
        collect(registry=registry)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_: web.Request) -> web.Response:
        try:
            await log.check()
        except LogError as error:
            return web.Response(status=503, text=f"{error.code}\n")
        return web.Response(text="ok\n")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", health)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=8.0, shutdown_timeout=1.0)
    await runner.setup()
    watching = asyncio.create_task(numbers.watch())
    try:
        for sock in sockets:
            await web.SockSite(runner, sock).start()
        yield
    finally:
        watching.cancel()
        await runner.cleanup()
