"""History goes when it is too old, and no sooner."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, delete, insert, select

from tests.databases import MariaDB
from tests.store import worlds
from tests.store.filling import ended_call, number_of, put, used
from vdx.settings import HistorySettings, Settings
from vdx.store import partitions, upgrade
from vdx.store.database import connect, open_engine
from vdx.store.history_retention import UNLINKED_DAYS, prune
from vdx.store.history_tables import (
    history_alarm,
    history_backplane,
    history_media_stream,
    history_participant,
    history_unlinked,
    identity,
    usage_day,
    usage_hour,
)
from vdx.usage import Scope

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


TABLES = (
    history_participant,
    history_media_stream,
    history_backplane,
    history_alarm,
    history_unlinked,
    identity,
    usage_hour,
    usage_day,
)


@pytest.fixture(scope="module")
def on_mariadb(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a migrated MariaDB database that the tests of this module share."""
    with mariadb.database() as name:
        found = worlds.settings(mariadb.url(name), tmp_path_factory.mktemp("retention"))
        upgrade(found)
        yield found


@pytest.fixture
def partitioned(on_mariadb: Settings) -> Iterator[Connection]:
    """A connection to a MariaDB database without rows."""
    yield from _connected(on_mariadb)


@pytest.fixture(params=["sqlite", "mariadb"])
def writing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A connection to a database of each kind without rows."""
    if request.param == "sqlite":
        settings = worlds.settings(None, tmp_path)
        upgrade(settings)
        yield from _connected(settings)
    else:
        yield request.getfixturevalue("partitioned")


def _connected(settings: Settings) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True)
    with connect(engine) as connection:
        with connection.begin():
            for table in TABLES:
                connection.execute(delete(table))
        yield connection
    engine.dispose()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def backplane(ended: datetime, number: int) -> dict[str, Any]:
    return {
        "ended": ended,
        "id": number_of(number),
        "location_id": 1,
        "type_id": 1,
        "protocol_id": 1,
        "disconnect_reason_id": 1,
    }


def fill(connection: Connection, days: list[int]) -> None:
    """A call, a backplane and an hour of usage at noon of each of so many days ago."""
    if connection.dialect.name == "mysql":
        months = {ago(day).date().replace(day=1) for day in days}
        for table in (history_participant, history_backplane):
            partitions.make_months(connection, table, months)
        connection.commit()
    with connection.begin():
        put(
            connection,
            history_participant,
            [ended_call(ago(day), day) | {"id": number_of(day)} for day in days],
        )
        put(connection, history_backplane, [backplane(ago(day), day) for day in days])
        for table in (usage_hour, usage_day):
            put(connection, table, [used(Scope.PLATFORM, 0, ago(day)) for day in days])


def ages(connection: Connection, table: Table, column: str) -> list[int]:
    with connection.begin():
        times = connection.scalars(select(table.c[column]).order_by(table.c[column].desc())).all()
    return [(NOW - time).days for time in times]


def test_each_table_is_kept_as_long_as_its_setting_says(writing: Connection) -> None:
    days = [0, 1, 200, 400, 1000, 4000]
    fill(writing, days)
    prune(writing, HistorySettings(), NOW)
    assert ages(writing, history_participant, "ended") == [0, 1, 200, 400, 1000]
    assert ages(writing, history_backplane, "ended") == [0, 1, 200]
    assert ages(writing, usage_hour, "begin") == [0, 1, 200, 400]
    assert ages(writing, usage_day, "begin") == days
    prune(writing, HistorySettings(), NOW)
    assert ages(writing, history_participant, "ended") == [0, 1, 200, 400, 1000]


def test_nothing_is_lost_at_the_edge_and_a_month_at_most_is_kept_longer(writing: Connection) -> None:
    fill(writing, [*range(80, 130)])
    prune(writing, HistorySettings(backplane_days=100, conference_days=100), NOW)
    kept = ages(writing, history_backplane, "ended")
    assert set(range(80, 101)) <= set(kept)
    assert max(kept) <= 131


def test_alarms_go_by_when_they_were_lowered(writing: Connection) -> None:
    row = {"raised": ago(90), "name": "a", "level": "error", "instance": "", "details": "", "node": ""}
    with writing.begin():
        put(writing, history_alarm, [row | {"lowered": ago(day), "id": day} for day in (1, 29, 31)])
    prune(writing, HistorySettings(event_days=30), NOW)
    assert ages(writing, history_alarm, "lowered") == [1, 29]


def test_legs_wait_for_their_conference_for_a_month_of_what_has_been_read(writing: Connection) -> None:
    with writing.begin():
        for day in (400, 401, 400 + UNLINKED_DAYS + 1):
            row = {"id": number_of(day), "ended": ago(day), "backplane": False}
            writing.execute(insert(history_unlinked).values(row))
    prune(writing, HistorySettings(), NOW)
    assert ages(writing, history_unlinked, "ended") == [400, 401]


def test_people_are_forgotten_with_the_last_of_their_calls(writing: Connection) -> None:
    months = {1: date(2016, 10, 1), 2: date(2016, 11, 1), 3: date(2026, 11, 1)}
    with writing.begin():
        for number, month in months.items():
            row = {"id": number, "hash": number_of(number), "domain_id": 0, "pattern_id": 0, "seen": month}
            writing.execute(insert(identity).values(row))
    prune(writing, HistorySettings(), NOW)
    with writing.begin():
        assert writing.scalars(select(identity.c.id).order_by(identity.c.id)).all() == [2, 3]


def test_nobody_is_forgotten_whose_call_is_kept(writing: Connection) -> None:
    days = [*range(0, 200, 9)]
    fill(writing, days)
    with writing.begin():
        for month in {ago(day).date().replace(day=1) for day in days}:
            row = {"id": month.month + 12 * month.year, "hash": number_of(month), "seen": month}
            writing.execute(insert(identity).values(row | {"domain_id": 0, "pattern_id": 0}))
    prune(writing, HistorySettings(conference_days=100), NOW)
    with writing.begin():
        seen = writing.scalars(select(identity.c.seen).order_by(identity.c.seen)).all()
        ended = writing.scalars(select(history_participant.c.ended)).all()
    assert {time.date().replace(day=1) for time in ended} <= set(seen)
    assert seen[0] == ago(100).date().replace(day=1)


def test_of_those_who_wait_for_their_conference_none_goes_a_moment_too_soon(writing: Connection) -> None:
    moment = timedelta(microseconds=1)
    ends = [ago(5), ago(5 + UNLINKED_DAYS), ago(5 + UNLINKED_DAYS) - moment, ago(500)]
    with writing.begin():
        for number, ended in enumerate(ends):
            row = {"id": number_of(number), "ended": ended, "backplane": number == 1}
            writing.execute(insert(history_unlinked).values(row))
    prune(writing, HistorySettings(), NOW)
    with writing.begin():
        left = writing.scalars(select(history_unlinked.c.ended).order_by(history_unlinked.c.ended.desc()))
        assert left.all() == ends[:2]


def test_usage_by_the_hour_goes_to_the_hour_and_by_the_day_never(writing: Connection) -> None:
    days = [10, 10 + 1 / 24, 9, 3000, 30_000]
    with writing.begin():
        for table in (usage_hour, usage_day):
            put(writing, table, [used(Scope.PLATFORM, 0, ago(day)) for day in days])
    prune(writing, HistorySettings(usage_hour_days=10), NOW)
    assert ages(writing, usage_hour, "begin") == [9, 10]
    assert len(ages(writing, usage_day, "begin")) == len(days)


def test_an_empty_history_is_pruned_to_nothing(writing: Connection) -> None:
    prune(writing, HistorySettings(), NOW)
    prune(writing, HistorySettings(conference_days=1, usage_hour_days=1), NOW)
    assert [ages(writing, table, "ended") for table in (history_participant, history_backplane)] == [[], []]


def test_on_mariadb_whole_months_go_and_no_month_of_which_a_day_is_kept(partitioned: Connection) -> None:
    days = [*range(0, 160, 5)]
    fill(partitioned, days)
    prune(partitioned, HistorySettings(conference_days=100), NOW)  # from 16 August on
    with partitioned.begin():
        months = partitions.partition_months(partitioned, history_participant)
    assert months == [date(2026, month, 1) for month in (8, 9, 10, 11)]
    assert ages(partitioned, history_participant, "ended") == [
        day for day in days if ago(day) >= datetime(2026, 8, 1, tzinfo=UTC)
    ]
    first = datetime(2026, 9, 1, tzinfo=UTC)
    for now, left in ((first + timedelta(days=99, hours=23), 8), (first + timedelta(days=100), 9)):
        prune(partitioned, HistorySettings(conference_days=100), now)
        with partitioned.begin():
            assert partitions.partition_months(partitioned, history_participant)[0].month == left


def test_a_row_of_a_month_that_was_never_made_goes_with_the_month_it_lies_in(
    partitioned: Connection,
) -> None:
    fill(partitioned, [0])
    with partitioned.begin():
        put(partitioned, history_participant, [ended_call(ago(5000)), ended_call(ago(-5000), 1)])
    prune(partitioned, HistorySettings(), NOW)
    assert ages(partitioned, history_participant, "ended") == [-5000, 0, 5000]
    prune(partitioned, HistorySettings(), NOW + timedelta(days=4000))
    assert ages(partitioned, history_participant, "ended") == [-5000]


MONTHS = st.integers(0, 40).map(lambda number: date(2024 + number // 12, number % 12 + 1, 1))


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.lists(MONTHS, min_size=1, max_size=3), min_size=1, max_size=4), data=st.data())
def test_in_whatever_order_months_are_made_they_stand_in_order_and_no_row_is_lost(
    partitioned: Connection, steps: list[list[date]], data: st.DataObject
) -> None:
    table = history_media_stream
    values = {column.name: 1 for column in table.c if not column.nullable}
    with partitioned.begin():
        partitioned.execute(delete(table))
    partitions.drop_months(partitioned, table, date(9999, 1, 1))
    partitioned.commit()
    ends: list[datetime] = []
    for months in [*steps, steps[0]]:
        for month in data.draw(st.lists(MONTHS, max_size=3)) + months:
            following = partitions.next_month(month)
            last = datetime(following.year, following.month, 1, tzinfo=UTC) - timedelta(microseconds=1)
            ended = data.draw(st.sampled_from([datetime(month.year, month.month, 1, tzinfo=UTC), last]))
            row = values | {"ended": ended, "participant_id": number_of(len(ends))}
            with partitioned.begin():
                partitioned.execute(insert(table).values(row))
            ends.append(ended)
        partitions.make_months(partitioned, table, months)
        partitioned.commit()
    made = sorted({month for months in steps for month in months})
    with partitioned.begin():
        assert partitions.partition_months(partitioned, table) == made
        assert sorted(partitioned.scalars(select(table.c.ended))) == sorted(ends)
        for month in made:
            lying = partitioned.scalars(select(table.c.ended).with_hint(table, f"PARTITION (p{month:%Y%m})"))
            earlier = max((other for other in made if other < month), default=date.min)
            expected = [end for end in ends if earlier < end.date().replace(day=1) <= month]
            assert sorted(lying) == sorted(expected)
