"""Checks of what each reader was shown: order, completeness, and who may see what."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from core.limits import REPLAY_MAX
from tests.durability.evidence import Evidence, all_seen
from tests.durability.traces import (
    HALL,
    Acked,
    Early,
    Late,
    Leaves,
    Left,
    May,
    Must,
    Resumed,
    Seen,
    Step,
    Trace,
    mail,
)


def ids_rise(evidence: Evidence) -> Iterator[str]:
    """For each reader, over everything shown, over all connections; first answers are in that order too."""
    for trace in evidence.traces:
        last = 0
        for step in trace.steps:
            if isinstance(step, Seen):
                number = evidence.id_of(step)
            elif isinstance(step, Acked) and not step.again:
                number = step.id
            else:
                continue
            if number and number <= last:
                yield f"{trace.nick} saw {step} after id {last}"
            last = max(last, number)


def shown_once(evidence: Evidence) -> Iterator[str]:
    for trace in evidence.traces:
        for text, times in Counter(seen.text for seen in all_seen(trace)).items():
            if times > 1:
                yield f"{trace.nick} was shown {text!r} {times} times"


def no_echo(evidence: Evidence) -> Iterator[str]:
    for trace in evidence.traces:
        for seen in all_seen(trace):
            if seen.nick == trace.nick:
                yield f"{trace.nick} was shown its own {seen.text!r}"


def no_gap(evidence: Evidence) -> Iterator[str]:
    """While a reader is in a place, it sees all that others say there, unless `recovered` was false.

    It is bound to see what is stored after its first own message in the place's time, up to the last
    id it knows when it leaves, or before it was told that it missed something.
    """
    for trace in evidence.traces:
        seen = {evidence.id_of(step) for step in all_seen(trace)}
        for place, first, last in _spans(evidence, trace):
            for row in evidence.by_place[place]:
                if first < row.id <= last and row.nick != trace.nick and row.id not in seen:
                    yield f"{trace.nick} missed {row} between ids {first} and {last}"


def _spans(evidence: Evidence, trace: Trace) -> Iterator[tuple[str, int, int]]:
    """(place, after this id, up to this id) of what the person had to be shown."""
    entered: set[str] = set()
    since: dict[str, int] = {}
    last = 0
    for step in trace.steps:
        match step:
            case Seen():
                last = max(last, evidence.id_of(step))
            case Acked(text=text):
                row = evidence.by_text.get(text)
                if row is not None and not step.again:  # else it may have been stored long before
                    since |= dict.fromkeys(entered, row.id)
                    entered.clear()
                    last = max(last, row.id)
            case Must(place=place):
                if place not in since:
                    entered.add(place)
            case Leaves(place=place) | Left(place=place):
                entered.discard(place)
                if place in since:
                    yield place, since.pop(place), last
            case Resumed(recovered=False):
                for place, first in since.items():
                    yield place, first, last
                entered |= set(since)
                since.clear()
            case _:
                pass
    for place, first in since.items():
        yield place, first, last


def only_what_may_be_heard(evidence: Evidence) -> Iterator[str]:
    """Nothing of a room before it was entered or after it was left, nothing of other people's mail."""
    for trace in evidence.traces:
        allowed: set[str] = set()
        for step in trace.steps:
            match step:
                case May(place=place):
                    allowed.add(place)
                case Left(place=place):
                    allowed.discard(place)
                case Seen() if evidence.place_of(step) not in allowed:
                    yield f"{trace.nick} was shown {step} of a place that it was not in"
                case _:
                    pass


def direct_messages_are_private(evidence: Evidence) -> Iterator[str]:
    for trace in evidence.traces:
        for seen in all_seen(trace):
            row = evidence.by_text.get(seen.text)
            if row is not None and row.to and trace.nick not in (row.to, row.nick):
                yield f"{trace.nick} was shown what {row.nick} told {row.to}: {row.text!r}"


def one_order(evidence: Evidence) -> Iterator[str]:
    """All readers of a room, and of what is said to everyone, see one order. No id is looked at."""
    before: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for trace in evidence.traces:
        orders: defaultdict[str, list[str]] = defaultdict(list)
        for seen in all_seen(trace):
            place = evidence.place_of(seen)
            if place != mail(trace.nick):
                orders[place].append(seen.text)
        for place, texts in orders.items():
            for earlier, later in pairwise(texts):
                before[place][later].add(earlier)
    for place, graph in before.items():
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            where = "the hall" if place == HALL else place
            yield f"the readers of {where} disagree about the order of {error.args[1]}"


def replay_is_as_announced(evidence: Evidence) -> Iterator[str]:
    """What follows `resumed` is newer than what the reader had; nothing follows one that is not recovered."""
    for trace in evidence.traces:
        resumed: Resumed | None = None
        count = 0
        for step in trace.steps:
            if isinstance(step, Resumed):
                resumed, count = step, 0
                if not step.recovered and step.missed:
                    yield f"{trace.nick} was announced {step.missed} although nothing could be recovered"
            elif isinstance(step, Seen) and step.replayed:
                count += 1
                if resumed is None or count > resumed.missed:
                    yield f"{trace.nick} was replayed {step}, which was not announced"
                elif step.id and step.id <= resumed.after:
                    yield f"{trace.nick} was replayed {step}, which is not after {resumed.after}"


def nothing_before_the_replay(evidence: Evidence) -> Iterator[str]:
    for trace in evidence.traces:
        for step in trace.steps:
            if isinstance(step, Early):
                yield f"{trace.nick} was shown {step.text!r} on a new connection ahead of what it missed"


def nothing_after_the_bye(evidence: Evidence) -> Iterator[str]:
    for trace in evidence.traces:
        for step in trace.steps:
            if isinstance(step, Late):
                yield f"{trace.nick} was sent {step.what} on a connection that was over"


def _new_id(step: Step) -> int:
    """The id that came with it for the first time; 0 if there is none."""
    match step:
        case Seen(id=number) | Acked(id=number, again=False):
            return number
        case _:
            return 0


def given_up_for_a_reason(evidence: Evidence) -> Iterator[str]:
    """Not recovered, although less was said in the meantime than is replayed. For logs that keep all."""
    for trace in evidence.traces:
        for index, step in enumerate(trace.steps):
            if isinstance(step, Resumed) and not step.recovered:
                upto = next(filter(None, map(_new_id, trace.steps[index:])), 0)
                said = sum(step.after < row.id < upto for row in evidence.rows)
                if upto and said <= REPLAY_MAX:
                    yield f"{trace.nick} was given up at {step}, although only {said} messages had come"
