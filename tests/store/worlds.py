"""Small platforms to store, and settings that point to a test's own database."""

import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection

from vdx.capacity import TelephonyRule, Usage, measure
from vdx.pexip.records import (
    Conference,
    Participant,
    SystemLocation,
    WorkerVM,
    WorkerVMConfiguration,
)
from vdx.settings import DatabaseSettings, DataSettings, PrivacySettings, Settings
from vdx.snapshot import Configuration, Failure, Snapshot
from vdx.store import queries

START = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""A Monday."""
BEAT = timedelta(seconds=30)


def beat(number: int) -> datetime:
    """The time of a beat, counted from the start."""
    return START + number * BEAT


def settings(
    url: str | None, directory: Path, *, store_identities: bool = False, **database: Any
) -> Settings:
    """Settings with a database, and a data folder under `directory`."""
    return Settings(
        database=DatabaseSettings(url=None if url is None else SecretStr(url), **database),
        data=DataSettings(directory=directory / "data"),
        privacy=PrivacySettings(store_identities=store_identities),
    )


def eventually(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Waits until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def key(name: str) -> str:
    """A UUID that a short name stands for."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def leg(name: str, **fields: Any) -> Participant:
    """A call leg that holds one licence port, in location Aarhus and conference vmr."""
    known: dict[str, Any] = {
        "conference": "vmr",
        "system_location": "Aarhus",
        "protocol": "WebRTC",
        "call_direction": "in",
        "call_quality": "1_good",
        "license_type": "port",
        "license_count": 1,
        "has_media": True,
        "encryption": "On",
        "media_node": "10.0.0.1",
        "service_type": "conference",
        "service_tag": "region-midt",
        "connect_time": START,
        "participant_alias": f"{name}@example.dk",
    }
    return Participant(id=key(name), **known | fields)


def conference(name: str, **fields: Any) -> Conference:
    """A running conference of a meeting room."""
    known: dict[str, Any] = {"service_type": "conference", "tag": "region-midt", "start_time": START}
    return Conference(id=key(f"conference {name}"), name=name, **known | fields)


NODES = (
    WorkerVM(
        id=1,
        configuration_id=1,
        name="aarhus-1",
        node_type="CONFERENCING",
        system_location="Aarhus",
        max_hd_calls=80,
        max_media_tokens=1600,
        media_tokens_used=320,
        media_load=20,
    ),
    WorkerVM(id=2, configuration_id=2, name="ålborg-1", system_location="Ålborg", maintenance_mode=True),
)
LOCATIONS = (SystemLocation(id=1, name="Aarhus", media_load=20), SystemLocation(id=2, name="Ålborg"))
CONFIGURATION = Configuration(
    worker_vms=[
        WorkerVMConfiguration(id=1, name="aarhus-1", address="10.0.0.1"),
        WorkerVMConfiguration(id=2, name="ålborg-1", address="10.0.0.2"),
    ]
)


def poll(
    number: int,
    legs: Iterable[Participant] | None = (),
    conferences: Iterable[Conference] | None = None,
    *,
    unread_conferences: bool = False,
    **fields: Any,
) -> tuple[Snapshot, Usage]:
    """The poll of a beat: these legs, and the conferences that they name. None is what could not be read."""
    legs = None if legs is None else list(legs)
    unread = {"participant": legs is None, "conference": unread_conferences}
    failures = {
        resource: Failure("it did not answer in time") for resource, is_unread in unread.items() if is_unread
    }
    if conferences is None:
        conferences = [conference(name) for name in sorted({leg.conference for leg in legs or ()})]
    known: dict[str, Any] = {
        "nodes": NODES,
        "locations": LOCATIONS,
        "configuration": CONFIGURATION,
        "failures": failures,
    }
    snapshot = Snapshot(
        time=beat(number),
        duration_seconds=0.25,
        participants=legs,
        conferences=None if unread_conferences else list(conferences),
        **known | fields,
    )
    return snapshot, measure(snapshot, Settings(), TelephonyRule(Settings().pstn))


def changing_legs(number: int, count: int = 12) -> list[Participant]:
    """Legs of which each beat brings some, takes some and changes some; the same for the same beat."""
    generator = random.Random(number)
    return [
        leg(str(name), license_count=generator.randrange(3), system_location=generator.choice(PLACES))
        for name in range(count)
        if generator.random() < 0.7
    ]


PLACES = ("Aarhus", "Ålborg")


def assert_intervals_agree(connection: Connection, expected: Mapping[datetime, Usage]) -> None:
    """At each of these polls, what was open in the database is what the poll counted, and nothing is there
    twice."""
    for beat_time, usage in expected.items():
        legs = queries.participants_open(connection, beat_time)
        if usage.license_ports is not None and usage.license_ports_by_location is not None:
            assert queries.license_ports_open(connection, beat_time) == usage.license_ports, beat_time
            places = {
                place: sum(leg.license_count for leg in legs if leg.location == place)
                for place in usage.license_ports_by_location
            }
            assert places == dict(usage.license_ports_by_location), beat_time
            assert sum(leg.has_media for leg in legs) == usage.participants_total, beat_time
        if usage.conferences_total is not None:
            assert len(queries.conferences_open(connection, beat_time)) == usage.conferences_total, beat_time
        assert len({leg.id for leg in legs}) == len(legs), beat_time
