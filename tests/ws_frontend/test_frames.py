"""Whatever a frame holds, it gets one answer, nothing raises, and nobody else notices."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import commands as c
from tests.clients import Message, WebClient
from tests.doors import Doors
from tests.ws_frontend.raw import split
from ws_frontend import events, messages

COMMANDS: list[Message] = [
    {"type": "login", "nick": "Bob"},
    {"type": "msg", "room": "#general", "text": "hi"},
    {"type": "gmsg", "text": "hi"},
    {"type": "dm", "to": "Bob", "text": "hi"},
    {"type": "join", "room": "#x"},
    {"type": "leave", "room": "#x"},
    {"type": "who", "room": "#x"},
    {"type": "nick", "nick": "Anna"},
    {"type": "history", "room": "#general", "before": 9, "limit": 9},
    {"type": "history", "with": "Bob"},
    {"type": "search", "query": "x", "room": "#x", "limit": 9},
    {"type": "resume", "token": "x", "after": 0},
    {"type": "rooms"},
    {"type": "topic", "room": "#general", "text": "tea"},
    {"type": "typing", "room": "#general"},
    {"type": "ping"},
    {"type": "quit"},
]
OPTIONAL = {
    "who": {"room"},
    "history": {"room", "with", "before", "limit"},
    "search": {"room", "limit"},
    "resume": {"after"},
    "topic": {"text"},
}


async def answer_to(client: WebClient, text: str | bytes) -> Message:
    """The one answer to a text frame."""
    await client.ws.send(text, text=True)
    answer = await client.next()
    await client.hears_nothing()
    return answer


def field_cases() -> list[Any]:
    """Every field of every command."""
    return [
        pytest.param(command, field, id=f"{command['type']} {field}")
        for command in COMMANDS
        for field in command
        if field != "type"
    ]


@pytest.mark.parametrize(("command", "field"), field_cases())
async def test_a_field_of_the_wrong_type_is_a_bad_request(doors: Doors, command: Message, field: str) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        values: list[object] = [True, 1.5, [], {}, ["x"], 7 if isinstance(command[field], str) else "7"]
        for wrong in values:
            answer = await answer_to(ann, json.dumps(command | {field: wrong, "ref": "r"}))
            assert (answer["code"], answer["ref"]) == ("bad-request", "r"), wrong


@pytest.mark.parametrize(("command", "field"), field_cases())
async def test_a_missing_field_is_a_bad_request(doors: Doors, command: Message, field: str) -> None:
    if field in OPTIONAL.get(command["type"], ()):
        return
    async with WebClient(doors.web_port, "Ann") as ann:
        rest = {key: value for key, value in command.items() if key != field}
        answer = await answer_to(ann, json.dumps(rest | {"ref": "r"}))
        assert (answer["code"], answer["ref"]) == ("bad-request", "r")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command["type"])
async def test_an_unknown_field_is_a_bad_request_and_nothing_is_done(doors: Doors, command: Message) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Zoe") as zoe:
        await ann.expect("joined", nick="Zoe")
        for extra in ("color", "Ref", "nick2", "", "author", "encode"):
            answer = await answer_to(ann, json.dumps(command | {extra: "x", "ref": "r"}))
            assert (answer["code"], answer["ref"]) == ("bad-request", "r")
        await zoe.hears_nothing()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad-json"),
        ("hello", "bad-json"),
        ("null", "bad-json"),
        ("[]", "bad-json"),
        ('"ping"', "bad-json"),
        ('{"type": "ping"', "bad-json"),
        ('{"type": "ping"} {"type": "ping"}', "bad-json"),
        ("{'type': 'ping'}", "bad-json"),
        ('{"type": NaN}', "bad-json"),
        ("[" * 16_000, "bad-json"),
        ("{}", "bad-request"),
        ('{"type": null}', "bad-request"),
        ('{"type": 1}', "bad-request"),
        ('{"type": ["ping"]}', "bad-request"),
        ('{"type": {"type": "ping"}}', "bad-request"),
        ('{"type": "PING"}', "unknown-command"),
        ('{"type": ""}', "unknown-command"),
        ('{"type": "gone"}', "unknown-command"),
        ('{"type": "invalid", "code": "x"}', "unknown-command"),
        ('{"type": "help"}', "unknown-command"),
        ('{"type": "reencode"}', "unknown-command"),
        ('{"type": "token"}', "unknown-command"),
    ],
)
async def test_what_is_no_command_is_an_error(doors: Doors, text: str, code: str) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        assert (await answer_to(ann, text))["code"] == code


async def test_an_unknown_command_is_named_in_the_answer_but_not_at_any_length(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        answer = await ann.call("shout")
        assert (answer["code"], answer["detail"]) == ("unknown-command", "shout")
        assert len((await ann.call("x" * 10_000))["detail"]) < 100


@pytest.mark.parametrize("text", ['{"type": "ping", "x": ' + "[" * 16_000, '{"type":' * 2000])
async def test_json_that_is_very_deep_is_an_error_and_no_more(doors: Doors, text: str) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        assert (await answer_to(ann, text))["type"] == "error"


async def test_a_number_of_very_many_digits_is_an_error_and_no_more(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        for digits in (20, 400, 5000, 16_000):
            answer = await answer_to(
                ann, '{"type":"history","room":"#general","before":' + "9" * digits + "}"
            )
            assert answer["type"] in ("error", "history")


async def test_of_two_equal_keys_at_most_one_counts(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        assert (await answer_to(ann, '{"type":"ping","ref":"a","ref":"b"}')) in (
            {"type": "pong", "ref": "a"},
            {"type": "pong", "ref": "b"},
        )
        assert (await answer_to(ann, '{"type":"ping","type":"who"}'))["type"] in ("pong", "users", "error")


async def test_bytes_that_are_not_utf_8_are_an_error_and_no_more(doors: Doors) -> None:
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.expect("joined", nick="Bob")
        for text in (b"\xff", b'{"type":"msg","room":"#general","text":"\xed\xa0\x80"}', b'{"type":"\xe9"}'):
            assert (await answer_to(ann, text))["type"] == "error"
        await bob.hears_nothing()


async def test_half_an_emoji_is_refused(doors: Doors) -> None:
    """What JSON.stringify makes of a cut string: there are no bytes for it, so nobody could be shown it."""
    async with WebClient(doors.web_port, "Ann") as ann, WebClient(doors.web_port, "Bob") as bob:
        await ann.expect("joined", nick="Bob")
        answer = await answer_to(ann, '{"type":"msg","room":"#general","text":"a\\ud83db","ref":"r"}')
        assert (answer["type"], answer["code"], answer["ref"]) == ("error", "bad-request", "r"), answer
        await bob.hears_nothing()


@pytest.mark.parametrize(
    ("fields", "half"),
    [
        (rb'"text":"\ud800"', True),
        (rb'"text":"\ud83d and more"', True),
        (rb'"text":"\udc4b"', True),
        (rb'"text":"\ud83d\ud83d"', True),
        (b'"text":"\xed\xa0\x80"', True),
        (rb'"text":"hi","\ud800":[]', True),
        (rb'"text":"hi","x":[{"y":"\ud800"}]', True),
        (rb'"text":"hi","ref":"\ud800"', True),
        (rb'"text":"\ud83d\udc4b","x":1', False),
        (rb'"text":"\\ud800","x":1', False),
    ],
)
def test_half_of_a_surrogate_pair_is_called_by_its_name(fields: bytes, half: bool) -> None:
    answer = messages.parse(b'{"type":"msg","room":"#general",' + fields + b"}")
    assert isinstance(answer, c.Invalid)
    assert answer.code == "bad-request"
    assert (answer.detail == "Half of a surrogate pair is no character") == half


# ------------------------------------------------------------------ ref


@pytest.mark.parametrize("ref", ["", "x", "x" * 64, "é👋", "\x00\n\x1b", '"\\'])
async def test_a_ref_comes_back_to_the_letter(doors: Doors, ref: str) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        for kind, fields in (
            ("ping", {}),
            ("join", {}),
            ("nonsense", {}),
            ("msg", {"room": "#x", "text": "x"}),
        ):
            await ann.send(kind, ref=ref, **fields)
            assert (await ann.next())["ref"] == ref


@pytest.mark.parametrize("ref", ["x" * 65, 1, True, [], {"a": 1}])
async def test_what_cannot_be_a_ref_is_a_bad_request(doors: Doors, ref: object) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        answer = await answer_to(ann, json.dumps({"type": "ping", "ref": ref}))
        assert answer["code"] == "bad-request"
        assert "ref" not in answer


# ------------------------------------------------------------------ anything at all


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_kinds = st.sampled_from([command["type"] for command in COMMANDS if command["type"] != "quit"])
_fields = st.sampled_from(
    ["nick", "room", "text", "to", "with", "before", "limit", "token", "after", "query", "ref"]
)
_values = st.sampled_from(["#general", "#x", "Bob", "hi", 1, 10]) | _json
_commands = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    _kinds | _json,
    st.dictionaries(_fields, _values, max_size=4),
)
_frames = (
    st.text()
    | _json.map(json.dumps)
    | _commands.map(json.dumps)
    | st.sampled_from(COMMANDS[:-1]).map(json.dumps)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=st.lists(_frames, max_size=10))
async def test_any_text_frame_gets_exactly_one_answer(doors: Doors, frames: list[str]) -> None:
    async with WebClient(doors.web_port, "Ann") as ann:
        for text in frames:
            await ann.ws.send(text)
        await ann.send("quit")
        answers = []
        while (message := await ann.next())["type"] != "bye":
            answers.append(message["type"])
        assert len(answers) == len(frames) + 1
        kinds = {"welcome", "ok", "users", "history", "resumed", "pong", "error", "results", "rooms"}
        assert set(answers) <= kinds
        await ann.close_code()


@given(st.binary() | _frames.map(str.encode))
def test_any_bytes_become_a_command(raw: bytes) -> None:
    assert isinstance(messages.parse(raw), c.Command)


@given(st.text(), st.text())
def test_any_text_becomes_one_frame(nick: str, text: str) -> None:
    ((opcode, payload),) = split(events.frame(events.Gmsg(1, "now", nick, text)))
    assert opcode == 1
    assert json.loads(payload) == {"type": "gmsg", "id": 1, "time": "now", "nick": nick, "text": text}


@pytest.mark.parametrize("size", [0, 100, 125, 126, 127, 1000, 65_535, 65_536, 200_000])
def test_a_frame_says_how_long_it_is(size: int) -> None:
    overhead = len(msgspec.json.encode(events.Bye("")))
    if size >= overhead:
        data = events.frame(events.Bye("x" * (size - overhead)))
        assert data[0] == 0x81
        assert data[1] < 0x80  # a server does not mask
        ((_, payload),) = split(data)
        assert len(payload) == size


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    assert messages.rfc3339(7) == "1970-01-01T00:00:00.007Z"
    assert messages.rfc3339(1_795_167_000_123) == "2026-11-20T09:30:00.123Z"
