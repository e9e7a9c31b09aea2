"""The check at the way out: whatever is shown, it is shown as lines that do nothing but be read."""

import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import facts as f
from core import replies as r
from core.commands import Invalid
from core.names import Nick, RoomName
from core.replies import Shown
from core.session import Encode
from tcp_frontend import command_dialect, lines, plain_dialect
from tcp_frontend.framing import LINE_MAX

ENCODERS: list[Encode] = [command_dialect.encode, plain_dialect.encode, plain_dialect.encode_in_color]
EVERY_ENCODER = pytest.mark.parametrize("encode", ENCODERS, ids=["command", "plain", "colour"])

OUR_COLOURS = re.compile(r"\x1b\[(0|1|2|31)m")
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_text = st.text(alphabet=st.characters(categories=None)) | st.text(
    alphabet="ab \0\a\t\n\v\f\r\x1b\x7f\x85\x9b\u2028\u2029\u202a\u202e\u2066\u2069\ud800"
)
_nick = _text.map(Nick)
_room = _text.map(RoomName)
_spoken = st.one_of(
    st.builds(f.Said, _room, _nick, _text, st.just("author")),
    st.builds(f.Said, _room, _nick, _text.map(lambda text: "/me " + text), st.just("author")),
    st.builds(f.Shouted, _nick, _text, st.just("author")),
    st.builds(f.Told, _nick, _nick, _text, st.just("author"), st.just("reader")),
)
_presence = st.one_of(
    st.builds(f.Connected, _room, _nick),
    st.builds(f.Joined, _room, _nick),
    st.builds(f.Left, _room, _nick),
    st.builds(f.Disconnected, _nick),
    st.builds(f.Renamed, _nick, _nick),
)
_moment = st.integers(0, 4_000_000_000_000)
_one_line = st.one_of(
    st.builds(f.Entry, st.integers(0), _moment, _spoken | _presence),
    st.builds(r.Error, _text, _text),
    st.builds(r.Error, st.sampled_from(["usage", "unknown-command", "user-not-found"]), _text),
    st.builds(r.Entered, _room),
    st.builds(r.Bye, _text.filter(lambda reason: reason not in ("quit", "gone")), _text),
)


def decoded(data: bytes) -> str:
    return OUR_COLOURS.sub("", data.decode())


@EVERY_ENCODER
@given(shown=_one_line)
def test_whatever_a_message_holds_it_is_one_line_without_control_characters(
    encode: Encode, shown: Shown
) -> None:
    line = decoded(encode(shown))
    assert line.endswith("\n")
    assert not CONTROLS.search(line[:-1])


@EVERY_ENCODER
@given(texts=st.lists(_text, max_size=5))
def test_whatever_a_history_holds_it_has_one_line_each_and_one_at_the_end(
    encode: Encode, texts: list[str]
) -> None:
    entries = [
        f.Entry(n, 0, f.Said(RoomName("#general"), Nick("Ann"), text, "author"))
        for n, text in enumerate(texts)
    ]
    page = decoded(encode(r.HistoryPage(RoomName("#general"), None, entries, more=False)))
    assert len(page.split("\n")) - 1 == len(texts) + 1
    assert not CONTROLS.search(page.replace("\n", ""))


def every_reply() -> Iterator[Shown]:
    """One of each kind that may be shown to someone who uses lines."""
    room, nick = RoomName("#general"), Nick("Ann")
    entry = f.Entry(1, 0, f.Said(room, nick, "hi", "author"))
    yield entry
    yield r.Welcome(nick, "token", (room,), (entry,))
    yield r.Users(room, [nick])
    yield r.Users(None, [])
    yield r.HistoryPage(room, None, (entry,), more=True)
    yield r.TopicIs(room, "")
    yield r.TopicIs(room, "tea", changed=True)
    yield r.RoomList([r.Room(room, 1, "")])
    yield f.Entry(0, 0, f.TopicChanged(room, nick, ""))
    yield r.NickChanged(nick)
    yield r.Pong()
    yield r.HelpText()
    yield r.Goodbye()
    yield r.IdleWarning(15)
    yield r.Error("no-such-code", "detail")
    for reason in ("restarting", "idle-timeout", "login-timeout", "whatever"):
        yield r.Bye(reason, "20")


