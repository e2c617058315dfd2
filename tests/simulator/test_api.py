"""Envelope, paging, filters, order, errors and schema, as a client of Pexip meets them."""

from typing import Any

import pytest

from simulator.estate import CENTRAL_LOCATIONS
from simulator.testing import RunningSimulator, running
from tests.simulator.conftest import TUESDAY

PARTICIPANT = "status/v1/participant/"


def refused(simulator: RunningSimulator, path: str) -> str:
    answer = simulator.http.get(f"/api/admin/{path}")
    assert answer.status_code == 400
    text: str = answer.json()["error"]
    return text


def test_a_list_has_twenty_rows_unless_asked_otherwise(tuesday: RunningSimulator) -> None:
    page = tuesday.get(PARTICIPANT)
    assert list(page) == ["meta", "objects"]
    assert list(page["meta"]) == ["limit", "next", "offset", "previous", "total_count"]
    assert page["meta"]["limit"] == len(page["objects"]) == 20
    assert page["meta"]["next"] == "/api/admin/status/v1/participant/?limit=20&offset=20"
    assert page["meta"]["previous"] is None
    assert list(page["objects"][0]) == sorted(page["objects"][0])


def test_following_next_gives_every_row_once(tuesday: RunningSimulator) -> None:
    found: list[str] = []
    path: str | None = "/api/admin/status/v1/participant/?limit=300&has_media=True"
    while path:
        page = tuesday.http.get(path).json()
        found += [row["id"] for row in page["objects"]]
        path = page["meta"]["next"]
        assert path is None or "has_media=True" in path
    assert len(found) == len(set(found)) == page["meta"]["total_count"] == tuesday.truth().participants


def test_paging_edges(tuesday: RunningSimulator) -> None:
    total = tuesday.get(PARTICIPANT)["meta"]["total_count"]
    exactly = tuesday.get(PARTICIPANT, limit=total)
    assert exactly["meta"]["next"] is None
    assert len(exactly["objects"]) == total
    assert tuesday.get(PARTICIPANT, limit=total - 1)["meta"]["next"] is not None
    beyond = tuesday.get(PARTICIPANT, limit=10, offset=total + 10)
    assert beyond["objects"] == []
    assert beyond["meta"]["next"] is None
    assert beyond["meta"]["previous"] == f"/api/admin/status/v1/participant/?limit=10&offset={total}"
    assert tuesday.get(PARTICIPANT, limit=9999)["meta"]["limit"] == 5000
    assert tuesday.get(PARTICIPANT, limit=0)["meta"]["limit"] == 5000
    assert tuesday.get(PARTICIPANT, conference="nobody")["meta"]["total_count"] == 0


def test_the_page_cap_may_be_lower_or_absent() -> None:
    with running(time=TUESDAY, page_cap=100) as simulator:
        page = simulator.get(PARTICIPANT, limit=5000)
        assert page["meta"]["limit"] == len(page["objects"]) == 100
    with running(time=TUESDAY, page_cap=0) as simulator:
        everything = simulator.get(PARTICIPANT, limit=0)
        assert "next" not in everything["meta"]
        assert len(everything["objects"]) == everything["meta"]["total_count"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("limit=x", "Invalid limit 'x' provided. Please provide a positive integer."),
        ("limit=-1", "Invalid limit '-1' provided. Please provide a positive integer >= 0."),
        ("offset=x", "Invalid offset 'x' provided. Please provide an integer."),
        ("order_by=nothing", "No matching 'nothing' field for ordering on."),
        ("protocol__nearly=SIP", "'nearly' is not an allowed filter on the 'protocol' field."),
        ("remote_port=many", "Invalid resource lookup data provided (mismatched type)."),
        ("connect_time__gt=soon", "Invalid resource lookup data provided (mismatched type)."),
    ],
)
def test_bad_queries_are_refused_with_tastypies_words(
    tuesday: RunningSimulator, query: str, text: str
) -> None:
    assert refused(tuesday, f"{PARTICIPANT}?{query}") == text


def test_lists_within_rows_can_be_neither_filtered_nor_sorted(tuesday: RunningSimulator) -> None:
    path = "history/v1/conference/"
    assert "does not allow filtering" in refused(tuesday, f"{path}?participants=x")
    assert "does not allow ordering" in refused(tuesday, f"{path}?order_by=participants")


