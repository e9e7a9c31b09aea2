"""What the chat relies on, whichever adapter keeps the messages. Runs over every adapter."""

import asyncio
import time

import pytest

from core.facts import Spoken, Told
from core.log import Log
from core.names import Nick
from tests.storage.facts import between, in_room, said, shouted, texts, told

# ------------------------------------------------------------------ append


async def test_a_batch_comes_back_whole_and_in_order(log: Log) -> None:
    batch: list[Spoken] = [
        said("one"),
        told("Ann", "Bob", "two"),
        shouted("three"),
        said("four", "#python", "Bob"),
    ]
    entries = await log.append(batch)
    assert [entry.fact for entry in entries] == batch


async def test_ids_are_positive_and_rise_within_a_batch_and_from_batch_to_batch(log: Log) -> None:
    batches: list[list[Spoken]] = [
        [said("one"), said("two", "#python")],
        [told("Ann", "Bob", "three")],
        [shouted("four"), said("five")],
    ]
    ids = [entry.id for batch in batches for entry in await log.append(batch)]
    assert len(ids) == 5
    assert ids[0] > 0
    assert ids == sorted(set(ids))


async def test_the_last_id_is_that_of_the_newest_entry(log: Log) -> None:
    assert log.last_id == 0
    batches: list[list[Spoken]] = [
        [said("one"), said("two")],
        [shouted("three")],
        [told("Ann", "Bob", "four")],
    ]
    for batch in batches:
        entries = await log.append(batch)
        assert log.last_id == entries[-1].id


async def test_times_are_milliseconds_since_1970_and_never_fall(log: Log) -> None:
    start = time.time_ns() // 1_000_000
    entries = [*await log.append([said("one"), shouted("two")]), *await log.append([said("three")])]
    end = time.time_ns() // 1_000_000
    times = [entry.time for entry in entries]
    assert start <= times[0]
    assert times == sorted(times)
    assert times[-1] <= end


async def test_what_was_appended_is_what_the_history_shows(log: Log) -> None:
    entries = await log.append([said("one"), said("two", nick="Bob")])
    page = await log.history(in_room(), before=None, limit=50)
    assert list(page.entries) == list(entries)


@pytest.mark.parametrize(
    "text", ["  two  spaces  ", "Grüße, 世界", "👩‍🚀🏳️‍🌈", "'; DROP TABLE x; --", "%_\\\"'", "x" * 2000]
)
async def test_a_text_is_kept_to_the_letter(log: Log, text: str) -> None:
    await log.append([said(text)])
    page = await log.history(in_room(), before=None, limit=50)
    assert texts(page.entries) == [text]


async def test_the_history_can_be_read_while_a_batch_is_stored(log: Log) -> None:
    await log.append([said("before")])
    entries, page = await asyncio.gather(
        log.append([said("during 1"), said("during 2")]), log.history(in_room(), before=None, limit=50)
    )
    assert len(entries) == 2
    assert texts(page.entries) in (["before"], ["before", "during 1", "during 2"])


# ------------------------------------------------------------------ the history of a room


async def test_a_room_where_nothing_was_said_has_no_history(log: Log) -> None:
    await log.append([said("elsewhere")])
    page = await log.history(in_room("#python"), before=None, limit=50)
    assert list(page.entries) == []
    assert not page.more


async def test_a_page_holds_the_newest_oldest_first_and_says_whether_there_is_more(log: Log) -> None:
    await log.append([said(str(n)) for n in range(1, 6)])
    newest = await log.history(in_room(), before=None, limit=3)
    assert texts(newest.entries) == ["3", "4", "5"]
    assert newest.more


async def test_a_page_that_holds_everything_says_that_there_is_no_more(log: Log) -> None:
    await log.append([said(str(n)) for n in range(1, 4)])
    page = await log.history(in_room(), before=None, limit=3)
    assert texts(page.entries) == ["1", "2", "3"]
    assert not page.more


async def test_turning_the_pages_back_shows_everything_once(log: Log) -> None:
    for n in range(0, 20, 2):
        await log.append([said(str(n)), said("elsewhere", "#python"), said(str(n + 1))])
    seen: list[str] = []
    before: int | None = None
    more = True
    while more:
        page = await log.history(in_room(), before=before, limit=6)
        seen = texts(page.entries) + seen
        before, more = page.entries[0].id, page.more
    assert seen == [str(n) for n in range(20)]


async def test_a_page_before_an_id_does_not_hold_that_id(log: Log) -> None:
    entries = await log.append([said("one"), said("two"), said("three")])
    page = await log.history(in_room(), before=entries[1].id, limit=50)
    assert texts(page.entries) == ["one"]
    assert not page.more


