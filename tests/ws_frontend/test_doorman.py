"""Who stands at the web door, and for how long."""

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest
from aiohttp import web

import ws_frontend.server
from core.admission import Admission
from tests.clients import DEADLINE, HOST, WebClient, within
from tests.doors import open_doors
from tests.ws_frontend.raw import TEXT, frame, raw_websocket, split
from ws_frontend import doorman
from ws_frontend.doorman import FULL, Doormen


@pytest.fixture
def doormen(monkeypatch: pytest.MonkeyPatch) -> Doormen:
    """Those of the door that is opened next."""
    doormen = Doormen()
    monkeypatch.setattr(ws_frontend.server, "Doormen", lambda: doormen)
    return doormen


async def test_nobody_looks_after_a_connection_that_was_handed_over(doormen: Doormen) -> None:
    """It would be ended like one that does not take its answer, and a stop would wait for it."""
    async with open_doors() as doors, WebClient(doors.web_port, "Ann"):
        assert list(doormen) == []


async def test_aiohttp_keeps_nothing_of_a_connection_that_was_handed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would keep it for ever: more for each WebSocket than the WebSocket itself."""
    servers: list[web.Server] = []
    handlers: list[weakref.ref[web.RequestHandler]] = []

    class Handler(ws_frontend.server.RequestHandler):
        def __init__(self, manager: web.Server, **options: Any) -> None:
            super().__init__(manager, **options)
            servers.append(manager)
            handlers.append(weakref.ref(self))

    monkeypatch.setattr(ws_frontend.server, "RequestHandler", Handler)
    async with open_doors() as doors, WebClient(doors.web_port, "Ann"):
        assert [server.connections for server in servers] == [[]]
        gc.collect()
        assert [handler() for handler in handlers] == [None]


async def test_no_second_answer_is_made_for_a_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would read it, and to make it takes a tenth of the work that a login is."""
    answers: list[web.StreamResponse] = []

    async def count(_: web.Request, response: web.StreamResponse) -> None:
        answers.append(response)

    monkeypatch.setattr(ws_frontend.server, "_add_headers", count)
    async with open_doors() as doors, WebClient(doors.web_port, "Ann") as ann:
        await ann.hears_nothing()
        assert [answer.status for answer in answers] == [101]


async def test_a_browser_may_lag_behind_as_far_as_the_configuration_allows() -> None:
    """By itself a transport is full with 64 KiB."""
    login, bye = ({"type": "login", "nick": "Zoe"}, {"type": "quit"})
    async with (
        open_doors(sendq=4_000_000) as doors,
        raw_websocket(doors.web_port, frame(TEXT, json.dumps(login).encode()), receive_buffer=4096) as zoe,
        WebClient(doors.web_port, "Ann") as ann,
    ):
        for _ in range(400):
            assert (await ann.call("msg", room="#general", text="x" * 2000))["type"] == "ok"
        await zoe.send(frame(TEXT, json.dumps(bye).encode()))
        heard = [json.loads(payload)["type"] for opcode, payload in split(await zoe.rest()) if opcode == TEXT]
        assert heard.count("msg") == 400


# ------------------------------------------------------------------ for whom there is no room


async def heard(said: bytes, port: int) -> bytes:
    """Everything to the end of a connection that says this."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(said)
        async with within(DEADLINE):
            return await reader.read()
    finally:
        writer.transport.abort()


def full() -> Admission:
    admission = Admission(most=1)
    admission.enter(HOST)
    return admission


async def test_whoever_is_turned_away_is_told_why_once_it_has_asked() -> None:
    async with open_doors(admission=full()) as doors:
        assert await heard(b"GET / HTTP/1.1\r\n\r\n", doors.web_port) == FULL


async def test_whoever_is_turned_away_and_does_not_ask_is_not_waited_for() -> None:
    async with open_doors(admission=full()) as doors:
        assert await heard(b"", doors.web_port) == b""


async def test_only_so_many_who_are_turned_away_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted nowhere else, and each has a descriptor."""
    monkeypatch.setattr(doorman, "LINGERING", 1)
    monkeypatch.setattr(doorman, "FAREWELL", 600)
    async with open_doors(admission=full()) as doors:
        reader, writer = await asyncio.open_connection(HOST, doors.web_port)
        for _ in range(2):
            assert await heard(b"", doors.web_port) == FULL
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        async with within(DEADLINE):
            assert await reader.read() == FULL
        writer.transport.abort()
        assert doorman.Doorman.turned_away == 0


async def test_whoever_is_turned_away_and_goes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "FAREWELL", 600)
    async with open_doors(admission=full()) as doors:
        _, writer = await asyncio.open_connection(HOST, doors.web_port)
        await until_there_are(1)
        writer.transport.abort()
        await until_there_are(0)


async def until_there_are(number: int) -> None:
    async with within(DEADLINE):
        while doorman.Doorman.turned_away != number:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
