"""One order for all readers, and ids that only rise for each of them, over any number of rooms."""

import asyncio
from functools import partial
from itertools import combinations
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from core import commands as c
from core.chat import Chat
from core.facts import Entry
from core.replies import Bye, Pong, Stored
from storage.memory import MemoryLog
from tests.core.person import Person, enter, join, words
from tests.doors import UNLIMITED

ROOMS: Final = ("#general", "#one", "#two")


def entries(person: Person) -> list[Entry]:
    return [shown for shown in person.seen if isinstance(shown, Entry)]


def ids(person: Person) -> list[int]:
    """Of what was said to this person."""
    return [entry.id for entry in entries(person) if entry.id]


def ids_rise(person: Person) -> bool:
    """Those of what others said, and in between those under which the person's own messages are stored.

    One's own message to oneself comes with the same id twice: as a message and as stored.
    """
    both = [shown.id for shown in person.seen if isinstance(shown, Entry | Stored) and shown.id]
    return ids(person) == sorted(set(ids(person))) and both == sorted(both)


async def test_messages_of_one_person_arrive_in_the_order_in_which_they_were_sent(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#one", ann, bob)
    ann.does(
        c.Msg("#general", "1"), c.Msg("#one", "2"), c.Gmsg("3"), c.Dm("Bob", "4"), c.Msg("#general", "5")
    )
    await bob.sees("Said #general Ann 1", "Said #one Ann 2", "Shouted Ann 3", "Told Ann Bob 4")
    await bob.sees("Said #general Ann 5")
    assert ids_rise(bob)


def has_seen(person: Person, number: int) -> bool:
    return len(person.waiting) >= number


async def test_people_who_speak_at_once_are_heard_in_one_order(chat: Chat) -> None:
    people = await enter(chat, *[f"P{n}" for n in range(6)])
    await join("#one", *people)
    for turn in range(20):
        for person in people:
            person.does(c.Msg(ROOMS[turn % 2], f"{turn}"))
    for person in people:
        await person.until(partial(has_seen, person, 120))
    assert all(ids_rise(person) for person in people)
    for one, other in combinations(people, 2):
        shared = {id(entry) for entry in entries(one)} & {id(entry) for entry in entries(other)}
        assert len(shared) >= 80
        assert [e.id for e in entries(one) if id(e) in shared] == [
            e.id for e in entries(other) if id(e) in shared
        ]


def answered(person: Person) -> bool:
    return Pong(ref="last") in person.seen


_who = st.integers(0, 3)
_room = st.sampled_from(ROOMS)
_steps = st.lists(
    st.one_of(
        st.tuples(_who, st.builds(c.Msg, _room, st.sampled_from(["a", "b", ""]))),
        st.tuples(_who, st.builds(c.Gmsg, st.just("all"))),
        st.tuples(_who, st.builds(c.Dm, st.sampled_from(["P0", "P1", "Watcher"]), st.just("dm"))),
        st.tuples(_who, st.builds(c.Join, _room)),
        st.tuples(_who, st.builds(c.Leave, _room)),
        st.tuples(_who, st.builds(c.Rename, st.sampled_from(["X", "Y", "P0"]))),
        st.tuples(_who, st.builds(c.History, room=_room)),
        st.tuples(_who, st.builds(c.Ping)),
        st.tuples(_who, st.none()),  # let the loop run a little
    ),
    max_size=40,
)


@given(steps=_steps)
def test_whatever_people_do_all_readers_agree_on_the_order(
    steps: list[tuple[int, c.AnyCommand | None]],
) -> None:
    asyncio.run(_check_order(steps))


async def _check_order(steps: list[tuple[int, c.AnyCommand | None]]) -> None:
    log = MemoryLog()
    async with Chat(log, limits=UNLIMITED) as chat:
        (watcher,) = await enter(chat, "Watcher")
        for room in ROOMS[1:]:
            await join(room, watcher)
        people = [watcher, *await enter(chat, "P0", "P1", "P2", "P3")]
        commands = 0
        for who, command in steps:
            if command is None:
                await asyncio.sleep(0)
            else:
                people[who + 1].does(command)
                commands += 1
        for person in reversed(people):  # the watcher at the end, when nothing is on its way any more
            person.does(c.Ping(ref="last"))
            await person.until(partial(answered, person))
        answers = [shown for person in people[1:] for shown in person.seen if not isinstance(shown, Entry)]
        assert len(answers) == commands + 2 * 4  # one each, and those to the login and to the last ping
    for person in people:
        assert ids_rise(person)
        assert len({id(entry) for entry in entries(person)}) == len(entries(person))
    for one, other in combinations(people, 2):
        common = {id(e) for e in entries(one)} & {id(e) for e in entries(other)}
        assert [words(e) for e in entries(one) if id(e) in common] == [
            words(e) for e in entries(other) if id(e) in common
        ]
    told_others = sum(words(shown).startswith("Told") for p in people[1:] for shown in p.seen)
    assert len(ids(watcher)) == log.last_id - told_others


async def test_nothing_that_is_being_stored_comes_behind_a_good_bye(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "too late"))
    chat.close(bob.session, Bye("idle-timeout"))
    await ann.sees("Stored")
    assert await bob.is_closed() == "idle-timeout"
    assert bob.waiting == ["Bye idle-timeout"]
