"""How WebSockets begin and end, whatever the peer does."""

import asyncio
import contextlib
import json
import socket

import pytest
from websockets.asyncio.client import connect

from core.admission import Admission
from core.counters import Counters
from core.limits import Limits
from tests.clients import HOST, LineClient, WebClient, commanders
from tests.doors import Doors, open_doors
from tests.ws_frontend.raw import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    answer_to_handshake,
    frame,
    raw_websocket,
    split,
)
from ws_frontend import connection


async def test_a_binary_frame_closes_with_1003(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        await ann.ws.send(b'{"type":"ping"}')
        assert await ann.close_code() == 1003


async def test_a_frame_of_16_kib_is_read_and_a_larger_one_closes_with_1009(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        for size in (16_384, 16_385):
            command = '{"type":"ping","ref":"r"}'
            await ann.ws.send(command + " " * (size - len(command)))
            if size <= 16_384:
                assert await ann.next() == {"type": "pong", "ref": "r"}
        assert await ann.close_code() == 1009


async def test_a_message_in_pieces_may_be_no_larger_either(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        await ann.ws.send(iter(['{"type":', '"ping"}']))
        assert await ann.next() == {"type": "pong"}
        await ann.ws.send(iter(["x" * 8000, "x" * 8000, "x" * 8000]))
        assert await ann.close_code() == 1009


async def test_nothing_is_ever_compressed(doors: Doors) -> None:
    async with connect(f"ws://{HOST}:{doors.web_port}/ws", compression="deflate", proxy=None) as ws:
        assert ws.response is not None
        assert "Sec-WebSocket-Extensions" not in ws.response.headers


async def test_a_ping_of_the_peer_is_answered(doors: Doors) -> None:
    async with raw_websocket(doors.web_port) as raw:
        await raw.send(frame(PING, b"there?"), frame(CLOSE, b"\x03\xe8"))
        assert (PONG, b"there?") in split(await raw.rest())


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(frame(0x3, b""), id="an opcode that does not exist"),
        pytest.param(frame(PING, b"x", last=False), id="a ping in pieces"),
        pytest.param(frame(CLOSE, b"\x00"), id="half a close code"),
    ],
)
async def test_a_frame_that_breaks_the_protocol_ends_its_connection_only(doors: Doors, bad: bytes) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, raw_websocket(doors.web_port) as raw:
        await raw.send(frame(TEXT, b'{"type":"login","nick":"Bob"}'))
        await ann.expect("joined", nick="Bob")
        await raw.send(bad)
        opcodes = [opcode for opcode, _ in split(await raw.rest())]
        assert opcodes == [TEXT, TEXT, CLOSE]
        await ann.expect("disconnected", nick="Bob")
        await ann.hears_nothing()


async def test_whoever_closes_is_said_to_have_left_once(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        async with WebClient(doors.web_port, "Bob") as bob:
            await bob.call("join", room="#x")
        await ann.expect("joined", nick="Bob")
        assert await ann.next() == {"type": "disconnected", "nick": "Bob"}
        await ann.hears_nothing()


async def test_what_was_sent_before_the_close_is_carried_out(doors: Doors) -> None:
    async with commanders(doors.tcp_port, "Ann") as (ann,):
        async with WebClient(doors.web_port, "Bob") as bob:
            for n in range(50):
                await bob.send("msg", room="#general", text=str(n))
        await ann.expect("INFO Bob connected", *[f"MSG Bob {n}" for n in range(50)], "INFO Bob disconnected")


LOGIN = frame(TEXT, b'{"type":"login","nick":"Bob"}')


async def test_what_comes_along_with_the_handshake_is_carried_out(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        async with raw_websocket(doors.web_port, LOGIN, frame(CLOSE, b"\x03\xe8")) as raw:
            assert split(await raw.rest())[-1] == (CLOSE, b"\x03\xe8")
        await ann.expect("joined", nick="Bob")
        await ann.expect("disconnected", nick="Bob")


async def test_a_broken_frame_along_with_the_handshake_ends_the_connection(doors: Doors) -> None:
    async with raw_websocket(doors.web_port, LOGIN, frame(0x3, b"")) as raw:
        assert split(await raw.rest())[-1] == (CLOSE, (1002).to_bytes(2, "big"))


class Leavings(Admission):
    """Keeps how many inputs the chat had been given each time somebody left."""

    counters = Counters()

    def __init__(self) -> None:
        super().__init__()
        self.received: list[int] = []

    def leave(self, address: str) -> None:
        super().leave(address)
        self.received.append(self.counters.received)


@pytest.mark.parametrize("orderly", [True, False])
async def test_who_has_closed_is_heard_to_the_end_at_its_pace_and_counts_till_then(orderly: bool) -> None:
    """Who has broken off is not: nobody is there, and a ghost would talk on for minutes."""
    limits = Limits(rate=100, burst=5, login_timeout=0, idle_timeout=0, linger=0)
    admission = Leavings()
    async with (
        open_doors(limits=limits, admission=admission) as doors,
        WebClient(doors.web_port, "Ann") as ann,
    ):
        admission.counters = doors.chat.counters
        said = [frame(TEXT, b'{"type":"msg","room":"#general","text":"%d"}' % n) for n in range(30)]
        end = [frame(CLOSE, b"\x03\xe8")] if orderly else []
        async with raw_websocket(doors.web_port, LOGIN, *said, *end) as bob:
            await ann.expect("joined", nick="Bob")
            bob.socket.shutdown(socket.SHUT_WR)
            await bob.rest()
        events = []
        while (event := await ann.next())["type"] != "disconnected":
            events.append(event["text"])
        assert events == [str(n) for n in range(30)][: len(events)]
        assert (len(events) == 30) == orderly
        assert admission.connected == 1
        (received,) = admission.received
        assert (received == 2 + 30) == orderly  # two logins


async def test_a_websocket_has_no_task_of_its_own(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        before = len(asyncio.all_tasks())
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(10):
                await stack.enter_async_context(raw_websocket(doors.web_port))
            await ann.hears_nothing()
            assert len(asyncio.all_tasks()) == before


async def test_whoever_is_too_fast_is_read_more_slowly_and_nothing_is_lost() -> None:
    limits = Limits(rate=200, burst=5, login_timeout=0, idle_timeout=0)
    async with open_doors(limits=limits) as doors, WebClient(doors.web_port, "Ann") as ann:
        for n in range(60):
            await ann.send("ping", ref=str(n))
        assert [(await ann.next())["ref"] for _ in range(60)] == [str(n) for n in range(60)]


async def test_without_a_login_in_time_it_closes_with_4000() -> None:
    limits = Limits(rate=0, login_timeout=0.1, idle_timeout=0)
    async with open_doors(limits=limits) as doors, WebClient(doors.web_port) as stranger:
        assert await stranger.next() == {"type": "bye", "reason": "login-timeout"}
        assert await stranger.close_code() == 4000


async def test_a_silent_page_is_left_alone() -> None:
    limits = Limits(rate=0, login_timeout=0, idle_timeout=0.2, idle_warning=0.1)
    async with (
        open_doors(limits=limits) as doors,
        WebClient(doors.web_port, "Ann") as ann,
        LineClient(doors.tcp_port, "LOGIN Bob") as bob,
    ):
        await bob.rest()  # until the line door has lost its patience
        await ann.expect("joined", nick="Bob")
        await ann.expect("disconnected", nick="Bob")
        await ann.hears_nothing()


async def test_a_stop_says_bye_to_everyone_and_closes_with_1012() -> None:
    async with (
        open_doors() as doors,
        WebClient(doors.web_port, "Ann") as ann,
        WebClient(doors.web_port) as stranger,
    ):
        await doors.chat.stop("restarting")
        for person in (ann, stranger):
            assert await person.next() == {"type": "bye", "reason": "restarting"}
            assert await person.close_code() == 1012


async def test_one_connection_too_many_is_refused_with_503() -> None:
    async with open_doors(admission=Admission(most=1)) as doors:
        async with WebClient(doors.web_port, "Ann") as ann:
            answer = await answer_to_handshake(doors.web_port)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nRetry-After: " in answer
            assert answer.endswith(b"\r\n\r\ntoo-many-connections\n")
            await ann.hears_nothing()
        async with WebClient(doors.web_port, "Ann") as ann:
            await ann.hears_nothing()


async def test_a_peer_that_is_refused_on_one_door_is_refused_on_the_other() -> None:
    async with open_doors(admission=Admission(most=1)) as doors, LineClient(doors.tcp_port, "LOGIN Ann"):
        assert (await answer_to_handshake(doors.web_port)).startswith(b"HTTP/1.1 503 ")


async def test_whoever_does_not_read_is_cut_and_nobody_else_is_hurt() -> None:
    text = "x" * 2000
    async with (
        open_doors(sendq=65_536) as doors,
        WebClient(doors.web_port, "Ann") as ann,
        WebClient(doors.web_port, "Bob") as bob,
        raw_websocket(doors.web_port, receive_buffer=4096) as mute,
    ):
        await mute.send(frame(TEXT, b'{"type":"login","nick":"Mute"}'))
        await bob.expect("joined", nick="Mute")
        sent = 0
        cut = False
        while not cut:
            for _ in range(10):
                await ann.send("msg", room="#general", text=text)
            await ann.call("dm", to="Bob", text="that was all")
            sent += 10
            events = []
            while (event := await bob.next())["type"] != "dm":
                events.append(event)
            cut = {"type": "disconnected", "nick": "Mute"} in events
            assert [event["text"] for event in events if event["type"] == "msg"] == [text] * 10
            assert sent < 10_000, "somebody who does not read is never cut"
        frames = split(await mute.rest())
        assert len(frames) < sent
        assert frames[-1] == (CLOSE, (4008).to_bytes(2, "big") + b"sendq")


async def test_the_silent_are_pinged_and_cut_when_they_do_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEARTBEAT", 0.2)
    monkeypatch.setattr(connection, "PONG_PATIENCE", 0.2)
    async with (
        open_doors() as doors,
        connect(f"ws://{HOST}:{doors.web_port}/ws", proxy=None) as answers,
    ):
        async with raw_websocket(doors.web_port) as mute:
            frames = split(await mute.rest())
        assert [opcode for opcode, _ in frames] == [TEXT, PING]
        await answers.send('{"type":"login","nick":"Ann"}')
        events = [json.loads(await answers.recv())["type"] for _ in range(2)]
        assert events == ["hello", "welcome"]
