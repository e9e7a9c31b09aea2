"""What has happened so far, as plain numbers: cheap to count, read by whoever shows them."""

from bisect import bisect_left
from collections import Counter

APPEND_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Seconds."""


class Counters:
    __slots__ = (
        "append_seconds",
        "appends",
        "cuts",
        "deliveries",
        "messages",
        "received",
        "refusals",
        "sent",
    )

    def __init__(self) -> None:
        self.messages = 0
        """Stored and shown."""
        self.deliveries = 0
        """Items written to readers, replies too."""
        self.sent = 0
        """Bytes handed to wires."""
        self.received = 0
        """Inputs (lines, frames) taken."""
        self.appends = [0] * (len(APPEND_BOUNDS) + 1)
        """Batches by the time they took to be stored; the last number counts those over all bounds."""
        self.append_seconds = 0.0
        self.refusals: Counter[str] = Counter()
        """By error code."""
        self.cuts: Counter[str] = Counter()
        """Connections ended by the server, by reason."""

    def appended(self, seconds: float) -> None:
        """A batch was stored within this time."""
        quick = seconds <= APPEND_BOUNDS[0]  # mostly: not worth a search
        self.appends[0 if quick else bisect_left(APPEND_BOUNDS, seconds)] += 1
        self.append_seconds += seconds
