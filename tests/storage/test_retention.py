"""How much is kept, and what outlives the process. Runs over every adapter that can."""

from storage.memory import MemoryLog
from tests.storage.conftest import OpenLog, tidied
from tests.storage.facts import between, in_room, reader, said, shouted, texts, told


async def test_the_newest_messages_of_each_room_are_always_kept(open_log: OpenLog) -> None:
    async with open_log(history_per_room=3) as log:
        await log.append([said("rare", "#rare")])
        for n in range(300):
            await log.append([said(str(n)), said(f"python {n}", "#python")])
        general = await log.history(in_room(), before=None, limit=3)
        assert texts(general.entries) == ["297", "298", "299"]
        await tidied(log)
        rare = await log.history(in_room("#rare"), before=None, limit=50)
        assert texts(rare.entries) == ["rare"]


async def test_older_messages_of_a_room_go_and_a_gap_is_never_silent(open_log: OpenLog) -> None:
    async with open_log(history_per_room=3) as log:
        entries = await log.append([said(str(n)) for n in range(300)])
        await tidied(log)
        page = await log.history(in_room(), before=None, limit=50)
        assert (texts(page.entries), page.more) == (["297", "298", "299"], False)
        bob, upto = reader("Bob", general=0), entries[-1].id
        assert await log.since(bob, after=entries[0].id, upto=upto, limit=1000) is None
        missed = await log.since(bob, after=entries[297].id, upto=upto, limit=1000)
        assert missed is not None
        assert texts(missed) == ["298", "299"]


async def test_the_log_in_memory_keeps_the_newest_direct_messages_and_shouts() -> None:
    async with MemoryLog(history_per_room=2) as log:
        await log.append([told("Ann", "Bob", str(n)) for n in range(5)])
        page = await log.history(between("Bob", "Ann"), before=None, limit=50)
        assert (texts(page.entries), page.more) == (["3", "4"], False)
        assert await log.since(reader("Bob"), after=0, upto=5, limit=10) is None
        entries = await log.append([shouted(str(n)) for n in range(3)])
        assert await log.since(reader("Cas"), after=5, upto=8, limit=10) is None
        assert await log.since(reader("Cas"), after=entries[0].id, upto=8, limit=10) == list(entries[1:])


async def test_without_a_limit_everything_is_kept(open_log: OpenLog) -> None:
    async with open_log(history_per_room=0) as log:
        await log.append([said(str(n)) for n in range(300)])
        await tidied(log)
        page = await log.history(in_room(), before=None, limit=500)
        assert len(page.entries) == 300


async def test_two_logs_have_two_epochs(open_log: OpenLog) -> None:
    async with open_log() as log, MemoryLog() as other:
        assert log.epoch
        assert other.epoch
        assert log.epoch != other.epoch


async def test_what_was_appended_is_there_when_the_log_is_opened_again(open_durable_log: OpenLog) -> None:
    async with open_durable_log() as log:
        entries = await log.append([said("one"), told("Ann", "Bob", "two"), shouted("three")])
    async with open_durable_log() as log:
        room = await log.history(in_room(), before=None, limit=50)
        direct = await log.history(between("Bob", "Ann"), before=None, limit=50)
        assert [*room.entries, *direct.entries] == list(entries[:2])
        assert await log.since(reader("Bob", general=0), after=0, upto=entries[-1].id, limit=9) == list(
            entries
        )


async def test_the_epoch_and_the_ids_go_on_when_the_log_is_opened_again(open_durable_log: OpenLog) -> None:
    async with open_durable_log() as log:
        epoch = log.epoch
        (first,) = await log.append([said("one")])
    async with open_durable_log() as log:
        assert log.epoch == epoch
        assert log.last_id == first.id
        (second,) = await log.append([said("two")])
        assert second.id > first.id


async def test_a_retry_is_recognised_when_the_log_is_opened_again(open_durable_log: OpenLog) -> None:
    async with open_durable_log() as log:
        (first,) = await log.append([said("once", ref="r")])
    async with open_durable_log() as log:
        (again,) = await log.append([said("once", ref="r")])
        assert again == first
