"""What reports and pages read of the usage tables. Every time is an aware datetime in UTC.

Each function takes a connection of `vdx.store.database.open_engine`, and raises SQLAlchemyError where
the database is away. Periods begin and end at local midnight: days, weeks (ISO 8601, from Monday), months
and the hours of a day are those of `sla.time_zone`.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, func, select

from vdx.days import midnight
from vdx.organisations import Tree
from vdx.pexip.resources import HISTORY_PARTICIPANT
from vdx.store.history_tables import history_gap, history_progress, term, usage_day, usage_hour, usage_pending
from vdx.store.tables import location
from vdx.usage import COUNTS, TIMES, Scope

ADDED: Final = (*COUNTS, *TIMES)
"""The measures that are summed over periods and units. All are exact in a sum but those of
`vdx.usage.PRESENT`: who talks over midnight counts in both days."""

_AT_ONCE: Final = 500
"""Ids in one query; SQLite takes 999 parameters in its oldest versions."""


class Granularity(StrEnum):
    """The length of the periods that a stretch of time is cut into."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


class Usage(msgspec.Struct, frozen=True):
    """What was used from `begin` to before `end`.

    `figures` has the measures of `ADDED`. `peak_ports` is the most licence ports held at once, first at
    `peak_at`, which is None where none was held. Units do not peak together, so their peaks do not add up.
    `sampled_ports` is the most that the status miner's polls saw; None where there was none.
    """

    begin: datetime
    end: datetime
    figures: Mapping[str, int]
    peak_ports: int = 0
    peak_at: datetime | None = None
    sampled_ports: int | None = None


class Share(msgspec.Struct, frozen=True):
    """What one of several units, projects or locations used.

    `whole` is False where units of it are not in the figures: an organisation by itself.
    """

    scope: Scope
    id: int
    name: str
    whole: bool
    usage: Usage


class Reach(msgspec.Struct, frozen=True):
    """What is missing in the figures of a period: days that are being computed, stretches that the
    Management Node had forgotten, and up to when call legs have been read, None where none has been."""

    pending: Sequence[date]
    gaps: Sequence[tuple[datetime, datetime]]
    read_until: datetime | None


NOTHING: Final[Mapping[str, int]] = dict.fromkeys(ADDED, 0)


def days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    """The local days from `start` to before `end`."""
    day = start.astimezone(zone).date()
    while midnight(day, zone) < end:
        yield day
        day += timedelta(days=1)


def _next(day: date, granularity: Granularity) -> date:
    if granularity is Granularity.MONTH:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    if granularity is Granularity.WEEK:
        return day + timedelta(days=7 - day.weekday())
    return day + timedelta(days=1)


