"""Pace and patience. The loop's clock skips what it would wait, so the real limits can be tested."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core import commands as c
from core.chat import Chat
from core.limits import Limits
from core.replies import IdleWarning
from storage.memory import MemoryLog
from tests.core.person import Person, enter, numbered

pytestmark = pytest.mark.asyncio(loop_factories=["skipping"])

HOUR = 3600.0
PACED = Limits(login_timeout=0, idle_timeout=0)
PATIENT = Limits(rate=0)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person, "deadline", HOUR)


@pytest.fixture
async def paced() -> AsyncIterator[Chat]:
    """The usual pace: 10 commands at once, then 5 a second."""
    async with Chat(MemoryLog(), limits=PACED) as chat:
        yield chat


@pytest.fixture
async def patient() -> AsyncIterator[Chat]:
    """The usual patience: 20 seconds for the login, 60 without a word."""
    async with Chat(MemoryLog(), limits=PATIENT) as chat:
        yield chat


def now() -> float:
    return asyncio.get_running_loop().time()


async def is_warned(person: Person) -> None:
    """The chat looks once a second and counts whole seconds, so it may be a moment late."""
    assert await person.next() in (IdleWarning(15), IdleWarning(14))


# ------------------------------------------------------------------ pace


async def test_ten_commands_are_carried_out_at_once_and_then_five_a_second(paced: Chat) -> None:
    (ann,) = await enter(paced, "Ann")
    start = now()
    ann.does(*[c.Ping()] * 20)
    await ann.sees(*["Pong"] * 9)  # the login was the first of the ten
    assert now() - start < 0.1
    for n in range(1, 12):
        await ann.sees("Pong")
        assert now() - start == pytest.approx(n / 5, abs=0.05)


async def test_a_hundred_pasted_lines_arrive_whole_and_in_order(paced: Chat) -> None:
    ann, bob = await enter(paced, "Ann", "Bob")
    start = now()
    ann.does(*numbered("#general", 0, 100))
    await bob.sees(*[f"Said #general Ann {n}" for n in range(100)])
    await ann.sees(*["Stored"] * 100)
    assert now() - start == pytest.approx(91 / 5, abs=0.2)


async def test_whoever_is_too_fast_is_not_read_until_it_has_caught_up(paced: Chat) -> None:
    (ann,) = await enter(paced, "Ann")
    paused = [ann.wire.paused]
    for number in (9, 2):
        ann.does(*[c.Ping()] * number)
        paused.append(ann.wire.paused)
    assert paused == [False, False, True]
    await ann.until(lambda: not ann.wire.paused)
    await ann.sees(*["Pong"] * 11)


async def test_a_long_silence_saves_up_no_more_than_ten(paced: Chat) -> None:
    (ann,) = await enter(paced, "Ann")
    await asyncio.sleep(HOUR)
    start = now()
    ann.does(*[c.Ping()] * 11)
    await ann.sees(*["Pong"] * 10)
    assert now() - start < 0.1
    await ann.sees("Pong")
    assert now() - start >= 0.19


async def test_nobody_is_slowed_down_by_somebody_else(paced: Chat) -> None:
    ann, bob = await enter(paced, "Ann", "Bob")
    ann.does(*[c.Ping()] * 50)
    start = now()
    bob.does(c.Ping())
    await bob.sees("Pong")
    assert now() - start < 0.1


async def test_a_connection_that_ends_is_first_heard_out(paced: Chat) -> None:
    ann, bob = await enter(paced, "Ann", "Bob")
    ann.does(*numbered("#general", 0, 30))
    ann.leaves()
    await bob.sees(*[f"Said #general Ann {n}" for n in range(30)], "Disconnected Ann")
    await bob.sees_nothing()


async def test_strangers_are_paced_too(paced: Chat) -> None:
    stranger = Person(paced)
    start = now()
    stranger.does(*[c.Login("no name")] * 15)
    await stranger.until(lambda: len(stranger.waiting) == 15)
    assert now() - start == pytest.approx(1.0, abs=0.1)


async def test_without_a_rate_everything_is_carried_out_at_once() -> None:
    async with Chat(MemoryLog(), limits=Limits(rate=0, login_timeout=0, idle_timeout=0)) as chat:
        (ann,) = await enter(chat, "Ann")
        start = now()
        ann.does(*[c.Ping()] * 1000)
        await ann.sees(*["Pong"] * 1000)
        assert now() - start < 60  # at five a second it would be 200


# ------------------------------------------------------------------ patience


async def test_without_a_login_the_connection_is_closed_after_20_seconds(patient: Chat) -> None:
    stranger = Person(patient)
    start = now()
    assert await stranger.is_closed() == "login-timeout"
    await stranger.sees("Bye login-timeout 20")
    assert 20 <= now() - start <= 21.5


async def test_what_a_stranger_says_does_not_prolong_the_time_for_the_login(patient: Chat) -> None:
    stranger = Person(patient, idles=True)
    start = now()
    while not stranger.wire.closed:
        stranger.does(c.Ping())
        await asyncio.sleep(0.5)
        assert now() - start < 30
    assert stranger.wire.closed == ["login-timeout"]


async def test_whoever_has_logged_in_is_not_asked_to_again(patient: Chat) -> None:
    (ann,) = await enter(patient, "Ann")
    await asyncio.sleep(HOUR)
    await ann.sees_nothing()


async def test_after_45_silent_seconds_one_is_warned_and_after_60_disconnected(patient: Chat) -> None:
    start = now()
    (ann,) = await enter(patient, "Ann", idles=True)
    await is_warned(ann)
    assert 45 <= now() - start <= 46.5
    await ann.sees("Bye idle-timeout 60")
    assert await ann.is_closed() == "idle-timeout"
    assert 60 <= now() - start <= 61.5


@pytest.mark.parametrize("before", [60, 61])
async def test_a_warning_that_would_always_be_due_is_not_given(before: float) -> None:
    async with Chat(MemoryLog(), limits=Limits(rate=0, idle_timeout=60, idle_warning=before)) as chat:
        (ann,) = await enter(chat, "Ann", idles=True)
        await ann.sees("Bye idle-timeout 60")


async def test_any_input_starts_the_time_anew_and_the_warning_too(patient: Chat) -> None:
    (ann,) = await enter(patient, "Ann", idles=True)
    for _ in range(3):
        await is_warned(ann)
        ann.does(c.Invalid("unknown-command", "x"))
        await ann.sees("Error unknown-command x")
    start = now()
    await is_warned(ann)
    await ann.sees("Bye idle-timeout 60")
    assert now() - start >= 59


async def test_what_came_while_the_process_was_stopped_is_heard_before_anyone_is_silent(
    patient: Chat,
) -> None:
    (ann,) = await enter(patient, "Ann", idles=True)
    asyncio.get_running_loop().stop_for(61)  # type: ignore[attr-defined]  # it is the skipping one
    for _ in range(5):
        await asyncio.sleep(0)  # what is due comes before what is read
    ann.does(c.Ping())
    await ann.sees("Pong")
    await is_warned(ann)
    await ann.sees("Bye idle-timeout 60")


async def test_who_was_silent_while_the_process_was_stopped_is_warned_all_the_same(patient: Chat) -> None:
    (ann,) = await enter(patient, "Ann", idles=True)
    asyncio.get_running_loop().stop_for(61)  # type: ignore[attr-defined]  # it is the skipping one
    start = now()
    await is_warned(ann)
    await ann.sees("Bye idle-timeout 60")
    assert now() - start >= 15


async def test_what_others_say_does_not_keep_one_awake(patient: Chat) -> None:
    (ann,) = await enter(patient, "Ann", idles=True)
    (bob,) = await enter(patient, "Bob")
    await ann.sees("Connected #general Bob")
    while not ann.wire.closed:
        bob.does(c.Msg("#general", "anybody?"))
        await asyncio.sleep(5)
    assert ann.wire.closed == ["idle-timeout"]


async def test_the_others_see_who_was_too_silent_leave(patient: Chat) -> None:
    (bob,) = await enter(patient, "Bob")
    (ann,) = await enter(patient, "Ann", idles=True)
    await bob.sees("Connected #general Ann")
    assert await ann.is_closed() == "idle-timeout"
    ann.leaves()  # as a door does once its connection is closed
    await bob.sees("Disconnected Ann")


async def test_doors_whose_people_may_be_silent_are_left_alone(patient: Chat) -> None:
    (ann,) = await enter(patient, "Ann", idles=False)
    await asyncio.sleep(24 * HOUR)
    await ann.sees_nothing()


async def test_patience_without_end_can_be_chosen() -> None:
    async with Chat(MemoryLog(), limits=Limits(login_timeout=0, idle_timeout=0)) as chat:
        (ann,) = await enter(chat, "Ann", idles=True)
        stranger = Person(chat, idles=True)
        await asyncio.sleep(24 * HOUR)
        await ann.sees_nothing()
        assert not stranger.wire.closed
        assert stranger.waiting == []


async def test_each_kind_of_patience_can_be_without_end_alone() -> None:
    async with Chat(MemoryLog(), limits=Limits(login_timeout=0)) as chat:
        stranger = Person(chat, idles=True)
        await asyncio.sleep(HOUR)
        assert not stranger.wire.closed
    async with Chat(MemoryLog(), limits=Limits(idle_timeout=0)) as chat:
        (ann,) = await enter(chat, "Ann", idles=True)
        await asyncio.sleep(HOUR)
        await ann.sees_nothing()


async def test_whoever_is_read_slowly_is_not_silent() -> None:
    async with Chat(MemoryLog(), limits=Limits()) as chat:
        (bob,) = await enter(chat, "Bob")
        (ann,) = await enter(chat, "Ann", idles=True)
        await bob.sees("Connected #general Ann")
        ann.does(*numbered("#general", 0, 500))  # 100 seconds at the allowed pace
        await bob.sees(*[f"Said #general Ann {n}" for n in range(500)])
        assert not ann.wire.closed
