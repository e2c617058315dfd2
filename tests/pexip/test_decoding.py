"""Rows: what fits is read, what does not is named without its value, and the others survive."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdx.pexip import resources
from vdx.pexip.decoding import DecodedPage, decode_page
from vdx.pexip.errors import UnexpectedAnswer, Unreachable
from vdx.pexip.resources import Resource

PERSON = "sip:alice@example.org"


def decoded(resource: Resource[Any], *rows: Any) -> DecodedPage[Any]:
    meta = {"limit": 20, "next": None, "offset": 0, "previous": None, "total_count": len(rows)}
    return decode_page(json.dumps({"meta": meta, "objects": rows}).encode(), resource)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2020-12-21T08:59:31.112339", datetime(2020, 12, 21, 8, 59, 31, 112339, UTC)),
        ("2021-03-12T14:47:45", datetime(2021, 3, 12, 14, 47, 45, tzinfo=UTC)),
        ("2021-03-12T14:47:45Z", datetime(2021, 3, 12, 14, 47, 45, tzinfo=UTC)),
        ("2021-03-12T14:47:45.5+02:00", datetime(2021, 3, 12, 12, 47, 45, 500000, UTC)),
        (None, None),
    ],
)
def test_the_shapes_of_a_date_are_utc(text: str | None, time: datetime | None) -> None:
    row = decoded(resources.PARTICIPANT, {"id": "p1", "connect_time": text}).rows[0]
    assert row.connect_time == time
    assert time is None or row.connect_time.utcoffset() == timedelta(0)


@settings(deadline=None)  # the cores are shared
@given(
    st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis wants bounds without a zone
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-11))]),
    )
)
def test_a_date_with_a_zone_is_the_same_instant(time: datetime) -> None:
    row = decoded(resources.ALARM, {"id": 1, "time_raised": time.isoformat()}).rows[0]
    assert row.time_raised == time
    assert row.time_raised.tzinfo is UTC


def test_unknown_keys_and_missing_keys_and_unknown_values_are_tolerated() -> None:
    row = decoded(resources.PARTICIPANT, {"id": "p1", "hologram": {"deep": [1]}, "protocol": "Matrix"}).rows[
        0
    ]
    assert (row.protocol, row.license_count, row.call_quality) == ("Matrix", 0, "0_unknown")


def test_null_stands_for_the_default() -> None:
    page = decoded(
        resources.PARTICIPANT,
        {"id": "p1", "license_count": None, "proxy_node": None, "bandwidth": None, "protocol": "SIP"},
        {"id": "p2", "bandwidth": 576},
    )
    assert [(row.id, row.license_count, row.proxy_node, row.bandwidth) for row in page.rows] == [
        ("p1", 0, "", None),
        ("p2", 0, "", 576),
    ]
    assert page.rejected == ()


def test_the_text_none_of_old_versions_is_no_address() -> None:
    assert decoded(resources.PARTICIPANT, {"id": "p1", "proxy_node": "None"}).rows[0].proxy_node == ""


@pytest.mark.parametrize(
    ("row", "id_", "field", "expected"),
    [
        ({"id": "p2", "license_count": PERSON}, "p2", "license_count", "int"),
        ({"id": "p2", "connect_time": PERSON}, "p2", "connect_time", "a datetime"),
        ({"id": "p2", "has_media": 1}, "p2", "has_media", "bool"),
        ({"id": "p2", "conference": [PERSON]}, "p2", "conference", "str"),
        ({"conference": PERSON}, "", "id", "present"),
        ({"id": None, "conference": PERSON}, "", "id", "present"),
        ({"id": "p2", "connect_time": "9999-12-31T23:59:59-01:00"}, "p2", "", "a valid value"),
        ([PERSON], "", "", "object"),
        (PERSON, "", "", "object"),
        (None, "", "", "object"),
    ],
)
def test_a_wrong_row_is_named_without_its_value_and_the_others_survive(
    row: Any, id_: str, field: str, expected: str
) -> None:
    page = decoded(resources.PARTICIPANT, {"id": "p1"}, row, {"id": "p3"})
    assert [row.id for row in page.rows] == ["p1", "p3"]
    assert page.size == 3
    (rejected,) = page.rejected
    assert (rejected.resource, rejected.id, rejected.field, rejected.expected) == (
        "participant",
        id_,
        field,
        expected,
    )
    assert PERSON not in f"{rejected}{rejected!r}"


def test_a_wrong_nested_field_is_named_by_its_path() -> None:
    page = decoded(
        resources.HISTORY_PARTICIPANT,
        {"id": "p1", "media_streams": [{"id": 7, "rx_fps": 30, "node": None}]},
        {"id": "p2", "media_streams": [{"id": 8, "rx_bitrate": "fast"}]},
    )
    assert [row.media_streams[0].rx_fps for row in page.rows] == [30.0]
    assert page.rejected[0].field == "media_streams[0].rx_bitrate"


def test_a_history_participant_of_a_call_that_never_connected() -> None:
    row = decoded(
        resources.HISTORY_PARTICIPANT,
        {
            "id": "p1",
            "conference": "/api/admin/history/v1/conference/c4cc1c92/",
            "display_name": "Alice",
            "start_time": None,
            "end_time": "2020-12-21T08:59:31",
            "bucketed_call_quality": [0, 58, 0, 0, 0],
        },
    ).rows[0]
    assert row.start_time is None
    assert row.conference_id == "c4cc1c92"
    assert row.bucketed_call_quality == (0, 58, 0, 0, 0)
    assert not hasattr(row, "display_name")
    assert decoded(resources.HISTORY_BACKPLANE, {"id": "b", "conference": None}).rows[0].conference_id is None


@pytest.mark.parametrize(
    "row", [rb'{"id": "c2", "name": "\ud83d"}', b'{"id": "c2", "name": "\xff"}', b'{"id": "c2", "x": NaN}']
)
def test_what_is_not_strict_json_costs_no_row(row: bytes) -> None:
    content = b'{"meta": {"limit": 9}, "objects": [{"id": "c1"}, %b, {"id": "c3", "tag": 5}]}' % row
    page = decode_page(content, resources.CONFERENCE)
    assert [row.id for row in page.rows] == ["c1", "c2"]
    assert [row.id for row in page.rejected] == ["c3"]
    page.rows[1].name.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html>",
        b"\n <html>",
        b"[]",
        b'"text"',
        b"null",
        b'{"objects": []}',
        b'{"error": "x"}',
        b'{"meta": {}, "objects": {}}',
        b'{"meta": {"limit": "many"}, "objects": []}',
    ],
)
def test_anything_but_a_list_is_an_unexpected_answer(content: bytes) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        decode_page(content, resources.CONFERENCE)
    assert not caught.value.transient
    assert "\n" not in str(caught.value)


def test_every_cut_of_an_answer_is_a_network_fault() -> None:
    content = json.dumps({"meta": {"limit": 20}, "objects": [{"id": "c1", "name": "æøå", "tag": 5}]}).encode()
    for length in range(len(content) - 1):
        with pytest.raises(Unreachable) as caught:
            decode_page(content[:length], resources.CONFERENCE)
        assert caught.value.transient


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_fields = st.sampled_from(resources.PARTICIPANT.record.__struct_fields__)


@settings(deadline=None)  # the cores are shared
@given(st.lists(st.dictionaries(_fields, _json, max_size=5), max_size=4))
def test_any_rows_are_read_or_rejected_but_never_lost(rows: list[dict[str, Any]]) -> None:
    page = decoded(resources.PARTICIPANT, *rows)
    assert len(page.rows) + len(page.rejected) == page.size == len(rows)
