"""Usage of a day is computed from its calls: once or again, late or in time, by the tree as it then stood."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, select, update

from tests.databases import MariaDB
from tests.store import worlds
from tests.store.filling import TERMS, ended_call, number_of, put, put_names
from vdx.settings import Settings
from vdx.store import upgrade, usage
from vdx.store.database import connect, open_engine
from vdx.store.history import stale_days
from vdx.store.history_progress import LONGEST_SPAN, mark_pending
from vdx.store.history_rows import Span
from vdx.store.history_tables import (
    history_participant,
    history_progress,
    term,
    usage_day,
    usage_hour,
    usage_pending,
)
from vdx.store.tables import HOUR, LOCATION, PLATFORM, metadata
from vdx.store.usage import compute_day, day_edges, pending_days
from vdx.tree import Organisation, Place, Tree
from vdx.usage import COUNTS, PRESENT, TIMES, Scope

ZONE = ZoneInfo("Europe/Copenhagen")
DAY = date(2026, 11, 18)
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A migrated database of each kind for all tests of this file."""
    directory: Path = tmp_path_factory.mktemp("usage")
    if request.param == "sqlite":
        found = worlds.settings(None, directory)
        upgrade(found)
        yield found
        return
    server: MariaDB = request.getfixturevalue("mariadb")
    with server.database() as name:
        found = worlds.settings(server.url(name), directory)
        upgrade(found)
        yield found


@pytest.fixture
def writing(settings: Settings) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True, loads=True)
    with connect(engine) as connection:
        with connection.begin():
            for table in metadata.sorted_tables:
                connection.execute(delete(table))
            put_names(connection)
            progress = {"resource": "history/participant", "watermark": NOON, "longest_seconds": 600}
            connection.execute(insert(history_progress).values(progress))
        yield connection
    engine.dispose()


def tree(*places: Place) -> Tree:
    names = [Organisation(number, f"key {number}", f"name {number}", "unit") for number in range(1, 6)]
    return Tree(names, places or [Place(1, None, ALWAYS), Place(2, 1, ALWAYS), Place(3, 1, ALWAYS)])


def call(number: int, ended: datetime = NOON, **fields: Any) -> dict[str, Any]:
    return ended_call(ended, number) | {"id": number_of(number)} | fields


def store(connection: Connection, *calls: dict[str, Any], days: tuple[date, ...] = (DAY,)) -> None:
    with connection.begin():
        put(connection, history_participant, calls)
        mark_pending(connection, days)


def compute(connection: Connection, day: date = DAY, by: Tree | None = None) -> int:
    return compute_day(connection, day, ZONE, by or tree())


def rows(connection: Connection, table: Any, scope: Scope | None = None) -> list[Any]:
    with connection.begin():
        query = select(table).order_by(*table.primary_key.columns)
        return list(connection.execute(query if scope is None else query.where(table.c.scope == scope)))


def test_a_day_is_computed_by_the_hour_and_as_a_whole_and_is_not_pending_then(writing: Connection) -> None:
    store(writing, call(1), call(2, NOON + timedelta(hours=2), license_count=2))
    assert compute(writing) == len(rows(writing, usage_hour)) + len(rows(writing, usage_day))
    [day] = rows(writing, usage_day, Scope.PLATFORM)
    assert day.begin == datetime(2026, 11, 17, 23, tzinfo=UTC)
    assert (day.completed, day.peak_ports, day.peak_at) == (2, 2, NOON + timedelta(minutes=110))
    hours = rows(writing, usage_hour, Scope.PLATFORM)
    assert [hour.begin.hour for hour in hours] == [11, 12, 13, 14]
    assert sum(hour.port_microseconds for hour in hours) == day.port_microseconds == 30 * 60_000_000
    with writing.begin():
        assert pending_days(writing) == []


def test_a_day_that_is_not_pending_is_left_alone(writing: Connection) -> None:
    store(writing, call(1), days=())
    assert compute(writing) == 0
    assert rows(writing, usage_day) == []


