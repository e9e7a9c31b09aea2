"""What a session that comes back relies on: what it missed, its record, retries. Over every adapter."""

from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.facts import Spoken
from core.log import Log, Record
from core.names import Nick, RoomName
from core.text import clean
from tests.storage.facts import between, in_room, reader, said, shouted, texts, told

FAR: Final = 2**53
"""An id after all others."""

# ------------------------------------------------------------------ retries


async def test_a_message_with_the_same_author_and_ref_is_stored_once(log: Log) -> None:
    (first,) = await log.append([said("once", ref="r")])
    (again,) = await log.append([said("once", ref="r")])
    assert again == first
    page = await log.history(in_room(), before=None, limit=50)
    assert texts(page.entries) == ["once"]


async def test_a_retry_is_recognised_within_a_batch_and_among_other_messages(log: Log) -> None:
    await log.append([said("one", ref="1"), told("Ann", "Bob", "two", ref="2")])
    batch: list[Spoken] = [
        said("three", ref="3"),
        told("Ann", "Bob", "two", ref="2"),
        said("three", ref="3"),
        shouted("four", ref="4"),
        said("one", ref="1"),
    ]
    entries = await log.append(batch)
    assert [entry.fact for entry in entries] == batch
    ids = [entry.id for entry in entries]
    assert ids[0] == ids[2]
    assert sorted(set(ids)) == [ids[4], ids[1], ids[0], ids[3]]
    mail = await log.history(between("Bob", "Ann"), before=None, limit=50)
    assert texts(mail.entries) == ["two"]


async def test_the_same_ref_of_another_author_is_another_message(log: Log) -> None:
    entries = await log.append([said("mine", ref="r"), said("yours", nick="Bob", ref="r"), said("plain")])
    again = await log.append([said("plain")])
    assert len({entry.id for entry in (*entries, *again)}) == 4


# ------------------------------------------------------------------ what someone missed


async def test_what_others_said_comes_in_order_and_ones_own_does_not(log: Log) -> None:
    batch: list[Spoken] = [
        said("1 seen"),
        said("2 mine", nick="Bob"),
        told("Ann", "Bob", "3 to me"),
        said("4 in a room of mine", "#python"),
        said("5 elsewhere", "#rust"),
        shouted("6 to all"),
        told("Ann", "Cas", "7 to someone else"),
        told("Bob", "Ann", "8 from me"),
        said("9 last"),
    ]
    entries = await log.append(batch)
    bob = reader("Bob", general=0, python=0)
    missed = await log.since(bob, after=entries[0].id, upto=FAR, limit=100)
    assert missed is not None
    assert texts(missed) == ["3 to me", "4 in a room of mine", "6 to all", "9 last"]
    assert list(missed) == [entries[2], entries[3], entries[5], entries[8]]


async def test_what_is_newer_than_the_given_id_is_left_for_later(log: Log) -> None:
    entries = await log.append([said("one"), said("two"), told("Ann", "Bob", "three"), shouted("four")])
    for upto in range(4):
        missed = await log.since(reader("Bob", general=0), after=0, upto=entries[upto].id, limit=100)
        assert missed == list(entries[: upto + 1])


async def test_of_a_room_only_what_was_said_since_the_entry_comes(log: Log) -> None:
    entries = await log.append([said("before"), said("after"), said("before", "#python")])
    bob = reader("Bob", general=entries[0].id, python=entries[2].id)
    missed = await log.since(bob, after=0, upto=FAR, limit=100)
    assert missed == [entries[1]]


async def test_more_than_can_be_shown_is_not_told_at_all(log: Log) -> None:
    batch: list[Spoken] = [said("one"), said("two", "#python"), told("Ann", "Bob", "three"), shouted("four")]
    await log.append(batch)
    bob = reader("Bob", general=0, python=0)
    for limit, found in ((3, None), (4, 4), (5, 4)):
        missed = await log.since(bob, after=0, upto=FAR, limit=limit)
        assert (missed if missed is None else len(missed)) == found


async def test_whoever_missed_nothing_is_told_so(log: Log) -> None:
    (entry,) = await log.append([said("one")])
    missed = await log.since(reader("Bob", general=0), after=entry.id, upto=entry.id, limit=100)
    assert missed is not None
    assert list(missed) == []


# ------------------------------------------------------------------ records


def record(session: str, token: bytes, nick: str = "Ann", seen: int = 5) -> Record:
    return Record(session, token, Nick(nick), {RoomName("#general"): 0, RoomName("#python"): 3}, seen, 1_000)


async def test_a_record_is_found_by_its_token(log: Log) -> None:
    log.remember(record("one", b"1" * 32))
    log.remember(record("two", b"2" * 32, "Bob"))
    assert await log.recall(b"1" * 32) == record("one", b"1" * 32)
    assert await log.recall(b"2" * 32) == record("two", b"2" * 32, "Bob")
    assert await log.recall(b"3" * 32) is None


