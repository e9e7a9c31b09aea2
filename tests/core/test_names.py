"""Which names are allowed, and when two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.names import NICK_MAX, RESERVED, ROOM_MAX, fold, nick_problem, parse_room


@pytest.mark.parametrize("nick", ["A", "z", "Ann", "ann-2", "A_b-C9", "x" * 32, "Serverless", "GENERAL"])
def test_a_letter_and_then_letters_digits_hyphens_and_underscores_make_a_name(nick: str) -> None:
    assert nick_problem(nick) is None


@pytest.mark.parametrize(
    "nick",
    [
        "",
        " ",
        "9lives",
        "-x",
        "_x",
        "#x",
        "a b",
        "a\n",
        "a\0",
        "Zoë",
        "ａｎｎ",
        "Ａ",
        "\u212a",
        "a.b",
        "a/b",
        "a\u200b",
    ],
)
def test_nothing_else_makes_a_name(nick: str) -> None:
    assert nick_problem(nick)


def test_a_name_has_at_most_32_characters() -> None:
    assert nick_problem("a" * NICK_MAX) is None
    assert "32" in (nick_problem("a" * (NICK_MAX + 1)) or "")


@pytest.mark.parametrize("nick", ["server", "Server", "ADMIN", "sYsTeM", "info"])
def test_some_names_are_reserved_in_any_case(nick: str) -> None:
    assert nick_problem(nick) == "that name is reserved"


def test_the_reserved_names_are_the_documented_ones() -> None:
    assert {"server", "admin", "system", "info"} == RESERVED


def test_names_that_differ_only_in_case_are_the_same() -> None:
    assert fold("Ann") == fold("aNN") != fold("Anna")


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("#a", "#a"),
        ("#Python", "#python"),
        ("#under_score-9", "#under_score-9"),
        ("#123", "#123"),
        ("#" + "x" * 63, "#" + "x" * 63),
    ],
)
def test_a_room_is_called_by_its_name_in_lower_case(name: str, room: str) -> None:
    assert parse_room(name) == room


@pytest.mark.parametrize(
    "name", ["", "#", "a", "##a", "#a b", "#ä", "#a\n", " #a", "#a#", "#" + "x" * 64, "#İ", "#a\u202eb"]
)
def test_nothing_else_is_a_room(name: str) -> None:
    assert parse_room(name) is None


@given(st.text())
def test_whatever_is_a_room_can_stand_in_a_line_as_one_word(name: str) -> None:
    room = parse_room(name)
    assert room is None or (room.isascii() and len(room) <= ROOM_MAX + 1 and room.split() == [room])


@given(st.text(alphabet=st.characters(categories=["Ll", "Lu", "Nd", "Pd", "Pc"]), min_size=1, max_size=40))
def test_whatever_is_a_name_is_ascii_and_one_word(nick: str) -> None:
    assert nick_problem(nick) is not None or (nick.isascii() and nick.split() == [nick])