def test_late_calls_give_what_all_at_once_would_have_given(writing: Connection) -> None:
    calls = [
        call(number, NOON + timedelta(minutes=7 * number), organisation_id=number % 4) for number in range(9)
    ]
    store(writing, *calls)
    compute(writing)
    at_once = [rows(writing, table) for table in (usage_hour, usage_day)]
    with writing.begin():
        for table in (history_participant, usage_hour, usage_day):
            writing.execute(delete(table))
    for some in (calls[5:], calls[2:5], calls[:2]):
        store(writing, *some)
        compute(writing)
    assert [rows(writing, table) for table in (usage_hour, usage_day)] == at_once
    store(writing)
    compute(writing)
    assert [rows(writing, table) for table in (usage_hour, usage_day)] == at_once


ADDITIVE = [name for name in (*COUNTS, *TIMES) if name not in PRESENT]
CALLS = st.tuples(
    st.integers(-40, 60),  # hours from noon to its end
    st.none() | st.integers(0, 50),  # hours that it lasted
    st.integers(0, 4),  # its organisation
    st.integers(1, 2),  # its location
    st.integers(0, 2),  # its conference
)


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.lists(CALLS, min_size=1, max_size=7), data=st.data())
def test_in_whatever_order_calls_come_and_days_are_computed_the_usage_is_the_same(
    writing: Connection, drawn: list[tuple[int, int | None, int, int, int]], data: st.DataObject
) -> None:
    calls = []
    for number, (end, length, organisation, place, meeting) in enumerate(drawn):
        ended = NOON + timedelta(hours=end, microseconds=number)
        started = None if length is None else ended - timedelta(hours=length)
        fields = {"started": started, "outcome": int(length is None), "conference_id": number_of(meeting)}
        calls.append(call(number, ended, organisation_id=organisation, location_id=place, **fields))
    every = stale_days([Span(one["started"], one["ended"]) for one in calls], ZONE)

    def computed_after(*pages: list[dict[str, Any]]) -> list[Any]:
        with writing.begin():
            for table in (history_participant, usage_hour, usage_day, usage_pending):
                writing.execute(delete(table))
            writing.execute(update(history_progress).values(longest_seconds=50 * 3600))
        for page in pages:
            store(writing, *page, days=())
            with writing.begin():
                mark_pending(writing, stale_days([Span(one["started"], one["ended"]) for one in page], ZONE))
                days = pending_days(writing)
            for day in data.draw(st.permutations(days)):
                compute(writing, day)
        return [rows(writing, table) for table in (usage_hour, usage_day)]

    mixed = data.draw(st.permutations(calls))
    cut = data.draw(st.integers(0, len(calls)))
    hours, days = computed_after(calls)
    assert computed_after(mixed[:cut], mixed[cut:]) == [hours, days]
    assert {row.begin.astimezone(ZONE).date() for row in days} == every
    for row in days:
        first, *_, last = day_edges(row.begin.astimezone(ZONE).date(), ZONE)
        key = (row.scope, row.scope_id)
        own = [hour for hour in hours if (hour.scope, hour.scope_id) == key and first <= hour.begin < last]
        for name in ADDITIVE:
            assert getattr(row, name) == sum(getattr(hour, name) for hour in own), name
        assert row.peak_ports == max(hour.peak_ports for hour in own)
    connected = [one["ended"] - one["started"] for one in calls if one["started"] is not None]
    whole = [row for row in days if row.scope == Scope.PLATFORM]
    assert sum(row.completed for row in whole) == sum(row.started_legs for row in whole) == len(connected)
    assert sum(row.failed for row in whole) == len(calls) - len(connected)
    time = sum(row.participant_microseconds for row in whole)
    assert timedelta(microseconds=time) == sum(connected, timedelta())


def test_a_pending_day_without_any_call_is_done_with_at_once(writing: Connection) -> None:
    with writing.begin():
        writing.execute(delete(history_progress))
    store(writing)
    assert compute(writing) == 0
    assert rows(writing, usage_day) == rows(writing, usage_hour) == []
    with writing.begin():
        assert pending_days(writing) == []


