"""The log in memory does not grow with everybody who was ever there."""

import pytest

from core.log import Record
from core.names import Nick
from storage.memory import MemoryLog
from tests.storage.facts import between, reader, said, texts, told


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> MemoryLog:
    monkeypatch.setattr("storage.memory.PEOPLE_MAX", 3)
    return MemoryLog()


async def test_of_very_many_people_the_latest_sessions_are_kept(log: MemoryLog) -> None:
    for n in (0, 1, 2, 0, 3):  # the first one comes again before there are too many
        log.remember(Record(f"id-{n}", b"%d" % n, Nick(f"P{n}"), {}, 0, 0))
    recalled = [await log.recall(b"%d" % n) for n in range(4)]
    assert [record.nick if record else None for record in recalled] == ["P0", None, "P2", "P3"]
    assert len(log._tokens) == 3


async def test_of_very_many_people_the_latest_mail_is_kept_and_the_rest_is_no_silent_gap(
    log: MemoryLog,
) -> None:
    await log.append([told("Ann", "Bob", "1"), told("Cas", "Bob", "2"), told("Dan", "Bob", "3")])
    assert texts((await log.history(between("Bob", "Ann"), before=None, limit=9)).entries) == ["1"]
    assert list((await log.history(between("Ann", "Bob"), before=None, limit=9)).entries) == []
    assert await log.since(reader("Ann"), after=0, upto=3, limit=9) is None
    assert await log.since(reader("Ann"), after=1, upto=3, limit=9) == []
    assert texts(await log.since(reader("Bob"), after=0, upto=3, limit=9) or ()) == ["1", "2", "3"]


async def test_mail_that_begins_anew_does_not_hide_what_was_forgotten(log: MemoryLog) -> None:
    await log.append([told("Ann", "Bob", "1"), told("Cas", "Bob", "2"), told("Dan", "Bob", "3")])
    await log.append([told("Bob", "Ann", "4")])
    assert await log.since(reader("Ann"), after=0, upto=4, limit=9) is None
    assert texts(await log.since(reader("Ann"), after=3, upto=4, limit=9) or ()) == ["4"]


async def test_of_very_many_people_the_latest_refs_are_known(log: MemoryLog) -> None:
    for nick in ("Ann", "Bob", "Cas", "Dan"):
        await log.append([said("hi", nick=nick, ref="r")])
    assert [await log.find(f"id-{nick}", "r") is not None for nick in ("Ann", "Bob", "Dan")] == [
        False,
        True,
        True,
    ]
