"""Each fault switch, as a client sees it."""

import httpx
import pytest

from simulator.estate import NODES
from simulator.testing import RunningSimulator, running
from simulator.virtual_platform import VirtualPlatform

PATH = "/api/admin/status/v1/participant/"
BUSY = "2026-11-17T07:10:00"


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("unauthorized", 401, b""),
        ("forbidden", 403, b""),
        ("not_found", 404, b""),
        ("rate_limited", 429, b""),
        ("server_error", 500, b'{"error_message"'),
        ("bad_gateway", 502, b"<html>"),
        ("html_page", 200, b"<!DOCTYPE html>"),
        ("manager_restart", 502, b"<html>"),
    ],
)
def test_a_fault_answers_in_its_own_way_until_it_is_cleared(
    fresh: RunningSimulator, name: str, status: int, body: bytes
) -> None:
    fresh.fault(name)
    answer = fresh.http.get(PATH)
    assert answer.status_code == status
    assert answer.content.startswith(body)
    assert [fault["name"] for fault in fresh.faults()] == [name]
    fresh.clear(name)
    assert fresh.http.get(PATH).status_code == 200


def test_too_many_requests_say_when_to_come_back(fresh: RunningSimulator) -> None:
    fresh.fault("rate_limited", retry_after=17)
    assert fresh.http.get(PATH).headers["retry-after"] == "17"


def test_a_fault_may_strike_one_resource_some_requests_or_some_seconds(fresh: RunningSimulator) -> None:
    fresh.fault("server_error", resource="alarm", count=1)
    assert fresh.http.get(PATH).status_code == 200
    assert fresh.http.get("/api/admin/status/v1/alarm/").status_code == 500
    assert fresh.http.get("/api/admin/status/v1/alarm/").status_code == 200
    fresh.fault("forbidden", seconds=60)
    assert fresh.http.get(PATH).status_code == 403
    fresh.step(61)
    assert fresh.http.get(PATH).status_code == 200


def test_a_slow_answer_is_late(fresh: RunningSimulator) -> None:
    fresh.fault("slow", delay=1)
    with pytest.raises(httpx.ReadTimeout):
        fresh.http.get(PATH, timeout=0.2)


def test_a_connection_is_reset(fresh: RunningSimulator) -> None:
    fresh.fault("connection_reset")
    with pytest.raises(httpx.ReadError, match="reset"):
        fresh.http.get(PATH)


def test_half_a_body_comes(fresh: RunningSimulator) -> None:
    fresh.fault("half_body")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        fresh.http.get(PATH)
    fresh.clear()
    assert fresh.http.get(PATH).status_code == 200


