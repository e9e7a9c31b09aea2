"""The two doors in one room: the `websockets` library on one side, netcats on the other."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.netcat import command_user, plain_user
from tests.e2e.server import Server
from tests.e2e.sockets import web_user

pytestmark = pytest.mark.network


async def test_web_users_and_netcat_users_hear_each_other(server: Server) -> None:
    async with (
        web_user(server, "Wes") as wes,
        web_user(server, "Wim") as wim,
        command_user(server, "Ann") as ann,
        plain_user(server, "Pat") as pat,
    ):
        for newcomer in ("Wim", "Ann", "Pat"):
            await wes.hears({"type": "joined", "room": "#general", "nick": newcomer})
        await wim.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        await wim.hears({"type": "joined", "room": "#general", "nick": "Pat"})
        await ann.hears("INFO Pat connected")

        await wes.send("msg", room="#general", text="from the web", ref="1")
        await wes.hears({"type": "ok", "ref": "1"})
        await wim.hears({"type": "msg", "room": "#general", "nick": "Wes", "text": "from the web"})
        await ann.hears("MSG Wes from the web")
        await pat.is_told("Wes: from the web")

        await ann.send("MSG from a script")
        for page in (wes, wim):
            await page.hears({"type": "msg", "room": "#general", "nick": "Ann", "text": "from a script"})
        await pat.is_told("Ann: from a script")

        await pat.send("from a person")
        for page in (wes, wim):
            await page.hears({"type": "msg", "room": "#general", "nick": "Pat", "text": "from a person"})
        await ann.hears("MSG Pat from a person")


async def test_direct_messages_and_messages_to_all_pass_between_the_doors(server: Server) -> None:
    async with (
        web_user(server, "Wes") as wes,
        command_user(server, "Ann") as ann,
        plain_user(server, "Pat") as pat,
    ):
        await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        await wes.hears({"type": "joined", "room": "#general", "nick": "Pat"})
        await ann.hears("INFO Pat connected")
        await wes.send("dm", to="ann", text="for Ann alone")
        await wes.hears({"type": "ok"})
        await ann.hears("DM Wes for Ann alone")
        await wes.send("gmsg", text="for all")
        await wes.hears({"type": "ok"})
        await ann.hears("GMSG Wes for all")
        await pat.is_told("Wes (to all): for all")  # and nothing of what was for Ann
        await ann.send("DM WES for Wes alone")
        await wes.hears({"type": "dm", "nick": "Ann", "to": "Wes", "text": "for Wes alone"})
        await pat.send("/dm Wes for Wes too", "/all for everybody")
        await wes.hears({"type": "dm", "nick": "Pat", "to": "Wes", "text": "for Wes too"})
        await wes.hears({"type": "gmsg", "nick": "Pat", "text": "for everybody"})
        await ann.hears("GMSG Pat for everybody")


async def test_a_message_has_one_time_and_one_id_for_all_and_ids_rise(server: Server) -> None:
    async with web_user(server, "Wes") as wes, web_user(server, "Wim") as wim:
        await wes.hears({"type": "joined", "room": "#general", "nick": "Wim"})
        last = 0
        async with command_user(server, "Ann") as ann:
            for page in (wes, wim):
                await page.hears({"type": "joined", "room": "#general", "nick": "Ann"})
            await ann.send("MSG what time is it?")
            heard = await wes.event()
            assert heard == await wim.event()
            last = heard["id"]
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", heard["time"])
            age = datetime.now(UTC) - datetime.fromisoformat(heard["time"])
            assert timedelta(0) <= age < timedelta(seconds=30)
            await ann.send("HISTORY 1")
            await ann.hears(
                f"HIST {last} {heard['time']} Ann what time is it?", "INFO --- End of History ---"
            )
        for page in (wes, wim):
            await page.hears({"type": "disconnected", "nick": "Ann"})
        await wes.send("msg", room="#general", text="late")
        answer, heard = await wes.event(), await wim.event()
        assert (answer["id"], answer["time"]) == (heard["id"], heard["time"])
        assert answer["id"] > last


async def test_a_change_of_name_is_seen_through_both_doors(server: Server) -> None:
    async with (
        web_user(server, "Wes") as wes,
        command_user(server, "Ann") as ann,
        plain_user(server, "Pat") as pat,
    ):
        await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        await wes.hears({"type": "joined", "room": "#general", "nick": "Pat"})
        await ann.hears("INFO Pat connected")
        await ann.send("NICK wes", "NICK Anna")
        await ann.hears("ERR nick-taken", "OK nick-changed")
        await wes.hears({"type": "renamed", "old": "Ann", "new": "Anna"})
        await pat.is_told("Ann is now known as Anna.")
        await wes.send("nick", nick="Wesley", ref="n")
        await wes.hears({"type": "ok", "ref": "n"})
        await ann.hears("INFO Wes is now known as Wesley")
        await pat.is_told("Wes is now known as Wesley.")
        await pat.send("/msg wesley hello", "/msg Wes hello")
        await wes.hears({"type": "dm", "nick": "Pat", "to": "Wesley", "text": "hello"})
        await pat.is_told("*** Nobody here is called Wes.")


async def test_rooms_are_shared_between_the_doors_and_keep_to_themselves(server: Server) -> None:
    async with (
        web_user(server, "Wes") as wes,
        command_user(server, "Ann") as ann,
        plain_user(server, "Pat") as pat,
    ):
        await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        await wes.hears({"type": "joined", "room": "#general", "nick": "Pat"})
        await ann.hears("INFO Pat connected")
        await wes.send("join", room="#Tea")  # and stays in #general
        await wes.hears({"type": "ok"})
        await ann.send("JOIN #TEA")
        await ann.hears("OK joined #tea")
        await wes.hears({"type": "left", "room": "#general", "nick": "Ann"})
        await wes.hears({"type": "joined", "room": "#tea", "nick": "Ann"})
        await pat.is_told("Ann has left the room.")
        await ann.send("MSG milk?")
        await wes.hears({"type": "msg", "room": "#tea", "nick": "Ann", "text": "milk?"})
        await wes.send("msg", room="#tea", text="no, thank you")
        await wes.hears({"type": "ok"})
        await ann.hears("MSG Wes no, thank you")
        await wes.send("msg", room="#general", text="who wants tea?")
        await wes.hears({"type": "ok"})
        await pat.is_told("Wes: who wants tea?")
        await wes.send("who", room="#tea")
        await wes.hears({"type": "users", "room": "#tea", "nicks": ["Ann", "Wes"]})
        await wes.send("leave", room="#tea")
        await wes.hears({"type": "ok"})
        await ann.hears("INFO Wes left the room")
        await ann.send("RWHO", "LEAVE")
        await ann.hears("INFO --- Users in #tea ---", "USER Ann", "USERS Ann", "INFO --- End of List ---")
        await ann.hears("OK joined #general")
        await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        await pat.is_told("Ann has joined the room.")
