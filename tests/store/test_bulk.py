"""Rows come into a table the same whether they are inserted or loaded, and faults are told."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import DBAPIError

from tests.databases import MariaDB
from tests.store import worlds
from vdx.settings import Settings
from vdx.store import bulk, upgrade
from vdx.store.bulk import columns_of, put
from vdx.store.database import connect, open_engine
from vdx.store.errors import is_data_fault
from vdx.store.history_tables import history_alarm, history_media_stream, identity, usage_pending

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
TEXTS = ["plain", "tab\tnew\nline\r", "back\\slash \\N", "quote ' \" %s", "nul\0", "æøå ÆØÅ", "😀", "", ","]


@pytest.fixture
def settings(mariadb_url: str, tmp_path: Path) -> Settings:
    found = worlds.settings(mariadb_url, tmp_path)
    upgrade(found)
    return found


@contextmanager
def writing(settings: Settings, *, loads: bool = True) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True, loads=loads)
    with connect(engine) as connection:
        yield connection
    engine.dispose()


def alarms(count: int) -> bulk.Columns:
    return {
        "lowered": [START + timedelta(seconds=number, microseconds=number % 3) for number in range(count)],
        "id": [(-1) ** number * (2**62 + number) for number in range(count)],
        "raised": [None if number % 2 else START for number in range(count)],
        "name": [TEXTS[number % len(TEXTS)] for number in range(count)],
        "level": ["error"] * count,
        "instance": [TEXTS[-number % len(TEXTS)] for number in range(count)],
        "details": ["x" * (number % 251) for number in range(count)],
        "node": [""] * count,
    }


def streams(count: int) -> bulk.Columns:
    columns: dict[str, Any] = {
        "ended": [START] * count,
        "participant_id": [number.to_bytes(16, "big") for number in range(count)],
        "number": [number % 256 for number in range(count)],
        "started": [None if number % 3 else START for number in range(count)],
        "stopped": [START + timedelta(microseconds=1)] * count,
        "media_node_id": [None if number % 2 else -5 for number in range(count)],
    }
    for column in history_media_stream.c:
        if column.name not in columns:
            columns[column.name] = [None if column.nullable and number % 2 else 7 for number in range(count)]
    return columns


def identities(count: int) -> bulk.Columns:
    return {
        "id": range(1, count + 1),
        "hash": [bytes([number % 256]) * 8 + number.to_bytes(8, "big") for number in range(count)],
        "domain_id": [0] * count,
        "pattern_id": [1] * count,
        "seen": [date(2026, 3, 1)] * count,
        "name": [None if number % 2 else TEXTS[number % len(TEXTS)] for number in range(count)],
    }


@pytest.mark.parametrize(
    ("table", "columns"),
    [(history_alarm, alarms), (history_media_stream, streams), (identity, identities)],
)
def test_loaded_rows_are_those_that_would_have_been_inserted(
    settings: Settings, table: Any, columns: Any
) -> None:
    count = 3 * bulk.FEWEST
    found = []
    for loads in (False, True):
        with writing(settings, loads=loads) as connection:
            with connection.begin():
                connection.execute(delete(table))
                assert put(connection, table, columns(count)) == count
            with connection.begin():
                found.append(connection.execute(select(table).order_by(*table.primary_key.columns)).all())
    assert len(found[0]) == count
    assert found[0] == found[1]


@pytest.mark.parametrize("count", [0, 1, bulk.FEWEST - 1, bulk.FEWEST, 1001])
def test_any_number_of_rows_comes_in_whole(settings: Settings, count: int) -> None:
    with writing(settings) as connection:
        with connection.begin():
            put(connection, history_alarm, alarms(count))
        with connection.begin():
            assert connection.scalar(select(func.count()).select_from(history_alarm)) == count


def test_a_server_that_refuses_loads_is_inserted_into(settings: Settings, mariadb: MariaDB) -> None:
    with mariadb.connect() as administrator, administrator.cursor() as cursor:
        cursor.execute("SET GLOBAL local_infile = 0")
        try:
            with writing(settings) as connection:
                for some in (alarms(bulk.FEWEST), streams(bulk.FEWEST)):
                    table = history_alarm if "lowered" in some else history_media_stream
                    with connection.begin():
                        assert put(connection, table, some) == bulk.FEWEST
                    with connection.begin():
                        assert connection.scalar(select(func.count()).select_from(table)) == bulk.FEWEST
        finally:
            cursor.execute("SET GLOBAL local_infile = 1")


@pytest.mark.parametrize("fault", ["twice", "out of range"])
def test_a_row_that_does_not_fit_is_a_data_fault_and_leaves_nothing_behind(
    settings: Settings, fault: str
) -> None:
    columns = dict(streams(bulk.FEWEST + 5))
    if fault == "twice":
        columns["participant_id"] = [bytes(16)] * len(columns["number"])
        columns["number"] = [1] * len(columns["number"])
    else:
        columns["rx_codec_id"] = [*columns["rx_codec_id"][:-1], 300]
    with writing(settings) as connection:
        with pytest.raises(DBAPIError) as raised, connection.begin():
            put(connection, history_media_stream, columns)
        assert is_data_fault(raised.value)
        with connection.begin():
            assert connection.scalar(select(func.count()).select_from(history_media_stream)) == 0


def test_loading_leaves_no_thread_no_descriptor_and_no_setting_behind(settings: Settings) -> None:
    interval = sys.getswitchinterval()
    with writing(settings) as connection:
        with connection.begin():
            put(connection, identity, identities(bulk.FEWEST))
        before = len(os.listdir("/proc/self/fd"))
        for number in range(1, 8):
            with connection.begin():
                connection.execute(delete(identity))
                put(connection, identity, identities(bulk.FEWEST + number))
        assert len(os.listdir("/proc/self/fd")) == before
    assert "load" not in {thread.name for thread in threading.enumerate()}
    assert sys.getswitchinterval() == interval


def test_no_rows_are_columns_of_nothing() -> None:
    assert columns_of(usage_pending, []) == {"day": ()}
    assert columns_of(usage_pending, [(1,), (2,)]) == {"day": (1, 2)}
