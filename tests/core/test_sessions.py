"""A session outlives its connection: it lingers, is taken over, and has a token that proves it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core import commands as c
from core.chat import Chat
from core.limits import Limits
from core.replies import TokenIs
from storage.memory import MemoryLog
from tests.core.logs import HeldLog, SlowSince
from tests.core.person import Person, enter, join
from tests.core.resuming import LIMITS, LINGER, resume, token_of

pytestmark = pytest.mark.asyncio(loop_factories=["skipping"])


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person, "deadline", 3600.0)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    async with Chat(MemoryLog(), limits=LIMITS) as chat:
        yield chat


def now() -> float:
    return asyncio.get_running_loop().time()


# ------------------------------------------------------------------ lingering


async def test_a_broken_connection_is_noticed_after_ten_seconds_and_once(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    start = now()
    bob.leaves(dropped=True)
    await ann.sees("Disconnected Bob")
    assert now() - start == pytest.approx(LINGER, abs=0.1)
    await ann.sees_nothing()


async def test_a_closed_connection_is_noticed_at_once(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    start = now()
    bob.leaves()
    await ann.sees("Disconnected Bob")
    assert now() - start < 1


async def test_someone_without_a_token_does_not_linger(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    (bob,) = await enter(chat, "Bob", one_room=True)
    await ann.sees("Connected #general Bob")
    start = now()
    bob.leaves(dropped=True)
    await ann.sees("Disconnected Bob")
    assert now() - start < 1


async def test_without_a_linger_a_broken_connection_is_noticed_at_once() -> None:
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=0)
    async with Chat(MemoryLog(), limits=limits) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        bob.leaves(dropped=True)
        await ann.sees("Disconnected Bob")


async def test_whoever_lingers_is_still_there_for_the_others(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.leaves(dropped=True)
    ann.does(c.Who(), c.Dm("Bob", "are you there?"))
    await ann.sees("Users Ann,Bob", "Stored")
    other = Person(chat)
    other.does(c.Login("bob"))
    await other.sees("Error username-taken")


# ------------------------------------------------------------------ the old connection is still there


async def test_the_old_connection_is_told_and_closed_and_nobody_else_notices(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    back, _, _ = await resume(chat, token_of(bob), 0)
    await bob.sees("Bye resumed-elsewhere")
    assert await bob.is_closed() == "resumed-elsewhere"
    bob.leaves()
    ann.does(c.Msg("#general", "hi"))
    await back.sees("Said #general Ann hi")
    await ann.sees("Stored")
    await ann.sees_nothing()


async def test_of_two_who_resume_at_once_one_has_the_session(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    first, second = Person(chat), Person(chat)
    first.does(c.Resume(token_of(bob), 0))
    second.does(c.Resume(token_of(bob), 0))
    await second.sees("Resumed Bob #general True")
    assert await first.is_closed() == "resumed-elsewhere"
    first.leaves()
    ann.does(c.Msg("#general", "hi"))
    await second.sees("Said #general Ann hi")
    await ann.sees("Stored")
    await ann.sees_nothing()


async def test_whoever_loses_the_session_before_the_answer_is_told_only_that() -> None:
    log = SlowSince()
    async with Chat(log, limits=LIMITS) as chat:
        (bob,) = await enter(chat, "Bob")
        first, second = Person(chat), Person(chat)
        first.does(c.Resume(token_of(bob), 0))
        await log.asked.wait()
        second.does(c.Resume(token_of(bob), 0))
        log.may.set()
        await second.sees("Resumed Bob #general True")
        assert await first.is_closed() == "resumed-elsewhere"
        await first.sees("Bye resumed-elsewhere")
        assert first.waiting == []


async def test_what_was_missed_is_not_for_a_connection_that_has_lost_the_session_meanwhile() -> None:
    """Whether or not it has been closed already."""
    log = SlowSince()
    async with Chat(log, limits=LIMITS) as chat:
        (bob,) = await enter(chat, "Bob")
        first, second = Person(chat), Person(chat)
        first.does(c.Resume(token_of(bob), 0), c.Ping())
        await log.asked.wait()
        chat._roster.replace(first.session, second.session)
        log.may.set()
        await first.sees("Error login-required Send login or resume first")  # to the ping


async def test_a_message_under_way_on_the_old_connection_is_shown_once_and_never_to_its_author() -> None:
    log = HeldLog()
    async with Chat(log, limits=LIMITS) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        bob.does(c.Msg("#general", "under way", ref="r"))
        await log.is_asked()
        back, _, _ = await resume(chat, token_of(bob), 0)
        back.does(c.Msg("#general", "under way", ref="r"))
        log.release(2)
        await back.sees("Stored")
        await ann.sees("Said #general Bob under way")
        await ann.sees_nothing()
        await back.sees_nothing()


# ------------------------------------------------------------------ tokens


async def test_a_token_can_be_asked_for_and_stays_the_same(chat: Chat) -> None:
    """The answer to the first may be lost; and asked for again, it marks how far one has read."""
    (ann,) = await enter(chat, "Ann", one_room=True)
    ann.does(c.Token(), c.Msg(c.HERE, "one"), c.Token())
    first = await ann.next()
    await ann.sees("Stored")
    second = await ann.next()
    assert isinstance(first, TokenIs)
    assert isinstance(second, TokenIs)
    assert (first.last_id, second.last_id) == (0, 1)
    assert first.token == second.token
    back, answer, _ = await resume(chat, first.token, 0)
    assert answer.nick == "Ann"
    back.does(c.Token())
    third = await back.next()
    assert isinstance(third, TokenIs)
    assert third.token == first.token


@pytest.mark.parametrize("token", ["", "nonsense", "\ud800", "x" * 10_000])
async def test_a_token_that_was_never_given_out_takes_nothing_back(chat: Chat, token: str) -> None:
    await enter(chat, "Ann")
    stranger = Person(chat)
    stranger.does(c.Resume(token, 0), c.Login("Bob"))
    await stranger.sees("Error not-resumable Log in anew", "Welcome Bob #general")


async def test_whoever_is_logged_in_cannot_take_a_session_back(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Resume(token_of(bob), 0))
    await ann.sees("Error already-logged-in")
    await bob.sees_nothing()


# ------------------------------------------------------------------ from many rooms to one


async def test_a_door_with_one_room_keeps_the_last_of_many(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", ann, bob)
    back, answer, _ = await resume(chat, token_of(bob), 0, one_room=True)
    assert answer.nick == "Bob"
    await ann.sees("Left #general Bob")
    back.does(c.Msg(c.HERE, "here"))
    await ann.sees("Said #python Bob here")


async def test_a_door_with_one_room_puts_someone_who_is_in_none_into_general(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.does(c.Leave("#general"))
    await ann.sees("Left #general Bob")
    back, _, _ = await resume(chat, token_of(bob), 0, one_room=True)
    back.does(c.Msg(c.HERE, "hi"))
    await back.sees("Stored")


# ------------------------------------------------------------------ someone who does not read


async def test_whoever_does_not_take_what_was_missed_is_cut_and_leaves(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.leaves(dropped=True)
    ann.does(c.Msg("#general", "missed"))
    await ann.sees("Stored")
    back = Person(chat)
    back.wire.stuck = 1_000_000
    back.does(c.Resume(token_of(bob), 0))
    assert await back.is_closed() == "sendq"
    back.leaves()
    await ann.sees("Disconnected Bob")