async def test_a_newer_record_takes_the_place_of_the_older_one(log: Log) -> None:
    log.remember(record("one", b"1" * 32, seen=5))
    assert await log.recall(b"1" * 32) == record("one", b"1" * 32, seen=5)
    log.remember(record("one", b"2" * 32, "Anna", seen=6))
    log.remember(record("one", b"2" * 32, "Annie", seen=7))
    assert await log.recall(b"1" * 32) is None
    assert await log.recall(b"2" * 32) == record("one", b"2" * 32, "Annie", seen=7)


async def test_records_go_along_with_messages(log: Log) -> None:
    log.remember(record("one", b"1" * 32))
    await log.append([said("hi")])
    assert await log.recall(b"1" * 32) == record("one", b"1" * 32)


# ------------------------------------------------------------------ search


async def test_a_search_finds_the_newest_with_all_the_words_oldest_first(log: Log) -> None:
    for text in ("red apple", "green apple", "Apple, RED", "pear", "a red, red apple"):
        await log.append([said(text)])
    ann = reader("Ann", general=0)
    found = await log.search(ann, "apple red", room=None, upto=FAR, limit=50)
    assert texts(found) == ["red apple", "Apple, RED", "a red, red apple"]
    newest = await log.search(ann, "apple", room=None, upto=FAR, limit=2)
    assert texts(newest) == ["Apple, RED", "a red, red apple"]


async def test_the_last_word_of_a_search_may_be_the_beginning_of_one(log: Log) -> None:
    await log.append([said("hello everybody"), said("every day")])
    found = await log.search(reader("Ann", general=0), "hello every", room=None, upto=FAR, limit=50)
    assert texts(found) == ["hello everybody"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("creme BRULEE", ["Crème brûlée"]),
        ("crème", ["Crème brûlée"]),
        ("cre\u0300me", ["Crème brûlée"]),
        ("hello, world!", ["hello - world"]),
        ("world hello -", ["hello - world"]),
        ("snake", ["snake_case"]),
        ("case", ["snake_case"]),
        ("hell world", []),
        ("ello", []),
        ("12", ["at 12:30"]),
        ("привет", ["ПРИВЕТ мир"]),
    ],
)
async def test_case_accents_and_punctuation_do_not_count_in_a_search(
    log: Log, words: str, found: list[str]
) -> None:
    await log.append(
        [said(text) for text in ("Crème brûlée", "hello - world", "snake_case", "at 12:30", "ПРИВЕТ мир")]
    )
    entries = await log.search(reader("Ann", general=0), words, room=None, upto=FAR, limit=50)
    assert texts(entries) == found


async def test_a_search_finds_only_what_its_reader_may_see(log: Log) -> None:
    batch: list[Spoken] = [
        said("word in general"),
        said("word in python", "#python"),
        said("word in rust", "#rust"),
        said("word of Bob, who has left", "#rust", nick="Bob"),
        told("Ann", "Bob", "word to Bob"),
        told("Bob", "Ann", "word from Bob"),
        told("Ann", "Cas", "word to Cas"),
    ]
    await log.append(batch)
    bob = reader("Bob", general=0, python=0)
    found = await log.search(bob, "word", room=None, upto=FAR, limit=50)
    assert texts(found) == ["word in general", "word in python", "word to Bob", "word from Bob"]
    found = await log.search(bob, "word", room=RoomName("#python"), upto=FAR, limit=50)
    assert texts(found) == ["word in python"]
    found = await log.search(reader("Zoe"), "word", room=None, upto=FAR, limit=50)
    assert texts(found) == []


async def test_a_search_finds_nothing_that_is_not_shown_yet(log: Log) -> None:
    entries = await log.append([said("word one"), said("word two")])
    found = await log.search(reader("Ann", general=0), "word", room=None, upto=entries[0].id, limit=50)
    assert texts(found) == ["word one"]


@pytest.mark.parametrize(
    "words", ['"', "'", "*", "a OR b", "NEAR(a b)", "-a", "text:a", "(", "a^2", "%", "\\", "!?"]
)
async def test_words_are_only_words(log: Log, words: str) -> None:
    await log.append([said("nothing of this")])
    found = await log.search(reader("Ann", general=0), words, room=None, upto=FAR, limit=50)
    assert texts(found) == []


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=20).map(clean).filter(lambda text: bool(text.strip())))
@example(words='"*')
async def test_any_words_can_be_searched_for(log: Log, words: str) -> None:
    await log.append([said("nothing of this")])
    await log.search(reader("Ann", general=0), words, room=None, upto=FAR, limit=50)
