"""Log lines that somebody else can cause."""

import logging

import pytest

from core.sparing import Sparing

logger = logging.getLogger("parlour.test")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_of_a_flood_one_line_a_second_is_written_and_the_others_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    sparing = Sparing(logger, clock=clock)
    for seconds, number in ((0.0, 1000), (0.9, 10), (0.2, 1), (5.0, 1)):
        clock.now += seconds
        for n in range(number):
            sparing.log("Refused %s", n)
    assert [record.getMessage() for record in caplog.records] == [
        "Refused 0",
        "Refused 0 (1009 like this were not logged)",
        "Refused 0",
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}
