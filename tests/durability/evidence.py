"""The traces of everybody and the stored rows, with the indexes that the checks need."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from tests.durability.traces import Row, Seen, Trace


class Evidence:
    def __init__(self, traces: Sequence[Trace], rows: Sequence[Row]) -> None:
        self.traces = traces
        self.rows = rows
        self.by_text = {row.text: row for row in rows}
        self.by_place: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            self.by_place[row.place].append(row)

    def id_of(self, seen: Seen) -> int:
        """The id that was shown, else the one under which it is stored; 0 if there is neither."""
        row = self.by_text.get(seen.text)
        return seen.id or (row.id if row else 0)

    def place_of(self, seen: Seen) -> str:
        row = self.by_text.get(seen.text)
        return seen.place or (row.place if row else "")


Check = Callable[[Evidence], Iterator[str]]
"""Gives the violations that it finds, one line each."""


def all_seen(trace: Trace) -> list[Seen]:
    """Everything this person was shown, in order."""
    return [step for step in trace.steps if isinstance(step, Seen)]
