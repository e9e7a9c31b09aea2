"""What a search costs is bounded; nobody waits for those of others, least of all of people who are gone."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from core.facts import Entry
from core.log import LogError
from core.names import RoomName
from storage import schema, searching
from storage.sqlite import SqliteLog
from storage.worker import Worker
from tests.clients import DEADLINE, LineClient, within
from tests.doors import open_doors
from tests.durability.breaking import line_resets
from tests.storage.conftest import busy
from tests.storage.facts import reader, said, texts

FAR: Final = 2**53
ENDLESS: Final = "WITH RECURSIVE n (i) AS (SELECT begun() UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


async def find(log: SqliteLog, words: str, room: str = "#general") -> list[str]:
    return texts(await log.search(reader("Ann", general=0), words, room=RoomName(room), upto=FAR, limit=50))


def statements(log: SqliteLog) -> list[str]:
    """What the searcher asks of the messages from now on."""
    asked: list[str] = []

    def trace(statement: str) -> None:
        if "FROM words JOIN message" in statement:
            asked.append(statement)

    log._searcher._database.set_trace_callback(trace)
    return asked


async def test_a_search_that_takes_too_long_is_refused_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log:
        await log.append([said("hello")])
        asked = statements(log)
        with monkeypatch.context() as patch:
            patch.setattr(searching, "QUICK", 0)
            patch.setattr(searching, "LONG", 0)
            with pytest.raises(LogError) as refused:
                await find(log, "h")
        assert refused.value.code == "too-broad"
        assert "more letters" in refused.value.detail
        assert asked == [], "that cannot be interrupted"
        assert await find(log, "h") == ["hello"]


@pytest.mark.parametrize("words", ["word", "wor", "word word", "word zebra"])
async def test_what_is_counted_is_also_looked_through_for_no_longer_than_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """In a room that has none of the many messages with these words."""
    async with SqliteLog(tmp_path / "chat.db") as log:
        await log.append([said(f"word word{n} {'zebra' * (n % 2)}") for n in range(2_000)])
        assert await find(log, words, "#empty") == []
        monkeypatch.setattr(searching, "COUNTING", 1e-9)  # as long as it likes
        monkeypatch.setattr(searching, "LONG", 0)
        monkeypatch.setattr(searching, "QUICK", 0)
        with pytest.raises(LogError, match="too-broad"):
            await find(log, words, "#empty")


class Clock:
    """It goes on when somebody looks: SQLite does, after each so many operations."""

    def __init__(self) -> None:
        self.now = 0

    def perf_counter(self) -> int:
        self.now += 1
        return self.now


async def test_what_the_hits_of_each_word_cost_is_known_before_they_are_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a beginning are all that have it; what is only signs has none."""
    clock, counted = Clock(), 0

    def counting_is_over(statement: str) -> None:
        nonlocal counted
        if "FROM words JOIN message" in statement:
            counted = clock.now

    async def cost(words: str, seconds: float) -> int:
        nonlocal counted
        monkeypatch.setattr(searching, "QUICK", seconds)
        monkeypatch.setattr(searching, "LONG", seconds)
        clock.now = counted = 0
        try:
            await find(log, words)
        except LogError as error:
            assert error.code == "too-broad"  # noqa: PT017 - it may also be found
        return counted

    async with SqliteLog(tmp_path / "chat.db") as log:
        await log.append([said(f"word{n}") for n in range(2_000)])
        await find(log, "all is indexed")
        monkeypatch.setattr(searching, "time", clock)
        log._searcher._database.set_trace_callback(counting_is_over)
        much = await cost("wor", seconds=1e9)
        assert much > 10
        assert await cost("word1999", seconds=1e9) < 5
        assert 0 < await cost("word1 word", seconds=1e9) - much < 5
        assert await cost("!?", seconds=1e9) < 5
        assert await cost("wor", seconds=much * (searching.COUNTING + 1))
        assert not await cost("wor", seconds=much * (searching.COUNTING - 1))


