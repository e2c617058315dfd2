"""The tables of history and of usage. A change here needs a migration, as for `vdx.store.tables`.

History's rows never change once written, so their end is part of the key: the same row is found again by
(`ended`, `id`), and on MySQL the tables lie in month partitions of it. They have no other index: what is
asked of them names a stretch of time, and statistics are asked of the usage tables.

Text that repeats is a `term`, a number that is counted by kind. Who is behind a text (an alias, the name
of a room) is an `identity`: a keyed hash, with the text only where `privacy.store_identities` says so.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from vdx.store.columns import UTCDateTime, binary, medium, small, tiny
from vdx.store.tables import NAME_LENGTH, table
from vdx.usage import COUNTS, TIMES

KEY_LENGTH: Final = 100
"""Characters of an organisation's key in the source that it is read from."""

term: Final = table(
    "term",
    Column("kind", String(16), primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(NAME_LENGTH), nullable=False),
    UniqueConstraint("kind", "name", name="term_name"),
)
"""Texts that repeat, numbered from 1 by kind; 0 stands for no text, or for one beyond the number kept."""

identity: Final = table(
    "identity",
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("hash", binary(16), nullable=False, unique=True),
    Column("domain_id", Integer, nullable=False),
    Column("pattern_id", Integer, nullable=False),
    Column("seen", Date, nullable=False),
    Column("name", String(NAME_LENGTH)),
)
"""An alias or the name of a room. `domain_id` and `pattern_id` are terms: its domain, and the pattern of
an organisation that it matched. `seen` is the first of the month in which it was last used."""

history_conference: Final = table(
    "history_conference",
    Column("ended", UTCDateTime(6), primary_key=True),
    Column("id", binary(16), primary_key=True),
    Column("started", UTCDateTime(6)),
    Column("room_id", Integer, nullable=False),
    Column("service_tag_id", Integer, nullable=False),
    Column("organisation_id", Integer, nullable=False),
    Column("rule", tiny(), nullable=False),
    Column("service_type_id", tiny(), nullable=False),
    Column("participants", Integer, nullable=False),
)
"""An ended instance of a service over all its nodes. `participants` counts call legs."""

history_participant: Final = table(
    "history_participant",
    Column("ended", UTCDateTime(6), primary_key=True),
    Column("id", binary(16), primary_key=True),
    Column("started", UTCDateTime(6)),
    Column("conference_id", binary(16)),
    Column("organisation_id", medium(), nullable=False),
    Column("room_id", Integer, nullable=False),
    Column("remote_id", Integer, nullable=False),
    Column("local_id", Integer, nullable=False),
    Column("service_tag_id", small(), nullable=False),
    Column("network_id", medium(), nullable=False),
    Column("location_id", SmallInteger, nullable=False),
    Column("media_node_id", SmallInteger),
    Column("signalling_node_id", SmallInteger),
    Column("proxy_node_id", SmallInteger),
    Column("device_id", tiny(), nullable=False),
    Column("disconnect_reason_id", small(), nullable=False),
    Column("rx_bandwidth", small(), nullable=False),
    Column("tx_bandwidth", small(), nullable=False),
    Column("rx_loss", small(), nullable=False),
    Column("tx_loss", small(), nullable=False),
    Column("height", small(), nullable=False),
    Column("audio_codec_id", tiny(), nullable=False),
    Column("video_codec_id", tiny(), nullable=False),
    Column("protocol_id", tiny(), nullable=False),
    Column("service_type_id", tiny(), nullable=False),
    Column("license_type_id", tiny(), nullable=False),
    Column("license_count", tiny(), nullable=False),
    Column("rule", tiny(), nullable=False),
    Column("outcome", tiny(), nullable=False),
    Column("quality", tiny(), nullable=False),
    Column("bad_percent", tiny()),
    Column("outgoing", Boolean, nullable=False),
    Column("host", Boolean, nullable=False),
    Column("has_media", Boolean, nullable=False),
    Column("encrypted", Boolean, nullable=False),
)
"""An ended call leg. `started` is NULL where it never connected.

`organisation_id` and `rule` tell whose it is and why (`vdx.organisations.Rule`); 0 is unassigned.
`rx_loss` and `tx_loss` are the lost packets of all its streams, in hundredths of a percent; `bad_percent` is
the share of its measured 20-second windows that were bad or terrible, NULL where none was measured;
bandwidths kbit/s; `height` the lines of the largest picture. Numbers beyond 65,535 are cut to it.
"""

history_media_stream: Final = table(
    "history_media_stream",
    Column("ended", UTCDateTime(6), primary_key=True),
    Column("participant_id", binary(16), primary_key=True),
    Column("number", tiny(), primary_key=True, autoincrement=False),
    Column("started", UTCDateTime(6)),
    Column("stopped", UTCDateTime(6)),
    Column("media_node_id", SmallInteger),
    Column("type_id", tiny(), nullable=False),
    Column("rx_codec_id", tiny(), nullable=False),
    Column("tx_codec_id", tiny(), nullable=False),
    Column("rx_resolution_id", small(), nullable=False),
    Column("tx_resolution_id", small(), nullable=False),
    Column("rx_bitrate", Integer),
    Column("tx_bitrate", Integer),
    Column("rx_fps", tiny()),
    Column("tx_fps", tiny()),
    Column("rx_loss", small()),
    Column("tx_loss", small()),
    Column("rx_lost", BigInteger),
    Column("tx_lost", BigInteger),
    Column("rx_received", BigInteger),
    Column("tx_sent", BigInteger),
)
"""A media stream of a leg, by the leg's end and its place in the leg's list. Bitrates kbit/s, frames a
second, losses in hundredths of a percent, `lost`, `received` and `sent` packets."""

