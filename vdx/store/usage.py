"""Computes the usage of the days of which call legs came, and keeps it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, delete, func, or_, select

from vdx.capacity import has_licence_port
from vdx.days import bounds
from vdx.store.bulk import columns_of, put
from vdx.store.history_tables import (
    history_participant,
    history_progress,
    term,
    usage_day,
    usage_hour,
    usage_pending,
)
from vdx.store.tables import HOUR, LOCATION, PLATFORM
from vdx.tree import Tree
from vdx.usage import DEVICES, PROTOCOLS, Scope
from vdx.usage_rows import NEVER, Legs, Whole, members, table_rows, usage_rows

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR: Final = timedelta(hours=1)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=1024)
def moment(count: int) -> datetime:
    """The time, UTC, of microseconds since 1970."""
    return _EPOCH + count * _MICROSECOND


def day_edges(day: date, zone: ZoneInfo) -> list[datetime]:
    """The instants between the hours of a Danish day, 24 to 26 of them, in UTC."""
    begin, end = bounds(day, zone)
    hours = round((end - begin) / _HOUR)
    return [begin + number * _HOUR for number in range(hours + 1)]


def pending_days(connection: Connection) -> list[date]:
    """The days whose usage is to be computed, the earliest first."""
    return list(connection.scalars(select(usage_pending.c.day).order_by(usage_pending.c.day)))


def compute_day(connection: Connection, day: date, zone: ZoneInfo, tree: Tree) -> int:
    """Computes a day's usage by the hour and the day in one transaction, in the place of what was there.

    The tree counts as it stood when the day began. Returns the number of rows. Nothing is done where the day
    is no longer pending.
    """
    with connection.begin():
        pending = select(usage_pending.c.day).where(usage_pending.c.day == day).with_for_update()
        if connection.scalar(pending) is None:
            return 0
        connection.execute(delete(usage_pending).where(usage_pending.c.day == day))
        edges = day_edges(day, zone)
        legs = read_legs(connection, edges[0], edges[-1])
        samples = sampled_peaks(connection, edges)
        written = 0
        for table, begins in ((usage_hour, edges[:-1]), (usage_day, edges[:1])):
            rows = _rows(legs, begins, edges[-1], lambda key: tree.ancestors(key, edges[0]), samples)
            connection.execute(delete(table).where(table.c.begin >= edges[0], table.c.begin < edges[-1]))
            written += put(connection, table, columns_of(table, rows))
    return written


def _rows(
    legs: Legs,
    begins: Sequence[datetime],
    end: datetime,
    ancestors: Callable[[int], Sequence[int]],
    samples: Mapping[tuple[int, int, datetime], int],
) -> list[tuple[Any, ...]]:
    edges = np.array([microseconds(edge) for edge in (*begins, end)], dtype=np.int64)
    who = members(legs, ancestors)
    rows = table_rows(usage_rows(legs, who, edges), who, begins, moment)
    hourly = len(begins) > 1
    sampled = samples if hourly else _greatest(samples, begins[0])
    return [(*row, sampled.get((row[0], row[1], row[2]))) for row in rows]


def _greatest(
    samples: Mapping[tuple[int, int, datetime], int], begin: datetime
) -> dict[tuple[int, int, datetime], int]:
    """The greatest sample of the whole day by scope."""
    found: dict[tuple[int, int, datetime], int] = {}
    for (scope, key, _), ports in samples.items():
        found[scope, key, begin] = max(ports, found.get((scope, key, begin), 0))
    return found


def sampled_peaks(connection: Connection, edges: Sequence[datetime]) -> dict[tuple[int, int, datetime], int]:
    """(scope, id, hour) -> the most licence ports that the polls of the hour saw."""
    found: dict[tuple[int, int, datetime], int] = {}
    for samples, scope in ((PLATFORM, Scope.PLATFORM), (LOCATION, Scope.LOCATION)):
        table = samples.tables[HOUR]
        key = table.c.location_id if scope is Scope.LOCATION else table.c.samples * 0
        query = select(table.c.time, key, table.c.license_ports_maximum).where(
            table.c.time >= edges[0], table.c.time < edges[-1], table.c.license_ports_maximum.is_not(None)
        )
        found |= {(scope, number, begin): ports for begin, number, ports in connection.execute(query)}
    return found


def read_legs(connection: Connection, start: datetime, end: datetime) -> Legs:
    """The legs that were connected or that ended from `start` to before `end`, as arrays."""
    table = history_participant
    longest = connection.scalar(select(func.max(history_progress.c.longest_seconds))) or 0
    columns = (
        table.c.started,
        table.c.ended,
        table.c.conference_id,
        table.c.room_id,
        table.c.organisation_id,
        table.c.location_id,
        table.c.service_tag_id,
        table.c.license_type_id,
        table.c.license_count,
        table.c.outcome,
        table.c.quality,
        table.c.protocol_id,
        table.c.device_id,
        table.c.outgoing,
        table.c.has_media,
    )
    query = select(*columns).where(
        table.c.ended >= start,
        table.c.ended < end + timedelta(seconds=longest + 1),
        or_(table.c.started < end, table.c.ended < end),
    )
    return _arrays(connection, connection.execute(query).all())


def _numbering(connection: Connection, kind: str, value: Callable[[str], int]) -> Whole:
    """Number of a term -> the value of its text."""
    rows = connection.execute(select(term.c.id, term.c.name).where(term.c.kind == kind)).all()
    values = np.full(max((row.id for row in rows), default=0) + 1, value(""), dtype=np.int64)
    for row in rows:
        values[row.id] = value(row.name)
    return values


def _protocol(name: str) -> int:
    """The class of a protocol as the platform names it (reference: status/participant)."""
    name = {"gms/ghm": "meet"}.get(name.lower(), name.lower())
    return PROTOCOLS.index(name if name in PROTOCOLS else "other")


def _device(name: str) -> int:
    """The class of a device as `vdx.devices` names it."""
    kind = name.partition("/")[0]
    return DEVICES.index(kind if kind in DEVICES else "other")


def _arrays(connection: Connection, rows: Sequence[Any]) -> Legs:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 15
    (started, ended, conference, room, *numbers) = columns
    organisation, place, tag, license_type, license_count, outcome, quality, *rest = (
        np.array(values, dtype=np.int64) for values in numbers
    )
    protocol, device, outgoing, has_media = rest
    holds_port = _numbering(connection, "license_type", has_licence_port)
    meetings: dict[Any, int] = {}
    return Legs(
        started=np.array([NEVER if time is None else microseconds(time) for time in started], dtype=np.int64),
        ended=np.array([microseconds(time) for time in ended], dtype=np.int64),
        meeting=np.array(
            [
                meetings.setdefault(number if key is None else key, len(meetings))
                for key, number in zip(conference, room, strict=True)
            ],
            dtype=np.int64,
        ),
        organisation=organisation,
        location=place,
        tag=tag,
        ports=holds_port[license_type] * license_count,
        outcome=outcome,
        quality=quality,
        protocol=_numbering(connection, "protocol", _protocol)[protocol],
        device=_numbering(connection, "device", _device)[device],
        outgoing=outgoing.astype(np.bool_),
        has_media=has_media.astype(np.bool_),
    )
