"""Moments that a real network rarely hits, made to happen: the chat and the log without processes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from sqlite3 import Connection

import pytest

from core import commands as c
from core.chat import Chat
from core.limits import REPLAY_MAX, Limits
from core.log import Reader
from storage import reading, schema, tidying
from storage.memory import MemoryLog
from storage.sqlite import SqliteLog
from tests.core.logs import HeldLog
from tests.core.person import Kind, ListWire, Person, enter, numbered
from tests.core.resuming import token_of
from tests.doors import UNLIMITED
from tests.storage.facts import said


class ClogsUp(ListWire):
    """Takes three writes, then no more for the time being."""

    def waiting(self) -> int:
        return 0 if len(self.writes) < 3 else 1_000_000


@asynccontextmanager
async def releasing(log: HeldLog) -> AsyncIterator[None]:
    """A test that fails leaves nothing behind that its chat would wait for."""
    try:
        yield
    finally:
        log.release(100)


SOON = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=0.01)


async def test_a_resume_that_is_cut_short_ends_with_what_was_missed() -> None:
    """Who sees a newer message believes to have seen all before it, and never asks for the rest."""
    async with Chat(MemoryLog(), limits=UNLIMITED) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        bob.does(*numbered("#general", 0, REPLAY_MAX))
        await bob.sees(*["Stored"] * REPLAY_MAX)
        kind = Kind()
        slow, again = Person(chat, kind=kind), Person(chat)
        slow.wire = ClogsUp(kind)
        slow.session.reach_by(slow.wire)
        slow.does(c.Resume(token_of(ann), 0))
        await slow.sees(f"Resumed Ann #general True {REPLAY_MAX}")
        await slow.sees("Replayed Said #general Bob 0", "Replayed Said #general Bob 1")
        bob.does(c.Msg("#general", "live"))
        await bob.sees("Stored")
        again.does(c.Resume(token_of(ann), REPLAY_MAX))
        await slow.is_closed()
        assert slow.waiting[-1] == "Bye resumed-elsewhere"
        assert "Said #general Bob live" not in slow.waiting
        await again.sees("Resumed Ann #general True 1")


async def test_a_connection_that_lost_its_session_hears_nothing_after_the_good_bye() -> None:
    """An answer there would be about messages that its reader was not shown any more."""
    async with Chat(MemoryLog(), limits=UNLIMITED) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        again = Person(chat)
        again.does(c.Resume(token_of(ann), 0))
        bob.does(c.Msg("#general", "from Bob"))
        ann.does(c.Msg("#general", "from Ann"))
        await ann.is_closed()
        assert ann.waiting[-1] == "Bye resumed-elsewhere"


async def test_a_direct_message_under_way_finds_a_reader_who_left_and_came_back() -> None:
    log = HeldLog()
    async with Chat(log, limits=UNLIMITED) as chat, releasing(log):
        ann, bob = await enter(chat, "Ann", "Bob")
        ann.does(c.Dm("Bob", "hi"))
        await log.is_asked()
        bob.leaves()
        again = Person(chat)
        again.does(c.Resume(token_of(bob), 0))
        await again.sees("Resumed Bob #general True")
        log.release()
        await ann.sees("Disconnected Bob", "Connected #general Bob", "Stored")
        await again.sees("Told Ann Bob hi")


async def test_a_connection_that_breaks_behind_a_message_ends_once() -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    log = HeldLog()
    async with Chat(log, limits=SOON) as chat, releasing(log):
        ann, bob = await enter(chat, "Ann", "Bob")
        ann.does(c.Msg("#general", "hi"))
        await log.is_asked()
        chat.end(ann.session, dropped=True)
        log.release()
        await bob.sees("Said #general Ann hi", "Disconnected Ann")
        await bob.sees_nothing()
        other = Person(chat)  # a whole linger later
        other.does(c.Login("Cas"))
        await other.sees("Welcome Cas #general")
        chat.end(other.session, dropped=True)
        await bob.sees("Connected #general Cas", "Disconnected Cas")
    assert problems == []


async def test_a_session_that_is_here_can_be_taken_back_however_long_it_has_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is good for seven days after its session was last heard of, and this one is still heard of."""
    path = tmp_path / "parlour.db"
    async with SqliteLog(path) as log, Chat(log, limits=UNLIMITED) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        bob.does(c.Msg("#general", "hi"))  # the records of the sessions go along with it
        await ann.sees("Said #general Bob hi")
        now = time.time_ns() + 8 * 86_400 * 1_000_000_000
        monkeypatch.setattr(time, "time_ns", lambda: now)
        ann.does(c.Msg("#general", "still here"))
        await bob.sees("Stored", "Said #general Ann still here")
        with closing(schema.connect(path)) as database:
            tidying.forget_sessions(database)
        again = Person(chat)
        again.does(c.Resume(token_of(ann), log.last_id))
        await again.sees("Resumed Ann #general True")


async def test_what_is_deleted_while_a_gap_is_read_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    """None, or everything: a part of what was missed must not look like all of it."""
    path = tmp_path / "parlour.db"
    async with SqliteLog(path) as log:
        await log.append([said(str(n)) for n in range(20)])
    reader, writer = schema.connect(path), schema.connect(path)
    deleted = False

    def delete_between(statement: str) -> None:
        nonlocal deleted
        if "FROM message WHERE room" in statement and not deleted:
            deleted = True
            tidying.trim_room(writer, "#general", 5)

    reader.set_trace_callback(delete_between)
    try:
        missed = _since(reader)
    finally:
        reader.close()
        writer.close()
    assert deleted
    assert missed in (None, 20)


def _since(database: Connection) -> int | None:
    who = Reader("id-Bob", {said("").room: 0})
    found = reading.since(database, who, after=0, upto=20, limit=REPLAY_MAX)
    return None if found is None else len(found)
