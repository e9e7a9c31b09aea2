"""Searching, and taking a session back, in the words of both dialects."""

import asyncio
import re

import pytest

from core.limits import Limits
from tests.clients import DEADLINE, LineClient, WebClient, commanders, within
from tests.doors import Doors, open_doors
from tests.e2e.sockets import reset_at_close
from tests.tcp_frontend.plain import PlainClient

ELSEWHERE = "Disconnected (resumed-elsewhere): you have come back on another connection."

# ------------------------------------------------------------------ command dialect


async def test_search(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await bob.send(
            "MSG red apple", "DM Ann green apple", "MSG pear", "SEARCH appl", "SEARCH", "SEARCH !?"
        )
        found = await bob.until("INFO --- End of Search ---")
        forms = [r"HIST 1 \S+Z Bob red apple", r"HISTDM 2 \S+Z Bob Ann green apple"]
        assert all(re.fullmatch(form, line) for form, line in zip(forms, found, strict=True))
        await bob.expect("ERR usage: SEARCH <words>", "INFO --- End of Search ---")
        await ann.expect("MSG Bob red apple", "DM Bob green apple", "MSG Bob pear")


async def test_token_and_resume(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob), LineClient(doors.tcp_port) as back:
        await ann.send("MSG seen", "PING")
        await ann.expect("PONG")
        await bob.expect("MSG Ann seen")
        await bob.send("TOKEN")
        ok, word, token, last_id = (await bob.line()).split(" ")
        assert (ok, word, last_id) == ("OK", "token", "1")
        await ann.send("TOPIC tea", "MSG missed", "DM Bob  missed too", "GMSG and this", "PING")
        await ann.expect("OK topic-changed")
        await ann.expect("PONG")
        await back.send("RESUME", "RESUME x y", f"RESUME {token} -1", "RESUME nonsense")
        await back.expect(*["ERR usage: RESUME <token> [<id>]"] * 3, "ERR not-resumable Log in anew")
        await back.send(f"RESUME {token} {last_id}", "MSG I am back", f"RESUME {token}")
        await back.expect("OK resumed Bob 3", "INFO room: #general", "INFO topic: tea")
        assert re.fullmatch(r"HIST 2 \S+Z Ann missed", await back.line())
        assert re.fullmatch(r"HISTDM 3 \S+Z Ann Bob  missed too", await back.line())
        assert re.fullmatch(r"HISTGMSG 4 \S+Z Ann and this", await back.line())
        await back.expect("ERR already-logged-in")
        assert (await bob.rest())[-1] == "INFO resumed-elsewhere"
        await ann.expect("MSG Bob I am back")
        await ann.hears_nothing()


@pytest.mark.parametrize("linger", [0, 60])
async def test_whoever_takes_a_session_back_goes_on_at_its_pace(linger: float) -> None:
    """Else each resume would be a new burst, and a loop of them no pace at all."""
    limits = Limits(rate=0.001, burst=10, login_timeout=0, idle_timeout=0, linger=linger)
    async with open_doors(limits=limits) as doors, commanders(doors.tcp_port, "Bob", "Ann") as (bob, ann):
        await ann.send("TOKEN", *["MSG early"] * 8)
        token = (await ann.line()).split(" ")[2]
        await bob.expect(*["MSG Ann early"] * 8)
        if linger:
            reset_at_close(ann.writer.get_extra_info("socket"))
            ann.writer.transport.abort()
        async with LineClient(doors.tcp_port) as back:
            await back.send(f"RESUME {token}")
            await back.expect("OK resumed Ann 0")
            received = doors.chat.counters.received
            await back.send("MSG too early")
            async with within(DEADLINE):
                while doors.chat.counters.received == received:  # noqa: ASYNC110 - nothing else tells
                    await asyncio.sleep(0)
            await bob.hears_nothing()


async def test_resume_may_say_that_there_is_a_gap_or_that_the_name_is_taken(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann", "Bob") as (ann, bob):
        await bob.send("TOKEN", "QUIT")
        token = (await bob.line()).split(" ")[2]
        await bob.rest()
        async with LineClient(doors.tcp_port) as back:
            await back.send(f"RESUME {token} 999", "QUIT")
            await back.expect("OK resumed Bob not-recovered", "INFO room: #general", "OK bye")
        await ann.expect("INFO Bob disconnected", "INFO Bob connected", "INFO Bob disconnected")
        async with LineClient(doors.tcp_port, "LOGIN bob"), LineClient(doors.tcp_port) as back:
            await back.send(f"RESUME {token}")
            await back.expect("ERR username-taken Bob")


async def test_who_has_a_token_and_is_sent_away_or_leaves_in_order_does_not_linger() -> None:
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0.5, idle_warning=0, linger=3600)
    async with open_doors(limits=limits) as doors, WebClient(doors.web_port, "Ann") as ann:
        for finishes in (False, True):
            async with LineClient(doors.tcp_port) as bob:
                await bob.send("LOGIN Bob", "TOKEN")
                if finishes:
                    bob.finish()
                ok, token, *end = await bob.rest()
                assert (ok, token[:9]) == ("OK", "OK token ")
                assert end == ([] if finishes else ["INFO idle-timeout"])
            await ann.expect("joined", nick="Bob")
            await ann.expect("disconnected", nick="Bob")


# ------------------------------------------------------------------ plain dialect


async def test_search_finds_what_was_said(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann:
        await ann.send("red apple", "pear", "/me eats an apple", "/search app", "/search")
        await ann.hears("(history) Ann: red apple", "(history) * Ann eats an apple", "End of search.")
        await ann.hears("*** Write it like this: /search words")


async def test_what_was_told_to_one_person_before_says_to_whom(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.send("/msg Bob psst")
        await bob.hears("Ann (to you): psst")
        for each in (ann, bob):
            await each.send("/search psst")
        await bob.hears("(history) Ann (to Bob): psst", "End of search.")
        await ann.hears("Bob has joined the chat.", "(history) Ann (to Bob): psst", "End of search.")


async def test_token_and_resume_take_a_session_back(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Ann") as ann, PlainClient(doors.tcp_port, "Bob") as bob:
        await ann.hears("Bob has joined the chat.")
        await bob.send("/token")
        advice = await bob.hear()
        assert re.fullmatch(r"To come back as yourself: /resume \S+ 0", advice)
        await ann.send("missed", "/who")
        await ann.hears("In #general: Ann, Bob")
        async with PlainClient(doors.tcp_port) as back:
            await back.send("/resume nonsense", advice.partition(": ")[2], "I am back")
            await back.hears("*** That session cannot be taken back. Give a name to begin a new one:")
            await back.hears("You are Bob again, in #general. You missed 1.", "(history) Ann: missed")
            await ann.hears("Bob: I am back")
            await bob.hears(
                "Ann: missed", "Disconnected (resumed-elsewhere): you have come back on another connection."
            )
            assert await bob.rest() == []
            await ann.hears_nothing()


async def test_who_comes_back_is_told_what_the_room_is_about(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Bob") as bob, PlainClient(doors.tcp_port) as back:
        await bob.send("/topic tea", "/token")
        await bob.hears("Topic changed.")
        await back.send((await bob.hear()).partition(": ")[2])
        await back.hears("You are Bob again, in #general. You missed 0.", "Topic of #general: tea")


async def test_resume_may_say_that_there_is_a_gap(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port, "Bob") as bob, PlainClient(doors.tcp_port) as back:
        await bob.send("/token")
        token = (await bob.hear()).split(" ")[-2]
        await back.send(f"/resume {token} 999")
        await back.hears(
            "You are Bob again, in #general. Some of what you missed is not shown: see /history."
        )


async def test_help_and_resume_are_there_before_a_name_is_given(doors: Doors) -> None:
    async with PlainClient(doors.tcp_port) as stranger:
        await stranger.send("/help", "/resume", "Ann")
        lines = []
        while (line := await stranger.hear()) != "Ann has joined the chat.":
            lines.append(line)
        assert lines[0].startswith("/quit - ")
        assert lines[-1] == "*** Write it like this: /resume token [id]"
