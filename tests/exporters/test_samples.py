"""From a snapshot to samples."""

from datetime import UTC, datetime

import msgspec
import pytest

from exporters.samples import expiration, largest_tags
from tests.exporters.examples import (
    SETTINGS,
    families,
    node,
    participant,
    snapshot,
    unreadable,
    with_fields,
)
from vdx import metrics
from vdx.pexip import records
from vdx.settings import LocationSettings, MetricsSettings, Settings
from vdx.snapshot import Configuration, Failure

AARHUS = ("Aarhus", "central")
ODENSE = ("Odense", "central")
RANDERS = ("Randers", "decentral")


def test_licences_are_shown_by_location_service_and_tag() -> None:
    found = families(snapshot())
    assert found[metrics.LICENSE_PORTS_USED] == {(): 5}
    assert found[metrics.LICENSE_PORTS_LIMIT] == {(): 1500}
    assert found[metrics.LOCATION_LICENSE_PORTS_USED] == {AARHUS: 3, ODENSE: 1, RANDERS: 1}
    services = found[metrics.SERVICE_LICENSE_PORTS_USED]
    assert services["conference",] == 5
    assert services["ivr",] == services["gateway",] == 0
    assert found[metrics.TAG_LICENSE_PORTS_USED] == {("region-midt",): 3, ("none",): 1, ("other",): 1}


def test_the_platforms_own_licence_counts_are_shown_as_they_are() -> None:
    found = families(snapshot())
    assert found[metrics.LICENSE_REPORTED_USED]["port",] == 5
    assert found[metrics.LICENSE_REPORTED_LIMIT]["vmr",] == 2147483646
    assert sorted(name for (name,) in found[metrics.LICENSE_REPORTED_USED]) == ["port", "vmr"]


def test_every_kind_of_licence_that_is_reported_has_a_series() -> None:
    names = ["audio", "ghm", "otj", "port", "scheduling", "system", "teams", "telehealth", "vmr"]
    counts = {f"{name}_count": number for number, name in enumerate(names)}
    licensing = msgspec.convert(counts, records.Licensing)
    found = families(snapshot(licensing=licensing))
    used = {(name,): number for number, name in enumerate(names)}
    assert found[metrics.LICENSE_REPORTED_USED] == used
    assert found[metrics.LICENSE_REPORTED_LIMIT] == {}


def test_use_above_the_limits_is_not_clamped() -> None:
    crowd = [participant(number, license_count=2) for number in range(1000)]
    full = node(1, "aar-conf01", "Aarhus", media_tokens_used=500, media_load=125)
    found = families(snapshot(participants=crowd, nodes=[full]))
    assert found[metrics.LICENSE_PORTS_USED] == {(): 2000}
    assert found[metrics.HARDWARE_PORTS_USED][AARHUS] == 25
    assert found[metrics.HARDWARE_PORTS_LIMIT][AARHUS] == 20
    assert found[metrics.NODE_MEDIA_LOAD]["aar-conf01", *AARHUS] == 1.25


def test_hardware_counts_nodes_that_can_take_calls() -> None:
    found = families(snapshot())
    assert found[metrics.HARDWARE_PORTS_USED] == {AARHUS: 10, ODENSE: 5, RANDERS: 0}
    assert found[metrics.HARDWARE_PORTS_LIMIT] == {AARHUS: 20, ODENSE: 0, RANDERS: 0}
    assert found[metrics.HARDWARE_PORTS_NOMINAL] == {(): 5100}
    assert found[metrics.DATA_CENTRE_HARDWARE_PORTS_LIMIT] == {("West",): 20, ("East",): 0}
    assert found[metrics.DATA_CENTRE_OUT_HEADROOM] == {("West",): -15, ("East",): 5}


