"""What one person may do. 0 turns a limit off where that makes sense."""

from msgspec import Struct

TEXT_MAX = 2000
"""Characters of one message."""

TOPIC_MAX = 300
"""Characters of what a room is about."""

TOPICS_MAX = 10_000
"""Rooms whose topics are kept while nobody is there: anyone may give topics to any number of rooms."""

LISTED_MAX = 200
"""Rooms in one list."""

ROOMS_MAX = 20
"""Rooms one person may be in at once."""

IN_FLIGHT_MAX = 256
"""Messages of one session on their way into the log before its next input waits."""


REPLAY_MAX = 300
"""Messages replayed to a session that is taken back; a longer gap is not recovered."""

PAGE_CHARACTERS = 32_768
"""Text of one page of history: a page reaches its reader in one write, well under sendq."""


NICKS = (3, 1 / 20)
"""Changes of name: 3 at once, then one every 20 s."""

JOINS = (10, 1 / 6)
"""Changes of room: 10 at once, then one every 6 s."""

TOPICS = (5, 1 / 12)
"""Changes of topics: 5 at once, then one every 12 s."""

PARTNERS = (5, 1 / 15)
"""First direct messages to someone who has not written before: 5 at once, then one every 15 s."""


PARTNERS_MAX = 1000
"""People of whom one session knows that it has exchanged messages with them."""


class Limits(Struct, frozen=True):
    rate: float = 5.0
    """Commands a second, once the burst is used up; a faster peer is read more slowly."""
    burst: int = 10
    login_timeout: float = 20.0
    """Seconds from the connection to the login."""
    idle_timeout: float = 60.0
    """Seconds without input before a session that is subject to it is disconnected."""
    idle_warning: float = 15.0
    """Seconds before that at which it is told."""
    linger: float = 10.0
    """Seconds a session whose connection broke may stay away before the others see it leave."""
