"""How many traps are looked at: a bucket of tokens for each device, and one of time for all together.

What is too much is dropped before it is decoded, so that a device that floods costs neither the others nor
the event loop more than its share.
"""

from collections.abc import Iterable
from typing import Final, Literal

WORK_SHARE: Final = 0.4
"""The share of the event loop's time that traps may take in the long run."""

WORK_BURST: Final = 1.0
"""Seconds of work that may be done at once, after a time of rest."""


class Bucket:
    """Tokens that come in at `rate` a second, up to `burst`."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def tokens(self, now: float) -> float:
        """Those that are there at `now`, a monotonic time in seconds."""
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
        return self._tokens

    def take(self, cost: float) -> None:
        """Takes tokens, into debt where they do not suffice."""
        self._tokens -= cost


class Gate:
    """Says which traps are looked at. All senders that are no device share one bucket."""

    def __init__(self, per_second: int, sources: Iterable[str], now: float) -> None:
        self._sources = {source: Bucket(per_second, per_second, now) for source in sources}
        self._work = Bucket(WORK_SHARE, WORK_BURST, now)

    def refuses(self, source: str, now: float) -> Literal["", "rate", "load"]:
        """Why a trap of this source is dropped; empty where it is looked at, which costs it a token."""
        bucket = self._sources[source]
        if bucket.tokens(now) < 1:
            return "rate"
        if self._work.tokens(now) <= 0:
            return "load"
        bucket.take(1)
        return ""

    def worked(self, seconds: float) -> None:
        """Notes the time that looking at one trap took."""
        self._work.take(seconds)
