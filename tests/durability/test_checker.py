"""The checker sees each sort of violation, and nothing where there is none."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.durability.checker import CHECKS, violations
from tests.durability.traces import (
    HALL,
    Acked,
    Early,
    Late,
    Leaves,
    Left,
    May,
    Must,
    Refused,
    Resumed,
    Row,
    Seen,
    Sent,
    Step,
    Trace,
    mail,
)

GENERAL = "#general"
ROWS = [
    Row(1, GENERAL, "Ann", "a1", "id-ann", "a1"),
    Row(2, GENERAL, "Bob", "b1", "id-bob", "b1"),
    Row(3, mail("Ann"), "Bob", "b2", "id-bob", "b2", to="Ann"),
    Row(5, HALL, "Bob", "b3", "id-bob", "b3"),
    Row(6, "#tea", "Bob", "b4", "id-bob", "b4"),
    Row(7, GENERAL, "Bob", "b5", "id-bob", "b5"),
    Row(8, GENERAL, "Ann", "a2", "id-ann", "a2"),
    Row(9, GENERAL, "Cas", "c1", "id-cas", "c1"),
]
B1, B2, B3, B5 = (Seen(row.id, row.place, row.nick, row.text) for row in (ROWS[1], ROWS[2], ROWS[3], ROWS[5]))
C1 = Seen(9, GENERAL, "Cas", "c1")
CAS_B1, CAS_B5 = replace(B1, id=0), replace(B5, id=0)
RESUMED = Resumed(after=3, recovered=True, missed=1)


def _here(nick: str) -> list[Step]:
    places = (GENERAL, HALL, mail(nick))
    return [*map(May, places), *map(Must, places)]


def _says(row: Row) -> list[Step]:
    return [Sent(row.ref, row.text), Acked(row.text, row.id)]


def _ann() -> list[Step]:
    return [
        *_here("Ann"),
        *_says(ROWS[0]),
        B1,
        B2,
        RESUMED,
        replace(B3, replayed=True),
        B5,
        *_says(ROWS[6]),
        C1,
    ]


def _bob() -> list[Step]:
    said = [step for row in ROWS if row.nick == "Bob" for step in _says(row)]
    a1, a2 = Seen(1, GENERAL, "Ann", "a1"), Seen(8, GENERAL, "Ann", "a2")
    return [*_here("Bob"), a1, May("#tea"), *said[:-2], Left("#tea"), *said[-2:], a2, C1]


def _cas() -> list[Step]:
    """On the line door: no ids."""
    b3, a2 = replace(B3, id=0), Seen(0, GENERAL, "Ann", "a2")
    return [*_here("Cas"), CAS_B1, b3, CAS_B5, a2, Sent("c1", "c1"), Acked("c1")]


def _found(steps: dict[str, list[Step]] | None = None, rows: list[Row] | None = None) -> list[str]:
    """The violations, when somebody saw something else or something else is stored."""
    traces = []
    for nick, usual in (("Ann", _ann()), ("Bob", _bob()), ("Cas", _cas())):
        trace = Trace(nick)
        trace.steps = (steps or {}).get(nick, usual)
        traces.append(trace)
    return violations(traces, ROWS if rows is None else rows)


def test_a_faultless_chat_has_no_violations() -> None:
    assert _found() == []


def _without(steps: list[Step], gone: Step) -> list[Step]:
    return [step for step in steps if step != gone]


def _instead(steps: list[Step], old: Step, *new: Step) -> list[Step]:
    return [each for step in steps for each in (new if step == old else (step,))]


PLANTED: list[tuple[str, str, Callable[[], list[str]]]] = [
    (
        "shown but not stored",
        "shown_is_stored: Ann was shown 'b5'",
        lambda: _found(rows=[row for row in ROWS if row.id != 7]),
    ),
    (
        "shown under another id",
        "shown_is_stored: Ann",
        lambda: _found({"Ann": _instead(_ann(), B5, replace(B5, id=6))}),
    ),
    (
        "shown in another room",
        "shown_is_stored: Ann",
        lambda: _found({"Ann": _instead(_ann(), B5, replace(B5, place=HALL))}),
    ),
    (
        "acknowledged but not stored",
        "acknowledged_is_stored: Ann was acknowledged 'a2'",
        lambda: _found(rows=[row for row in ROWS if row.id != 8]),
    ),
    (
        "acknowledged by a line door's silence but not stored",
        "acknowledged_is_stored: Cas was acknowledged 'c1'",
        lambda: _found(rows=ROWS[:-1]),
    ),
    (
        "acknowledged under another id",
        "acknowledged_is_stored: Ann",
        lambda: _found({"Ann": _instead(_ann(), Acked("a2", 8), Acked("a2", 88))}),
    ),
    (
        "refused but stored",
        "refused_is_not_stored: Ann was refused 'a2'",
        lambda: _found({"Ann": _instead(_ann(), Acked("a2", 8), Refused("a2", "storage-failed"))}),
    ),
    (
        "stored but never said",
        "stored_was_sent: nobody sent",
        lambda: _found(rows=[*ROWS, Row(10, GENERAL, "Ann", "a3", "id-ann", "a3")]),
    ),
    (
        "stored twice",
        "stored_once: 'c1' is stored 2 times",
        lambda: _found(rows=[*ROWS, replace(ROWS[-1], id=10, author="id-other")]),
    ),
    (
        "one ref stored under two ids",
        "stored_once: ref 'a2' of id-ann is stored 2 times",
        lambda: _found(rows=[*ROWS, replace(ROWS[6], id=10)]),
    ),
    (
        "two ids told for one ref",
        "one_id_per_ref: Ann was told [8, 88]",
        lambda: _found({"Ann": [*_ann(), Acked("a2", 88, again=True)]}),
    ),
    (
        "ids that fall",
        "ids_rise: Ann saw",
        lambda: _found({"Ann": _instead(_without(_ann(), B1), B2, B2, B1)}),
    ),
    (
        "ids that fall where none are shown",
        "ids_rise: Cas saw",
        lambda: _found({"Cas": [*_cas(), Seen(0, GENERAL, "Bob", "b1")]}),
    ),
    (
        "an acknowledgement behind something newer",
        "ids_rise: Ann saw Acked",
        lambda: _found({"Ann": _instead(_without(_ann(), C1), Acked("a2", 8), C1, Acked("a2", 8))}),
    ),
    ("shown twice", "shown_once: Ann was shown 'b5' 2 times", lambda: _found({"Ann": [*_ann(), B5]})),
    (
        "one's own message shown",
        "no_echo: Ann",
        lambda: _found({"Ann": [*_ann(), Seen(8, GENERAL, "Ann", "a2")]}),
    ),
    ("a gap in a room", "no_gap: Ann missed", lambda: _found({"Ann": _without(_ann(), B5)})),
    (
        "a gap in what is said to all",
        "no_gap: Ann missed",
        lambda: _found({"Ann": _without(_ann(), replace(B3, replayed=True))}),
    ),
    ("a direct message that never came", "no_gap: Ann missed", lambda: _found({"Ann": _without(_ann(), B2)})),
    (
        "a gap in a room that was left, before it was left",
        "no_gap: Ann missed",
        lambda: _found({"Ann": [*_without(_ann(), B5), Leaves(GENERAL), Left(GENERAL)]}),
    ),
    (
        "a gap before the server admits another one",
        "no_gap: Ann missed",
        lambda: _found({"Ann": [*_without(_ann(), B5), Resumed(9, recovered=False, missed=0)]}),
    ),
    (
        "shown before the room was entered",
        "only_what_may_be_heard: Ann",
        lambda: _found({"Ann": [B1, *_without(_ann(), B1)]}),
    ),
    (
        "shown after the room was left",
        "only_what_may_be_heard: Ann",
        lambda: _found({"Ann": _instead(_ann(), B5, Left(GENERAL), B5)}),
    ),
    (
        "somebody else's direct message",
        "direct_messages_are_private: Cas was shown what Bob told Ann",
        lambda: _found({"Cas": [*_here("Cas"), May(mail("Ann")), B2, *_says(ROWS[-1])]}),
    ),
    (
        "two orders of one room",
        "one_order: the readers of #general disagree",
        lambda: _found({"Cas": _instead(_without(_cas(), CAS_B1), CAS_B5, CAS_B5, CAS_B1)}),
    ),
    (
        "replayed although it was known",
        "replay_is_as_announced: Ann was replayed",
        lambda: _found({"Ann": _instead(_ann(), RESUMED, replace(RESUMED, after=5))}),
    ),
    (
        "more replayed than was announced",
        "replay_is_as_announced: Ann was replayed",
        lambda: _found({"Ann": _instead(_ann(), RESUMED, replace(RESUMED, missed=0))}),
    ),
    (
        "announced although it cannot be told",
        "replay_is_as_announced: Ann was announced 1",
        lambda: _found({"Ann": [*_ann(), Resumed(9, recovered=False, missed=1)]}),
    ),
    (
        "a live message ahead of the missed ones",
        "nothing_before_the_replay: Ann was shown 'b3'",
        lambda: _found({"Ann": _instead(_ann(), RESUMED, Early("b3"), RESUMED)}),
    ),
    (
        "an answer on a connection that was over",
        "nothing_after_the_bye: Ann was sent an answer",
        lambda: _found({"Ann": [*_ann(), Late("an answer")]}),
    ),
    (
        "given up although little was missed",
        "given_up_for_a_reason: Ann was given up",
        lambda: _found({"Ann": _instead(_ann(), RESUMED, replace(RESUMED, recovered=False, missed=0))}),
    ),
]


@pytest.mark.parametrize(
    ("expected", "found"), [case[1:] for case in PLANTED], ids=[case[0] for case in PLANTED]
)
def test_a_planted_violation_is_found(expected: str, found: Callable[[], list[str]]) -> None:
    lines = found()
    assert any(line.startswith(expected) for line in lines), lines


def test_every_check_has_a_planted_violation() -> None:
    assert {expected.partition(":")[0] for _, expected, _ in PLANTED} == {check.__name__ for check in CHECKS}


def test_what_is_missed_while_nothing_can_be_told_is_no_gap() -> None:
    many = [Row(10 + n, GENERAL, "Bob", f"more {n}", "id-bob", f"m{n}") for n in range(400)]
    end = Row(500, GENERAL, "Ann", "a3", "id-ann", "a3")
    bob = [*_bob(), *(step for row in many for step in _says(row)), Leaves(GENERAL), Left(GENERAL)]
    ann = [*_ann(), Resumed(9, recovered=False, missed=0), *_says(end)]
    assert _found({"Ann": ann, "Bob": bob}, [*ROWS, *many, end]) == []
    assert any(
        line.startswith("no_gap") for line in _found({"Ann": [*_ann(), *_says(end)]}, [*ROWS, *many, end])
    )


def test_a_retry_may_be_answered_with_its_old_id_behind_newer_messages() -> None:
    assert _found({"Ann": [*_ann(), Sent("a2", "a2"), Acked("a2", 8, again=True)]}) == []
