"""History, organisations and usage."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

from vdx.store.columns import UTCDateTime, binary, medium, small, tiny
from vdx.store.partitions import partitioned_by_month

revision = "0002"
down_revision = "0001"

COUNTS = (
    "meetings",
    "legs",
    "started_legs",
    "completed",
    "failed",
    "refused_license",
    "refused_capacity",
    "control_legs",
    "incoming",
    "outgoing",
    "quality_unknown",
    "quality_good",
    "quality_ok",
    "quality_bad",
    "quality_terrible",
    "protocol_webrtc",
    "protocol_sip",
    "protocol_h323",
    "protocol_mssip",
    "protocol_teams",
    "protocol_meet",
    "protocol_rtmp",
    "protocol_other",
    "device_browser",
    "device_app",
    "device_room",
    "device_phone",
    "device_gateway",
    "device_streaming",
    "device_other",
)
TIMES = ("participant_microseconds", "port_microseconds")
PARTITIONED = ("history_conference", "history_participant", "history_media_stream", "history_backplane")


def upgrade() -> None:
    """Creates what is not there yet, since MySQL keeps what an upgrade that was cut off had made."""
    _create_texts()
    _create_history()
    _create_organisations()
    _create_usage("usage_hour")
    _create_usage("usage_day")


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
    if name in PARTITIONED and op.get_bind().dialect.name == "mysql":
        op.execute(partitioned_by_month(name))


def _create_texts() -> None:
    _create(
        "term",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(250), nullable=False),
        sa.UniqueConstraint("kind", "name", name="term_name"),
    )
    _create(
        "identity",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", binary(16), nullable=False, unique=True),
        sa.Column("domain_id", sa.Integer, nullable=False),
        sa.Column("pattern_id", sa.Integer, nullable=False),
        sa.Column("seen", sa.Date, nullable=False),
        sa.Column("name", sa.String(250)),
    )


def _create_history() -> None:
    _create(
        "history_conference",
        sa.Column("ended", UTCDateTime(6), primary_key=True),
        sa.Column("id", binary(16), primary_key=True),
        sa.Column("started", UTCDateTime(6)),
        sa.Column("room_id", sa.Integer, nullable=False),
        sa.Column("service_tag_id", sa.Integer, nullable=False),
        sa.Column("organisation_id", sa.Integer, nullable=False),
        sa.Column("rule", tiny(), nullable=False),
        sa.Column("service_type_id", tiny(), nullable=False),
        sa.Column("participants", sa.Integer, nullable=False),
    )
    _create(
        "history_participant",
        sa.Column("ended", UTCDateTime(6), primary_key=True),
        sa.Column("id", binary(16), primary_key=True),
        sa.Column("started", UTCDateTime(6)),
        sa.Column("conference_id", binary(16)),
        sa.Column("organisation_id", medium(), nullable=False),
        sa.Column("room_id", sa.Integer, nullable=False),
        sa.Column("remote_id", sa.Integer, nullable=False),
        sa.Column("local_id", sa.Integer, nullable=False),
        sa.Column("service_tag_id", small(), nullable=False),
        sa.Column("network_id", medium(), nullable=False),
        sa.Column("location_id", sa.SmallInteger, nullable=False),
        sa.Column("media_node_id", sa.SmallInteger),
        sa.Column("signalling_node_id", sa.SmallInteger),
        sa.Column("proxy_node_id", sa.SmallInteger),
        sa.Column("device_id", tiny(), nullable=False),
        sa.Column("disconnect_reason_id", small(), nullable=False),
        sa.Column("rx_bandwidth", small(), nullable=False),
        sa.Column("tx_bandwidth", small(), nullable=False),
        sa.Column("rx_loss", small(), nullable=False),
        sa.Column("tx_loss", small(), nullable=False),
        sa.Column("height", small(), nullable=False),
        sa.Column("audio_codec_id", tiny(), nullable=False),
        sa.Column("video_codec_id", tiny(), nullable=False),
        sa.Column("protocol_id", tiny(), nullable=False),
        sa.Column("service_type_id", tiny(), nullable=False),
        sa.Column("license_type_id", tiny(), nullable=False),
        sa.Column("license_count", tiny(), nullable=False),
        sa.Column("rule", tiny(), nullable=False),
        sa.Column("outcome", tiny(), nullable=False),
        sa.Column("quality", tiny(), nullable=False),
        sa.Column("bad_percent", tiny()),
        sa.Column("outgoing", sa.Boolean, nullable=False),
        sa.Column("host", sa.Boolean, nullable=False),
        sa.Column("has_media", sa.Boolean, nullable=False),
        sa.Column("encrypted", sa.Boolean, nullable=False),
    )
    _create(
        "history_media_stream",
        sa.Column("ended", UTCDateTime(6), primary_key=True),
        sa.Column("participant_id", binary(16), primary_key=True),
        sa.Column("number", tiny(), primary_key=True, autoincrement=False),
        sa.Column("started", UTCDateTime(6)),
        sa.Column("stopped", UTCDateTime(6)),
        sa.Column("media_node_id", sa.SmallInteger),
        sa.Column("type_id", tiny(), nullable=False),
        sa.Column("rx_codec_id", tiny(), nullable=False),
        sa.Column("tx_codec_id", tiny(), nullable=False),
        sa.Column("rx_resolution_id", small(), nullable=False),
        sa.Column("tx_resolution_id", small(), nullable=False),
        sa.Column("rx_bitrate", sa.Integer),
        sa.Column("tx_bitrate", sa.Integer),
        sa.Column("rx_fps", tiny()),
        sa.Column("tx_fps", tiny()),
        sa.Column("rx_loss", small()),
        sa.Column("tx_loss", small()),
        sa.Column("rx_lost", sa.BigInteger),
        sa.Column("tx_lost", sa.BigInteger),
        sa.Column("rx_received", sa.BigInteger),
        sa.Column("tx_sent", sa.BigInteger),
    )
    _create(
        "history_backplane",
        sa.Column("ended", UTCDateTime(6), primary_key=True),
        sa.Column("id", binary(16), primary_key=True),
        sa.Column("started", UTCDateTime(6)),
        sa.Column("conference_id", binary(16)),
        sa.Column("location_id", sa.SmallInteger, nullable=False),
        sa.Column("media_node_id", sa.SmallInteger),
        sa.Column("remote_node_id", sa.SmallInteger),
        sa.Column("type_id", tiny(), nullable=False),
        sa.Column("protocol_id", tiny(), nullable=False),
        sa.Column("disconnect_reason_id", small(), nullable=False),
    )
    _create(
        "history_alarm",
        sa.Column("lowered", UTCDateTime(6), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("raised", UTCDateTime(6)),
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("level", sa.String(32), nullable=False),
        sa.Column("instance", sa.String(250), nullable=False),
        sa.Column("details", sa.String(250), nullable=False),
        sa.Column("node", sa.String(250), nullable=False),
    )
    _create(
        "history_node_event",
        sa.Column("time", UTCDateTime(6), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_type", sa.String(64), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("node", sa.String(250), nullable=False),
        sa.Column("location", sa.String(250), nullable=False),
        sa.Column("details", sa.String(250), nullable=False),
    )
    _create(
        "history_unlinked",
        sa.Column("id", binary(16), primary_key=True),
        sa.Column("ended", UTCDateTime(6), nullable=False),
        sa.Column("backplane", sa.Boolean, nullable=False),
    )
    _create(
        "history_progress",
        sa.Column("resource", sa.String(32), primary_key=True),
        sa.Column("watermark", UTCDateTime(6), nullable=False),
        sa.Column("longest_seconds", sa.Integer, nullable=False),
    )
    _create(
        "history_gap",
        sa.Column("resource", sa.String(32), primary_key=True),
        sa.Column("begins", UTCDateTime(6), primary_key=True),
        sa.Column("ends", UTCDateTime(6), nullable=False),
        sa.Column("found", UTCDateTime(), nullable=False),
    )


def _create_organisations() -> None:
    _create(
        "organisation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("source_key", sa.String(100), nullable=False, unique=True),
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        with_rowid=True,
    )
    _create(
        "organisation_place",
        sa.Column("organisation_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("valid_from", UTCDateTime(), primary_key=True),
        sa.Column("valid_to", UTCDateTime()),
        sa.Column("parent_id", sa.Integer),
    )
    _create(
        "organisation_claim",
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("value", sa.String(250), primary_key=True),
        sa.Column("organisation_id", sa.Integer, nullable=False),
    )
    _create(
        "usage_pending",
        sa.Column("day", sa.Date, primary_key=True),
    )


def _create_usage(name: str) -> None:
    _create(
        name,
        sa.Column("scope", tiny(), primary_key=True, autoincrement=False),
        sa.Column("scope_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("begin", UTCDateTime(), primary_key=True),
        *(sa.Column(field, sa.Integer, nullable=False) for field in COUNTS),
        *(sa.Column(field, sa.BigInteger, nullable=False) for field in TIMES),
        sa.Column("peak_ports", sa.Integer, nullable=False),
        sa.Column("peak_at", UTCDateTime(6), nullable=False),
        sa.Column("sampled_ports", sa.Integer),
    )
    index = f"{name}_begin"
    if not any(found["name"] == index for found in sa.inspect(op.get_bind()).get_indexes(name)):
        op.create_index(index, name, ["begin"])