def all_rows(simulator: RunningSimulator, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = simulator.get(PARTICIPANT, limit=5000, **query)["objects"]
    return rows


@pytest.mark.parametrize(
    ("lookup", "holds"),
    [
        ({"protocol": "SIP"}, lambda row: row["protocol"] == "SIP"),
        ({"protocol__iexact": "webrtc"}, lambda row: row["protocol"] == "WebRTC"),
        ({"system_location__startswith": "Central"}, lambda row: row["system_location"] in CENTRAL_LOCATIONS),
        ({"system_location": "Central Øst"}, lambda row: row["system_location"] == "Central Øst"),
        ({"vendor__icontains": "CISCO"}, lambda row: "Cisco" in row["vendor"]),
        ({"call_quality__in": "3_bad,4_terrible"}, lambda row: row["call_quality"] > "3"),
        ({"remote_port__lt": 45000}, lambda row: row["remote_port"] < 45000),
        ({"remote_port__range": "45000,46000"}, lambda row: 45000 <= row["remote_port"] <= 46000),
        ({"bandwidth__isnull": "True"}, lambda row: row["bandwidth"] is None),
        ({"conference__regex": "^MDT"}, lambda row: row["conference"].startswith("MDT")),
        (
            {"connect_time__gte": "2026-11-17T09:00:00"},
            lambda row: row["connect_time"] >= "2026-11-17T09:00:00",
        ),
        (
            {"connect_time__lt": "2026-11-17T10:00:00+01:00"},
            lambda row: row["connect_time"] < "2026-11-17T09",
        ),
        ({"has_media": "False", "protocol": "API"}, lambda row: not row["has_media"]),
        ({"no_such_field": "x"}, lambda row: True),
    ],
)
def test_a_filter_keeps_exactly_the_rows_that_match(
    tuesday: RunningSimulator, lookup: dict[str, Any], holds: Any
) -> None:
    kept = {row["id"] for row in all_rows(tuesday, **lookup)}
    assert kept == {row["id"] for row in all_rows(tuesday) if holds(row)}
    assert kept


def test_rows_are_ordered_by_several_fields(tuesday: RunningSimulator) -> None:
    rows = all_rows(tuesday, order_by=["system_location", "-connect_time"])
    keys = [(row["system_location"], row["connect_time"]) for row in rows]
    assert keys == sorted(sorted(keys, key=lambda key: key[1], reverse=True), key=lambda key: key[0])


def test_rows_without_a_value_can_be_sorted(tuesday: RunningSimulator) -> None:
    values = [row["bandwidth"] for row in all_rows(tuesday, order_by="bandwidth")]
    assert values[0] is None
    assert values == sorted(values, key=lambda value: (value is not None, value or 0))


def test_every_resource_lists_describes_itself_and_shows_one_row(tuesday: RunningSimulator) -> None:
    for api in ("status", "history", "configuration"):
        for name, entry in tuesday.get(f"{api}/v1/").items():
            assert entry["list_endpoint"] == f"/api/admin/{api}/v1/{name}/"
            listed = tuesday.http.get(entry["list_endpoint"], params={"limit": 2})
            schema = tuesday.http.get(entry["schema"], params={"format": "json"}).json()
            assert schema["default_limit"] == 20
            for row in listed.json()["objects"]:
                assert list(row) == list(schema["fields"])
                if "resource_uri" in row:
                    assert tuesday.http.get(row["resource_uri"]).json() == row


def test_the_schema_tells_types_and_what_may_be_null(tuesday: RunningSimulator) -> None:
    fields = tuesday.get("status/v1/participant/schema/")["fields"]
    assert len(fields) == 47
    assert fields["connect_time"]["type"] == "datetime"
    assert fields["connect_time"]["nullable"]
    assert fields["has_media"]["type"] == "boolean"
    assert not fields["has_media"]["nullable"]
    related = tuesday.get("history/v1/participant/schema/")["fields"]["conference"]
    assert (related["type"], related["related_type"]) == ("related", "to_one")


def test_media_streams_and_statistics_hang_below_their_row(tuesday: RunningSimulator) -> None:
    call = next(row for row in all_rows(tuesday, protocol="SIP") if row["bandwidth"] == 1728)
    streams = tuesday.get(f"status/v1/participant/{call['id']}/media_stream/")["objects"]
    assert [stream["type"] for stream in streams][:2] == ["audio", "video"]
    assert {stream["node"] for stream in streams} == {call["media_node"]}
    link = tuesday.get("status/v1/backplane/")["objects"][0]
    assert tuesday.get(f"status/v1/backplane/{link['id']}/media_stream/")["meta"]["total_count"] == 2
    for resource in ("worker_vm", "system_location"):
        row = tuesday.get(f"status/v1/{resource}/")["objects"][0]
        (figure,) = tuesday.get(f"status/v1/{resource}/{row['id']}/statistics/")["objects"]
        assert figure["media_load"] == pytest.approx(row["media_load"], abs=0.51)


@pytest.mark.parametrize(
    "path",
    ["status/v1/nothing/", "status/v1/participant/nobody/", "status/v2/participant/", "status/v1/alarm/1/x/"],
)
def test_what_is_not_there_is_404_without_a_body(tuesday: RunningSimulator, path: str) -> None:
    answer = tuesday.http.get(f"/api/admin/{path}")
    assert (answer.status_code, answer.content) == (404, b"")


def test_other_methods_are_405_and_told_what_is_allowed(tuesday: RunningSimulator) -> None:
    answer = tuesday.http.post("/api/admin/status/v1/participant/", json={})
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "GET", b"")


def test_a_missing_slash_is_redirected(tuesday: RunningSimulator) -> None:
    answer = tuesday.http.get("/api/admin/status/v1/participant?limit=1")
    assert answer.status_code == 301
    assert answer.headers["location"] == "/api/admin/status/v1/participant/?limit=1"


def test_the_older_version_has_older_fields() -> None:
    with running(time=TUESDAY, version="v24") as simulator:
        node = simulator.get("status/v1/worker_vm/", limit=1)["objects"][0]
        assert {"last_reported", "deploy_error", "deploy_progress"} <= node.keys()
        assert node["version"].startswith("24 ")
        call = simulator.get(PARTICIPANT, limit=1)["objects"][0]
        assert "is_transcribing" not in call
        past = simulator.get("history/v1/participant/", limit=1, has_media="True")["objects"][0]
        assert len(past["bucketed_call_quality"]) == 5
