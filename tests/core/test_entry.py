"""What was said before is shown on entry, ahead of all that is said from then on."""

from collections.abc import AsyncIterator

import pytest

from core import commands as c
from core.chat import Chat
from core.log import LogError
from core.replies import Bye, Entered, HistoryPage, Welcome
from tests.core.logs import SlowPast
from tests.core.person import Person, enter, join, numbered, words
from tests.doors import UNLIMITED


def lines(shown: object) -> list[str]:
    assert isinstance(shown, HistoryPage | Entered | Welcome), shown
    return [words(entry) for entry in (shown.entries if isinstance(shown, HistoryPage) else shown.recent)]


@pytest.fixture
def past() -> SlowPast:
    return SlowPast()


@pytest.fixture
async def slow_chat(past: SlowPast) -> AsyncIterator[Chat]:
    async with Chat(past, limits=UNLIMITED) as chat:
        yield chat


async def test_who_enters_is_shown_the_last_messages_of_the_room(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    await join("#python", ann)
    ann.does(*numbered("#general", 1, 6), *numbered("#python", 1, 3))
    await ann.sees(*["Stored"] * 7)
    bob = Person(chat, one_room=True, recent=3)
    bob.does(c.Login("Bob"), c.Join("#python"))
    assert lines(await bob.next()) == [f"Said #general Ann {n}" for n in (3, 4, 5)]
    assert lines(await bob.next()) == ["Said #python Ann 1", "Said #python Ann 2"]


async def test_doors_that_do_not_ask_are_given_no_past(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Msg("#general", "hi"))
    await ann.sees("Stored")
    bob = Person(chat)
    bob.does(c.Login("Bob"))
    assert lines(await bob.next()) == []


@pytest.mark.parametrize("entry", ["login", "join"])
async def test_the_past_comes_before_what_is_said_meanwhile_and_nothing_twice(
    slow_chat: Chat, past: SlowPast, entry: str
) -> None:
    (ann,) = await enter(slow_chat, "Ann")
    await join("#python", ann)
    room = "#general" if entry == "login" else "#python"
    ann.does(c.Msg(room, "before"))
    await ann.sees("Stored")
    bob = Person(slow_chat, one_room=True, recent=10 if entry == "login" else 0)
    bob.does(c.Login("Bob"))
    if entry == "join":
        await bob.sees("Welcome Bob #general")
        bob.session.recent = 10
        bob.does(c.Join("#python"))
    await past.is_asked()
    ann.does(c.Msg(room, "meanwhile"), c.Gmsg("to all"), c.Dm("Bob", "to you"))
    await ann.until(lambda: ann.waiting.count("Stored") == 3)
    assert bob.waiting == []
    past.may_read.set()
    assert lines(await bob.next()) == [f"Said {room} Ann before"]
    await bob.sees(f"Said {room} Ann meanwhile", "Shouted Ann to all", "Told Ann Bob to you")
    await bob.sees_nothing()


async def test_what_was_shown_in_the_room_before_comes_before_the_entry(
    slow_chat: Chat, past: SlowPast
) -> None:
    (ann,) = await enter(slow_chat, "Ann")
    (bob,) = await enter(slow_chat, "Bob", one_room=True)
    bob.session.recent = 10
    past.may_read.set()
    ann.does(c.Typing("#general"))
    bob.does(c.Join("#python"))
    await bob.sees("Typed #general Ann", "Entered #python")
    ann.does(c.Typing("#general"))
    await bob.sees_nothing()


@pytest.mark.parametrize("recent", [0, 10])
@pytest.mark.parametrize("one_room", [True, False])
async def test_nothing_that_is_said_in_a_room_comes_before_the_answer_to_joining_it(
    chat: Chat, one_room: bool, recent: int
) -> None:
    """On a line nothing but the answer tells of which room it is."""
    (ann,) = await enter(chat, "Ann")
    await join("#python", ann)
    (bob,) = await enter(chat, "Bob", one_room=one_room)
    await ann.sees("Connected #general Bob")
    bob.session.recent = recent
    ann.does(c.Msg("#python", "under way"))
    bob.does(c.Join("#python"))
    await bob.sees("Entered #python")
    await bob.sees_nothing()


async def test_the_others_do_not_wait_for_somebodys_past(slow_chat: Chat, past: SlowPast) -> None:
    ann, cas = await enter(slow_chat, "Ann", "Cas")
    bob = Person(slow_chat, recent=10)
    bob.does(c.Login("Bob"))
    await past.is_asked()
    await ann.sees("Connected #general Bob")
    ann.does(c.Msg("#general", "hi"))
    await cas.sees("Connected #general Bob", "Said #general Ann hi")
    past.may_read.set()


async def test_what_one_sends_meanwhile_is_carried_out_after_the_entry(
    slow_chat: Chat, past: SlowPast
) -> None:
    bob = Person(slow_chat, recent=10)
    bob.does(c.Login("Bob"), c.Msg("#general", "hello"), c.Ping())
    await past.is_asked()
    assert bob.wire.paused
    past.may_read.set()
    await bob.sees("Welcome Bob #general", "Stored", "Pong")
    assert not bob.wire.paused


async def test_a_past_that_cannot_be_read_keeps_nobody_out() -> None:
    async with Chat(SlowPast(error=LogError()), limits=UNLIMITED) as chat:
        (ann,) = await enter(chat, "Ann", one_room=True, recent=10)
        ann.does(c.Join("#python"), c.Msg(c.HERE, "hi"))
        await ann.sees("Entered #python", "Stored")


async def test_a_stop_reaches_someone_whose_past_is_being_read(slow_chat: Chat, past: SlowPast) -> None:
    bob = Person(slow_chat, recent=10)
    bob.does(c.Login("Bob"))
    await past.is_asked()
    await slow_chat.stop("restarting")
    await bob.sees("Bye restarting")
    assert await bob.is_closed() == "restarting"
    past.may_read.set()


async def test_someone_who_goes_while_the_past_is_being_read_is_gone_once(
    slow_chat: Chat, past: SlowPast
) -> None:
    (ann,) = await enter(slow_chat, "Ann")
    bob = Person(slow_chat, recent=10)
    bob.does(c.Login("Bob"))
    await past.is_asked()
    bob.leaves()
    past.may_read.set()
    await ann.sees("Connected #general Bob", "Disconnected Bob")
    await ann.sees_nothing()


async def test_no_answer_comes_behind_a_good_bye(slow_chat: Chat, past: SlowPast) -> None:
    (ann,) = await enter(slow_chat, "Ann")
    ann.does(c.History(room="#general"))
    await past.is_asked()
    past.may_read.set()
    slow_chat.close(ann.session, Bye("idle-timeout"))
    assert await ann.is_closed() == "idle-timeout"
    assert ann.waiting == ["Bye idle-timeout"]
