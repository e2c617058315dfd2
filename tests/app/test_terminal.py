"""What a person at a terminal and a machine behind a pipe get to read."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console

from app.terminal import as_json, line, report
from vdx.capacity import TelephonyRule, Usage, measure
from vdx.pexip.records import Conference, Participant, WorkerVM
from vdx.settings import LicenseSettings, LocationSettings, Settings
from vdx.snapshot import Failure, Snapshot

BEAT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Copenhagen")
SETTINGS = Settings(
    licenses=LicenseSettings(ports=2),
    locations=LocationSettings(central=("East",), data_centres={"DC East": ("East",)}),
)
SNAPSHOT = Snapshot(
    time=BEAT,
    duration_seconds=0.1,
    conferences=[Conference(id="1", name="Jytte's room", service_type="conference")],
    participants=[
        Participant(
            id=str(number),
            conference="Jytte's room",
            system_location="East",
            protocol="SIP",
            license_type="port",
            license_count=1,
            has_media=True,
            participant_alias="jytte@example.org",
        )
        for number in range(3)
    ],
    nodes=[
        WorkerVM(
            id=1,
            name="node1",
            node_type="CONFERENCING",
            system_location="East",
            max_hd_calls=10,
            max_media_tokens=100,
            media_tokens_used=50,
        )
    ],
    rejected={"alarm": 2},
)
BLIND = Snapshot(
    time=BEAT,
    duration_seconds=0.1,
    failures={name: Failure("no connection") for name in ("participant", "conference", "worker_vm")},
)


def measured(snapshot: Snapshot) -> Usage:
    return measure(snapshot, SETTINGS, TelephonyRule(SETTINGS.pstn))


def printed(snapshot: Snapshot, width: int = 120) -> str:
    console = Console(width=width, record=True, force_terminal=False, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(report(snapshot, measured(snapshot), SETTINGS))
    return console.export_text()


def test_a_line_tells_over_use_as_it_is_in_danish_time() -> None:
    text = line(SNAPSHOT, measured(SNAPSHOT), ZONE).plain
    assert text.startswith("10:00:00")
    assert "licences 3 of 2 (150%)" in text
    assert "central 5 of 10 (50%)" in text


def test_a_line_of_a_failed_poll_says_why_once() -> None:
    assert line(BLIND, measured(BLIND), ZONE).plain == "10:00:00  no figures: no connection"


def test_the_tables_tell_shortage_malformed_rows_and_what_is_not_known() -> None:
    text = printed(SNAPSHOT)
    assert "Tuesday 24 November 2026 10:00:00 CET" in text
    assert "with DC East out: 5 ports lacking" in text
    assert "malformed: 2 rows of alarm are left out" in text
    assert "? alarms" in text


def test_the_tables_of_a_failed_poll_name_each_resource_and_the_reason_once() -> None:
    text = printed(BLIND)
    assert "not read: conference, participant, worker_vm: no connection" in text
    assert "Nodes" not in text


def test_json_counts_conferences_and_names_nobody() -> None:
    text = as_json(SNAPSHOT, measured(SNAPSHOT))
    figures = json.loads(text)
    assert figures["license_ports"] == 3
    assert figures["participants"] == [{"location": "East", "protocol": "SIP", "count": 3}]
    assert b"ytte" not in text
    assert json.loads(as_json(BLIND, measured(BLIND)))["license_ports"] is None
    assert msgspec.json.decode(text)["up"] is True
