"""Silence: who says nothing, and who never says a name."""

import pytest

from tests.e2e.netcat import command_user, give_name, log_in, netcat
from tests.e2e.programs import Lines, Program
from tests.e2e.server import serving
from tests.e2e.sockets import dialling, opening, web_user

pytestmark = pytest.mark.network


async def is_warned(ann: Lines) -> None:
    """The sweep comes once a second, so there may be a second less."""
    assert await ann.line() in [f"INFO idle-warning {left} Send PING to stay" for left in (15, 14)]


async def both_come_in(ann: Program, pat: Program) -> None:
    """Now that both programs are running: on a busy machine a start takes as long as these silences."""
    await log_in(ann, "Ann")
    await give_name(pat, "Pat")


async def test_silence_ends_with_idle_timeout_in_both_dialects() -> None:
    async with (
        serving("--idle-timeout", "2") as server,
        web_user(server, "Wes") as wes,  # the page need not say anything
        netcat(server) as ann,
        netcat(server, "ncat") as pat,
    ):
        await both_come_in(ann, pat)
        await ann.hears("INFO Pat connected", "INFO idle-timeout")
        last = (await pat.until(r"\[.*\] Disconnected.*"))[-1]
        assert last.endswith("] Disconnected (idle-timeout): nothing came from you for 2 seconds.")
        for user in (ann, pat):
            await user.end_input()
            assert await user.rest() == []
        await wes.hears({"type": "joined", "room": "#general", "nick": "Ann"})
        await wes.hears({"type": "joined", "room": "#general", "nick": "Pat"})
        gone = [await wes.event(), await wes.event()]
        assert {(event["type"], event["nick"]) for event in gone} == {
            ("disconnected", "Ann"),
            ("disconnected", "Pat"),
        }
        await wes.send("ping", ref="still here")
        await wes.hears({"type": "pong", "ref": "still here"})


async def test_ping_keeps_someone_from_idle_timeout() -> None:
    # The server itself paces the PINGs: each one is answered half a second after the one before.
    async with (
        serving("--idle-timeout", "2", "--rate", "2", "--burst", "2") as server,
        netcat(server) as ann,
        netcat(server, "ncat") as quiet,
    ):
        await log_in(ann, "Ann")
        await log_in(quiet, "Quiet")
        await ann.hears("INFO Quiet connected")
        for _ in range(20):
            await ann.send("PING")
            if (line := await ann.line()) != "PONG":
                break
        assert line == "INFO Quiet disconnected"  # who is as old as Ann
        await ann.hears("PONG")
        assert await quiet.until("INFO idle-timeout") == ["INFO idle-timeout"]


async def test_a_warning_comes_15_seconds_before_the_idle_timeout_and_again_after_a_sign_of_life() -> None:
    async with (
        serving("--idle-timeout", "16") as server,
        netcat(server) as ann,
        netcat(server, "ncat") as pat,
    ):
        await both_come_in(ann, pat)
        await ann.hears("INFO Pat connected")
        await is_warned(ann)
        await pat.until(r"\[.*\] You are idle: press Enter within 1[45] seconds to stay\.")
        await ann.send("PING")
        await ann.hears("PONG")
        await is_warned(ann)
        await ann.send("QUIT")
        await ann.hears("OK bye")
        await pat.is_told("Ann has left the chat.")  # with one warning only


async def test_who_gives_no_name_in_time_is_told_so_and_disconnected() -> None:
    async with (
        serving("--login-timeout", "1") as server,
        netcat(server) as silent,
        command_user(server, "Ann", "ncat") as ann,
        dialling(server) as taken,
        opening(server) as visitor,
    ):
        await taken.send("Ann")
        await taken.is_told("*** Somebody has that name already. Try another one:")
        await silent.hears("ERR login-timeout 1")
        await silent.end_input()
        assert await silent.rest() == []
        assert "login-timeout" in await taken.line()
        assert await taken.rest() == []
        await visitor.hears({"type": "bye", "reason": "login-timeout"})
        assert await visitor.close_code() == 4000
        await ann.send("PING")
        await ann.hears("PONG")  # who has a name may stay, and hears nothing of the others


async def test_0_turns_the_idle_timeout_off() -> None:
    async with (
        serving("--idle-timeout", "0", "--login-timeout", "1") as server,
        command_user(server, "Ann") as ann,
        netcat(server) as guest,
    ):
        await guest.hears("ERR login-timeout 1")
        await ann.send("PING")
        await ann.hears("PONG")


async def test_0_turns_the_login_timeout_off() -> None:
    async with (
        serving("--idle-timeout", "0.5", "--login-timeout", "0") as server,
        netcat(server) as guest,
        command_user(server, "Ann") as ann,
    ):
        await ann.hears("INFO idle-timeout")  # which is for those who have logged in
        await guest.send("LOGIN Guest")
        await guest.hears("OK")
