"""Rows come into a table the same whether they are inserted or loaded, and faults are told."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Table, delete, func, select, text
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

from tests.databases import MariaDB
from tests.store import worlds
from vdx.settings import Settings
from vdx.store import bulk, upgrade
from vdx.store.bulk import columns_of, put
from vdx.store.database import connect, open_engine
from vdx.store.errors import is_data_fault
from vdx.store.history_tables import (
    history_alarm,
    history_media_stream,
    history_participant,
    identity,
    usage_hour,
    usage_pending,
)

TABLES: Final = (history_participant, history_media_stream, history_alarm, identity, usage_hour)
START: Final = datetime(2026, 3, 1, 8, tzinfo=UTC)
COUNT: Final = 3 * bulk.FEWEST
TEXTS: Final = (
    "plain",
    "tab\tnew\nline\r",
    "\\N",
    "NULL",
    "None",
    "back\\slash\\",
    "quote ' \" ` %s {}",
    "nul\0 bell\b end\x1a",
    "æøå ÆØÅ a\u030a \u2028\x85",
    "😀👩‍👩‍👧",
    "",
    " space ",
    ",",
    "æ" * 250,
)
VALUES: Final[dict[str, Sequence[Any]]] = {
    "BOOL": (True, False),
    "TINYINT UNSIGNED": (0, 255, 1),
    "SMALLINT": (-(2**15), 2**15 - 1, -1),
    "SMALLINT UNSIGNED": (0, 2**16 - 1, 7),
    "MEDIUMINT UNSIGNED": (0, 2**24 - 1, 9),
    "INTEGER": (-(2**31), 2**31 - 1, 0),
    "BIGINT": (-(2**63), 2**63 - 1, -1),
    "BINARY(16)": (bytes(16), b"\\\t\n\r\0'\"N" * 2, b"\xff" * 16),
    "DATE": (date(1000, 1, 1), date(2026, 3, 1), date(9999, 12, 31)),
    "DATETIME": (START, datetime(1000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    "DATETIME(6)": (
        START,
        START + timedelta(microseconds=1),
        START + timedelta(milliseconds=500),
        datetime(1000, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ),
    "VARCHAR(32)": tuple(one[:32] for one in TEXTS),
    "VARCHAR(250)": TEXTS,
}
"""Type on MySQL -> its ordinary, odd and utmost values."""


@pytest.fixture(scope="module")
def prepared(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a migrated database that the tests of this module share."""
    with mariadb.database() as name:
        found = worlds.settings(mariadb.url(name), tmp_path_factory.mktemp("bulk"))
        upgrade(found)
        yield found


@pytest.fixture
def settings(prepared: Settings) -> Settings:
    """The settings of a database whose tables are empty."""
    with writing(prepared) as connection:
        clear(connection)
    return prepared


@contextmanager
def writing(settings: Settings, *, loads: bool = True) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True, loads=loads)
    with connect(engine) as connection:
        yield connection
    engine.dispose()


def clear(connection: Connection) -> None:
    with connection.begin():
        for table in TABLES:
            connection.execute(delete(table))


def key_of(column: Column[Any], count: int) -> Sequence[Any] | None:
    """Different values for each row where a column tells rows apart, else None."""
    if column.name in ("id", "participant_id", "hash") and "BINARY" in kind_of(column):
        return [number.to_bytes(8, "little") + b"\\\t\n\0\r\xff'N" for number in range(count)]
    if column.table.name == "identity" and column.name == "id":
        return range(1, count + 1)
    if column.name == "id":
        return [(-1) ** number * (2**63 - 1 - number) for number in range(count)]
    if column.name == "scope_id":
        return [2**31 - 1 - number for number in range(count)]
    return None


def kind_of(column: Column[Any]) -> str:
    return str(column.type.compile(dialect=mysql.dialect()))


