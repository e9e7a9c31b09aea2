"""Facts to rows and back."""

from contextlib import closing
from pathlib import Path

import pytest

from core.facts import Entry, Said, Shouted, Spoken, Told
from core.names import Nick, RoomName
from storage import schema
from storage.rows import COLUMNS, insertion, to_entry

ANN, BOB = Nick("Ann"), Nick("Bob")
AUTHOR, READER = "0" * 16, "1" * 16


@pytest.mark.parametrize("ref", [None, "", "r"])
def test_what_is_stored_comes_back(tmp_path: Path, ref: str | None) -> None:
    facts: list[Spoken] = [
        Said(RoomName("#general"), ANN, "hi", AUTHOR, ref),
        Shouted(ANN, "hi all", READER, ref),
        Told(ANN, BOB, "hi Bob", "2" * 16, READER, ref),
    ]
    schema.prepare(tmp_path / "chat.db")
    with closing(schema.connect(tmp_path / "chat.db")) as database:
        for number, fact in enumerate(facts, 1):
            statement, row = insertion(number, 1_000 + number, fact)
            assert None not in row, "sqlite3 looks for an adapter of it, longer than three strings take"
            database.execute(statement, row)
        rows = database.execute(f"SELECT {COLUMNS} FROM message ORDER BY id").fetchall()
    assert [to_entry(row) for row in rows] == [
        Entry(number, 1_000 + number, fact) for number, fact in enumerate(facts, 1)
    ]
