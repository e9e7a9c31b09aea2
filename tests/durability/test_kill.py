"""kill -9 in the middle of the load: what anybody was shown or acknowledged is in the file, always.

PARLOUR_KILLS says how often in all; 8 times unless it is set.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.durability.checker import violations
from tests.durability.crowd import Door, Person, crowd, settle
from tests.durability.evidence import Evidence
from tests.durability.line_person import LinePerson
from tests.durability.storing_checks import acknowledged_is_stored, shown_is_stored
from tests.durability.traces import Resumed, Row, stored
from tests.durability.web_person import WebPerson
from tests.e2e.server import Server, serving

KILLS_PER_FILE: Final = 8
KILLS: Final = int(os.environ.get("PARLOUR_KILLS", KILLS_PER_FILE))
LATEST: Final = 0.3
"""Seconds into the load at which the server is killed at the latest."""


def _people(lines: Door, web: Door, chance: Random) -> list[Person]:
    names = ("Ann", "Bob", "Cas", "Dee")
    writers = [WebPerson(name, web, chance, friends=(*names, "Eve")) for name in names]
    readers = [WebPerson(name, web, chance, talks=False) for name in ("Eve", "Fay")]
    line_writers = [LinePerson(name, lines, chance) for name in ("Gus", "Hal")]
    line_readers = [LinePerson(name, lines, chance, talks=False) for name in ("Ivy", "Jon")]
    return [*writers, *readers, *line_writers, *line_readers]


def _as_left(data: Path, scratch: Path) -> list[Row]:
    """What is stored in the file of a server that was killed; the file itself is left as it is."""
    scratch.mkdir(exist_ok=True)
    for suffix in ("", "-wal"):
        file = data.with_name(data.name + suffix)
        copy = scratch / file.name
        copy.unlink(missing_ok=True)
        if file.exists():
            shutil.copy(file, copy)
    return stored(scratch / data.name)


async def _load_until_killed(
    server: Server, people: Sequence[Person], doors: Sequence[Door], after: float
) -> None:
    def kill() -> None:
        for door in doors:
            door.shuts()
        server.program.process.kill()

    for person in people:
        await person.speaks()
    asyncio.get_running_loop().call_later(after, kill)
    await server.program.exited()
    for person in people:
        person.speaking = False
        person.holds = True  # until all are back: one cannot write to somebody who is away


@asynccontextmanager
async def _open(
    options: Sequence[str], lines: Door, web: Door, people: Sequence[Person]
) -> AsyncIterator[Server]:
    """A server to which everybody has come, or come back."""
    async with serving(*options) as server:
        lines.opens(server.tcp_port)
        web.opens(server.web_port)
        for person in people:
            await person.comes()
        yield server


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(-(-KILLS // KILLS_PER_FILE)))
async def test_a_killed_server_has_lost_nothing_that_was_shown_or_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)
    data = tmp_path / "parlour.db"
    options = ("--data", str(data), "--rate", "0", "--history-per-room", "0")
    lines, web = Door(), Door()
    people = _people(lines, web, chance)
    traces = [person.trace for person in people]
    left: list[Row] = []
    async with crowd(people):
        for _ in range(KILLS_PER_FILE):
            async with _open(options, lines, web, people) as server:
                await _load_until_killed(server, people, (lines, web), chance.uniform(0, LATEST))
            before, left = left, _as_left(data, tmp_path / "copy")
            assert left[: len(before)] == before
            evidence = Evidence(traces, left)
            assert [*shown_is_stored(evidence), *acknowledged_is_stored(evidence)] == []
        async with _open(options, lines, web, people):
            for person in people:
                await person.speaks()
            await settle(people)
            for person in people:
                await person.leaves()
    rows = stored(data)
    assert rows[: len(left)] == left
    assert len(rows) > len(left) > 100
    assert violations(traces, rows) == []
    resumes = [step for trace in traces for step in trace.steps if isinstance(step, Resumed)]
    assert [step for step in resumes if not step.recovered] == []
    assert len(resumes) == KILLS_PER_FILE * len(people)
