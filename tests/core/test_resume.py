"""Coming back: nothing that was said meanwhile is lost, and nothing is shown twice."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec import structs

from core import commands as c
from core.chat import Chat
from core.facts import Entry
from core.gate import AHEAD, Gate
from core.limits import REPLAY_MAX
from core.log import Record
from core.replies import Bye, Pong, Stored
from storage.memory import MemoryLog
from tests.core.logs import HeldLog, SlowRecall, SlowSince
from tests.core.person import Person, enter, join, numbered, words
from tests.core.resuming import LIMITS, LINGER, resume, token_of

pytestmark = pytest.mark.asyncio(loop_factories=["skipping"])


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person, "deadline", 3600.0)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    async with Chat(MemoryLog(), limits=LIMITS) as chat:
        yield chat


async def enter_and_miss(chat: Chat) -> tuple[Person, Person]:
    """Ann, and Bob whose connection has broken before she said something."""
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.leaves(dropped=True)
    ann.does(c.Msg("#general", "missed"))
    await ann.sees("Stored")
    return ann, bob


# ------------------------------------------------------------------ back within the linger


async def test_whoever_is_back_in_time_was_never_away(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", ann, bob)
    bob.leaves(dropped=True)
    back, answer, replayed = await resume(chat, token_of(bob), 0)
    assert (answer.nick, tuple(answer.rooms)) == ("Bob", ("#general", "#python"))
    assert (answer.recovered, replayed) == (True, [])
    await asyncio.sleep(2 * LINGER)
    await ann.sees_nothing()
    ann.does(c.Msg("#python", "hi"), c.Dm("bob", "psst"))
    await back.sees("Said #python Ann hi", "Told Ann Bob psst")


async def test_exactly_what_was_missed_comes_in_order_and_before_anything_newer(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    await join("#python", ann, bob)
    ann.does(c.Msg("#general", "seen"))
    await bob.sees("Said #general Ann seen")
    (last,) = [shown.id for shown in bob.seen if isinstance(shown, Entry) and shown.id]
    bob.does(c.Msg("#general", "my own"))
    await bob.sees("Stored")
    bob.leaves(dropped=True)
    ann.does(c.Msg("#general", "1"), c.Msg("#python", "2"), c.Dm("Bob", "3"), c.Dm("Cas", "-"), c.Gmsg("4"))
    cas.does(c.Join("#rust"), c.Msg("#rust", "-"), c.Msg("#general", "5"))
    await cas.until(lambda: cas.waiting.count("Stored") == 2)
    back, answer, replayed = await resume(chat, token_of(bob), last)
    assert answer.recovered
    assert replayed == [
        "Said #general Ann 1",
        "Said #python Ann 2",
        "Told Ann Bob 3",
        "Shouted Ann 4",
        "Said #general Cas 5",
    ]
    ann.does(c.Msg("#general", "6"))
    await back.sees("Said #general Ann 6")


async def test_without_an_id_what_came_since_the_end_of_the_connection_is_shown(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(*numbered("#general", 0, 5))
    await bob.sees(*[f"Said #general Ann {n}" for n in range(5)])
    bob.leaves(dropped=True)
    ann.does(*numbered("#general", 5, 8))
    await ann.sees(*["Stored"] * 8)
    _, _, replayed = await resume(chat, token_of(bob))
    assert replayed == [f"Said #general Ann {n}" for n in range(5, 8)]


async def test_without_an_id_what_was_said_to_someone_who_lingered_in_vain_is_shown_too(chat: Chat) -> None:
    """What it was shown after its connection broke, it has not seen."""
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "seen"))
    await bob.sees("Said #general Ann seen")
    bob.leaves(dropped=True)
    ann.does(c.Msg("#general", "missed"))
    await ann.sees("Stored", "Stored", "Disconnected Bob")
    ann.does(c.Msg("#general", "later"))
    await ann.sees("Stored")
    _, _, replayed = await resume(chat, token_of(bob))
    assert replayed == ["Said #general Ann missed", "Said #general Ann later"]


async def test_without_an_id_what_another_connection_was_told_meanwhile_is_not_told_again() -> None:
    log = SlowRecall()
    async with Chat(log, limits=LIMITS) as chat:
        _, bob = await enter_and_miss(chat)
        slow = Person(chat)
        slow.does(c.Resume(token_of(bob)))
        await log.asked.wait()
        _, _, replayed = await resume(chat, token_of(bob))
        assert replayed == ["Said #general Ann missed"]
        log.may.set()
        await slow.sees("Resumed Bob #general True")


async def test_who_is_cut_off_again_while_the_missed_is_told_gets_it_the_next_time() -> None:
    log = SlowSince()
    log.may.set()
    async with Chat(log, limits=LIMITS) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        bob.leaves(dropped=True)
        ann.does(*numbered("#general", 0, 5))
        await ann.sees(*["Stored"] * 5)
        first = Person(chat)
        first.wire.stuck = 10**6  # what is written does not leave
        first.does(c.Resume(token_of(bob)))
        await log.asked.wait()
        first.leaves(dropped=True)
        first.wire.stuck = 0
        await first.is_closed()
        _, answer, replayed = await resume(chat, token_of(bob))
        assert answer.recovered
        assert replayed == [f"Said #general Ann {n}" for n in range(5)]
        _, answer, replayed = await resume(chat, token_of(bob))  # from a connection that was told everything
        assert (answer.recovered, replayed) == (True, [])


async def test_who_takes_too_long_over_the_missed_is_not_shown_what_was_said_meanwhile() -> None:
    """Who sees the newest message believes to have seen all before it, and never asks for the rest."""
    log = SlowSince()
    async with Chat(log, limits=LIMITS) as chat:
        ann, bob = await enter_and_miss(chat)
        slow = Person(chat)
        slow.wire.stuck = 10**6  # for ever
        slow.does(c.Resume(token_of(bob)))
        await log.asked.wait()
        ann.does(c.Msg("#general", "meanwhile"))
        await ann.sees("Stored")
        log.may.set()
        assert await slow.is_closed() == "sendq"
        assert slow.waiting == ["Bye sendq"]
        slow.leaves(dropped=True)
        back, _, replayed = await resume(chat, token_of(bob))
        assert replayed == ["Said #general Ann missed", "Said #general Ann meanwhile"]
        await back.sees_nothing()


async def test_who_is_sent_away_as_the_missed_has_been_read_is_told_only_that() -> None:
    log = SlowSince()
    async with Chat(log, limits=LIMITS) as chat:
        _, bob = await enter_and_miss(chat)
        back = Person(chat)
        back.does(c.Resume(token_of(bob)))
        await log.asked.wait()
        log.may.set()
        chat.close(back.session, Bye("sendq"))  # before the replay goes on
        await back.is_closed()
        assert back.waiting == ["Bye sendq"]


async def test_a_good_bye_is_said_even_where_much_was_kept(chat: Chat) -> None:
    (bob,) = await enter(chat, "Bob")
    gate, said = Gate(bob.session), bob.session.encode(Pong())
    for _ in range(AHEAD // len(said) + 1):
        gate.write(said)
    gate.end_with(bob.session.encode(Bye("sendq")))
    await gate.first([])
    gate.open()
    await bob.sees("Bye sendq")


async def test_what_is_kept_of_who_came_back_is_what_it_has_seen(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Record] = []
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.leaves(dropped=True)
    ann.does(*numbered("#general", 0, 5))
    await ann.sees(*["Stored"] * 5)
    monkeypatch.setattr(chat._log, "remember", kept.append)
    await resume(chat, token_of(bob))
    await resume(chat, token_of(bob), 2**70)  # not an id, and no number for a file
    assert [record.seen for record in kept] == [0, 5, 5, 5]


async def test_without_an_id_the_end_may_have_been_a_quit_too(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(*numbered("#general", 0, 5))
    await bob.sees(*[f"Said #general Ann {n}" for n in range(5)])
    bob.does(c.Quit())
    await ann.sees(*["Stored"] * 5, "Disconnected Bob")
    ann.does(*numbered("#general", 5, 8))
    await ann.sees(*["Stored"] * 3)
    _, _, replayed = await resume(chat, token_of(bob))
    assert replayed == [f"Said #general Ann {n}" for n in range(5, 8)]


async def test_what_is_said_while_the_missed_is_read_comes_after_it_and_once() -> None:
    log = SlowSince()
    async with Chat(log, limits=LIMITS) as chat:
        ann, bob = await enter_and_miss(chat)
        back = Person(chat)
        back.does(c.Resume(token_of(bob), 0), c.Msg("#general", "I am back"))
        await log.asked.wait()
        ann.does(c.Msg("#general", "meanwhile"))
        await ann.sees("Stored")
        assert back.waiting == []
        log.may.set()
        await back.sees("Resumed Bob #general True 1", "Replayed Said #general Ann missed")
        await back.sees("Said #general Ann meanwhile", "Stored")
        await ann.sees("Said #general Bob I am back")
        await back.sees_nothing()


async def test_if_the_missed_cannot_be_read_the_session_is_back_all_the_same() -> None:
    async with Chat(SlowSince(fails=True), limits=LIMITS) as chat:
        (bob,) = await enter(chat, "Bob")
        bob.leaves(dropped=True)
        back, answer, _ = await resume(chat, token_of(bob), 0)
        assert (answer.recovered, answer.missed) == (False, 0)
        await back.sees_nothing()


# ------------------------------------------------------------------ a gap that cannot be told


async def test_too_many_messages_are_not_replayed_at_all(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.leaves(dropped=True)
    ann.does(*numbered("#general", 0, REPLAY_MAX + 1))
    await ann.sees(*["Stored"] * (REPLAY_MAX + 1))
    back, answer, _ = await resume(chat, token_of(bob), 0)
    assert (answer.recovered, answer.missed) == (False, 0)
    await back.sees_nothing()
    back.leaves(dropped=True)
    back, answer, replayed = await resume(chat, token_of(bob), 1)
    assert answer.recovered
    assert replayed == [f"Said #general Ann {n}" for n in range(1, REPLAY_MAX + 1)]


async def test_an_id_that_was_never_given_out_recovers_nothing(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "one"))
    await ann.sees("Stored")
    bob.leaves(dropped=True)
    for after in (2, 10**30):
        back, answer, _ = await resume(chat, token_of(bob), after)
        assert (answer.recovered, answer.missed) == (False, 0)
        back.leaves(dropped=True)


# ------------------------------------------------------------------ back after the others saw it leave


async def test_whoever_comes_back_later_is_in_the_same_rooms_under_the_same_name(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", ann, bob)
    bob.leaves(dropped=True)
    await ann.sees("Disconnected Bob")
    ann.does(c.Msg("#python", "missed"))
    await ann.sees("Stored")
    back, answer, replayed = await resume(chat, token_of(bob), 0)
    assert (answer.nick, tuple(answer.rooms)) == ("Bob", ("#general", "#python"))
    assert replayed == ["Said #python Ann missed"]
    await ann.sees("Connected #general Bob", "Joined #python Bob")
    ann.does(c.Msg("#python", "hi"))
    await back.sees("Said #python Ann hi")


async def test_a_session_comes_back_to_a_new_chat_with_the_same_log() -> None:
    log = MemoryLog()
    async with Chat(log, limits=LIMITS) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        await join("#python", bob)
        ann.does(c.Dm("Bob", "one"))
        await bob.sees("Told Ann Bob one")
        await chat.stop("restarting")
    async with Chat(log, limits=LIMITS) as chat:
        back, answer, replayed = await resume(chat, token_of(bob), 0)
        assert (answer.nick, tuple(answer.rooms)) == ("Bob", ("#general", "#python"))
        assert replayed == ["Told Ann Bob one"]
        back.does(c.History(with_="ann"), c.Msg("#general", "new"))
        page = await back.next()
        assert words(page) == "HistoryPage ann"
        stored = await back.next()
        assert isinstance(stored, Stored)
        assert stored.id == 2


async def test_a_stop_while_one_waits_for_its_turn_is_seen_too() -> None:
    log = MemoryLog()
    slow = structs.replace(LIMITS, rate=0.001, burst=3)
    async with Chat(log, limits=slow) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        ann.does(c.Msg("#general", "one"))
        await bob.sees("Said #general Ann one")
        bob.does(c.Ping(), c.Ping(), c.Ping())
        await bob.sees("Pong", "Pong")
        await chat.stop("restarting")
        bob.leaves()
    async with Chat(log, limits=LIMITS) as chat:
        _, answer, _ = await resume(chat, token_of(bob))
        assert (answer.recovered, answer.missed) == (True, 0)


async def test_what_is_stored_after_a_stops_good_bye_was_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.chat.STORE_PATIENCE", 0.05)
    log = HeldLog()
    async with Chat(log, limits=LIMITS) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        ann.does(c.Msg("#general", "of Ann"))
        bob.does(c.Msg("#general", "of Bob"))
        await log.is_asked()
        await chat.stop("restarting")
        for person in (ann, bob):
            person.leaves()
        log.release(2)
        await chat._speech.all_stored()
    async with Chat(log, limits=LIMITS) as chat:
        for person, missed in (ann, "Said #general Bob of Bob"), (bob, "Said #general Ann of Ann"):
            _, answer, replayed = await resume(chat, token_of(person))
            assert (answer.recovered, replayed) == (True, [missed])


async def test_who_was_away_when_the_server_stopped_is_told_what_was_said_before() -> None:
    log = MemoryLog()
    async with Chat(log, limits=LIMITS) as chat:
        _, bob = await enter_and_miss(chat)
        await chat.stop("restarting")
    async with Chat(log, limits=LIMITS) as chat:
        _, _, replayed = await resume(chat, token_of(bob))
        assert replayed == ["Said #general Ann missed"]


async def test_a_name_that_somebody_has_taken_is_gone(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.does(c.Quit())
    await ann.sees("Disconnected Bob")
    await enter(chat, "bob")
    await ann.sees("Connected #general bob")
    back = Person(chat)
    back.does(c.Resume(token_of(bob), 0), c.Login("Bobby"))
    await back.sees("Error username-taken Bob", "Welcome Bobby #general")


async def test_a_new_name_is_the_one_that_comes_back(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.does(c.Rename("Bobby"), c.Quit())
    await ann.sees("Renamed Bob Bobby", "Disconnected Bobby")
    await enter(chat, "Bob")
    _, answer, _ = await resume(chat, token_of(bob), 0)
    assert answer.nick == "Bobby"


async def test_a_room_that_was_left_does_not_come_back(chat: Chat) -> None:
    (bob,) = await enter(chat, "Bob")
    await join("#one", bob)
    await join("#two", bob)
    bob.does(c.Leave("#one"), c.Leave("#general"), c.Quit())
    await bob.sees("Done", "Done", "Goodbye")
    _, answer, _ = await resume(chat, token_of(bob), 0)
    assert tuple(answer.rooms) == ("#two",)


# ------------------------------------------------------------------ retries


async def test_a_message_that_is_sent_again_is_shown_once_and_both_are_answered(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "once", ref="r"), c.Msg("#general", "once", ref="r"))
    first, again = await ann.next(), await ann.next()
    ann.does(c.Msg("#general", "other", ref="s"), c.Msg("#general", "once", ref="r"))
    other, last = await ann.next(), await ann.next()
    assert first == again == last != other
    await bob.sees("Said #general Ann once", "Said #general Ann other")
    await bob.sees_nothing()


async def test_a_message_without_an_answer_can_be_sent_again_after_coming_back(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.does(c.Dm("Ann", "once", ref="r"))
    stored = await bob.next()
    bob.leaves(dropped=True)
    back, _, _ = await resume(chat, token_of(bob), 0)
    back.does(c.Dm("Ann", "once", ref="r"))
    assert await back.next() == stored
    await ann.sees("Told Bob Ann once")
    await ann.sees_nothing()
