"""The same script through each door and dialect: a third party cannot tell which one it was."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import pytest

from tests.e2e.people import KINDS, arriving
from tests.e2e.person import Event, Person
from tests.e2e.server import serving

OBSERVERS: Final = {"command dialect": "Cam", "plain dialect": "Pat", "web door": "Wes"}

TOO_LONG: Final = "x" * 2001


async def script(ann: Person, bo: Person) -> list[str]:
    """What Ann and Bo do. Returns the codes of what they were refused."""
    refused = []

    async def granted(answer: str) -> None:
        assert answer == ""

    await granted(await ann.login("Ann"))
    refused += [await bo.login("ANN"), await bo.login("1st"), await bo.login("server")]
    await granted(await bo.login("Bo"))
    await granted(await ann.say("hello,   both doors"))
    await granted(await bo.say("/not a command, Ann: really <b>not</b> ünïcode 👋"))
    await granted(await ann.act("waves"))
    await granted(await bo.shout("to all of you"))
    await granted(await ann.tell("bo", "between us"))
    for name in OBSERVERS.values():
        await granted(await bo.tell(name.upper(), f"only for {name}"))
    refused += [await ann.tell("Nobody", "hello?"), await ann.say(TOO_LONG), await bo.shout(TOO_LONG)]
    refused += [await ann.move("#bad/room"), await ann.move("#GENERAL")]
    await granted(await ann.move("#tea"))
    await granted(await ann.say("nobody hears this"))
    await granted(await bo.move("#tea"))
    await granted(await bo.say("only Ann hears this"))
    assert await ann.look() == ["Ann", "Bo"]
    await granted(await ann.shout("from another room"))
    refused += [await ann.rename("bO"), await ann.rename("not one word"), await ann.rename("info")]
    await granted(await ann.rename("Anna"))  # seen by Bo alone
    await granted(await ann.move("#general"))
    await granted(await ann.rename("Annabel"))
    await granted(await bo.move("#general"))
    await granted(await bo.tell("annabel", "your new name"))
    refused += [await bo.tell("Ann", "your old name")]
    assert await bo.look() == ["Annabel", "Bo", *sorted(OBSERVERS.values())]
    await bo.quit()
    await granted(await ann.say("alone"))
    ann.vanish()
    return refused


REFUSED: Final = [
    *("username-taken", "invalid-username", "invalid-username"),
    *("user-not-found", "text-too-long", "text-too-long"),
    *("bad-room-name", "already-in-that-room"),
    *("nick-taken", "invalid-username", "invalid-username"),
    "user-not-found",
]


def seen_by(observer: str) -> list[Event]:
    """What a third party in #general is to see of the script."""
    return [
        ("connected", "Ann"),
        ("connected", "Bo"),
        ("msg", "Ann", "hello,   both doors"),
        ("msg", "Bo", "/not a command, Ann: really <b>not</b> ünïcode 👋"),
        ("msg", "Ann", "/me waves"),
        ("gmsg", "Bo", "to all of you"),
        ("dm", "Bo", f"only for {observer}"),
        ("left", "Ann"),
        ("left", "Bo"),
        ("gmsg", "Ann", "from another room"),
        ("joined", "Anna"),
        ("renamed", "Anna", "Annabel"),
        ("joined", "Bo"),
        ("disconnected", "Bo"),
        ("msg", "Annabel", "alone"),
        ("disconnected", "Annabel"),
    ]


SEEN_BY_ANN: Final[list[Event]] = [
    ("connected", "Bo"),
    ("msg", "Bo", "/not a command, Ann: really <b>not</b> ünïcode 👋"),
    ("gmsg", "Bo", "to all of you"),
    ("joined", "Bo"),
    ("msg", "Bo", "only Ann hears this"),
    ("joined", "Bo"),
    ("dm", "Bo", "your new name"),
    ("disconnected", "Bo"),
]

SEEN_BY_BO: Final[list[Event]] = [
    ("msg", "Ann", "hello,   both doors"),
    ("msg", "Ann", "/me waves"),
    ("dm", "Ann", "between us"),
    ("left", "Ann"),
    ("gmsg", "Ann", "from another room"),
    ("renamed", "Ann", "Anna"),
    ("left", "Anna"),
]


def through(kind: str, events: Sequence[Event]) -> list[Event]:
    """The web door shows a login as what it is for a room: someone joined."""
    arrival = "joined" if kind == "web door" else "connected"
    return [(arrival, *event[1:]) if event[0] == "connected" else event for event in events]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_door_shows_the_same_whichever_door_it_comes_from(kind: str) -> None:
    async with AsyncExitStack() as stack:
        # Someone who vanishes is gone at once, on both doors.
        server = await stack.enter_async_context(serving("--rate", "0", "--linger", "0"))
        observers = [await stack.enter_async_context(arriving(each, server)) for each in KINDS]
        for observer in observers:
            assert await observer.login(OBSERVERS[observer.kind]) == ""
        for observer in observers:
            await observer.look()
            observer.heard.clear()  # of one another
        ann = await stack.enter_async_context(arriving(kind, server))
        bo = await stack.enter_async_context(arriving(kind, server))

        assert await script(ann, bo) == REFUSED

        for observer in observers:
            await observer.hears_of(("disconnected", "Annabel"))
            assert await observer.look() == sorted(OBSERVERS.values())
            assert observer.heard == through(observer.kind, seen_by(observer.name))
        assert ann.heard == through(kind, SEEN_BY_ANN)
        assert bo.heard == through(kind, SEEN_BY_BO)
