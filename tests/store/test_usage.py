"""Usage of a day is computed from its calls: once or again, late or in time, by the tree as it then stood."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, select, update

from tests.store.filling import ended_call, number_of, put, put_names
from vdx.settings import Settings
from vdx.store.database import connect, open_engine
from vdx.store.history import stale_days
from vdx.store.history_progress import LONGEST_SPAN, mark_pending
from vdx.store.history_rows import Span
from vdx.store.history_tables import (
    history_participant,
    history_progress,
    usage_day,
    usage_hour,
    usage_pending,
)
from vdx.store.tables import HOUR, LOCATION, PLATFORM
from vdx.store.usage import compute_day, day_edges, pending_days
from vdx.tree import Organisation, Place, Tree
from vdx.usage import Scope

ZONE = ZoneInfo("Europe/Copenhagen")
DAY = date(2026, 11, 18)
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def writing(settings: Settings) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True)
    with connect(engine) as connection:
        with connection.begin():
            put_names(connection)
            connection.execute(delete(history_progress))
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
