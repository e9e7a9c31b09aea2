"""Any bytes: framing, both dialects and JSON neither raise nor let anything through.

Seeds that once failed stay as examples.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import commands as c
from core import replies as r
from core.facts import Entry, Said
from core.names import LOBBY, Nick
from tcp_frontend import command_dialect, plain_dialect
from tcp_frontend.framing import LINE_MAX, LineFramer
from tcp_frontend.lines import decode
from tests.fuzz.long import SECONDS, for_a_while, fuzzing
from ws_frontend import messages

pytestmark = pytest.mark.timeout(SECONDS * 1.5 + 60)

UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

pieces = st.one_of(
    st.sampled_from(
        [
            b"\n",
            b"\r\n",
            b"\r\0",
            b"\r",
            b"\0",
            b"\xff",
            b"\xff\xff",
            b"\xff\xfd\x06",
            b"\xff\xfa\x18",
            b"\xff\xf0",
            b"\xff\xfb",
            b"x" * 4095,
            b"x" * 4096,
            b"x" * 4097,
            b"\x9b",
            "ä".encode(),
            "\u2028".encode(),
            b"",
        ]
    ),
    st.binary(max_size=20),
    st.integers(0, 9000).map(lambda n: b"y" * n),
)


def _lines(framer: LineFramer) -> Iterator[bytes | c.Invalid]:
    while some := framer.take_lines():
        yield from some


@fuzzing(250)
@given(st.lists(pieces, max_size=20), st.lists(st.integers(0, 20_000), max_size=20))
@example([b"x" * 4096, b"\r", b"\n"], [4096, 4097])
@example([b"x" * 4097, b"\r\0", b"ok\n"], [4098])
@example([b"\xff\xfa", b"\n", b"\xff\xf0"], [1, 2, 3])
def _framing(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    whole = LineFramer()
    whole.feed(data)
    expected, refused = list(_lines(whole)), whole.take_answers()
    lines: list[bytes | c.Invalid] = []
    framer, answers, start = LineFramer(), b"", 0
    for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        framer.feed(data[start:end])
        lines += _lines(framer)
        answers += framer.take_answers()
        start = end
    # A line that is too long is reported as soon as that is known, which may be before its end.
    assert lines == expected
    assert answers == refused
    assert all(isinstance(line, c.Invalid) or (len(line) <= LINE_MAX and b"\n" not in line) for line in lines)
    assert len(lines) <= data.count(b"\n") + data.count(b"\0") + 1  # telnet may part a CR from its NUL
    assert len(answers) <= len(data)


VERBS = [*command_dialect.VERBS, *(f"/{name}" for name in plain_dialect.COMMANDS), "//", "/", "MSG"]
words = st.one_of(
    st.sampled_from(VERBS),
    st.text(max_size=10),
    st.sampled_from(
        ["\u202e", "\x9b2J", "\x1b[2J", "#general", "Ann", "0", "-1", "9" * 30, " ", "\u00a0", "\u3000", "²"]
    ),
)
lines_of_words = st.lists(words, max_size=6).map(" ".join) | st.text(max_size=60)


def check_shown(command: object) -> None:
    """Whatever it is, all three encoders of lines can show it as single clean lines."""
    texts = [
        str(getattr(command, name)) for name in ("code", "detail", "text", "nick") if hasattr(command, name)
    ]
    for text in texts:
        shown: list[Any] = [
            r.Error("user-not-found", text),
            Entry(1, 0, Said(LOBBY, Nick("Ann"), text, "", None)),
        ]
        for thing in shown:
            for encode in (command_dialect.encode, plain_dialect.encode, plain_dialect.encode_in_color):
                line = encode(thing)
                assert line.count(b"\n") == 1
                assert not UNWANTED.search(re.sub("\x1b\\[[0-9]*m", "", line[:-1].decode()))


@fuzzing(250)
@given(lines_of_words.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=60))
@example(b"DM \xc2\xa0 x")
@example("HISTORY ²".encode())
@example(b"RESUME x 9999999999999999999")
def _command_dialect(raw: bytes) -> None:
    text = decode(raw)
    if isinstance(text, str):
        assert not UNWANTED.search(text)
        if text and not text.isspace():
            command = command_dialect.parse(text)
            assert isinstance(command, c.Command)
            check_shown(command)


@fuzzing(250)
@given(lines_of_words.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=60))
@example(b"/\xc2\xa0")
@example("/history ²".encode())
@example(b"/color")
def _plain_dialect(raw: bytes) -> None:
    text = decode(raw)
    if isinstance(text, str) and text and not text.isspace():
        command = plain_dialect.parse(text)
        assert isinstance(command, c.Command)
        check_shown(command)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["#general", "ping", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "type",
        "ref",
        "nick",
        "room",
        "text",
        "to",
        "with",
        "before",
        "limit",
        "query",
        "token",
        "after",
        "code",
        "detail",
    ]
)
types = st.sampled_from(
    [
        *[
            "login",
            "msg",
            "gmsg",
            "dm",
            "join",
            "leave",
            "who",
            "nick",
            "history",
            "search",
            "resume",
            "typing",
            "ping",
            "quit",
            "token",
            "gone",
        ]
    ]
)
objects = st.tuples(types, st.dictionaries(names | st.text(max_size=4), values, max_size=4)).map(
    lambda pair: json.dumps({"type": pair[0], **pair[1]}).encode()
)


def bend(frame: bytes, where: int, what: bytes) -> bytes:
    """With something else in one place."""
    where %= len(frame) + 1
    return frame[:where] + what + frame[where + 1 :]


@fuzzing(250)
@given(
    objects | st.builds(bend, objects, st.integers(0, 200), st.binary(max_size=3)) | st.binary(max_size=60)
)
@example(b"[" * 16_000)
@example(b'{"a":' * 3000)
@example(b"9" * 16_000)
@example(b'{"type":"ping","ref":' + b"9" * 5000 + b"}")
@example(b'{"type":"\\ud800"}')
@example(b'{"type":"x","ref":"\\ud800"}')
@example(b'{"type":"msg","room":"#general","text":"\\udc00"}')
@example(b"\xef\xbb\xbf{}")
@example(b'{"type":"history","before":1e400}')
def _frames(raw: bytes) -> None:
    command = messages.parse(raw)
    assert isinstance(command, c.Command)
    if isinstance(command, c.Invalid):
        frame = messages.encode(r.Error(command.code, command.detail, ref=command.ref))
        payload = frame[4 if frame[1] == 126 else 10 if frame[1] == 127 else 2 :]
        assert json.loads(payload)["code"] == command.code
    elif command.ref is not None:
        assert len(command.ref) <= 64


def test_framing_gives_the_same_lines_wherever_the_stream_is_cut() -> None:
    for_a_while(_framing)


def test_the_command_dialect_makes_a_command_of_every_line() -> None:
    for_a_while(_command_dialect)


def test_the_plain_dialect_makes_a_command_of_every_line() -> None:
    for_a_while(_plain_dialect)


def test_any_frame_becomes_a_command_and_every_answer_is_json() -> None:
    for_a_while(_frames)
