"""The chat: takes commands from the doors, checks the rules, records what is said, shows what happened.

Rules of this file:
- a command is checked, then recorded, then shown, each in one place and in that order;
- what is said is shown by `_stored` only, that is after the log has it;
- a session's commands are carried out one after the other: one that changes or reads state waits
  until the session's own messages are stored, messages themselves do not wait for each other;
- everything goes out through the outbox, which keeps one order for all readers.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, assert_never

from core import commands as c
from core import rules
from core.audience import Audience
from core.claims import Claims, LocalClaims
from core.facts import (
    Connected,
    Disconnected,
    Entry,
    Joined,
    Left,
    Presence,
    Renamed,
    Said,
    Shouted,
    Spoken,
    Told,
    Typed,
)
from core.gate import Gate
from core.limits import IN_FLIGHT_MAX, Limits
from core.log import Between, InRoom, Log, LogError, Place
from core.names import LOBBY, RoomName, fold
from core.outbox import Outbox
from core.recorder import Pending, Recorder
from core.replies import (
    AnyReply,
    Bye,
    Done,
    Entered,
    Error,
    Goodbye,
    HelpText,
    HistoryPage,
    IdleWarning,
    NickChanged,
    Pong,
    Stored,
    Users,
    Welcome,
)
from core.roster import Roster
from core.rules import Refusal
from core.session import Encode, Parse, Session, Wire
from core.turns import Turns

logger = logging.getLogger("parlour.chat")


def _now() -> int:
    return time.time_ns() // 1_000_000


class Chat:
    """The one owner of all chat state. Everything here runs on one event loop."""

    def __init__(self, log: Log, *, limits: Limits | None = None, claims: Claims | None = None) -> None:
        self.limits = limits or Limits()
        self._log = log
        self._claims = claims or LocalClaims()
        self._loop = asyncio.get_running_loop()
        self._roster = Roster()
        self._outbox = Outbox(self._loop.call_soon)
        self._turns = Turns(self._loop, self.limits, self._handle)
        self._recorder = Recorder(log, self._stored, self._failed)
        self._sessions: dict[Session, float] = {}
        """Every connection, with the time at which it was made."""
        self._last_id = log.last_id
        """The newest message that was shown."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._start(self._recorder.run())
        self._start(self._sweep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._recorder.drained()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------------ what the doors call

    @property
    def epoch(self) -> str:
        return self._log.epoch

    def connect(
        self, wire: Wire, encode: Encode, parse: Parse, *, one_room: bool = False, idles: bool = False
    ) -> Session:
        """A new connection. `idles`: it is disconnected when nothing comes from it for too long."""
        session = Session(wire, encode, parse, one_room=one_room, idles=idles)
        self._turns.begin(session)
        self._sessions[session] = session.heard
        return session

    def receive(self, session: Session, raw: object) -> None:
        """One input of the peer, as the session's parser takes it."""
        self._turns.receive(session, raw)

    def end(self, session: Session) -> None:
        """Nothing more will come from this peer. What it has sent is carried out first."""
        self._turns.end(session)

    def close(self, session: Session, bye: Bye) -> None:
        """Tell the peer why, then close the connection; what waits in its inbox is dropped."""
        if session.closing:
            return
        self._turns.drop(session)
        self._outbox.tell(session, bye)
        self._loop.call_soon(session.wire.close, bye.reason)  # after the outbox's turn

    async def stop(self, reason: str) -> None:
        """Store what was accepted, then say good-bye to everyone."""
        await self._recorder.drained()
        for session in list(self._sessions):
            self.close(session, Bye(reason))
        self._outbox.flush()

    # ------------------------------------------------------------------ one command

    def _handle(self, session: Session, command: c.AnyCommand) -> None:
        try:
            match command:
                case c.Msg() | c.Gmsg() | c.Dm():
                    self._say(session, command)
                    if session.in_flight >= IN_FLIGHT_MAX:
                        self._turns.hold(session, None)
                case _ if session.in_flight:
                    self._turns.hold(session, command)
                case _:
                    self._carry_out(session, command)
        except Refusal as refusal:
            if session.in_flight:
                self._turns.hold(session, c.Invalid(refusal.code, refusal.detail, ref=command.ref))
            else:
                self._outbox.tell(session, Error(refusal.code, refusal.detail, ref=command.ref))

    def _carry_out(self, session: Session, command: c.AnyCommand) -> None:
        match command:
            case c.Login():
                self._slowly(session, command, self._login(session, command))
            case c.Join(room=name):
                rules.logged_in(session)
                self._move(session, command, rules.room_to_join(session, name))
            case c.Leave(room=name):
                rules.logged_in(session)
                self._leave(session, command, rules.room_to_leave(session, name))
            case c.Rename():
                self._slowly(session, command, self._rename(session, command))
            case c.History():
                self._slowly(session, command, self._history(session, command))
            case c.Who(room=name):
                rules.logged_in(session)
                room = None if name is None else session.here if name == c.HERE else rules.room_name(name)
                self._tell(session, Users(room, self._roster.nicks(room), ref=command.ref))
            case c.Typing(room=name):
                nick, room = rules.logged_in(session), rules.own_room(session, name)
                self._show(Typed(room, nick), [session.rooms[room]], without=session)
                self._tell(session, Done(ref=command.ref))
            case c.Reencode(encode=encode):
                self._reencode(session, encode)
                self._tell(session, Done("colour", ref=command.ref))
            case c.Ping():
                rules.logged_in(session)
                self._tell(session, Pong(ref=command.ref))
            case c.Resume():
                raise Refusal("not-resumable", "Log in anew")
            case c.Help():
                self._tell(session, HelpText(ref=command.ref))
            case c.Quit():
                self._tell(session, Goodbye(ref=command.ref))
                self._dismiss(session)
                self.close(session, Bye("quit"))
            case c.Gone():
                self._dismiss(session)
                self.close(session, Bye("gone"))
                self._sessions.pop(session, None)
            case c.Invalid(code=code, detail=detail):
                raise Refusal(code, detail)
            case c.Msg() | c.Gmsg() | c.Dm():
                raise AssertionError(command)
            case _:
                assert_never(command)

    def _slowly(
        self, session: Session, command: c.AnyCommand, work: Coroutine[Any, Any, AnyReply | None]
    ) -> None:
        """Carry out what has to wait for something; the session's next command waits for it."""

        async def finish() -> None:
            try:
                reply = await work
            except (Refusal, LogError) as refusal:
                reply = Error(refusal.code, refusal.detail, ref=command.ref)
            if reply is not None:
                self._tell(session, reply)
            self._turns.release(session)

        session.busy = True
        self._start(finish())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ speech

    def _say(self, session: Session, command: c.Spoken) -> None:
        """Check and record; `_stored` shows it."""
        nick = rules.logged_in(session)
        reader = None
        fact: Spoken
        match command:
            case c.Msg(room=name, text=text):
                fact = Said(rules.own_room(session, name), nick, rules.speech(text), session.id)
            case c.Gmsg(text=text):
                fact = Shouted(nick, rules.speech(text), session.id)
            case c.Dm(to=to, text=text):
                text = rules.speech(text)
                reader = self._roster.find(to)
                if reader is None or reader.nick is None:
                    raise Refusal("user-not-found", to)
                fact = Told(nick, reader.nick, text, session.id, reader.id)
            case _:
                assert_never(command)
        session.in_flight += 1
        self._recorder.add(Pending(session, command.ref, fact, reader))

    def _stored(self, batch: Sequence[Pending], entries: Sequence[Entry]) -> None:
        """The log has them: show them, tell the senders, write everything at once."""
        show, tell = self._outbox.show, self._outbox.tell
        for pending, entry in zip(batch, entries, strict=True):
            session, fact = pending.session, pending.fact
            match fact:
                case Said(room=room):
                    audience = self._roster.room(room)
                    if audience is not None:
                        show((audience,), entry, without=session)
                case Shouted():
                    show((self._roster.hall,), entry, without=session)
                case Told():
                    if pending.reader is not None:
                        tell(pending.reader, entry)
                case _:
                    assert_never(fact)
            tell(session, Stored(entry.id, entry.time, ref=pending.ref))
            session.in_flight -= 1
            self._last_id = entry.id
        self._turns.stored(pending.session for pending in batch)
        self._outbox.flush()

    def _failed(self, batch: Sequence[Pending], error: LogError) -> None:
        """Nothing was stored, so nobody is shown anything."""
        for pending in batch:
            pending.session.in_flight -= 1
            self._tell(pending.session, Error(error.code, error.detail, ref=pending.ref))
        self._turns.stored(pending.session for pending in batch)

    # ------------------------------------------------------------------ coming, going, names

    async def _login(self, session: Session, command: c.Login) -> AnyReply | None:
        if session.nick is not None:
            raise Refusal("already-logged-in")
        nick = rules.new_nick(command.nick)
        if not await self._claims.claim(fold(nick), session.id):
            raise Refusal("username-taken")
        self._outbox.settle(session)
        self._roster.admit(session, nick)
        room = self._roster.enter(session, LOBBY)
        self._show(Connected(LOBBY, nick), [room], without=session)
        token = secrets.token_urlsafe(24)
        return await self._with_recent(
            session, LOBBY, lambda recent: Welcome(nick, token, (LOBBY,), recent, ref=command.ref)
        )

    def _move(self, session: Session, command: c.Join | c.Leave, room: RoomName) -> None:
        """Enter a room, leaving the one before if only one is allowed."""
        nick = rules.logged_in(session)
        self._outbox.settle(session)
        if session.one_room:
            for old in list(session.rooms):
                self._show(Left(old, nick), [self._roster.leave(session, old)])
        audience = self._roster.enter(session, room)
        self._show(Joined(room, nick), [audience], without=session)

        def entered(recent: Sequence[Entry]) -> AnyReply:
            return Entered(room, recent, ref=command.ref)

        if session.recent:
            self._slowly(session, command, self._with_recent(session, room, entered))
        else:
            self._tell(session, entered(()))

    def _leave(self, session: Session, command: c.Leave, room: RoomName) -> None:
        if session.one_room:
            self._move(session, command, LOBBY)
            return
        self._outbox.settle(session)
        self._show(Left(room, rules.logged_in(session)), [self._roster.leave(session, room)])
        self._tell(session, Done(ref=command.ref))

    async def _with_recent(
        self, session: Session, room: RoomName, reply: Callable[[Sequence[Entry]], AnyReply]
    ) -> AnyReply | None:
        """The reply to an entry, with what was said before, ahead of all that is said from now on."""
        if not session.recent:
            return reply(())
        self._outbox.write_out(session)
        gate = Gate(session)
        recent: Sequence[Entry] = ()
        try:
            page = await self._log.history(InRoom(room), before=self._last_id + 1, limit=session.recent)
            recent = page.entries
        except LogError:
            logger.exception("the past of %s cannot be read", room)  # no reason to keep someone out
        finally:
            gate.open(session.encode(reply(recent)))
        return None

    async def _rename(self, session: Session, command: c.Rename) -> AnyReply:
        old = rules.logged_in(session)
        nick = rules.new_nick(command.nick)
        if not await self._claims.claim(fold(nick), session.id):
            raise Refusal("nick-taken")
        if fold(nick) != fold(old):
            self._claims.release(fold(old), session.id)
        self._roster.rename(session, nick)
        self._show(Renamed(old, nick), list(session.rooms.values()), without=session)
        return NickChanged(nick, ref=command.ref)

    def _dismiss(self, session: Session) -> None:
        """Take someone out of the chat and tell their rooms, once."""
        nick = session.nick
        if nick is None:
            return
        self._outbox.settle(session)
        audiences = list(session.rooms.values())
        self._roster.dismiss(session)
        self._claims.release(fold(nick), session.id)
        session.nick = None
        self._show(Disconnected(nick), audiences)

    async def _history(self, session: Session, command: c.History) -> AnyReply:
        rules.logged_in(session)
        # Only what was shown already: what is stored but still on its way to the readers will come.
        before = min(command.before or self._last_id + 1, self._last_id + 1)
        if (command.room is None) == (command.with_ is None):
            raise Refusal("bad-request", "give either room or with")
        room: RoomName | None = None
        place: Place
        if command.room is not None:
            room = rules.own_room(session, command.room)
            place = InRoom(room)
        else:
            place = Between(session.id, fold(command.with_ or ""))
        page = await self._log.history(place, before=before, limit=command.limit)
        return HistoryPage(room, command.with_, page.entries, page.more, ref=command.ref)

    def _reencode(self, session: Session, encode: Encode) -> None:
        self._outbox.settle(session)
        audiences = list(session.audiences)
        for audience in audiences:
            audience.discard(session)
        session.encode = encode
        for audience in audiences:
            audience.add(session)

    # ------------------------------------------------------------------ showing

    def _tell(self, session: Session, reply: AnyReply) -> None:
        self._outbox.tell(session, reply)

    def _show(self, fact: Presence, audiences: Sequence[Audience], *, without: Session | None = None) -> None:
        self._outbox.show(audiences, Entry(0, _now(), fact), without=without)

    # ------------------------------------------------------------------ time

    async def _sweep(self) -> None:
        """Look for those who never log in or have fallen silent. One pass for all, no timer each."""
        limits = self.limits
        spans = [span for span in (limits.login_timeout, limits.idle_timeout) if span]
        if not spans:
            return
        pause = min(1.0, min(spans) / 4)
        while True:
            await asyncio.sleep(pause)
            now = self._loop.time()
            for session, since in list(self._sessions.items()):
                if session.nick is None:
                    if limits.login_timeout and now - since >= limits.login_timeout:
                        self.close(session, Bye("login-timeout", f"{limits.login_timeout:g}"))
                elif session.idles and limits.idle_timeout:
                    self._check_idle(session, now - session.heard)

    def _check_idle(self, session: Session, silent: float) -> None:
        limits = self.limits
        if silent >= limits.idle_timeout:
            self.close(session, Bye("idle-timeout", f"{limits.idle_timeout:g}"))
        elif not session.warned and silent >= limits.idle_timeout - limits.idle_warning > 0:
            session.warned = True
            self._tell(session, IdleWarning(round(limits.idle_timeout - silent)))
