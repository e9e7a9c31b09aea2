"""How a command of either dialect is written, and how what follows its name becomes a command."""

from collections.abc import Callable

from msgspec import Struct

from core import commands as c

Build = Callable[[str], c.AnyCommand | None]
"""Makes a command of the words after its name; None when they do not fit the usage."""


class Usage(Struct, frozen=True):
    usage: str
    what: str
    build: Build


def text(build: Callable[[str], c.AnyCommand]) -> Build:
    """For a command that takes a text, kept as it is."""
    return lambda rest: build(rest) if rest.strip() else None


def word(build: Callable[[str], c.AnyCommand]) -> Build:
    """For a command that takes a name."""
    return lambda rest: build(rest.strip()) if rest.strip() else None


CLEAR = "-"
"""As a topic: none."""


def topic(rest: str) -> c.AnyCommand | None:
    text = rest.strip()
    return c.Topic(c.HERE, None if not text else "" if text == CLEAR else text)


def dm(rest: str) -> c.AnyCommand | None:
    to, _, said = rest.lstrip().partition(" ")
    return c.Dm(to, said) if to and said.strip() else None


def resume(rest: str) -> c.AnyCommand | None:
    match rest.split():
        case [token]:
            return c.Resume(token)
        case [token, last] if last.isascii() and last.isdigit() and len(last) < 19:
            return c.Resume(token, after=int(last))
        case _:
            return None


def history(default: int) -> Build:
    """For a command that takes a number of messages, or nothing; more than the most is the most."""

    def build(rest: str) -> c.AnyCommand | None:
        digits = rest.strip() or str(default)
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits)):
            return None
        return c.History(room=c.HERE, limit=min(int(digits), c.HISTORY_MAX))

    return build