def test_nodes_are_shown_with_their_state() -> None:
    found = families(snapshot())
    first, lost, maintained = ("aar-conf01", *AARHUS), ("ode-conf01", *ODENSE), ("ran-conf01", *RANDERS)
    assert found[metrics.NODE_UP] == {first: True, lost: False, maintained: True}
    assert found[metrics.NODE_MAINTENANCE] == {first: False, lost: False, maintained: True}
    assert found[metrics.NODE_CONFERENCES] == {first: 2, lost: 1, maintained: 0}
    assert found[metrics.NODE_PARTICIPANTS] == {first: 4, lost: 1, maintained: 0}
    assert found[metrics.NODE_TOKENS_USED][first] == 200
    assert found[metrics.NODE_SYNCED][first] == 1
    assert found[metrics.NODE_BOOT_TIME][first] == datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    info = (*first, "37 (80240.0.0)", "CONFERENCING", "VMware", "Intel Xeon Gold 6248R")
    assert found[metrics.NODE_INFO][info] == 1
    assert found[metrics.MANAGER_INFO] == {("manager", "37 (80240.0.0)"): 1}


def test_a_node_without_a_boot_time_has_no_such_series() -> None:
    found = families(snapshot(nodes=[node(1, "aar-conf01", "Aarhus", boot_time=None, sync_status="SYNCING")]))
    assert found[metrics.NODE_BOOT_TIME] == {}
    assert list(found[metrics.NODE_SYNCED].values()) == [0]


def test_without_alarms_nothing_is_said_of_contact_with_nodes() -> None:
    found = families(unreadable("alarm"))
    assert metrics.NODE_UP not in found
    assert metrics.NODE_MAINTENANCE in found


def test_without_the_nodes_addresses_nothing_is_said_of_what_they_host() -> None:
    found = families(snapshot(configuration=Configuration()))
    assert metrics.NODE_CONFERENCES not in found
    assert metrics.NODE_PARTICIPANTS not in found


def test_locations_are_shown_with_load_tier_and_data_centre() -> None:
    found = families(snapshot())
    assert found[metrics.LOCATION_MEDIA_LOAD] == {AARHUS: 0.5, ODENSE: 0.25, RANDERS: 0}
    assert set(found[metrics.LOCATION_INFO]) == {(*AARHUS, "West"), (*ODENSE, "East"), (*RANDERS, "")}


def test_participants_are_shown_by_protocol_and_quality_with_zeros() -> None:
    found = families(snapshot())
    protocols = found[metrics.PARTICIPANTS]
    assert protocols[*AARHUS, "WebRTC"] == 2
    assert protocols[*AARHUS, "SIP"] == 1
    assert protocols[*RANDERS, "H323"] == 0
    qualities = found[metrics.PARTICIPANTS_BY_QUALITY]
    assert len(qualities) == 3 * 5
    assert qualities[*AARHUS, "bad"] == 1
    assert qualities[*ODENSE, "terrible"] == 0
    assert found[metrics.CONTROL_ONLY_LEGS] == {AARHUS: 1, ODENSE: 0, RANDERS: 0}
    assert found[metrics.PARTICIPANTS_PRESENTING] == {(): 1}
    assert found[metrics.PSTN_LINES_USED] == {(): 1}
    assert found[metrics.PSTN_LINES_LIMIT] == {(): 40}


def test_a_protocol_has_one_spelling_and_another_one_passes_through() -> None:
    people = [participant(1, protocol="WEBRTC"), participant(2), participant(3, protocol="Carrier")]
    protocols = families(snapshot(participants=people))[metrics.PARTICIPANTS]
    assert protocols[*AARHUS, "WebRTC"] == 2
    assert protocols[*AARHUS, "Carrier"] == 1
    assert (*AARHUS, "WEBRTC") not in protocols


def test_conferences_are_shown_by_type_size_and_spread() -> None:
    found = families(snapshot())
    assert found[metrics.CONFERENCES]["lecture",] == 1
    assert found[metrics.CONFERENCES]["gateway",] == 0
    sizes = {size: count for (size,), count in found[metrics.CONFERENCES_BY_SIZE].items()}
    assert list(sizes) == ["0", "1", "2", "3-5", "6-10", "11-20", "21-50", "51-100", "101+"]
    assert {size for size, count in sizes.items() if count} == {"1", "3-5"}
    assert found[metrics.CASCADED_CONFERENCES] == {(): 1}
    assert found[metrics.BACKPLANES] == {AARHUS: 1, ODENSE: 0, RANDERS: 0}


