"""Assembles a report of usage: its rows, the whole of it, what was before, and what must be known with it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from app.reports import figures
from app.reports.catalogue import Language, word
from app.reports.columns import Column, Kind, Row, Sheet
from app.reports.figures import Frame
from app.reports.notes import Note, missing, pending
from app.reports.period import Period
from app.reports.selection import Selection
from vdx.days import midnight
from vdx.organisations import Tree
from vdx.store import usage_queries
from vdx.store.usage_queries import Granularity, Share, Usage
from vdx.usage import Scope

MINUTE: Final = "minute"

Shares = Callable[[datetime, datetime], list[Share]]


class Context(msgspec.Struct, frozen=True):
    """What a report is made from. `hour_days` are the days that usage by the hour is kept, `language` that
    of the names of rows that are nobody's."""

    connection: Connection
    tree: Tree
    zone: ZoneInfo
    now: datetime
    hour_days: int
    language: Language


class Report(msgspec.Struct, frozen=True):
    """Figures of a selection over a period.

    `frame` has the rows, which `heads` and `columns` name in order; `whole` is a row of the same figures
    for the period as a whole. `before` is the period that it is compared with, if any.
    """

    selection: Selection
    period: Period
    by: str
    before: Period | None
    heads: Sequence[Column]
    columns: Sequence[Column]
    frame: Frame
    whole: Frame
    notes: Sequence[Note]

    def rows(self) -> list[Row]:
        """The rows: what each is about, then its figures."""
        wanted = [*self.heads, *self.columns]
        return list(figures.rows(self.frame, wanted))

    def total(self) -> dict[str, Any]:
        """The figures of the whole period by name."""
        names = [column.name for column in self.columns]
        return dict(zip(names, figures.rows(self.whole, self.columns)[0], strict=True))

    def sheet(self) -> Sheet:
        """The rows with their columns."""
        return Sheet([*self.heads, *self.columns], [self.rows()])

    def title(self, language: Language) -> str:
        """What the report is about."""
        return word("title", language, scope=self.selection.words(language), period=str(self.period))

    def words(self, language: Language) -> list[str]:
        """The notes as sentences."""
        return [note.words(language) for note in self.notes]


def over_time(context: Context, selection: Selection, period: Period, by: str, *, compared: bool) -> Report:
    """A report with a row for each total, month, week, day or hour of the period up to now."""
    granularity = Granularity(by)
    found = _timed(context, selection, period, granularity)
    before = period.before if compared else None
    whole = _whole(context, selection, period)
    if before is not None and _compare(context, selection, before, whole):
        figures.compare(found, _timed(context, selection, before, granularity))
    elif before is not None:
        figures.compare(found, found.iloc[:0])
    heads = (Column("begin", _begin_kind(by)), Column("hours", Kind.REAL))
    notes = _notes(context, period, before, whole)
    if granularity not in (Granularity.HOUR, Granularity.DAY) and period.days > 1 and _has_any(whole):
        notes.append(Note("present"))
    if (
        granularity is Granularity.HOUR
        and (context.now - period.start(context.zone)).days > context.hour_days
    ):
        notes.append(Note("hours_forgotten", (context.hour_days,)))
    columns = figures.columns(compared=compared)
    return Report(selection, period, by, before, heads, columns, found, whole, notes)


def by_unit(
    context: Context, selection: Selection, period: Period, shares: Shares, *, compared: bool
) -> Report:
    """A report with a row for each of the shares of a selection, which the functions of
    `vdx.store.usage_queries` give."""
    found = _shared(context, shares, period)
    before = period.before if compared else None
    whole = _whole(context, selection, period)
    if before is not None and _compare(context, selection, before, whole):
        figures.compare(found, _shared(context, shares, before))
    elif before is not None:
        figures.compare(found, found.iloc[:0])
    heads = (Column("unit", Kind.TEXT),)
    notes = _notes(context, period, before, whole)
    if _has_any(whole):
        notes.append(Note("shared_meetings"))
        notes += [Note("present")] if period.days > 1 else []
    columns = figures.columns(compared=compared)
    return Report(selection, period, "unit", before, heads, columns, found, whole, notes)


def by_minute(context: Context, selection: Selection, period: Period, *, compared: bool) -> Report:
    """A report of the peak of each minute, from the call legs themselves. Needs numpy."""
    from app.reports.minutes import peaks  # noqa: PLC0415 - only this needs it

    begins, ports, instants = peaks(context, selection, period)
    found = _frame_of_minutes(begins, ports, instants, context.zone)
    before = period.before if compared else None
    whole = _whole(context, selection, period)
    if before is not None:
        _compare(context, selection, before, whole)
    columns = tuple(column for column in figures.columns(compared=False) if column.name in _OF_MINUTES)
    return Report(
        selection=selection,
        period=period,
        by=MINUTE,
        before=before,
        heads=(Column("begin", Kind.TIME),),
        columns=columns,
        frame=found,
        whole=whole,
        notes=_notes(context, period, before, whole),
    )


