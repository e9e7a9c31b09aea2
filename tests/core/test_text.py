"""What is left of a text when everything is taken out that could do more than be read."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import clean

DANGEROUS = "\0\a\t\n\v\f\r\x1b\x7f\x85\x9b\u2028\u2029\u202a\u202d\u202e\u2066\u2069\ud800\udfff"
ANY_TEXT = st.text(alphabet=st.characters(categories=None)) | st.text(alphabet=DANGEROUS + "ab \u200d\u200e")
"""Lone surrogates too, and more of what matters here than chance would bring."""


@given(ANY_TEXT)
def test_nothing_that_is_left_can_move_a_cursor_or_end_a_line(text: str) -> None:
    cleaned = clean(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in cleaned)
    assert len(cleaned.splitlines()) <= 1


@given(ANY_TEXT)
def test_nothing_that_is_left_turns_the_reading_direction_around(text: str) -> None:
    turns = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    assert not any(unicodedata.bidirectional(character) in turns for character in clean(text))


@given(ANY_TEXT)
def test_what_is_left_can_be_sent(text: str) -> None:
    clean(text).encode()


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet=st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_letters_marks_numbers_signs_and_spaces_stay_as_they_are(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("one\ttwo", "one two"),
        ("one\r\ntwo", "one two"),
        ("one\ntwo\rthree", "one two three"),
        ("one\vtwo\fthree\x85four", "one two three four"),
        ("one\u2028two\u2029three", "one two three"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x9b31mred", "31mred"),
        ("\0\x07bell\x08\x7f", "bell"),
        ("\u202egnirts", "gnirts"),
        ("\u2066isolated\u2069", "isolated"),
        ("half \ud83d of it", "half  of it"),
        ("\ufeffat the start and with\ufeffin", "at the start and within"),
    ],
)
def test_a_break_becomes_a_space_and_other_controls_vanish(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize("text", ["👩‍🚀 🏳️‍🌈", "مرحبا", "שלום", "ne\u200dxt", "  inner   spaces  ", "a\u0301"])
def test_joiners_marks_and_spaces_are_part_of_a_text(text: str) -> None:
    assert clean(text) == text
