"""One command of a session after the other, at the pace that is allowed.

Inputs wait here, unparsed, because what a line means may depend on the line before it (a name is
asked for, the dialect is chosen). A session is `busy` while its next input has to wait: for a command
that is under way, for its bucket to refill, or for its messages to be stored. Then its wire is asked
to hand over no more; what came already is kept.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from core import rules
from core.commands import AnyCommand, Gone
from core.limits import Limits
from core.pace import Bucket
from core.session import Session

_END: Final = object()
"""Stands in an inbox for the end of the connection."""


class Turns:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        handle: Callable[[Session, AnyCommand], None],
    ) -> None:
        self._loop = loop
        self._limits = limits
        self._handle = handle
        self.stopped = False
        """Nobody's input is carried out any more."""

    def begin(self, session: Session) -> None:
        """A new session."""
        session.heard = self._loop.time()

    def receive(self, session: Session, raw: object) -> None:
        """One input; it is carried out now or when its turn comes."""
        if session.closing or self.stopped:
            return
        session.heard = self._loop.time()
        session.warned = False
        if session.busy or session.inbox or not self._afford(session):
            self._keep(session, raw)
        else:
            self._take(session, raw)

    def end(self, session: Session, *, dropped: bool) -> None:
        """No more input will come; after what did come, the session is gone."""
        if session.ended:
            return
        session.ended, session.dropped = True, dropped
        if dropped:  # nobody waits for it any more; else a ghost would talk on for minutes
            session.inbox = None
            self._give_up(session)
        if session.busy or session.inbox:
            self._keep(session, _END)
        else:
            self._handle(session, Gone(dropped=dropped))

    def drop(self, session: Session) -> None:
        """The server closes the connection: what waits is not carried out any more."""
        session.closing = True
        session.inbox = None
        self._give_up(session)
        if session.ended:
            self._keep(session, _END)

    def _give_up(self, session: Session) -> None:
        if session.asked is not None:
            session.asked.cancel()

    def hold(self, session: Session, command: AnyCommand | None) -> None:
        """Wait until this session's messages are stored, then carry the command out."""
        session.busy = session.waits = True
        session.held = command

    def stored(self, sessions: Iterable[Session]) -> None:
        """Messages of these sessions are no longer in flight."""
        for session in sessions:
            if session.waits and not session.in_flight:
                session.waits = False
                self.release(session)

    def release(self, session: Session) -> None:
        """What the session was busy with is over."""
        session.busy = False
        held, session.held = session.held, None
        if held is not None:
            self._handle(session, held)
        if not session.busy:
            self._drain(session)

    def _keep(self, session: Session, raw: object) -> None:
        if session.inbox is None:
            session.inbox = deque()
        session.inbox.append(raw)
        if not session.paused and raw is not _END:
            session.paused = True
            session.wire.pause_input()

    def _take(self, session: Session, raw: object) -> None:
        command = session.parse(raw)
        if command is not None:
            self._handle(session, command)

    def _drain(self, session: Session) -> None:
        # Looked up anew each time: a command may end in the inbox being dropped.
        while session.inbox and not session.busy:
            if session.inbox[0] is _END:
                session.inbox = None
                self._handle(session, Gone(dropped=session.dropped))
                return
            if self.stopped or not self._afford(session):
                return
            session.heard = self._loop.time()  # whoever has to wait for its turn is not silent
            self._take(session, session.inbox.popleft())
        if not session.inbox:
            session.inbox = None
            if session.paused:
                session.paused = False
                session.wire.resume_input()

    def unhurried(self, session: Session, what: str, allowed: tuple[float, float]) -> None:
        """Take one token of the session's bucket for this. Raises Refusal where it is empty."""
        if self._limits.rate:
            rules.unhurried(session, what, allowed, self._loop.time())

    def give_back(self, session: Session, what: str) -> None:
        """The token that was taken for this last was not needed."""
        if session.buckets is not None:
            session.buckets[what].give_back()

    def _afford(self, session: Session) -> bool:
        """Take one token of the session's bucket; without one the session is busy until the refill."""
        if not self._limits.rate:
            return True
        if session.pace is None:
            session.pace = Bucket(self._limits.burst, self._limits.rate, self._loop.time())
        wait = session.pace.take(self._loop.time())
        if wait:
            session.busy = True
            self._loop.call_later(wait, self.release, session)
        return not wait
