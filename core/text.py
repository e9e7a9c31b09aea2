"""What a person may say, as one clean line.

Nothing that passes `clean` can begin a new line, move a cursor, colour a terminal or turn the
reading direction around, so a line said on one door cannot forge anything on the other.
"""

import re
from typing import Final

_BREAK: Final = re.compile("\r\n|[\t\n\v\f\r\x85\u2028\u2029]")
"""What separates words or lines: it becomes a space, so that the words stay apart."""

_UNWANTED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""C0, DEL, C1, bidirectional embeddings, overrides and isolates (Unicode TR 9), lone surrogates, BOM."""


def clean(text: str) -> str:
    """The same text without control characters; clean text comes back as it is.

    `str.isprintable` is the fast path: it is false for everything unwanted, and for a little more
    (joiners in emoji, for instance), which the patterns then leave alone.
    """
    if text.isprintable():
        return text
    return _UNWANTED.sub("", _BREAK.sub(" ", text))
