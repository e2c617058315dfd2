"""Time: Danish local time, the API's way of writing it, and the platform day.

Times inside the simulator are Unix seconds (float, UTC).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

COPENHAGEN: Final = ZoneInfo("Europe/Copenhagen")
DAY_START_HOUR: Final = 3
"""Local hour at which the platform is empty and its day begins: nobody meets across it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def api_time(seconds: float) -> str:
    """Pexip's form of a time: ISO 8601, UTC, no zone suffix, microseconds absent when zero."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


def parse_time(text: str) -> float:
    """Unix seconds of an ISO 8601 time; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def local(seconds: float) -> datetime:
    """Danish local time."""
    return datetime.fromtimestamp(seconds, COPENHAGEN)


def start_of(day: date) -> float:
    """When the platform day of this date begins: 03:00 Danish time."""
    return datetime.combine(day, time(DAY_START_HOUR), COPENHAGEN).timestamp()


@lru_cache(maxsize=4096)
def _day_of_hour(hour: int) -> date:
    return (local(hour * 3600) - timedelta(hours=DAY_START_HOUR)).date()


def day_of(seconds: float) -> date:
    """The platform day (03:00 to 03:00 Danish time) that holds this time."""
    return _day_of_hour(int(seconds // 3600))


def activity_offset(profile: str, now: float) -> float:
    """Seconds to add to the clock so that now is lived as the given local weekday and time.

    `profile` is `tue 09:10`, or a number of seconds as text. The nearest such day is
    taken, at most three days away.
    """
    weekday, _, clock = profile.strip().lower().partition(" ")
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    if weekday[:3] not in names:
        return float(profile)
    here = local(now)
    days = (names.index(weekday[:3]) - here.weekday() + 3) % 7 - 3
    wanted = datetime.combine(
        here.date() + timedelta(days=days), time.fromisoformat(clock or "09:10"), COPENHAGEN
    )
    return float(round(wanted.timestamp() - now))
