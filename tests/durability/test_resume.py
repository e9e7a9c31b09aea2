"""Coming back, one situation at a time, against the real process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from core.limits import REPLAY_MAX
from tests.clients import DEADLINE, LineClient, Message, WebClient, within
from tests.durability.breaking import page_is_closed, page_resets
from tests.e2e.server import Server, serving


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "parlour.db"


def options(data: Path, *more: str) -> Sequence[str]:
    return ("--data", str(data), "--rate", "0", *more)


@pytest.fixture
async def server(data: Path) -> AsyncIterator[Server]:
    async with serving(*options(data)) as server:
        yield server


async def say(page: WebClient, *texts: str, room: str = "#general") -> int:
    """The id of the last one."""
    number = 0
    for text in texts:
        number = (await page.call("msg", room=room, text=text))["id"]
    return number


async def retriable(page: WebClient, kind: str, **fields: str) -> Message:
    """The answer to a message that always has the same `ref`."""
    await page.send(kind, ref="same", **fields)
    return await page.answer("same")


async def resume(page: WebClient, token: str, after: int | None = None) -> Message:
    """Nothing may come before the answer."""
    given = {} if after is None else {"after": after}
    await page.send("resume", token=token, **given)
    return await page.next()


async def drops(server: Server, page: WebClient) -> None:
    """Its connection breaks, and the server has noticed."""
    before = sum("Closed connection" in line for line in server.program.errors)
    await page_resets(page)
    await server.logs("Closed connection", times=before + 1)


async def texts(page: WebClient, count: int) -> list[str]:
    """The next so many messages; who comes and goes is passed over."""
    said: list[str] = []
    while len(said) < count:
        text = (await page.next()).get("text")
        if text is not None:
            said.append(text)
    return said


async def heard(page: WebClient) -> list[str]:
    """Messages by their text and everything else by its type, up to a pong or to the end."""
    words: list[str] = []
    with suppress(ConnectionClosed):
        while words[-1:] != ["pong"]:
            event = await page.next()
            words.append(event["text"] if "text" in event else event["type"])
    return words


async def test_the_old_connection_is_told_and_closed(server: Server) -> None:
    async with WebClient(server.web_port, "Ann") as old, WebClient(server.web_port) as new:
        answer = await resume(new, old.welcome["token"], 0)
        assert answer == {
            "type": "resumed", "nick": "Ann", "rooms": ["#general"], "recovered": True, "missed": 0,
        }  # fmt: skip
        await old.expect("bye", reason="resumed-elsewhere")
        assert await old.close_code() == 4001
        await new.hears_nothing()


async def test_exactly_what_was_missed_comes_in_order_before_what_is_live(server: Server) -> None:
    async with (
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port) as again,
    ):
        seen = await say(bob, "heard")
        await drops(server, ann)
        await say(bob, "one")
        await bob.call("gmsg", text="two")
        await bob.call("dm", to="Ann", text="three")
        answer = await resume(again, ann.welcome["token"], seen)
        await say(bob, "live")
        assert (answer["recovered"], answer["missed"]) == (True, 3)
        assert await texts(again, 4) == ["one", "two", "three", "live"]


async def test_a_second_connection_that_does_not_say_what_it_saw_is_not_told_it_again(server: Server) -> None:
    """Without `after`: what came since the old connection ended. It is still open here."""
    async with (
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port) as again,
    ):
        await say(bob, "one", "two")
        assert await texts(ann, 2) == ["one", "two"]
        answer = await resume(again, ann.welcome["token"])
        assert (answer["recovered"], answer["missed"]) == (True, 0)


async def test_of_two_at_once_one_goes_on_and_nothing_is_lost_or_early(server: Server) -> None:
    """The other one hears its `bye` and nothing else, or what it missed from the beginning."""
    async with WebClient(server.web_port, "Bob") as bob, WebClient(server.web_port, "Ann") as ann:
        for turn in range(20):
            seen = await say(bob, f"{turn} heard")
            await say(bob, f"{turn} missed")
            said = [f"{turn} {text}" for text in ("missed", "one", "two")]
            async with WebClient(server.web_port) as first, WebClient(server.web_port) as second:
                for page, text in ((first, said[1]), (second, said[2])):
                    await page.send("resume", token=ann.welcome["token"], after=seen)
                    await bob.send("msg", room="#general", text=text)
                await bob.call("ping")  # both messages are stored
                ends = {asyncio.create_task(page.ws.wait_closed()): page for page in (first, second)}
                (end,), (other,) = await asyncio.wait(ends, timeout=DEADLINE, return_when="FIRST_COMPLETED")
                other.cancel()
                await ends[other].send("ping")
                assert await heard(ends[other]) == ["resumed", *said, "pong"]
                *before, bye = await heard(ends[end])
                assert bye == "bye"
                assert before == ["resumed", *said][: len(before)]


async def test_three_hundred_are_replayed_and_one_more_is_too_many(server: Server) -> None:
    async with WebClient(server.web_port, "Bob") as bob, WebClient(server.web_port, "Ann") as ann:
        token = ann.welcome["token"]
        seen = await say(bob, "heard")
        await drops(server, ann)
        await say(bob, *[str(n) for n in range(REPLAY_MAX)])
        async with WebClient(server.web_port) as again:
            assert (await resume(again, token, seen))["missed"] == REPLAY_MAX
            assert await texts(again, REPLAY_MAX) == [str(n) for n in range(REPLAY_MAX)]
            await drops(server, again)
        last = await say(bob, "one more")
        async with WebClient(server.web_port) as again:
            answer = await resume(again, token, seen)
            assert (answer["recovered"], answer["missed"]) == (False, 0)
            await again.hears_nothing()
            history = await again.call("history", room="#general", limit=1)
            assert [message["id"] for message in history["messages"]] == [last]


async def test_what_is_no_longer_kept_cannot_be_recovered(data: Path) -> None:
    async with (
        serving(*options(data, "--history-per-room", "10")) as server,
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port, "Ann") as ann,
        WebClient(server.web_port, "Cas") as cas,
    ):
        seen = await say(bob, "heard")
        await drops(server, ann)
        newest = await say(bob, *[str(n) for n in range(120)])
        await drops(server, cas)
        await say(bob, "newest")
        async with within(DEADLINE):  # until what is too old was deleted
            while len((await bob.call("history", room="#general", limit=200))["messages"]) > 100:
                pass
        async with WebClient(server.web_port) as again:
            answer = await resume(again, ann.welcome["token"], seen)
            assert (answer["recovered"], answer["missed"]) == (False, 0)
        async with WebClient(server.web_port) as again:
            answer = await resume(again, cas.welcome["token"], newest)
            assert (answer["recovered"], answer["missed"]) == (True, 1)
            assert await texts(again, 1) == ["newest"]


async def test_an_id_that_the_log_has_not_reached_is_of_another_log(server: Server) -> None:
    async with WebClient(server.web_port, "Ann") as ann, WebClient(server.web_port) as again:
        answer = await resume(again, ann.welcome["token"], 12345)
        assert (answer["recovered"], answer["missed"]) == (False, 0)


async def test_what_was_said_to_everyone_before_one_came_was_not_missed(server: Server) -> None:
    """A page that found its room empty has seen everything up to the id 0."""
    async with WebClient(server.web_port, "Bob") as bob:
        await bob.call("gmsg", text="long ago")
        async with WebClient(server.web_port, "Ann") as ann, WebClient(server.web_port) as again:
            await bob.call("gmsg", text="now")
            answer = await resume(again, ann.welcome["token"], 0)
            assert await texts(again, answer["missed"]) == ["now"]


async def test_rooms_that_were_entered_and_left_between_two_cuts_are_replayed_as_far_as_one_was_in(
    server: Server,
) -> None:
    async with WebClient(server.web_port, "Bob") as bob, WebClient(server.web_port, "Ann") as ann:
        token = ann.welcome["token"]
        for room in ("#tea", "#jam"):
            await bob.call("join", room=room)
        seen = await say(bob, "before she came", room="#tea")
        await ann.call("join", room="#tea")
        await ann.call("join", room="#jam")
        await drops(server, ann)
        await say(bob, "in tea", room="#tea")
        async with WebClient(server.web_port) as again:
            answer = await resume(again, token, seen - 1)
            assert set(answer["rooms"]) == {"#general", "#tea", "#jam"}
            assert await texts(again, answer["missed"]) == ["in tea"]
            seen = await say(bob, "heard", room="#jam")
            await again.call("leave", room="#jam")
            await drops(server, again)
        await say(bob, "in jam", room="#jam")
        await say(bob, "in tea again", room="#tea")
        async with WebClient(server.web_port) as again:
            answer = await resume(again, token, seen)
            assert set(answer["rooms"]) == {"#general", "#tea"}
            assert await texts(again, answer["missed"]) == ["in tea again"]
            await again.hears_nothing()


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
async def test_a_restart_keeps_name_rooms_and_what_was_missed(data: Path, killed: bool) -> None:
    async with (
        serving(*options(data)) as server,
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port, "Ann") as ann,
        LineClient(server.tcp_port, "LOGIN Cas") as cas,
    ):
        for page in (ann, bob):
            await page.call("join", room="#tea")
        await cas.send("TOKEN")
        _, _, token, known = (await cas.line()).split()
        seen = await say(bob, "heard")
        first = await retriable(bob, "msg", room="#tea", text="missed")
        if killed:
            server.program.process.kill()
            await server.program.exited()
        else:
            await server.stops()
    async with (
        serving(*options(data)) as server,
        WebClient(server.web_port) as bob_again,
        WebClient(server.web_port) as ann_again,
        LineClient(server.tcp_port) as cas_again,
    ):
        assert ann_again.hello["epoch"] == ann.hello["epoch"]
        assert (await resume(bob_again, bob.welcome["token"], first["id"]))["missed"] == 0
        answer = await resume(ann_again, ann.welcome["token"], seen)
        assert (answer["nick"], set(answer["rooms"])) == ("Ann", {"#general", "#tea"})
        assert await texts(ann_again, answer["missed"]) == ["missed"]
        await cas_again.send(f"RESUME {token} {known}")
        await cas_again.expect("OK resumed Cas 1", "INFO room: #general")
        assert (await cas_again.line()).endswith(" Bob heard")
        again = await retriable(bob_again, "msg", room="#tea", text="missed")
        assert again["id"] == first["id"]
        assert await say(bob_again, "new", room="#tea") > first["id"]
        assert await texts(ann_again, 1) == ["new"]


async def test_a_name_that_somebody_took_meanwhile_is_not_taken_back(server: Server) -> None:
    async with WebClient(server.web_port, "Ann") as ann:
        await page_is_closed(ann)
        async with WebClient(server.web_port, "Ann"), WebClient(server.web_port) as again:
            answer = await resume(again, ann.welcome["token"], 0)
            assert (answer["type"], answer["code"]) == ("error", "username-taken")


async def test_a_retried_direct_message_keeps_its_id_when_its_reader_is_away(data: Path) -> None:
    """It is stored, so the answer is its id: `user-not-found` would make its author write it again."""
    async with (
        serving(*options(data)) as server,
        WebClient(server.web_port, "Bob") as bob,
        WebClient(server.web_port, "Ann"),
    ):
        first = await retriable(bob, "dm", to="Ann", text="hi")
        server.program.process.kill()
        await server.program.exited()
    async with serving(*options(data)) as server, WebClient(server.web_port) as again:
        await resume(again, bob.welcome["token"], 0)
        answer = await retriable(again, "dm", to="Ann", text="hi")
        assert (answer["type"], answer.get("id")) == ("ok", first["id"])
