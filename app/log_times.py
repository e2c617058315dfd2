"""Times as people at a terminal write them: in Danish time, or so long ago."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from vdx.settings import SettingsError

_AGO: Final = re.compile(r"-(\d{1,6})([mhd])")
_CLOCK: Final = re.compile(r"(\d\d?):(\d\d)")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_FORMS: Final = "write -30m, -1h, -2d, 14:05, 2026-03-04, or 2026-03-04 14:05"


def read_time(text: str, now: datetime, zone: ZoneInfo, *, latest: bool = False) -> datetime:
    """The moment, in UTC, that a text means. A time without a zone is that of `zone`.

    An hour that a clock shows twice is the first one, with `latest` the second. Raises SettingsError for a
    text that is no time, or a time that the clock skips.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return now.astimezone(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if clock := _CLOCK.fullmatch(text):
            local = now.astimezone(zone).replace(
                hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0, tzinfo=None
            )
        else:
            local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        found = local.replace(tzinfo=zone, fold=int(latest)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(f"{text[:40]}: it is no time; {_FORMS}") from None
    if found.astimezone(zone).replace(tzinfo=None) != local:
        raise SettingsError(f"{text}: there is no such time in {zone.key}, the clock goes from 2 to 3 then")
    return found
