"""How figures move with time: by the clock alone, so that the same time gives the same figures."""

from functools import lru_cache
from hashlib import blake2b
from math import cos, pi, sin
from typing import Final

DAY: Final = 86400.0
PEAK: Final = 10.5 * 3600
"""Seconds after midnight (UTC) when traffic is heaviest."""
DAILY: Final = 0.6
"""How far traffic swings around its mean over the day."""
GUST_SECONDS: Final = 600.0
GUSTS: Final = 0.2
"""How far it swings within ten minutes; with the day's swing below 1, so that counters never fall."""


@lru_cache(maxsize=65536)
def derived(text: str) -> int:
    """64 bits that depend on nothing but the text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def activity(now: float) -> float:
    """Traffic at a time in Unix seconds, as a share of its mean."""
    return 1 + DAILY * cos(2 * pi * (now - PEAK) / DAY) + GUSTS * cos(2 * pi * now / GUST_SECONDS)


def activity_until(now: float) -> float:
    """The integral of `activity` from 1970, in seconds of mean traffic."""
    day = DAY / (2 * pi) * DAILY * sin(2 * pi * (now - PEAK) / DAY)
    gusts = GUST_SECONDS / (2 * pi) * GUSTS * sin(2 * pi * now / GUST_SECONDS)
    return now + day + gusts


def wobble(name: str, now: float) -> float:
    """A figure between -1 and 1 that swings within some minutes, for each name in its own way."""
    bits = derived(name)
    period = 300 + bits % 600
    return sin(2 * pi * (now + (bits >> 16) % 3600) / period)


class Counter:
    """Counts as `activity` goes, at a mean rate per second; what was counted stays when the rate changes."""

    def __init__(self, rate: float, since: float) -> None:
        self._rate, self._since = rate, since
        self._counted, self._stopped = 0.0, False

    def at(self, now: float) -> float:
        """What was counted until then."""
        if self._stopped or not self._rate or now <= self._since:
            return self._counted
        return self._counted + self._rate * (activity_until(now) - activity_until(self._since))

    def set_rate(self, rate: float, now: float) -> None:
        """Count at another rate from then on."""
        self._counted, self._since, self._rate = self.at(now), now, rate

    def stop(self, now: float) -> None:
        """Stand still from then on."""
        self._counted, self._since, self._stopped = self.at(now), now, True

    def go_on(self, now: float) -> None:
        """Count again, at the rate as before."""
        self._counted, self._since, self._stopped = self.at(now), now, False

    def reset(self, now: float) -> None:
        """Begin at 0; one that stands goes on standing."""
        self._counted, self._since = 0.0, now
