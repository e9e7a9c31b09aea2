"""What tires others may be done a few times at once and then now and then. On the clock that skips."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core import commands as c
from core.chat import Chat
from core.limits import Limits
from storage.memory import MemoryLog
from tests.core.person import Person, enter
from tests.core.resuming import resume, token_of
from tests.doors import UNLIMITED

pytestmark = pytest.mark.asyncio(loop_factories=["skipping"])


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person, "deadline", 3600.0)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    """Commands at any speed but for those with a limit of their own."""
    limits = Limits(rate=1000, burst=1000, login_timeout=0, idle_timeout=0)
    async with Chat(MemoryLog(), limits=limits) as chat:
        yield chat


async def test_a_name_may_be_changed_three_times_at_once_and_then_every_twenty_seconds(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(*[c.Rename(nick) for nick in ("A1", "server", "A2", "A3", "A4")])
    await ann.sees("NickChanged A1", "Error invalid-username that name is reserved", "NickChanged A2")
    await ann.sees("NickChanged A3", "Error too-fast 20")
    await asyncio.sleep(19)
    ann.does(c.Rename("A4"))
    await ann.sees("Error too-fast 1")
    await asyncio.sleep(1.01)
    ann.does(c.Rename("A4"), c.Rename("A5"))
    await ann.sees("NickChanged A4", "Error too-fast 20")


async def test_a_name_that_somebody_has_or_that_one_has_already_counts_for_nothing(chat: Chat) -> None:
    ann, _ = await enter(chat, "Ann", "Bob")
    ann.does(*[c.Rename(nick) for nick in ("Bob", "Ann") * 3], *[c.Rename(f"A{n}") for n in range(4)])
    await ann.sees(*["Error nick-taken", "NickChanged Ann"] * 3)
    await ann.sees(*[f"NickChanged A{n}" for n in range(3)], "Error too-fast 20")


async def test_the_room_may_be_changed_ten_times_at_once_and_then_every_six_seconds(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Join("#general"), *[c.Join(f"#r{n}") for n in range(11)])
    await ann.sees("Error already-in-that-room", *[f"Entered #r{n}" for n in range(10)], "Error too-fast 6")
    ann.does(*[c.Leave(f"#r{n}") for n in range(10)])
    await ann.sees(*["Done"] * 10)
    await asyncio.sleep(6.01)
    ann.does(c.Join("#r1"))
    await ann.sees("Entered #r1")


async def test_five_strangers_may_be_written_to_at_once_and_then_one_every_fifteen_seconds(
    chat: Chat,
) -> None:
    ann, *others = await enter(chat, "Ann", *[f"P{n}" for n in range(7)])
    ann.does(*[c.Dm(f"P{n}", "hello") for n in range(6)])
    await ann.sees(*["Stored"] * 5, "Error too-fast 15")
    ann.does(c.Dm("P0", "again"))
    await ann.sees("Stored")
    others[6].does(c.Dm("Ann", "I am first"))
    await ann.sees("Told P6 Ann I am first")
    ann.does(c.Dm("P6", "an answer"), c.Dm("P5", "still a stranger"))
    await ann.sees("Stored", "Error too-fast 15")
    await asyncio.sleep(15.01)
    ann.does(c.Dm("P5", "at last"))
    await ann.sees("Stored")
    await others[5].sees("Told Ann P5 at last")


async def test_who_comes_back_may_answer_and_may_do_no_more_than_before(chat: Chat) -> None:
    ann, *others = await enter(chat, "Ann", *[f"P{n}" for n in range(7)])
    for other in others:
        other.does(c.Dm("Ann", "a question"))
    await ann.sees(*[f"Told P{n} Ann a question" for n in range(7)])
    ann.does(*[c.Rename(f"A{n}") for n in range(3)])
    await ann.sees(*[f"NickChanged A{n}" for n in range(3)])
    ann.leaves(dropped=True)
    back, _, _ = await resume(chat, token_of(ann))
    back.does(*[c.Dm(f"P{n}", "an answer") for n in range(7)], c.Rename("A4"))
    await back.sees(*["Stored"] * 7, "Error too-fast 20")


async def test_many_strangers_who_write_are_not_all_kept(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.session.PARTNERS_MAX", 3)
    ann, *others = await enter(chat, "Ann", *[f"P{n}" for n in range(5)])
    for other in [*others, others[2]]:
        other.does(c.Dm("Ann", "hello"))
        await other.sees("Stored")
    assert [*(ann.session.partners or {})] == [others[n].session.id for n in (3, 4, 2)]


async def test_without_a_rate_there_is_no_haste() -> None:
    async with Chat(MemoryLog(), limits=UNLIMITED) as chat:
        ann, *_ = await enter(chat, "Ann", *[f"P{n}" for n in range(9)])
        ann.does(*[c.Rename(f"A{n}") for n in range(9)], *[c.Join(f"#r{n}") for n in range(15)])
        ann.does(*[c.Dm(f"P{n}", "hello") for n in range(9)])
        await ann.sees(*[f"NickChanged A{n}" for n in range(9)], *[f"Entered #r{n}" for n in range(15)])
        await ann.sees(*["Stored"] * 9)
