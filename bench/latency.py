"""Added latency of storing: the same load on a server that keeps messages and on one that does not.

Both servers run at the same time and are measured in turns, a few seconds each, so that whatever else
happens on the machine meets both. Latency is from the moment a message was due to be sent to the moment
a reader has it, over all deliveries.

    python bench/latency.py [--rate 500] [--readers 100] [--seconds 4] [--rounds 10] [--durability full]
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Self, cast

import uvloop

HOST: Final = "127.0.0.1"
SENDERS: Final = 5
WARM_UP: Final = 1.0
"""Seconds of load at the start of each turn that are not counted."""
STAMP: Final = re.compile(rb"t(\d+)\.")
PING: Final = b"\x89\x00"
PONG: Final = b"\x8a\x80\x00\x00\x00\x00"
HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Measure:
    """The latencies of one turn, in nanoseconds."""

    def __init__(self, since: int) -> None:
        self.since = since
        """What was due before is not counted."""
        self.sent = 0
        self.expected = 0
        """Deliveries, once everything was sent."""
        self.complete = asyncio.Event()
        self.latencies = array("q")

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        values = sorted(self.latencies)
        return values[min(len(values) - 1, int(len(values) * share))] / 1e6


class Client(asyncio.Protocol):
    """A reader; senders are readers that are not measured."""

    measure: Measure | None = None

    def __init__(self, first: bytes, ready: bytes) -> None:
        self._first = first
        self._ready = ready
        self._rest = b""
        self.is_ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none of asyncio's classes
        self.transport.write(self._first)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter_ns()
        data = self._rest + data
        end = 0
        measure = self.measure
        for found in STAMP.finditer(data):
            end = found.end()
            due = int(found[1])
            if measure is not None and due >= measure.since:
                measure.latencies.append(now - due)
                if len(measure.latencies) == measure.expected:
                    measure.complete.set()
        self._rest = data[end:][-64:]
        if not self.is_ready.done() and self._ready in data:
            self.is_ready.set_result(None)
        if PING in data:
            self.transport.write(PONG)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_ready.done():
            self.is_ready.set_exception(exc or ConnectionError("closed"))


def text_frame(**fields: str) -> bytes:
    """Masked with zeros; short."""
    payload = json.dumps(fields).encode()
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


class Target:
    """A server with its readers and senders."""

    def __init__(self, name: str, data: str, readers: int, durability: str) -> None:
        self.name = name
        self._options = ("--data", data, "--durability", durability)
        self._readers = readers
        self.readers: list[Client] = []
        self.senders: list[Client] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("parlour")),
            *("serve", "--host", HOST, "--tcp-port", "0", "--web-port", "0", "--rate", "0"),
            *("--idle-timeout", "0", *self._options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        lines = [(await self._process.stdout.readline()).decode() for _ in range(2)]
        tcp, web = (int(re.findall(r"\d+", line)[-1]) for line in lines)
        for n in range(self._readers):
            if n % 2:
                first = HANDSHAKE + text_frame(type="login", nick=f"web{n}")
                self.readers.append(await self._connect(web, first, b'"welcome"'))
            else:
                self.readers.append(await self._connect(tcp, f"LOGIN line{n}\n".encode(), b"\nOK\n"))
        for n in range(SENDERS):
            self.senders.append(await self._connect(tcp, f"LOGIN sender{n}\n".encode(), b"\nOK\n"))
        return self

    async def _connect(self, port: int, first: bytes, ready: bytes) -> Client:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: Client(first, ready), HOST, port)
        await client.is_ready
        return client

    async def __aexit__(self, *_: object) -> None:
        for client in (*self.readers, *self.senders):
            client.transport.abort()
        self._process.terminate()
        await self._process.wait()

    async def turn(self, rate: int, seconds: float) -> Measure:
        """The load, for so many seconds."""
        gap = 1_000_000_000 // rate
        begin = time.perf_counter_ns() + gap
        measure = Measure(begin + int(WARM_UP * 1e9))
        for reader in self.readers:
            reader.measure = measure
        for n in range(int((WARM_UP + seconds) * rate)):
            due = begin + n * gap
            wait = due - time.perf_counter_ns()
            if wait > 0:
                await asyncio.sleep(wait / 1e9)
            self.senders[n % SENDERS].transport.write(b"MSG t%d.\n" % due)
            measure.sent += due >= measure.since
        measure.expected = measure.sent * len(self.readers)
        if len(measure.latencies) >= measure.expected:
            measure.complete.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await measure.complete.wait()
        if len(measure.latencies) != measure.expected:
            sys.exit(f"{self.name}: {len(measure.latencies)} deliveries of {measure.sent} messages")
        return measure


@contextlib.asynccontextmanager
async def targets(options: argparse.Namespace) -> AsyncIterator[list[Target]]:
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        file = str(Path(folder, "parlour.db"))
        async with (
            Target("memory", "memory", options.readers, "normal") as memory,
            Target("file", file, options.readers, options.durability) as stored,
        ):
            yield [memory, stored]


async def main(options: argparse.Namespace) -> None:
    print(
        f"{options.rate} messages/s to {options.readers} readers (half line, half web), {SENDERS} senders, "
        f"turns of {options.seconds:g} s, durability {options.durability}.\n"
        f"Both servers and the readers share this machine: {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}; all on uvloop.\n"
    )
    print("| round | memory p50 | p99 (ms) | file p50 | p99 (ms) | added p50 | p99 (ms) | ratio p50 | p99 |")
    print("|---|---|---|---|---|---|---|---|---|")
    rounds: list[list[float]] = []
    async with targets(options) as both:
        for number in range(options.rounds):
            found: dict[str, list[float]] = {}
            for target in both if number % 2 else reversed(both):
                measure = await target.turn(options.rate, options.seconds)
                found[target.name] = [measure.percentile(0.5), measure.percentile(0.99)]
            memory, file = found["memory"], found["file"]
            added = [b - a for a, b in zip(memory, file, strict=True)]
            ratios = [b / a for a, b in zip(memory, file, strict=True)]
            rounds.append([*memory, *file, *added, *ratios])
            print(row(str(number + 1), rounds[-1]), flush=True)
    print(row("median", [statistics.median(column) for column in zip(*rounds, strict=True)]))


def row(head: str, values: list[float]) -> str:
    return f"| {head} | " + " | ".join(f"{value:.2f}" for value in values) + " |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Added latency of storing messages.")
    parser.add_argument("--rate", type=int, default=500, help="messages a second")
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--durability", choices=("normal", "full"), default="normal")
    parser.add_argument("--dir", default=None, help="where the file is put; the temporary folder unless told")
    uvloop.run(main(parser.parse_args()))
