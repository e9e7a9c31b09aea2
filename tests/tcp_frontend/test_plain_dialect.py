"""Every row of PROTOCOL.md's tables of the plain dialect, over real sockets."""

import re

import pytest

from tcp_frontend.plain_dialect import COMMANDS
from tests.clients import LineClient, WebClient, commanders
from tests.doors import Doors
from tests.tcp_frontend.plain import PlainClient, timed

HINT = "You are {}, in #general. What you type is what you say; /help lists the commands."
ESCAPE = re.compile(r"\x1b\[\d*m")


# ------------------------------------------------------------------ what one sees


async def test_what_is_typed_is_said(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.hears("Bob has joined the chat.")
        await ann.send("hello  there ", "MSG hi", "LOGIN Bob", "  two before")
        await bob.hears("Ann: hello  there ", "Ann: MSG hi", "Ann: LOGIN Bob", "Ann:   two before")
        await ann.hears_nothing()


async def test_a_login_is_seen_by_all_and_by_oneself(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port) as bob:
        await bob.send("Bob")
        await bob.hears("Bob has joined the chat.", HINT.format("Bob"))
        await ann.hears("Bob has joined the chat.")


async def test_the_end_of_a_connection_is_seen_by_all(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann:
        async with PlainClient(doors.tcp_port, "Bob"):
            pass
        await ann.hears("Bob has joined the chat.", "Bob has left the chat.")
        await ann.hears_nothing()


async def test_an_action_begins_with_a_star(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.hears("Bob has joined the chat.")
        await ann.send("/me waves  twice", "/ME again", "/me")
        await bob.hears("* Ann waves  twice", "* Ann again")
        await ann.hears("*** Write it like this: /me text")


async def test_an_action_for_everyone_or_for_one_person_says_so(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.hears("Bob has joined the chat.")
        await bob.send("/all /me claps", "/msg Ann /me winks", "/search claps", "/search winks")
        await ann.hears("* Bob (to all) claps", "* Bob (to you) winks")
        await bob.hears("End of search.", "(history) * Bob (to Ann) winks", "End of search.")


async def test_what_is_said_to_everyone_says_so(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await bob.send("/join #elsewhere", "/all hear, hear")
        await bob.hears("You are in #elsewhere now.")
        await ann.hears("Bob has joined the chat.", "Bob has left the room.", "Bob (to all): hear, hear")


@pytest.mark.parametrize("command", ["/msg", "/dm", "/pm", "/MSG"])
async def test_what_is_said_to_one_person_says_so(doors: Doors, command: str) -> None:
    async with (
        PlainClient(doors.tcp_port, "Ann") as ann,
        PlainClient(doors.tcp_port, "Bob") as bob,
        PlainClient(doors.tcp_port, "Cas") as cas,
    ):
        await ann.send(f"{command} bob psst  psst", f"{command} Zoe hi", f"{command} Bob")
        await bob.hears("Cas has joined the chat.", "Ann (to you): psst  psst")
        await ann.hears("Bob has joined the chat.", "Cas has joined the chat.")
        await ann.hears("*** Nobody here is called Zoe.")
        await ann.hears(f"*** Write it like this: {command.lower()} user text")
        await cas.hears_nothing()


async def test_a_change_of_room_is_seen_in_both_rooms(doors: Doors) -> None:
    async with (
        PlainClient(doors.tcp_port, "Ann") as ann,
        PlainClient(doors.tcp_port, "Bob") as bob,
    ):
        await bob.send("/join #Python")
        await bob.hears("You are in #python now.")
        await ann.hears("Bob has joined the chat.", "Bob has left the room.")
        await ann.send("/JOIN #python", "/leave")
        await ann.hears("You are in #python now.", "You are in #general now.")
        await bob.hears("Ann has joined the room.", "Ann has left the room.")


async def test_a_change_of_name_is_seen_in_the_room(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.send("/nick Anna", "/nick BOB", "/nick 9", "/nick")
        await ann.hears("Bob has joined the chat.", "You are known as Anna now.")
        await ann.hears("*** Somebody has that name already.")
        assert (await ann.hear()).startswith("*** That cannot be a name: ")
        await ann.hears("*** Write it like this: /nick name")
        await bob.hears("Ann is now known as Anna.")


async def test_the_last_ten_messages_are_shown_on_entry_with_the_time_when_they_were_said(
    doors: Doors,
) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), PlainClient(doors.tcp_port) as bob:
        await ann.send("MSG too old", *[f"MSG {n}" for n in range(8)], "MSG /me waves", "MSG last")
        await ann.hears_nothing()
        await bob.send("Bob")
        past = [f"(history) Ann: {n}" for n in range(8)] + ["(history) * Ann waves", "(history) Ann: last"]
        await bob.hears(*past, "Bob has joined the chat.", HINT.format("Bob"))
        await ann.send("JOIN #python", "MSG only this")
        await ann.expect("INFO Bob connected", "OK joined #python")
        await bob.hears("Ann has left the room.")
        await ann.hears_nothing()
        await bob.send("/join #python", "/leave")
        await bob.hears(
            "You are in #python now.", "(history) Ann: only this", "You are in #general now.", *past
        )


async def test_what_could_not_be_done_is_an_error_with_the_reason(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann:
        await ann.send("/join py.thon", "/join #general", "/leave", "/join", "x" * 2001, "x" * 4097)
        await ann.hears(
            "*** A room is called # and then 1 to 63 letters, digits, - or _, like #python.",
            "*** You are in that room already.",
            "*** You are in #general already.",
            "*** Write it like this: /join #room",
            "*** That is longer than 2000 characters.",
            "*** That line was longer than 4096 bytes and was not said.",
        )
        await ann.send_bytes(b"caf\xe9\n")
        await ann.hears("*** That line was not UTF-8 and was not said.")


# ------------------------------------------------------------------ commands


async def test_a_room_may_be_named_without_its_mark(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann:
        await ann.send("/join Tea", "/who", "/join #tea")
        await ann.hears("You are in #tea now.", "In #tea: Ann", "*** You are in that room already.")


async def test_quit_leaves_the_chat(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await bob.send("/QUIT", "too late")
        await bob.hears("Bye.")
        assert await bob.rest() == []
        await ann.hears("Bob has joined the chat.", "Bob has left the chat.")
        await ann.hears_nothing()


async def test_quit_works_before_a_name_is_given(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann"), PlainClient(doors.tcp_port) as other:
        await other.send("Ann", "/quit")
        await other.hears("*** Somebody has that name already. Try another one:", "Bye.")
        assert await other.rest() == []


async def test_whosonline_lists_everyone_and_who_the_room(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Bo") as bo, PlainClient(doors.tcp_port, "al") as al:
        await bo.hears("al has joined the chat.")
        await bo.send("/WhosOnline", "/join #python", "/who", "/whosonline")
        await bo.hears("Online users: al, Bo", "You are in #python now.", "In #python: Bo")
        await bo.hears("Online users: al, Bo")
        await al.hears("Bo has left the room.")
        await al.send("/who")
        await al.hears("In #general: al")


async def test_history_shows_as_many_messages_as_asked_for(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann:
        await ann.send(*[str(n) for n in range(15)], "/history 2", "/history", "/history 0")
        await ann.hears("(history) Ann: 13", "(history) Ann: 14", "End of history.")
        await ann.hears(*[f"(history) Ann: {n}" for n in range(5, 15)], "End of history.")
        await ann.hears("*** Write it like this: /history [n]")


async def test_help_names_every_command_of_the_table(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann:
        await ann.send("/help", "/who")
        lines = []
        while (line := await ann.hear()) != "In #general: Ann":
            lines.append(line)
        assert [line.split()[0] for line in lines] == [*(f"/{name}" for name in COMMANDS), "//text"]


async def test_two_slashes_say_a_text_that_begins_with_one(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.send("//quit is the command", "///")
        await bob.hears("Ann: /quit is the command", "Ann: //")


async def test_an_unknown_command_is_answered_and_said_to_nobody(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.send("/shout hi", "/", "/ me")
        await ann.hears("Bob has joined the chat.")
        await ann.hears("*** There is no command /shout; /help lists the commands. To say it, type //shout")
        for _ in range(2):
            assert (await ann.hear()).startswith("*** There is no command /")
        await bob.hears_nothing()


async def test_colours_come_when_they_are_asked_for_and_change_nothing_else(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, commanders(doors.tcp_port, "Bob") as (bob,):
        await ann.hears("Bob has joined the chat.")
        await ann.send("/color on")
        confirmation = await ann.line()
        await bob.send("MSG hi", "GMSG \x1b[5mall", "NICK Bobby", "MSG /me waves")
        await ann.send("/nope")
        colourful = [confirmation, *[await ann.line() for _ in range(5)]]
        assert all(ESCAPE.search(line) for line in colourful)
        assert all(line.count("\x1b") % 2 == 0 for line in colourful)  # each colour is switched off again
        texts = [timed(ESCAPE.sub("", line))[1] for line in colourful]
        assert sorted(texts[1:]) == sorted(
            [
                "Bob: hi",
                "Bob (to all): [5mall",
                "Bob is now known as Bobby.",
                "* Bobby waves",
                "*** There is no command /nope; /help lists the commands. To say it, type //nope",
            ]
        )
        await ann.send("/COLOR OFF", "/color", "/who")
        await ann.hears(texts[0], "*** Write it like this: /color on|off", "In #general: Ann, Bobby")


# ------------------------------------------------------------------ choosing the dialect


async def test_a_taken_name_is_told_and_asked_for_again(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann"), PlainClient(doors.tcp_port) as other:
        await other.send("aNN", "not a name", "Bob")
        await other.hears("*** Somebody has that name already. Try another one:")
        assert (await other.hear()).startswith("*** That cannot be a name: ")
        await other.hears("Bob has joined the chat.", HINT.format("Bob"))


async def test_until_the_login_the_dialect_may_be_changed(doors: Doors) -> None:
    async with LineClient(doors.tcp_port, "LOGIN Ann"), LineClient(doors.tcp_port) as other:
        await other.send("LOGIN Ann", "Ann", "LOGIN Ann", "Bob", "LOGIN x")
        await other.expect("ERR username-taken")
        assert timed(await other.line())[1].startswith("*** Somebody has that name")
        await other.expect("ERR username-taken")
        assert timed(await other.line())[1] == "Bob has joined the chat."


@pytest.mark.parametrize("line", ["two words", "9lives", "Zoë", "#general", "{}"])
async def test_a_first_line_that_is_neither_a_verb_nor_a_name_is_refused(doors: Doors, line: str) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), LineClient(doors.tcp_port) as stranger:
        await stranger.send(line, "LOGIN Bob")
        assert re.match("ERR (login-required|invalid-username) ", await stranger.line())
        await stranger.expect("OK")
        await ann.expect("INFO Bob connected")


async def test_before_a_name_is_given_slash_commands_ask_for_one(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port) as stranger:
        await stranger.send("/me waves", "/nonsense", "//hi", "Bob")
        await stranger.hears(*["*** Give a name first; /help lists the commands."] * 3)
        await stranger.hears("Bob has joined the chat.")


async def test_a_first_line_that_is_a_verb_is_never_a_name(doors: Doors) -> None:
    async with LineClient(doors.tcp_port) as stranger:
        await stranger.send("who", "Quit")
        await stranger.expect("ERR login-required Send: LOGIN <username>", "OK bye")


@pytest.mark.parametrize("name", ["Nick", "who", "PING", "Topic", "Rooms", "Token", "Msg"])
async def test_in_plain_words_a_verb_that_wants_a_login_is_a_name(doors: Doors, name: str) -> None:
    async with LineClient(doors.tcp_port, "LOGIN Ann"), PlainClient(doors.tcp_port) as nick:
        await nick.send("Ann", name, "/quit")
        await nick.hears("*** Somebody has that name already. Try another one:")
        await nick.hears(f"{name} has joined the chat.", HINT.format(name), "Bye.")


async def test_in_plain_words_a_verb_with_more_behind_it_is_still_a_verb(doors: Doors) -> None:
    async with LineClient(doors.tcp_port, "LOGIN Ann"), LineClient(doors.tcp_port) as other:
        await other.send("Ann", "MSG hi", "Ann", "HELP")
        assert timed(await other.line())[1].startswith("*** Somebody has that name")
        await other.expect("ERR login-required Send: LOGIN <username>")
        assert timed(await other.line())[1].startswith("*** Somebody has that name")
        assert (await other.line()).startswith("INFO LOGIN <username> ")


# ------------------------------------------------------------------ both doors


async def test_someone_on_the_page_is_heard_and_shown_like_everyone(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, WebClient(doors.web_port, "Wes") as wes:
        await wes.call("msg", room="#general", text="hi")
        await wes.call("gmsg", text="all")
        await wes.call("dm", to="ann", text="you")
        await wes.call("typing", room="#general")
        await wes.call("nick", nick="Wesley")
        await wes.call("leave", room="#general")
        await wes.call("join", room="#general")
        await wes.call("quit")
        await ann.hears("Wes has joined the chat.", "Wes: hi", "Wes (to all): all", "Wes (to you): you")
        await ann.hears(
            "Wes is now known as Wesley.", "Wesley has left the room.", "Wesley has joined the room."
        )
        await ann.hears("Wesley has left the chat.")
        await ann.hears_nothing()


async def test_topic_and_rooms(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann:
        await ann.send("/topic", "/topic green or black?", "/topic")
        await ann.hears("#general has no topic.", "Topic changed.", "Topic of #general: green or black?")
        async with PlainClient(doors.tcp_port) as bob:
            await bob.send("Bob", "/join #tea", "/rooms", "/leave")
            await bob.hears(
                "Bob has joined the chat.", HINT.format("Bob"), "Topic of #general: green or black?"
            )
            await bob.hears("You are in #tea now.", "#general (1) green or black?", "#tea (1)")
            await bob.hears("You are in #general now.", "Topic of #general: green or black?")
            await ann.hears("Bob has joined the chat.", "Bob has left the room.", "Bob has joined the room.")
            await ann.send("/topic black", "/topic -")
            await ann.hears("Topic changed.", "Topic changed.")
            await bob.hears("Ann changed the topic: black", "Ann took the topic away.")
