"""What people say: checked, recorded, then shown. Nothing is shown before the log has it."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, assert_never

from core import commands as c
from core import rules
from core.audience import Audience
from core.counters import Counters
from core.facts import Entry, Said, Shouted, Spoken, Told
from core.limits import PARTNERS
from core.log import Log, LogError
from core.outbox import Outbox
from core.past import Past
from core.people import People
from core.recorder import Pending, Recorder
from core.replies import AnyReply, Error, Stored
from core.roster import Roster
from core.rules import Refusal
from core.session import Session
from core.turns import Turns


class Speech:
    """`start` runs what has to wait."""

    def __init__(
        self,
        log: Log,
        roster: Roster,
        people: People,
        past: Past,
        outbox: Outbox,
        turns: Turns,
        counters: Counters,
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._log = log
        self._roster = roster
        self._people = people
        self._past = past
        self._outbox = outbox
        self._turns = turns
        self._counters = counters
        self._recorder = Recorder(log, self._stored, self._failed, counters, start)

    async def all_stored(self) -> None:
        """Everything that was said has been stored or has failed."""
        await self._recorder.drained()

    def say(self, session: Session, command: c.Spoken) -> None:
        """Check and record; `_stored` shows it."""
        nick, author, ref = rules.logged_in(session), session.id, command.ref
        reader = None
        fact: Spoken
        match command:
            case c.Msg():
                room = rules.own_room(session, command.room)
                fact = Said(room, nick, rules.speech(command.text), author, ref)
            case c.Gmsg():
                fact = Shouted(nick, rules.speech(command.text), author, ref)
            case c.Dm():
                text = rules.speech(command.text)
                reader = self._roster.find(command.to)
                if reader is None or reader.nick is None:
                    raise Refusal("user-not-found", command.to)
                if reader.id not in (session.partners or {}):
                    self._turns.unhurried(session, "partner", PARTNERS)
                    session.knows(reader.id)
                fact = Told(nick, reader.nick, text, author, reader.id, ref)
            case _:
                assert_never(command)
        session.in_flight += 1
        self._recorder.add(Pending(session, fact, reader))

    async def follow(self, session: Session, command: c.Dm, follows: int | str) -> AnyReply | None:
        """Say it, unless somebody else has that name by now than the one meant."""
        try:
            rules.logged_in(session)
            rules.speech(command.text)  # first: who says nothing learns nothing
            reader = self._roster.find(command.to)
            if reader is not None:
                meant = await self._past.was_between(session.id, reader.id, follows)
                now = self._roster.find(command.to)
                if not meant or (now is not None and now.id != reader.id):
                    raise Refusal("somebody-else", command.to)
            if not session.closing:
                self.say(session, command)
        except Refusal as refusal:
            return await self.said_before(session, refusal, command.ref)
        return None

    async def said_before(self, session: Session, refusal: Refusal, ref: str | None) -> AnyReply:
        """A retry is answered as it was the first time, even if by now it would be refused."""
        entry = None if ref is None or session.token is None else await self._log.find(session.id, ref)
        if entry is None:
            raise refusal
        return Stored(entry.id, entry.time, ref=ref)

    def _stored(self, batch: Sequence[Pending], entries: Sequence[Entry]) -> None:
        """The log has them: show them, tell the senders, write everything at once."""
        with self._outbox:
            waiting = []
            for place, pending in enumerate(batch):
                session, entry = pending.session, entries[place]
                session.in_flight -= 1
                if session.waits:
                    waiting.append(session)
                reply = None
                if session.heir is None:  # else the new connection asks again, if it wants to know
                    reply = Stored(entry.id, entry.time, ref=pending.fact.ref)
                if entry.id > self._past.last_id:
                    self._past.last_id = entry.id
                    self._counters.messages += 1
                    self._show(pending, entry, reply)
                elif reply is not None:  # a retry of what was shown before
                    self._outbox.tell(session, reply)
            if waiting:
                self._turns.stored(waiting)

    def _show(self, pending: Pending, entry: Entry, reply: Stored | None) -> None:
        """To everyone who is to hear it; the author is shown the reply."""
        author, fact = pending.session.current, pending.fact
        audience: Audience | None = None
        match fact:
            case Said():
                audience = self._roster.room(fact.room)
            case Shouted():
                audience = self._roster.hall
            case Told():
                reader = self._people.find(pending.reader, fact.reader)
                if reader is not None:
                    reader.knows(fact.author)  # an answer needs no bucket
                    self._outbox.tell(reader, entry)
            case _:
                assert_never(fact)
        if audience is not None:
            self._outbox.show((audience,), entry, without=author, instead=reply)
        elif reply is not None:
            self._outbox.tell(author, reply)

    def _failed(self, batch: Sequence[Pending], error: LogError) -> None:
        """Nothing was stored, so nobody is shown anything."""
        self._counters.refusals[error.code] += len(batch)
        for pending in batch:
            pending.session.in_flight -= 1
            self._outbox.tell(pending.session, Error(error.code, error.detail, ref=pending.fact.ref))
        self._turns.stored(pending.session for pending in batch)
