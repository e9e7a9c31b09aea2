"""What was said before, when somebody asks for it."""

import pytest

from core import commands as c
from core.chat import Chat
from core.limits import PAGE_CHARACTERS
from core.log import LogError
from core.replies import Bye, Entered, HistoryPage, Results, Welcome
from tests.clients import DEADLINE, within
from tests.core.logs import HeldLog, SlowPast, SlowSearch
from tests.core.person import enter, join, numbered, words
from tests.doors import UNLIMITED


def lines(shown: object) -> list[str]:
    assert isinstance(shown, HistoryPage | Entered | Welcome), shown
    return [words(entry) for entry in (shown.entries if isinstance(shown, HistoryPage) else shown.recent)]


# ------------------------------------------------------------------ asked for


async def test_the_newest_messages_of_a_room_come_oldest_first(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(*numbered("#general", 1, 6))
    await ann.sees(*["Stored"] * 5)
    bob.does(c.History(room="#General", limit=3))
    await bob.sees(*[f"Said #general Ann {n}" for n in range(1, 6)])
    page = await bob.next()
    assert lines(page) == [f"Said #general Ann {n}" for n in (3, 4, 5)]
    assert isinstance(page, HistoryPage)
    assert (page.room, page.with_nick, page.more) == ("#general", None, True)


async def test_older_messages_are_found_before_an_id(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(*numbered("#general", 1, 6), c.History(room="#general", limit=3))
    await ann.sees(*["Stored"] * 5)
    page = await ann.next()
    assert isinstance(page, HistoryPage)
    ann.does(c.History(room="#general", before=page.entries[0].id))
    older = await ann.next()
    assert lines(older) == ["Said #general Ann 1", "Said #general Ann 2"]
    assert isinstance(older, HistoryPage)
    assert not older.more


async def test_fifty_messages_come_when_no_number_is_given(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(*numbered("#general", 0, 60), c.History(room="#general"))
    await ann.sees(*["Stored"] * 60)
    assert lines(await ann.next()) == [f"Said #general Ann {n}" for n in range(10, 60)]


async def test_the_history_of_a_room_is_for_those_who_are_in_it(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", ann)
    ann.does(c.Msg("#python", "among us"))
    bob.does(c.History(room="#python"))
    await bob.sees("Error not-in-room #python")


@pytest.mark.parametrize("command", [c.History(), c.History(room="#general", with_="Bob")])
async def test_a_history_is_of_a_room_or_with_a_person(chat: Chat, command: c.History) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(command)
    await ann.until(lambda: bool(ann.waiting))
    assert ann.waiting[0].startswith("Error bad-request ")


async def test_both_read_their_direct_messages_back_and_nobody_else_does(chat: Chat) -> None:
    ann, bob, cas = await enter(chat, "Ann", "Bob", "Cas")
    ann.does(c.Dm("Bob", "hello"))
    await ann.sees("Stored")
    bob.does(c.Dm("Ann", "hi"))
    await bob.sees("Told Ann Bob hello", "Stored")
    await ann.sees("Told Bob Ann hi")
    for person, other in ((ann, "Bob"), (bob, "ANN"), (cas, "Ann"), (cas, "Bob")):
        person.does(c.History(with_=other))
        found = ["Told Ann Bob hello", "Told Bob Ann hi"] if person is not cas else []
        assert lines(await person.next()) == found


async def test_who_takes_a_name_later_cannot_read_what_was_said_to_it_before(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Dm("Bob", "for the first Bob"))
    await bob.sees("Told Ann Bob for the first Bob")
    bob.does(c.Quit())
    await ann.sees("Stored", "Disconnected Bob")
    (second,) = await enter(chat, "Bob")
    second.does(c.History(with_="Ann"))
    assert lines(await second.next()) == []


async def test_a_history_that_cannot_be_read_is_an_error_and_nothing_worse() -> None:
    async with Chat(SlowPast(error=LogError()), limits=UNLIMITED) as chat:
        (ann,) = await enter(chat, "Ann")
        ann.does(c.History(room="#general", ref="h"), c.Ping(ref="p"))
        await ann.sees("Error storage-failed The message was not stored; try again", "Pong")


async def test_what_was_said_to_someone_before_a_change_of_name_belongs_to_the_new_one_too(
    chat: Chat,
) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    ann.does(c.Dm("Bob", "to Bob"))
    await bob.sees("Told Ann Bob to Bob")
    bob.does(c.Rename("Rob"), c.Dm("Ann", "from Rob"))
    await ann.sees("Stored", "Renamed Bob Rob", "Told Rob Ann from Rob")
    for who, expected in {
        "rob": ["Told Ann Bob to Bob", "Told Rob Ann from Rob"],
        "Bob": ["Told Ann Bob to Bob"],
    }.items():
        ann.does(c.History(with_=who))
        assert lines(await ann.next()) == expected


async def test_a_history_holds_nothing_that_is_still_to_be_shown() -> None:
    log = HeldLog(stores_first=True)
    async with Chat(log, limits=UNLIMITED) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        ann.does(c.Msg("#general", "stored, not shown"))
        await log.is_asked()
        for before in (None, 999):
            bob.does(c.History(room="#general", before=before))
            assert lines(await bob.next()) == []
        log.release()
        await bob.sees("Said #general Ann stored, not shown")
        bob.does(c.History(room="#general"))
        assert lines(await bob.next()) == ["Said #general Ann stored, not shown"]


async def test_a_page_of_long_messages_is_shorter_and_says_that_there_is_more(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(*[c.Msg("#general", str(n % 10) * 2000) for n in range(30)], c.History(room="#general"))
    await ann.sees(*["Stored"] * 30)
    page = await ann.next()
    assert isinstance(page, HistoryPage)
    assert page.more
    newest = lines(page)
    assert len(newest) == PAGE_CHARACTERS // 2000
    assert [line[-1] for line in newest] == [str(n % 10) for n in range(30 - len(newest), 30)]
    ann.does(c.History(room="#general", before=page.entries[0].id))
    assert len(lines(await ann.next())) == 30 - len(newest)


async def test_a_bug_in_the_log_does_not_leave_anyone_waiting() -> None:
    async with Chat(SlowPast(error=ZeroDivisionError()), limits=UNLIMITED) as chat:
        (ann,) = await enter(chat, "Ann")
        ann.does(c.History(room="#general", ref="h"), c.Ping())
        await ann.sees("Error internal-error Something went wrong here; try again", "Pong")


# ------------------------------------------------------------------ searched for


async def test_a_search_finds_what_one_may_see_and_nothing_else(chat: Chat) -> None:
    ann, bob = await enter(chat, "Ann", "Bob")
    await join("#python", bob)
    bob.does(c.Msg("#python", "word in python"), c.Msg("#general", "word in general"), c.Dm("Ann", "a word"))
    await bob.sees(*["Stored"] * 3)
    found = ["Said #general Bob word in general", "Told Bob Ann a word"]
    await ann.sees(*found)
    ann.does(c.Search("WORD"), c.Search("word", room="#General"), c.Search("word", limit=1))
    for expected in (found, found[:1], found[1:]):
        results = await ann.next()
        assert isinstance(results, Results)
        assert [words(entry) for entry in results.entries] == expected
    ann.does(c.Search("word", room="#python"), c.Search("word", room="bad"))
    await ann.sees("Error not-in-room #python")
    assert words(await ann.next()).startswith("Error bad-room-name")


async def test_a_search_wants_words_and_not_too_many(chat: Chat) -> None:
    (ann,) = await enter(chat, "Ann")
    ann.does(c.Search(" \x00"), c.Search("x" * (c.QUERY_MAX + 1)), c.Search("x" * c.QUERY_MAX))
    await ann.sees(
        "Error empty-text Give a word to search for", f"Error text-too-long {c.QUERY_MAX}", "Results"
    )


async def test_a_search_finds_nothing_that_is_still_to_be_shown() -> None:
    log = HeldLog(stores_first=True)
    async with Chat(log, limits=UNLIMITED) as chat:
        ann, bob = await enter(chat, "Ann", "Bob")
        ann.does(c.Msg("#general", "word"))
        await log.is_asked()
        bob.does(c.Search("word"))
        results = await bob.next()
        assert isinstance(results, Results)
        assert list(results.entries) == []
        log.release()
        await bob.sees("Said #general Ann word")


@pytest.mark.parametrize("how", ["sent away", "gone"])
async def test_what_was_asked_for_is_given_up_with_the_connection(how: str) -> None:
    log = SlowSearch()
    async with Chat(log, limits=UNLIMITED) as chat:
        (ann,) = await enter(chat, "Ann")
        ann.does(c.Search("words"))
        async with within(DEADLINE):
            await log.asked.wait()
            if how == "gone":
                ann.leaves(dropped=True)
            else:
                chat.close(ann.session, Bye("idle-timeout"))
            await log.given_up.wait()