def test_a_day_goes_from_its_first_microsecond_to_the_last(writing: Connection) -> None:
    first, *_, end = day_edges(DAY, ZONE)
    tick = timedelta(microseconds=1)
    store(
        writing,
        call(1, first, started=first - timedelta(hours=1)),
        call(2, first + tick, started=first),
        call(3, end - tick, started=end - 2 * tick),
        call(4, end - tick + timedelta(seconds=600.9), started=end - tick),  # the longest: 600 seconds
        call(5, end + timedelta(minutes=5), started=end),
        call(6, first - tick, started=None, outcome=1),
        call(7, first, started=None, outcome=1),
        call(8, end - tick, started=None, outcome=1),
        call(9, end, started=None, outcome=1),
    )
    compute(writing)
    [day] = rows(writing, usage_day, Scope.PLATFORM)
    assert (day.legs, day.started_legs, day.completed, day.failed) == (3, 3, 3, 2)
    assert day.participant_microseconds == 3
    hours = rows(writing, usage_hour, Scope.PLATFORM)
    assert [(hour.begin, hour.legs, hour.completed) for hour in hours] == [
        (first, 1, 2),
        (end - timedelta(hours=1), 2, 1),
    ]


def test_a_day_whose_calls_are_gone_has_no_usage_left(writing: Connection) -> None:
    store(writing, call(1))
    compute(writing)
    with writing.begin():
        writing.execute(delete(history_participant))
    store(writing)
    compute(writing)
    assert rows(writing, usage_day) == rows(writing, usage_hour) == []


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (DAY, 24)])
def test_a_day_has_as_many_hours_as_in_denmark(writing: Connection, day: date, hours: int) -> None:
    edges = day_edges(day, ZONE)
    assert len(edges) == hours + 1
    assert edges[0].astimezone(ZONE).hour == edges[-1].astimezone(ZONE).hour == 0
    whole = call(1, edges[-1] + timedelta(hours=1), started=edges[0] - timedelta(hours=1))
    with writing.begin():
        writing.execute(update(history_progress).values(longest_seconds=30 * 3600))
    store(writing, whole, days=(day,))
    compute(writing, day)
    [row] = rows(writing, usage_day, Scope.PLATFORM)
    assert row.participant_microseconds == hours * 3600 * 1_000_000
    assert [hour.begin for hour in rows(writing, usage_hour, Scope.PLATFORM)] == edges[:-1]


def test_a_call_over_midnight_counts_in_both_days_and_is_completed_in_the_second(writing: Connection) -> None:
    midnight = datetime(2026, 11, 18, 23, tzinfo=UTC)
    days = (DAY, DAY + timedelta(days=1))
    store(writing, call(1, midnight + timedelta(minutes=3)), days=days)
    for day in days:
        compute(writing, day)
    first, second = rows(writing, usage_day, Scope.PLATFORM)
    assert (first.legs, first.completed, second.legs, second.completed) == (1, 0, 1, 1)
    assert (first.participant_microseconds, second.participant_microseconds) == (420_000_000, 180_000_000)


def test_what_the_polls_saw_stands_beside_the_exact_peak(writing: Connection) -> None:
    store(writing, call(1), call(2))
    hour = datetime(2026, 11, 18, 11, tzinfo=UTC)
    with writing.begin():
        for samples, keys in ((PLATFORM, {}), (LOCATION, {"location_id": 1})):
            table = samples.tables[HOUR]
            for begin, ports in ((hour, 1), (hour + timedelta(hours=1), None)):
                values = {"time": begin, "samples": 120, "license_ports_maximum": ports} | keys
                writing.execute(insert(table).values(values))
    compute(writing)
    for scope in (Scope.PLATFORM, Scope.LOCATION):
        [sampled, *rest] = [row for row in rows(writing, usage_hour, scope) if row.scope_id in (0, 1)]
        assert (sampled.begin, sampled.peak_ports, sampled.sampled_ports) == (hour, 2, 1)
        assert all(row.sampled_ports is None for row in rest)
        assert rows(writing, usage_day, scope)[0].sampled_ports == 1
    assert all(row.sampled_ports is None for row in rows(writing, usage_day, Scope.SUBTREE))


