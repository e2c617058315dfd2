"""When changes of the network are expected: windows of the week, such as `Tue 20:00-24:00`.

A window is told by the clock on the wall, so on the days when clocks change it is as long as the clock says.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 24 * 60
_FORM: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? +(\d\d):(\d\d)-(\d\d):(\d\d)")


class ChangeWindow(msgspec.Struct, frozen=True):
    """A window on some days of the week (Monday is 0): from `begin` to before `end`, in minutes of the day.

    `end` is above 24 * 60 where the window goes over midnight.
    """

    days: frozenset[int]
    begin: int
    end: int


def parse(text: str) -> ChangeWindow:
    """A window from `Tue 20:00-24:00`, `Mon-Fri 08:00-16:00` or `Sat-Sun 22:00-04:00`.

    Raises ValueError, which names the text and what is wrong with it.
    """
    found = _FORM.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is not a window such as Tue 20:00-24:00 or Mon-Fri 08:00-16:00")
    first, last = (_day(name, text) for name in (found[1], found[2] or found[1]))
    begin, end = _minutes(found[3], found[4], text), _minutes(found[5], found[6], text)
    if begin in (_DAY, end):
        raise ValueError(f"{text!r} has no length; a whole day is 00:00-24:00")
    days = frozenset((first + number) % 7 for number in range((last - first) % 7 + 1))
    return ChangeWindow(days, begin, end if end > begin else end + _DAY)


def _day(name: str, text: str) -> int:
    if name not in DAYS:
        raise ValueError(f"{text!r}: {name!r} is not a day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun")
    return DAYS.index(name)


def _minutes(hours: str, minutes: str, text: str) -> int:
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > _DAY:
        raise ValueError(f"{text!r}: {hours}:{minutes} is not a time from 00:00 to 24:00")
    return total


def contains(windows: Iterable[ChangeWindow], moment: datetime, zone: ZoneInfo) -> bool:
    """True when `moment` lies in one of the windows."""
    return overlap(windows, moment, moment, zone)


def overlap(windows: Iterable[ChangeWindow], first: datetime, last: datetime, zone: ZoneInfo) -> bool:
    """True when any moment from `first` to `last`, both included, lies in one of the windows."""
    windows = tuple(windows)
    return any(begin <= last and first < end for begin, end in _spans(windows, first, last, zone))


def _spans(
    windows: Iterable[ChangeWindow], first: datetime, last: datetime, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """When the windows begin and end, around the days from `first` to `last`; after a week all have been."""
    day = first.astimezone(zone).date() - timedelta(days=1)
    end = min(last.astimezone(zone).date(), day + timedelta(days=8))
    while day <= end:
        for window in windows:
            if day.weekday() in window.days:
                yield _instant(day, window.begin, zone, 0), _instant(day, window.end, zone, 1)
        day += timedelta(days=1)


def _instant(day: date, minutes: int, zone: ZoneInfo, fold: int) -> datetime:
    """A time of the clock on the wall; of an hour that comes twice, the one that `fold` says."""
    wall = datetime(day.year, day.month, day.day, fold=fold, tzinfo=zone)
    days, rest = divmod(minutes, _DAY)
    return (wall + timedelta(days=days)).replace(hour=rest // 60, minute=rest % 60, fold=fold).astimezone(UTC)
