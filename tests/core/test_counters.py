"""What is counted."""

import pytest

from core.counters import APPEND_BOUNDS, Counters

SECONDS = [
    (0.0, 0),
    *[(bound, place) for place, bound in enumerate(APPEND_BOUNDS)],
    *[(bound + 0.0001, place + 1) for place, bound in enumerate(APPEND_BOUNDS)],
]


@pytest.mark.parametrize(("seconds", "place"), SECONDS)
def test_a_batch_counts_among_those_that_took_no_longer_than_the_next_bound(
    seconds: float, place: int
) -> None:
    counters = Counters()
    counters.appended(seconds)
    assert [number for number, batches in enumerate(counters.appends) if batches] == [place]
    assert counters.append_seconds == seconds