_OF_MINUTES: Final = ("peak_ports", "peak_at")


def _frame_of_minutes(
    begins: Sequence[datetime], ports: Sequence[int], instants: Sequence[datetime | None], zone: ZoneInfo
) -> Frame:
    used = [
        Usage(begin, begin, usage_queries.NOTHING, count, at)
        for begin, count, at in zip(begins, ports, instants, strict=True)
    ]
    found = figures.frame(used, [60.0] * len(used), zone)
    found["begin"] = figures.objects([begin.astimezone(zone) for begin in begins], found)
    return found


def _begin_kind(by: str) -> Kind:
    return Kind.TIME if by in (Granularity.HOUR, MINUTE) else Kind.DATE


def _end(context: Context, period: Period) -> datetime:
    """The end of the period, or of today where it goes beyond."""
    tomorrow = date.fromordinal(context.now.astimezone(context.zone).toordinal() + 1)
    return min(period.end(context.zone), midnight(tomorrow, context.zone))


def _seconds(used: Usage, now: datetime) -> float:
    """The length of a period so far."""
    return max(0.0, (min(used.end, now) - used.begin).total_seconds())


def _timed(context: Context, selection: Selection, period: Period, granularity: Granularity) -> Frame:
    zone = context.zone
    start, end = period.start(zone), _end(context, period)
    used = [
        one
        for one in usage_queries.usage(
            context.connection, selection.scope, selection.id, start, end, granularity=granularity, zone=zone
        )
        if one.begin <= context.now
    ]
    found = figures.frame(used, [_seconds(one, context.now) for one in used], zone)
    begins = [one.begin.astimezone(zone) for one in used]
    if _begin_kind(granularity) is Kind.DATE:
        begins = [begin.date() for begin in begins]  # type: ignore[misc]
    found["begin"] = figures.objects(begins, found)
    found["hours"] = [(one.end - one.begin).total_seconds() / 3600 for one in used]
    return found


def _shared(context: Context, shares: Shares, period: Period) -> Frame:
    found = shares(period.start(context.zone), _end(context, period))
    used = [share.usage for share in found]
    keys = [(int(share.scope), share.id) for share in found]
    framed = figures.frame(used, [_seconds(one, context.now) for one in used], context.zone, keys)
    framed["unit"] = figures.objects([share_name(share, context.language) for share in found], framed)
    return framed


def share_name(share: Share, language: Language) -> str:
    """The name of a row; what belongs to none and an organisation by itself are told apart."""
    if share.scope is Scope.ORGANISATION and share.id == 0:
        return word("unassigned", language)
    return share.name if share.whole else word("itself", language, share.name)


def _whole(context: Context, selection: Selection, period: Period) -> Frame:
    return _timed(context, selection, period, Granularity.TOTAL)


def _compare(context: Context, selection: Selection, before: Period, whole: Frame) -> bool:
    """Sets the whole against the period before; True where anything was used then."""
    earlier = _whole(context, selection, before)
    known = _has_any(earlier)
    figures.compare(whole, earlier if known else earlier.iloc[:0])
    return known


def _has_any(whole: Frame) -> bool:
    """True where anything at all was used."""
    return bool(whole[["legs", "failed", "control_legs"]].to_numpy().any())


def _notes(context: Context, period: Period, before: Period | None, whole: Frame) -> list[Note]:
    start, end = period.start(context.zone), _end(context, period)
    reach = usage_queries.reach(context.connection, start, end, zone=context.zone)
    notes = [*missing(reach, period, context.now, context.zone), *pending(reach.pending)]
    if reach.read_until is not None and not _has_any(whole):
        notes.insert(0, Note("nothing"))
    if before is not None and period.end(context.zone) > context.now:
        notes.append(Note("unfinished"))
    return notes


def document(report: Report, time_zone: str) -> Mapping[str, Any]:
    """The report as one JSON object."""
    names = [column.name for column in (*report.heads, *report.columns)]
    before = report.before
    return {
        "scope": {
            "kind": report.selection.scope.name.lower(),
            "id": report.selection.id,
            "name": report.selection.name,
        },
        "period": _period(report.period),
        "time_zone": time_zone,
        "by": report.by,
        "before": None if before is None else _period(before),
        "notes": report.words(Language.ENGLISH),
        "total": report.total(),
        "rows": [dict(zip(names, row, strict=True)) for row in report.rows()],
    }


def _period(period: Period) -> dict[str, Any]:
    return {"kind": period.kind, "first": period.first, "last": period.last}
