"""What people say: in a room, to everyone, to one person."""

import pytest

from core import commands as c
from core.chat import Chat
from core.facts import Entry, Said, Told
from core.limits import TEXT_MAX
from core.replies import Stored
from tests.core.person import Person, enter, join


async def test_what_is_said_in_a_room_is_shown_to_the_others_there(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    await join("#python", ann, bob)
    ann.does(c.Msg("#python", "hello"))
    await bob.sees("Said #python Ann hello")
    await cas.sees_nothing()


async def test_the_sender_is_told_the_id_and_the_time_and_gets_no_echo(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "hello"))
    stored, entry = await ann.next(), await bob.next()
    assert isinstance(stored, Stored)
    assert isinstance(entry, Entry)
    assert (stored.id, stored.time) == (entry.id, entry.time)
    await ann.sees_nothing()


async def test_the_identity_behind_a_nick_is_kept_with_the_message(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "hello"), c.Dm("bob", "psst"))
    said, told = await bob.next(), await bob.next()
    assert isinstance(said, Entry)
    assert isinstance(told, Entry)
    assert isinstance(said.fact, Said)
    assert isinstance(told.fact, Told)
    assert said.fact.author == told.fact.author == ann.session.id
    assert told.fact.reader == bob.session.id
    assert ann.session.id != bob.session.id


async def test_one_speaks_only_where_one_is(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", bob)
    ann.does(c.Msg("#python", "let me in"), c.Msg("#nobody", "hello?"))
    await ann.sees("Error not-in-room #python", "Error not-in-room #nobody")
    await bob.sees_nothing()


async def test_what_is_said_to_everyone_is_shown_in_every_room_and_once_each(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    Person(chat)
    await join("#python", bob)
    cas.does(c.Leave("#general"))
    await cas.sees("Done")
    ann.does(c.Gmsg("hear, hear"))
    await ann.sees("Left #general Cas", "Stored")
    await bob.sees("Left #general Cas", "Shouted Ann hear, hear")
    await cas.sees("Shouted Ann hear, hear")
    for person in (ann, bob, cas):
        await person.sees_nothing()


async def test_a_direct_message_is_shown_to_its_reader_alone(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    ann.does(c.Dm("BOB", "psst"))
    await ann.sees("Stored")
    await bob.sees("Told Ann Bob psst")
    await cas.sees_nothing()


async def test_a_direct_message_needs_no_room_in_common(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    bob.does(c.Leave("#general"))
    await bob.sees("Done")
    ann.does(c.Dm("Bob", "psst"))
    await bob.sees("Told Ann Bob psst")


@pytest.mark.parametrize("name", ["Zoe", "", "no name", "#general"])
async def test_a_direct_message_to_nobody_is_refused(chat: Chat, name: str) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Dm(name, "psst"))
    await ann.sees(f"Error user-not-found {name}".rstrip())
    await bob.sees_nothing()


async def test_a_direct_message_to_oneself_is_shown(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Dm("ann", "note"))
    await ann.sees("Told Ann Ann note", "Stored")


def speech(text: str) -> list[c.AnyCommand]:
    return [c.Msg("#general", text), c.Gmsg(text), c.Dm("Bob", text)]


async def test_marks_and_signs_that_show_something_can_be_said(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    known = ("\u3164e\u0301", "\u2803", "\u2764\ufe0f", "\u0e01\u0e33")
    unknown = ("\U0001fa77", "\U0001faea", "\U0001fbff", "\uf8ff")  # newer than some Pythons, or private
    for text in known + unknown:
        ann.does(c.Msg("#general", text))
        await bob.sees(f"Said #general Ann {text}")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "\t\n",
            "\x00",
            "\u202e\u2066",
            "\ud800",
            "\u3000",
            "\u3164\u2800\uffa0",
            "\u0301\ufe0f\u20dd",
        ),
        *("\u200b\u2060\u00ad", "\u2065\ufff0", "\U000e0001\U000e0fff"),
    ],
)
async def test_there_must_be_something_to_say(chat: Chat, text: str) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(*speech(text))
    await ann.sees(*["Error empty-text Say something"] * 3)
    await bob.sees_nothing()


async def test_a_text_has_at_most_2000_characters(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    for text in ("é" * TEXT_MAX, "é" * (TEXT_MAX + 1)):
        ann.does(*speech(text))
    await ann.sees("Stored", "Stored", "Stored", *[f"Error text-too-long {TEXT_MAX}"] * 3)
    await bob.sees(
        *[f"{fact} {'é' * TEXT_MAX}" for fact in ("Said #general Ann", "Shouted Ann", "Told Ann Bob")]
    )
    await bob.sees_nothing()


async def test_what_is_taken_out_of_a_text_does_not_count(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Msg("#general", "\x1b" * 500 + "x" * TEXT_MAX))
    await bob.sees("Said #general Ann " + "x" * TEXT_MAX)
    await ann.sees("Stored")


async def test_a_text_is_stored_and_shown_as_one_clean_line_with_its_spaces(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(*speech("  a\nINFO  b\x1b[2J\u202e  "))
    await bob.sees("Said #general Ann   a INFO  b[2J  ", "Shouted Ann   a INFO  b[2J  ")
    await bob.sees("Told Ann Bob   a INFO  b[2J  ")


async def test_with_one_room_here_is_where_one_speaks(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob", one_room=True)
    ann.does(c.Msg(c.HERE, "one"), c.Join("#python"), c.Msg(c.HERE, "two"))
    await ann.sees("Stored", "Entered #python", "Stored")
    await bob.sees("Said #general Ann one", "Left #general Ann")
    await bob.sees_nothing()


async def test_each_answer_carries_the_ref_of_its_command(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    commands: list[c.AnyCommand] = [
        c.Msg("#general", "hi", ref="msg"),
        c.Gmsg("hi", ref="gmsg"),
        c.Dm("Ann", "hi", ref="dm"),
        c.Join("#x", ref="join"),
        c.Join("no", ref="refused"),
        c.Leave("#x", ref="leave"),
        c.Who(ref="who"),
        c.Rename("Anna", ref="nick"),
        c.History(room="#general", ref="history"),
        c.Search("hi", ref="search"),
        c.Token(ref="token"),
        c.Resume("x", 0, ref="resume"),
        c.Typing("#general", ref="typing"),
        c.Invalid("bad-request", ref="invalid"),
        c.Login("Ann", ref="login"),
        c.Ping(ref="ping"),
        c.Quit(ref="quit"),
    ]
    ann.does(*commands)
    assert await ann.is_closed()
    answers = [shown for shown in ann.seen[1:] if not isinstance(shown, Entry)]  # after the login
    assert [answer.ref for answer in answers] == [*(command.ref for command in commands), None]  # and a bye