def periods(
    start: datetime, end: datetime, granularity: Granularity, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """The periods from `start` to `end`; the first and the last are cut where these are not their edges.

    A day has 23 or 25 hours where clocks change.
    """
    if start >= end:
        return []
    if granularity is Granularity.TOTAL:
        return [(start, end)]
    edges = [start]
    while edges[-1] < end:
        if granularity is Granularity.HOUR:
            edges.append(edges[-1] + timedelta(hours=1))
        else:
            edges.append(midnight(_next(edges[-1].astimezone(zone).date(), granularity), zone))
    edges[-1] = end
    return list(pairwise(edges))


def usage(
    connection: Connection,
    scope: Scope,
    scope_id: int,
    start: datetime,
    end: datetime,
    *,
    granularity: Granularity,
    zone: ZoneInfo,
) -> list[Usage]:
    """A row for each period, in order; also for those in which nothing was used."""
    parts = periods(start, end, granularity, zone)
    table = usage_hour if granularity is Granularity.HOUR else usage_day
    found = _rows(connection, table, (scope, scope_id), start, end)
    begins = [begin for begin, _ in parts]
    held: list[list[Any]] = [[] for _ in parts]
    for row in found:
        held[bisect_right(begins, row.begin) - 1].append(row)
    return [_sum(begin, stop, rows) for (begin, stop), rows in zip(parts, held, strict=True)]


def _rows(
    connection: Connection, table: Table, key: tuple[Scope, int], start: datetime, end: datetime
) -> Sequence[Any]:
    """A range of the primary key, in its order."""
    columns = [table.c[name] for name in ADDED]
    query = (
        select(*columns, table.c.begin, table.c.peak_ports, table.c.peak_at, table.c.sampled_ports)
        .where(table.c.scope == key[0], table.c.scope_id == key[1], _within(table, start, end))
        .order_by(table.c.begin)
    )
    return connection.execute(query).all()


def _within(table: Table, start: datetime, end: datetime) -> ColumnElement[bool]:
    return (table.c.begin >= start) & (table.c.begin < end)


def _sum(begin: datetime, end: datetime, rows: Sequence[Any]) -> Usage:
    """One period of rows of a usage table, in order of time."""
    if not rows:
        return Usage(begin, end, NOTHING)
    sums = map(sum, zip(*(row[: len(ADDED)] for row in rows), strict=True))
    peak = max(rows, key=lambda row: row.peak_ports)
    sampled = [row.sampled_ports for row in rows if row.sampled_ports is not None]
    return Usage(
        begin,
        end,
        dict(zip(ADDED, sums, strict=True)),
        peak.peak_ports,
        peak.peak_at if peak.peak_ports else None,
        max(sampled, default=None),
    )


def together(begin: datetime, end: datetime, parts: Sequence[Usage]) -> Usage:
    """One period of several that follow each other."""
    figures = {name: sum(part.figures[name] for part in parts) for name in ADDED}
    peak = max(parts, key=lambda part: part.peak_ports, default=Usage(begin, end, NOTHING))
    sampled = [part.sampled_ports for part in parts if part.sampled_ports is not None]
    return Usage(begin, end, figures, peak.peak_ports, peak.peak_at, max(sampled, default=None))


def totals(
    connection: Connection, scope: Scope, ids: Sequence[int], start: datetime, end: datetime
) -> dict[int, Usage]:
    """What each of the ids used; who used nothing is left out."""
    found: dict[int, Usage] = {}
    for first in range(0, len(ids), _AT_ONCE):
        found |= _totals(connection, scope, ids[first : first + _AT_ONCE], start, end)
    return found


def _totals(
    connection: Connection, scope: Scope, ids: Sequence[int], start: datetime, end: datetime
) -> dict[int, Usage]:
    table = usage_day
    chosen = (table.c.scope == scope, table.c.scope_id.in_(ids), _within(table, start, end))
    sums = (
        select(
            table.c.scope_id,
            *(func.sum(table.c[name]).label(name) for name in ADDED),
            func.max(table.c.peak_ports).label("peak_ports"),
            func.max(table.c.sampled_ports).label("sampled_ports"),
        )
        .where(*chosen)
        .group_by(table.c.scope_id)
    )
    peaks = (
        select(table.c.scope_id, func.max(table.c.peak_ports).label("ports"))
        .where(*chosen)
        .group_by(table.c.scope_id)
        .subquery()
    )
    instants = (
        select(table.c.scope_id, func.min(table.c.peak_at))
        .join(peaks, (peaks.c.scope_id == table.c.scope_id) & (peaks.c.ports == table.c.peak_ports))
        .where(*chosen, table.c.peak_ports > 0)
        .group_by(table.c.scope_id)
    )
    peak_at: dict[int, datetime] = dict(connection.execute(instants).all())
    return {
        row.scope_id: Usage(
            start,
            end,
            {name: int(row._mapping[name]) for name in ADDED},
            row.peak_ports,
            peak_at.get(row.scope_id),
            row.sampled_ports,
        )
        for row in connection.execute(sums)
    }


def units(
    connection: Connection,
    tree: Tree,
    organisation_id: int,
    start: datetime,
    end: datetime,
    *,
    zone: ZoneInfo,
) -> list[Share]:
    """An organisation by itself, then the units directly below it, each with all below them, by name.

    Together they are the organisation with all its units. A unit that moved counts for the days that began
    while it stood there.
    """
    itself = totals(connection, Scope.ORGANISATION, [organisation_id], start, end)
    name = tree.organisations[organisation_id].name
    return [
        Share(
            Scope.ORGANISATION,
            organisation_id,
            name,
            False,
            itself.get(organisation_id, Usage(start, end, NOTHING)),
        ),
        *_below(connection, tree, organisation_id, start, end, zone=zone),
    ]


def top_organisations(
    connection: Connection, tree: Tree, start: datetime, end: datetime, *, zone: ZoneInfo
) -> list[Share]:
    """The organisations that stand at the top, each with all below it, by name, and last what belongs to
    none. Together they are the platform."""
    none = totals(connection, Scope.ORGANISATION, [0], start, end)
    unassigned = Share(Scope.ORGANISATION, 0, "", True, none.get(0, Usage(start, end, NOTHING)))
    return [*_below(connection, tree, None, start, end, zone=zone), unassigned]


def _below(
    connection: Connection,
    tree: Tree,
    organisation_id: int | None,
    start: datetime,
    end: datetime,
    *,
    zone: ZoneInfo,
) -> list[Share]:
    def members(at: datetime) -> frozenset[int]:
        """With those that stand nowhere at that time: nobody else counts what is theirs."""
        below = frozenset(tree.children(organisation_id, at))
        if organisation_id is not None:
            return below
        return below | {key for key in tree.organisations if tree.place(key, at) is None}

    parts: dict[int, list[Usage]] = {}
    for begin, stop, children in stretches(tree, start, end, zone, members):
        used = totals(connection, Scope.SUBTREE, sorted(children), begin, stop)
        for key in children:
            if key in used:
                parts.setdefault(key, []).append(used[key])
            elif tree.place(key, begin) is not None:
                parts.setdefault(key, [])
    shares = [
        Share(Scope.SUBTREE, key, tree.organisations[key].name, True, together(start, end, used))
        for key, used in parts.items()
    ]
    return sorted(shares, key=lambda share: (share.name.casefold(), share.id))


def stretches(
    tree: Tree, start: datetime, end: datetime, zone: ZoneInfo, members: Callable[[datetime], frozenset[int]]
) -> Iterator[tuple[datetime, datetime, frozenset[int]]]:
    """The stretches of days over which `members`, asked for the begin of a day, stay the same.

    Usage counts by the tree as it stood when the day began.
    """
    begin, held = start, members(start)
    for instant in _changes(tree, start, end, zone):
        found = members(instant)
        if found != held:
            yield begin, instant, held
            begin, held = instant, found
    yield begin, end, held


def _changes(tree: Tree, start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """The midnights after `start` and before `end` by which a place began or ended since the one before."""
    found = set()
    for key in tree.organisations:
        for place in tree.places(key):
            for instant in (place.valid_from, place.valid_to):
                if instant is not None and start - timedelta(days=2) < instant < end:
                    day = instant.astimezone(zone).date()
                    same = midnight(day, zone)
                    found.add(same if same == instant else midnight(day + timedelta(days=1), zone))
    return sorted(instant for instant in found if start < instant < end)


def tags(connection: Connection, start: datetime, end: datetime) -> list[Share]:
    """The projects (service tags) that were used, by name."""
    names = dict(connection.execute(select(term.c.id, term.c.name).where(term.c.kind == "tag")).all())
    return _named(connection, Scope.TAG, names, start, end)


def locations(connection: Connection, start: datetime, end: datetime) -> list[Share]:
    """The locations that were used, by name."""
    names = dict(connection.execute(select(location.c.id, location.c.name)).all())
    return _named(connection, Scope.LOCATION, names, start, end)


def _named(
    connection: Connection, scope: Scope, names: Mapping[int, str], start: datetime, end: datetime
) -> list[Share]:
    found = totals(connection, scope, sorted(names), start, end)
    shares = [Share(scope, key, names[key], True, used) for key, used in found.items()]
    return sorted(shares, key=lambda share: (share.name.casefold(), share.id))


def reach(connection: Connection, start: datetime, end: datetime, *, zone: ZoneInfo) -> Reach:
    """What is missing in the figures from `start` to before `end`.

    Calls that are still connected are never in them: history tells of a call when it has ended.
    """
    first, last = start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()
    pending = connection.scalars(
        select(usage_pending.c.day)
        .where(usage_pending.c.day >= first, usage_pending.c.day <= last)
        .order_by(usage_pending.c.day)
    ).all()
    gaps = connection.execute(
        select(history_gap.c.begins, history_gap.c.ends)
        .where(
            history_gap.c.resource == HISTORY_PARTICIPANT.name,
            history_gap.c.begins < end,
            history_gap.c.ends > start,
        )
        .order_by(history_gap.c.begins)
    )
    read_until = connection.scalar(
        select(history_progress.c.watermark).where(history_progress.c.resource == HISTORY_PARTICIPANT.name)
    )
    return Reach(pending, gaps.all(), read_until)
