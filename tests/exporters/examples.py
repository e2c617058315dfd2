"""A small platform: two central locations that are a data centre each, and a decentral one."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from exporters.pexip import PexipExporter
from exporters.samples import samples
from vdx.capacity import TelephonyRule, Usage, measure
from vdx.metrics import Metric
from vdx.pexip import records
from vdx.settings import LocationSettings, MetricsSettings, PSTNSettings, Settings
from vdx.snapshot import Configuration, Failure, Snapshot

TIME = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

SETTINGS = Settings(
    locations=LocationSettings(
        central=("Aarhus", "Odense"), data_centres={"West": ("Aarhus",), "East": ("Odense",)}
    ),
    pstn=PSTNSettings(addresses=("192.0.2.40",)),
    metrics=MetricsSettings(service_tags=2),
)


def node(number: int, name: str, location: str, **fields: Any) -> records.WorkerVM:
    defaults: dict[str, Any] = {
        "id": number,
        "configuration_id": number,
        "name": name,
        "node_type": "CONFERENCING",
        "system_location": location,
        "version": "37 (80240.0.0)",
        "boot_time": datetime(2026, 3, 1, tzinfo=UTC),
        "sync_status": "SYNCED",
        "cpu_model": "Intel Xeon Gold 6248R",
        "hypervisor": "VMware",
        "media_load": 50,
        "media_tokens_used": 200,
        "max_media_tokens": 400,
        "max_hd_calls": 20,
        "signaling_count": 3,
    }
    return records.WorkerVM(**defaults | fields)


def participant(number: int, **fields: Any) -> records.Participant:
    defaults: dict[str, Any] = {
        "id": f"00000000-0000-0000-0000-{number:012}",
        "conference": "Consultation",
        "service_type": "conference",
        "service_tag": "region-midt",
        "system_location": "Aarhus",
        "protocol": "WebRTC",
        "call_quality": "1_good",
        "license_count": 1,
        "license_type": "port",
        "media_node": "10.0.0.1",
        "source_alias": "patient@example.org",
        "remote_address": "198.51.100.7",
        "has_media": True,
    }
    return records.Participant(**defaults | fields)


def snapshot(**fields: Any) -> Snapshot:
    platform: dict[str, Any] = {
        "time": TIME,
        "duration_seconds": 0.5,
        "conferences": [
            records.Conference(id="c1", name="Consultation", service_type="conference"),
            records.Conference(id="c2", name="Lecture", service_type="lecture"),
        ],
        "conference_shards": [
            records.ConferenceShard(id="s1", conference="Consultation", node="10.0.0.1"),
            records.ConferenceShard(id="s2", conference="Consultation", node="10.0.0.2"),
            records.ConferenceShard(id="s3", conference="Lecture", node="10.0.0.1"),
        ],
        "participants": [
            participant(1),
            participant(2, is_presenting=True),
            participant(3, protocol="SIP", call_quality="3_bad", remote_address="192.0.2.40"),
            participant(4, system_location="Odense", media_node="10.0.0.2", service_tag=""),
            participant(5, system_location="Randers", service_tag="randers", conference="Lecture"),
            participant(6, has_media=False, license_count=0, license_type="nolicense", protocol="API"),
        ],
        "backplanes": [records.Backplane(id="b1", conference="Consultation", system_location="Aarhus")],
        "locations": [
            records.SystemLocation(id=1, name="Aarhus", media_load=50.0),
            records.SystemLocation(id=2, name="Odense", media_load=25.0),
            records.SystemLocation(id=3, name="Randers"),
        ],
        "nodes": [
            node(1, "aar-conf01", "Aarhus"),
            node(2, "ode-conf01", "Odense", media_tokens_used=100, media_load=25),
            node(3, "ran-conf01", "Randers", maintenance_mode=True, media_tokens_used=0, media_load=100),
        ],
        "managers": [records.ManagementVM(id=1, name="manager", version="37 (80240.0.0)")],
        "licensing": records.Licensing(port_count=5, port_total=1500, vmr_count=900, vmr_total=2147483646),
        "alarms": [
            records.Alarm(id=1, name="connectivity_lost", level="Error", instance="ode-conf01"),
            records.Alarm(id=2, name="licenses_exhausted", level="warning"),
        ],
        "registrations": [
            records.RegistrationAlias(id=1, registration_id="r1", protocol="SIP"),
            records.RegistrationAlias(id=2, registration_id="r1", protocol="SIP"),
            records.RegistrationAlias(id=3, registration_id="r2", protocol="h323"),
        ],
        "teams_nodes": [
            records.TeamsNode(id="t1", name="teams-0", state="Active", call_count=7, max_calls=16)
        ],
        "configuration": Configuration(
            worker_vms=[
                records.WorkerVMConfiguration(id=1, name="aar-conf01", address="10.0.0.1"),
                records.WorkerVMConfiguration(id=2, name="ode-conf01", address="10.0.0.2"),
                records.WorkerVMConfiguration(id=3, name="ran-conf01", address="10.0.0.3"),
            ],
            licences=[
                records.LicenceConfiguration("f1", product_id="port", expiration_date="31-dec-2027"),
                records.LicenceConfiguration("f2", product_id="port", expiration_date="01-Dec-2027"),
                records.LicenceConfiguration("f3", product_id="vmr", expiration_date="permanent"),
            ],
        ),
    }
    return Snapshot(**platform | fields)


def unreadable(*resources: str, **fields: Any) -> Snapshot:
    """The example with resources that could not be read."""
    missing = {
        "participant": "participants",
        "conference": "conferences",
        "conference_shard": "conference_shards",
        "backplane": "backplanes",
        "system_location": "locations",
        "worker_vm": "nodes",
        "management_vm": "managers",
        "licensing": "licensing",
        "alarm": "alarms",
        "registration_alias": "registrations",
        "teamsnode": "teams_nodes",
    }
    names = resources or tuple(missing)
    return snapshot(
        **fields,
        **{missing[name]: None for name in names},
        failures={name: Failure("it answered with status 503", 503) for name in names},
    )


def usage_of(taken: Snapshot, settings: Settings = SETTINGS) -> Usage:
    return measure(taken, settings, TelephonyRule(settings.pstn))


def families(taken: Snapshot, settings: Settings = SETTINGS) -> dict[Metric, dict[tuple[str, ...], float]]:
    listed = samples(taken, usage_of(taken, settings), settings)
    assert len({metric.name for metric, _ in listed}) == len(listed)
    return {metric: dict(values) for metric, values in listed}


def publish(exporter: PexipExporter, taken: Snapshot, settings: Settings = SETTINGS) -> None:
    exporter.publish(taken, usage_of(taken, settings))


def with_fields(record: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(record, **fields)