def test_the_highest_poll_of_the_danish_day_is_the_days_and_polls_alone_make_no_row(
    writing: Connection,
) -> None:
    edges = day_edges(DAY, ZONE)
    ports = {edges[0] - timedelta(hours=1): 90, edges[0]: 3, edges[12]: 7, edges[-2]: 0, edges[-1]: 80}
    with writing.begin():
        for begin, most in ports.items():
            polled = {"time": begin, "samples": 120, "license_ports_maximum": most}
            put(writing, PLATFORM.tables[HOUR], [polled])
            places = [
                polled | {"location_id": place, "license_ports_maximum": most + place} for place in (1, 2)
            ]
            put(writing, LOCATION.tables[HOUR], places)
    store(writing, call(1, NOON - timedelta(minutes=5)))
    compute(writing)
    for scope, own in ((Scope.PLATFORM, 0), (Scope.LOCATION, 1)):
        [hour] = rows(writing, usage_hour, scope)
        [day] = rows(writing, usage_day, scope)
        assert (hour.begin, hour.scope_id, hour.sampled_ports) == (edges[12], own, 7 + own)
        assert (day.begin, day.scope_id, day.sampled_ports) == (edges[0], own, 7 + own)
    # An hour whose polls saw no port in use is told from one without polls.
    later = [edges[0] + timedelta(minutes=15), edges[20], edges[-1] - timedelta(minutes=5)]
    store(writing, *(call(number, ended) for number, ended in enumerate(later, 2)))
    compute(writing)
    found = {row.begin: row.sampled_ports for row in rows(writing, usage_hour, Scope.PLATFORM)}
    assert found == {edges[0]: 3, edges[12]: 7, edges[19]: None, edges[20]: None, edges[-2]: 0}
    with writing.begin():
        table = PLATFORM.tables[HOUR]
        writing.execute(delete(table).where(table.c.time.in_([edges[0], edges[12]])))
    store(writing)
    compute(writing)
    assert rows(writing, usage_day, Scope.PLATFORM)[0].sampled_ports == 0


def test_a_unit_that_moves_in_the_midst_of_a_day_counts_where_it_stood_at_its_begin(
    writing: Connection,
) -> None:
    moved = day_edges(DAY, ZONE)[0] + timedelta(seconds=1)
    by = tree(Place(1, None, ALWAYS), Place(2, 1, ALWAYS, moved), Place(4, None, ALWAYS), Place(2, 4, moved))
    store(writing, call(1, moved, organisation_id=2), call(2, organisation_id=2))
    compute(writing, by=by)
    found = {row.scope_id: row.completed for row in rows(writing, usage_day, Scope.SUBTREE)}
    assert found == {1: 2, 2: 2}


def test_a_unit_that_moved_keeps_its_past(writing: Connection) -> None:
    moved = datetime(2026, 11, 18, 23, tzinfo=UTC)
    by = tree(Place(1, None, ALWAYS), Place(2, 1, ALWAYS, moved), Place(4, None, ALWAYS), Place(2, 4, moved))
    days = (DAY, DAY + timedelta(days=1))
    store(
        writing, call(1, organisation_id=2), call(2, NOON + timedelta(days=1), organisation_id=2), days=days
    )
    for day in days:
        compute(writing, day, by)
    found = {(row.scope_id, row.begin.day) for row in rows(writing, usage_day, Scope.SUBTREE)}
    assert found == {(2, 17), (1, 17), (2, 18), (4, 18)}


def test_an_organisation_that_nobody_knows_stops_no_other(writing: Connection) -> None:
    store(writing, call(1, organisation_id=999), call(2, organisation_id=2), call(3, organisation_id=0))
    compute(writing)
    found = {row.scope_id: row.completed for row in rows(writing, usage_day, Scope.ORGANISATION)}
    assert found == {999: 1, 2: 1, 0: 1}
    subtrees = {row.scope_id: row.completed for row in rows(writing, usage_day, Scope.SUBTREE)}
    assert subtrees == {999: 1, 1: 1, 2: 1}


def test_a_day_is_pending_once_however_often_it_is_marked(writing: Connection) -> None:
    with writing.begin():
        for _ in range(3):
            mark_pending(writing, [DAY, DAY + timedelta(days=1)])
        mark_pending(writing, [])
        assert writing.scalar(select(func.count()).select_from(usage_pending)) == 2
        assert pending_days(writing) == [DAY, DAY + timedelta(days=1)]


@given(
    begin=st.timedeltas(timedelta(), timedelta(days=1000)), length=st.timedeltas(timedelta(), LONGEST_SPAN)
)
def test_each_day_of_a_call_is_stale_and_no_other(begin: timedelta, length: timedelta) -> None:
    start = NOON - begin
    days = stale_days([Span(start, start + length)], ZONE)
    first, last = start.astimezone(ZONE).date(), (start + length).astimezone(ZONE).date()
    assert days == {first + timedelta(days=number) for number in range((last - first).days + 1)}


