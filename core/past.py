"""Reading back what was said: history, search, and what someone missed."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from itertools import chain
from typing import Any, TypeVar

from core import commands as c
from core import rules
from core.facts import Entry, Said, Shouted, Told
from core.gate import Gate
from core.limits import PAGE_CHARACTERS, REPLAY_MAX
from core.log import Between, InRoom, Log, LogError, Page, Place, Reader
from core.names import RoomName, fold
from core.outbox import Outbox
from core.replies import AnyReply, HistoryPage, Replayed, Results, Resumed, Shown
from core.roster import Roster
from core.rules import Refusal
from core.session import Session
from core.topics import Topics

T = TypeVar("T")


def _fitting(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The newest of these entries that fit one page; at least one."""
    room = PAGE_CHARACTERS
    for index in range(len(entries) - 1, -1, -1):
        match entries[index].fact:
            case Said(text=text) | Shouted(text=text) | Told(text=text):
                room -= len(text)
        if room < 0 and index < len(entries) - 1:
            return entries[index + 1 :]
    return entries


async def _while_here(session: Session, work: Coroutine[Any, Any, T]) -> T | None:
    """None when the connection has ended before it was done: then nobody waits for it."""
    session.asked = task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task])
    finally:
        session.asked = None
        task.cancel()
    return None if task.cancelled() else task.result()


class Past:
    def __init__(self, log: Log, roster: Roster, outbox: Outbox, logger: logging.Logger) -> None:
        self._log = log
        self._roster = roster
        self._outbox = outbox
        self._logger = logger
        self.last_id = log.last_id
        """The newest entry that was shown. Nothing newer is ever given out as past: it will be shown."""

    async def history(self, session: Session, command: c.History) -> AnyReply:
        rules.logged_in(session)
        if (command.room is None) == (command.with_ is None):
            raise Refusal("bad-request", "Give either room or with")
        room: RoomName | None = None
        place: Place
        if command.room is not None:
            room = rules.own_room(session, command.room)
            place = InRoom(room)
        else:
            nick = fold(command.with_ or "")
            partner = self._roster.find(nick)
            place = Between(session.id, nick, partner.id if partner is not None else None)
        page = await self._page(place, before=command.before, limit=command.limit)
        return HistoryPage(room, command.with_, page.entries, page.more, ref=command.ref)

    async def _page(self, place: Place, *, before: int | None, limit: int) -> Page:
        end = self.last_id + 1
        page = await self._log.history(place, before=min(before or end, end), limit=limit)
        entries = _fitting(page.entries)
        return Page(entries, more=page.more or len(entries) < len(page.entries))

    async def was_between(self, one: str, other: str, message: int | str) -> bool:
        """Whether this direct message, an id or a ref of one's, was exchanged between these identities."""
        if isinstance(message, str):
            entry = await self._log.find(one, message)
            return entry is not None and isinstance(entry.fact, Told) and entry.fact.reader == other
        if not 0 < message <= self.last_id:
            return False
        place = Between(one, fold(""), other)  # under whatever names
        page = await self._log.history(place, before=message + 1, limit=1)
        return [entry.id for entry in page.entries] == [message]

    async def search(self, session: Session, command: c.Search) -> AnyReply | None:
        rules.logged_in(session)
        room = None if command.room is None else rules.own_room(session, command.room)
        words = rules.speech(command.query, c.QUERY_MAX, "Give a word to search for")
        reader = Reader(session.id, dict(session.entered))
        entries = await _while_here(
            session, self._log.search(reader, words, room=room, upto=self.last_id, limit=command.limit)
        )
        return None if entries is None else Results(_fitting(entries), ref=command.ref)

    async def on_entry(
        self, session: Session, room: RoomName, reply: Callable[[Sequence[Entry]], AnyReply]
    ) -> AnyReply | None:
        """The reply to an entry, with what was said before, ahead of all that is said from now on.

        Gives the reply back where the door wants no past, else writes it.
        """
        if not session.recent:
            return reply(())
        self._outbox.write_out(session)
        gate = Gate(session)
        recent: Sequence[Entry] = ()
        try:
            recent = (await self._page(InRoom(room), before=None, limit=session.recent)).entries
        except LogError:
            self._logger.exception("the past of %s cannot be read", room)  # no reason to keep someone out
        finally:
            gate.open(session.encode(reply(recent)))
        return None

    async def _since(self, reader: Reader, *, after: int, upto: int) -> Sequence[Entry] | None:
        try:
            return await self._log.since(reader, after=after, upto=upto, limit=REPLAY_MAX)
        except LogError:
            self._logger.exception("what someone missed cannot be read")  # being back is worth more
            return None

    async def replay(self, session: Session, after: int, topics: Topics, ref: str | None) -> None:
        """Answer a session that was taken back: what it missed, ahead of all that is said from now on."""
        self._outbox.write_out(session)
        gate, upto = Gate(session), self.last_id
        nick, rooms = rules.logged_in(session), tuple(session.rooms)
        late = False
        try:
            reader = Reader(session.id, dict(session.entered))
            missed = None
            if after <= upto:
                missed = await self._since(reader, after=after, upto=upto)
            if session.heir is not None:  # another connection has taken it over meanwhile
                return
            known = topics.of(rooms)
            resumed = Resumed(nick, rooms, missed is not None, len(missed or ()), known, ref=ref)
            replayed = (Replayed(entry) for entry in missed or ())
            await gate.first(map(session.encode, chain[Shown]((resumed,), replayed)))
        except TimeoutError:
            late = True
            raise
        finally:
            if not late:  # else what was kept would come after a hole; only a good-bye may
                gate.open()
