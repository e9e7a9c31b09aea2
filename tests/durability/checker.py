"""Says what is wrong with a chat, from what everybody saw and what is stored.

`test_checker.py` plants a violation of each sort.
"""

from collections.abc import Sequence
from typing import Final

from tests.durability import showing_checks as showing
from tests.durability import storing_checks as storing
from tests.durability.evidence import Check, Evidence
from tests.durability.traces import Row, Trace

CHECKS: Final[tuple[Check, ...]] = (
    storing.shown_is_stored,
    storing.acknowledged_is_stored,
    storing.refused_is_not_stored,
    storing.stored_was_sent,
    storing.stored_once,
    storing.one_id_per_ref,
    showing.ids_rise,
    showing.shown_once,
    showing.no_echo,
    showing.no_gap,
    showing.only_what_may_be_heard,
    showing.direct_messages_are_private,
    showing.one_order,
    showing.replay_is_as_announced,
    showing.nothing_before_the_replay,
    showing.nothing_after_the_bye,
    showing.given_up_for_a_reason,
)


def violations(traces: Sequence[Trace], rows: Sequence[Row]) -> list[str]:
    """What is wrong, each with the name of the check; empty when nothing is."""
    evidence = Evidence(traces, rows)
    return [f"{check.__name__}: {line}" for check in CHECKS for line in check(evidence)]
