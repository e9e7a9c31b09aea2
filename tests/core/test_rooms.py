"""Rooms, for people who are in one at a time (the line door) and in many (the page)."""

import pytest

from core import commands as c
from core.chat import Chat
from core.limits import ROOMS_MAX
from tests.core.person import Person, enter, join

BAD_ROOM = "Error bad-room-name # and then 1 to 63 letters, digits, - or _, like #python"


# ------------------------------------------------------------------ many rooms


async def test_joining_a_room_adds_it_and_tells_its_people(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", bob)
    ann.does(c.Join("#python"))
    await ann.sees("Entered #python")
    await bob.sees("Joined #python Ann")
    bob.does(c.Msg("#general", "here"), c.Msg("#python", "and there"))
    await ann.sees("Said #general Bob here", "Said #python Bob and there")


async def test_leaving_a_room_tells_those_who_stay_and_nothing_of_it_is_heard_any_more(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", ann, bob)
    ann.does(c.Leave("#python"))
    await ann.sees("Done")
    await bob.sees("Left #python Ann")
    bob.does(c.Msg("#python", "gone?"))
    await bob.sees("Stored")
    await ann.sees_nothing()


async def test_even_general_can_be_left_and_joined_again(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Leave("#general"), c.Join("#general"))
    await ann.sees("Done", "Entered #general")
    await bob.sees("Left #general Ann", "Joined #general Ann")


async def test_a_room_has_one_name_in_any_case(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", ann)
    bob.does(c.Join("#PyThOn"), c.Msg("#PYTHON", "hi"))
    await bob.sees("Entered #python", "Stored")
    await ann.sees("Joined #python Bob", "Said #python Bob hi")


async def test_a_room_that_one_is_in_cannot_be_joined_again(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Join("#General"))
    await ann.sees("Error already-in-that-room")
    await bob.sees_nothing()


async def test_a_room_that_one_is_not_in_cannot_be_left(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Leave("#python"))
    await ann.sees("Error not-in-room #python")


@pytest.mark.parametrize("name", ["python", "#", "#a b", "##", "", "#" + "x" * 64])
async def test_a_room_must_have_a_rooms_name(chat: Chat, name: str) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Join(name), c.Leave(name), c.Msg(name, "hi"), c.Typing(name), c.History(room=name))
    await ann.sees(*[BAD_ROOM] * 5)


async def test_one_may_be_in_so_many_rooms(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    for n in range(ROOMS_MAX - 1):
        await join(f"#r{n}", ann)
    ann.does(c.Join("#one-more"))
    await ann.sees(f"Error too-many-rooms {ROOMS_MAX}")
    ann.does(c.Leave("#r0"), c.Join("#one-more"))
    await ann.sees("Done", "Entered #one-more")


# ------------------------------------------------------------------ one room


async def test_with_one_room_joining_another_one_leaves_the_first(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas", one_room=True)
    cas.does(c.Join("#python"))
    await cas.sees("Entered #python")
    for person in (ann, bob):
        await person.sees("Left #general Cas")
    ann.does(c.Join("#python"))
    await ann.sees("Entered #python")
    await bob.sees("Left #general Ann")
    await cas.sees("Joined #python Ann")
    bob.does(c.Msg(c.HERE, "anybody?"))
    cas.does(c.Msg(c.HERE, "welcome"))
    await ann.sees("Said #python Cas welcome")
    await ann.sees_nothing()


async def test_with_one_room_leaving_goes_back_to_general(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob", one_room=True)
    ann.does(c.Join("#python"), c.Leave(c.HERE))
    await ann.sees("Entered #python", "Entered #general")
    await bob.sees("Left #general Ann", "Joined #general Ann")


async def test_with_one_room_general_cannot_be_left(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob", one_room=True)
    ann.does(c.Leave(c.HERE))
    await ann.sees("Error already-in-general")
    await bob.sees_nothing()


async def test_with_one_room_there_is_no_limit_to_the_moves(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann", one_room=True)
    for n in range(ROOMS_MAX + 5):
        ann.does(c.Join(f"#r{n}"))
        await ann.sees(f"Entered #r{n}")


async def test_a_refused_move_changes_nothing(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob", one_room=True)
    ann.does(c.Join("no room"), c.Join("#general"), c.Msg(c.HERE, "still here"))
    await ann.sees(BAD_ROOM, "Error already-in-that-room", "Stored")
    await bob.sees("Said #general Ann still here")


# ------------------------------------------------------------------ who is where


async def test_everyone_is_listed_by_name_whichever_room_they_are_in(chat: Chat) -> None:
    cas, *_ = await enter(chat, "cas", "Ann", "Bob")
    Person(chat)  # not logged in, so nobody yet
    cas.does(c.Join("#python"), c.Leave("#general"), c.Who())
    await cas.sees("Entered #python", "Done", "Users Ann,Bob,cas")


async def test_a_room_lists_its_own_people(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    await join("#python", ann, cas)
    bob.does(c.Who("#Python"), c.Who("#general"), c.Who("#nobody"), c.Who("bad name"))
    await bob.sees("Users #python Ann,Cas", "Users #general Ann,Bob,Cas", "Users #nobody", BAD_ROOM)


async def test_with_one_room_here_is_the_room_one_is_in(chat: Chat) -> None:
    ann, _ = await enter(chat, "Ann", "Bob", one_room=True)
    ann.does(c.Who(c.HERE), c.Join("#python"), c.Who(c.HERE))
    await ann.sees("Users #general Ann,Bob", "Entered #python", "Users #python Ann")


async def test_whoever_has_left_is_on_no_list(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", ann, bob)
    bob.leaves()
    await ann.sees("Disconnected Bob")
    ann.does(c.Who(), c.Who("#python"))
    await ann.sees("Users Ann", "Users #python Ann")


async def test_an_empty_room_leaves_nothing_behind(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    for n in range(50):
        ann.does(c.Join(f"#r{n}"), c.Leave(f"#r{n}"))
        await ann.sees(f"Entered #r{n}", "Done")
    assert set(chat._roster._rooms) == {"#general"}


# ------------------------------------------------------------------ typing


async def test_typing_is_shown_to_the_others_of_the_room(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    await join("#python", ann, bob)
    ann.does(c.Typing("#python"))
    await ann.sees("Done")
    await bob.sees("Typed #python Ann")
    await cas.sees_nothing()


async def test_one_types_only_where_one_is(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", bob)
    ann.does(c.Typing("#python"))
    await ann.sees("Error not-in-room #python")
    await bob.sees_nothing()
