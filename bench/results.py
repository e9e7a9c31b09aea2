"""What was found, and the steps that find it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, NamedTuple

from msgspec import Struct

Kind = Literal["tcp", "web", "mixed"]

GENERATOR_FULL: Final = 0.9
SERVER_FREE: Final = 0.8
"""Shares of a core: where ours is fuller than the first and the server's emptier than the second, it is our
limit that was measured."""


class Result(Struct, frozen=True, omit_defaults=True):
    """Names of `numbers` are explained in README.md; shares are of one core, latencies in milliseconds."""

    step: str
    setting: dict[str, str | int]
    numbers: dict[str, float]
    faults: dict[str, int] = {}

    @property
    def generator_was_the_limit(self) -> bool:
        generator, server = self.numbers.get("generator", 0), self.numbers.get("server", 1)
        return generator >= GENERATOR_FULL and server < SERVER_FREE

    @property
    def neither_was_full(self) -> bool:
        """In a closed loop one of the two has always something to do."""
        generator, server = self.numbers.get("generator", 1), self.numbers.get("server", 1)
        return self.step in CLOSED_LOOPS and generator < GENERATOR_FULL and server < SERVER_FREE


CLOSED_LOOPS: Final = ("fan", "flood", "fan1k", "rooms", "readers")


class Step(NamedTuple):
    name: str
    setting: str
    """In words, for who watches."""
    seconds: float
    """About how long it takes."""
    run: Callable[[], Awaitable[list[Result]]]


class Scale(Struct, frozen=True):
    """How large and how long everything is."""

    readers: int = 100
    many_readers: int = 1000
    data: tuple[str, ...] = ("floor", "file", "memory")
    """Where the comparable scenarios keep their messages; "floor" is the program in floor.py."""
    rooms: int = 200
    idle: int = 2000
    warm_up: float = 0.5
    seconds: float = 1.5
    reader_counts: tuple[int, ...] = (10, 30, 100, 300, 1000, 3000, 5000)
    room_counts: tuple[int, ...] = (1, 10, 100, 1000, 10_000)
    connection_counts: tuple[int, ...] = (1000, 2000, 4000, 6000, 8000, 10_000)
    hold: float = 10.0
    """Seconds for which idle connections are watched."""
    rates: tuple[int, ...] = (250, 500, 1000, 2000, 4000, 8000, 16_000, 24_000, 32_000, 48_000, 64_000)
    messages: tuple[int, ...] = (0, 10_000, 100_000, 1_000_000)
    """In the database at start-up; the history of the last is read."""
    paging: float = 10.0
    shown: int = 10_000
    """Messages that come to a page."""
    visits: int = 9
    """To the page, by somebody who was never here, and again."""


FULL: Final = Scale()
QUICK: Final = Scale(
    readers=20,
    many_readers=60,
    rooms=10,
    idle=100,
    warm_up=0.1,
    seconds=0.4,
    reader_counts=(10, 40),
    room_counts=(1, 100),
    connection_counts=(100, 200),
    hold=1.0,
    rates=(250, 1000),
    messages=(0, 10_000),
    paging=1.0,
    shown=500,
    visits=2,
)


def faults_of(numbers: Mapping[str, float], found: Mapping[str, int]) -> dict[str, int]:
    """Those that were found; nothing delivered while it was measured is one too."""
    return dict(found) if numbers["deliveries"] else {**found, "nothing delivered": 1}


def rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    """To five figures: more than are known, fewer than are long."""
    return {name: float(f"{value:.5g}") for name, value in numbers.items()}