def test_protocols_devices_and_licences_are_told_by_their_terms(writing: Connection) -> None:
    terms = {
        "protocol": ["webrtc", "Sip", "GMS/GHM", "api"],
        "device": ["browser/Chrome", "room/Cisco", "toaster/Smeg", "phone"],
        "license_type": ["port", "audio", "nolicense", "vmr"],
    }
    with writing.begin():
        for kind, names in terms.items():
            start = len(TERMS[kind]) + 1
            put(
                writing,
                term,
                (
                    {"kind": kind, "id": start + n, "name": f"{one}"}
                    for n, one in enumerate(names)
                    if one not in TERMS[kind]
                ),
            )
        numbers = {(row.kind, row.name): row.id for row in writing.execute(select(term))}
    calls = [
        call(
            number,
            protocol_id=numbers["protocol", terms["protocol"][number]],
            device_id=numbers["device", terms["device"][number]],
            license_type_id=numbers["license_type", terms["license_type"][number]],
        )
        for number in range(4)
    ]
    store(writing, *calls, call(9, protocol_id=0, device_id=0, license_type_id=0))
    compute(writing)
    [day] = rows(writing, usage_day, Scope.PLATFORM)
    assert (day.protocol_webrtc, day.protocol_sip, day.protocol_meet, day.protocol_other) == (1, 1, 1, 2)
    assert (day.device_browser, day.device_room, day.device_phone, day.device_other) == (1, 1, 1, 2)
    assert (day.completed, day.peak_ports, day.port_microseconds) == (5, 1, 600_000_000)


def test_a_call_that_failed_counts_where_it_ended_and_has_no_time(writing: Connection) -> None:
    store(writing, call(1, started=None, outcome=2, license_count=0), call(2, started=None, outcome=1))
    compute(writing)
    [day] = rows(writing, usage_day, Scope.PLATFORM)
    assert (day.failed, day.refused_license, day.completed, day.legs) == (2, 1, 0, 0)
    assert (day.participant_microseconds, day.port_microseconds, day.peak_ports) == (0, 0, 0)


def test_a_conference_on_several_nodes_and_in_several_places_is_one_meeting(writing: Connection) -> None:
    cascade = [call(number, location_id=number, media_node_id=number) for number in (1, 2, 3)]
    # Whose conference still runs is told from others by its room.
    open_ended = [call(number, conference_id=None, room_id=number % 2) for number in (4, 5, 6)]
    store(writing, *cascade, *open_ended)
    compute(writing)
    [day] = rows(writing, usage_day, Scope.PLATFORM)
    assert (day.legs, day.meetings) == (6, 3)


def test_a_call_of_days_is_found_in_each_of_them_in_whatever_order_they_are_computed(
    writing: Connection,
) -> None:
    days = [DAY + timedelta(days=number) for number in range(4)]
    ended = NOON + timedelta(days=3)
    with writing.begin():
        other = {"resource": "history/backplane", "watermark": NOON, "longest_seconds": 1}
        writing.execute(insert(history_progress).values(other))
        where = history_progress.c.resource == "history/participant"
        writing.execute(update(history_progress).where(where).values(longest_seconds=3 * 86_400))
    store(writing, call(1, ended, started=NOON), days=tuple(days))
    for day in reversed(days):
        compute(writing, day)
    found = rows(writing, usage_day, Scope.PLATFORM)
    assert [row.begin.date() for row in found] == [day - timedelta(days=1) for day in days]
    assert sum(row.participant_microseconds for row in found) == 3 * 86_400_000_000
    assert [(row.legs, row.started_legs, row.completed) for row in found] == [
        (1, 1, 0),
        (1, 0, 0),
        (1, 0, 0),
        (1, 0, 1),
    ]
    assert len(rows(writing, usage_hour, Scope.PLATFORM)) == 3 * 24 + 1


def test_a_day_leaves_the_usage_of_the_days_beside_it_as_it_was(writing: Connection) -> None:
    days = [DAY + timedelta(days=number) for number in (-1, 0, 1)]
    store(writing, *(call(n, NOON + timedelta(days=n)) for n in (-1, 0, 1)), days=tuple(days))
    for day in days:
        compute(writing, day)
    before = {table: rows(writing, table) for table in (usage_hour, usage_day)}
    with writing.begin():
        writing.execute(delete(history_participant))
    store(writing)
    compute(writing)
    edges = day_edges(DAY, ZONE)
    for table, known in before.items():
        others = [row for row in known if not edges[0] <= row.begin < edges[-1]]
        assert 0 < len(others) < len(known)
        assert rows(writing, table) == others


