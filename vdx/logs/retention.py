"""Which hours of the archive are dropped (pure)."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec

Reason = Literal["age", "disk"]


class Hour(msgspec.Struct, frozen=True):
    """An hour of the archive and the bytes that it takes, closed and open."""

    begin: datetime
    bytes: int


def dropped(
    hours: Iterable[Hour], now: datetime, keep: timedelta, most_bytes: int
) -> Iterator[tuple[Hour, Reason]]:
    """The hours that are too old, or too many for the disk, the oldest first.

    An hour is too old when its last moment is `keep` ago. One that is not over is never dropped, since the
    collector still writes it.
    """
    ordered = sorted(hours, key=lambda hour: hour.begin)
    left = sum(hour.bytes for hour in ordered)
    for hour in ordered:
        end = hour.begin + timedelta(hours=1)
        if end > now:
            return
        if end <= now - keep:
            yield hour, "age"
        elif left > most_bytes:
            yield hour, "disk"
        else:
            return
        left -= hour.bytes
