"""Shown means stored, acknowledged means stored: with a log that is slow, and with one that fails."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core import commands as c
from core import recorder
from core.chat import Chat
from core.limits import IN_FLIGHT_MAX
from core.log import LogError
from core.recorder import ENOUGH
from core.replies import Error, Shown, Stored
from tests.clients import DEADLINE
from tests.core.logs import HeldLog
from tests.core.person import Kind, Person, enter, join, numbered, words
from tests.doors import UNLIMITED


@pytest.fixture(params=[False, True], ids=["stores at the end", "stores at first"])
def log(request: pytest.FixtureRequest) -> HeldLog:
    return HeldLog(stores_first=request.param)


@pytest.fixture
async def chat(log: HeldLog) -> AsyncIterator[Chat]:
    async with Chat(log, limits=UNLIMITED) as chat:
        yield chat
        log.release(1000)  # a test that fails may leave batches behind


SPEECH: list[c.AnyCommand] = [c.Msg("#general", "hi"), c.Gmsg("hi"), c.Dm("Bob", "hi")]


@pytest.mark.parametrize("command", SPEECH, ids=lambda command: type(command).__name__)
async def test_nothing_is_shown_or_acknowledged_before_it_is_stored(
    chat: Chat, log: HeldLog, command: c.AnyCommand
) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(command)
    await log.is_asked()
    await bob.sees_nothing()
    assert ann.waiting == []
    log.release()
    await ann.sees("Stored")
    await bob.next()
    await bob.sees_nothing()


@pytest.mark.parametrize("command", SPEECH, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("error", [LogError(detail="disk full"), RuntimeError("a bug"), OSError("no disk")])
async def test_what_could_not_be_stored_is_an_error_for_the_sender_and_shown_to_nobody(
    chat: Chat, log: HeldLog, command: c.AnyCommand, error: Exception
) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(command)
    log.fail(error)
    answer = await ann.next()
    assert isinstance(answer, Error)
    assert answer.code == "storage-failed"
    await bob.sees_nothing()
    await ann.sees_nothing()


async def test_every_message_of_a_failed_batch_is_refused_by_itself(chat: Chat, log: HeldLog) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    ann.does(c.Msg("#general", "one", ref="1"), c.Msg("#general", "two", ref="2"))
    bob.does(c.Msg("#general", "three", ref="3"))
    log.fail()
    answers = [await ann.next(), await ann.next(), await bob.next()]
    assert [(getattr(a, "code", ""), getattr(a, "ref", "")) for a in answers] == [
        ("storage-failed", "1"),
        ("storage-failed", "2"),
        ("storage-failed", "3"),
    ]
    await cas.sees_nothing()


async def test_after_a_failure_the_chat_goes_on(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "lost"))
    log.fail()
    await ann.sees("Error storage-failed The message was not stored; try again")
    ann.does(c.Msg("#general", "kept"))
    log.release()
    await ann.sees("Stored")
    await bob.sees("Said #general Ann kept")


async def test_while_one_batch_is_stored_the_next_one_gathers(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "first"))
    await log.is_asked()
    ann.does(*numbered("#general", 0, 5))
    bob.does(c.Msg("#general", "from Bob"))
    log.release(2)
    await ann.sees(*["Stored"] * 6, "Said #general Bob from Bob")
    assert [len(batch) for batch in log.batches] == [1, 6]


@pytest.mark.parametrize("gathered", [1, ENOUGH])
async def test_a_batch_that_has_gathered_is_the_only_one_under_way_too(
    chat: Chat, log: HeldLog, monkeypatch: pytest.MonkeyPatch, gathered: int
) -> None:
    """It goes when its moment is over, or with the last of enough messages."""
    moment = 0.05
    monkeypatch.setattr(recorder, "PACE", 1.0)
    monkeypatch.setattr(recorder, "LONGEST", moment if gathered == 1 else 10 * DEADLINE)
    ann, _ = await enter(chat, "Ann", "Bob")
    log.release()
    ann.does(c.Msg("#general", "first"))
    await ann.sees("Stored")
    ann.does(*numbered("#general", 0, 1))
    await asyncio.sleep(0)  # it begins to wait for others
    ann.does(*numbered("#general", 1, gathered))
    await log.is_asked(2)
    ann.does(*numbered("#general", gathered, gathered + ENOUGH))
    await asyncio.sleep(2 * moment)  # in which nothing may happen
    assert [len(batch) for batch in log.batches] == [1, gathered]
    log.release(2)
    await ann.sees(*["Stored"] * (gathered + ENOUGH))
    assert [len(batch) for batch in log.batches] == [1, gathered, ENOUGH]


async def test_a_batch_holds_no_more_text_than_a_reader_can_be_sent_at_once(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(*[c.Msg("#general", "x" * 2000) for _ in range(50)])
    log.release(100)
    for _ in range(50):
        await bob.next()
    assert max(sum(len(fact.text) for fact in batch) for batch in log.batches) < 36_000
    assert len(log.batches) == 3


async def test_nor_what_a_reader_of_many_rooms_can_be_sent_at_once(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    rooms = [f"#r{n}" for n in range(10)]
    for room in rooms:
        await join(room, ann, bob)
    ann.does(*[c.Msg(room, "\U0001f600" * 2000) for _ in range(5) for room in rooms])
    log.release(100)
    for _ in range(50):
        await bob.next()
    assert max(sum(len(fact.text.encode()) for fact in batch) for batch in log.batches) < 210_000


async def test_other_commands_wait_until_ones_own_messages_are_stored(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "first"), c.Rename("Anna"), c.Ping(), c.Msg("#general", "last"))
    await log.is_asked()
    await bob.sees_nothing()
    assert ann.waiting == []
    log.release(2)
    await ann.sees("Stored", "NickChanged Anna", "Pong", "Stored")
    await bob.sees("Said #general Ann first", "Renamed Ann Anna", "Said #general Anna last")


async def test_other_commands_wait_for_ones_messages_in_later_batches_too(chat: Chat, log: HeldLog) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Msg("#general", "first"))
    await log.is_asked()
    ann.does(c.Msg("#general", "second"), c.Ping())
    log.release()
    await log.is_asked(2)
    await ann.sees("Stored")
    assert ann.waiting == []
    log.release()
    await ann.sees("Stored", "Pong")


async def test_a_refusal_waits_its_turn_behind_ones_own_messages(chat: Chat, log: HeldLog) -> None:
    ann, _ = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "one"), c.Msg("#general", ""), c.Msg("#general", "two"))
    await log.is_asked()
    assert ann.waiting == []
    log.release(2)
    await ann.sees("Stored", "Error empty-text Say something", "Stored")


class Faulty(Kind):
    """An encoder with a bug."""

    def _encode(self, shown: Shown) -> bytes:
        if words(shown).startswith(("Said", "Told")):
            raise ZeroDivisionError
        return super()._encode(shown)


async def test_a_bug_in_showing_a_message_to_one_keeps_nobody_else_waiting(
    chat: Chat, log: HeldLog, caplog: pytest.LogCaptureFixture
) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    cas = Person(chat, kind=Faulty())
    cas.does(c.Login("Cas"))
    await cas.sees("Welcome Cas #general")
    await ann.sees("Connected #general Cas")
    await bob.sees("Connected #general Cas")
    for turn in range(2):
        ann.does(c.Dm("Cas", "to Cas"), c.Ping())
        bob.does(c.Msg("#general", "to all"), c.Ping())
        await log.is_asked(turn + 1)
        log.release()
        await ann.sees("Stored", "Said #general Bob to all", "Pong")
        await bob.sees("Stored", "Pong")
    cas.does(c.Ping())
    await cas.sees("Pong")
    assert "cannot encode Entry" in caplog.text


async def test_nobody_waits_for_the_messages_of_others(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "slow"))
    await log.is_asked()
    bob.does(c.Join("#python"), c.Rename("Bobby"), c.Who("#python"))
    await bob.sees("Entered #python", "NickChanged Bobby", "Users #python Bobby")


async def test_a_message_that_is_on_its_way_comes_before_the_news_that_its_sender_has_left(
    chat: Chat, log: HeldLog
) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "one"), c.Dm("Bob", "two"), c.Msg("#general", "three"))
    ann.leaves()
    await log.is_asked()
    await bob.sees_nothing()
    log.release(3)
    await bob.sees("Said #general Ann one", "Told Ann Bob two", "Said #general Ann three", "Disconnected Ann")
    await bob.sees_nothing()


async def test_a_message_that_failed_does_not_keep_its_sender_from_leaving(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "lost"))
    ann.leaves()
    log.fail()
    await bob.sees("Disconnected Ann")
    await bob.sees_nothing()


async def test_a_reader_who_leaves_before_a_message_is_stored_does_not_harm_it(
    chat: Chat, log: HeldLog
) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Dm("Bob", "too late"))
    await log.is_asked()
    bob.does(c.Quit())
    await bob.sees("Goodbye", "Bye quit")
    log.release()
    await ann.sees("Disconnected Bob", "Stored")


async def test_whoever_comes_while_a_message_is_stored_is_shown_it(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", ann)
    ann.does(c.Msg("#python", "welcome"))
    await log.is_asked()
    bob.does(c.Join("#python"))
    await bob.sees("Entered #python")
    log.release()
    await bob.sees("Said #python Ann welcome")
    await ann.sees("Joined #python Bob", "Stored")


async def test_someone_with_very_many_messages_under_way_is_read_no_further(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(*numbered("#general", 0, IN_FLIGHT_MAX + 10))
    assert ann.wire.paused
    await log.is_asked()
    assert sum(map(len, log.batches)) <= IN_FLIGHT_MAX
    log.release(100)
    await ann.sees(*["Stored"] * (IN_FLIGHT_MAX + 10))
    await bob.sees(*[f"Said #general Ann {n}" for n in range(IN_FLIGHT_MAX + 10)])
    assert not ann.wire.paused


async def test_a_stop_stores_and_shows_what_was_accepted_first(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "last words"))
    log.release()
    await chat.stop("restarting")
    await ann.sees("Stored", "Bye restarting")
    await bob.sees("Said #general Ann last words", "Bye restarting")


async def test_a_stop_accepts_nothing_more_from_those_who_go_on_talking(chat: Chat, log: HeldLog) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(*numbered("#general", 0, IN_FLIGHT_MAX + 1))  # so one of them waits for its turn
    await log.is_asked()
    stop = asyncio.create_task(chat.stop("restarting"))
    await asyncio.sleep(0)
    bob.does(c.Msg("#general", "I am still talking"))
    log.release(1000)
    await stop
    await ann.sees(*["Stored"] * IN_FLIGHT_MAX, "Bye restarting")
    await bob.sees(*[f"Said #general Ann {n}" for n in range(IN_FLIGHT_MAX)], "Bye restarting")


async def test_a_stop_says_good_bye_before_a_log_that_takes_too_long(
    chat: Chat, log: HeldLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.chat.STORE_PATIENCE", 0.05)
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "last words"))
    await chat.stop("restarting")
    await ann.sees("Bye restarting")
    await bob.sees("Bye restarting")


async def test_an_acknowledgement_names_the_id_under_which_the_log_has_the_message(
    chat: Chat, log: HeldLog
) -> None:
    ann, _ = await enter(chat, "Ann", "Bob")
    log.release()
    ann.does(c.Msg("#general", "hi"))
    stored = await ann.next()
    assert isinstance(stored, Stored)
    assert stored.id == log.last_id
