"""A direct message that follows another goes to the same person or to nobody, whoever has the name by now."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core import commands as c
from core.chat import Chat
from core.replies import Bye, Stored
from storage.memory import MemoryLog
from storage.sqlite import SqliteLog
from tests.core.logs import HeldLog, SlowPast
from tests.core.person import Person, enter
from tests.core.resuming import resume, token_of
from tests.doors import UNLIMITED


@pytest.fixture(params=["memory", "file"])
async def chat(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Chat]:
    log = MemoryLog() if request.param == "memory" else SqliteLog(tmp_path / "chat.db")
    async with log, Chat(log, limits=UNLIMITED) as chat:
        yield chat


REFUSED = "Error somebody-else Bob"


async def stored(person: Person) -> int:
    """The id of its message, which is what it is shown next."""
    reply = await person.next()
    assert isinstance(reply, Stored)
    return reply.id


async def talk(ann: Person, bob: Person) -> tuple[int, int]:
    """Each says something to the other; the ids."""
    ann.does(c.Dm("Bob", "hello"))
    to_bob = await stored(ann)
    await bob.sees("Told Ann Bob hello")
    bob.does(c.Dm("Ann", "hi"))
    from_bob = await stored(bob)
    await ann.sees("Told Bob Ann hi")
    return to_bob, from_bob


async def rename(person: Person, nick: str) -> None:
    person.does(c.Rename(nick))
    await person.sees(f"NickChanged {nick}")


async def leave(*people: Person) -> None:
    """They are in no room."""
    for person in people:
        person.does(c.Leave("#general"))
    for person in people:
        await person.until(lambda person=person: "Done" in person.waiting)  # type: ignore[misc]
        while person.waiting:
            await person.next()


async def test_it_reaches_the_person_with_whom_the_other_one_was_exchanged(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    for number in await talk(ann, bob):
        ann.does(c.Dm("bob", "psst", follows=number))
        await bob.sees("Told Ann Bob psst")
        await ann.sees("Stored")


async def test_somebody_who_has_taken_the_name_is_shown_nothing(chat: Chat) -> None:
    ann, bob, eve = await enter(chat, "Ann", "Bob", "Eve")
    numbers = await talk(ann, bob)
    await leave(ann, bob, eve)
    await rename(bob, "Rob")
    await rename(eve, "Bob")
    for number in numbers:
        ann.does(c.Dm("Bob", "psst", follows=number))
        await ann.sees(REFUSED)
    await eve.sees_nothing()
    await bob.sees_nothing()
    ann.does(c.Dm("Rob", "there you are", follows=numbers[0]), c.Dm("Bob", "who are you?"))
    await ann.sees("Stored")
    second = await stored(ann)
    await bob.sees("Told Ann Rob there you are")
    await eve.sees("Told Ann Bob who are you?")
    ann.does(c.Dm("Bob", "well?", follows=second))
    await eve.sees("Told Ann Bob well?")


async def test_who_comes_anew_under_the_name_is_somebody_else(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    number, _ = await talk(ann, bob)
    bob.leaves()
    await ann.sees("Disconnected Bob")
    Person(chat).does(c.Login("Bob"))
    await ann.sees("Connected #general Bob")
    ann.does(c.Dm("Bob", "psst", follows=number))
    await ann.sees(REFUSED)


async def test_who_comes_back_is_the_same(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    number, _ = await talk(ann, bob)
    bob.leaves(dropped=True)
    back, _, _ = await resume(chat, token_of(bob))
    ann.does(c.Dm("Bob", "psst", follows=number))
    await ann.sees("Disconnected Bob", "Connected #general Bob", "Stored")
    await back.sees("Told Ann Bob psst")


async def test_only_a_direct_message_of_these_two_will_do(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    ann.does(c.Msg("#general", "hello"), c.Gmsg("hello"), c.Dm("Cas", "hello"))
    others = [await stored(ann) for _ in range(3)]
    bob.does(c.Dm("Cas", "hello"))
    await bob.sees("Said #general Ann hello", "Shouted Ann hello")
    theirs = await stored(bob)
    for number in (*others, theirs, 0, -1, theirs + 1, 10**30, -(10**30)):
        ann.does(c.Dm("Bob", "psst", follows=number))
        await ann.sees(REFUSED)
    await bob.sees_nothing()
    await cas.sees("Said #general Ann hello", "Shouted Ann hello", "Told Ann Cas hello", "Told Bob Cas hello")
    await cas.sees_nothing()


async def test_it_may_follow_one_that_has_no_answer_yet(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Dm("Bob", "1", ref="a"), c.Dm("Bob", "2", follows="a", ref="b"), c.Dm("Bob", "3", follows="b"))
    await ann.sees("Stored", "Stored", "Stored")
    await bob.sees("Told Ann Bob 1", "Told Ann Bob 2", "Told Ann Bob 3")


async def test_what_follows_one_that_was_said_to_somebody_else_or_not_at_all_is_refused(chat: Chat) -> None:
    ann, bob, _ = await enter(chat, "Ann", "Bob", "Cas")
    bob.does(c.Dm("Ann", "hello", ref="Bob's"))
    await bob.sees("Stored")
    await ann.sees("Told Bob Ann hello")
    ann.does(
        c.Dm("Cas", "1", ref="to Cas"),
        c.Dm("Zoe", "2", ref="to nobody"),
        c.Msg("#general", "3", ref="to all here"),
    )
    await ann.sees("Stored", "Error user-not-found Zoe", "Stored")
    for ref in ("to Cas", "to nobody", "to all here", "Bob's", ""):
        ann.does(c.Dm("Bob", "psst", follows=ref))
        await ann.sees(REFUSED)
    await bob.sees("Said #general Ann 3")
    await bob.sees_nothing()


async def test_who_says_nothing_is_not_told_who_has_the_name(chat: Chat) -> None:
    ann, bob, eve = await enter(chat, "Ann", "Bob", "Eve")
    number, _ = await talk(ann, bob)
    await eve.sees_nothing()
    for name in ("Bob", "Eve"):
        ann.does(c.Dm(name, "\u200b", follows=number))
        await ann.sees("Error empty-text Say something")


async def test_with_oneself_it_is_no_different(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Dm("Ann", "note"))
    await ann.sees("Told Ann Ann note")
    number = await stored(ann)
    ann.does(c.Dm("Ann", "and", follows=number))
    await ann.sees("Told Ann Ann and", "Stored")


async def test_it_is_refused_as_any_other_is(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    number, _ = await talk(ann, bob)
    stranger = Person(chat)
    stranger.does(c.Dm("Bob", "psst", follows=number))
    await stranger.sees("Error login-required Send login or resume first")
    ann.does(c.Dm("Zoe", "psst", follows=number), c.Dm("Bob", " ", follows=number))
    await ann.sees("Error user-not-found Zoe", "Error empty-text Say something")
    await bob.sees_nothing()


async def test_a_retry_is_answered_as_it_was_the_first_time(chat: Chat) -> None:
    ann, bob, eve = await enter(chat, "Ann", "Bob", "Eve")
    number, _ = await talk(ann, bob)
    ann.does(c.Dm("Bob", "psst", follows=number, ref="1"))
    first = await stored(ann)
    await bob.sees("Told Ann Bob psst")
    await leave(ann, bob, eve)
    ann.does(c.Dm("Bob", "psst", follows=number, ref="1"))
    assert await stored(ann) == first
    await rename(bob, "Rob")
    await rename(eve, "Bob")
    ann.does(c.Dm("Bob", "psst", follows=number, ref="1"), c.Dm("Bob", "psst", follows=number, ref="2"))
    assert await stored(ann) == first
    await ann.sees(REFUSED)
    await bob.sees_nothing()
    await eve.sees_nothing()


async def test_all_that_is_said_stays_in_order() -> None:
    log = HeldLog()
    async with Chat(log, limits=UNLIMITED) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        log.release(2)
        number, _ = await talk(ann, bob)
        ann.does(
            c.Dm("Bob", "1"),
            c.Dm("Bob", "2", follows=number),
            c.Dm("Bob", "3", follows=number),
            c.Dm("Zoe", "4", follows=number),
            c.Dm("Bob", "5"),
            c.Ping(),
        )
        log.release(4)
        await bob.sees(*[f"Told Ann Bob {text}" for text in "1235"])
        await ann.sees(*["Stored"] * 3, "Error user-not-found Zoe", "Stored", "Pong")


@asynccontextmanager
async def looking_up(
    *others: str, ref: str | None = None
) -> AsyncIterator[tuple[Chat, SlowPast, list[Person], int]]:
    """Ann and Bob have talked, in no room any more; she says what follows that id, and it is looked up."""
    log = SlowPast()
    async with Chat(log, limits=UNLIMITED) as chat:
        people = await enter(chat, "Ann", "Bob", *others)
        ann, bob = people[:2]
        number, _ = await talk(ann, bob)
        await leave(*people)
        ann.does(c.Dm("Bob", "psst", follows=number, ref=ref))
        await log.is_asked()
        yield chat, log, people, number


async def test_who_takes_the_name_while_it_is_looked_up_is_shown_nothing() -> None:
    async with looking_up("Eve") as (_, log, (ann, bob, eve), _):
        await rename(bob, "Rob")
        await rename(eve, "Bob")
        log.may_read.set()
        await ann.sees(REFUSED)
        await bob.sees_nothing()
        await eve.sees_nothing()


async def test_what_cannot_be_looked_up_is_not_said(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    number, _ = await talk(ann, bob)
    monkeypatch.setattr(chat._log, "history", SlowPast(error=OSError("no disk")).history)
    ann.does(c.Dm("Bob", "psst", follows=number))
    assert (await ann.next()).code == "internal-error"  # type: ignore[union-attr]
    await bob.sees_nothing()


async def test_who_is_cut_meanwhile_says_nothing() -> None:
    async with looking_up() as (chat, log, (ann, bob), number):
        chat.close(ann.session, Bye("sendq"))
        await ann.is_closed()
        log.may_read.set()
        bob.does(c.Dm("Ann", "are you there?", follows=number))
        await bob.sees("Stored")
        await bob.sees_nothing()


async def test_who_takes_its_session_back_meanwhile_says_it_once() -> None:
    async with looking_up(ref="1") as (chat, log, (ann, bob), number):
        back = Person(chat)
        back.does(c.Resume(token_of(ann)))
        await ann.is_closed()
        log.may_read.set()
        back.does(c.Dm("Bob", "psst", follows=number, ref="1"))
        await back.until(lambda: any(isinstance(shown, Stored) for shown in back.seen))
        await bob.sees("Told Ann Bob psst")
        await bob.sees_nothing()
