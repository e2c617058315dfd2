"""The platform itself: the same everywhere for the same seed and time, consistent, and as busy as it should
be."""

from collections import Counter, defaultdict
from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.capacity import BACKPLANE_COST, COSTS, NODES_PER_LOCATION, UNITS_PER_TOKEN
from simulator.estate import (
    CENTRAL_LOCATIONS,
    DATA_CENTRES,
    LICENSE_PORTS,
    LOCATIONS,
    NODES,
    ORGANISATIONS,
    PSTN_ADDRESSES,
    PSTN_LINES,
)
from simulator.tastypie import list_page
from simulator.timing import activity_offset, api_time, day_of, local, parse_time, start_of
from simulator.virtual_platform import VirtualPlatform
from simulator.workload import easter, hour_level, is_holiday
from simulator.world import World


def everything(platform: VirtualPlatform) -> dict[str, object]:
    """All rows of all resources; of long lists all ids and the latest rows."""
    platform.refresh()
    found: dict[str, object] = {}
    for api, resources in platform.catalogue.items():
        for name, resource in resources.items():
            if name in {"media_stream", "backplane_media_stream"}:
                continue
            identities = list(resource.records())
            latest = [("limit", "300"), ("offset", str(max(0, len(identities) - 300)))]
            query = latest if len(identities) > 4000 else [("limit", "0")]
            found[f"{api}/{name}"] = (identities, list_page(resource, query, cap=0))
    return found


def test_the_estate_has_the_sizes_of_vdx() -> None:
    central = [node for node in NODES if node.location in CENTRAL_LOCATIONS]
    assert (len(LOCATIONS), len(NODES), len(central)) == (14, 81, 48)
    assert len({node.hypervisor_host for node in central}) == 24
    assert len({node.address for node in NODES}) == len({node.name for node in NODES}) == 81
    ports = Counter[bool]()
    for node in World(1, date(2026, 11, 17)).placement.nodes:
        ports[node.installed.location in CENTRAL_LOCATIONS] += node.max_calls("hd")
    assert ports[True] == pytest.approx(3900, rel=0.02)
    assert ports[False] == pytest.approx(1200, rel=0.02)
    assert {name for names in DATA_CENTRES.values() for name in names} == set(CENTRAL_LOCATIONS)
    assert 50 <= len(ORGANISATIONS) <= 70


