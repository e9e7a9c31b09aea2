"""What rooms are about, and which there are."""

import asyncio

import pytest

from core import commands as c
from core.chat import Chat
from core.limits import LISTED_MAX, TOPIC_MAX, Limits
from core.log import LogError
from core.names import RoomName
from core.replies import Entered, RoomList, Welcome
from storage.memory import MemoryLog
from tests.core.person import Person, enter, join


async def test_a_topic_is_shown_to_the_room_and_told_to_whoever_comes(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#tea", ann, bob)
    ann.does(c.Topic("#TEA", " green  or black? "))
    await ann.sees("TopicIs #tea green  or black? True")
    await bob.sees("TopicChanged #tea Ann green  or black?")
    (cas,) = await enter(chat, "Cas")
    cas.does(c.Join("#tea"))
    entered = await cas.next()
    assert isinstance(entered, Entered)
    assert entered.topic == "green  or black?"
    cas.does(c.Topic("#tea"), c.Topic("#general"))
    await cas.sees("TopicIs #tea green  or black?", "TopicIs #general")


async def test_a_login_tells_the_topic_of_the_first_room(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Topic("#general", "hello"))
    await ann.sees("TopicIs #general hello True")
    bob = Person(chat)
    bob.does(c.Login("Bob"))
    welcome = await bob.next()
    assert isinstance(welcome, Welcome)
    assert welcome.topics == {"#general": "hello"}


async def test_of_very_many_topics_those_of_empty_rooms_are_forgotten(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.topics.TOPICS_MAX", 3)
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#a", ann)
    ann.does(c.Topic("#a", "I stay here"))
    await ann.sees("TopicIs #a I stay here True")
    for room in ("#b", "#c", "#d"):
        bob.does(c.Join(room), c.Topic(room, "on my way"), c.Leave(room))
        await bob.sees(f"Entered {room}", f"TopicIs {room} on my way True", "Done")
    bob.does(*[c.Topic(room) for room in ("#a", "#b", "#c", "#d")])
    await bob.sees("TopicIs #a I stay here", "TopicIs #b on my way", "TopicIs #c on my way")
    await bob.sees("TopicIs #d on my way")
    bob.does(c.Join("#e"), c.Topic("#e", "and here"), *[c.Topic(f"#{name}") for name in "abcde"])
    await bob.sees("Entered #e", "TopicIs #e and here True", "TopicIs #a I stay here", "TopicIs #b")
    await bob.sees("TopicIs #c on my way", "TopicIs #d on my way", "TopicIs #e and here")


@pytest.mark.parametrize("nothing", ["", "   ", "\u202e\n\x07"])
async def test_an_empty_topic_takes_it_away(chat: Chat, nothing: str) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Topic("#general", "x"), c.Topic("#general", nothing), c.Topic("#general"))
    await ann.sees("TopicIs #general x True", "TopicIs #general True", "TopicIs #general")
    await bob.sees("TopicChanged #general Ann x", "TopicChanged #general Ann")


async def test_a_topic_that_nobody_could_see_is_refused_and_the_old_one_stays(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Topic("#general", "x"), c.Topic("#general", "\u200b"), c.Topic("#general"))
    await ann.sees(
        "TopicIs #general x True", "Error empty-text Nothing of that can be seen", "TopicIs #general x"
    )
    await bob.sees("TopicChanged #general Ann x")
    await bob.sees_nothing()


async def test_a_topic_may_be_one_emoji_that_is_newer_than_this_python(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Topic("#general", "\U0001faea"))
    await ann.sees("TopicIs #general \U0001faea True")


async def test_a_topic_that_stays_as_it_is_is_shown_to_nobody(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Topic("#general", ""), c.Topic("#general", "x"), c.Topic("#general", "x "))
    await ann.sees("TopicIs #general True", "TopicIs #general x True", "TopicIs #general x True")
    await bob.sees("TopicChanged #general Ann x")
    await bob.sees_nothing()


async def test_a_topic_is_one_clean_line_of_limited_length(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Topic("#general", "a\nMSG b\x1b[2J"), c.Topic("#general", "x" * (TOPIC_MAX + 1)))
    await ann.sees("TopicIs #general a MSG b[2J True", f"Error text-too-long {TOPIC_MAX}")
    ann.does(c.Topic("#general", "x" * TOPIC_MAX))
    await ann.sees(f"TopicIs #general {'x' * TOPIC_MAX} True")


async def test_only_who_is_in_a_room_changes_its_topic(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    stranger = Person(chat)
    stranger.does(c.Topic("#general", "mine"), c.Topic("#general"), c.Rooms())
    await stranger.sees(*["Error login-required Send login or resume first"] * 3)
    ann.does(c.Topic("#tea", "mine"), c.Topic("#tea"))
    await ann.sees("Error not-in-room #tea", "TopicIs #tea")


async def test_a_topic_that_could_not_be_stored_is_shown_to_nobody() -> None:
    class FullLog(MemoryLog):
        async def set_topic(self, room: RoomName, text: str) -> None:
            raise LogError("storage-full", "full")

    async with Chat(FullLog(), limits=Limits(rate=0)) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        ann.does(c.Topic("#general", "x"), c.Topic("#general"))
        await ann.sees("Error storage-full full", "TopicIs #general")
        await bob.sees_nothing()


async def test_who_left_while_it_was_stored_is_no_trouble() -> None:
    class SlowLog(MemoryLog):
        stored = asyncio.Event()

        async def set_topic(self, room: RoomName, text: str) -> None:
            await self.stored.wait()
            await super().set_topic(room, text)

    log = SlowLog()
    async with Chat(log, limits=Limits(rate=0, linger=0)) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        ann.does(c.Topic("#general", "x"))
        await bob.sees_nothing()
        ann.leaves()
        log.stored.set()
        await bob.sees("TopicChanged #general Ann x", "Disconnected Ann")


async def test_topics_are_not_changed_in_haste() -> None:
    async with Chat(MemoryLog(), limits=Limits(burst=100)) as chat:
        (ann,) = await enter(chat, "Ann")
        ann.does(*(c.Topic("#general", str(n)) for n in range(6)))
        await ann.sees(*(f"TopicIs #general {n} True" for n in range(5)), "Error too-fast 12")


async def test_rooms_are_listed_with_people_and_topics_the_largest_first(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    await join("#tea", ann, bob)
    await join("#art", bob)
    ann.does(c.Topic("#tea", "leaves"))
    await ann.sees("TopicIs #tea leaves True")
    cas.does(c.Rooms())
    listed = await cas.next()
    assert isinstance(listed, RoomList)
    assert [(each.room, each.members, each.topic) for each in listed.rooms] == [
        ("#general", 3, ""),
        ("#tea", 2, "leaves"),
        ("#art", 1, ""),
    ]


async def test_a_list_of_rooms_has_an_end(chat: Chat) -> None:
    log = chat._log
    for person in await enter(chat, *(f"P{n}" for n in range(20))):
        for n in range(19):
            room = RoomName(f"#{person.session.nick}-{n}".lower())
            await log.set_topic(room, "x" * 100 if n else "")
            person.does(c.Join(room))
        await person.until(lambda person=person: len(person.session.rooms) == 20)  # type: ignore[misc]
    person.does(c.Rooms())
    await person.until(lambda: isinstance(person.seen[-1], RoomList))
    listed = person.seen[-1]
    assert isinstance(listed, RoomList)
    assert listed.rooms[0].room == "#general"
    assert 100 < len(listed.rooms) <= LISTED_MAX
