"""What pages, reports and tests read from the database. Every time is an aware datetime in UTC.

Each function takes a connection of `vdx.store.database.open_engine`, and raises SQLAlchemyError where
the database is away.
"""

import uuid
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, func, or_, select

from vdx.capacity import QUALITIES
from vdx.settings import DatabaseSettings
from vdx.store.cycle import LocationFigures, NodeFigures, PlatformFigures, PollFailure
from vdx.store.tables import (
    FIVE_MINUTES,
    HOUR,
    LOCATION,
    NODE,
    PLATFORM,
    RAW,
    Resolution,
    Samples,
    conference,
    configuration_change,
    location,
    node,
    participant,
    poll,
    poll_failure,
)

_RAW_UP_TO: Final = timedelta(hours=6)
_FIVE_MINUTES_UP_TO: Final = timedelta(days=7)
"""720 points in a curve of six hours by 30 seconds, 2,016 in one of a week by 5 minutes: more than a
screen is wide."""

Figures = TypeVar("Figures", PlatformFigures, LocationFigures, NodeFigures)


class Point(msgspec.Struct, Generic[Figures], frozen=True):
    """A sample, or a bucket of them that begins at `time`. `name` is the location or node, or empty."""

    time: datetime
    name: str
    samples: int
    average: Figures
    maximum: Figures


class Poll(msgspec.Struct, frozen=True):
    """A poll and its outcome. Counts are None where they could not be read."""

    time: datetime
    duration_seconds: float
    up: bool
    rejected: int
    conferences: int | None
    participants: int | None
    failures: tuple[PollFailure, ...]


class ConferenceInterval(msgspec.Struct, frozen=True):
    """A conference from the poll that first saw it to before the one that did not; None while it is open."""

    id: uuid.UUID
    first_seen: datetime
    last_seen: datetime | None
    ended: datetime | None
    started: datetime | None
    name_hash: bytes
    name: str | None
    service_type: str
    service_tag: str


class ParticipantInterval(msgspec.Struct, frozen=True):
    """A segment of a call leg: as long as nothing changed by which it is counted."""

    id: uuid.UUID
    first_seen: datetime
    last_seen: datetime | None
    ended: datetime | None
    started: datetime | None
    conference_id: uuid.UUID | None
    location: str
    node: str | None
    protocol: str
    direction: str
    service_type: str
    service_tag: str
    license_type: str
    license_count: int
    has_media: bool
    encrypted: bool
    alias_hash: bytes | None
    alias: str | None
    quality: str
    """The last one, good, ok, bad, terrible or unknown; while it is open, the one when it began."""
    worst_quality: str


class ConfigurationChange(msgspec.Struct, frozen=True):
    """A change of the platform's configuration; `field`, `old` and `new` are of an action `changed`."""

    time: datetime
    kind: str
    key: str
    name: str
    action: str
    field: str
    old: str | None
    new: str | None


def resolution(start: datetime, end: datetime, now: datetime, settings: DatabaseSettings) -> Resolution:
    """The finest resolution that gives a curve of readable length and is still kept at `start`."""

    def kept(days: int) -> bool:
        return not days or now - start < timedelta(days=days)

    if end - start <= _RAW_UP_TO and kept(settings.raw_days):
        return RAW
    if end - start <= _FIVE_MINUTES_UP_TO and kept(settings.five_minute_days):
        return FIVE_MINUTES
    return HOUR


def platform_samples(
    connection: Connection, start: datetime, end: datetime, by: Resolution = RAW
) -> list[Point[PlatformFigures]]:
    """The platform from `start` to before `end`, in order of time."""
    return _points(connection, PLATFORM, PlatformFigures, start, end, by=by)


def location_samples(
    connection: Connection, start: datetime, end: datetime, by: Resolution = RAW, name: str | None = None
) -> list[Point[LocationFigures]]:
    """One location or all from `start` to before `end`, in order of time, then name."""
    return _points(connection, LOCATION, LocationFigures, start, end, by=by, name=name)


def node_samples(
    connection: Connection, start: datetime, end: datetime, by: Resolution = RAW, name: str | None = None
) -> list[Point[NodeFigures]]:
    """One Conferencing Node or all from `start` to before `end`, in order of time, then name."""
    return _points(connection, NODE, NodeFigures, start, end, by=by, name=name)