@pytest.mark.parametrize(
    ("tokens", "calls"), [(172, (172, 22, 9, 5)), (405, (405, 52, 22, 12)), (410, (410, 52, 22, 12))]
)
def test_the_token_model_gives_the_numbers_of_real_nodes(tokens: int, calls: tuple[int, ...]) -> None:
    units = tokens * UNITS_PER_TOKEN
    assert tuple(units // COSTS[kind] for kind in ("audio", "sd", "hd", "fullhd")) == calls


@settings(max_examples=3, deadline=None)
@given(steps=st.lists(st.floats(0.001, 4000), min_size=1, max_size=5))
def test_the_way_to_a_time_does_not_matter(steps: list[float]) -> None:
    end = parse_time("2026-11-17T06:45:10")
    walked = VirtualPlatform(1, time=end - sum(steps), manual=True)
    for seconds in steps:
        walked.history()
        walked.step(seconds)
    walked.move_to(end)
    assert everything(walked) == everything(VirtualPlatform(1, time=end, manual=True))


def test_a_world_that_ran_over_a_weekend_is_the_same_as_one_begun_on_monday() -> None:
    walked = VirtualPlatform(1, time="2026-11-20T15:00:00", manual=True)
    walked.history()
    for _ in range(8):
        walked.step(8 * 3600)
    begun = VirtualPlatform(1, time=walked.now, manual=True)
    assert local(walked.now).strftime("%a %H") == "Mon 08"
    assert everything(walked) == everything(begun)
    assert walked.license_series() == begun.license_series()
    assert msgspec.to_builtins(walked.truth()) == msgspec.to_builtins(begun.truth())


def test_another_seed_is_another_world() -> None:
    one, two = (VirtualPlatform(seed, time="2026-11-17T06:15:00", manual=True) for seed in (1, 2))
    assert one.truth().licenses_by_location != two.truth().licenses_by_location


def check_consistency(world: World) -> None:
    cost: Counter[str] = Counter()
    signalled: Counter[str] = Counter()
    nodes_of: dict[str, set[str]] = defaultdict(set)
    live: Counter[str] = Counter()
    for call in world.calls.values():
        assert call.media
        assert call.signalling
        assert call.conference
        assert call.conference.id in world.conferences
        live[call.conference.id] += 1
        cost[call.media.installed.name] += COSTS[call.leg.kind]
        signalled[call.signalling.installed.name] += 1
        if call.leg.has_media:
            nodes_of[call.conference.id].add(call.media.installed.name)
    location = {node.name: node.location for node in NODES}
    links = Counter(link.conference.id for link in world.backplanes.values())
    for identity, nodes in nodes_of.items():
        assert links[identity] == len(nodes) - 1
        assert max(Counter(location[node] for node in nodes).values()) <= NODES_PER_LOCATION
        if len(nodes) > 1:
            cost.update(dict.fromkeys(nodes, BACKPLANE_COST))
    assert live == {conference.id: conference.live for conference in world.conferences.values()}
    for node in world.placement.nodes:
        assert node.used == cost[node.installed.name]
        assert node.signalled == signalled[node.installed.name]
    assert world.license_ports == sum(call.leg.license_count for call in world.calls.values())
    assert world.license_changes[-1][1] == world.license_ports
    assert world.pstn_lines <= PSTN_LINES


def test_a_working_day_is_consistent_and_has_the_right_curve() -> None:
    world = World(1, date(2026, 11, 17))
    ports: dict[int, int] = {}
    legs: set[str] = set()
    for half_hour in range(47):
        world.advance(world.started + half_hour * 1800 + 900)
        check_consistency(world)
        ports[local(world.now).hour] = world.license_ports
        legs.update(world.history.participants)
    assert 900 <= ports[10] <= 1150
    assert ports[12] < 0.8 * ports[10]
    assert ports[13] > ports[12]
    assert ports[16] < 0.5 * ports[10]
    assert max(ports[hour] for hour in (22, 23, 0, 1, 2, 4)) < 40
    assert max(held for _, held in world.license_changes) < LICENSE_PORTS
    assert 20_000 <= len(legs) <= 25_000
    world.advance(world.started + 86400 - 1)
    assert not world.calls
    assert all(node.used == 0 for node in world.placement.nodes)


def test_meetings_begin_on_the_hour_and_half_hour() -> None:
    world = World(1, date(2026, 11, 17))
    world.advance(parse_time("2026-11-17T09:59:00"))
    gained = Counter[int]()
    before = 0
    for at, held in world.license_changes:
        gained[local(at).minute // 5] += max(0, held - before)
        before = held
    usual = sorted(gained.values())[6]
    assert gained[0] > 1.3 * usual
    assert gained[6] > 1.1 * usual


def test_everything_vdx_knows_goes_on() -> None:
    platform = VirtualPlatform(1, time="2026-11-17T09:10:00", manual=True)
    truth = platform.truth()
    assert {
        "WebRTC",
        "SIP",
        "H323",
        "TEAMS",
        "MSSIP",
        "GMS/GHM",
        "RTMP",
    } <= truth.participants_by_protocol.keys()
    assert {"conference", "lecture", "gateway"} <= truth.conferences_by_service_type.keys()
    assert 5 < truth.pstn_lines <= PSTN_LINES
    assert truth.control_only > 20
    assert truth.backplanes > 50
    assert 200 < truth.registrations < 600
    assert truth.alarms >= 2
    assert min(truth.participants_by_quality.values()) > 0
    telephone = [call for call in platform.view.world.calls.values() if call.leg.telephone]
    assert {call.leg.kind for call in telephone} == {"audio"}
    rows = [platform.catalogue["status"]["participant"].draw(call).row for call in telephone]
    assert {getattr(row, "remote_address", "") for row in rows} <= set(PSTN_ADDRESSES)


def test_gateway_calls_have_two_legs_and_two_licences() -> None:
    world = VirtualPlatform(1, time="2026-11-17T09:10:00", manual=True).view.world
    gateways = [one for one in world.conferences.values() if one.service_type == "gateway"]
    pairs = [one for one in gateways if one.live == 2]
    assert len(pairs) > 0.9 * len(gateways)
    for gateway in pairs:
        assert {call.leg.outgoing for call in gateway.calls} == {False, True}
        assert sum(call.leg.license_count for call in gateway.calls) == 2


def test_a_fortieth_telephone_call_is_the_last_one() -> None:
    platform = VirtualPlatform(1, time="2026-11-17T09:00:00", manual=True)
    platform.view.world.pstn_lines += PSTN_LINES
    platform.step(600)
    failed = [
        call
        for call in platform.view.world.history.participants.values()
        if call.reason == "All lines are busy"
    ]
    assert failed
    assert all(call.joined is None for call in failed)


def test_nights_and_weekends_and_holidays_are_quiet() -> None:
    for moment in ("2026-11-17T01:30:00", "2026-11-21T09:30:00", "2026-12-25T09:30:00"):
        assert VirtualPlatform(1, time=moment, manual=True).truth().license_ports < 120
    assert easter(2026) == date(2026, 4, 5)
    assert is_holiday(date(2026, 5, 14))
    assert not is_holiday(date(2026, 5, 1))
    assert hour_level(date(2028, 3, 7), 10) > 1.1 * hour_level(date(2026, 3, 10), 10)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 23), (date(2026, 10, 24), 25)])
def test_days_of_changed_clocks_are_whole(day: date, hours: int) -> None:
    following = day_of(start_of(day) + 26 * 3600)
    assert start_of(following) - start_of(day) == hours * 3600
    world = World(1, day)
    world.advance(start_of(following) - 1)
    assert not world.calls
    assert world.history.conferences


def test_activity_can_be_shifted_against_the_clock() -> None:
    midnight = "2026-11-22T23:30:00"
    platform = VirtualPlatform(1, time=midnight, manual=True, activity="tue 09:40")
    truth = platform.truth()
    assert truth.time == midnight
    assert truth.license_ports > 700
    assert activity_offset("3600", 0) == 3600
    for call in platform.view.world.calls.values():
        assert call.joined is not None
        assert call.joined <= platform.now


def test_nodes_in_maintenance_lend_nothing_and_say_so() -> None:
    platform = VirtualPlatform(1, time="2026-11-17T22:00:00", manual=True)
    truth = platform.truth()
    assert len(truth.nodes_in_maintenance) == 4
    for node in platform.view.world.placement.nodes:
        row = platform.catalogue["status"]["worker_vm"].draw(node).row
        assert getattr(row, "maintenance_mode", None) == (node.installed.name in truth.nodes_in_maintenance)
        if node.maintenance:
            assert getattr(row, "media_load", None) == 100
            assert truth.hardware_by_node[node.installed.name].limit == 0


def test_times_are_written_as_pexip_does() -> None:
    assert api_time(1_600_000_000) == "2020-09-13T12:26:40"
    assert api_time(1_600_000_000.25) == "2020-09-13T12:26:40.250000"
    assert parse_time("2020-09-13T12:26:40") == parse_time("2020-09-13T14:26:40+02:00") == 1_600_000_000
