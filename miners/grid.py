"""The clock's grid: beats at whole multiples of an interval, the same for every process."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta


def beat_before(now: datetime, interval: timedelta) -> datetime:
    """The latest beat at or before `now` (:00 and :30 of each minute for 30 s)."""
    epoch = datetime.fromtimestamp(0, UTC)
    return now - (now - epoch) % interval


def beats_between(start: datetime, end: datetime, interval: timedelta) -> Iterator[datetime]:
    """The beats after `start` and before `end`."""
    beat = beat_before(start, interval) + interval
    while beat < end:
        yield beat
        beat += interval