def _points(
    connection: Connection,
    samples: Samples,
    figures: type[Figures],
    start: datetime,
    end: datetime,
    *,
    by: Resolution,
    name: str | None = None,
) -> list[Point[Figures]]:
    table = samples.tables[by]
    query = select(table).where(table.c.time >= start, table.c.time < end).order_by(table.c.time)
    names = samples.names
    if names is not None:
        query = query.add_columns(names.c.name).join(names, names.c.id == table.c[f"{names.name}_id"])
        query = query.order_by(names.c.name)
        if name is not None:
            query = query.where(names.c.name == name)

    def read(row: RowMapping, suffix: str) -> Figures:
        return figures(*(row[f"{figure}{suffix}"] for figure in samples.figures))

    points = []
    for row in connection.execute(query).mappings():
        if by is RAW:
            average = maximum = read(row, "")
        else:
            average, maximum = read(row, "_average"), read(row, "_maximum")
        points.append(Point(row["time"], row.get("name", ""), row.get("samples", 1), average, maximum))
    return points


def open_at(table: Table, time: datetime) -> ColumnElement[bool]:
    """The rows of an interval table that cover `time`."""
    return and_(table.c.first_seen <= time, or_(table.c.ended.is_(None), table.c.ended > time))


def conferences_open(connection: Connection, time: datetime) -> list[ConferenceInterval]:
    """The conferences that were running at `time`, those that began first ahead."""
    query = select(conference).where(open_at(conference, time))
    rows = connection.execute(query.order_by(conference.c.first_seen, conference.c.id)).mappings()
    return [ConferenceInterval(**row | {"id": uuid.UUID(bytes=row["id"])}) for row in map(dict, rows)]


def participants_open(connection: Connection, time: datetime) -> list[ParticipantInterval]:
    """The call legs that were connected at `time`, those that began first ahead."""
    columns = [column for column in participant.c if column.name not in ("location_id", "node_id")]
    query = (
        select(*columns, location.c.name.label("location"), node.c.name.label("node"))
        .join(location, location.c.id == participant.c.location_id)
        .outerjoin(node, node.c.id == participant.c.node_id)
        .where(open_at(participant, time))
        .order_by(participant.c.first_seen, participant.c.id)
    )
    legs = []
    for row in map(dict, connection.execute(query).mappings()):
        row["id"] = uuid.UUID(bytes=row["id"])
        if row["conference_id"] is not None:
            row["conference_id"] = uuid.UUID(bytes=row["conference_id"])
        row["quality"] = QUALITIES[row["quality"]]
        row["worst_quality"] = QUALITIES[row["worst_quality"]]
        legs.append(ParticipantInterval(**row))
    return legs


def license_ports_open(connection: Connection, time: datetime) -> int:
    """Licence ports that the legs connected at `time` held; at each poll's time, exact."""
    query = select(func.coalesce(func.sum(participant.c.license_count), 0)).where(
        open_at(participant, time), func.lower(participant.c.license_type) == "port"
    )
    return int(connection.scalar(query) or 0)


def latest_polls(connection: Connection, limit: int = 1) -> list[Poll]:
    """The latest polls, the newest first."""
    rows = connection.execute(select(poll).order_by(poll.c.time.desc()).limit(limit)).all()
    failures: dict[datetime, list[PollFailure]] = {row.time: [] for row in rows}
    if rows:
        query = (
            select(poll_failure)
            .where(poll_failure.c.time >= rows[-1].time, poll_failure.c.time <= rows[0].time)
            .order_by(poll_failure.c.time, poll_failure.c.resource)
        )
        for failure in connection.execute(query):
            failures[failure.time].append(PollFailure(failure.resource, failure.reason, failure.code))
    return [Poll(**row._asdict(), failures=tuple(failures[row.time])) for row in rows]


def configuration_changes(
    connection: Connection, start: datetime, end: datetime
) -> list[ConfigurationChange]:
    """The changes from `start` to before `end`, in order of time."""
    table = configuration_change
    query = (
        select(
            table.c.time,
            table.c.kind,
            table.c.record_key,
            table.c.name,
            table.c.action,
            table.c.field,
            table.c.old,
            table.c.new,
        )
        .where(table.c.time >= start, table.c.time < end)
        .order_by(table.c.time, table.c.kind, table.c.record_key, table.c.field)
    )
    return [ConfigurationChange(*row) for row in connection.execute(query)]
