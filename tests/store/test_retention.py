"""What is dropped, and what is not, on both databases; day partitions on MariaDB."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from tests.store import worlds
from tests.store.worlds import START, leg, poll
from vdx.settings import Settings
from vdx.store import Store, queries, upgrade
from vdx.store.partitions import DAYS_AHEAD, partition_days
from vdx.store.retention import prune
from vdx.store.tables import FIVE_MINUTES, HOUR, NODE, RAW, SAMPLES, participant

DAY = 2880
"""Beats a day."""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Short retention."""
    found = worlds.settings(database_url, tmp_path, raw_days=2, five_minute_days=4, interval_days=3)
    upgrade(found)
    return found


def test_each_resolution_is_kept_for_its_days(
    settings: Settings, store: Store, connection: Connection
) -> None:
    for day in range(8):
        for number in (0, 1, 20):
            store.write_now(*poll(day * DAY + number, [leg(f"{day}"), leg("always")]))
    store.write_now(*poll(8 * DAY, [leg("always")]))
    store.write_now(*poll(8 * DAY + 130, [leg("always")]))

    end = START + timedelta(days=30)
    raw = {point.time.date() for point in queries.platform_samples(connection, START, end)}
    assert START.date() + timedelta(days=5) not in raw
    assert {START.date() + timedelta(days=day) for day in (7, 8)} <= raw
    for samples in SAMPLES:
        table = samples.tables[FIVE_MINUTES]
        oldest = connection.scalar(select(func.min(table.c.time)))
        assert oldest == START + timedelta(days=5)
        hours = connection.scalar(select(func.count(samples.tables[HOUR].c.time.distinct())))
        assert hours == 9
    gone = connection.scalar(select(func.count()).where(participant.c.ended < START + timedelta(days=5)))
    assert gone == 0
    (always,) = queries.participants_open(connection, START + timedelta(days=8))
    assert always.first_seen == START
    assert queries.latest_polls(connection, 99)[-1].time >= START + timedelta(days=5)


def test_pruning_again_changes_nothing(settings: Settings, store: Store, connection: Connection) -> None:
    store.write_now(*poll(0, [leg("a")]))
    store.stop()
    fresh = connection.execution_options(isolation_level="AUTOCOMMIT")
    fresh.rollback()
    for _ in range(2):
        prune(fresh, settings.database, START)
    assert len(queries.platform_samples(connection, START, START + timedelta(days=1))) == 1


class TestPartitions:
    """Only MySQL and MariaDB have them."""

    @pytest.fixture
    def settings(self, mariadb_url: str, tmp_path: Path) -> Settings:
        found = worlds.settings(mariadb_url, tmp_path, raw_days=2)
        upgrade(found)
        return found

    def test_days_are_made_ahead_and_old_ones_dropped(
        self, settings: Settings, start_store: Callable[..., Store], connection: Connection
    ) -> None:
        store = start_store()
        store.write_now(*poll(0))
        table = NODE.tables[RAW]
        days = [START.date() + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)]
        assert partition_days(connection, table) == days
        store.write_now(*poll(4 * DAY))
        assert partition_days(connection, table)[:2] == [days[2], days[3]]

    def test_a_sample_of_a_day_without_its_partition_is_kept_and_moved(
        self, settings: Settings, start_store: Callable[..., Store], connection: Connection
    ) -> None:
        store = start_store()
        store.write_now(*poll(0))
        store.write_now(*poll(1))
        far = START + timedelta(days=20)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("vdx.store.store.prune", lambda *_: None)
            store.write_now(*poll(20 * DAY))
        assert len(queries.platform_samples(connection, far, far + timedelta(days=1))) == 1
        store.write_now(*poll(20 * DAY + 120))
        assert len(queries.platform_samples(connection, far, far + timedelta(days=1))) == 2
        assert partition_days(connection, NODE.tables[RAW])[0] == far.date()
        explained = connection.exec_driver_sql(
            f"EXPLAIN PARTITIONS SELECT * FROM node_sample WHERE time >= '{far:%Y-%m-%d %H:%M:%S}' "
            f"AND time < '{far + timedelta(hours=2):%Y-%m-%d %H:%M:%S}'"
        ).mappings()
        assert [row["partitions"] for row in explained] == [f"p{far:%Y%m%d}"]
