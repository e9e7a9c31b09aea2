"""Coming in, going, and what one is called."""

import pytest

from core import commands as c
from core.chat import Chat
from core.replies import Bye, Error, Welcome
from tests.core.person import Person, enter


async def test_a_login_is_welcomed_in_general_and_the_others_there_are_told(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    bob = Person(chat)
    bob.does(c.Login("Bob"))
    await bob.sees("Welcome Bob #general")
    await ann.sees("Connected #general Bob")
    await bob.sees_nothing()


async def test_only_those_in_general_are_told_of_a_login(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann", one_room=True)
    ann.does(c.Join("#python"))
    await ann.sees("Entered #python")
    await enter(chat, "Bob")
    await ann.sees_nothing()


@pytest.mark.parametrize("nick", ["Ann", "ann", "ANN"])
async def test_a_taken_name_is_refused_in_any_case(chat: Chat, nick: str) -> None:
    (ann,) = await enter(chat, "Ann")
    other = Person(chat)
    other.does(c.Login(nick))
    await other.sees("Error username-taken")
    await ann.sees_nothing()


async def test_of_two_who_want_a_name_at_the_same_moment_the_first_gets_it(chat: Chat) -> None:
    people = [Person(chat) for _ in range(3)]
    for person in people:
        person.does(c.Login("Ann"))
    await people[0].sees("Welcome Ann #general")
    await people[1].sees("Error username-taken")
    await people[2].sees("Error username-taken")


async def test_whoever_was_refused_may_try_another_name(chat: Chat) -> None:
    await enter(chat, "Ann")
    other = Person(chat)
    other.does(c.Login("ann"), c.Login("Bob"))
    await other.sees("Error username-taken", "Welcome Bob #general")


@pytest.mark.parametrize("nick", ["", "9lives", "server", "ADMIN", "two words", "x" * 33])
async def test_a_name_that_cannot_be_is_refused_with_the_reason(chat: Chat, nick: str) -> None:
    person = Person(chat)
    person.does(c.Login(nick))
    error = await person.next()
    assert isinstance(error, Error)
    assert error.code == "invalid-username"
    assert error.detail


async def test_one_login_is_enough(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Login("Bob"))
    await ann.sees("Error already-logged-in")
    await enter(chat, "Bob")


NEEDS_LOGIN: list[c.AnyCommand] = [
    c.Msg("#general", "hi"),
    c.Gmsg("hi"),
    c.Dm("Ann", "hi"),
    c.Join("#python"),
    c.Leave("#general"),
    c.Who(),
    c.Rename("Bob"),
    c.History(room="#general"),
    c.Search("word"),
    c.Token(),
    c.Typing("#general"),
    c.Ping(),
]


@pytest.mark.parametrize("command", NEEDS_LOGIN, ids=lambda command: type(command).__name__)
async def test_before_the_login_it_is_asked_for(chat: Chat, command: c.AnyCommand) -> None:
    (ann,) = await enter(chat, "Ann")
    stranger = Person(chat)
    stranger.does(command)
    await stranger.sees("Error login-required Send login or resume first")
    await ann.sees_nothing()


async def test_before_the_login_one_is_shown_nothing_but_may_ask_for_help_and_leave(chat: Chat) -> None:
    stranger = Person(chat)
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Gmsg("hello all"))
    await ann.sees("Stored")
    stranger.does(c.Help(), c.Quit())
    await stranger.sees("HelpText", "Goodbye", "Bye quit")
    assert await stranger.is_closed() == "quit"
    await ann.sees_nothing()


async def test_a_name_is_free_again_when_its_owner_has_left(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Quit())
    await ann.sees("Goodbye", "Bye quit")
    await bob.sees("Disconnected Ann")
    await enter(chat, "ANN")


async def test_someone_who_quits_is_said_to_have_left_once(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Quit())
    assert await ann.is_closed() == "quit"
    ann.leaves()
    await bob.sees("Disconnected Ann")
    await bob.sees_nothing()


async def test_someone_whose_connection_ends_is_said_to_have_left_once(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.leaves()
    ann.leaves()
    await bob.sees("Disconnected Ann")
    await bob.sees_nothing()


async def test_someone_in_several_rooms_is_said_to_have_left_once(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    for room in ("#one", "#two"):
        for person in (ann, bob):
            person.does(c.Join(room))
            await person.sees(f"Entered {room}")
        await ann.sees(f"Joined {room} Bob")
    ann.leaves()
    await bob.sees("Disconnected Ann")
    await bob.sees_nothing()


async def test_a_stranger_who_leaves_is_not_mentioned(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    stranger = Person(chat)
    stranger.leaves()
    assert await stranger.is_closed()
    await ann.sees_nothing()


async def test_what_comes_after_quit_is_not_carried_out(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Quit(), c.Login("Ghost"), c.Gmsg("boo"))
    await ann.sees("Goodbye", "Bye quit")
    await bob.sees("Disconnected Ann")
    await bob.sees_nothing()


async def test_tokens_are_long_and_never_the_same(chat: Chat) -> None:
    tokens = set()
    for n in range(20):
        person = Person(chat)
        person.does(c.Login(f"N{n}"))
        welcome = await person.next()
        assert isinstance(welcome, Welcome)
        tokens.add(welcome.token)
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 32


async def test_a_stop_says_good_bye_to_everyone(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    stranger = Person(chat)
    await chat.stop("restarting")
    for person in (ann, bob, stranger):
        await person.sees("Bye restarting")
        assert await person.is_closed() == "restarting"


async def test_who_comes_while_the_server_stops_is_told_good_bye_and_nothing_behind_it(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.outbox.SHORTEST", 0.0)  # as in a large room: an answer does not wait for others
    (ann,) = await enter(chat, "Ann")
    await chat.stop("restarting")
    late = Person(chat)
    late.does(c.Login("Late"))
    assert await late.is_closed() == "restarting"
    assert late.waiting == ["Bye restarting"]
    assert ann.waiting == ["Bye restarting"], "nobody was shown who came"


async def test_nobody_comes_in_after_a_good_bye(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    late = Person(chat)
    late.does(c.Login("Late"))
    chat.close(late.session, Bye("login-timeout"))
    assert await late.is_closed() == "login-timeout"
    late.leaves()
    await ann.sees_nothing()
    await enter(chat, "Late")


async def test_whoever_has_left_takes_no_memory(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    for n in range(20):
        (person,) = await enter(chat, f"P{n}")
        person.does(c.Join("#python"))
        await person.sees("Entered #python")
        person.leaves()
        await ann.sees(f"Connected #general P{n}", f"Disconnected P{n}")
    roster, people = chat._roster, chat._people
    assert list(chat._sessions) == list(roster.hall.members) == [ann.session]
    assert list(roster._rooms) == ["#general"]
    assert len(roster._people) == len(people._present) == 1
