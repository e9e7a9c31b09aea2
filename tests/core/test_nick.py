"""Changing one's name."""

from core import commands as c
from core.chat import Chat
from tests.core.person import Person, enter, join


async def test_a_change_of_name_is_confirmed_and_told_to_the_rooms(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Rename("Anna"))
    await ann.sees("NickChanged Anna")
    await bob.sees("Renamed Ann Anna")
    await ann.sees_nothing()


async def test_those_who_share_several_rooms_are_told_of_a_new_name_once(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#one", ann, bob)
    await join("#two", ann, bob)
    ann.does(c.Rename("Anna"))
    await bob.sees("Renamed Ann Anna")
    await bob.sees_nothing()


async def test_those_in_other_rooms_are_not_told_of_a_new_name(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.does(c.Leave("#general"))
    await bob.sees("Done")
    await ann.sees("Left #general Bob")
    ann.does(c.Rename("Anna"))
    await ann.sees("NickChanged Anna")
    await bob.sees_nothing()


async def test_a_new_name_may_not_be_somebody_elses(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Rename("bOB"))
    await ann.sees("Error nick-taken")
    await bob.sees_nothing()
    bob.does(c.Dm("Ann", "still you?"))
    await ann.sees("Told Bob Ann still you?")


async def test_a_new_name_must_be_a_name(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Rename("info"))
    await ann.sees("Error invalid-username that name is reserved")


async def test_ones_own_name_may_be_written_in_another_case(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Rename("ANN"))
    await ann.sees("NickChanged ANN")
    await bob.sees("Renamed Ann ANN")
    bob.does(c.Dm("ann", "hi"))
    await ann.sees("Told Bob ANN hi")


async def test_ones_own_name_in_another_case_is_still_taken(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Rename("ANN"))
    await ann.sees("NickChanged ANN")
    other = Person(chat)
    other.does(c.Login("ann"))
    await other.sees("Error username-taken")


async def test_the_old_name_is_free_and_the_new_one_is_not(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Rename("Anna"))
    await ann.sees("NickChanged Anna")
    (other,) = await enter(chat, "Ann")
    other.does(c.Rename("anna"))
    await other.sees("Error nick-taken")


async def test_a_message_bears_the_name_of_the_moment_in_which_it_was_sent(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "one"), c.Rename("Anna"), c.Msg("#general", "two"))
    await bob.sees("Said #general Ann one", "Renamed Ann Anna", "Said #general Anna two")


async def test_whoever_is_renamed_can_be_reached_by_the_new_name_only(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Rename("Anna"))
    await bob.sees("Renamed Ann Anna")
    bob.does(c.Dm("Ann", "old"), c.Dm("Anna", "new"))
    await bob.sees("Error user-not-found Ann", "Stored")
    await ann.sees("NickChanged Anna", "Told Bob Anna new")
