"""How busy VDX is: the Danish working day, week and year, and growth over months."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

GROWTH_ORIGIN: Final = date(2026, 9, 1)
"""When the level of activity is 1."""

GROWTH_PER_MONTH: Final = 0.01
"""Growth of activity, compounded; an assumption, of the order that makes 1,500 ports a question of a few
years."""

WORKING_DAY: Final[tuple[float, ...]] = (
    *(0.003, 0.002, 0.002, 0.002, 0.003, 0.006, 0.03),
    *(0.22, 0.67, 0.98, 1.0, 0.72, 0.46, 0.87, 0.63, 0.33),
    *(0.14, 0.08, 0.06, 0.05, 0.035, 0.02, 0.01, 0.005),
)
"""Calls that begin in each local hour, the busiest being 1: peaks at 9-11 and 13-14, a dip at lunch."""

WEEKDAYS: Final = (0.96, 1.0, 0.99, 0.97, 0.78, 0.045, 0.04)
"""Level of each weekday, Monday first."""


@lru_cache(maxsize=512)
def easter(year: int) -> date:
    """Easter Sunday (the anonymous Gregorian computus)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def is_holiday(day: date) -> bool:
    """Whether the day is a Danish public holiday, or one on which offices are closed by custom."""
    if (day.month, day.day) in {(1, 1), (6, 5), (12, 24), (12, 25), (12, 26), (12, 31)}:
        return True
    return (day - easter(day.year)) / timedelta(days=1) in {-3, -2, 0, 1, 39, 49, 50}


@lru_cache(maxsize=512)
def day_level(day: date) -> float:
    """Activity of a day against a Tuesday of a normal week in September 2026."""
    months = (day - GROWTH_ORIGIN).days / 30.44
    growth = min(2.0, max(0.4, (1 + GROWTH_PER_MONTH) ** months))
    week = day.isocalendar().week
    season = 0.55 if 28 <= week <= 30 else 0.75 if week in {7, 27, 31, 42} else 1.0
    if (day.month, day.day) >= (12, 21) or (day.month, day.day) <= (1, 2):
        season = 0.35
    weekday = WEEKDAYS[6] if is_holiday(day) else WEEKDAYS[day.weekday()]
    return float(growth * season * weekday)


def hour_level(day: date, hour: int) -> float:
    """Activity of one local hour (0-23) of a day: 1 is the busiest hour of a normal Tuesday."""
    return day_level(day) * WORKING_DAY[hour]
