"""History goes when it is too old, and no sooner."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, delete, func, insert, select

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


@pytest.fixture
def writing(settings: Settings) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True)
    with connect(engine) as connection:
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


@pytest.fixture
def partitioned(mariadb_url: str, tmp_path: Path) -> Iterator[Connection]:
    settings = worlds.settings(mariadb_url, tmp_path)
    upgrade(settings)
    engine = open_engine(settings, writes=True)
    with connect(engine) as connection:
        yield connection
    engine.dispose()


@hypothesis_settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(offsets=st.lists(st.integers(0, 30), unique=True, min_size=1, max_size=5))
def test_in_whatever_order_months_are_made_they_stand_in_order_and_no_row_is_lost(
    partitioned: Connection, offsets: list[int]
) -> None:
    table = history_media_stream
    values = {column.name: 1 for column in table.c if not column.nullable} | {"participant_id": bytes(16)}
    months = [date(2024 + (offset // 12), offset % 12 + 1, 1) for offset in offsets]
    with partitioned.begin():
        partitioned.execute(delete(table))
    for month in months:
        with partitioned.begin():
            ended = datetime(month.year, month.month, 15, tzinfo=UTC)
            partitioned.execute(insert(table).values(values | {"ended": ended}))
        partitions.make_months(partitioned, table, [month])
        partitioned.commit()
    with partitioned.begin():
        made = partitions.partition_months(partitioned, table)
        assert made == sorted(made)
        assert set(months) <= set(made)
        assert partitioned.scalar(select(func.count()).select_from(table)) == len(months)
