"""When to ask again: exponential backoff with full jitter, and what the node itself asks for."""

import secrets
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

LONGEST_RETRY_AFTER: Final = 60.0
"""Seconds. The node's rate window is 60 s; a longer wait is an outage, and an error to be told."""

_random: Final = secrets.SystemRandom()


class Retry(msgspec.Struct, frozen=True):
    """At most `attempts` tries; the n-th pause is random in 0 … min(`cap`, `base` · 2ⁿ⁻¹) seconds."""

    attempts: int = 4
    base: float = 0.5
    cap: float = 8.0

    def delay(self, attempt: int, retry_after: float | None = None) -> float | None:
        """Seconds to wait after the failed `attempt` (from 1), or None to give up.

        Never shorter than `retry_after`, the seconds that the node asked for.
        """
        if attempt >= self.attempts or (retry_after or 0.0) > LONGEST_RETRY_AFTER:
            return None
        backoff = _random.uniform(0.0, min(self.cap, self.base * 2 ** (attempt - 1)))
        return max(backoff, retry_after or 0.0)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The seconds of a Retry-After header: a number or an HTTP date (RFC 9110, 10.2.3); None if neither."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())
