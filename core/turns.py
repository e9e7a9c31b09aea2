"""One command of a session after the other, at the pace that is allowed.

Inputs wait here, unparsed, because what a line means may depend on the line before it (a name is
asked for, the dialect is chosen). A session is `busy` while its next input has to wait: for a command
that is under way, for its bucket to refill, or for its messages to be stored. Then its wire is asked
to hand over no more; what came already is kept.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

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

    def begin(self, session: Session) -> None:
        """A new session, with a full bucket."""
        session.heard = self._loop.time()
        session.pace = Bucket(self._limits.burst, self._limits.rate, session.heard)

    def receive(self, session: Session, raw: object) -> None:
        """One input; it is carried out now or when its turn comes."""
        if session.closing:
            return
        session.heard = self._loop.time()
        session.warned = False
        session.inbox.append(raw)
        if not session.busy:
            self._drain(session)
        if session.inbox and not session.paused:
            session.paused = True
            session.wire.pause_input()

    def end(self, session: Session, *, dropped: bool) -> None:
        """No more input will come; after what did come, the session is gone."""
        if session.ended:
            return
        session.ended, session.dropped = True, dropped
        session.inbox.append(_END)
        if not session.busy:
            self._drain(session)

    def drop(self, session: Session) -> None:
        """The server closes the connection: what waits is not carried out any more."""
        session.closing = True
        session.inbox.clear()
        if session.ended:
            session.inbox.append(_END)

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

    def _drain(self, session: Session) -> None:
        inbox = session.inbox
        while inbox and not session.busy:
            if inbox[0] is _END:
                inbox.clear()
                self._handle(session, Gone(dropped=session.dropped))
                return
            if self._limits.rate and not self._afford(session):
                return
            command = session.parse(inbox.popleft())
            if command is not None:
                self._handle(session, command)
        if session.paused and not inbox:
            session.paused = False
            session.wire.resume_input()

    def _afford(self, session: Session) -> bool:
        """Take one token of the session's bucket; without one the session is busy until the refill."""
        assert session.pace is not None
        wait = session.pace.take(self._loop.time())
        if wait:
            session.busy = True
            self._loop.call_later(wait, self.release, session)
        return not wait