@EVERY_ENCODER
@pytest.mark.parametrize("shown", list(every_reply()), ids=lambda shown: type(shown).__name__)
def test_everything_that_is_shown_is_whole_lines(encode: Encode, shown: Shown) -> None:
    text = decoded(encode(shown))
    assert text.endswith("\n")
    assert all(text.split("\n")[:-1])


@EVERY_ENCODER
@pytest.mark.parametrize(
    "shown", [r.Stored(1, 0), r.Done(), r.Bye("quit"), r.Bye("gone")], ids=lambda shown: type(shown).__name__
)
def test_silence_is_consent(encode: Encode, shown: Shown) -> None:
    assert encode(shown) == b""
    assert encode(f.Entry(0, 0, f.Typed(RoomName("#general"), Nick("Ann")))) == b""


@EVERY_ENCODER
def test_a_long_list_of_people_is_wrapped_to_lines_within_the_limit(encode: Encode) -> None:
    people = [Nick(f"{n:03}".replace("0", "o") + "x" * 29) for n in range(500)]
    text = decoded(encode(r.Users(None, people)))
    assert max(len(line) for line in text.split("\n")) <= LINE_MAX
    head = "USERS " if encode is command_dialect.encode else "Online users: "
    listed = [line.partition(head)[2].split(", ") for line in text.split("\n") if head in line]
    assert [nick for line in listed for nick in line] == people
    assert len(listed) == 5


def test_a_line_of_the_plain_dialect_has_the_time_at_which_it_was_said() -> None:
    said = f.Said(RoomName("#general"), Nick("Ann"), "hi", "author")
    for moment in (0, 1_795_167_000_123):
        line = plain_dialect.encode(f.Entry(1, moment, said)).decode()
        assert line == f"{lines.stamp(moment)} Ann: hi\n"


# ------------------------------------------------------------------ the way in


@given(st.binary())
def test_any_bytes_become_clean_text_or_a_refusal(raw: bytes) -> None:
    text = lines.decode(raw)
    if isinstance(text, Invalid):
        assert text.code == "invalid-utf8"
        with pytest.raises(UnicodeDecodeError):
            raw.decode()
    else:
        assert not CONTROLS.search(text)


PARSERS = [command_dialect.parse, plain_dialect.parse]


@pytest.mark.parametrize("parse", PARSERS, ids=["command", "plain"])
@given(data=st.data())
def test_any_line_becomes_a_command(parse: object, data: st.DataObject) -> None:
    names = [*command_dialect.VERBS, *(f"/{name}" for name in plain_dialect.COMMANDS)]
    word = data.draw(st.sampled_from(names) | st.text())
    line = lines.decode(f"{word} {data.draw(st.text())}".encode("utf-8", "replace"))
    assert isinstance(line, str)
    assert callable(parse)
    if line.strip():
        assert parse(line) is not None


# ------------------------------------------------------------------ times


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    assert lines.utc(0) == "1970-01-01T00:00:00.000Z"
    assert lines.utc(1_795_167_000_123) == "2026-11-20T09:30:00.123Z"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its time zone")
@pytest.mark.parametrize(
    ("zone", "stamp"), [("UTC0", "[2026-11-20 09:30:00]"), ("XYZ-5:30", "[2026-11-20 15:00:00]")]
)
def test_stamps_are_in_the_servers_time_zone(monkeypatch: pytest.MonkeyPatch, zone: str, stamp: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    lines._local.cache_clear()
    try:
        assert lines.stamp(1_795_167_000_123) == stamp
    finally:
        monkeypatch.undo()
        time.tzset()
        lines._local.cache_clear()
