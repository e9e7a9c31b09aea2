"""Facts to rows of the table `message`, and back."""

from typing import Any, Final, assert_never

from core.facts import Entry, Said, Shouted, Spoken, Told
from core.names import Nick, RoomName

COLUMNS: Final = "id, time, kind, room, nick, text, author, recipient, reader, ref"

SAID, SHOUTED, TOLD = 0, 1, 2
"""Values of `kind`; the indexes of the schema name them too."""

Row = tuple[Any, ...]


def _insert(kind: int, *more: str) -> str:
    columns = ("id", "time", "nick", "text", "author", *more)
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO message (kind, {', '.join(columns)}) VALUES ({kind}, {marks})"


_SAID: Final = _insert(SAID, "room")
_SHOUTED: Final = _insert(SHOUTED)
_TOLD: Final = _insert(TOLD, "recipient", "reader")
_WITH_REF: Final = {
    _SAID: _insert(SAID, "room", "ref"),
    _SHOUTED: _insert(SHOUTED, "ref"),
    _TOLD: _insert(TOLD, "recipient", "reader", "ref"),
}


def insertion(number: int, time: int, fact: Spoken) -> tuple[str, Row]:
    """The statement that stores it, and its values. None is not among them: sqlite3 takes long to bind it."""
    row: Row = (number, time, fact.nick, fact.text, fact.author)
    match fact:
        case Said():
            statement, row = _SAID, (*row, fact.room)
        case Shouted():
            statement = _SHOUTED
        case Told():
            statement, row = _TOLD, (*row, fact.to, fact.reader)
        case _:
            assert_never(fact)
    return (statement, row) if fact.ref is None else (_WITH_REF[statement], (*row, fact.ref))


def to_entry(row: Row) -> Entry:
    number, time, kind, room, nick, text, author, recipient, reader, ref = row
    fact: Spoken
    if kind == SAID:
        fact = Said(RoomName(room), Nick(nick), text, author, ref)
    elif kind == SHOUTED:
        fact = Shouted(Nick(nick), text, author, ref)
    else:
        fact = Told(Nick(nick), Nick(recipient), text, author, reader, ref)
    return Entry(number, time, fact)
