"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

from vdx.store.columns import UTCDateTime, binary, real, small_key
from vdx.store.partitions import partitioned

revision = "0001"
down_revision = None

PLATFORM = (
    "license_ports",
    "license_limit",
    "license_reported_used",
    "license_reported_limit",
    "pstn_lines",
    "pstn_limit",
    "participants",
    "control_only",
    "presenting",
    "streaming",
    "conferences",
    "backplanes",
    "registrations",
    "alarms",
    "hardware_used",
    "hardware_limit",
)
LOCATION = (
    "media_load",
    "license_ports",
    "participants",
    "control_only",
    "quality_unknown",
    "quality_good",
    "quality_ok",
    "quality_bad",
    "quality_terrible",
    "hardware_used",
    "hardware_limit",
)
NODE = (
    "media_load",
    "media_tokens_used",
    "media_tokens_limit",
    "hardware_used",
    "hardware_limit",
    "signalled_calls",
    "conferences",
    "participants",
    "up",
    "maintenance",
)
FRACTIONS = ("media_load", "hardware_used", "hardware_limit")


def upgrade() -> None:
    """Creates what is not there yet, since MySQL keeps what an upgrade that was cut off had made."""
    _create_polls()
    _create_names("location")
    _create_names("node")
    _create_samples("platform", (), PLATFORM)
    _create_samples("location", ("location_id",), LOCATION)
    _create_samples("node", ("node_id",), NODE)
    _create_intervals()
    _create_configuration()


def _create(name: str, *parts: SchemaItem, with_rowid: bool = False) -> None:
    op.create_table(
        name,
        *parts,
        if_not_exists=True,
        sqlite_with_rowid=with_rowid,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _index(table: str) -> None:
    """MySQL 5.7 knows no CREATE INDEX IF NOT EXISTS."""
    name = f"{table}_open"
    if not any(index["name"] == name for index in sa.inspect(op.get_bind()).get_indexes(table)):
        op.create_index(name, table, ["ended", "id"])


def _create_polls() -> None:
    _create(
        "poll",
        sa.Column("time", UTCDateTime(), primary_key=True),
        sa.Column("duration_seconds", real(), nullable=False),
        sa.Column("up", sa.Boolean, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("conferences", sa.Integer),
        sa.Column("participants", sa.Integer),
    )
    _create(
        "poll_failure",
        sa.Column("time", UTCDateTime(), primary_key=True),
        sa.Column("resource", sa.String(64), primary_key=True),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
    )


def _create_names(name: str) -> None:
    _create(
        name,
        sa.Column("id", small_key(), primary_key=True),
        sa.Column("name", sa.String(250), nullable=False, unique=True),
        with_rowid=True,
    )


def _create_samples(kind: str, keys: tuple[str, ...], figures: tuple[str, ...]) -> None:
    def key_columns() -> list[sa.Column[Any]]:
        names: list[sa.Column[Any]] = [sa.Column(name, sa.SmallInteger, autoincrement=False) for name in keys]
        return [sa.Column("time", UTCDateTime()), *names]

    def kind_of(figure: str) -> sa.types.TypeEngine[Any]:
        return real() if figure in FRACTIONS else sa.Integer()

    primary = ("time", *keys)
    raw = f"{kind}_sample"
    _create(
        raw,
        *key_columns(),
        *(sa.Column(figure, kind_of(figure)) for figure in figures),
        sa.PrimaryKeyConstraint(*primary),
    )
    if op.get_bind().dialect.name == "mysql":
        op.execute(partitioned(raw))
    for resolution in ("five_minute", "hour"):
        columns = []
        for figure in figures:
            columns.append(sa.Column(f"{figure}_average", real()))
            columns.append(sa.Column(f"{figure}_maximum", kind_of(figure)))
        _create(
            f"{kind}_{resolution}",
            *key_columns(),
            sa.Column("samples", sa.SmallInteger, nullable=False),
            *columns,
            sa.PrimaryKeyConstraint(*primary),
        )


def _create_intervals() -> None:
    def common() -> list[sa.Column[Any]]:
        return [
            sa.Column("first_seen", UTCDateTime(), primary_key=True),
            sa.Column("id", binary(16), primary_key=True),
            sa.Column("started", UTCDateTime(3)),
            sa.Column("last_seen", UTCDateTime()),
            sa.Column("ended", UTCDateTime()),
        ]

    _create(
        "conference",
        *common(),
        sa.Column("name_hash", binary(16), nullable=False),
        sa.Column("name", sa.String(250)),
        sa.Column("service_type", sa.String(32), nullable=False),
        sa.Column("service_tag", sa.String(250), nullable=False),
    )
    _index("conference")
    _create(
        "participant",
        *common(),
        sa.Column("conference_id", binary(16)),
        sa.Column("location_id", sa.SmallInteger, nullable=False),
        sa.Column("node_id", sa.SmallInteger),
        sa.Column("protocol", sa.String(32), nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("service_type", sa.String(32), nullable=False),
        sa.Column("service_tag", sa.String(250), nullable=False),
        sa.Column("license_type", sa.String(32), nullable=False),
        sa.Column("license_count", sa.Integer, nullable=False),
        sa.Column("has_media", sa.Boolean, nullable=False),
        sa.Column("encrypted", sa.Boolean, nullable=False),
        sa.Column("alias_hash", binary(16)),
        sa.Column("alias", sa.String(250)),
        sa.Column("quality", sa.SmallInteger, nullable=False),
        sa.Column("worst_quality", sa.SmallInteger, nullable=False),
    )
    _index("participant")


def _create_configuration() -> None:
    _create(
        "configuration_record",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("record_key", sa.String(100), primary_key=True),
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    _create(
        "configuration_change",
        sa.Column("time", UTCDateTime(), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("record_key", sa.String(100), primary_key=True),
        sa.Column("field", sa.String(64), primary_key=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("old", sa.Text),
        sa.Column("new", sa.Text),
    )
