"""What one poll brings to the database: a value that can be written, or kept in the spool for later.

A spooled cycle may be read by a later version, so fields are appended only, with a default.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar

import msgspec


class PlatformFigures(msgspec.Struct, frozen=True, array_like=True):
    """The platform at one beat; None is unknown. Ports as in `vdx.capacity`."""

    license_ports: float | None = None
    license_limit: float | None = None
    license_reported_used: float | None = None
    license_reported_limit: float | None = None
    pstn_lines: float | None = None
    pstn_limit: float | None = None
    participants: float | None = None
    control_only: float | None = None
    presenting: float | None = None
    streaming: float | None = None
    conferences: float | None = None
    backplanes: float | None = None
    registrations: float | None = None
    alarms: float | None = None
    hardware_used: float | None = None
    hardware_limit: float | None = None


class LocationFigures(msgspec.Struct, frozen=True, array_like=True):
    """A location at one beat; None is unknown. `media_load` 0 to 1, the qualities are participants."""

    media_load: float | None = None
    license_ports: float | None = None
    participants: float | None = None
    control_only: float | None = None
    quality_unknown: float | None = None
    quality_good: float | None = None
    quality_ok: float | None = None
    quality_bad: float | None = None
    quality_terrible: float | None = None
    hardware_used: float | None = None
    hardware_limit: float | None = None


class NodeFigures(msgspec.Struct, frozen=True, array_like=True):
    """A node at one beat; None is unknown. `media_load` 0 to 1, `up` and `maintenance` 0 or 1."""

    media_load: float | None = None
    media_tokens_used: float | None = None
    media_tokens_limit: float | None = None
    hardware_used: float | None = None
    hardware_limit: float | None = None
    signalled_calls: float | None = None
    conferences: float | None = None
    participants: float | None = None
    up: float | None = None
    maintenance: float | None = None


FRACTIONS: Final = frozenset({"media_load", "hardware_used", "hardware_limit"})
"""Figures that are not whole numbers."""


class ConferenceRow(msgspec.Struct, frozen=True, array_like=True):
    """A conference as it opens. `name` is None unless identities are stored."""

    id: bytes
    started: datetime | None
    name_hash: bytes
    name: str | None
    service_type: str
    service_tag: str


class ParticipantRow(msgspec.Struct, frozen=True, array_like=True):
    """A segment of a call leg as it opens. `alias` is None unless identities are stored.

    Qualities are 0 unknown, 1 good, 2 ok, 3 bad, 4 terrible, as the platform numbers them.
    """

    id: bytes
    started: datetime | None
    conference_id: bytes | None
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
    quality: int
    worst_quality: int


Row = TypeVar("Row", ConferenceRow, ParticipantRow)


class Changes(msgspec.Struct, Generic[Row], frozen=True, array_like=True):
    """What changed since the last poll that could read the resource.

    With `full`, `opened` is all that is present, and whatever else the database has open has ended.
    `closed` and `worse` map a quality (the last one, the worst one) to identifiers; conferences have 0.
    """

    full: bool
    opened: Sequence[Row]
    closed: Mapping[int, Sequence[bytes]] = {}
    worse: Mapping[int, Sequence[bytes]] = {}
    last_seen: datetime | None = None


class PollFailure(msgspec.Struct, frozen=True, array_like=True):
    """A resource that a poll could not read; `code` is the HTTP status, or 0 without an answer."""

    resource: str
    reason: str
    code: int


class ConfigurationRecord(msgspec.Struct, frozen=True, array_like=True):
    """One configured thing, and its fields as text."""

    key: str
    name: str
    content: Mapping[str, str]


class Cycle(msgspec.Struct, frozen=True, array_like=True):
    """All that one poll brings. An interval resource that could not be read is None.

    `configuration` maps a kind to all its records, for the kinds that changed since they were last told.
    """

    time: datetime
    duration_seconds: float
    up: bool
    rejected: int
    failures: Sequence[PollFailure]
    platform: PlatformFigures
    locations: Mapping[str, LocationFigures]
    nodes: Mapping[str, NodeFigures]
    conferences: Changes[ConferenceRow] | None
    participants: Changes[ParticipantRow] | None
    configuration: Mapping[str, Sequence[ConfigurationRecord]] = {}


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Cycle)


def encode(cycle: Cycle) -> bytes:
    """The cycle as MessagePack."""
    return _ENCODER.encode(cycle)


def decode(data: bytes) -> Cycle:
    """The cycle again. Raises msgspec.DecodeError."""
    return _DECODER.decode(data)
