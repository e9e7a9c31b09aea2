"""Searching, and taking a session back, over real WebSockets."""

import asyncio

import pytest

from core.limits import Limits
from tests.clients import DEADLINE, WebClient, within
from tests.doors import Doors, open_doors
from tests.ws_frontend.answers import refused, stored


async def test_search(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        receipt = stored(await ann.call("msg", room="#general", text="red apple"))
        await ann.call("msg", room="#general", text="pear")
        message = {"type": "msg", **receipt, "room": "#general", "nick": "Ann", "text": "red apple"}
        for fields in ({}, {"room": "#general"}, {"limit": 1}):
            assert await ann.call("search", query="apple re", **fields) == {
                "type": "results",
                "messages": [message],
            }
        refused(await ann.call("search", query="x", room="#elsewhere"), "not-in-room")
        refused(await ann.call("search", query="x", limit=201), "bad-request")
        refused(await ann.call("search", query="x" * 201), "text-too-long")


async def test_resume_while_the_old_connection_is_open(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await bob.call("join", room="#x")
        receipts = [stored(await ann.call("msg", room="#general", text=str(n))) for n in range(3)]
        async with WebClient(doors.web_port) as back:
            token = bob.welcome["token"]
            assert await back.call("resume", token=token, after=receipts[0]["id"]) == {
                "type": "resumed",
                "nick": "Bob",
                "rooms": ["#general", "#x"],
                "recovered": True,
                "missed": 2,
            }
            for n in (1, 2):
                event = {"type": "msg", **receipts[n], "room": "#general", "nick": "Ann", "text": str(n)}
                assert await back.next() == event
            refused(await back.call("resume", token=token), "already-logged-in")
            assert await bob.close_code() == 4001
            stored(await ann.call("dm", to="Bob", text="psst"))
            await back.expect("dm", text="psst")


async def test_resume_after_the_connection_broke_and_a_message_sent_again() -> None:
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=5)
    async with open_doors(limits=limits) as doors, WebClient(doors.web_port, "Ann") as ann:
        async with WebClient(doors.web_port, "Bob") as bob:
            await ann.expect("joined", nick="Bob")
            await bob.send("msg", room="#general", text="once", ref="mine")
            answer = await bob.answer("mine")
            bob.ws.transport.abort()
        async with WebClient(doors.web_port) as back:
            resumed = await back.call("resume", token=bob.welcome["token"])
            assert (resumed["recovered"], resumed["missed"]) == (True, 0)
            await back.send("msg", room="#general", text="once", ref="mine")
            assert await back.answer("mine") == answer
            await ann.expect("msg", text="once")
            await ann.hears_nothing()


async def test_who_closes_with_a_code_of_its_own_has_not_left() -> None:
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=3600)
    async with open_doors(limits=limits) as doors, WebClient(doors.web_port, "Ann") as ann:
        async with WebClient(doors.web_port, "Bob") as bob:
            await ann.expect("joined", nick="Bob")
            await bob.ws.close(3000)
        assert await ann.call("who") == {"type": "users", "nicks": ["Ann", "Bob"]}
        await ann.hears_nothing()


async def test_a_broken_connection_is_noticed_when_the_linger_is_over() -> None:
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=0.2)
    async with (
        open_doors(limits=limits) as doors,
        WebClient(doors.web_port, "Ann") as ann,
        WebClient(doors.web_port, "Bob") as bob,
    ):
        await ann.expect("joined", nick="Bob")
        bob.ws.transport.abort()
        assert await ann.call("who") == {"type": "users", "nicks": ["Ann", "Bob"]}
        await ann.expect("disconnected", nick="Bob")


async def test_a_page_that_is_closed_does_not_linger() -> None:
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0, linger=3600)
    async with open_doors(limits=limits) as doors, WebClient(doors.web_port, "Ann") as ann:
        for code in (1000, 1001, None):
            async with WebClient(doors.web_port, "Bob") as bob:
                if code is None:
                    bob.ws.transport.write(b"\x88\x80\0\0\0\0")
                else:
                    await bob.ws.close(code)
            await ann.expect("joined", nick="Bob")
            await ann.expect("disconnected", nick="Bob")


@pytest.mark.parametrize("linger", [0, 60])
async def test_whoever_takes_a_session_back_goes_on_at_its_pace(linger: float) -> None:
    """Else each resume would be a new burst, and a loop of them no pace at all."""
    limits = Limits(rate=0.001, burst=10, login_timeout=0, idle_timeout=0, linger=linger)
    async with (
        open_doors(limits=limits) as doors,
        WebClient(doors.web_port, "Ann") as ann,
        WebClient(doors.web_port, "Bob") as bob,
    ):
        await ann.expect("joined", nick="Bob")
        for _ in range(9):
            stored(await bob.call("msg", room="#general", text="early"))
            await ann.expect("msg", text="early")
        if linger:
            bob.ws.transport.abort()
        async with WebClient(doors.web_port) as back:
            resumed = await back.call("resume", token=bob.welcome["token"])
            assert resumed["nick"] == "Bob"
            received = doors.chat.counters.received
            await back.send("msg", room="#general", text="too early")
            async with within(DEADLINE):
                while doors.chat.counters.received == received:  # noqa: ASYNC110 - nothing else tells
                    await asyncio.sleep(0)
            await ann.hears_nothing()


async def test_resume_of_a_gap_that_cannot_be_told_and_of_a_taken_name(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Bob") as bob:
        await bob.call("quit")
        await bob.close_code()
    async with WebClient(doors.web_port) as back:
        resumed = await back.call("resume", token=bob.welcome["token"], after=999)
        assert (resumed["nick"], resumed["recovered"], resumed["missed"]) == ("Bob", False, 0)
        await back.call("quit")
        await back.close_code()
    async with WebClient(doors.web_port, "BOB"), WebClient(doors.web_port) as back:
        refused(await back.call("resume", token=bob.welcome["token"]), "username-taken")


async def test_a_token_that_was_never_given_out_is_not_resumable(doors: Doors) -> None:
    async with WebClient(doors.web_port) as ann:
        for token in ("", "x" * 32, "\x00", "' OR 1=1"):
            refused(await ann.call("resume", token=token, after=0), "not-resumable")
