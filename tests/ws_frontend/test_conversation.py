"""Every row of PROTOCOL.md's tables of commands and events, over real WebSockets."""

import pytest

from tests.clients import LineClient, Message, WebClient
from tests.doors import Doors
from tests.ws_frontend.answers import refused, stored


async def test_hello_comes_first_and_names_the_log_and_the_limits(doors: Doors) -> None:
    async with WebClient(doors.web_port) as ann:
        assert ann.hello == {
            "type": "hello",
            "server": "parlour",
            "version": "test",
            "epoch": doors.chat.epoch,
            "limits": {"text": 2000, "topic": 300, "nick": 32, "room": 63, "rooms": 20, "frame": 16_384},
        }


async def test_login(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port) as bob:
        welcome = await bob.call("login", nick="Bob")
        assert welcome.keys() == {"type", "nick", "token", "rooms"}
        assert (welcome["type"], welcome["nick"], welcome["rooms"]) == ("welcome", "Bob", ["#general"])
        assert welcome["token"] != ann.welcome["token"]
        assert await ann.next() == {"type": "joined", "room": "#general", "nick": "Bob"}
        refused(await bob.call("login", nick="Bobby"), "already-logged-in")


async def test_a_login_may_be_refused(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port) as bob:
        refused(await bob.call("login", nick="aNN"), "username-taken")
        refused(await bob.call("login", nick="server"), "invalid-username")
        refused(await bob.call("msg", room="#general", text="hi"), "login-required")
        await ann.hears_nothing()