def test_devices_alarms_and_teams_are_shown() -> None:
    found = families(snapshot())
    assert found[metrics.REGISTRATIONS] == {("H323",): 1, ("SIP",): 1, ("WebRTC",): 0}
    assert found[metrics.ALARMS] == {("connectivity_lost", "error"): 1, ("licenses_exhausted", "warning"): 1}
    assert found[metrics.TEAMS_NODE_CALLS] == {("teams-0",): 7}
    assert found[metrics.TEAMS_NODE_CALLS_LIMIT] == {("teams-0",): 16}
    assert found[metrics.TEAMS_NODE_UP] == {("teams-0",): 1}


def test_rows_that_share_their_labels_are_one_series() -> None:
    alarm = records.Alarm(id=1, name="licenses_exhausted", level="warning")
    teams = records.TeamsNode(id="t1", name="teams-0", instance_status="Failure", call_count=1, max_calls=16)
    twice = snapshot(
        nodes=[node(1, "aar-conf01", "Aarhus"), node(2, "aar-conf01", "Aarhus", version="38")],
        alarms=[alarm, with_fields(alarm, id=2, level="WARNING")],
        teams_nodes=[teams, with_fields(teams, id="t2", instance_status="active")],
        locations=[records.SystemLocation(id=1, name="Aarhus"), records.SystemLocation(id=2, name="Aarhus")],
        managers=[records.ManagementVM(id=1, name="manager"), records.ManagementVM(id=2, name="manager")],
    )
    found = families(twice)
    assert [labels[3] for labels in found[metrics.NODE_INFO]] == ["38"]
    assert found[metrics.HARDWARE_PORTS_USED][AARHUS] == 20
    assert found[metrics.ALARMS] == {("licenses_exhausted", "warning"): 2}
    assert found[metrics.TEAMS_NODE_CALLS] == {("teams-0",): 2}
    assert found[metrics.TEAMS_NODE_UP] == {("teams-0",): 1}
    assert len(found[metrics.MANAGER_INFO]) == 1


@pytest.mark.parametrize(
    ("resource", "gone"),
    [
        ("participant", {metrics.LICENSE_PORTS_USED, metrics.LICENSE_PORTS_LIMIT, metrics.PSTN_LINES_USED}),
        ("participant", {metrics.PARTICIPANTS, metrics.NODE_PARTICIPANTS, metrics.CONFERENCES_BY_SIZE}),
        ("conference", {metrics.CONFERENCES, metrics.CONFERENCES_BY_SIZE}),
        ("conference_shard", {metrics.CASCADED_CONFERENCES, metrics.NODE_CONFERENCES}),
        ("backplane", {metrics.BACKPLANES}),
        ("system_location", {metrics.LOCATION_MEDIA_LOAD, metrics.LOCATION_INFO}),
        ("worker_vm", {metrics.HARDWARE_PORTS_USED, metrics.NODE_MEDIA_LOAD, metrics.NODE_INFO}),
        ("management_vm", {metrics.MANAGER_INFO}),
        ("licensing", {metrics.LICENSE_REPORTED_USED, metrics.LICENSE_REPORTED_LIMIT}),
        ("alarm", {metrics.ALARMS}),
        ("registration_alias", {metrics.REGISTRATIONS}),
        ("teamsnode", {metrics.TEAMS_NODE_CALLS, metrics.TEAMS_NODE_UP}),
    ],
)
def test_what_could_not_be_read_has_no_series(resource: str, gone: set[metrics.Metric]) -> None:
    found = families(unreadable(resource))
    assert gone <= families(snapshot()).keys()
    assert not gone & found.keys()
    assert found[metrics.RESOURCE_UP][resource,] == 0
    assert sum(found[metrics.RESOURCE_UP].values()) == len(found[metrics.RESOURCE_UP]) - 1


