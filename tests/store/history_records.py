"""Records of history for tests, and a writer for them."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from vdx.capacity import TelephonyRule
from vdx.claims import Claims
from vdx.pexip.history import (
    HistoryAlarm,
    HistoryBackplane,
    HistoryConference,
    HistoryMediaStream,
    HistoryParticipant,
    WorkerVMStatusEvent,
)
from vdx.settings import HistorySettings, PSTNSettings
from vdx.store.history import HistoryWriter
from vdx.store.history_rows import Context
from vdx.store.identities import Pseudonyms
from vdx.store.texts import Identities

NINE = datetime(2026, 11, 18, 9, tzinfo=UTC)
"""A Wednesday, 10 o'clock in Denmark."""
ZONE = ZoneInfo("Europe/Copenhagen")
DEFAULTS = HistorySettings()


def at(minutes: float) -> datetime:
    """So many minutes past nine."""
    return NINE + timedelta(minutes=minutes)


def key(name: str) -> str:
    """A UUID that a short name stands for."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def leg(name: str, begin: float | None, end: float | None, **fields: Any) -> HistoryParticipant:
    """An ended call leg, from and to minutes past nine; without a begin it never connected."""
    known: dict[str, Any] = {
        "conference": f"/api/admin/history/v1/conference/{key('meeting')}/",
        "conference_name": "Room 7",
        "call_direction": "in",
        "call_quality": "1_good",
        "protocol": "WebRTC",
        "vendor": "Pexip Infinity Connect/2.0 (Windows NT 10.0) chrome/124",
        "license_type": "port" if begin is not None else "nolicense",
        "license_count": 1 if begin is not None else 0,
        "has_media": True,
        "encryption": "On",
        "role": "chair",
        "local_alias": "room7@vdx.example",
        "remote_alias": f"{name}@aarhus.example",
        "remote_address": "10.1.2.3",
        "media_node": "10.0.0.1",
        "signalling_node": "10.0.0.2",
        "service_tag": "kommune-aarhus",
        "service_type": "conference",
        "system_location": "Central Vest",
        "disconnect_reason": "Call disconnected",
        "bucketed_call_quality": (1, 20, 3, 2, 1),
        "media_streams": (stream(0, "audio"), stream(1, "video")),
    }
    return HistoryParticipant(
        id=key(name),
        start_time=None if begin is None else at(begin),
        end_time=None if end is None else at(end),
        **known | fields,
    )


def stream(number: int, kind: str, **fields: Any) -> HistoryMediaStream:
    """A media stream of a leg."""
    known: dict[str, Any] = {
        "stream_type": kind,
        "node": "10.0.0.1",
        "rx_codec": "opus" if kind == "audio" else "H264",
        "tx_codec": "opus" if kind == "audio" else "VP8",
        "rx_resolution": "" if kind == "audio" else "1280x720",
        "tx_resolution": "" if kind == "audio" else "1920x1080",
        "rx_packets_received": 990,
        "rx_packets_lost": 10,
        "tx_packets_sent": 1000,
        "tx_packets_lost": 5,
        "rx_packet_loss": 1.0,
        "tx_packet_loss": 0.5,
        "rx_fps": 29.6,
        "rx_bitrate": 512,
    }
    return HistoryMediaStream(id=number, stream_id=str(number), **known | fields)


def meeting(name: str, begin: float, end: float, *legs: str, **fields: Any) -> HistoryConference:
    """An ended conference with these legs."""
    known: dict[str, Any] = {"name": "Room 7", "service_type": "conference", "tag": "kommune-aarhus"}
    return HistoryConference(
        id=key(name),
        start_time=at(begin),
        end_time=at(end),
        participant_count=len(legs),
        participants=tuple(f"/api/admin/history/v1/participant/{key(one)}/" for one in legs),
        **known | fields,
    )


def backplane(name: str, begin: float, end: float, **fields: Any) -> HistoryBackplane:
    """An ended backplane."""
    known: dict[str, Any] = {
        "conference": f"/api/admin/history/v1/conference/{key('meeting')}/",
        "type": "geo",
        "protocol": "INTERNAL",
        "media_node": "10.0.0.1",
        "remote_media_node": "10.0.0.9",
        "system_location": "Central Vest",
    }
    return HistoryBackplane(id=key(name), start_time=at(begin), end_time=at(end), **known | fields)


def alarm(number: int, begin: float, end: float) -> HistoryAlarm:
    """A lowered alarm."""
    return HistoryAlarm(
        id=number,
        name="connectivity_lost",
        level="error",
        node="10.0.0.1",
        time_raised=at(begin),
        time_lowered=at(end),
    )


def event(number: int, time: float) -> WorkerVMStatusEvent:
    """A node changed its state."""
    return WorkerVMStatusEvent(
        id=number, event_type="maintenance_mode", state="active", time_changed=at(time)
    )


def context(claims: Claims | None = None, **pstn: Any) -> Context:
    """What rows are made with: one node is known by name, and the settings' defaults."""
    return Context(
        nodes={"10.0.0.1": "vest-1"},
        telephony=TelephonyRule(PSTNSettings(**pstn)),
        claims=claims or Claims(),
        license_reasons=re.compile(DEFAULTS.license_reasons, re.IGNORECASE),
        capacity_reasons=re.compile(DEFAULTS.capacity_reasons, re.IGNORECASE),
        today=date(2026, 11, 18),
    )


def writer(claims: Claims | None = None, *, names: bool = False) -> HistoryWriter:
    """A writer whose pseudonyms are of a fixed key."""
    known = claims or Claims()
    keys = Pseudonyms(b"key")
    return HistoryWriter(Identities(lambda text: known.describe(text, keys.of), names=names), ZONE)
