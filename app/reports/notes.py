"""What must be known with figures: what is missing in them, and which of them do not add up."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.reports.catalogue import Language, word
from app.reports.period import Period
from vdx.store.usage_queries import Reach


class Note(NamedTuple):
    """A sentence of the catalogue, and the values in it."""

    name: str
    values: tuple[object, ...] = ()

    def words(self, language: Language) -> str:
        """The sentence."""
        return word(self.name, language, *self.values)


def missing(reach: Reach, period: Period, now: datetime, zone: ZoneInfo) -> list[Note]:
    """What the calls of a period lack, whether as records or as figures."""
    notes = []
    until = min(period.end(zone), now)
    if reach.read_until is None:
        notes.append(Note("never_read"))
    elif reach.read_until < until:
        notes.append(Note("read_until", (f"{reach.read_until.astimezone(zone):%Y-%m-%d %H:%M}",)))
    if reach.gaps:
        minutes = sum((end - begin).total_seconds() for begin, end in reach.gaps) / 60
        notes.append(Note("gaps", (len(reach.gaps), round(minutes))))
    if period.end(zone) > now:
        notes.append(Note("open_calls"))
    return notes


def pending(days: Sequence[date]) -> list[Note]:
    """That days are still to be computed."""
    if len(days) == 1:
        return [Note("pending_one", (1, days[0]))]
    return [Note("pending", (len(days), f"{days[0]} – {days[-1]}"))] if days else []
