"""What rooms are about, as the log keeps it. Runs over every adapter."""

import sqlite3
from pathlib import Path

from core.log import Log
from core.names import RoomName
from storage import schema
from storage.sqlite import SqliteLog
from tests.storage.conftest import OpenLog
from tests.storage.facts import in_room, said, texts

TEA = RoomName("#tea")
ART = RoomName("#art")


async def test_the_last_topic_of_each_room_is_kept(log: Log) -> None:
    assert log.topics == {}
    await log.set_topic(TEA, "green")
    await log.set_topic(ART, "'; DROP TABLE topic; --")
    await log.set_topic(TEA, "black")
    assert log.topics == {TEA: "black", ART: "'; DROP TABLE topic; --"}


async def test_an_empty_topic_is_none(log: Log) -> None:
    await log.set_topic(TEA, "")
    await log.set_topic(ART, "ink")
    await log.set_topic(ART, "")
    assert log.topics == {}


async def test_a_topic_is_nothing_that_was_said(log: Log) -> None:
    await log.append([said("hello", "#tea")])
    await log.set_topic(TEA, "green")
    page = await log.history(in_room("#tea"), before=None, limit=50)
    assert texts(page.entries) == ["hello"]
    assert log.last_id == page.entries[0].id


async def test_topics_are_there_when_the_log_is_opened_again(open_durable_log: OpenLog) -> None:
    async with open_durable_log() as log:
        await log.set_topic(TEA, "green")
        await log.set_topic(ART, "ink")
        await log.set_topic(ART, "")
    async with open_durable_log() as log:
        assert log.topics == {TEA: "green"}


async def test_a_file_from_before_there_were_topics_is_brought_forward(tmp_path: Path) -> None:
    path = tmp_path / "parlour.db"
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(schema.MIGRATIONS[0])
    database.executescript(f"PRAGMA application_id = {schema.APPLICATION_ID}; PRAGMA user_version = 1")
    database.execute(
        "INSERT INTO message (id, time, kind, room, nick, text, author)"
        " VALUES (1, 1, 0, '#tea', 'Ann', 'old', 'a')"
    )
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
    async with SqliteLog(path) as log:
        await log.set_topic(TEA, "green")
        page = await log.history(in_room("#tea"), before=None, limit=50)
        assert texts(page.entries) == ["old"]
    async with SqliteLog(path) as log:
        assert log.topics == {TEA: "green"}
