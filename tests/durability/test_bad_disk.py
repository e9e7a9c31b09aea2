"""A disk that is full, and one that fails: senders are told, nobody is shown anything, the rest goes on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

from tests.clients import LineClient, Message, WebClient
from tests.durability.disks import Disk, FailingDisk, FullDisk, mounted, suffering
from tests.durability.traces import stored
from tests.e2e.server import FREE_PORTS, LOOPBACK, Server, parlour

LONG: Final = "x" * 1900


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A place with 2 MB."""
    with mounted(tmp_path / "small"):
        yield tmp_path / "small"


class Trouble(Struct, frozen=True):
    server: Server
    disk: Disk
    data: Path


@pytest.fixture(params=["full", "failing"])
async def trouble(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trouble]:
    """A server with each kind of bad disk; still good."""
    if request.param == "full":
        place: Path = request.getfixturevalue("small")
        async with suffering(place / "parlour.db") as server:
            yield Trouble(server, FullDisk(place), place / "parlour.db")
    else:
        async with suffering(tmp_path / "parlour.db") as server:
            yield Trouble(server, FailingDisk(server.program.process.pid), tmp_path / "parlour.db")


async def say(page: WebClient, text: str) -> Message:
    return await page.call("msg", room="#general", text=text)


async def messages(page: WebClient) -> list[str]:
    """The texts that this person was shown until now."""
    texts: list[str] = []
    await page.send("ping", ref="so far")
    while (event := await page.next()).get("ref") != "so far":
        if "text" in event:
            texts.append(event["text"])
    return texts


async def test_messages_are_refused_and_shown_to_nobody_until_the_disk_is_well(trouble: Trouble) -> None:
    server, disk = trouble.server, trouble.disk
    async with (
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
        LineClient(server.tcp_port, "LOGIN Cas") as cas,
    ):
        disk.breaks()
        for command in ({"kind": "msg", "room": "#general"}, {"kind": "gmsg"}, {"kind": "dm", "to": "Bob"}):
            refused = await ann.call(text=LONG, **command)
            assert (refused["type"], refused["code"]) == ("error", disk.code)
        for verb in ("MSG", "GMSG", "DM Bob"):
            await cas.send(f"{verb} {LONG}")
            assert (await cas.line()).startswith(f"ERR {disk.code} ")
        assert await messages(ann) == []
        assert await messages(bob) == []
        await cas.hears_nothing()
        disk.heals()
        assert (await say(ann, "well again"))["type"] == "ok"
        await cas.expect("MSG Ann well again")
        await cas.send("MSG here too")
        await cas.hears_nothing()
        assert await messages(ann) == ["here too"]
        assert await messages(bob) == ["well again", "here too"]
    await server.logs("cannot write")


async def test_a_refused_message_is_stored_once_when_it_is_sent_again(trouble: Trouble) -> None:
    async with (
        WebClient(trouble.server.web_port, "Ann") as ann,
        WebClient(trouble.server.web_port, "Bob") as bob,
    ):
        answers = []
        trouble.disk.breaks()
        for turn in range(3):
            await ann.send("msg", room="#general", text="hi", ref="same")
            answers.append(await ann.answer("same"))
            if turn == 0:
                trouble.disk.heals()
        assert [answer["type"] for answer in answers] == ["error", "ok", "ok"]
        assert answers[1]["id"] == answers[2]["id"]
        assert await messages(bob) == ["hi"]
        trouble.server.program.process.kill()
        await trouble.server.program.exited()
    assert [row.text for row in stored(trouble.data)] == ["hi"]


async def test_reading_and_coming_and_going_go_on(trouble: Trouble) -> None:
    server = trouble.server
    async with (
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port) as again,
    ):
        for n in range(5):
            await say(ann, f"message {n}")
        trouble.disk.breaks()
        assert (await say(ann, LONG))["type"] == "error"
        history = await bob.call("history", room="#general", limit=2)
        assert [message["text"] for message in history["messages"]] == ["message 3", "message 4"]
        async with WebClient(server.web_port, "Dee") as dee:
            assert (await dee.call("join", room="#tea"))["type"] == "ok"
        answer = await again.call("resume", token=bob.welcome["token"], after=history["messages"][0]["id"])
        assert (answer["recovered"], answer["missed"]) == (True, 1)
        assert await messages(again) == ["message 4"]
        trouble.disk.heals()


async def test_a_search_goes_on_although_the_newest_words_cannot_be_indexed(trouble: Trouble) -> None:
    async with WebClient(trouble.server.web_port, "Ann") as ann:
        await say(ann, "the first words")
        assert len((await ann.call("search", query="words"))["messages"]) == 1
        await say(ann, "the last words")
        trouble.disk.breaks()
        results = await ann.call("search", query="words")
        assert results["type"] == "results", results
        assert "the first words" in [message["text"] for message in results["messages"]]
        trouble.disk.heals()


async def test_a_session_that_began_then_can_be_taken_back(trouble: Trouble) -> None:
    """Its name is taken for as long as it lingers, and its token was given out."""
    server = trouble.server
    trouble.disk.breaks()
    async with WebClient(server.web_port, "Ann") as ann:
        assert (await say(ann, LONG))["type"] == "error"
        async with WebClient(server.web_port, "Bob") as bob, WebClient(server.web_port) as again:
            assert (await say(ann, LONG))["type"] == "error"
            answer = await again.call("resume", token=bob.welcome["token"], after=0)
            assert answer["type"] == "resumed", answer
        trouble.disk.heals()


async def test_a_session_that_began_then_outlives_the_server_once_the_disk_is_well(trouble: Trouble) -> None:
    server = trouble.server
    trouble.disk.breaks()
    async with WebClient(server.web_port, "Ann") as ann:
        assert (await say(ann, LONG))["type"] == "error"
        trouble.disk.heals()
        assert (await say(ann, "well again"))["type"] == "ok"
        server.program.process.kill()
        await server.program.exited()
    async with suffering(trouble.data) as server, WebClient(server.web_port) as again:
        answer = await again.call("resume", token=ann.welcome["token"], after=0)
        assert answer["type"] == "resumed", answer


async def test_a_disk_that_fills_up_has_what_was_acknowledged_and_shown(small: Path) -> None:
    said: list[str] = []
    async with suffering(small / "parlour.db") as server:
        async with WebClient(server.web_port, "Ann") as ann, WebClient(server.web_port, "Bob") as bob:
            refused = 0
            while refused < 100:
                text = f"{len(said)} {refused} " + LONG[: 1900 // (1 + refused)]
                answer = await say(ann, text)
                if answer["type"] == "ok":
                    said.append(text)
                else:
                    assert answer["code"] in ("storage-full", "storage-failed")
                    refused += 1
            assert await messages(bob) == said
        server.program.process.kill()
        await server.program.exited()
    assert [row.text for row in stored(small / "parlour.db")] == said
    assert len(said) > 50


async def test_a_server_does_not_start_on_a_full_disk_and_says_so(small: Path) -> None:
    data, disk = small / "parlour.db", FullDisk(small)
    async with suffering(data):
        pass
    before = data.read_bytes()
    disk.breaks()
    async with parlour("serve", *LOOPBACK, *FREE_PORTS, "--data", str(data)) as program:
        assert await program.exited() == 1
        (line,) = program.errors
        assert line.startswith("parlour: cannot use ")
        assert "full" in line
    assert data.read_bytes() == before
    disk.heals()
    async with suffering(data):
        pass
