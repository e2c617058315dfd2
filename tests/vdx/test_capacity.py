"""Licence ports, hardware ports and what they rest on, by example and by rule."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdx.capacity import (
    Ports,
    TelephonyRule,
    Usage,
    conference_uses,
    lost_nodes,
    measure,
    node_ports,
    quality_name,
    size_class,
)
from vdx.pexip.records import (
    Alarm,
    Conference,
    ConferenceShard,
    ManagementVMConfiguration,
    Participant,
    WorkerVM,
    WorkerVMConfiguration,
)
from vdx.settings import LocationSettings, PSTNSettings, Settings
from vdx.snapshot import Configuration, Snapshot

BEAT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LOCATIONS = LocationSettings(
    central=("East", "West"), data_centres={"DC East": ("East",), "DC West": ("West",)}
)
SETTINGS = Settings(locations=LOCATIONS)


def usage(settings: Settings = SETTINGS, **fields: Any) -> Usage:
    snapshot = Snapshot(time=BEAT, duration_seconds=0.1, **fields)
    return measure(snapshot, settings, TelephonyRule(settings.pstn))


def leg(number: int = 0, **fields: Any) -> Participant:
    defaults = {
        "conference": "meeting",
        "system_location": "East",
        "protocol": "WebRTC",
        "license_type": "port",
        "license_count": 1,
        "has_media": True,
        "call_quality": "1_good",
    }
    return Participant(id=f"leg-{number}", **{**defaults, **fields})


def node(number: int = 0, **fields: Any) -> WorkerVM:
    defaults = {
        "name": f"node{number}",
        "node_type": "CONFERENCING",
        "system_location": "East",
        "max_media_tokens": 1830,
        "max_hd_calls": 100,
    }
    return WorkerVM(id=number, **{**defaults, **fields})


def test_an_empty_platform_uses_nothing() -> None:
    figures = usage(participants=[], conferences=[], nodes=[])
    assert figures.license_ports == 0
    assert figures.hardware == Ports(0, 0)
    assert figures.conferences_total == figures.participants_total == 0
    assert figures.busiest_node is None
    assert figures.hardware_by_tier == {"central": Ports(), "decentral": Ports()}


def test_what_could_not_be_read_is_none_and_the_rest_is_there() -> None:
    figures = usage(nodes=[node()])
    assert figures.license_ports is None
    assert figures.participants_total is None
    assert figures.conferences is None
    assert figures.hardware == Ports(0, 100)


def test_a_gateway_call_holds_two_licences_and_control_only_legs_and_backplanes_none() -> None:
    legs = [
        leg(1, service_type="gateway", conference="rule_1"),
        leg(2, service_type="gateway", conference="rule_1", call_direction="out"),
        leg(3, protocol="API", has_media=False, license_count=0, license_type="nolicense"),
        leg(4, protocol="BACKPLANE", has_media=True, license_count=0, license_type="nolicense"),
    ]
    figures = usage(participants=legs)
    assert figures.license_ports == 2
    assert figures.license_ports_by_service == {"gateway": 2}
    assert figures.participants_total == 2
    assert figures.control_only == {"East": 1}


def test_over_use_is_not_clamped() -> None:
    figures = usage(participants=[leg(number) for number in range(1650)])
    assert figures.license_ports == 1650
    assert Ports(figures.license_ports, figures.license_limit).ratio == pytest.approx(1.1)


def test_licence_types_are_kept_apart_whatever_their_case() -> None:
    legs = [leg(1, license_type="Port"), leg(2, license_type="audio"), leg(3, license_type="telepathy")]
    figures = usage(participants=legs)
    assert figures.license_ports == 1
    assert figures.licenses_by_type == {"port": 1, "audio": 1, "telepathy": 1}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"media_tokens_used": 915}, Ports(50, 100)),
        ({"media_tokens_used": 915, "media_load": 100, "maintenance_mode": True}, Ports(50, 0)),
        ({"media_tokens_used": 915, "node_type": "PROXYING"}, Ports(0, 0)),
        ({"max_media_tokens": 0, "media_load": 25}, Ports(25, 100)),
        ({"max_media_tokens": 0, "media_load": 100, "maintenance_mode": True}, Ports(0, 0)),
        ({"media_tokens_used": 2013}, Ports(110, 100)),
    ],
    ids=["half", "maintenance", "proxying", "no tokens", "maintenance without tokens", "above its tokens"],
)
def test_hardware_ports_of_a_node(fields: dict[str, Any], expected: Ports) -> None:
    figures = usage(nodes=[node(**fields)])
    assert figures.hardware is not None
    assert figures.hardware.used == pytest.approx(expected.used)
    assert figures.hardware.limit == expected.limit


def test_the_rest_must_carry_the_present_use_with_one_data_centre_out() -> None:
    nodes = [
        node(1, system_location="East", media_tokens_used=1281),
        node(2, system_location="West", media_tokens_used=1281),
        node(3, system_location="Odense", media_tokens_used=0, max_hd_calls=20),
    ]
    figures = usage(nodes=nodes)
    assert figures.headroom_without is not None
    assert dict(figures.headroom_without) == pytest.approx({"DC East": -20, "DC West": -20})
    assert figures.hardware_by_tier is not None
    assert figures.hardware_by_tier["decentral"].limit == 20


def test_busiest_is_the_node_with_the_largest_share_among_those_that_take_calls() -> None:
    nodes = [
        node(1, media_tokens_used=900),
        node(2, media_tokens_used=600, max_media_tokens=620),
        node(3, media_tokens_used=1830, maintenance_mode=True),
    ]
    busiest = usage(nodes=nodes).busiest_node
    assert busiest is not None
    assert busiest.name == "node2"


def test_telephony_is_known_by_the_trunk_or_by_the_alias() -> None:
    settings = Settings(pstn=PSTNSettings(pattern=r"^\+?\d{8,}@", addresses=("10.9.0.0/30",)))
    legs = [
        leg(1, protocol="SIP", remote_address="10.9.0.2"),
        leg(2, protocol="sip", participant_alias="+4512345678@trunk"),
        leg(3, protocol="SIP", remote_address="10.9.0.9", participant_alias="room@example.org"),
        leg(4, protocol="WebRTC", remote_address="10.9.0.2"),
        leg(5, protocol="SIP", remote_address="not an address"),
    ]
    assert usage(settings, participants=legs).pstn_lines == 2


def test_without_a_rule_nobody_knows_how_many_lines_are_in_use() -> None:
    assert usage(participants=[leg(protocol="SIP")]).pstn_lines is None


def test_legs_are_joined_to_conferences_and_nodes_by_name_and_address() -> None:
    configuration = Configuration(
        worker_vms=[
            WorkerVMConfiguration(id=1, name="node1", address="10.0.0.1", static_nat_address="192.0.2.1"),
            WorkerVMConfiguration(id=2, name="node2", address="10.0.0.2"),
        ]
    )
    snapshot = Snapshot(
        time=BEAT,
        duration_seconds=0.1,
        configuration=configuration,
        conferences=[Conference(id="a", name="meeting", service_type="conference"), Conference(id="b")],
        conference_shards=[
            ConferenceShard(id="1", node="10.0.0.1"),
            ConferenceShard(id="2", node="10.0.0.9"),
        ],
        participants=[
            leg(1, media_node="192.0.2.1", call_quality="4_terrible"),
            leg(2, media_node="10.0.0.2", system_location="West"),
            leg(3, has_media=False, license_count=0),
        ],
        nodes=[node(1), node(2)],
    )
    uses = conference_uses(snapshot)
    assert uses is not None
    use = uses["meeting"]
    assert (use.participants, use.control_only, use.license_ports, use.bad, use.nodes) == (2, 1, 2, 1, 2)
    assert use.locations == ("East", "West")
    figures = measure(snapshot, SETTINGS, TelephonyRule(SETTINGS.pstn))
    assert figures.sizes == {"2": 1, "0": 1}
    assert figures.nodes is not None
    assert [(item.conferences, item.participants) for item in figures.nodes] == [(1, 1), (0, 1)]


ESTATE = Configuration(
    worker_vms=[WorkerVMConfiguration(id=n, name=f"node{n}", address=f"10.0.0.{n}") for n in range(1, 6)],
    management_vms=[ManagementVMConfiguration(id=1, name="manager", address="10.0.1.1")],
)


def lost_alarm(source: str, destination: str) -> Alarm:
    return Alarm(
        id=1, name="connectivity_lost", instance=f"Source={source}, Destination={destination}", level="error"
    )


@pytest.mark.parametrize(
    ("alarms", "lost"),
    [
        ([lost_alarm("10.0.1.1", "10.0.0.2")], {"node2"}),
        ([lost_alarm("10.0.0.1", "10.0.0.2")], set()),
        ([lost_alarm("10.0.0.1", "10.0.0.2"), lost_alarm("10.0.0.3", "10.0.0.2")], {"node2"}),
        (
            # node2 is lost; what it and nobody else says of node1 does not count
            [
                lost_alarm("10.0.1.1", "10.0.0.2"),
                lost_alarm("10.0.0.2", "10.0.0.1"),
                lost_alarm("10.0.0.3", "10.0.0.1"),
            ],
            {"node2"},
        ),
        (
            [Alarm(id=1, name="CONNECTIVITY_LOST", instance="10.0.0.4", details="10.0.0.1, 10.0.0.2")],
            {"node4"},
        ),
        ([Alarm(id=1, name="connectivity_lost", instance="node5")], {"node5"}),
        ([lost_alarm("10.0.1.1", "203.0.113.7")], set()),
        ([Alarm(id=1, name="connectivity_lost", instance="")], set()),
        ([Alarm(id=1, name="capacity_exhausted", instance="node5")], set()),
    ],
)
def test_lost_nodes_are_read_from_the_connectivity_alarms(alarms: list[Alarm], lost: set[str]) -> None:
    assert lost_nodes(alarms, ESTATE) == lost


def test_a_lost_node_lends_no_ports() -> None:
    nodes = [node(1, media_tokens_used=0), node(2)]
    figures = usage(nodes=nodes, configuration=ESTATE, alarms=[lost_alarm("10.0.1.1", "10.0.0.1")])
    assert figures.hardware is not None
    assert figures.hardware.limit == 100
    assert figures.nodes is not None
    assert [item.up for item in figures.nodes] == [False, True]


@pytest.mark.parametrize(
    ("text", "name"),
    [("1_good", "good"), ("0_unknown", "unknown"), ("", "unknown"), ("5_superb", "superb"), ("odd", "odd")],
)
def test_quality_names(text: str, name: str) -> None:
    assert quality_name(text) == name


@pytest.mark.parametrize(
    ("count", "name"), [(0, "0"), (1, "1"), (5, "3-5"), (6, "6-10"), (100, "51-100"), (101, "101+")]
)
def test_size_classes(count: int, name: str) -> None:
    assert size_class(count) == name


legs = st.builds(
    Participant,
    id=st.uuids().map(str),
    conference=st.sampled_from(["a", "b", "c"]),
    system_location=st.sampled_from(["East", "West", "Odense", ""]),
    protocol=st.sampled_from(["WebRTC", "SIP", "H323", "BACKPLANE", "Smell"]),
    service_type=st.sampled_from(["conference", "gateway"]),
    service_tag=st.sampled_from(["", "region", "kommune"]),
    call_quality=st.sampled_from(["0_unknown", "1_good", "2_ok", "3_bad", "4_terrible"]),
    license_count=st.integers(0, 3),
    license_type=st.sampled_from(["port", "audio", "nolicense"]),
    has_media=st.booleans(),
    media_node=st.just(""),
)
nodes = st.builds(
    node,
    number=st.integers(0, 500),
    system_location=st.sampled_from(["East", "West", "Odense"]),
    maintenance_mode=st.booleans(),
    max_media_tokens=st.integers(0, 4000),
    media_tokens_used=st.integers(0, 5000),
    media_load=st.integers(0, 100),
    max_hd_calls=st.integers(0, 250),
)


@given(st.lists(legs, max_size=60, unique_by=lambda leg: leg.id))
def test_every_split_of_the_licences_and_participants_sums_to_the_whole(legs: list[Participant]) -> None:
    figures = usage(participants=legs)
    ports = sum(leg.license_count for leg in legs if leg.license_type == "port")
    people = [leg for leg in legs if leg.has_media and leg.protocol != "BACKPLANE"]
    assert figures.license_ports == ports
    for split in (
        figures.license_ports_by_location,
        figures.license_ports_by_service,
        figures.license_ports_by_tag,
    ):
        assert split is not None
        assert sum(split.values()) == ports
    assert figures.participants_total == len(people)
    assert figures.quality is not None
    assert sum(figures.quality.values()) == len(people)
    assert figures.participants == Counter((leg.system_location, leg.protocol) for leg in people)


@given(st.lists(legs, max_size=40, unique_by=lambda leg: leg.id), st.randoms())
def test_the_order_of_the_rows_changes_nothing(legs: list[Participant], random: Any) -> None:
    shuffled = list(legs)
    random.shuffle(shuffled)
    assert usage(participants=legs) == usage(participants=shuffled)


@given(st.lists(nodes, max_size=30, unique_by=lambda node: node.id))
def test_hardware_splits_sum_to_the_whole_and_headroom_follows(nodes: list[WorkerVM]) -> None:
    figures = usage(nodes=nodes)
    whole = figures.hardware
    assert whole is not None
    for split in (figures.hardware_by_location, figures.hardware_by_tier):
        assert split is not None
        assert sum(ports.used for ports in split.values()) == pytest.approx(whole.used)
        assert sum(ports.limit for ports in split.values()) == whole.limit
    assert figures.headroom_without is not None
    assert figures.hardware_by_data_centre is not None
    for name, headroom in figures.headroom_without.items():
        rest = sum(
            float(item.max_hd_calls)
            for item in nodes
            if not item.maintenance_mode and LOCATIONS.data_centre(item.system_location) != name
        )
        assert headroom == pytest.approx(rest - whole.used)


@given(nodes)
def test_a_node_never_lends_more_than_its_hd_calls_and_never_uses_less_than_nothing(item: WorkerVM) -> None:
    ports = node_ports(item, available=True)
    assert ports.used >= 0
    assert ports.limit == item.max_hd_calls
    idle = msgspec.structs.replace(item, media_tokens_used=0, media_load=0)
    assert node_ports(idle, available=True).used == 0
