"""What is written of history: once, whole, and set right where it is odd."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select, text

from tests.store.history_records import (
    NINE,
    alarm,
    at,
    backplane,
    context,
    event,
    key,
    leg,
    meeting,
    stream,
    writer,
)
from vdx.claims import Claims, Rule
from vdx.pexip import resources
from vdx.pexip.records import Record
from vdx.settings import Settings
from vdx.store import history, history_rows
from vdx.store.database import connect, open_engine
from vdx.store.history import HistoryWriter, Written, stale_days
from vdx.store.history_progress import watermarks
from vdx.store.history_rows import Odd, Span, span
from vdx.store.history_tables import (
    history_alarm,
    history_backplane,
    history_conference,
    history_media_stream,
    history_node_event,
    history_participant,
    history_progress,
    history_unlinked,
    identity,
    term,
    usage_pending,
)
from vdx.store.identities import identifier
from vdx.store.partitions import partition_months
from vdx.store.tables import node
from vdx.usage import Outcome

LEGS = resources.HISTORY_PARTICIPANT
MEETINGS = resources.HISTORY_CONFERENCE


@pytest.fixture
def writing(settings: Settings) -> Iterator[Connection]:
    """A connection that may write and load."""
    engine = open_engine(settings, writes=True, loads=True)
    with connect(engine) as connection:
        yield connection
    engine.dispose()


def write(
    connection: Connection,
    records: Sequence[Record],
    resource: Any = LEGS,
    *,
    by: HistoryWriter | None = None,
    watermark: datetime | None = NINE,
    **fields: Any,
) -> Written:
    return (by or writer(fields.get("claims"))).write(
        connection, resource, records, watermark=watermark, context=context(**fields)
    )


def rows(connection: Connection, table: Any) -> list[Any]:
    with connection.begin():
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)))


def count(connection: Connection, table: Any) -> int:
    with connection.begin():
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def words(connection: Connection, kind: str) -> dict[int, str]:
    with connection.begin():
        return dict(connection.execute(select(term.c.id, term.c.name).where(term.c.kind == kind)).all())


def test_a_leg_is_kept_with_all_that_is_told_of_it(writing: Connection) -> None:
    written = write(writing, [leg("anna", 1, 31.5)])
    assert (written.added, written.known, written.refused) == (1, 0, 0)
    [row] = rows(writing, history_participant)
    assert (row.id, row.started, row.ended) == (identifier(key("anna")), at(1), at(31.5))
    assert row.conference_id == identifier(key("meeting"))
    assert words(writing, "device")[row.device_id] == "browser/Chrome"
    assert words(writing, "network")[row.network_id] == "10.1.2.0/24"
    assert words(writing, "tag")[row.service_tag_id] == "kommune-aarhus"
    assert words(writing, "codec")[row.video_codec_id] == "H264"
    assert row.height == 1080
    assert (row.rx_loss, row.tx_loss) == (100, 50)  # 10 of 1,000 and 5 of 1,000
    assert (row.bad_percent, row.quality) == (12, 1)  # 3 of 26 windows
    assert row.outcome == Outcome.COMPLETED
    assert row.host
    assert row.encrypted
    assert not row.outgoing
    with writing.begin():
        names = dict(writing.execute(select(node.c.id, node.c.name)).all())
    assert names[row.media_node_id] == "vest-1"
    assert names[row.signalling_node_id] == "10.0.0.2"  # an address that no node has stands for itself
    assert row.proxy_node_id is None
    streams = rows(writing, history_media_stream)
    assert [stream.number for stream in streams] == [0, 1]
    assert [stream.rx_fps for stream in streams] == [30, 30]
    assert {stream.ended for stream in streams} == {at(31.5)}


@pytest.mark.parametrize("size", [1, 400, 401])
def test_a_page_that_is_written_twice_is_there_once(writing: Connection, size: int) -> None:
    page = [leg(f"leg {number}", number, number + 20.25) for number in range(size)]
    assert write(writing, page).added == size
    again = write(writing, page[::-1] + page)
    assert (again.added, again.known) == (0, size)
    assert count(writing, history_participant) == size
    assert count(writing, history_media_stream) == 2 * size


def test_what_is_written_in_bulk_is_what_is_written_one_by_one(writing: Connection) -> None:
    legs = [
        leg(f"leg {number}", None if number % 7 == 0 else number / 3, number / 2 + 400, remote_address="::1")
        for number in range(450)
    ]
    write(writing, legs)
    bulk = [rows(writing, table) for table in (history_participant, history_media_stream)]
    with writing.begin():
        for table in (history_participant, history_media_stream):
            writing.execute(delete(table))
    by = writer()
    for start in range(0, len(legs), 50):
        write(writing, legs[start : start + 50], by=by)
    assert [rows(writing, table) for table in (history_participant, history_media_stream)] == bulk


def test_a_leg_that_ended_before_its_conference_is_linked_when_that_ends(writing: Connection) -> None:
    write(writing, [leg("anna", 1, 10, conference=None), leg("bo", 2, 12, conference=None)])
    assert count(writing, history_unlinked) == 2
    with writing.begin():
        writing.execute(delete(usage_pending))
    written = write(writing, [meeting("meeting", 0, 60, "anna", "bo", "nobody")], MEETINGS)
    assert written.linked == 2
    assert {row.conference_id for row in rows(writing, history_participant)} == {identifier(key("meeting"))}
    assert count(writing, history_unlinked) == 0
    assert [row.day for row in rows(writing, usage_pending)] == [date(2026, 11, 18)]
    assert write(writing, [meeting("meeting", 0, 60, "anna", "bo")], MEETINGS).linked == 0


def test_a_leg_over_midnight_that_is_linked_has_both_its_days_computed_again(writing: Connection) -> None:
    write(writing, [leg("anna", 830, 850, conference=None), leg("bo", 840, 860, conference=None)])
    with writing.begin():
        writing.execute(delete(usage_pending))
    write(writing, [meeting("meeting", 820, 870, "anna", "bo")], MEETINGS)
    assert [row.day for row in rows(writing, usage_pending)] == [date(2026, 11, 18), date(2026, 11, 19)]


def test_the_longest_leg_is_noted_with_the_first_half_of_a_page_too(writing: Connection) -> None:
    write(writing, [leg("short", 1, 2)], watermark=at(2))
    write(writing, [leg("long", 0, 3000)], watermark=None)
    with writing.begin():
        progress = writing.execute(select(history_progress)).one()
    assert (progress.watermark, progress.longest_seconds) == (at(2), 180_000)


def test_a_leg_that_is_read_again_with_its_conference_is_linked(writing: Connection) -> None:
    write(writing, [leg("anna", 1, 10, conference=None)])
    assert write(writing, [leg("anna", 1, 10)]).linked == 1
    [row] = rows(writing, history_participant)
    assert row.conference_id == identifier(key("meeting"))


def test_a_failed_call_waits_for_no_conference(writing: Connection) -> None:
    write(writing, [leg("anna", None, 10, conference=None)])
    assert count(writing, history_unlinked) == 0


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("Call failed: no license available", Outcome.REFUSED_LICENSE),
        ("Insufficient capacity", Outcome.REFUSED_CAPACITY),
        ("All lines are busy", Outcome.REFUSED_CAPACITY),
        ("Invalid PIN", Outcome.FAILED),
    ],
)
def test_a_failed_call_tells_why_it_was_refused(writing: Connection, reason: str, outcome: Outcome) -> None:
    write(writing, [leg("anna", None, 10, disconnect_reason=reason)])
    [row] = rows(writing, history_participant)
    assert (row.started, row.outcome) == (None, outcome)


def test_odd_records_are_kept_by_a_rule_that_is_counted(writing: Connection) -> None:
    page = [
        leg("backwards", 20, 10),
        leg("endless", None, None),
        leg("by duration", 5, None, duration=90),
        leg("unheard of", 1, 2, license_type="platinum"),
    ]
    written = write(writing, page)
    assert written.added == 3
    assert written.odd == {Odd.END_BEFORE_START: 1, Odd.NO_END: 1, Odd.UNKNOWN_LICENSE: 1}
    stored = {row.id: row for row in rows(writing, history_participant)}
    backwards = stored[identifier(key("backwards"))]
    assert (backwards.started, backwards.ended) == (at(10), at(10))
    assert stored[identifier(key("by duration"))].ended == at(6.5)
    assert write(writing, page).odd.get(Odd.END_BEFORE_START, 0) == 0  # known, so not counted again


def test_absurd_numbers_are_cut_to_what_a_column_holds(writing: Connection) -> None:
    huge = stream(0, "video", rx_bitrate=2**70, rx_fps=1e300, rx_packet_loss=-5.0, rx_packets_lost=-1)
    write(
        writing,
        [
            leg(
                "anna",
                1,
                2,
                media_streams=(huge,) * 300,
                license_count=5000,
                rx_bandwidth=10**12,
                tx_bandwidth=-3,
                bucketed_call_quality=(),
                historic_call_quality=(0, 1, 4, 3),
                disconnect_reason="x" * 5000,
            )
        ],
    )
    [row] = rows(writing, history_participant)
    assert (row.rx_bandwidth, row.tx_bandwidth, row.license_count) == (65_535, 0, 255)
    assert row.bad_percent == 67
    streams = rows(writing, history_media_stream)
    assert len(streams) == 256
    assert (streams[0].rx_bitrate, streams[0].rx_fps, streams[0].rx_loss) == (2**31 - 1, 255, 0)


def test_a_record_that_the_database_refuses_stops_no_other(
    writing: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = history_rows.Participants.rows

    def spoil(self: Any, keys: Any, *rest: Any) -> Any:
        legs, streams = made(self, keys, *rest)
        poison = identifier(key("poison"))
        places = [
            None if one == poison else place for one, place in zip(keys, legs["location_id"], strict=True)
        ]
        return {**legs, "location_id": places}, streams

    monkeypatch.setattr(history_rows.Participants, "rows", spoil)
    page = [leg(name, 1, 2) for name in ("a", "b", "poison", "c", "d")]
    written = write(writing, page, watermark=at(30))
    assert (written.added, written.refused) == (4, 1)
    assert count(writing, history_participant) == 4
    with writing.begin():
        assert watermarks(writing)[LEGS.name] == at(30)


def test_the_watermark_never_goes_back(writing: Connection) -> None:
    write(writing, [leg("anna", 1, 10)], watermark=at(10))
    write(writing, [leg("bo", 1, 5)], watermark=at(5))
    write(writing, [], watermark=None)
    with writing.begin():
        assert watermarks(writing) == {LEGS.name: at(10)}


def test_rows_and_watermark_come_together_or_not_at_all(
    writing: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(history, "advance", fail)
        with pytest.raises(KeyboardInterrupt):
            write(writing, [leg(f"leg {number}", 1, 10) for number in range(450)])
    for table in (history_participant, history_media_stream, usage_pending, identity):
        assert count(writing, table) == 0, table.name
    assert write(writing, [leg("leg 1", 1, 10)]).added == 1


def test_conferences_backplanes_alarms_and_events_are_kept_each_once(writing: Connection) -> None:
    by = writer()
    for _ in range(2):
        write(writing, [meeting("meeting", 0, 60, "anna")], MEETINGS, by=by)
        write(writing, [backplane("b", 1, 50)], resources.HISTORY_BACKPLANE, by=by)
        write(writing, [alarm(1, 0, 5), alarm(2**63 + 5, 0, 6)], resources.HISTORY_ALARM, by=by)
        write(writing, [event(7, 3)], resources.HISTORY_WORKERVM_STATUS_EVENT, by=by)
    assert [count(writing, table) for table in (history_conference, history_backplane)] == [1, 1]
    assert [count(writing, table) for table in (history_alarm, history_node_event)] == [2, 1]
    assert rows(writing, history_alarm)[0].node == "vest-1"
    assert count(writing, history_participant) == 0  # a backplane is nobody


def test_a_backplane_is_linked_when_its_conference_ends(writing: Connection) -> None:
    by = writer()
    write(writing, [backplane("b", 1, 5, conference=None)], resources.HISTORY_BACKPLANE, by=by)
    write(writing, [backplane("b", 1, 5)], resources.HISTORY_BACKPLANE, by=by)
    [row] = rows(writing, history_backplane)
    assert row.conference_id == identifier(key("meeting"))


def test_whose_a_call_is_is_stored_with_the_rule(writing: Connection) -> None:
    claims = Claims([("tag", "kommune-aarhus", 7), ("domain", "odense.example", 8)])
    page = [
        leg("anna", 1, 2),
        leg("bo", 1, 2, service_tag="", remote_alias="bo@odense.example"),
        leg("cy", 1, 2, service_tag=""),
    ]
    write(writing, page, by=writer(claims), claims=claims)
    found = {row.id: (row.organisation_id, row.rule) for row in rows(writing, history_participant)}
    assert found == {
        identifier(key("anna")): (7, Rule.TAG),
        identifier(key("bo")): (8, Rule.DOMAIN),
        identifier(key("cy")): (0, Rule.UNASSIGNED),
    }


def test_nobody_is_named_unless_the_settings_say_so(writing: Connection) -> None:
    page = [leg("anna.andersen", 1, 2, disconnect_reason='Rejected by "Anna" <anna@x.example> at 45012345')]
    write(writing, page)
    texts = [str(row) for table in (term, identity) for row in rows(writing, table)]
    for secret in ("anna", "Anna", "Room 7", "10.1.2.3", "45012345"):
        assert not any(secret in text for text in texts), secret
    write(writing, [leg("bo.berg", 3, 4)], by=writer(names=True))
    assert "bo.berg@aarhus.example" in {row.name for row in rows(writing, identity)}


def test_a_call_over_midnight_makes_both_danish_days_stale(writing: Connection) -> None:
    # 22:50 to 23:10 UTC on the 18th is 23:50 to 00:10 in Denmark.
    write(writing, [leg("anna", 830, 850)])
    assert [row.day for row in rows(writing, usage_pending)] == [date(2026, 11, 18), date(2026, 11, 19)]


def test_days_of_a_call_of_years_are_bounded() -> None:
    zone = writer()._zone
    days = stale_days([Span(datetime(2001, 1, 1, tzinfo=UTC), at(0))], zone)
    assert len(days) == 32
    assert max(days) == date(2026, 11, 18)


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_record_lies_in_the_partition_of_its_month_whatever_came_before(writing: Connection) -> None:
    page = [leg(f"leg {months}", 0, -43_200 * months) for months in (3, 0, 12, 1)]
    write(writing, [msgspec.structs.replace(one, start_time=None) for one in page])
    write(writing, [leg("far future", 0, 60 * 24 * 366 * 300), leg("long ago", 0, -60 * 24 * 366 * 800)])
    with writing.begin():
        months = partition_months(writing, history_participant)
        counted = {
            month: writing.scalar(text(f"SELECT COUNT(*) FROM history_participant PARTITION (p{month:%Y%m})"))
            for month in months
        }
    assert months == sorted(months)
    ended = {one.end_time.date().replace(day=1) for one in page if one.end_time}
    assert ended <= set(months)
    assert sum(counted[month] or 0 for month in ended) >= len(page)
    assert count(writing, history_participant) == len(page) + 2


@hypothesis_settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_in_whatever_order_and_however_often_pages_come_the_rows_are_the_same(
    writing: Connection, data: st.DataObject
) -> None:
    names = [f"leg {number}" for number in range(8)]
    legs = [leg(name, number, number + 3, conference=None) for number, name in enumerate(names)]
    pages: list[tuple[Any, list[Record]]] = [
        (LEGS, data.draw(st.lists(st.sampled_from(legs), max_size=8))) for _ in range(3)
    ]
    pages += [(LEGS, list(legs)), (MEETINGS, [meeting("meeting", 0, 20, *names)])]
    order = data.draw(st.permutations(pages))
    with writing.begin():
        for table in (history_participant, history_conference, history_media_stream, history_unlinked):
            writing.execute(delete(table))
    by = writer()
    for resource, page in order:
        write(writing, page, resource, by=by)
    write(writing, [meeting("meeting", 0, 20, *names)], MEETINGS, by=by)
    stored = rows(writing, history_participant)
    assert [row.id for row in stored] == [identifier(one.id) for one in legs]
    assert {row.conference_id for row in stored} == {identifier(key("meeting"))}
    assert count(writing, history_conference) == 1


@given(
    start=st.none() | st.datetimes(timezones=st.just(UTC)),
    end=st.none() | st.datetimes(timezones=st.just(UTC)),
    duration=st.none() | st.integers(-10, 10**6),
)
def test_a_span_never_ends_before_it_begins(
    start: datetime | None, end: datetime | None, duration: int | None
) -> None:
    found = span(start, end, duration)
    if end is not None:
        assert found is not None
        assert found.ended == end
    if found is not None and found.started is not None:
        assert found.started <= found.ended
        assert found.ended - found.started >= timedelta()
