"""Rows of usage and of ended calls for tests, as the history miner would leave them."""

import contextlib
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert

from vdx.pexip.resources import HISTORY_PARTICIPANT
from vdx.settings import Settings
from vdx.store.database import open_engine
from vdx.store.history_tables import (
    history_participant,
    history_progress,
    identity,
    organisation,
    organisation_place,
    term,
    usage_day,
)
from vdx.store.tables import location, node
from vdx.usage import COUNTS, TIMES, Scope

Row = dict[str, Any]

ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)
MINUTES = 60_000_000
"""Microseconds."""
TERMS = {
    "protocol": ["WebRTC", "SIP"],
    "service_type": ["conference"],
    "license_type": ["port", "nolicense"],
    "device": ["browser/Chrome", "room/Cisco"],
    "reason": ["Call disconnected"],
    "codec": ["opus", "VP8"],
    "tag": ["hjerterehab", "=SUM(A1)"],
    "network": ["192.0.2.0/24"],
}
"""Kind -> its texts, numbered from 1."""


@contextlib.contextmanager
def writing(settings: Settings) -> Iterator[Connection]:
    """A connection whose rows are there at the end of the block."""
    engine = open_engine(settings, writes=True)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def put(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Inserts rows, if any."""
    wanted = list(rows)
    if wanted:
        connection.execute(insert(table), wanted)


def used(scope: Scope, scope_id: int, begin: datetime, **figures: Any) -> Row:
    """A row of usage in which all is 0 but what is given."""
    row: Row = dict.fromkeys((*COUNTS, *TIMES, "peak_ports"), 0)
    row |= {"scope": scope, "scope_id": scope_id, "begin": begin, "peak_at": begin, "sampled_ports": None}
    return row | figures


def number_of(*parts: object) -> bytes:
    """Sixteen bytes that parts stand for."""
    return hashlib.md5(repr(parts).encode()).digest()


def ended_call(ended: datetime, number: int = 0, **fields: Any) -> Row:
    """A completed call of ten minutes by WebRTC, of organisation 1."""
    row: Row = {
        "ended": ended,
        "id": number_of(number),
        "started": ended - timedelta(minutes=10),
        "conference_id": uuid.UUID(int=7).bytes,
        "organisation_id": 1,
        "room_id": 1,
        "remote_id": 2,
        "local_id": 3,
        "service_tag_id": 1,
        "network_id": 1,
        "location_id": 1,
        "media_node_id": 1,
        "signalling_node_id": 1,
        "proxy_node_id": None,
        "device_id": 1,
        "disconnect_reason_id": 1,
        "rx_bandwidth": 1200,
        "tx_bandwidth": 900,
        "rx_loss": 123,
        "tx_loss": 0,
        "bad_percent": 10,
        "height": 720,
        "audio_codec_id": 1,
        "video_codec_id": 2,
        "protocol_id": 1,
        "service_type_id": 1,
        "license_type_id": 1,
        "license_count": 1,
        "rule": 1,
        "outcome": 0,
        "quality": 1,
        "outgoing": False,
        "host": True,
        "has_media": True,
        "encrypted": True,
    }
    return row | fields


def put_names(connection: Connection, *, identities: bool = False) -> None:
    """Terms, two locations, a node, three identities, and the organisations Nord (1) with Afdeling (2) and
    Klinik (3) below it, and Syd (4)."""
    for kind, names in TERMS.items():
        put(connection, term, ({"kind": kind, "id": n, "name": name} for n, name in enumerate(names, 1)))
    put(connection, location, ({"name": name} for name in ("Aarhus", "Odense")))
    put(connection, node, [{"name": "aarhus-1"}])
    people = ("Jyttes rum", "+4512345678", "rum@example.org")
    put(
        connection,
        identity,
        (
            {
                "id": number,
                "hash": number_of("identity", number),
                "domain_id": 0,
                "pattern_id": 0,
                "seen": date(2026, 10, 1),
                "name": name if identities else None,
            }
            for number, name in enumerate(people, 1)
        ),
    )
    units = ("Nord", "Afdeling", "Klinik", "Syd")
    put(
        connection,
        organisation,
        (
            {"id": number, "source_key": f"key-{number}", "name": name, "kind": "unit"}
            for number, name in enumerate(units, 1)
        ),
    )
    put(
        connection,
        organisation_place,
        (
            {"organisation_id": number, "valid_from": ALWAYS, "valid_to": None, "parent_id": parent}
            for number, parent in ((1, None), (2, 1), (3, 1), (4, None))
        ),
    )


def put_progress(connection: Connection, watermark: datetime, longest_seconds: int = 86_400) -> None:
    """History has been read up to there."""
    put(
        connection,
        history_progress,
        [
            {
                "resource": HISTORY_PARTICIPANT.name,
                "watermark": watermark,
                "longest_seconds": longest_seconds,
            }
        ],
    )


def put_calls(connection: Connection, *rows: Row) -> None:
    """Ended calls."""
    put(connection, history_participant, rows)


def put_days(connection: Connection, *rows: Row) -> None:
    """Usage by the day."""
    put(connection, usage_day, rows)
