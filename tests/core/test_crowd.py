"""In a large room the notices of who came and went wait for each other; nothing else waits for them."""

import asyncio

import pytest

from core import commands as c
from core.chat import Chat
from core.outbox import LONGEST, PATIENCE, SHORTEST
from tests.core.person import Kind, Person, enter, join

pytestmark = pytest.mark.asyncio(loop_factories=["skipping"])

SIZE = 200


def now() -> float:
    return asyncio.get_running_loop().time()


async def crowd(chat: Chat) -> tuple[Person, Person]:
    """A room full of people; two of them, to whom all the logins have been shown."""
    kind = Kind()
    people = [Person(chat, kind=kind) for _ in range(SIZE)]
    for n, person in enumerate(people):
        person.does(c.Login(f"P{n}"))
    await asyncio.sleep(2 * LONGEST)
    for person in people[:2]:
        while person.waiting:
            await person.next()
    return people[0], people[1]


async def test_a_rush_of_logins_reaches_a_reader_in_few_writes_and_whole(chat: Chat) -> None:
    witness, _ = await crowd(chat)
    before, start = len(witness.wire.writes), now()
    for n in range(100):
        Person(chat).does(c.Login(f"Late{n}"))
        await asyncio.sleep(0.001)
    await witness.sees(*[f"Connected #general Late{n}" for n in range(100)])
    assert now() - start < 0.1 + 2 * LONGEST
    assert len(witness.wire.writes) - before < 40


async def test_in_a_rush_nobody_waits_until_it_is_over(chat: Chat) -> None:
    witness, _ = await crowd(chat)
    start = now()
    for n in range(100):
        Person(chat).does(c.Login(f"Late{n}"))
        await asyncio.sleep(0.001)
        if n * 0.001 > 2 * PATIENCE * SIZE:
            break
    assert witness.waiting, f"nothing after {now() - start} s"


async def test_coming_into_a_small_room_takes_nobody_along_who_can_wait(chat: Chat) -> None:
    witness, friend = await crowd(chat)
    await join("#small", witness, friend)
    before = len(witness.wire.writes)
    people = [Person(chat) for _ in range(20)]
    for n, person in enumerate(people):  # what is asked for is done when all of them have asked
        person.does(c.Login(f"Late{n}"))
        friend.does(c.Leave("#small"), c.Join("#small"))
    await witness.until(lambda: f"Connected #general Late{len(people) - 1}" in witness.waiting)
    assert len(witness.wire.writes) - before == 1


async def test_answers_to_who_came_into_a_small_room_are_one_write(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#small", ann)
    before = len(bob.wire.writes)
    bob.does(c.Join("#small"), c.Ping(), c.Ping())
    await bob.sees("Entered #small", "Pong", "Pong")
    assert len(bob.wire.writes) - before == 1


async def test_answers_are_not_put_off_with_what_can_wait(chat: Chat) -> None:
    witness, friend = await crowd(chat)
    await join("#small", witness)
    start = now()
    friend.does(c.Join("#small"), c.Ping())
    Person(chat).does(c.Login("Late"))
    await friend.sees("Entered #small", "Pong")
    assert now() - start < SHORTEST / 2
    assert witness.waiting == []
    await witness.sees("Joined #small P1", "Connected #general Late")


async def test_coming_into_a_small_room_is_shown_at_once(chat: Chat) -> None:
    witness, *others, late = await enter(chat, *[f"P{n}" for n in range(22)])
    await join("#small", witness, *others)
    start = now()
    late.does(c.Join("#small"))
    await witness.sees("Joined #small P21")
    assert now() - start < SHORTEST / 2


async def test_whoever_comes_is_welcomed_at_once(chat: Chat) -> None:
    witness, _ = await crowd(chat)
    start = now()
    newcomer = Person(chat)
    newcomer.does(c.Login("Late"))
    await newcomer.sees("Welcome Late #general")
    assert now() - start < PATIENCE * SIZE / 2
    assert witness.waiting == []
    await witness.sees("Connected #general Late")
    assert now() - start >= PATIENCE * SIZE * 0.9


async def test_a_message_does_not_wait_and_takes_along_what_came_before_it(chat: Chat) -> None:
    witness, speaker = await crowd(chat)
    (late,) = await enter(chat, "Late")
    start = now()
    speaker.does(c.Msg("#general", "welcome"))
    await witness.sees("Connected #general Late", "Said #general P1 welcome")
    await late.sees("Said #general P1 welcome")
    assert now() - start < PATIENCE * SIZE / 2


async def test_an_answer_takes_along_what_came_before_it(chat: Chat) -> None:
    witness, _ = await crowd(chat)
    await enter(chat, "Late")
    start = now()
    witness.does(c.Ping())
    await witness.sees("Connected #general Late", "Pong")
    assert now() - start < PATIENCE * SIZE / 2


async def test_a_new_topic_does_not_wait_either(chat: Chat) -> None:
    witness, speaker = await crowd(chat)
    await enter(chat, "Late")
    start = now()
    speaker.does(c.Topic("#general", "tea"))
    await witness.sees("Connected #general Late", "TopicChanged #general P1 tea")
    assert now() - start < PATIENCE * SIZE / 2
