"""PROTOCOL.md and the code say the same, both ways: what is in one is in the other."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest

from core.commands import HISTORY_DEFAULT, HISTORY_MAX, QUERY_MAX, FromWire, Ref
from core.limits import LISTED_MAX, REPLAY_MAX, ROOMS_MAX, TEXT_MAX, TOPIC_MAX, TOPICS, Limits
from core.names import NICK_MAX, RESERVED, ROOM_MAX
from gateway.config import Config
from storage.tidying import SESSION_DAYS
from tcp_frontend import command_dialect, plain_dialect
from tcp_frontend.connection import GREETING
from tcp_frontend.framing import LINE_MAX
from ws_frontend import events
from ws_frontend.connection import CLOSE_CODES, FRAME_MAX, HEARTBEAT

ROOT: Final = Path(__file__).parent.parent
PROTOCOL: Final = (ROOT / "PROTOCOL.md").read_text()
PROSE: Final = " ".join(PROTOCOL.split())
SOURCES: Final = [
    path
    for layer in ("core", "tcp_frontend", "ws_frontend", "storage", "gateway")
    for path in sorted((ROOT / layer).rglob("*.py"))
]


# ------------------------------------------------------------------ reading the document


def table(*head: str) -> list[list[str]]:
    """The rows of the one table with this head."""
    lines = [line.strip() for line in PROTOCOL.splitlines()]
    (start,) = [n for n, line in enumerate(lines) if cells(line) == list(head)]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(cells(line))
    return rows


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


def spans(text: str) -> list[str]:
    """What is set as code."""
    return re.findall(r"`([^`]+)`", text)


def fields(text: str) -> dict[str, bool]:
    """Field to whether it is always there: `a`, `b?`; and of `a` or `b` only one is."""
    found = {}
    for item in filter(None, text.split(",")):
        names = spans(item)
        assert names, item
        for name in names:
            found[name.removesuffix("?")] = len(names) == 1 and not name.endswith("?")
    return found


# ------------------------------------------------------------------ reading the code


def structs(union: object) -> dict[str, dict[str, bool]]:
    """Tag to its fields; of each field whether it is required."""
    return {
        struct.__struct_config__.tag: {
            field.encode_name: field.required for field in msgspec.structs.fields(struct)
        }
        for struct in get_args(union)
    }


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        yield node.value.decode("latin-1")


def error_codes(source: str) -> set[str]:
    """Codes that are given to an error or written as one, and those an error has by default."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
                if name in ("Refusal", "Invalid", "Error", "LogError"):
                    values = args[:1] + [keyword.value for keyword in keywords if keyword.arg == "code"]
                    found.update(text for value in values for text in _texts(value))
            case ast.arguments(args=parameters, defaults=defaults) if defaults:
                pairs = zip(parameters[-len(defaults) :], defaults, strict=True)
                found.update(text for arg, value in pairs if arg.arg == "code" for text in _texts(value))
            case ast.Constant():
                for text in _texts(node):
                    found.update(re.findall(r"\bERR ([a-z][a-z0-9-]+)", text))
    return found


# ------------------------------------------------------------------ the line door


def test_the_verbs_are_those_of_the_table() -> None:
    documented = [spans(row[0]) for row in table("verb", "answer to you", "what others see")]
    assert documented == [[verb.usage] for verb in command_dialect.VERBS.values()]
    assert [verb.usage.split()[0] for verb in command_dialect.VERBS.values()] == list(command_dialect.VERBS)


def _alternatives(usage: str) -> Iterable[str]:
    """`/color on|off` is `/color on` and `/color off`."""
    *words, last = usage.split(" ")
    return [" ".join([*words, word]) for word in last.split("|")]


def test_the_commands_of_the_plain_dialect_are_those_of_the_table() -> None:
    documented = [usage for row in table("command", "what it does") for usage in spans(row[0])]
    commands = plain_dialect.COMMANDS
    assert documented == [usage for slash in commands.values() for usage in _alternatives(slash.usage)]
    assert [slash.usage.split()[0] for slash in commands.values()] == [f"/{name}" for name in commands]


def test_the_greeting_is_the_documented_one() -> None:
    assert f"```\n{GREETING.decode()}```" in PROTOCOL


def test_usage_errors_in_the_table_are_the_usages() -> None:
    usages = re.findall(r"`ERR usage: ([^`]+)`", PROTOCOL)
    assert usages
    assert set(usages) <= {verb.usage for verb in command_dialect.VERBS.values()}


# ------------------------------------------------------------------ the web door


def test_the_commands_of_the_web_door_and_their_fields_are_those_of_the_table() -> None:
    documented = {
        tag: fields(row[1]) for row in table("command", "fields", "answer") for tag in spans(row[0])
    }
    commands = structs(FromWire)
    assert all(command.pop("ref") is False for command in commands.values())
    assert documented == commands


def test_the_answers_in_the_table_are_events() -> None:
    known = structs(events.Event)
    for command, _, answer in table("command", "fields", "answer"):
        first, *more = spans(answer)
        assert first in known, command
        assert all(word in known or word in known[first] for word in more), command


def test_the_events_of_the_web_door_and_their_fields_are_those_of_the_table() -> None:
    documented = {tag: fields(row[1]) for row in table("event", "fields", "meaning") for tag in spans(row[0])}
    assert documented == structs(events.Event)