async def test_before_the_first_entry_there_is_nothing(log: Log) -> None:
    entries = await log.append([said("one")])
    page = await log.history(in_room(), before=entries[0].id, limit=50)
    assert list(page.entries) == []
    assert not page.more


async def test_rooms_are_separate(log: Log) -> None:
    await log.append([said("general"), said("python", "#python"), said("general again")])
    general = await log.history(in_room(), before=None, limit=50)
    python = await log.history(in_room("#python"), before=None, limit=50)
    assert texts(general.entries) == ["general", "general again"]
    assert texts(python.entries) == ["python"]


async def test_what_is_said_to_everyone_or_to_one_person_is_in_no_rooms_history(log: Log) -> None:
    await log.append([shouted("to all"), told("Ann", "Bob", "to Bob"), said("to the room")])
    page = await log.history(in_room(), before=None, limit=50)
    assert texts(page.entries) == ["to the room"]


# ------------------------------------------------------------------ direct messages


async def test_both_parties_see_their_direct_messages_in_one_order(log: Log) -> None:
    await log.append([told("Ann", "Bob", "hello"), told("Bob", "Ann", "hi"), told("Ann", "Bob", "bye")])
    for reader, other in (("Ann", "Bob"), ("Bob", "Ann")):
        page = await log.history(between(reader, other), before=None, limit=50)
        assert texts(page.entries) == ["hello", "hi", "bye"]


async def test_direct_messages_with_different_people_are_separate(log: Log) -> None:
    await log.append(
        [told("Ann", "Bob", "to Bob"), told("Ann", "Cas", "to Cas"), told("Cas", "Bob", "aside")]
    )
    with_bob = await log.history(between("Ann", "Bob"), before=None, limit=50)
    with_cas = await log.history(between("Ann", "Cas"), before=None, limit=50)
    assert texts(with_bob.entries) == ["to Bob"]
    assert texts(with_cas.entries) == ["to Cas"]


async def test_nobody_else_sees_a_direct_message(log: Log) -> None:
    await log.append([told("Ann", "Bob", "secret")])
    for nick in ("Ann", "Bob", "Cas"):
        page = await log.history(between("Cas", nick), before=None, limit=50)
        assert list(page.entries) == []
        assert not page.more


async def test_who_takes_a_nick_later_sees_nothing_that_was_said_to_it_before(log: Log) -> None:
    await log.append([told("Ann", "Bob", "for the first Bob"), told("Bob", "Ann", "from the first Bob")])
    page = await log.history(between("second-Bob", "Ann"), before=None, limit=50)
    assert list(page.entries) == []


async def test_a_nick_is_found_without_regard_to_case(log: Log) -> None:
    await log.append([told("Ann", "BoB", "hello")])
    page = await log.history(between("Ann", "bOb"), before=None, limit=50)
    assert texts(page.entries) == ["hello"]


async def test_who_has_another_name_now_is_found_by_it_with_all_that_was_said(log: Log) -> None:
    ann = Nick("Ann")
    told_anna = Told(ann, Nick("Anna"), "3", "id-Ann", "id-Bob", None)
    from_anna = Told(Nick("Anna"), ann, "4", "id-Bob", "id-Ann", None)
    other = [
        told("Ann", "Cas", "-"),
        told("Cas", "Ann", "-"),
        told("Bob", "Cas", "-"),
        told("Cas", "Bob", "-"),
    ]
    await log.append([told("Ann", "Bob", "1"), told("Bob", "Ann", "2"), *other, told_anna, from_anna])
    page = await log.history(between("Ann", "Anna", "Bob"), before=None, limit=50)
    assert texts(page.entries) == ["1", "2", "3", "4"]
    page = await log.history(between("Ann", "Anna", "Bob"), before=None, limit=3)
    assert (texts(page.entries), page.more) == (["2", "3", "4"], True)
    by_name = await log.history(between("Ann", "Anna"), before=None, limit=50)
    assert texts(by_name.entries) == ["3", "4"]


async def test_a_message_to_oneself_is_there_once(log: Log) -> None:
    await log.append([told("Ann", "Ann", "do not forget")])
    page = await log.history(between("Ann", "Ann"), before=None, limit=50)
    assert texts(page.entries) == ["do not forget"]


async def test_the_pages_of_direct_messages_turn_back_like_those_of_a_room(log: Log) -> None:
    entries = await log.append([told("Ann", "Bob", str(n)) for n in range(1, 6)])
    newest = await log.history(between("Bob", "Ann"), before=None, limit=2)
    older = await log.history(between("Bob", "Ann"), before=entries[3].id, limit=3)
    assert (texts(newest.entries), newest.more) == (["4", "5"], True)
    assert (texts(older.entries), older.more) == (["1", "2", "3"], False)
