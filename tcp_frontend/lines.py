"""What the two dialects share: decoding a line, making one, writing times."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

from core.commands import Invalid
from core.text import clean
from tcp_frontend.framing import LINE_MAX


def decode(raw: bytes) -> str | Invalid:
    """The line as clean text; whatever a peer sends, nothing in it can move a cursor."""
    try:
        return clean(raw.decode())
    except UnicodeDecodeError:
        return Invalid("invalid-utf8", "Send text as UTF-8")


def line(text: str) -> bytes:
    """One line, whatever the text is: the check at the way out."""
    return (clean(text) + "\n").encode()


def wrapped(head: str, words: Iterable[str], *, before: int = 0) -> Iterator[str]:
    """`head` and the words, comma-separated, as lines that fit the line limit. Words are ASCII.

    `before`: characters that the caller will put in front of each line.
    """
    text = ""
    for word in words:
        if text and before + len(head) + len(text) + len(word) + 2 > LINE_MAX:
            yield head + text
            text = ""
        text += f", {word}" if text else word
    yield head + text


@lru_cache(maxsize=64)
def _local(second: int) -> str:
    return time.strftime("[%Y-%m-%d %H:%M:%S]", time.localtime(second))


def stamp(milliseconds: int | None = None) -> str:
    """`[YYYY-MM-DD HH:MM:SS]` in the server's time zone; now, unless told otherwise."""
    return _local(int(time.time()) if milliseconds is None else milliseconds // 1000)


def utc(milliseconds: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}.{milliseconds % 1000:03d}Z"
