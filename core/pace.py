"""How fast someone may go: token buckets, filled at a steady rate up to a burst."""


class Bucket:
    """`burst` at once, then `rate` a second. Times are the event loop's."""

    __slots__ = ("_burst", "_filled", "_rate", "_tokens")

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self._burst = burst
        self._rate = rate
        self._tokens = burst
        self._filled = now

    def take(self, now: float) -> float:
        """Take one token and give 0.0; where there is none, give the seconds until there is one."""
        tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if tokens >= 1:
            self._tokens = tokens - 1
            return 0.0
        self._tokens = tokens
        return (1 - tokens) / self._rate

    def give_back(self) -> None:
        """The last token was not needed."""
        self._tokens += 1

    def full(self, now: float) -> bool:
        return self._tokens + (now - self._filled) * self._rate >= self._burst