def sample(table: Table, count: int) -> dict[str, Sequence[Any]]:
    """Rows with all that a column can hold, each column at a pace of its own."""
    columns: dict[str, Sequence[Any]] = {}
    for place, column in enumerate(table.c):
        values = list(VALUES[kind_of(column)]) + ([None] if column.nullable else [])
        pace = 1 + place % 3
        columns[column.name] = key_of(column, count) or [
            values[(number // pace + place) % len(values)] for number in range(count)
        ]
    return columns


def part(columns: bulk.Columns, start: int, end: int) -> bulk.Columns:
    return {name: values[start:end] for name, values in columns.items()}


def rows_of(table: Table, columns: bulk.Columns) -> set[Any]:
    return set(zip(*(columns[column.name] for column in table.c), strict=True))


def stored(connection: Connection, table: Table) -> list[Any]:
    with connection.begin():
        return list(map(tuple, connection.execute(select(table))))


def count_of(connection: Connection, table: Table) -> int:
    with connection.begin():
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def statements(connection: Connection, kind: str) -> int:
    """How many statements of a kind the session has sent."""
    with connection.begin():
        return int(connection.execute(text(f"SHOW SESSION STATUS LIKE 'Com_{kind}'")).one()[1])


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("way", ["few at a time", "loads not allowed", "load"])
def test_rows_are_stored_as_they_were_given_whichever_way_they_go(
    settings: Settings, table: Table, way: str
) -> None:
    columns = sample(table, COUNT)
    some = bulk.FEWEST - 1 if way == "few at a time" else COUNT
    with writing(settings, loads=way != "loads not allowed") as connection:
        before = statements(connection, "load")
        with connection.begin():
            for start in range(0, COUNT, some):
                page = part(columns, start, start + some)
                assert put(connection, table, page) == min(some, COUNT - start)
        assert statements(connection, "load") - before == (way == "load")
        found = stored(connection, table)
    assert len(found) == COUNT
    assert set(found) == rows_of(table, columns)


@hypothesis_settings(max_examples=15, deadline=None)
@given(texts=st.lists(st.text(max_size=250), min_size=1, max_size=20))
def test_any_text_is_loaded_as_it_is(prepared: Settings, texts: list[str]) -> None:
    columns = sample(history_alarm, bulk.FEWEST)
    columns["details"] = [texts[number % len(texts)] for number in range(bulk.FEWEST)]
    with writing(prepared) as connection:
        clear(connection)
        with connection.begin():
            put(connection, history_alarm, columns)
        assert statements(connection, "insert") == 0
        assert set(stored(connection, history_alarm)) == rows_of(history_alarm, columns)


@pytest.mark.parametrize("count", [0, 1, bulk.FEWEST - 1, bulk.FEWEST, 1001])
def test_any_number_of_rows_comes_in_whole(settings: Settings, count: int) -> None:
    with writing(settings) as connection:
        with connection.begin():
            assert put(connection, history_alarm, sample(history_alarm, count)) == count
        assert count_of(connection, history_alarm) == count
        assert statements(connection, "load") == (count >= bulk.FEWEST)


def test_sqlite_is_inserted_into(tmp_path: Path) -> None:
    found = worlds.settings(None, tmp_path)
    upgrade(found)
    columns = sample(usage_hour, 1001)
    with writing(found) as connection:
        with connection.begin():
            assert put(connection, usage_hour, columns) == 1001
        assert set(stored(connection, usage_hour)) == rows_of(usage_hour, columns)


def test_loaded_rows_go_with_a_transaction_that_is_rolled_back(settings: Settings) -> None:
    with writing(settings) as connection:
        transaction = connection.begin()
        put(connection, history_alarm, sample(history_alarm, COUNT))
        transaction.rollback()
        assert count_of(connection, history_alarm) == 0


@pytest.mark.parametrize("connected", [False, True], ids=["before", "after"])
def test_a_server_that_refuses_loads_is_inserted_into(
    settings: Settings, mariadb: MariaDB, *, connected: bool
) -> None:
    """Whether it was told to refuse them before the connection was made, or after."""
    columns = sample(history_media_stream, COUNT)
    with mariadb.connect() as administrator, administrator.cursor() as cursor:
        try:
            if not connected:
                cursor.execute("SET GLOBAL local_infile = 0")
            with writing(settings) as connection:
                cursor.execute("SET GLOBAL local_infile = 0")
                open_files = os.listdir("/proc/self/fd")
                for start in range(0, COUNT, bulk.FEWEST):
                    with connection.begin():
                        put(connection, history_media_stream, part(columns, start, start + bulk.FEWEST))
                assert set(stored(connection, history_media_stream)) == rows_of(history_media_stream, columns)
                assert statements(connection, "load") <= 1  # it is not asked again and again
                assert len(os.listdir("/proc/self/fd")) == len(open_files)
        finally:
            cursor.execute("SET GLOBAL local_infile = 1")
    assert "load" not in {thread.name for thread in threading.enumerate()}


def spoilt(fault: str) -> tuple[Table, bulk.Columns]:
    """A batch whose last row is at fault."""
    table = history_alarm if fault == "too long" else history_media_stream
    columns = sample(table, bulk.FEWEST + 5)
    column, value = {
        "out of range": ("rx_codec_id", 256),
        "negative": ("rx_codec_id", -1),
        "too large": ("rx_lost", 2**63),
        "not null": ("type_id", None),
        "too long": ("name", "x" * 251),
        "twice": ("number", columns.get("number", [0])[0]),
    }[fault]
    spoiled = {**columns, column: [*columns[column][:-1], value]}
    if fault == "twice":
        spoiled |= {
            key.name: [*columns[key.name][:-1], columns[key.name][0]] for key in table.primary_key.columns
        }
    return table, spoiled


@pytest.mark.parametrize("fault", ["twice", "out of range", "negative", "too large", "not null", "too long"])
def test_a_row_that_does_not_fit_is_a_data_fault_and_leaves_nothing_behind(
    settings: Settings, fault: str
) -> None:
    table, columns = spoilt(fault)
    with writing(settings) as connection:
        for _ in range(2):
            with pytest.raises(DBAPIError) as raised, connection.begin():
                put(connection, table, columns)
            assert is_data_fault(raised.value)
            assert count_of(connection, table) == 0
        with connection.begin():
            put(connection, table, part(columns, 0, bulk.FEWEST))
        assert count_of(connection, table) == bulk.FEWEST
        assert statements(connection, "load") == 3  # a fault of the rows is no refusal of the server


def test_a_row_that_is_stored_already_is_a_data_fault_and_stays_as_it_was(settings: Settings) -> None:
    columns = sample(usage_hour, COUNT)
    with writing(settings) as connection:
        with connection.begin():
            put(connection, usage_hour, part(columns, COUNT - 1, COUNT))
        with pytest.raises(DBAPIError) as raised, connection.begin():
            put(connection, usage_hour, {**columns, "peak_ports": [5] * COUNT})
        assert is_data_fault(raised.value)
        assert set(stored(connection, usage_hour)) == rows_of(usage_hour, part(columns, COUNT - 1, COUNT))


def test_loading_leaves_no_thread_no_descriptor_and_no_setting_behind(settings: Settings) -> None:
    interval = sys.getswitchinterval()
    columns = sample(identity, COUNT)
    table, faulty = spoilt("out of range")
    with writing(settings) as connection:
        with connection.begin():
            put(connection, identity, columns)
        before = os.listdir("/proc/self/fd")
        for _ in range(20):
            with connection.begin():
                connection.execute(delete(identity))
                put(connection, identity, columns)
            with pytest.raises(DBAPIError), connection.begin():
                put(connection, table, faulty)
        assert len(os.listdir("/proc/self/fd")) == len(before)
        assert statements(connection, "load") == 41
    assert "load" not in {thread.name for thread in threading.enumerate()}
    assert sys.getswitchinterval() == interval


def test_no_rows_are_columns_of_nothing() -> None:
    assert columns_of(usage_pending, []) == {"day": ()}
    assert columns_of(usage_pending, [(1,), (2,)]) == {"day": (1, 2)}
    assert columns_of(identity, []) == dict.fromkeys(identity.c.keys(), ())


def test_rows_of_another_width_than_the_table_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        columns_of(usage_pending, [(1, 2)])


def test_a_server_that_has_no_time_for_a_load_is_no_fault_of_the_rows(settings: Settings) -> None:
    columns = sample(history_alarm, COUNT)
    with writing(settings) as holder, writing(settings) as waiting:
        transaction = holder.begin()
        put(holder, history_alarm, part(columns, 0, 1))
        with waiting.begin():
            waiting.execute(text("SET innodb_lock_wait_timeout = 1"))
        with pytest.raises(Exception, match="Lock wait timeout") as raised, waiting.begin():
            put(waiting, history_alarm, columns)
        transaction.rollback()
    assert isinstance(raised.value, DBAPIError)
    assert not is_data_fault(raised.value)


def test_a_connection_that_is_lost_is_no_fault_of_the_rows_and_leaves_no_descriptor_open(
    settings: Settings, mariadb: MariaDB
) -> None:
    columns = sample(history_alarm, COUNT)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with writing(settings) as connection:
            with connection.begin():
                number = connection.scalar(text("SELECT CONNECTION_ID()"))
            with mariadb.connect() as administrator, administrator.cursor() as cursor:
                cursor.execute(f"KILL {number}")
            with pytest.raises(DBAPIError) as raised, connection.begin():
                put(connection, history_alarm, columns)
            assert not is_data_fault(raised.value)
    assert len(os.listdir("/proc/self/fd")) == before