def test_spoiled_rows_are_told(fresh: RunningSimulator) -> None:
    fresh.fault("wrong_types", every=4)
    page = fresh.get("status/v1/participant/", limit=100)["objects"]
    spoiled = [row["id"] for row in page if row["license_count"] == "many"]
    assert fresh.faults()[0]["spoiled"]["participant"] == spoiled
    assert len(spoiled) == -(-len(page) // 4)
    fresh.clear()
    fresh.fault("unknown_enum")
    assert "HOLOGRAM" in {row["protocol"] for row in fresh.get("status/v1/participant/")["objects"]}


def test_total_count_and_page_edges_go_wrong(fresh: RunningSimulator) -> None:
    whole = fresh.get("configuration/v1/worker_vm/", limit=100)
    fresh.fault("wrong_total", difference=-2)
    assert fresh.get("configuration/v1/worker_vm/", limit=100)["meta"]["total_count"] == 79
    fresh.clear()
    fresh.fault("moving_rows", shift=3)
    second = fresh.get("configuration/v1/worker_vm/", limit=20, offset=20)
    assert second["objects"] == whole["objects"][17:37]
    assert second["meta"]["offset"] == 20


def test_a_restarting_manager_knows_nothing_for_a_while_and_the_calls_go_on(fresh: RunningSimulator) -> None:
    before = fresh.truth().license_ports
    fresh.fault("manager_restart", seconds=20, empty_seconds=10)
    assert fresh.http.get(PATH).status_code == 502
    fresh.step(11)
    assert fresh.http.get(PATH).status_code == 503
    fresh.step(10)
    assert fresh.get("status/v1/participant/")["meta"]["total_count"] == 0
    fresh.step(10)
    assert fresh.get("status/v1/participant/")["meta"]["total_count"] > before / 2 > 0


def test_a_lost_node_drops_its_calls_which_come_back_elsewhere() -> None:
    platform = VirtualPlatform(1, time=BUSY, manual=True)
    node = next(one for one in platform.view.world.placement.nodes if one.used)
    name, address = node.installed.name, node.installed.address
    before = platform.truth()
    platform.fault("node_lost", nodes=[name])
    struck = platform.truth()
    assert struck.license_ports < before.license_ports
    assert struck.nodes_lost == [name]
    assert struck.hardware.limit == before.hardware.limit - node.max_calls("hd")
    platform.step(35)
    assert platform.truth().license_ports >= before.license_ports * 0.9
    assert not [call for call in platform.view.world.calls.values() if call.media is node]
    instances = [alarm.instance for alarm in platform.view.world.alarms.values()]
    assert len(instances) == 4
    assert all(text.startswith("Source=") and text.endswith(f"Destination={address}") for text in instances)
    row = platform.catalogue["status"]["worker_vm"].draw(node).row
    assert getattr(row, "sync_status", "") == "NOT_SYNCED"
    platform.step(1200)
    later = platform.catalogue["status"]["worker_vm"].draw(node).row
    assert getattr(later, "last_attempted_contact", "") > getattr(row, "last_attempted_contact", "")
    assert getattr(later, "last_updated", "") == getattr(row, "last_updated", "")
    platform.clear("node_lost")
    assert not platform.view.world.alarms
    assert [event.state for event in platform.view.world.node_events][-2:] == ["lost", "active"]


def test_the_other_data_centre_carries_all() -> None:
    platform = VirtualPlatform(1, time="2026-11-17T09:10:00", manual=True)
    before = platform.truth()
    platform.fault("data_centre_lost", data_centre="Øst")
    platform.step(40)
    after = platform.truth()
    assert len(after.nodes_lost) == 24
    assert after.licenses_by_location["Central Øst"] == 0
    assert after.license_ports > 0.9 * before.license_ports
    assert after.refused_calls == 0
    platform.clear()
    assert platform.truth().hardware.limit == before.hardware.limit


def test_licences_have_no_wall() -> None:
    platform = VirtualPlatform(1, time=BUSY, manual=True)
    platform.fault("over_use", target=1650)
    assert platform.truth().license_ports >= 1650
    platform.step(300)
    over = platform.truth()
    assert 1650 <= over.license_ports < 1900
    assert over.alarms_by_name["licenses_exhausted"] == 1
    assert over.license_ports_limit == 1500
    platform.clear("over_use")
    assert platform.truth().license_ports < 1500
    assert "licenses_exhausted" not in platform.truth().alarms_by_name


def test_full_nodes_overflow_and_then_refuse() -> None:
    platform = VirtualPlatform(1, time=BUSY, manual=True)
    platform.view.world.set_scale(0.03)
    platform.step(600)
    truth = platform.truth()
    assert truth.refused_calls > 0
    assert "capacity_exhausted" in truth.alarms_by_name
    failed = [call for call in platform.view.world.history.participants.values() if call.joined is None]
    row = platform.catalogue["history"]["participant"].draw(failed[-1]).row
    assert getattr(row, "start_time", "") is None
    assert getattr(row, "disconnect_reason", "") == "Insufficient capacity"


def test_the_platform_can_be_ten_times_the_size() -> None:
    with running(time=BUSY, scale=10) as simulator:
        truth = simulator.truth()
        assert truth.legs >= 15_000
        assert truth.refused_calls == 0
        found: set[str] = set()
        while True:
            page = simulator.get("status/v1/participant/", limit=5000, offset=len(found))
            found |= {row["id"] for row in page["objects"]}
            if page["meta"]["next"] is None:
                break
        assert len(found) == truth.legs


def test_faults_that_do_not_exist_are_refused(fresh: RunningSimulator) -> None:
    for order in ({"name": "weather"}, {"name": "slow", "colour": 1}, {"name": "node_lost", "nodes": ["x"]}):
        assert fresh.http.post("/simulator/faults", json=order).status_code == 400
    assert len(NODES) == fresh.truth().nodes_up


def test_faults_outlast_a_leap_of_the_clock() -> None:
    platform = VirtualPlatform(1, time=BUSY, manual=True)
    platform.fault("node_lost", nodes=[NODES[0].name])
    platform.fault("over_use", target=1600)
    platform.move_to("2026-11-19T05:00:00")
    truth = platform.truth()
    assert truth.nodes_lost == [NODES[0].name]
    assert truth.license_ports >= 1600
    platform.clear()
    assert platform.truth().nodes_up == 81
