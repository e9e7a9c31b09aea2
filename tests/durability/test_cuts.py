"""A network that cuts connections at random places, under load: nobody misses anything or sees it twice.

PARLOUR_CUTS says how many cuts in all; 40 unless it is set.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.clients import HOST, WebClient
from tests.durability.breaking import reset
from tests.durability.checker import violations
from tests.durability.crowd import Door, Person, crowd, settle
from tests.durability.line_person import LinePerson
from tests.durability.proxy import Cuts, cutting
from tests.durability.traces import Acked, Must, Resumed, stored
from tests.durability.web_person import WebPerson
from tests.e2e.server import serving
from tests.e2e.sockets import HANDSHAKE

CUTS_PER_RUN: Final = 40
CUTS: Final = int(os.environ.get("PARLOUR_CUTS", CUTS_PER_RUN))

NAMES: Final = ("Ann", "Bob", "Cas", "Dee", "Eve", "Fay")
ROOMS: Final = ("#python", "#tea", "#cats")


def _people(lines: Door, web: Door, steady: Door, chance: Random) -> list[Person]:
    """`steady` is a door without a proxy: someone has to see the truth of each moment."""
    return [
        *(WebPerson(name, web, chance, friends=NAMES, elsewhere=ROOMS) for name in NAMES[:5]),
        WebPerson("Fay", web, chance, talks=False),
        WebPerson("Gil", steady, chance, talks=False),
        LinePerson("Hal", lines, chance),
        LinePerson("Ivy", lines, chance, talks=False),
    ]


async def _come_double(pages: Sequence[WebPerson], chance: Random, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await chance.choice(pages).doubles()


@pytest.mark.timeout(150)
@pytest.mark.parametrize("seed", range(-(-CUTS // CUTS_PER_RUN)))
async def test_cut_connections_lose_nothing_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    data = tmp_path / "parlour.db"
    lines, web, steady = Door(), Door(), Door()
    people = _people(lines, web, steady, chance)
    pages = [person for person in people if isinstance(person, WebPerson)]
    traces = [person.trace for person in people]
    cuts = Cuts()
    async with (
        serving("--data", str(data), "--rate", "0", "--history-per-room", "0") as server,
        cutting(server.web_port, cuts, chance) as web_port,
        cutting(server.tcp_port, cuts, chance) as line_port,
        crowd(people),
    ):
        web.opens(web_port)
        lines.opens(line_port)
        steady.opens(server.web_port)
        for person in people:
            await person.comes()
        for person in people:
            await person.speaks()
        async with asyncio.TaskGroup() as group:
            stop = asyncio.Event()
            group.create_task(_come_double(pages, chance, stop))
            await cuts.happen(CUTS_PER_RUN, 60)
            stop.set()
        await settle(people)
        for person in people:
            await person.leaves()
    rows = stored(data)
    assert violations(traces, rows) == []
    assert {bye for page in pages for bye in page.byes} <= {"resumed-elsewhere"}
    # And it was all there: cuts, resumes with something missed, retries, people who changed rooms.
    steps = [step for trace in traces for step in trace.steps]
    assert cuts.made.total() == CUTS_PER_RUN
    assert sum(step.missed for step in steps if isinstance(step, Resumed)) > 0
    assert any(isinstance(step, Acked) and step.again for step in steps)
    assert any(isinstance(step, Must) and step.place in ROOMS for step in steps)


async def test_who_is_gone_before_the_handshake_is_answered_is_no_failure() -> None:
    async with serving("--data", "memory") as server:
        for _ in range(50):
            _, writer = await asyncio.open_connection(HOST, server.web_port)
            writer.write(HANDSHAKE)
            reset(writer.transport)
        async with WebClient(server.web_port, "Ann") as ann:
            await ann.hears_nothing()
