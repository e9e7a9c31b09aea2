"""What an answer of the web door may look like."""

import re
from datetime import UTC, datetime, timedelta

from tests.clients import Message

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def stored(answer: Message) -> Message:
    """An `ok` with an id and a time that is now."""
    assert answer.keys() == {"type", "id", "time"}
    assert answer["type"] == "ok"
    assert isinstance(answer["id"], int)
    assert TIME.fullmatch(answer["time"])
    assert abs(datetime.fromisoformat(answer["time"]) - datetime.now(UTC)) < timedelta(seconds=10)
    return {"id": answer["id"], "time": answer["time"]}


def refused(answer: Message, code: str) -> None:
    assert answer.keys() == {"type", "code", "detail"}
    assert (answer["type"], answer["code"]) == ("error", code)