async def test_msg(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.expect("joined", nick="Bob")
        receipt = stored(await ann.call("msg", room="#General", text="hi  there\n"))
        event = {"type": "msg", **receipt, "room": "#general", "nick": "Ann", "text": "hi  there "}
        assert await bob.next() == event
        refused(await ann.call("msg", room="#elsewhere", text="hi"), "not-in-room")
        refused(await ann.call("msg", room="#general", text=" "), "empty-text")
        refused(await ann.call("msg", room="#general", text="x" * 2001), "text-too-long")
        for person in (ann, bob):
            await person.hears_nothing()


async def test_gmsg(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await bob.call("leave", room="#general")
        receipt = stored(await ann.call("gmsg", text="hear"))
        assert await bob.next() == {"type": "gmsg", **receipt, "nick": "Ann", "text": "hear"}


async def test_dm(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        receipt = stored(await ann.call("dm", to="bob", text="psst"))
        assert await bob.next() == {"type": "dm", **receipt, "nick": "Ann", "to": "Bob", "text": "psst"}
        refused(await ann.call("dm", to="Zoe", text="psst"), "user-not-found")


async def test_dm_that_follows_another(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.expect("joined", nick="Bob")
        stored(await ann.call("dm", to="Bob", text="hello"))
        number = (await bob.expect("dm", text="hello"))["id"]
        receipt = stored(await bob.call("dm", to="Ann", text="hi", follows=number))
        assert await ann.next() == {"type": "dm", **receipt, "nick": "Bob", "to": "Ann", "text": "hi"}
        await bob.call("nick", nick="Rob")
        await ann.expect("renamed", old="Bob", new="Rob")
        async with WebClient(doors.web_port, "Bob") as eve:
            await ann.expect("joined", nick="Bob")
            await bob.expect("joined", nick="Bob")
            answer = await ann.call("dm", to="Bob", text="psst", follows=number)
            refused(answer, "somebody-else")
            assert answer["detail"] == "Bob"
            stored(await ann.call("dm", to="Rob", text="psst", follows=receipt["id"]))
            await bob.expect("dm", text="psst")
            await eve.hears_nothing()
        await ann.expect("disconnected", nick="Bob")
        wrong: object
        for wrong in ("x" * 65, 1.5, True, {}):
            refused(await ann.call("dm", to="Rob", text="psst", follows=wrong), "bad-request")


async def test_join_and_leave(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.expect("joined", nick="Bob")
        assert await bob.call("join", room="#Python") == {"type": "ok"}
        assert await ann.call("join", room="#python") == {"type": "ok"}
        assert await bob.next() == {"type": "joined", "room": "#python", "nick": "Ann"}
        refused(await ann.call("join", room="#python"), "already-in-that-room")
        refused(await ann.call("join", room="python"), "bad-room-name")
        assert await ann.call("leave", room="#python") == {"type": "ok"}
        assert await bob.next() == {"type": "left", "room": "#python", "nick": "Ann"}
        refused(await ann.call("leave", room="#python"), "not-in-room")
        for n in range(19):
            await ann.call("join", room=f"#r{n}")
        refused(await ann.call("join", room="#r19"), "too-many-rooms")


async def test_who(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Bob") as bob, WebClient(doors.web_port, "Ann"):
        await bob.call("join", room="#python")
        assert await bob.call("who") == {"type": "users", "nicks": ["Ann", "Bob"]}
        assert await bob.call("who", room="#Python") == {"type": "users", "room": "#python", "nicks": ["Bob"]}
        assert await bob.call("who", room="#nobody") == {"type": "users", "room": "#nobody", "nicks": []}


async def test_nick(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.expect("joined", nick="Bob")
        assert await ann.call("nick", nick="Anna") == {"type": "ok"}
        assert await bob.next() == {"type": "renamed", "old": "Ann", "new": "Anna"}
        refused(await ann.call("nick", nick="bob"), "nick-taken")
        refused(await ann.call("nick", nick="a b"), "invalid-username")


async def test_history_of_a_room(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        receipts = [stored(await ann.call("msg", room="#general", text=str(n))) for n in range(5)]
        expected = [
            {"type": "msg", **receipt, "room": "#general", "nick": "Ann", "text": str(n)}
            for n, receipt in enumerate(receipts)
        ]
        whole = {"type": "history", "room": "#general", "more": False}
        assert await ann.call("history", room="#general") == {**whole, "messages": expected}
        assert await ann.call("history", room="#general", limit=2) == {
            **whole,
            "messages": expected[3:],
            "more": True,
        }
        assert await ann.call("history", room="#general", before=receipts[2]["id"]) == {
            **whole,
            "messages": expected[:2],
        }


async def test_history_with_a_person(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        receipt = stored(await ann.call("dm", to="Bob", text="psst"))
        message = {"type": "dm", **receipt, "nick": "Ann", "to": "Bob", "text": "psst"}
        for person, other in ((ann, "Bob"), (bob, "ANN")):
            assert await person.call("history", **{"with": other}) == {
                "type": "history",
                "with": other,
                "messages": [message],
                "more": False,
            }
        async with WebClient(doors.web_port, "Cas") as cas:
            assert (await cas.call("history", **{"with": "Bob"}))["messages"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"room": "#general", "with": "Bob"},
        {"room": "#general", "limit": 0},
        {"room": "#general", "limit": 201},
        {"room": "#general", "before": 0},
        {"room": "#general", "before": -1},
        {"room": "#general", "before": 1.5},
        {"room": "#general", "before": "1"},
    ],
)
async def test_history_wants_numbers_in_range_and_one_place(doors: Doors, fields: Message) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        refused(await ann.call("history", **fields), "bad-request")


async def test_a_very_large_number_is_no_trouble(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        await ann.call("msg", room="#general", text="hi")
        for before in (2**53, 2**63 - 1, 2**63, 2**64, 10**30):
            answer = await ann.call("history", room="#general", before=before)
            assert [message["text"] for message in answer["messages"]] == ["hi"]


async def test_typing(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.expect("joined", nick="Bob")
        assert await ann.call("typing", room="#general") == {"type": "ok"}
        assert await bob.next() == {"type": "typing", "room": "#general", "nick": "Ann"}
        await ann.hears_nothing()
        refused(await ann.call("typing", room="#elsewhere"), "not-in-room")


async def test_ping_with_and_without_ref(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        assert await ann.call("ping") == {"type": "pong"}
        await ann.send("ping")
        assert await ann.next() == {"type": "pong"}


async def test_quit_is_answered_with_ok_then_bye_then_close_1000(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Bob") as bob, WebClient(doors.web_port, "Ann") as ann:
        assert await ann.call("quit") == {"type": "ok"}
        assert await ann.next() == {"type": "bye", "reason": "quit"}
        assert await ann.close_code() == 1000
        await bob.expect("joined", nick="Ann")
        assert await bob.next() == {"type": "disconnected", "nick": "Ann"}
        await bob.hears_nothing()


async def test_someone_who_shares_several_rooms_is_disconnected_once(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        for room in ("#one", "#two"):
            await bob.call("join", room=room)
            await ann.call("join", room=room)
        ann.waiting.clear()
        await bob.call("quit")
        assert await ann.next() == {"type": "disconnected", "nick": "Bob"}
        await ann.hears_nothing()


async def test_answers_come_in_the_order_of_the_commands_and_one_for_each(doors: Doors) -> None:
    async with WebClient(doors.web_port) as ann:
        commands: list[tuple[str, Message]] = [
            ("login", {"nick": "Ann"}),
            ("msg", {"room": "#general", "text": "one"}),
            ("msg", {"room": "#general", "text": ""}),
            ("msg", {"room": "#general", "text": "two"}),
            ("nonsense", {}),
            ("gmsg", {"text": "three"}),
            ("join", {"room": "#x"}),
            ("history", {"room": "#general"}),
            ("dm", {"to": "Ann", "text": "self"}),
            ("nick", {"nick": "Anna"}),
            ("who", {"color": 1}),
            ("ping", {}),
        ]
        for n, (kind, fields) in enumerate(commands):
            await ann.send(kind, ref=str(n), **fields)
        answers: list[Message] = []
        while len(answers) < len(commands):
            message = await ann.next()
            if message["type"] != "dm":
                answers.append(message)
        assert [answer["ref"] for answer in answers] == [str(n) for n in range(len(commands))]
        kinds = ["welcome", "ok", "error", "ok", "error", "ok", "ok", "history", "ok", "ok", "error", "pong"]
        assert [answer["type"] for answer in answers] == kinds
        await ann.hears_nothing()


async def test_someone_on_a_line_is_heard_and_shown_like_everyone(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Wes") as wes, LineClient(doors.tcp_port, "LOGIN Ann") as ann:
        await ann.send("MSG hi", "DM wes you", "JOIN #x", "GMSG all", "LEAVE", "NICK Anna", "QUIT")
        await ann.rest()
        assert await wes.next() == {"type": "joined", "room": "#general", "nick": "Ann"}
        await wes.expect("msg", room="#general", nick="Ann", text="hi")
        await wes.expect("dm", nick="Ann", to="Wes", text="you")
        assert await wes.next() == {"type": "left", "room": "#general", "nick": "Ann"}
        await wes.expect("gmsg", nick="Ann", text="all")
        assert await wes.next() == {"type": "joined", "room": "#general", "nick": "Ann"}
        assert await wes.next() == {"type": "renamed", "old": "Ann", "new": "Anna"}
        assert await wes.next() == {"type": "disconnected", "nick": "Anna"}
        await wes.hears_nothing()


async def test_ids_rise_over_all_rooms(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, LineClient(doors.tcp_port, "LOGIN Bob") as bob:
        await ann.call("join", room="#x")
        await bob.send(*["MSG a", "JOIN #x", "MSG b", "GMSG c", "LEAVE", "DM Ann d", "MSG e"] * 10, "PING")
        await bob.until("PONG")
        await ann.call("ping")
        ids = [event["id"] for event in ann.waiting if "id" in event]
        assert len(ids) == 50
        assert ids == sorted(set(ids))


async def test_topic_and_rooms(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        assert "topics" not in ann.welcome
        await ann.expect("joined", nick="Bob")
        assert await ann.call("topic", room="#general", text=" tea ") == {"type": "ok", "topic": "tea"}
        assert await bob.next() == {"type": "topic", "room": "#general", "nick": "Ann", "text": "tea"}
        assert await bob.call("topic", room="#general") == {"type": "ok", "topic": "tea"}
        assert await bob.call("join", room="#x") == {"type": "ok"}
        await bob.call("topic", room="#x", text="y")
        assert await ann.call("join", room="#x") == {"type": "ok", "topic": "y"}
        rooms = [
            {"room": "#general", "members": 2, "topic": "tea"},
            {"room": "#x", "members": 2, "topic": "y"},
        ]
        assert await ann.call("rooms") == {"type": "rooms", "rooms": rooms}
        async with WebClient(doors.web_port, "Cas") as cas:
            assert cas.welcome["topics"] == {"#general": "tea"}
        assert await bob.call("topic", room="#general", text="") == {"type": "ok", "topic": ""}
        refused(await bob.call("topic", room="#z", text="z"), "not-in-room")
        async with WebClient(doors.web_port) as again:
            resumed = await again.call("resume", token=bob.welcome["token"])
            assert resumed["topics"] == {"#x": "y"}
