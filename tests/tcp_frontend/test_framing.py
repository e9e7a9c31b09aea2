"""Bytes to lines: the same lines wherever the pieces are cut, and no telnet command in any of them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.commands import Invalid
from tcp_frontend.framing import IAC, LINE_MAX, TOO_LONG, LineFramer

WILL, WONT, DO, DONT, SB, SE, NOP, GA = 251, 252, 253, 254, 250, 240, 241, 249


def framed(*pieces: bytes) -> tuple[list[bytes | Invalid], bytes]:
    """The lines, and the answers to telnet commands."""
    framer = LineFramer()
    lines: list[bytes | Invalid] = []
    answers = b""
    for piece in pieces:
        lines += fed(framer, piece)
        answers += framer.take_answers()
    return lines, answers


def fed(framer: LineFramer, piece: bytes) -> list[bytes | Invalid]:
    framer.feed(piece)
    lines = []
    while some := framer.take_lines():
        lines += some
    return lines


def cut(data: bytes, points: list[int]) -> list[bytes]:
    ends = sorted(min(point, len(data)) for point in points)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def bytewise(data: bytes) -> list[bytes]:
    return [data[n : n + 1] for n in range(len(data))]


# ------------------------------------------------------------------ endings


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"one\ntwo\n", [b"one", b"two"]),
        (b"one\r\ntwo\r\n", [b"one", b"two"]),
        (b"one\r\0two\r\0", [b"one", b"two"]),
        (b"one\r\n\r\n\n", [b"one", b"", b""]),
        (b"one\rtwo\n", [b"one\rtwo"]),
        (b"one\0two\n", [b"one\0two"]),
        (b"one\r\r\n", [b"one\r"]),
        (b"one\r\r\0", [b"one\r"]),
        (b"one\x0btwo\x0cthree\x1cfour\x85five\n", [b"one\x0btwo\x0cthree\x1cfour\x85five"]),
        ("one\u2028two\u2029three\u0085four\n".encode(), ["one\u2028two\u2029three\u0085four".encode()]),
        (b"no ending", []),
        (b"no ending\r", []),
        (b"", []),
    ],
)
def test_lines_end_with_lf_or_cr_lf_or_cr_nul_and_with_nothing_else(data: bytes, lines: list[bytes]) -> None:
    assert framed(data)[0] == lines
    assert framed(*bytewise(data))[0] == lines


_piece = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b"\n", b"\r\n", b"\r\0", b"\r", b"\0", b"\xff", b"\xff\xff", b"x" * LINE_MAX, b"x" * (LINE_MAX + 1)]
    ),
    st.tuples(st.just(IAC), st.sampled_from([WILL, WONT, DO, DONT]), st.integers(0, 255)).map(bytes),
    st.binary(max_size=5).map(lambda inner: bytes([IAC, SB]) + inner + bytes([IAC, SE])),
    st.sampled_from([bytes([IAC, NOP]), bytes([IAC, GA]), bytes([IAC, SB]), bytes([IAC, SE])]),
)
_stream = st.lists(_piece, max_size=12).map(b"".join)


@given(_stream, st.lists(st.integers(0, 20_000), max_size=12))
@example(b"x" * LINE_MAX + b"\r\n", [LINE_MAX, LINE_MAX + 1])
@example(b"x" * LINE_MAX + b"\r\0", [LINE_MAX + 1])
@example(b"x" * LINE_MAX + b"\r\r\0", [])
@example(b"x" * (LINE_MAX + 5) + b"\r\0y\n", [LINE_MAX + 6])
def test_it_does_not_matter_where_the_pieces_are_cut(stream: bytes, points: list[int]) -> None:
    data = stream + b"\nend\n"  # an overlong line may be reported before its end, but not twice
    whole = framed(data)
    assert framed(*cut(data, points)) == whole
    assert framed(*bytewise(data)) == whole


@given(_stream)
def test_no_line_holds_an_ending_or_is_over_the_limit(stream: bytes) -> None:
    for line in framed(stream)[0]:
        if isinstance(line, Invalid):
            assert line == TOO_LONG
        else:
            assert b"\n" not in line
            assert len(line) <= LINE_MAX


# ------------------------------------------------------------------ long lines


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r\0"])
def test_a_line_of_exactly_4096_bytes_is_a_line_whatever_its_ending(ending: bytes) -> None:
    for pieces in ([b"x" * 4096 + ending], bytewise(b"x" * 4096 + ending)):
        assert framed(*pieces)[0] == [b"x" * 4096]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r\0"])
@pytest.mark.parametrize("length", [4097, 4098, 5000, 100_000])
def test_a_longer_line_is_reported_once_and_skipped_to_its_end(length: int, ending: bytes) -> None:
    data = b"x" * length + ending + b"next\n"
    for pieces in (
        [data],
        cut(data, list(range(0, length, 999))),
        cut(data, list(range(length, length + 6))),
    ):
        assert framed(*pieces)[0] == [TOO_LONG, b"next"]


def test_the_report_of_a_long_line_does_not_wait_for_its_end() -> None:
    framer = LineFramer()
    assert fed(framer, b"x" * 5000) == [TOO_LONG]
    assert fed(framer, b"x" * 5000) == []
    assert fed(framer, b"x\nnext\n") == [b"next"]


def test_an_endless_line_takes_no_memory() -> None:
    framer = LineFramer()
    for _ in range(100):
        fed(framer, b"x" * 10_000)
    assert len(framer._rest) <= 1


# ------------------------------------------------------------------ telnet


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ([IAC, DO, 3], [IAC, WONT, 3]),
        ([IAC, DO, 6], [IAC, WONT, 6]),  # TIMING-MARK: without an answer a telnet stays mute after Ctrl-C
        ([IAC, WILL, 31], [IAC, DONT, 31]),
        ([IAC, DONT, 3], []),
        ([IAC, WONT, 3], []),
        ([IAC, NOP], []),
        ([IAC, GA], []),
        ([IAC, SB, 24, 1, IAC, IAC, 10, IAC, SE], []),
        ([IAC, DO, IAC], [IAC, WONT, IAC]),
    ],
)
def test_telnet_commands_are_taken_out_and_offers_refused(command: list[int], answer: list[int]) -> None:
    data = b"be" + bytes(command) + b"fore\nafter\n"
    assert framed(data) == ([b"before", b"after"], bytes(answer))
    assert framed(*bytewise(data)) == ([b"before", b"after"], bytes(answer))


@pytest.mark.parametrize(("size", "left"), [(511, b""), (512, b""), (513, b"x")])
def test_a_subnegotiation_has_at_most_512_bytes(size: int, left: bytes) -> None:
    data = b"be" + bytes([IAC, SB]) + b"x" * size + bytes([IAC, SE]) + b"fore\n"
    assert framed(data) == ([b"be" + left + b"fore"], b"")
    assert framed(*bytewise(data)) == ([b"be" + left + b"fore"], b"")


def test_a_doubled_iac_is_one_byte_of_text() -> None:
    assert framed(b"a\xff\xffb\n")[0] == [b"a\xffb"]


def test_text_without_telnet_commands_is_answered_with_nothing() -> None:
    assert framed("MSG Grüße, 世界 👋\n".encode())[1] == b""


@given(_stream)
def test_only_refusals_are_ever_sent(stream: bytes) -> None:
    answers = framed(stream)[1]
    assert len(answers) % 3 == 0
    for n in range(0, len(answers), 3):
        assert answers[n] == IAC
        assert answers[n + 1] in (WONT, DONT)


def test_the_answers_are_given_out_once() -> None:
    framer = LineFramer()
    framer.feed(bytes([IAC, DO, 1]))
    assert framer.take_answers() == bytes([IAC, WONT, 1])
    assert framer.take_answers() == b""


@pytest.mark.parametrize(
    "commands",
    [
        bytes([IAC, NOP]) * 1000,
        bytes([IAC, DONT, 1]) * 1000,
        (bytes([IAC, SB]) + b"x" * 96 + bytes([IAC, SE])) * 20,
    ],
)
def test_telnet_commands_have_their_price_and_text_has_none(commands: bytes) -> None:
    framer = LineFramer()
    for piece in cut(commands, [100, 777, 1001]):
        framer.feed(piece)
    assert framer.take_cost() == len(commands) // 512
    assert framer.take_cost() == 0
    framer.feed(b"x" * 3000 + b"\xff\xff\n" * 100)
    assert framer.take_cost() == (len(commands) % 512 + 100) // 512
