"""A whole chat against a model of it: any number of people of all kinds do anything in any order."""

import asyncio
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.chat import Chat
from core.names import nick_problem
from core.text import clean
from storage.memory import MemoryLog
from tests.doors import UNLIMITED
from tests.fuzz.long import SECONDS, for_a_while, fuzzing
from tests.fuzz.people import KINDS, Event, Guest

LOBBY = "#general"
nicks = st.sampled_from(["Ann", "ann", "Bob", "Cyd", "Dan", "Eve", "Fay", "Gus", "1x", "server", "A" * 33])
rooms = st.sampled_from([LOBBY, "#a", "#b", "#c"])
texts = st.sampled_from(
    ["hello", "MSG Bob forged", "x: y", "[2026] Ann: hi", "\x1b[2Jred", "a\u202eb", "INFO Ann left", "ä 😀"]
)
who = st.integers(0, 7)


class Spoken:
    """What the model remembers of everything that was said."""

    def __init__(self, number: int, event: Event, room: str, author: int, reader: int) -> None:
        self.id, self.event, self.room, self.author, self.reader = number, event, room, author, reader


class WholeChat(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.problems: list[Any] = []
        self.loop.set_exception_handler(lambda _, problem: self.problems.append(problem))
        self.guests: list[Guest] = []
        self.left: list[Guest] = []
        """Web people who are away and have a token."""
        self.said: list[Spoken] = []
        self.due: dict[Guest, list[Event]] = {}

    @initialize()
    def open(self) -> None:

        async def enter() -> Chat:
            return await Chat(MemoryLog(), limits=UNLIMITED).__aenter__()

        self.chat = self.loop.run_until_complete(enter())
        for kind, nick in zip(KINDS, ("Ann", "Bob", "Cyd"), strict=True):
            self.comes(kind, nick)

    def teardown(self) -> None:
        if hasattr(self, "chat"):
            self.loop.run_until_complete(self.chat.stop("restarting"))
            self.loop.run_until_complete(self.chat.__aexit__(None, None, None))
        self.loop.close()
        assert not self.problems, self.problems

    # ------------------------------------------------------------------ the model

    def settle(self) -> dict[Guest, list[dict[str, Any]]]:
        """Let everything happen, then compare what each has heard. Gives the answers."""

        async def turns() -> None:
            for _ in range(40):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())
        answers = {}
        for guest in self.guests:
            events, answers[guest] = guest.hears()
            if guest.kind == "plain":  # it also hears of its own coming
                events = [event for event in events if event != ("joined", guest.nick)]
            assert events == self.due.pop(guest, []), (guest.kind, guest.nick)
            refs = [answer.get("ref") for answer in answers[guest] if answer["type"] not in ("hello", "bye")]
            assert refs == guest.asked, "exactly one answer for each command, in their order"
            guest.asked.clear()
        return answers

    def tell(self, room: str | None, event: Event, *, but: Guest) -> None:
        """Everyone in the room (everyone, for None) is due to hear it."""
        for guest in self.guests:
            if guest is not but and guest.nick and (room is None or room in guest.rooms):
                self.due.setdefault(guest, []).append(event)

    def remember(self, event: Event, author: Guest, *, room: str = "", reader: int = 0) -> None:
        number = self.said[-1].id + 1 if self.said else 1
        self.said.append(Spoken(number, event, room, author.identity, reader))

    @property
    def last_id(self) -> int:
        return self.said[-1].id if self.said else 0

    def taken(self, nick: str) -> bool:
        return any(guest.nick.casefold() == nick.casefold() for guest in self.guests)

    def guest(self, number: int) -> Guest | None:
        inside = [guest for guest in self.guests if guest.nick]
        return inside[number % len(inside)] if inside else None

    def remove(self, guest: Guest, *, left: bool) -> None:
        self.guests.remove(guest)
        self.due.pop(guest, None)
        rooms = set(guest.rooms)
        for other in self.guests:  # once, however many rooms they share
            if other.nick and rooms & other.rooms.keys():
                self.due.setdefault(other, []).append(("disconnected", guest.nick))
        if left and guest.kind == "web":
            self.left.append(guest)

    # ------------------------------------------------------------------ what people do

    @precondition(lambda self: len(self.guests) < 8)
    @rule(kind=st.sampled_from(KINDS), nick=nicks)
    def comes(self, kind: str, nick: str) -> None:
        guest = Guest(self.chat, kind)
        guest.sends(f"LOGIN {nick}" if kind == "command" else nick, "login", nick=nick)
        self.guests.append(guest)
        if nick_problem(nick) is None and not self.taken(nick):
            self.tell(LOBBY, ("joined", nick), but=guest)
            guest.nick, guest.rooms, guest.came = nick, {LOBBY: self.last_id}, self.last_id
            guest.arrived = self.last_id
        answers = self.settle()
        if kind == "web" and guest.nick:
            (guest.token,) = [answer["token"] for answer in answers[guest] if answer["type"] == "welcome"]
        if not guest.nick:
            guest.goes(dropped=False)
            self.guests.remove(guest)

    @rule(number=who, room=rooms, text=texts)
    def says(self, number: int, room: str, text: str) -> None:
        if guest := self.guest(number):
            room = room if guest.kind == "web" else next(iter(guest.rooms))
            guest.sends(f"MSG {text}" if guest.kind == "command" else text, "msg", room=room, text=text)
            if room in guest.rooms:
                self.speak(guest, ("msg", guest.nick, clean(text)), room)
            self.settle()

    def speak(self, guest: Guest, event: Event, room: str) -> None:
        self.remember(event, guest, room=room)
        self.tell(room or None, event, but=guest)

    @rule(number=who, text=texts)
    def shouts(self, number: int, text: str) -> None:
        if guest := self.guest(number):
            guest.sends(f"GMSG {text}" if guest.kind == "command" else f"/all {text}", "gmsg", text=text)
            self.speak(guest, ("gmsg", guest.nick, clean(text)), "")
            self.settle()

    @rule(number=who, text=texts, times=st.integers(2, 5))
    def says_it_again(self, number: int, text: str, times: int) -> None:
        """A retry with the same ref is the same message."""
        guest = self.guest(number)
        if guest and guest.kind == "web":
            ref = f"again-{self.last_id}-{guest.identity}"
            for _ in range(times):
                guest.sends("", "gmsg", text=text, ref=ref)
            self.speak(guest, ("gmsg", guest.nick, clean(text)), "")
            answers = self.settle()[guest]
            assert len({answer["id"] for answer in answers}) == 1

    @rule(number=who, to=nicks, text=texts)
    def tells(self, number: int, to: str, text: str) -> None:
        if guest := self.guest(number):
            guest.sends(
                f"DM {to} {text}" if guest.kind == "command" else f"/dm {to} {text}", "dm", to=to, text=text
            )
            for reader in self.guests:
                if reader.nick.casefold() == to.casefold():
                    event = ("dm", guest.nick, clean(text))
                    self.remember(event, guest, reader=reader.identity)
                    self.due.setdefault(reader, []).append(event)
            self.settle()

    @rule(number=who, room=rooms)
    def joins(self, number: int, room: str) -> None:
        if guest := self.guest(number):
            guest.sends(f"JOIN {room}" if guest.kind == "command" else f"/join {room}", "join", room=room)
            self.moves(guest, room)
            self.settle()

    def moves(self, guest: Guest, room: str) -> None:
        if room in guest.rooms:
            return
        if guest.kind != "web":
            for old in guest.rooms:
                self.tell(old, ("left", guest.nick), but=guest)
            guest.rooms.clear()
        guest.rooms[room] = self.last_id
        self.tell(room, ("joined", guest.nick), but=guest)

    @rule(number=who, room=rooms)
    def leaves(self, number: int, room: str) -> None:
        if guest := self.guest(number):
            guest.sends("LEAVE" if guest.kind == "command" else "/leave", "leave", room=room)
            if guest.kind != "web":
                self.moves(guest, LOBBY)
            elif room in guest.rooms:
                del guest.rooms[room]
                self.tell(room, ("left", guest.nick), but=guest)
            self.settle()

    @rule(number=who, nick=nicks)
    def renames(self, number: int, nick: str) -> None:
        if guest := self.guest(number):
            guest.sends(f"NICK {nick}" if guest.kind == "command" else f"/nick {nick}", "nick", nick=nick)
            own = nick.casefold() == guest.nick.casefold()
            if nick != guest.nick and nick_problem(nick) is None and (own or not self.taken(nick)):
                for other in self.guests:
                    if other is not guest and guest.rooms.keys() & other.rooms.keys():
                        self.due.setdefault(other, []).append(("renamed", guest.nick, nick))
                guest.nick = nick
            self.settle()

    @rule(number=who, clean_end=st.booleans())
    def goes(self, number: int, clean_end: bool) -> None:
        if guest := self.guest(number):
            guest.goes(dropped=not clean_end)
            self.remove(guest, left=True)
            self.settle()

    @rule(number=who)
    def quits(self, number: int) -> None:
        if guest := self.guest(number):
            guest.sends("QUIT" if guest.kind == "command" else "/quit", "quit")
            self.remove(guest, left=True)
            self.settle()
            assert guest.pipe.closed
            guest.goes(dropped=False)

    @rule(number=who, data=st.binary(max_size=30).map(lambda data: b"\x00" + data))
    def sends_rubbish(self, number: int, data: bytes) -> None:
        guest = self.guest(number)
        if guest and guest.kind == "web":  # on a line it would be something said
            guest.sends_bytes(data)
            self.loop.run_until_complete(asyncio.sleep(0))
            frames = guest.hears()[1]
            assert [(frame["type"], frame["code"]) for frame in frames] == [("error", "bad-json")]

    @rule(number=who, back=st.integers(0, 5))
    def resumes(self, number: int, back: int) -> None:
        """From somebody who is there or away, after any of the last ids that this one may have seen."""
        candidates = [guest for guest in [*self.guests, *self.left] if guest.token]
        if not candidates:
            return
        old = candidates[number % len(candidates)]
        after = max(0, self.last_id - back)
        guest = Guest(self.chat, "web")
        guest.last_id = after
        guest.sends("", "resume", token=old.token, after=after)
        self.guests.append(guest)
        here = old in self.guests
        if not here and self.taken(old.nick):
            (answer,) = [a for a in self.settle()[guest] if a["type"] != "hello"]
            assert answer["code"] == "username-taken"
            guest.goes(dropped=False)
            self.guests.remove(guest)
            return
        guest.nick, guest.rooms, guest.token, guest.identity = old.nick, old.rooms, old.token, old.identity
        guest.came = old.came
        guest.arrived = old.arrived
        if here:
            self.guests.remove(old)
        else:
            self.left.remove(old)
            for room in guest.rooms:
                self.tell(room, ("joined", guest.nick), but=guest)
        missed = [
            s for s in self.said if s.id > after and s.author != guest.identity and self.concerns(s, guest)
        ]
        self.due[guest] = [spoken.event for spoken in missed]
        (answer,) = [a for a in self.settle()[guest] if a["type"] == "resumed"]
        assert (answer["recovered"], answer["missed"], answer["nick"]) == (True, len(missed), guest.nick)
        assert set(answer["rooms"]) == set(guest.rooms)
        if here:
            assert b'"resumed-elsewhere"' in old.pipe.take()
            old.goes(dropped=False)

    def concerns(self, spoken: Spoken, guest: Guest) -> bool:
        if spoken.event[0] == "dm":
            return spoken.reader == guest.identity
        came = guest.rooms.get(spoken.room, 1 << 60) if spoken.room else guest.arrived
        return spoken.id > came

    # ------------------------------------------------------------------ what always holds

    @invariant()
    def everyone_is_where_the_model_says(self) -> None:
        guest = self.guest(0)
        if guest and guest.kind == "web":
            guest.sends("", "who")
            for room in guest.rooms:
                guest.sends("", "who", room=room)
            heard = self.settle()[guest]
            expected = [sorted((g.nick for g in self.guests if g.nick), key=str.casefold)]
            expected += [
                sorted((g.nick for g in self.guests if room in g.rooms), key=str.casefold)
                for room in guest.rooms
            ]
            assert [answer["nicks"] for answer in heard] == expected


@pytest.mark.timeout(SECONDS * 1.5 + 60)
def test_a_whole_chat_does_what_the_model_says() -> None:
    for_a_while(lambda: run_state_machine_as_test(WholeChat, settings=fuzzing(40, steps=40)))
