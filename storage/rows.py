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
        case Said(room=room, nick=nick, text=text, author=author, ref=ref):
            return (number, time, SAID, room, nick, text, author, None, None, ref)
        case Shouted(nick=nick, text=text, author=author, ref=ref):
            return (number, time, SHOUTED, None, nick, text, author, None, None, ref)
        case Told(nick=nick, to=to, text=text, author=author, reader=reader, ref=ref):
            return (number, time, TOLD, None, nick, text, author, to, reader, ref)
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
