"""What people and rooms may be called, on the running doors, and that two cannot share a name."""

import pytest

from tests.clients import LineClient, WebClient
from tests.doors import Doors

BAD_NICKS = [
    "",
    " ",
    "1st",
    "-ann",
    "_ann",
    "a" * 33,
    "Ann Bo",
    "Ann\u200b",
    "Änne",
    "Аnn",
    "An\u0307n",
    "Ann\x00",
    "Ann\n",
    "\x1b[31mAnn",
    "Ann:",
    "Ann,Bo",
    "#general",
    "/quit",
    "server",
    "SERVER",
    "Admin",
    "sYstem",
    "Info",
    "ａnn",
    "Ann\u202e",
    "<b>Ann</b>",
    "Ann\ud800",
]
"""The fourth from the second line is Cyrillic, the first of the last line is wide."""

BAD_ROOMS = [
    "",
    "general",
    "#",
    "# x",
    "##x",
    "#x y",
    "#" + "x" * 64,
    "#ß",
    "#İ",
    "#x\u202e",
    "#x\n",
    "#../x",
    "#,",
]


@pytest.mark.parametrize("nick", BAD_NICKS)
async def test_a_bad_name_is_refused_by_the_web_door_at_login_and_later(doors: Doors, nick: str) -> None:
    async with WebClient(doors.web_port) as stranger, WebClient(doors.web_port, "Zoe") as zoe:
        for person, command in ((stranger, "login"), (zoe, "nick")):
            answer = await person.call(command, nick=nick)
            expected = "bad-request" if "\ud800" in nick else "invalid-username"
            assert (answer["type"], answer["code"]) == ("error", expected)
        assert (await zoe.call("who"))["nicks"] == ["Zoe"]


@pytest.mark.parametrize("nick", [nick for nick in BAD_NICKS if nick.strip() and nick.isprintable()])
async def test_a_bad_name_is_refused_by_the_line_door_at_login_and_later(doors: Doors, nick: str) -> None:
    async with LineClient(doors.tcp_port, "LOGIN Zoe") as zoe, LineClient(doors.tcp_port) as stranger:
        for person, verb in ((stranger, "LOGIN"), (zoe, "NICK")):
            await person.send(f"{verb} {nick}")
            assert (await person.line()).startswith("ERR invalid-username ")
        await zoe.hears_nothing()


@pytest.mark.parametrize("taken", ["Ann", "ANN", "aNN"])
async def test_a_name_is_taken_whatever_its_case_and_whatever_the_door(doors: Doors, taken: str) -> None:
    async with LineClient(doors.tcp_port, "LOGIN Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.line()
        async with WebClient(doors.web_port) as web, LineClient(doors.tcp_port) as line:
            assert (await web.call("login", nick=taken))["code"] == "username-taken"
            assert (await bob.call("nick", nick=taken))["code"] == "nick-taken"
            await line.send(f"LOGIN {taken}", "LOGIN BOB")
            await line.expect("ERR username-taken", "ERR username-taken")
            await ann.send("NICK bOb", "NICK anN")
            await ann.expect("ERR nick-taken", "OK nick-changed")


@pytest.mark.parametrize("room", BAD_ROOMS)
async def test_a_bad_room_is_refused_by_both_doors(doors: Doors, room: str) -> None:
    async with LineClient(doors.tcp_port, "LOGIN Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.line()
        for command, fields in (("join", {}), ("msg", {"text": "x"}), ("typing", {})):
            answer = await bob.call(command, room=room, **fields)
            assert answer["code"] in ("bad-room-name", "not-in-room")
        if room.isprintable() and room:
            await ann.send(f"JOIN {room}")
            assert (await ann.line()).startswith("ERR bad-room-name ")
        await ann.hears_nothing()


async def test_a_room_is_the_same_whatever_its_case_and_whatever_the_door(doors: Doors) -> None:
    async with LineClient(doors.tcp_port, "LOGIN Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.line()
        await ann.send("JOIN #PyThon")
        await ann.expect("OK joined #python")
        assert (await bob.call("join", room="#PYTHON"))["type"] == "ok"
        await ann.expect("INFO Bob joined the room")
        await ann.send("MSG hello")
        await bob.expect("left", nick="Ann")
        await bob.expect("msg", room="#python", text="hello")
        assert (await bob.call("who", room="#pYTHON"))["nicks"] == ["Ann", "Bob"]
