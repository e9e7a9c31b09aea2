"""The chat: takes commands from the doors, checks the rules, records what is said, shows what happened.

Rules of this file:
- a command is checked, then carried out, then answered, each in one place and in that order;
- what is said goes through `core.speech`, which shows it when the log has it;
- a session's commands are carried out one after the other: one that changes or reads state waits
  until the session's own messages are stored; messages do not wait for each other, but for a direct
  one that `follows`, which has to be looked up;
- everything goes out through the outbox, which keeps one order for all readers.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, assert_never

from core import commands as c
from core import rules
from core.claims import Claims, LocalClaims
from core.counters import Counters
from core.gate import Gate
from core.limits import IN_FLIGHT_MAX, JOINS, NICKS, TOPICS, Limits
from core.log import Log, LogError
from core.names import LOBBY
from core.outbox import Outbox
from core.past import Past
from core.people import People
from core.replies import AnyReply, Bye, Done, Error, Goodbye, HelpText, Pong, Users
from core.roster import Roster
from core.rules import Refusal
from core.session import Encode, Parse, Session, Wire
from core.speech import Speech
from core.topics import Topics
from core.turns import Turns
from core.watch import watch

logger = logging.getLogger("parlour.chat")

STORE_PATIENCE: Final = 3.0
"""Seconds that a stop waits for what was accepted to be stored, before it says good-bye."""


class Chat:
    """The one owner of all chat state. Everything here runs on one event loop."""

    def __init__(self, log: Log, *, limits: Limits | None = None, claims: Claims | None = None) -> None:
        self.limits = limits or Limits()
        self._log = log
        self._loop = asyncio.get_running_loop()
        self.counters = Counters()
        self._roster = Roster()
        self._outbox = Outbox(self._later, self.counters, lambda: log.busy)
        self._past = Past(log, self._roster, self._outbox, logger)
        self._topics = Topics(log, self._roster, self._outbox)
        self._people = People(
            log,
            claims or LocalClaims(),
            self._roster,
            self._outbox,
            self._past,
            self._topics,
            linger=self.limits.linger,
            close=self.close,
        )
        self._turns = Turns(self._loop, self.limits, self._handle)
        self._speech = Speech(
            log, self._roster, self._people, self._past, self._outbox, self._turns, self.counters, self._start
        )
        self._sessions: dict[Session, float] = {}
        """Every connection, with the time at which it was made."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._start(self._people.keep_remembered())
        self._start(watch(self._sessions.items, self.limits, self._outbox.tell, self.close))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._speech.all_stored()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------------ what the doors call

    @property
    def epoch(self) -> str:
        return self._log.epoch

    def connect(
        self,
        wire: Wire,
        encode: Encode,
        parse: Parse,
        *,
        peer: str = "",
        one_room: bool = False,
        idles: bool = False,
    ) -> Session:
        """A new connection. `idles`: it is disconnected when nothing comes from it for too long."""
        session = Session(wire, encode, parse, peer=peer, one_room=one_room, idles=idles)
        self._turns.begin(session)
        self._sessions[session] = session.heard
        if self._people.stopping:
            self._loop.call_soon(self.close, session, Bye("restarting"))
        return session

    def receive(self, session: Session, raw: object) -> None:
        """One input of the peer, as the session's parser takes it."""
        self.counters.received += 1
        self._turns.receive(session, raw)

    def end(self, session: Session, *, dropped: bool = False) -> None:
        """Nothing more will come from this peer. What it has sent is carried out first.

        `dropped`: the connection broke, nobody closed it.
        """
        self._turns.end(session, dropped=dropped)

    def cut(self, session: Session) -> None:
        """This peer reads too slowly; its door ends the connection."""
        self.counters.cuts["sendq"] += 1
        self.end(session, dropped=True)

    def close(self, session: Session, bye: Bye) -> None:
        """Tell the peer why, then close the connection; what waits in its inbox is dropped."""
        if session.closing:
            return
        self._turns.drop(session)
        if bye.reason not in ("quit", "gone"):
            self.counters.cuts[bye.reason] += 1
        gate = session.wire
        if not isinstance(gate, Gate):
            self._outbox.write_out(session)
            gate = Gate(session)  # nothing comes behind the good-bye
        gate.end_with(session.encode(bye))
        self._loop.call_soon(gate.close, bye.reason)

    async def stop(self, reason: str) -> None:
        """Store what was accepted, then say good-bye to everyone.

        From now on nothing is accepted: whoever goes on talking would keep the log busy for ever.
        """
        self._turns.stopped = True
        try:
            async with asyncio.timeout(STORE_PATIENCE):
                await self._speech.all_stored()
        except TimeoutError:
            logger.error("The log takes too long; good-bye is said before it has stored everything")
        self._people.stop()
        self._outbox.flush()
        sessions = list(self._sessions)
        for session in sessions:
            self.close(session, Bye(reason))
        for session in sessions:
            session.wire.close(reason)  # at once: nothing comes behind the good-bye

    # ------------------------------------------------------------------ one command

    def _handle(self, session: Session, command: c.AnyCommand) -> None:
        try:
            match command:
                case c.Msg() | c.Gmsg() | c.Dm(follows=None):
                    self._speech.say(session, command)
                    if session.in_flight >= IN_FLIGHT_MAX:
                        self._turns.hold(session, None)
                case _ if session.in_flight:
                    self._turns.hold(session, command)
                case _:
                    self._carry_out(session, command)
        except Refusal as refusal:
            said = isinstance(command, c.Spoken) and command.ref is not None and session.token is not None
            invalid = c.Invalid(refusal.code, refusal.detail, said=said, ref=command.ref)
            if session.in_flight:
                self._turns.hold(session, invalid)
            elif said:
                self._carry_out(session, invalid)
            else:
                self.counters.refusals[refusal.code] += 1
                self._outbox.tell(session, Error(refusal.code, refusal.detail, ref=command.ref))

    def _carry_out(self, session: Session, command: c.AnyCommand) -> None:
        people, tell, ref = self._people, self._outbox.tell, command.ref
        match command:
            case c.Login():
                with_token = not session.one_room  # elsewhere it is asked for
                self._slowly(session, ref, people.login(session, command, with_token=with_token))
            case c.Resume():
                self._slowly(session, ref, people.resume(session, command))
            case c.Token():
                tell(session, people.token(session, ref))
            case c.Join(room=name):
                rules.logged_in(session)
                where_to = rules.room_to_join(session, name)
                self._turns.unhurried(session, "join", JOINS)
                self._slowly(session, ref, people.join(session, where_to, ref))
            case c.Leave(room=name):
                rules.logged_in(session)
                room = rules.room_to_leave(session, name)
                if session.one_room:
                    self._slowly(session, ref, people.join(session, LOBBY, ref))
                else:
                    tell(session, people.leave(session, room, ref))
            case c.Rename(nick=name):
                rules.logged_in(session)
                rules.new_nick(name)
                self._turns.unhurried(session, "nick", NICKS)
                self._slowly(session, ref, self._rename(session, command))
            case c.History():
                self._slowly(session, ref, self._past.history(session, command))
            case c.Search():
                self._slowly(session, ref, self._past.search(session, command))
            case c.Who(room=name):
                rules.logged_in(session)
                where = None if name is None else rules.known_room(session, name)
                tell(session, Users(where, people.nicks(where), ref=ref))
            case c.Rooms():
                rules.logged_in(session)
                tell(session, self._topics.rooms(ref))
            case c.Topic(room=name, text=None):
                rules.logged_in(session)
                tell(session, self._topics.tell(session, name, ref))
            case c.Topic(room=name, text=text):
                rules.logged_in(session)
                rules.own_room(session, name)
                rules.topic(text or "")
                self._turns.unhurried(session, "topic", TOPICS)
                self._slowly(session, ref, self._topics.change(session, command))
            case c.Typing(room=name):
                tell(session, people.typed(session, name, ref))
            case c.Reencode(encode=encode):
                self._reencode(session, encode)
                tell(session, Done("colour", ref=ref))
            case c.Ping():
                rules.logged_in(session)
                tell(session, Pong(ref=ref))
            case c.Help():
                tell(session, HelpText(ref=ref))
            case c.Quit():
                tell(session, Goodbye(ref=ref))
                people.dismiss(session)
                self.close(session, Bye("quit"))
            case c.Gone() if session.gone:
                pass  # it had waited for its messages, and came here then
            case c.Gone(dropped=dropped):
                session.gone = True
                people.gone(session, dropped=dropped)
                self.close(session, Bye("gone"))
                self._sessions.pop(session, None)
            case c.Invalid(code=code, detail=detail, said=True):
                self._slowly(session, ref, self._speech.said_before(session, Refusal(code, detail), ref))
            case c.Invalid(code=code, detail=detail):
                raise Refusal(code, detail)
            case c.Dm(follows=int() | str() as follows):
                self._slowly(session, ref, self._speech.follow(session, command, follows))
            case c.Msg() | c.Gmsg() | c.Dm():
                raise AssertionError(command)
            case _:
                assert_never(command)

    async def _rename(self, session: Session, command: c.Rename) -> AnyReply:
        """A name that stays what it was, or that somebody has, is no change that counts."""
        before = session.nick
        try:
            return await self._people.rename(session, command)
        finally:
            if session.nick == before:
                self._turns.give_back(session, "nick")

    def _slowly(self, session: Session, ref: str | None, work: Coroutine[Any, Any, AnyReply | None]) -> None:
        """Carry out what has to wait for something; the session's next command waits for it."""

        async def finish() -> None:
            reply: AnyReply | None
            if session.closing:  # good-bye was said before this could begin
                work.close()
                self._turns.release(session)
                return
            try:
                reply = await work
            except (Refusal, LogError) as refusal:
                self.counters.refusals[refusal.code] += 1
                reply = Error(refusal.code, refusal.detail, ref=ref)
            except TimeoutError:
                reply = None
                self.close(session, Bye("sendq"))
            except Exception:  # a bug must not leave the session waiting for ever
                logger.exception("a command failed")
                reply = Error("internal-error", "Something went wrong here; try again", ref=ref)
            if reply is not None and not session.closing:  # nothing comes behind a good-bye
                self._outbox.tell(session, reply)
            self._turns.release(session)

        session.busy = True
        self._start(finish())

    def _later(self, delay: float, call: Callable[[], None]) -> asyncio.Handle:
        return self._loop.call_later(delay, call) if delay else self._loop.call_soon(call)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reencode(self, session: Session, encode: Encode) -> None:
        self._outbox.settle(session)
        audiences = list(session.audiences)
        for audience in audiences:
            audience.discard(session)
        session.encode = encode
        for audience in audiences:
            audience.add(session)
