"""Every row of PROTOCOL.md's table of verbs, to the letter, over real sockets."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tcp_frontend.command_dialect import VERBS
from tests.clients import LineClient, WebClient, commanders
from tests.doors import Doors

BAD_NAME = "use a letter first, then letters, digits, - or _"


async def test_the_greeting_names_both_ways_in(doors: Doors) -> None:
    async with LineClient(doors.tcp_port, greeted=False) as ann:
        await ann.expect("Welcome! Please login with: LOGIN <username>")
        await ann.expect("Or type just a name (letters, digits, - and _) to chat in plain words.")


async def test_login(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), LineClient(doors.tcp_port) as bob:
        await bob.send("LOGIN ann", "LOGIN 9lives", "LOGIN server", "LOGIN Bob", "LOGIN Bobby")
        await bob.expect(
            "ERR username-taken",
            f"ERR invalid-username {BAD_NAME}",
            "ERR invalid-username that name is reserved",
            "OK",
            "ERR already-logged-in",
        )
        await ann.expect("INFO Bob connected")
        await ann.hears_nothing()


async def test_msg(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob", "Cas") as (ann, bob, cas):
        await cas.send("JOIN #elsewhere")
        await cas.expect("OK joined #elsewhere")
        await ann.send("MSG hello  there ", "MSG", "MSG  ", "MSG  two before")
        await ann.expect("INFO Cas left the room", "ERR usage: MSG <text>", "ERR usage: MSG <text>")
        await bob.expect("INFO Cas left the room", "MSG Ann hello  there ", "MSG Ann  two before")
        for person in (ann, bob, cas):
            await person.hears_nothing()


async def test_gmsg(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob", "Cas") as (ann, bob, cas):
        await cas.send("JOIN #elsewhere")
        await cas.expect("OK joined #elsewhere")
        await ann.send("GMSG hello all", "GMSG")
        await ann.expect("INFO Cas left the room", "ERR usage: GMSG <text>")
        await bob.expect("INFO Cas left the room", "GMSG Ann hello all")
        await cas.expect("GMSG Ann hello all")
        for person in (ann, bob, cas):
            await person.hears_nothing()


async def test_dm(doors: Doors) -> None:
    usage = "ERR usage: DM <username> <message>"
    async with commanders(doors.tcp_port, "Ann", "Bob", "Cas") as (ann, bob, cas):
        await ann.send("DM Bob hello  Bob", "DM", "DM Bob", "DM Bob ", "DM Zoe hi", "DM bob  spaced")
        await ann.expect(usage, usage, usage, "ERR user-not-found Zoe")
        await bob.expect("DM Ann hello  Bob", "DM Ann  spaced")
        for person in (ann, bob, cas):
            await person.hears_nothing()


async def test_join(doors: Doors) -> None:
    why = "# and then 1 to 63 letters, digits, - or _, like #python"
    async with commanders(doors.tcp_port, "Ann", "Bob", "Cas") as (ann, bob, cas):
        await cas.send("JOIN #Python")
        await cas.expect("OK joined #python")
        for person in (ann, bob):
            await person.expect("INFO Cas left the room")
        await ann.send("JOIN #python", "JOIN #PYTHON", "JOIN python", "JOIN", "JOIN #a b")
        await ann.expect(
            "OK joined #python",
            "ERR already-in-that-room",
            f"ERR bad-room-name {why}",
            "ERR usage: JOIN <#room>",
            f"ERR bad-room-name {why}",
        )
        await bob.expect("INFO Ann left the room")
        await cas.expect("INFO Ann joined the room")
        for person in (ann, bob, cas):
            await person.hears_nothing()


async def test_leave(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send("LEAVE", "JOIN #python", "LEAVE")
        await ann.expect("ERR already-in-general", "OK joined #python", "OK joined #general")
        await bob.expect("INFO Ann left the room", "INFO Ann joined the room")
        await bob.hears_nothing()


async def test_who_and_rwho(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "cas", "Ann", "Bob") as (cas, ann, _):
        await cas.send("JOIN #python", "WHO", "RWHO")
        await cas.expect(
            "OK joined #python",
            "INFO --- All Connected Users ---",
            "USER Ann",
            "USER Bob",
            "USER cas",
            "USERS Ann, Bob, cas",
            "INFO --- End of List ---",
            "INFO --- Users in #python ---",
            "USER cas",
            "USERS cas",
            "INFO --- End of List ---",
        )
        await ann.expect("INFO cas left the room")
        await ann.send("RWHO")
        await ann.expect("INFO --- Users in #general ---", "USER Ann", "USER Bob", "USERS Ann, Bob")


async def test_nick(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob", "Cas") as (ann, bob, cas):
        await cas.send("JOIN #python")
        for person in (ann, bob):
            await person.expect("INFO Cas left the room")
        await ann.send("NICK Anna", "NICK bob", "NICK 9", "NICK", "MSG renamed")
        await ann.expect(
            "OK nick-changed",
            "ERR nick-taken",
            f"ERR invalid-username {BAD_NAME}",
            "ERR usage: NICK <new>",
        )
        await bob.expect("INFO Ann is now known as Anna", "MSG Anna renamed")
        await cas.expect("OK joined #python")
        await cas.hears_nothing()


async def test_history(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send(*[f"MSG number  {n}" for n in range(1, 4)], "GMSG not of the room", "PING")
        await ann.expect("PONG")
        await bob.until("GMSG Ann not of the room")
        await bob.send("HISTORY 2", "HISTORY")
        last = await bob.until("INFO --- End of History ---")
        everything = await bob.until("INFO --- End of History ---")
        form = re.compile(r"HIST (\d+) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) Ann number  (\d)")
        matches = [form.fullmatch(line) for line in everything]
        found = [match.groups() for match in matches if match]
        assert last == everything[-2:]
        assert [number for *_, number in found] == ["1", "2", "3"]
        ids = [int(id_) for id_, *_ in found]
        assert ids == sorted(set(ids))
        for _, time, _ in found:
            assert abs(datetime.fromisoformat(time) - datetime.now(UTC)) < timedelta(seconds=10)


@pytest.mark.parametrize("argument", ["0", "-1", "x", "1.5", "٣", "1 2", "99999999999999999999"])
async def test_history_wants_a_number(doors: Doors, argument: str) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        await ann.send(f"HISTORY {argument}")
        await ann.expect("ERR usage: HISTORY [n]")


async def test_history_shows_50_messages_unless_told_and_200_at_most(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        await ann.send(*[f"MSG {n}" for n in range(210)], "HISTORY", "HISTORY 100", "HISTORY 9999")
        for number in (50, 100, 200):
            lines = await ann.until("INFO --- End of History ---")
            assert [line.split()[-1] for line in lines] == [str(n) for n in range(210 - number, 210)]


async def test_ping_help_and_quit(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send("PING", "HELP", "PING", "QUIT", "MSG too late")
        await ann.expect("PONG")
        help_lines = await ann.until("PONG")
        assert all(re.fullmatch(r"INFO [A-Z]+( \S+)* - .+", line) for line in help_lines)
        await ann.expect("OK bye")
        assert await ann.rest() == []
        await bob.expect("INFO Ann disconnected")
        await bob.hears_nothing()


async def test_help_names_every_verb_of_the_table(doors: Doors) -> None:
    async with LineClient(doors.tcp_port) as stranger:
        await stranger.send("HELP", "PING")
        lines = await stranger.until("ERR login-required Send: LOGIN <username>")
        verbs = [line.split()[1] for line in lines]
        assert verbs == list(VERBS)


@pytest.mark.parametrize(
    "line",
    [
        *("MSG hi", "GMSG hi", "DM Ann hi", "JOIN #x", "LEAVE", "WHO", "RWHO", "NICK Bob", "HISTORY", "PING"),
        *("SEARCH x", "TOKEN"),
        *("MSG", "GMSG", "DM", "DM Ann", "JOIN", "NICK", "HISTORY x"),
    ],
)
async def test_before_the_login_other_verbs_are_answered_with_login_required(doors: Doors, line: str) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), LineClient(doors.tcp_port) as stranger:
        await stranger.send(line)
        await stranger.expect("ERR login-required Send: LOGIN <username>")
        await ann.hears_nothing()


async def test_before_the_login_one_may_quit(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), LineClient(doors.tcp_port) as stranger:
        await stranger.send("QUIT")
        await stranger.expect("OK bye")
        assert await stranger.rest() == []
        await ann.hears_nothing()


async def test_verbs_may_be_written_in_any_case_and_spaces_may_stand_before_them(doors: Doors) -> None:
    async with LineClient(doors.tcp_port) as ann:
        await ann.send("login   Ann  ", "pInG", "  Join  #x ", "\tping")
        await ann.expect("OK", "PONG", "OK joined #x", "PONG")


async def test_any_other_word_is_an_unknown_command(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send("SHOUT hi", "msgs", "/quit", "Zoë", "MSG\u00a0x")
        await ann.expect("ERR unknown-command SHOUT", "ERR unknown-command msgs", "ERR unknown-command /quit")
        await ann.expect("ERR unknown-command Zoë", "ERR unknown-command MSG\u00a0x")
        await bob.hears_nothing()


async def test_blank_lines_are_ignored(doors: Doors) -> None:
    async with LineClient(doors.tcp_port) as ann:
        await ann.send("", "   ", "LOGIN Ann", "", "\t", "PING")
        await ann.expect("OK", "PONG")


async def test_texts_and_lines_over_the_limits_are_refused(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send("MSG " + "x" * 2001, "MSG " + "y" * 5000, "MSG " + "é" * 2000)
        await ann.expect("ERR text-too-long 2000", "ERR line-too-long 4096")
        await bob.expect("MSG Ann " + "é" * 2000)
        await ann.hears_nothing()


async def test_a_line_that_is_not_utf_8_does_nothing_but_be_refused(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send_bytes(b"MSG caf\xe9\nMSG \xed\xa0\x80\nMSG ok\n")
        for _ in range(2):
            assert (await ann.line()).startswith("ERR invalid-utf8")
        await bob.expect("MSG Ann ok")
        await ann.hears_nothing()


async def test_what_a_text_cannot_hold_is_taken_out(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send_bytes("MSG a\x1b[31m\tb\rINFO c\u2028d\u202ee\x85f\x00g\n".encode())
        await bob.expect("MSG Ann a[31m b INFO c de fg")


async def test_an_action_is_a_text_like_any_other(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send("MSG /me waves")
        await bob.expect("MSG Ann /me waves")


async def test_someone_on_the_page_is_heard_and_shown_like_everyone(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,), WebClient(doors.web_port, "Wes") as wes:
        await ann.expect("INFO Wes connected")
        await wes.call("msg", room="#general", text="hi")
        await wes.call("gmsg", text="all")
        await wes.call("dm", to="ann", text="you")
        await wes.call("typing", room="#general")
        await wes.call("nick", nick="Wesley")
        await wes.call("leave", room="#general")
        await wes.call("join", room="#general")
        await wes.call("quit")
        await ann.expect("MSG Wes hi", "GMSG Wes all", "DM Wes you", "INFO Wes is now known as Wesley")
        await ann.expect("INFO Wesley left the room", "INFO Wesley joined the room")
        await ann.expect("INFO Wesley disconnected")
        await ann.hears_nothing()


async def test_topic_and_rooms(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await ann.send("TOPIC", "topic  green  or black?", "TOPIC", f"TOPIC {'x' * 301}")
        await ann.expect("INFO no topic", "OK topic-changed", "INFO topic: green  or black?")
        await ann.expect("ERR text-too-long 300")
        await bob.expect("INFO Ann changed the topic: green  or black?")
        async with LineClient(doors.tcp_port) as cas:
            await cas.send("TOPIC", "ROOMS", "LOGIN Cas", "JOIN #tea", "LEAVE", "ROOMS")
            await cas.expect(*["ERR login-required Send: LOGIN <username>"] * 2)
            await cas.expect("OK", "INFO topic: green  or black?", "OK joined #tea", "OK joined #general")
            await cas.expect("INFO topic: green  or black?", "INFO --- Rooms ---")
            await cas.expect("ROOM #general 3 green  or black?", "INFO --- End of List ---")
        await bob.expect("INFO Cas connected", "INFO Cas left the room", "INFO Cas joined the room")
        await bob.expect("INFO Cas disconnected")
        await bob.send("JOIN #tea", "ROOMS", "LEAVE", "TOPIC -", "TOPIC")
        await bob.expect("OK joined #tea", "INFO --- Rooms ---", "ROOM #general 1 green  or black?")
        await bob.expect("ROOM #tea 1", "INFO --- End of List ---", "OK joined #general")
        await bob.expect("INFO topic: green  or black?", "OK topic-changed", "INFO no topic")
