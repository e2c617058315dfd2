"""The API's rows against the simulator's own truth, and history against what went on."""

from collections import Counter

import pytest

from simulator.history import KEPT_CONFERENCES
from simulator.testing import RunningSimulator
from simulator.timing import parse_time

TODAY = {"end_time__gte": "2026-11-17T02:00:00"}


def rows(simulator: RunningSimulator, path: str, **query: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    while True:
        page = simulator.get(path, limit=5000, offset=len(found), **query)
        found += page["objects"]
        if page["meta"]["next"] is None:
            return found


def test_licences_are_those_of_the_participants(tuesday: RunningSimulator) -> None:
    truth = tuesday.truth()
    calls = rows(tuesday, "status/v1/participant/")
    ports = [call for call in calls if call["license_type"] == "port"]
    assert sum(int(str(call["license_count"])) for call in ports) == truth.license_ports
    assert {call["license_count"] for call in calls if not call["has_media"]} == {0}
    assert {call["license_type"] for call in calls if not call["has_media"]} == {"nolicense"}
    (licensing,) = rows(tuesday, "status/v1/licensing/")
    assert licensing["port_count"] == truth.license_ports
    assert licensing["port_total"] == 1500
    by_location = Counter(str(call["system_location"]) for call in ports)
    assert by_location == {name: held for name, held in truth.licenses_by_location.items() if held}


def test_hardware_ports_follow_from_the_nodes_rows(tuesday: RunningSimulator) -> None:
    truth = tuesday.truth()
    nodes = rows(tuesday, "status/v1/worker_vm/")
    for node in nodes:
        used = float(str(node["media_tokens_used"])) / float(str(node["max_media_tokens"]))
        expected = truth.hardware_by_node[str(node["name"])]
        assert used * int(str(node["max_hd_calls"])) == pytest.approx(expected.used)
        assert node["max_hd_calls"] == expected.limit
    assert truth.hardware.used == pytest.approx(sum(one.used for one in truth.hardware_by_node.values()))
    for location in rows(tuesday, "status/v1/system_location/"):
        assert location["max_hd_calls"] == truth.hardware_by_location[str(location["name"])].limit


def test_addresses_names_and_conferences_join_up(tuesday: RunningSimulator) -> None:
    calls = rows(tuesday, "status/v1/participant/")
    configured = rows(tuesday, "configuration/v1/worker_vm/")
    addresses = {node["address"] for node in configured}
    assert {call["media_node"] for call in calls} | {call["signalling_node"] for call in calls} <= addresses
    assert {node["configuration_id"] for node in rows(tuesday, "status/v1/worker_vm/")} == {
        node["id"] for node in configured
    }
    running = {conference["name"] for conference in rows(tuesday, "status/v1/conference/")}
    assert {call["conference"] for call in calls} == running
    shards = rows(tuesday, "status/v1/conference_shard/")
    with_media = {(call["conference"], call["media_node"]) for call in calls if call["has_media"]}
    assert {(shard["conference"], shard["node"]) for shard in shards} == with_media
    assert {shard["node"] for shard in shards} <= addresses


def test_history_keeps_ten_thousand_conferences_and_their_participants(tuesday: RunningSimulator) -> None:
    conferences = rows(tuesday, "history/v1/conference/")
    calls = rows(tuesday, "history/v1/participant/")
    assert len(conferences) == KEPT_CONFERENCES
    by_uri = {conference["resource_uri"]: conference for conference in conferences}
    members: Counter[object] = Counter(call["conference"] for call in calls if call["conference"])
    assert members == {uri: conference["participant_count"] for uri, conference in by_uri.items()}
    now = tuesday.truth().timestamp
    for call in calls[-3000:]:
        if call["conference"] is None:
            continue
        conference = by_uri[call["conference"]]
        assert str(conference["start_time"]) <= str(call["start_time"])
        assert str(call["end_time"]) <= str(conference["end_time"])
        assert parse_time(str(call["end_time"])) <= now - 2
    live = {call["id"] for call in rows(tuesday, "status/v1/participant/")}
    assert not live & {call["id"] for call in calls}
    assert any(call["conference"] is None for call in calls[-300:])


def test_calls_move_to_history_with_their_ids_and_some_seconds_later(fresh: RunningSimulator) -> None:
    before = {str(call["id"]) for call in rows(fresh, "status/v1/participant/")}
    fresh.step(300)
    left = before - {str(call["id"]) for call in rows(fresh, "status/v1/participant/")}
    fresh.step(9)
    past = {str(call["id"]): call for call in rows(fresh, "history/v1/participant/", **TODAY)}
    assert left
    assert left <= past.keys()
    for identity in left:
        streams = past[identity]["media_streams"]
        assert isinstance(streams, list)
        nested = fresh.get(f"history/v1/participant/{identity}/media_stream/")["objects"]
        assert nested == streams


def test_the_licence_series_is_exact(fresh: RunningSimulator) -> None:
    begun = fresh.truth()
    fresh.step(120)
    series = fresh.license_series(begun.timestamp, begun.timestamp + 120)
    assert series[0] == (begun.timestamp, begun.license_ports)
    assert series[-1][1] == fresh.truth().license_ports
    ended = {call["id"]: call for call in rows(fresh, "history/v1/participant/", **TODAY)}
    calls = [*ended.values(), *rows(fresh, "status/v1/participant/")]
    for at, held in series[1:-1]:
        counted = 0
        for call in calls:
            start = parse_time(str(call.get("connect_time") or call.get("start_time")))
            end = parse_time(str(call["end_time"])) if "end_time" in call else at + 1
            counted += int(str(call["license_count"])) if start <= at < end else 0
        if at < begun.timestamp + 100:
            assert counted == held


def test_the_series_of_a_day_is_known_at_once(tuesday: RunningSimulator) -> None:
    series = tuesday.license_series()
    assert series[0][0] == pytest.approx(tuesday.truth().timestamp - 86400)
    assert max(held for _, held in series) > 900
    assert [at for at, _ in series] == sorted(at for at, _ in series)


def test_quality_is_unknown_for_twenty_seconds(tuesday: RunningSimulator) -> None:
    now = tuesday.truth().timestamp
    for call in tuesday.get("status/v1/participant/", limit=5000, has_media="True")["objects"]:
        young = now - parse_time(call["connect_time"]) < 20
        assert (call["call_quality"] == "0_unknown") == young
