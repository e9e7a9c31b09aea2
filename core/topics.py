"""Rooms as one looks for them: which there are, and what each is about."""

from collections.abc import Iterable
from contextlib import suppress
from heapq import nsmallest
from itertools import islice

from core import commands as c
from core import rules
from core.facts import Entry, TopicChanged
from core.limits import LISTED_MAX, PAGE_CHARACTERS, TOPICS_MAX
from core.log import Log, LogError
from core.names import RoomName
from core.outbox import Outbox
from core.replies import AnyReply, Room, RoomList, TopicIs
from core.roster import Roster
from core.session import Session
from core.times import now


class Topics:
    def __init__(self, log: Log, roster: Roster, outbox: Outbox) -> None:
        self._log = log
        self._roster = roster
        self._outbox = outbox

    def of(self, rooms: Iterable[RoomName]) -> dict[RoomName, str]:
        """Of those that have one."""
        topics = self._log.topics
        return {room: topics[room] for room in rooms if room in topics}

    def tell(self, session: Session, name: str, ref: str | None) -> AnyReply:
        room = rules.known_room(session, name)
        return TopicIs(room, self._log.topics.get(room, ""), ref=ref)

    async def change(self, session: Session, command: c.Topic) -> AnyReply:
        """Stored first, then shown to the room."""
        nick, room = rules.logged_in(session), rules.own_room(session, command.room)
        text = rules.topic(command.text or "")
        if text != self._log.topics.get(room, ""):
            await self._log.set_topic(room, text)
            audience = self._roster.room(room)
            if audience is not None:
                fact = TopicChanged(room, nick, text)
                self._outbox.show([audience], Entry(0, now(), fact), without=session.current)
            with suppress(LogError):  # it was logged; the next change tries again
                await self._forget_some()
        return TopicIs(room, text, changed=True, ref=command.ref)

    async def _forget_some(self) -> None:
        """Of too many topics, those that were given first to rooms where nobody is now."""
        topics = self._log.topics
        for room in list(islice(topics, max(0, len(topics) - TOPICS_MAX))):
            if self._roster.room(room) is None:
                await self._log.set_topic(room, "")

    def rooms(self, ref: str | None) -> AnyReply:
        """Those with the most people, as many as fit one page."""
        largest = nsmallest(
            LISTED_MAX, self._roster.rooms(), key=lambda each: (-len(each.members), each.name)
        )
        listed: list[Room] = []
        left = PAGE_CHARACTERS
        for audience in largest:
            name = RoomName(audience.name)
            room = Room(name, len(audience.members), self._log.topics.get(name, ""))
            left -= len(room.room) + len(room.topic)
            if left < 0:
                break
            listed.append(room)
        return RoomList(listed, ref=ref)
