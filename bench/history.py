"""A log with a million messages, made as the server makes it; and many who page through it and search it."""

import asyncio
import random
import re
import socket
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final

import aiohttp

from attack.server import Target
from bench import machine, server
from bench.measuring import percentiles, undisturbed
from bench.results import Result, rounded
from core.facts import Said
from core.names import Nick, RoomName
from storage import schema, tidying
from storage.rows import Row, insertion

ROOMS: Final = 100
"""So that a million messages are 10,000 in each, which is what a room keeps unless told otherwise."""

PAGERS: Final = 4
SEARCHERS: Final = 4
PAGE: Final = 50
PROBE_EVERY: Final = 0.005
"""Seconds between an answer to the probe and its next question."""

LAG_EVERY: Final = 0.5
"""Seconds between two looks at the server's own measure."""

WORDS: Final = tuple(a + b for a in "bdfgklmnprstvz" for b in ("ai", "are", "elo", "ine", "ost", "um", "ybe"))


def create(file: Path) -> None:
    schema.prepare(file)


def extend(file: Path, before: int, upto: int) -> None:
    """Add messages, with their words in the index, as if they had been said."""
    if upto == before:
        return
    with closing(schema.connect(file)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        for statement, row in _insertions(before, upto):
            database.execute(statement, row)
        database.execute("COMMIT")
        while tidying.index_some(database):
            pass
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insertions(before: int, upto: int) -> Iterator[tuple[str, Row]]:
    chance = random.Random(before)
    now = time.time_ns() // 1_000_000
    for number in range(before + 1, upto + 1):
        text = " ".join(chance.choices(WORDS, k=8))
        room = RoomName(f"#past-{number % ROOMS}")
        said = Said(room, Nick(f"Reader{number % 97}"), text, "bench")
        yield insertion(number, now - (upto - number), said)


class Faulty(Exception):
    """An answer that is not what was asked for."""


async def read(file: Path, messages: int, seconds: float) -> list[Result]:
    """How late the event loop is meanwhile: by its own measure, and for a bystander on the line door."""
    with closing(sqlite3.connect(file)) as database:
        (kept,) = database.execute("SELECT count(*) FROM message").fetchone()
    assert kept == messages
    answers = {"pages": 0, "searches": 0}
    lags: list[float] = []
    faults: dict[str, int] = {}
    async with server.parlour(str(file)) as target, undisturbed(), aiohttp.ClientSession() as session:
        before, began = machine.cpu(target.pid), time.monotonic()
        end = began + seconds
        work = [_page(session, target, n, end, answers) for n in range(PAGERS)]
        work += [_search(session, target, n, end, answers) for n in range(SEARCHERS)]
        probing = asyncio.to_thread(_probe, target.tcp, end)
        *done, round_trips, _ = await asyncio.gather(
            *work, probing, _watch(target, end, lags), return_exceptions=True
        )
        used, took = machine.cpu(target.pid) - before, time.monotonic() - began
    for problem in done:
        if isinstance(problem, BaseException):
            faults[f"{type(problem).__name__}: {problem}"] = 1
    if isinstance(round_trips, BaseException):
        raise round_trips
    assert isinstance(round_trips, list)
    numbers = {
        "pages_s": answers["pages"] / took,
        "searches_s": answers["searches"] / took,
        "server": used / took,
        "lag_p99": sorted(lags)[int(len(lags) * 0.99)] * 1000 if lags else 0.0,
        "lag_median": statistics.median(lags) * 1000 if lags else 0.0,
        **{f"ping_{name}": value for name, value in percentiles(round_trips).items()},
    }
    return [Result("history", {"messages": messages}, rounded(numbers), faults)]


async def _enter(session: aiohttp.ClientSession, target: Target, nick: str, rooms: range) -> "_Page":
    page = _Page(await session.ws_connect(f"http://127.0.0.1:{target.web}/ws", max_msg_size=0))
    await page.ask("welcome", type="login", nick=nick)
    for room in rooms:
        await page.ask("ok", type="join", room=f"#past-{room}")
    return page


class _Page:
    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self._refs = count()

    async def ask(self, kind: str, **fields: str | int) -> str:
        ref = f'"ref":"{next(self._refs)}"'
        await self._ws.send_json({**fields, "ref": ref[7:-1]})
        while ref not in (answer := await self._ws.receive_str(timeout=10)):
            pass  # somebody came or went
        if f'"type":"{kind}"' not in answer[:30]:
            raise Faulty(answer[:100])
        return answer


async def _page(
    session: aiohttp.ClientSession, target: Target, n: int, end: float, answers: dict[str, int]
) -> None:
    rooms = range(n * 10, n * 10 + 10)
    page = await _enter(session, target, f"Pager{n}", rooms)
    while True:
        for room in rooms:
            older: dict[str, int] = {}
            more = True
            while more:
                if time.monotonic() > end:
                    return
                asked: dict[str, str | int] = {"room": f"#past-{room}", "limit": PAGE, **older}
                answer = await page.ask("history", type="history", **asked)
                oldest = re.search(r'"id":(\d+)', answer)
                if oldest is None or answer.count('"id":') != PAGE:
                    raise Faulty(answer[:100])
                older = {"before": int(oldest[1])}
                more = '"more":true' in answer
                answers["pages"] += 1


async def _search(
    session: aiohttp.ClientSession, target: Target, n: int, end: float, answers: dict[str, int]
) -> None:
    chance = random.Random(n)
    page = await _enter(session, target, f"Searcher{n}", range(50 + n * 10, 60 + n * 10))
    while time.monotonic() < end:
        words = " ".join(chance.sample(WORDS, k=chance.choice((1, 1, 2))))
        answer = await page.ask("results", type="search", query=words, limit=50)
        if '"id":' not in answer:
            raise Faulty(f"nothing found for {words}")
        answers["searches"] += 1


async def _watch(target: Target, end: float, lags: list[float]) -> None:
    while time.monotonic() < end:
        await asyncio.sleep(LAG_EVERY)
        lags.append((await target.counters())["parlour_loop_lag_seconds"])


def _probe(port: int, end: float) -> list[int]:
    """Nanoseconds from PING to PONG, on a thread of its own."""
    taken = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock, sock.makefile("rb") as lines:
        sock.sendall(b"LOGIN Bystander\n")
        while lines.readline() != b"OK\n":
            pass
        while time.monotonic() < end:
            began = time.perf_counter_ns()
            sock.sendall(b"PING\n")
            while lines.readline() != b"PONG\n":
                pass
            taken.append(time.perf_counter_ns() - began)
            time.sleep(PROBE_EVERY)
    return taken
