"""People come, go, move and change their names. Every change is shown to those whom it concerns, once."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from core import commands as c
from core import rules
from core.audience import Audience
from core.chores import every
from core.claims import Claims
from core.facts import Connected, Disconnected, Entry, Joined, Left, Presence, Renamed, Typed
from core.log import Log, Record
from core.names import HALL, LOBBY, Nick, RoomName, fold
from core.outbox import Outbox
from core.past import Past
from core.replies import AnyReply, Bye, Done, Entered, NickChanged, TokenIs, Welcome
from core.roster import Roster
from core.rules import Refusal
from core.session import Session
from core.times import now
from core.topics import Topics

logger = logging.getLogger("parlour.people")

REMEMBER_EVERY: Final = 6 * 3600.0
"""Seconds between two renewals of the records of those who are here."""


def _hash(token: str) -> bytes:
    """What is kept of a token. It has 192 random bits, so one plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class People:
    def __init__(
        self,
        log: Log,
        claims: Claims,
        roster: Roster,
        outbox: Outbox,
        past: Past,
        topics: Topics,
        *,
        linger: float,
        close: Callable[[Session, Bye], None],
    ) -> None:
        self._log = log
        self._claims = claims
        self._roster = roster
        self._outbox = outbox
        self._past = past
        self._topics = topics
        self._linger = linger
        self._close = close
        self._present: dict[str, Session] = {}
        """Identity to session, of those who have a token; the lingering ones too."""
        self._by_token: dict[str, Session] = {}
        """The same, by their tokens."""
        self.stopping = False
        """Everyone is leaving, see `stop`."""
        self._lingering: dict[Session, asyncio.TimerHandle] = {}

    # ------------------------------------------------------------------ coming

    async def login(self, session: Session, command: c.Login, *, with_token: bool) -> AnyReply | None:
        if session.nick is not None:
            raise Refusal("already-logged-in")
        nick = rules.new_nick(command.nick)
        if not await self._claims.claim(fold(nick), session.id):
            raise Refusal("username-taken")
        self._outbox.settle(session)
        self._roster.admit(session, nick, self._past.last_id)
        logger.info("%s is %s", session.peer, nick)
        room = self._roster.enter(session, LOBBY, self._past.last_id)
        self.show(Connected(LOBBY, nick), [room], without=session)
        token = self._token(session) if with_token else ""
        return await self._past.on_entry(
            session,
            LOBBY,
            lambda recent: Welcome(nick, token, (LOBBY,), recent, self._topics.of([LOBBY]), ref=command.ref),
        )

    def token(self, session: Session, ref: str | None) -> AnyReply:
        rules.logged_in(session)
        return TokenIs(self._token(session), self._past.last_id, ref=ref)

    def _token(self, session: Session) -> str:
        """The same as before, if there was one: the answer that brought it may have been lost."""
        if session.token is None:
            session.token = secrets.token_urlsafe(24)
            self._put(session)
            self._remember(session)
        return session.token

    def _remember(self, session: Session) -> None:
        """Keep what the token takes back, as it is now."""
        record = self._record(session)
        if record is not None:
            self._log.remember(record)

    def _record(self, session: Session) -> Record | None:
        if session.token is None or session.nick is None:
            return None
        rooms = dict(session.entered)
        return Record(session.id, _hash(session.token), session.nick, rooms, self._seen(session), now())

    def _seen(self, session: Session) -> int:
        return self._past.last_id if session.behind is None else session.behind

    async def keep_remembered(self) -> None:
        """Whoever is here is not forgotten, however long nothing changes. Runs until cancelled."""

        def remember() -> None:
            for session in list(self._present.values()):
                self._remember(session)

        await every(REMEMBER_EVERY, "remember who is here", remember)

    def _put(self, session: Session) -> None:
        self._present[session.id] = session
        if session.token is not None:
            self._by_token[session.token] = session

    async def resume(self, session: Session, command: c.Resume) -> None:
        """Take a session back, from whatever connection has it or from none."""
        if session.nick is not None:
            raise Refusal("already-logged-in")
        token = command.token
        here = self._by_token.get(token)
        # Of a session that lingers, the log has what it had seen when its connection broke.
        known = None if here is None or here in self._lingering else self._record(here)
        record = known or await self._log.recall(_hash(token))
        if record is None:
            raise Refusal("not-resumable", "Log in anew")
        if record.id not in self._present and not await self._claims.claim(fold(record.nick), record.id):
            raise Refusal("username-taken", record.nick)
        old = self._present.get(record.id)  # after the claim: it may have come back meanwhile
        seen = record.seen if old is None or old in self._lingering else self._seen(old)
        session.id, session.token = record.id, token
        self._outbox.settle(session)
        if old is None:
            self._come_back(session, record)
        else:
            self._take_over(session, old)
        logger.info("%s is %s again", session.peer, record.nick)
        after = seen if command.after is None else command.after
        session.behind = min(after, self._past.last_id)
        self._put(session)
        self._remember(session)
        await self._past.replay(session, after, self._topics, command.ref)
        if not session.ended:  # else what was on its way may be lost
            session.behind = None
            self._remember(session)

    def _take_over(self, session: Session, old: Session) -> None:
        """Nobody sees anything, but for the rooms that the new connection's door cannot hold."""
        self._outbox.settle(old)
        self._roster.replace(old, session)
        timer = self._lingering.pop(old, None)
        if timer is not None:
            timer.cancel()
        self._close(old, Bye("resumed-elsewhere"))
        if session.one_room:
            for room in list(session.rooms)[:-1]:
                self._leave(session, room)
            if not session.rooms:
                self.enter(session, LOBBY)

    def _come_back(self, session: Session, record: Record) -> None:
        """After the others saw it leave, or after a restart."""
        rooms = dict(record.rooms)
        self._roster.admit(session, record.nick, rooms.pop(HALL, 0))
        if session.one_room:
            *_, only = rooms.items() or [(LOBBY, self._past.last_id)]
            rooms = dict([only])
        for room, last_id in rooms.items():
            audience = self._roster.enter(session, room, last_id)
            fact = (Connected if room == LOBBY else Joined)(room, record.nick)
            self.show(fact, [audience], without=session)

    def find(self, session: Session | None, identity: str) -> Session | None:
        """Where this person is now: the session's heir, or the session it has come back as."""
        if session is None or session.current.nick is None:
            return self._present.get(identity)
        return session.current

    # ------------------------------------------------------------------ going

    def gone(self, session: Session, *, dropped: bool) -> None:
        """The connection has ended. If it broke, the person may be back before anyone notices."""
        if session.nick is None:
            return
        if dropped and session.token is not None and self._linger and not self.stopping:
            self._remember(session)
            loop = asyncio.get_running_loop()
            self._lingering[session] = loop.call_later(self._linger, self._linger_over, session)
        else:
            self.dismiss(session)

    def _linger_over(self, session: Session) -> None:
        self.dismiss(session)
        self._lingering.pop(session, None)

    def dismiss(self, session: Session) -> None:
        """Take someone out of the chat and tell their rooms, once."""
        nick = session.nick
        if nick is None:
            return
        if session not in self._lingering and not self.stopping:
            self._remember(session)  # what it has seen, until now; a stop's good-bye was the last of it
        self._outbox.settle(session)
        audiences = list(session.rooms.values())
        self._roster.dismiss(session)
        self._claims.release(fold(nick), session.id)
        if self._present.get(session.id) is session:
            del self._present[session.id]
            self._by_token.pop(session.token or "", None)
        session.nick = None
        if not self.stopping:
            self.show(Disconnected(nick), audiences)

    def stop(self) -> None:
        """Everyone is leaving: nobody is told of anyone else, and all have seen what was shown until now."""
        self.stopping = True
        for session in self._present.values():
            if session not in self._lingering:
                self._remember(session)

    # ------------------------------------------------------------------ moving and names

    def enter(self, session: Session, room: RoomName) -> None:
        """Come into a room, leaving the one before if only one is allowed."""
        nick = rules.logged_in(session)
        self._outbox.settle(session)
        if session.one_room:
            for old in list(session.rooms):
                self._leave(session, old)
        audience = self._roster.enter(session, room, self._past.last_id)
        self.show(Joined(room, nick), [audience], without=session)
        self._remember(session)

    async def join(self, session: Session, room: RoomName, ref: str | None) -> AnyReply | None:
        """In the turn of the answer: nothing that is said in the room may come before it."""
        self.enter(session, room)
        return await self._past.on_entry(
            session,
            room,
            lambda recent: Entered(room, recent, self._topics.of([room]).get(room, ""), ref=ref),
        )

    def leave(self, session: Session, room: RoomName, ref: str | None) -> AnyReply:
        self._leave(session, room)
        self._remember(session)
        return Done(ref=ref)

    def _leave(self, session: Session, room: RoomName) -> None:
        self._outbox.settle(session)
        self.show(Left(room, rules.logged_in(session)), [self._roster.leave(session, room)])

    async def rename(self, session: Session, command: c.Rename) -> AnyReply:
        old = rules.logged_in(session)
        nick = rules.new_nick(command.nick)
        if nick == old:
            return NickChanged(nick, ref=command.ref)  # to what it was: nothing to tell anyone
        if not await self._claims.claim(fold(nick), session.id):
            raise Refusal("nick-taken")
        if session.nick is None:  # taken over by another connection meanwhile
            self._claims.release(fold(nick), session.id)
            raise Refusal("login-required")
        if fold(nick) != fold(old):
            self._claims.release(fold(old), session.id)
        self._roster.rename(session, nick)
        logger.info("%s is %s now", session.peer, nick)
        self.show(Renamed(old, nick), list(session.rooms.values()), without=session)
        self._remember(session)
        return NickChanged(nick, ref=command.ref)

    def typed(self, session: Session, name: str, ref: str | None) -> AnyReply:
        nick, room = rules.logged_in(session), rules.own_room(session, name)
        self.show(Typed(room, nick), [session.rooms[room]], without=session)
        return Done(ref=ref)

    def nicks(self, room: RoomName | None) -> list[Nick]:
        return self._roster.nicks(room)

    def show(self, fact: Presence, audiences: Sequence[Audience], *, without: Session | None = None) -> None:
        self._outbox.show(audiences, Entry(0, now(), fact), without=without, patient=True)