def test_more_rows_than_fit_a_statement_are_all_stored(writing: Connection) -> None:
    calls = [call(n, NOON + timedelta(seconds=n), organisation_id=n, location_id=n) for n in range(1, 700)]
    store(writing, *calls)
    assert compute(writing) > 4000
    found = rows(writing, usage_day, Scope.ORGANISATION)
    assert [(row.scope_id, row.completed) for row in found] == [(n, 1) for n in range(1, 700)]
    [day] = rows(writing, usage_day, Scope.PLATFORM)
    assert (day.completed, day.peak_ports) == (699, 600)


def test_calls_that_come_while_their_day_is_computed_are_counted_the_next_time(
    settings: Settings, writing: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process writes a call and computes the same day in the midst of it; both wait for the end."""
    store(writing, call(1))
    engine = open_engine(settings, writes=True)
    found: list[int] = []

    def late() -> None:
        with connect(engine) as other:
            store(other, call(2))

    def again() -> None:
        with connect(engine) as other:
            found.append(compute(other))

    threads = [threading.Thread(target=late), threading.Thread(target=again)]
    sampled = usage.sampled_peaks

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(usage, "sampled_peaks", sampled)
        for thread in threads:
            thread.start()
        return sampled(*arguments)

    monkeypatch.setattr(usage, "sampled_peaks", meanwhile)
    compute(writing)
    for thread in threads:
        thread.join()
    compute(writing)
    engine.dispose()
    [day] = rows(writing, usage_day, Scope.PLATFORM)
    assert day.completed == 2
    assert len(found) == 1
    with writing.begin():
        assert pending_days(writing) == []


def test_a_day_that_could_not_be_computed_stays_pending_and_as_it_was(
    writing: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(writing, call(1))
    compute(writing)
    before = [rows(writing, table) for table in (usage_hour, usage_day)]
    store(writing, call(2))

    def fails(*_arguments: Any) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(usage, "put", fails)
        with pytest.raises(OSError, match="disk"):
            compute(writing)
    assert [rows(writing, table) for table in (usage_hour, usage_day)] == before
    with writing.begin():
        assert pending_days(writing) == [DAY]
    compute(writing)
    assert rows(writing, usage_day, Scope.PLATFORM)[0].completed == 2


def test_a_call_at_the_end_of_time_stops_no_day(writing: Connection) -> None:
    """Some systems write the year 9999 where they know no end."""
    never = datetime(9999, 12, 31, tzinfo=UTC)
    with writing.begin():
        mark_pending(writing, stale_days([Span(None, never)], ZONE))
    store(writing, call(1), call(2, never, started=None, outcome=1))
    with writing.begin():
        days = pending_days(writing)
    for day in days:
        compute(writing, day)
    assert rows(writing, usage_day, Scope.PLATFORM)[0].completed == 1


@given(day=st.dates(date(1980, 1, 1), date(2100, 1, 1)))
def test_the_hours_of_any_day_follow_each_other_from_midnight_to_midnight(day: date) -> None:
    edges = day_edges(day, ZONE)
    assert {after - before for before, after in pairwise(edges)} == {timedelta(hours=1)}
    assert 24 <= len(edges) <= 26
    for edge, expected in ((edges[0], day), (edges[-1], day + timedelta(days=1))):
        local = edge.astimezone(ZONE)
        assert (local.date(), local.hour, local.minute) == (expected, 0, 0)


@given(
    calls=st.lists(
        st.tuples(st.none() | st.timedeltas(timedelta(), timedelta(days=3)), st.integers(0, 200_000)),
        max_size=5,
    )
)
def test_the_days_of_several_calls_are_those_of_each(calls: list[tuple[timedelta | None, int]]) -> None:
    spans = [
        Span(
            None if length is None else NOON - timedelta(seconds=back) - length,
            NOON - timedelta(seconds=back),
        )
        for length, back in calls
    ]
    assert stale_days(spans, ZONE) == set().union(*(stale_days([span], ZONE) for span in spans))
    for span in spans:
        if span.started is None:
            assert stale_days([span], ZONE) == {span.ended.astimezone(ZONE).date()}
