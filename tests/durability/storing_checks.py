"""Checks of what is stored against what was shown, acknowledged and sent."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.durability.evidence import Evidence, all_seen
from tests.durability.traces import Acked, Refused, Sent


def shown_is_stored(evidence: Evidence) -> Iterator[str]:
    for trace in evidence.traces:
        for seen in all_seen(trace):
            row = evidence.by_text.get(seen.text)
            if row is None:
                yield f"{trace.nick} was shown {seen.text!r}, which is not stored"
            elif (evidence.id_of(seen), evidence.place_of(seen), seen.nick) != (row.id, row.place, row.nick):
                yield f"{trace.nick} was shown {seen}, stored is {row}"


def acknowledged_is_stored(evidence: Evidence) -> Iterator[str]:
    for trace in evidence.traces:
        for step in trace.steps:
            if isinstance(step, Acked):
                row = evidence.by_text.get(step.text)
                if row is None:
                    yield f"{trace.nick} was acknowledged {step.text!r}, which is not stored"
                elif step.id and (step.id, trace.nick) != (row.id, row.nick):
                    yield f"{trace.nick} was acknowledged {step}, stored is {row}"


def refused_is_not_stored(evidence: Evidence) -> Iterator[str]:
    for trace in evidence.traces:
        for step in trace.steps:
            if isinstance(step, Refused) and step.text in evidence.by_text:
                yield f"{trace.nick} was refused {step.text!r} ({step.code}), which is stored"


def stored_was_sent(evidence: Evidence) -> Iterator[str]:
    sent = {
        (trace.nick, step.ref, step.text) for trace in evidence.traces for step in trace.steps
        if isinstance(step, Sent)
    }  # fmt: skip
    for row in evidence.rows:
        if (row.nick, row.ref, row.text) not in sent:
            yield f"nobody sent {row}"


def stored_once(evidence: Evidence) -> Iterator[str]:
    """One row for each message and for each (author, ref)."""
    for text, times in Counter(row.text for row in evidence.rows).items():
        if times > 1:
            yield f"{text!r} is stored {times} times"
    for (author, ref), times in Counter((row.author, row.ref) for row in evidence.rows if row.ref).items():
        if times > 1:
            yield f"ref {ref!r} of {author} is stored {times} times"


def one_id_per_ref(evidence: Evidence) -> Iterator[str]:
    """However often a message was sent, all its answers name one id."""
    for trace in evidence.traces:
        ids: defaultdict[str, set[int]] = defaultdict(set)
        for step in trace.steps:
            if isinstance(step, Acked) and step.id:
                ids[step.text].add(step.id)
        for text, different in ids.items():
            if len(different) > 1:
                yield f"{trace.nick} was told {sorted(different)} for {text!r}"
