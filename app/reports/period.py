"""The stretch of days that a report is about, as it is asked for on the command line."""

import re
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from vdx.days import midnight
from vdx.settings import SettingsError


class Kind(StrEnum):
    """What a period is called by, and so what the one before it is."""

    MONTH = "month"
    YEAR = "year"
    WEEK = "week"
    DAYS = "days"


class Period(msgspec.Struct, frozen=True):
    """The local days from `first` up to and with `last`."""

    kind: Kind
    first: date
    last: date

    def start(self, zone: ZoneInfo) -> datetime:
        """The instant at which it begins, in UTC."""
        return midnight(self.first, zone)

    def end(self, zone: ZoneInfo) -> datetime:
        """The instant at which it is over, in UTC."""
        return midnight(self.last + timedelta(days=1), zone)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The month, year or week before; else as many days just before."""
        last = self.first - timedelta(days=1)
        if self.kind is Kind.MONTH:
            return Period(self.kind, last.replace(day=1), last)
        if self.kind is Kind.YEAR:
            return Period(self.kind, last.replace(month=1, day=1), last)
        return Period(self.kind, self.first - timedelta(days=self.days), last)

    def __str__(self) -> str:
        if self.kind is Kind.MONTH:
            return f"{self.first:%Y-%m}"
        if self.kind is Kind.YEAR:
            return f"{self.first:%Y}"
        if self.kind is Kind.WEEK:
            return f"{self.first:%G-W%V}"
        return f"{self.first}" if self.first == self.last else f"{self.first} – {self.last}"


_MONTH: Final = re.compile(r"(\d{4})-(\d{1,2})")
_YEAR: Final = re.compile(r"\d{4}")
_WEEK: Final = re.compile(r"(\d{4})-?[WwUu](\d{1,2})")


def month_of(day: date) -> Period:
    """The month of a day."""
    first = day.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return Period(Kind.MONTH, first, after - timedelta(days=1))


def read_month(text: str) -> Period:
    """`2026-10`. Raises SettingsError."""
    found = _MONTH.fullmatch(text.strip())
    try:
        if found is not None:
            return month_of(date(int(found[1]), int(found[2]), 1))
    except (ValueError, OverflowError):
        pass
    raise SettingsError(f"--month: {text!r} is no month; write it as 2026-10")


def read_year(text: str) -> Period:
    """`2026`. Raises SettingsError."""
    if _YEAR.fullmatch(text.strip()) and 1970 <= int(text) < 9999:
        return Period(Kind.YEAR, date(int(text), 1, 1), date(int(text), 12, 31))
    raise SettingsError(f"--year: {text!r} is no year; write it as 2026")


def read_week(text: str) -> Period:
    """`2026-W41` (ISO 8601, from Monday); a year has 52 or 53. Raises SettingsError."""
    found = _WEEK.fullmatch(text.strip())
    try:
        if found is not None:
            monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
            return Period(Kind.WEEK, monday, monday + timedelta(days=6))
    except (ValueError, OverflowError):
        pass
    raise SettingsError(f"--week: {text!r} is no week; write it as 2026-W41")


def read_days(first: str, last: str) -> Period:
    """From one date up to and with another. Raises SettingsError."""
    days = []
    for option, text in (("--from", first), ("--to", last)):
        try:
            days.append(date.fromisoformat(text.strip()))
        except ValueError:
            raise SettingsError(f"{option}: {text!r} is no date; write it as 2026-10-31") from None
    if days[0] > days[1]:
        raise SettingsError(f"--to: {days[1]} lies before --from {days[0]}; change them over")
    return Period(Kind.DAYS, *days)


def read_period(
    today: date,
    *,
    month: str | None = None,
    year: str | None = None,
    week: str | None = None,
    first: str | None = None,
    last: str | None = None,
) -> Period:
    """The one period that is asked for; the last full month where none is. Raises SettingsError."""
    given = [
        option
        for option, value in (
            ("--month", month),
            ("--year", year),
            ("--week", week),
            ("--from", first or last),
        )
        if value is not None
    ]
    if len(given) > 1:
        raise SettingsError(f"{' and '.join(given)} are two periods; give one of them")
    if month is not None:
        period = read_month(month)
    elif year is not None:
        period = read_year(year)
    elif week is not None:
        period = read_week(week)
    elif first is not None or last is not None:
        if first is None or last is None:
            missing = "--from" if first is None else "--to"
            raise SettingsError(f"{missing} is missing; --from and --to go together")
        period = read_days(first, last)
    else:
        period = month_of(today.replace(day=1) - timedelta(days=1))
    if period.first > today:
        raise SettingsError(f"{period} has not begun; name a period up to today, {today}")
    if period.first.year < 1990:
        raise SettingsError(f"{period} lies before there were video calls; name a later period")
    return period