def test_the_close_codes_are_the_documented_ones() -> None:
    (sentence,) = re.findall(r"`bye` reasons and close codes: (.*?)\. Without a `bye`", PROSE)
    documented = {reason: int(code) for reason, code in re.findall(r"`([a-z-]+)` (\d+)", sentence)}
    assert documented == CLOSE_CODES


def test_every_reason_to_close_is_documented() -> None:
    calls = [
        node
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Bye"
    ]
    reasons = {text for call in calls for value in call.args[:1] for text in _texts(value)}
    assert reasons >= {"quit", "gone", "idle-timeout"}
    unspoken = {"gone", "misdirected"}  # nobody to tell; told in HTTP
    assert {
        reason for reason in reasons - unspoken if not re.search(rf"`([^`]* )?{reason}( [^`]*)?`", PROSE)
    } == set()


# ------------------------------------------------------------------ error codes


def test_every_way_to_make_an_error_is_found() -> None:
    source = """
class LogError(Exception):
    def __init__(self, code: str = "by-default", detail: str = "other") -> None: ...
raise Refusal("refused", "no-detail")
x = c.Invalid("invalid-one"), r.Error(code="an-error", detail="d"), other("not-this")
y = b"ERR in-bytes now\\n", f"ERR in-text {x}", f"ERR {x}", "XERR no-error"
"""
    assert error_codes(source) == {"by-default", "refused", "invalid-one", "an-error", "in-bytes", "in-text"}


def test_the_error_codes_are_those_of_the_table() -> None:
    documented = [code for row in table("code", "meaning") for code in spans(row[0])]
    assert documented == sorted(set(documented))
    used = set().union(*(error_codes(path.read_text()) for path in SOURCES))
    assert set(documented) == used


def test_every_error_that_is_mentioned_is_in_the_table() -> None:
    documented = {code for row in table("code", "meaning") for code in spans(row[0])}
    mentioned = set(re.findall(r"`ERR ([a-z][a-z0-9-]+)", PROTOCOL))
    mentioned |= set(re.findall(r"`error` with code `([a-z-]+)`", PROTOCOL))
    assert len(mentioned) > 10
    assert mentioned <= documented


def test_the_sentences_of_the_plain_dialect_are_for_errors_that_exist() -> None:
    documented = {code for row in table("code", "meaning") for code in spans(row[0])}
    assert set(plain_dialect._DETAILS) <= documented


# ------------------------------------------------------------------ limits

_limits = Limits()
(_, _ref) = get_args(Ref)
SENTENCES: Final = [
    f"A line has at most {LINE_MAX} bytes without its ending",
    f"`ERR line-too-long {LINE_MAX}`",
    f"the last n ({HISTORY_DEFAULT} unless told, {HISTORY_MAX} at most) messages",
    f"Without a line for {_limits.idle_timeout:g} s",
    f"{_limits.idle_warning:g} s before: `INFO idle-warning {_limits.idle_warning:g} Send PING to stay`",
    f"Without a login for {_limits.login_timeout:g} s: `ERR login-timeout {_limits.login_timeout:g}`",
    f"shown its last {plain_dialect.RECENT} messages",
    f"at most {FRAME_MAX // 1024} KiB a frame",
    f"The server pings every {HEARTBEAT:g} s",
    f"`ref`, a string of at most {_ref.max_length} characters",
    f"the newest {HISTORY_DEFAULT} unless `limit` (1 to {HISTORY_MAX})",
    f"you may be in {ROOMS_MAX} rooms at once",
    f"1 to {NICK_MAX} of `A-Z a-z 0-9 - _`, the first a letter; unique when case-folded",
    f"`#` and 1 to {ROOM_MAX} of `a-z 0-9 - _`, case-folded",
    f"1 to {TEXT_MAX} characters in one line",
    f"one line of at most {TOPIC_MAX} characters",
    f"those with the most people first ({LISTED_MAX} at most)",
    f"those with the most people first, {LISTED_MAX} at most",
    f"{TOPICS[0]} at once, then one every {1 / TOPICS[1]:g} s",
    f"| rooms a person (web door) | {ROOMS_MAX} |",
    f"`search`: the newest messages ({HISTORY_DEFAULT} unless `limit`, 1 to {HISTORY_MAX}, says otherwise)",
    f"`query` ({QUERY_MAX} characters at most)",
    f"the newest {HISTORY_DEFAULT} messages with all the words",
    f"for {_limits.linger:g} s nobody is told that you left",
    f"A token is good for {SESSION_DAYS} days",
    f"more than {REPLAY_MAX} messages",
    f"the newest {Config().history_per_room:,} messages of each room".replace(",", " "),
    f"{_limits.burst} commands at once, then {_limits.rate:g} a second",
    f"{Config().sendq // 1024} KiB, then the connection is cut",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_limits_are_the_documented_ones(sentence: str) -> None:
    assert sentence in PROSE


def test_the_reserved_names_are_the_documented_ones() -> None:
    (row,) = [rule for thing, rule in table("thing", "rule") if thing == "name"]
    assert set(spans(row.partition("case-folded")[2])) == RESERVED


def test_the_servers_usual_limits_are_those_of_the_chat() -> None:
    config = Config()
    for name in ("rate", "burst", "login_timeout", "idle_timeout", "linger"):
        assert getattr(config, name) == getattr(_limits, name)
