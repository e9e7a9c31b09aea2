"""What the three programs could that Parlour grew from, each as a short session with netcat."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.clients import require
from tests.e2e.netcat import GREETING, command_user, netcat, plain_user, plain_welcome
from tests.e2e.programs import running
from tests.e2e.server import Server, serving

pytestmark = pytest.mark.network


async def test_the_first_seed_login_msg_dm_who_and_ping(server: Server) -> None:
    async with netcat(server) as naman, netcat(server, "nc.traditional") as yudi:
        await naman.send("MSG too early")
        await naman.hears("ERR login-required Send: LOGIN <username>")
        await naman.send("LOGIN Naman", "PING", "WHO")
        await naman.hears("OK", "PONG", "INFO --- All Connected Users ---", "USER Naman", "USERS Naman")
        await naman.hears("INFO --- End of List ---")
        await yudi.send("LOGIN naman", "LOGIN", "LOGIN Yudi", "LOGIN Yudi")
        await yudi.hears("ERR username-taken", "ERR usage: LOGIN <username>", "OK", "ERR already-logged-in")
        await naman.hears("INFO Yudi connected")
        await naman.send("MSG hi everyone!", "msg how are you?")
        await yudi.hears("MSG Naman hi everyone!", "MSG Naman how are you?")
        await yudi.send(
            "MSG hello Naman!", "DM Naman a word in private", "DM Nobody hello", "DM Naman", "MSG"
        )
        await naman.hears("MSG Yudi hello Naman!", "DM Yudi a word in private")
        await yudi.hears(
            "ERR user-not-found Nobody", "ERR usage: DM <username> <message>", "ERR usage: MSG <text>"
        )
        await yudi.send("WHO", "DANCE")
        await yudi.hears("INFO --- All Connected Users ---", "USER Naman", "USER Yudi", "USERS Naman, Yudi")
        await yudi.hears("INFO --- End of List ---", "ERR unknown-command DANCE")
        yudi.process.kill()
        await naman.hears("INFO Yudi disconnected")


async def test_the_second_seed_a_name_timestamps_notices_whosonline_and_quit(server: Server) -> None:
    async with netcat(server) as ann:
        await ann.send("not a name")
        await ann.hears("ERR login-required Send: LOGIN <username>, or a name without spaces")
        await ann.send("Ann")
        await ann.is_told(*plain_welcome("Ann"))
        async with netcat(server, "ncat") as bo:
            await bo.send("ann", "no, this is no name", "Bo")
            await bo.is_told("*** Somebody has that name already. Try another one:")
            await bo.until(r"\[.*\] \*\*\* That cannot be a name: .*\.")
            await bo.is_told(*plain_welcome("Bo"))
            await ann.is_told("Bo has joined the chat.")
            await ann.send("hello", "/whosonline", "/WHOSONLINE")
            await ann.is_told("Online users: Ann, Bo", "Online users: Ann, Bo")
            await bo.is_told("Ann: hello")
            await bo.send("/dance", "/help", "goodbye", "/quit")
            await bo.is_told(
                "*** There is no command /dance; /help lists the commands. To say it, type //dance"
            )
            usage = [line[22:] for line in await bo.until(r"\[.*\] Bye\.")]
            assert usage[0] == "/quit - leave the chat"
            await ann.is_told("Bo: goodbye", "Bo has left the chat.")
        async with netcat(server) as cy:
            await cy.send("Cy")
            await cy.is_told("(history) Ann: hello", "(history) Bo: goodbye", *plain_welcome("Cy"))


async def test_the_second_seed_shows_the_time_in_the_zone_of_the_server() -> None:
    async with serving(variables={"TZ": "Asia/Kathmandu"}) as server, plain_user(server, "Ann") as ann:
        await ann.send("/who")
        shown = re.fullmatch(r"\[(.{19})\] In #general: Ann", await ann.line())
        assert shown
        there = ZoneInfo("Asia/Kathmandu")
        moment = datetime.strptime(shown[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=there)
        assert abs(datetime.now(there) - moment) < timedelta(seconds=30)


async def test_the_third_seed_rooms_gmsg_rwho_nick_and_leave(server: Server) -> None:
    async with (
        command_user(server, "Ann") as ann,
        command_user(server, "Bo", "nc.traditional") as bo,
        command_user(server, "Cy", "ncat") as cy,
    ):
        await ann.hears("INFO Bo connected", "INFO Cy connected")
        await bo.hears("INFO Cy connected")
        await ann.send("JOIN #Python", "JOIN #python", "JOIN python", "RWHO")
        await ann.hears("OK joined #python", "ERR already-in-that-room")
        assert (await ann.line()).startswith("ERR bad-room-name ")
        await ann.hears("INFO --- Users in #python ---", "USER Ann", "USERS Ann", "INFO --- End of List ---")
        for user in (bo, cy):
            await user.hears("INFO Ann left the room")
        await bo.send("JOIN #python")
        await bo.hears("OK joined #python")
        await ann.hears("INFO Bo joined the room")
        await cy.hears("INFO Bo left the room")
        await ann.send("MSG only here", "GMSG everywhere")
        await bo.hears("MSG Ann only here", "GMSG Ann everywhere")
        await cy.hears("GMSG Ann everywhere")
        await bo.send("NICK ann", "NICK Robert", "NICK 2", "RWHO", "WHO")
        await bo.hears("ERR nick-taken", "OK nick-changed")
        assert (await bo.line()).startswith("ERR invalid-username ")
        await bo.hears("INFO --- Users in #python ---", "USER Ann", "USER Robert", "USERS Ann, Robert")
        await bo.hears("INFO --- End of List ---", "INFO --- All Connected Users ---")
        await bo.hears("USER Ann", "USER Cy", "USER Robert", "USERS Ann, Cy, Robert")
        await bo.hears("INFO --- End of List ---")
        await ann.hears("INFO Bo is now known as Robert")
        await ann.send("LEAVE", "LEAVE")
        await ann.hears("OK joined #general", "ERR already-in-general")
        await bo.hears("INFO Ann left the room")
        await cy.hears("INFO Ann joined the room")
        await bo.send("QUIT")
        await bo.hears("OK bye")
        await ann.send("PING")  # Robert was in another room: nothing of his leaving is heard here
        await ann.hears("PONG")


async def test_the_third_seed_has_a_heartbeat_and_disconnects_who_is_idle() -> None:
    async with serving("--idle-timeout", "1") as server, command_user(server, "Ann") as ann:
        await ann.send("PING", "ping")
        await ann.hears("PONG", "PONG", "INFO idle-timeout")


async def test_a_script_can_be_piped_through_netcat(server: Server) -> None:
    script = f"printf 'LOGIN Ann\\nPING\\nQUIT\\n' | {require('nc')} 127.0.0.1 {server.tcp_port}"
    async with running("sh", "-c", script) as shell:
        assert await shell.rest() == [*GREETING, "OK", "PONG", "OK bye"]
        assert await shell.exited() == 0