history_backplane: Final = table(
    "history_backplane",
    Column("ended", UTCDateTime(6), primary_key=True),
    Column("id", binary(16), primary_key=True),
    Column("started", UTCDateTime(6)),
    Column("conference_id", binary(16)),
    Column("location_id", SmallInteger, nullable=False),
    Column("media_node_id", SmallInteger),
    Column("remote_node_id", SmallInteger),
    Column("type_id", tiny(), nullable=False),
    Column("protocol_id", tiny(), nullable=False),
    Column("disconnect_reason_id", small(), nullable=False),
)
"""An ended media link between two nodes of a conference; nobody's call."""

history_alarm: Final = table(
    "history_alarm",
    Column("lowered", UTCDateTime(6), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("raised", UTCDateTime(6)),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("level", String(32), nullable=False),
    Column("instance", String(NAME_LENGTH), nullable=False),
    Column("details", String(NAME_LENGTH), nullable=False),
    Column("node", String(NAME_LENGTH), nullable=False),
)
"""An alarm that was lowered; `node` is who reported it."""

history_node_event: Final = table(
    "history_node_event",
    Column("time", UTCDateTime(6), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("event_type", String(64), nullable=False),
    Column("state", String(64), nullable=False),
    Column("node", String(NAME_LENGTH), nullable=False),
    Column("location", String(NAME_LENGTH), nullable=False),
    Column("details", String(NAME_LENGTH), nullable=False),
)
"""A Conferencing Node changed its state."""

history_unlinked: Final = table(
    "history_unlinked",
    Column("id", binary(16), primary_key=True),
    Column("ended", UTCDateTime(6), nullable=False),
    Column("backplane", Boolean, nullable=False),
)
"""Call legs and backplanes that ended while their conference still ran, and so do not know it yet."""

history_progress: Final = table(
    "history_progress",
    Column("resource", String(32), primary_key=True),
    Column("watermark", UTCDateTime(6), nullable=False),
    Column("longest_seconds", Integer, nullable=False),
)
"""How far each resource has been read, written with the rows themselves. `longest_seconds` is the length
of the longest record so far: who looks for what was running at a time needs to look no further."""

history_gap: Final = table(
    "history_gap",
    Column("resource", String(32), primary_key=True),
    Column("begins", UTCDateTime(6), primary_key=True),
    Column("ends", UTCDateTime(6), nullable=False),
    Column("found", UTCDateTime(), nullable=False),
)
"""A stretch of time whose records the Management Node had forgotten before they were read."""

organisation: Final = table(
    "organisation",
    Column("id", Integer, primary_key=True),
    Column("source_key", String(KEY_LENGTH), nullable=False, unique=True),
    Column("name", String(NAME_LENGTH), nullable=False),
    Column("kind", String(32), nullable=False),
    with_rowid=True,
)
"""An organisation or a unit of one, by its key in the source. It stays when it vanishes from there."""

organisation_place: Final = table(
    "organisation_place",
    Column("organisation_id", Integer, primary_key=True, autoincrement=False),
    Column("valid_from", UTCDateTime(), primary_key=True),
    Column("valid_to", UTCDateTime()),
    Column("parent_id", Integer),
)
"""Where an organisation stands in the tree from `valid_from` to before `valid_to`, NULL while it does.
A unit that moves gets another place and keeps its past; `parent_id` is NULL at the top."""

organisation_claim: Final = table(
    "organisation_claim",
    Column("kind", String(8), primary_key=True),
    Column("value", String(NAME_LENGTH), primary_key=True),
    Column("organisation_id", Integer, nullable=False),
)
"""What makes a call an organisation's: its `kind` is tag, alias, domain, pattern or room. Aliases and
rooms are their keyed hash in hexadecimal."""

usage_pending: Final = table(
    "usage_pending",
    Column("day", Date, primary_key=True),
)
"""Danish days whose usage must be computed again, since rows of theirs came."""


def _usage(name: str) -> Table:
    return table(
        name,
        Column("scope", tiny(), primary_key=True, autoincrement=False),
        Column("scope_id", Integer, primary_key=True, autoincrement=False),
        Column("begin", UTCDateTime(), primary_key=True),
        *(Column(field, Integer, nullable=False) for field in COUNTS),
        *(Column(field, BigInteger, nullable=False) for field in TIMES),
        Column("peak_ports", Integer, nullable=False),
        Column("peak_at", UTCDateTime(6), nullable=False),
        Column("sampled_ports", Integer),
        Index(f"{name}_begin", "begin"),
    )


usage_hour: Final = _usage("usage_hour")
usage_day: Final = _usage("usage_day")
"""What a scope (`vdx.usage.Scope`) used in the hour or the Danish day that begins at `begin`.

`sampled_ports` is the greatest number that the status miner's polls saw, for the platform and its
locations, NULL where there was no poll.
"""

HISTORY: Final = (history_conference, history_participant, history_media_stream, history_backplane)
"""The tables that MySQL keeps in month partitions of `ended`."""