async def test_what_cannot_be_read_is_not_taken_for_too_much(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with SqliteLog(path) as log:
        await log.append([said("hello")])
        assert await find(log, "hello") == ["hello"]
        with closing(schema.connect(path)) as other:
            other.execute("DROP TABLE words")
        with pytest.raises(LogError, match="storage-failed"):
            await find(log, "hello")


@pytest.mark.parametrize("words", ["Straße", "ÀÉ x", "don't a.b", "!? 語", "!?"])
async def test_what_is_counted_are_the_terms_of_the_word_index(tmp_path: Path, words: str) -> None:
    async with SqliteLog(tmp_path / "chat.db") as log:
        await log.append([said(words)])
        await find(log, words)
        terms = await log._searching.run(
            lambda: log._searcher._database.execute("SELECT term FROM term").fetchall()
        )
        assert sorted(searching._terms(words)) == sorted(term for (term,) in terms)


async def test_one_that_takes_long_lets_the_others_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, done = searching._search, []

    def search(*asked: Any) -> list[Entry]:
        if asked[2] == "slow" and asked[-1] == searching.QUICK:
            raise searching._TooLong
        done.append(asked[2])
        return list(real(*asked))

    monkeypatch.setattr(searching, "_search", search)
    async with SqliteLog(tmp_path / "chat.db") as log, within(DEADLINE):
        await log.append([said("slow and quick")])
        await find(log, "quick")  # now all is in the index
        del done[:]
        async with busy(log._searching):
            tasks = [asyncio.create_task(find(log, words)) for words in (*["slow"] * 5, "quick")]
            while log._searching.under_way <= len(tasks):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
        assert await asyncio.gather(*tasks) == [["slow and quick"]] * 6
    assert done == ["quick", *["slow"] * 5]


async def test_of_those_that_take_long_no_two_stand_before_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, done = searching._search, []
    loop, begun, free = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def search(*asked: Any) -> list[Entry]:
        if asked[2] == "slow":
            if asked[-1] == searching.QUICK:
                raise searching._TooLong
            loop.call_soon_threadsafe(begun.set)
            assert free.wait(DEADLINE)
        done.append(asked[2])
        return list(real(*asked))

    async with SqliteLog(tmp_path / "chat.db") as log, within(DEADLINE):
        await log.append([said("slow and quick")])
        await find(log, "quick")
        monkeypatch.setattr(searching, "_search", search)
        async with busy(log._searching):
            slow = [asyncio.create_task(find(log, "slow")) for _ in range(3)]
            while log._searching.under_way <= len(slow):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
        await begun.wait()  # so all of them were too slow to be quick
        quick = asyncio.create_task(find(log, "quick"))
        while log._searching.under_way < 2:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        free.set()
        await asyncio.gather(*slow, quick)
    assert done == ["slow", "quick", "slow", "slow"]


async def test_those_who_are_gone_are_not_searched_for_and_not_among_those_present(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "QUICK", DEADLINE)  # on a slow machine it would be asked twice
    async with (
        SqliteLog(tmp_path / "chat.db") as log,
        open_doors(log) as doors,
        LineClient(doors.tcp_port, "LOGIN Ann") as ann,
    ):
        await ann.send("MSG the words")
        await ann.hears_nothing()
        asked = statements(log)
        async with busy(log._searching), within(DEADLINE):
            for n in range(10):
                async with LineClient(doors.tcp_port, f"LOGIN Ghost{n}") as ghost:
                    await ghost.send("JOIN #m", "SEARCH w")
                    await ghost.expect("OK joined #m")
                    await line_resets(ghost)
            present = ""
            while present != "USERS Ann":
                await ann.send("WHO")
                present = (await ann.until("INFO --- End of List ---"))[-1]
        await ann.send("SEARCH w")
        heard = await ann.until("INFO --- End of Search ---")
        assert heard[-1].endswith(" Ann the words")
        assert len(asked) == 1


@pytest.mark.parametrize("which", ["_reading", "_searching"])
async def test_a_stop_waits_for_no_reader(tmp_path: Path, which: str) -> None:
    """What is under way is interrupted, what waits is dropped."""
    log = await SqliteLog(tmp_path / "chat.db").__aenter__()
    worker: Worker = getattr(log, which)
    database = log._reader if which == "_reading" else log._searcher._database
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def begins() -> int:
        loop.call_soon_threadsafe(begun.set)
        return 1

    database.create_function("begun", 0, begins)
    asked = [worker.run(lambda: database.execute(ENDLESS).fetchone()) for _ in range(50)]
    async with within(DEADLINE):
        await begun.wait()
        await log.__aexit__(None, None, None)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(outcomes[0], sqlite3.OperationalError)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes[1:])
