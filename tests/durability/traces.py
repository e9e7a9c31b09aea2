"""What a test writes down about each person, and what the server has stored: the checker's two inputs.

A person is known by one name for the whole test. Times do not matter, the order within a trace does.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct

HALL: Final = "*"
"""The place of what is said to everyone."""


def mail(nick: str) -> str:
    """The place of what is said to this person alone."""
    return f"@{nick}"


class Seen(Struct, frozen=True):
    """Someone else's message was shown. Its text is the message's own; no other message has it.

    `id` is 0 and `place` "" where the door does not show them.
    """

    id: int
    place: str
    nick: str
    text: str
    replayed: bool = False


class Sent(Struct, frozen=True):
    """A message left for the server, perhaps not for the first time. `ref` is "" where there are none."""

    ref: str
    text: str


class Acked(Struct, frozen=True):
    """A message of one's own was acknowledged. `again`: it had been sent more than once.

    `id` is 0 where the door tells none.
    """

    text: str
    id: int = 0
    again: bool = False


class Refused(Struct, frozen=True):
    """A message of one's own was answered with an error."""

    text: str
    code: str


class Early(Struct, frozen=True):
    """A message was shown on a new connection before it was said what had been missed."""

    text: str


class Late(Struct, frozen=True):
    """A message or its id came on a connection after its `bye`."""

    what: str


class May(Struct, frozen=True):
    """From here on the place's messages may be shown."""

    place: str


class Must(Struct, frozen=True):
    """The place was entered: all that is stored after the next acknowledged message has to be shown."""

    place: str


class Leaves(Struct, frozen=True):
    """What is stored after the last thing known need not be shown any more."""

    place: str


class Left(Struct, frozen=True):
    """From here on nothing of the place may be shown."""

    place: str


class Resumed(Struct, frozen=True):
    """The session was taken back, with the last id seen. `after` is 0 where the reader did not tell."""

    after: int
    recovered: bool
    missed: int


Step = Seen | Sent | Acked | Refused | Early | Late | May | Must | Leaves | Left | Resumed


class Trace:
    """The life of one person, in order."""

    def __init__(self, nick: str) -> None:
        self.nick = nick
        self.steps: list[Step] = []


class Row(Struct, frozen=True):
    """A stored message. `to` is "" unless it is for one person."""

    id: int
    place: str
    nick: str
    text: str
    author: str
    ref: str
    to: str = ""


_ROWS: Final = "SELECT id, kind, room, nick, text, author, ref, recipient FROM message ORDER BY id"


def stored(path: Path) -> list[Row]:
    """Everything in a message log, as it is in the file. The server must not be running."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(_ROWS).fetchall()
    return [
        Row(number, room or (mail(to) if kind == 2 else HALL), nick, text, author, ref or "", to=to or "")
        for number, kind, room, nick, text, author, ref, to in rows
    ]
