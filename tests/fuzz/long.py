"""How long the fuzzing goes on: a moment in `make test`, PARLOUR_FUZZ_SECONDS for each target when asked."""

import os
from collections.abc import Callable
from time import monotonic
from typing import Final

from hypothesis import HealthCheck, settings

SECONDS: Final = float(os.environ.get("PARLOUR_FUZZ_SECONDS", "0"))
"""0: the short run."""

CHECKS: Final = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def fuzzing(short: int, *, steps: int = 50) -> settings:
    """Settings of one round."""
    return settings(
        max_examples=short * 10 if SECONDS else short,
        stateful_step_count=steps,
        suppress_health_check=CHECKS,
        deadline=None,
        print_blob=True,
    )


def for_a_while(one_round: Callable[[], None]) -> int:
    """One round; in a long run as many as fit into the time, each with other examples. Gives their number."""
    began, rounds = monotonic(), 0
    while not rounds or monotonic() - began < SECONDS:
        one_round()
        rounds += 1
    return rounds
