"""The tables. A change here needs a migration in migrations/versions, which a test compares with this.

Samples are kept at three resolutions: as polled, by 5 minutes and by the hour. The polled ones of
MySQL lie in day partitions. Conferences and participants are intervals: a row is a segment in which
nothing that counts changed. It covers the beats from `first_seen` to before `ended`; `last_seen` is the
last poll that saw it, and both are NULL while it is open. A leg whose licences, location, node,
conference, service or tag changes goes on as another row of the same id, and so does one that returns.
"""

from typing import Final, NamedTuple

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.schema import SchemaItem

from vdx.store.columns import UTCDateTime, binary, real, small_key
from vdx.store.cycle import FRACTIONS, LocationFigures, NodeFigures, PlatformFigures

NAME_LENGTH: Final = 250
"""Characters of a name or tag, the platform's own limit."""

metadata: Final = MetaData()


def comparable(text: str) -> str:
    """The text as a unique column tells it from others: MySQL passes over spaces at the end."""
    return text.rstrip(" ")


def table(name: str, *parts: SchemaItem, with_rowid: bool = False) -> Table:
    """Names are compared byte for byte; on SQLite rows lie in the order of the primary key."""
    return Table(
        name,
        metadata,
        *parts,
        sqlite_with_rowid=with_rowid,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


poll: Final = table(
    "poll",
    Column("time", UTCDateTime(), primary_key=True),
    Column("duration_seconds", real(), nullable=False),
    Column("up", Boolean, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("conferences", Integer),
    Column("participants", Integer),
)
"""A row for each poll. `conferences` and `participants` are NULL where they could not be read."""

poll_failure: Final = table(
    "poll_failure",
    Column("time", UTCDateTime(), primary_key=True),
    Column("resource", String(64), primary_key=True),
    Column("code", Integer, nullable=False),
    Column("reason", String(500), nullable=False),
)


def _names(name: str) -> Table:
    return table(
        name,
        Column("id", small_key(), primary_key=True),
        Column("name", String(NAME_LENGTH), nullable=False, unique=True),
        with_rowid=True,
    )


location: Final = _names("location")
node: Final = _names("node")


class Resolution(NamedTuple):
    """The length of a bucket of samples, and the setting that says how many days they are kept."""

    seconds: int
    days: str


RAW: Final = Resolution(0, "raw_days")
FIVE_MINUTES: Final = Resolution(300, "five_minute_days")
HOUR: Final = Resolution(3600, "hour_days")


class Samples(NamedTuple):
    """The samples of one kind of thing: their figures, and the tables by resolution.

    `names` is the table of the things, absent for the platform, of which there is one.
    """

    figures: tuple[str, ...]
    names: Table | None
    tables: dict[Resolution, Table]


def _samples(kind: str, figures: type[msgspec.Struct], names: Table | None) -> Samples:
    fields = figures.__struct_fields__

    def keys() -> list[Column[object]]:
        time: Column[object] = Column("time", UTCDateTime())
        if names is None:
            return [time]
        return [time, Column(f"{names.name}_id", SmallInteger, autoincrement=False)]

    def key(columns: list[Column[object]]) -> PrimaryKeyConstraint:
        return PrimaryKeyConstraint(*(column.name for column in columns))

    def measure(field: str, suffix: str = "") -> Column[float]:
        return Column(f"{field}{suffix}", real() if field in FRACTIONS else Integer())

    raw = keys()
    tables = {RAW: table(f"{kind}_sample", *raw, *map(measure, fields), key(raw))}
    for resolution, name in ((FIVE_MINUTES, "five_minute"), (HOUR, "hour")):
        columns = keys()
        tables[resolution] = table(
            f"{kind}_{name}",
            *columns,
            Column("samples", SmallInteger, nullable=False),
            *(
                column
                for field in fields
                for column in (Column(f"{field}_average", real()), measure(field, "_maximum"))
            ),
            key(columns),
        )
    return Samples(fields, names, tables)


PLATFORM: Final = _samples("platform", PlatformFigures, None)
LOCATION: Final = _samples("location", LocationFigures, location)
NODE: Final = _samples("node", NodeFigures, node)
SAMPLES: Final = (PLATFORM, LOCATION, NODE)

conference: Final = table(
    "conference",
    Column("first_seen", UTCDateTime(), primary_key=True),
    Column("id", binary(16), primary_key=True),
    Column("started", UTCDateTime(3)),
    Column("last_seen", UTCDateTime()),
    Column("ended", UTCDateTime()),
    Column("name_hash", binary(16), nullable=False),
    Column("name", String(NAME_LENGTH)),
    Column("service_type", String(32), nullable=False),
    Column("service_tag", String(NAME_LENGTH), nullable=False),
    Index("conference_open", "ended", "id"),
)

participant: Final = table(
    "participant",
    Column("first_seen", UTCDateTime(), primary_key=True),
    Column("id", binary(16), primary_key=True),
    Column("started", UTCDateTime(3)),
    Column("last_seen", UTCDateTime()),
    Column("ended", UTCDateTime()),
    Column("conference_id", binary(16)),
    Column("location_id", SmallInteger, nullable=False),
    Column("node_id", SmallInteger),
    Column("protocol", String(32), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("service_type", String(32), nullable=False),
    Column("service_tag", String(NAME_LENGTH), nullable=False),
    Column("license_type", String(32), nullable=False),
    Column("license_count", Integer, nullable=False),
    Column("has_media", Boolean, nullable=False),
    Column("encrypted", Boolean, nullable=False),
    Column("alias_hash", binary(16)),
    Column("alias", String(NAME_LENGTH)),
    Column("quality", SmallInteger, nullable=False),
    Column("worst_quality", SmallInteger, nullable=False),
    Index("participant_open", "ended", "id"),
)

configuration_record: Final = table(
    "configuration_record",
    Column("kind", String(32), primary_key=True),
    Column("record_key", String(100), primary_key=True),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("content", Text, nullable=False),
)
"""The configuration as it was last read; `content` is a JSON object of its fields as text."""

configuration_change: Final = table(
    "configuration_change",
    Column("time", UTCDateTime(), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("record_key", String(100), primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("action", String(16), nullable=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("old", Text),
    Column("new", Text),
)
"""`action` is added, removed or changed; `field` is empty but for changed."""
