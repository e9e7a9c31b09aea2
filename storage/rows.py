"""Facts to rows of the table `message`, and back."""

from typing import Any, Final, assert_never

from core.facts import Entry, Said, Shouted, Spoken, Told
from core.names import Nick, RoomName

COLUMNS: Final = "id, time, kind, room, nick, text, author, recipient, reader, ref"
INSERT: Final = f"INSERT INTO message ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

SAID, SHOUTED, TOLD = 0, 1, 2
"""Values of `kind`; the indexes of the schema name them too."""

Row = tuple[Any, ...]


def to_row(number: int, time: int, fact: Spoken) -> Row:
    match fact:
        case Said():
            return (number, time, SAID, fact.room, fact.nick, fact.text, fact.author, None, None, fact.ref)
        case Shouted():
            return (number, time, SHOUTED, None, fact.nick, fact.text, fact.author, None, None, fact.ref)
        case Told():
            told = (fact.nick, fact.text, fact.author, fact.to, fact.reader, fact.ref)
            return (number, time, TOLD, None, *told)
        case _:
            assert_never(fact)


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