def test_a_poll_that_read_nothing_shows_only_that() -> None:
    found = families(unreadable())
    assert list(found) == [
        metrics.UP,
        metrics.POLL_TIMESTAMP,
        metrics.POLL_DURATION,
        metrics.RESOURCE_UP,
    ]
    assert found[metrics.UP] == {(): 0}


def test_a_failed_poll_shows_what_it_did_read() -> None:
    found = families(unreadable("participant"))
    assert found[metrics.UP] == {(): 0}
    assert metrics.HARDWARE_PORTS_USED in found
    assert metrics.LICENCE_EXPIRY not in found


def test_a_poll_without_an_inessential_resource_is_good() -> None:
    assert families(unreadable("alarm"))[metrics.UP] == {(): 1}


def test_configuration_that_could_not_be_read_is_told() -> None:
    failures = {"configuration/worker_vm": Failure("it answered with status 403", 403)}
    assert families(snapshot(failures=failures))[metrics.RESOURCE_UP]["configuration/worker_vm",] == 0
    assert families(snapshot())[metrics.RESOURCE_UP]["configuration/worker_vm",] == 1


def test_an_empty_platform_has_totals_of_zero() -> None:
    empty = snapshot(
        conferences=(),
        conference_shards=(),
        participants=(),
        backplanes=(),
        locations=(),
        nodes=(),
        managers=(),
        alarms=(),
        registrations=(),
        teams_nodes=(),
        licensing=records.Licensing(),
        configuration=Configuration(),
    )
    found = families(empty, Settings(locations=LocationSettings()))
    assert found[metrics.LICENSE_PORTS_USED] == {(): 0}
    assert found[metrics.CASCADED_CONFERENCES] == {(): 0}
    assert set(found[metrics.CONFERENCES].values()) == {0}
    assert found[metrics.NODE_UP] == found[metrics.ALARMS] == found[metrics.PARTICIPANTS] == {}


def test_any_number_of_tags_is_bounded() -> None:
    crowd = [participant(number, service_tag=f"tag-{number % 5000}") for number in range(10_000)]
    crowd += [participant(number, service_tag="largest") for number in range(7)]
    settings = SETTINGS.model_copy(update={"metrics": MetricsSettings(service_tags=200)})
    tags = families(snapshot(participants=crowd), settings)[metrics.TAG_LICENSE_PORTS_USED]
    assert len(tags) == 201
    assert tags["largest",] == 7
    assert sum(tags.values()) == 10_007


def test_tags_that_are_called_other_and_none_are_added_to_the_rest() -> None:
    tags = {"other": 5, "a": 3, "b": 2, "": 1, "none": 1}
    assert largest_tags(tags, 2) == {"other": 9, "a": 3}
    assert largest_tags(tags, 5) == {"other": 5, "a": 3, "b": 2, "none": 2}
    assert largest_tags(tags, 0) == {"other": 12}
    assert largest_tags({}, 0) == {}


@pytest.mark.parametrize(
    ("date", "ends"),
    [
        ("31-Dec-2027", datetime(2027, 12, 31, tzinfo=UTC)),
        ("1-may-2028", datetime(2028, 5, 1, tzinfo=UTC)),
        ("permanent", None),
        ("", None),
        ("31-Maj-2027", None),
        ("31-Feb-2027", None),
        ("2027-12-31", None),
        ("1-Jan-99999", None),
        (f"1-Jan-{'9' * 40}", None),
    ],
)
def test_licences_end_on_their_day(date: str, ends: datetime | None) -> None:
    assert expiration(date) == ends


def test_the_first_end_of_a_products_licences_is_shown() -> None:
    ends = families(snapshot())[metrics.LICENCE_EXPIRY]
    assert ends == {("port",): datetime(2027, 12, 1, tzinfo=UTC).timestamp()}
