"""A database that is away, hangs, refuses rows or dies; a miner that is killed: nothing lost or doubled."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from tests.databases import MariaDB
from tests.store import worlds
from tests.store.worlds import assert_intervals_agree, beat, changing_legs, eventually, leg, poll
from vdx.capacity import Usage
from vdx.settings import Settings
from vdx.store import Store, StoreError, tables, upgrade
from vdx.store import store as store_module
from vdx.store.database import open_engine, sqlite_file
from vdx.store.writing import CycleWriter
from vdx.telemetry import Telemetry


@contextmanager
def away(after_commit: bool = False) -> Iterator[None]:
    """Every write fails, as if the connection broke before or after the database had committed it."""
    write = CycleWriter.write

    def broken(self: CycleWriter, connection: Connection, cycle: object) -> object:
        if after_commit:
            write(self, connection, cycle)  # type: ignore[arg-type]
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("the connection was lost"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CycleWriter, "write", broken)
        yield


def value(telemetry: Telemetry, name: str) -> float:
    return telemetry.registry.get_sample_value(name) or 0.0


def polled(connection: Connection) -> list[datetime]:
    return list(connection.scalars(select(tables.poll.c.time).order_by(tables.poll.c.time)))


def feed(store: Store, numbers: range) -> dict[datetime, Usage]:
    """Polls that must be in the database or in the spool when it returns."""
    expected: dict[datetime, Usage] = {}
    for number in numbers:
        snapshot, usage = poll(number, changing_legs(number))
        expected[snapshot.time] = usage
        try:
            store.write_now(snapshot, usage)
        except StoreError as error:
            if "kept in the spool" not in str(error):
                raise
    return expected


@pytest.mark.parametrize("after_commit", [False, True])
def test_polls_of_an_outage_are_written_when_it_is_over(
    settings: Settings,
    start_store: Callable[..., Store],
    connection: Connection,
    log: list[str],
    after_commit: bool,
) -> None:
    telemetry = Telemetry()
    store = start_store(settings, telemetry)
    expected = feed(store, range(3))
    with away(after_commit):
        expected |= feed(store, range(3, 12))
        assert value(telemetry, "vdx_store_up") == 0
        assert value(telemetry, "vdx_store_spool_cycles") == 9
    expected |= feed(store, range(12, 15))
    eventually(lambda: len(polled(connection)) == 15)
    store.stop()
    assert polled(connection) == sorted(expected)
    assert_intervals_agree(connection, expected)
    assert value(telemetry, "vdx_store_up") == 1
    assert value(telemetry, "vdx_store_cycles_dropped_total") == 0
    assert value(telemetry, "vdx_store_spool_bytes") == 0
    assert sum("cannot be written" in line for line in log) == 1
    assert sum("is there again" in line for line in log) == 1


def test_a_restart_finds_the_spool(
    settings: Settings, start_store: Callable[..., Store], connection: Connection
) -> None:
    expected: dict[datetime, Usage] = {}
    for number in range(0, 20, 5):
        store = start_store()
        expected |= feed(store, range(number, number + 2))
        with away():
            expected |= feed(store, range(number + 2, number + 5))
            store.stop()
        assert list((settings.data.directory / "spool").iterdir())
        with away():
            store = start_store()
            store.stop()
    store = start_store()
    eventually(lambda: len(polled(connection)) == 20)
    assert polled(connection) == sorted(expected)
    assert_intervals_agree(connection, expected)


def test_the_spool_is_bounded_and_what_was_dropped_is_counted(
    settings: Settings, start_store: Callable[..., Store], connection: Connection, log: list[str]
) -> None:
    database = settings.database.model_copy(update={"spool_megabytes": 1})
    telemetry = Telemetry()
    store = start_store(settings.model_copy(update={"database": database}), telemetry)
    expected: dict[datetime, Usage] = {}
    with away():
        for number in range(30):
            legs = [leg(str(name), license_count=number % 7) for name in range(400 + number)]
            snapshot, usage = poll(number, legs)
            expected[snapshot.time] = usage
            with pytest.raises(StoreError, match="kept in the spool"):
                store.write_now(snapshot, usage)
        assert value(telemetry, "vdx_store_spool_bytes") <= 1_000_000
    store.submit(*poll(30))
    eventually(lambda: beat(30) in polled(connection))
    kept = polled(connection)
    dropped = value(telemetry, "vdx_store_cycles_dropped_total")
    assert 0 < dropped < 30
    assert len(kept) == 31 - dropped
    assert_intervals_agree(connection, {time: expected[time] for time in kept if time in expected})
    assert sum("were dropped" in line for line in log) == 1


def test_rows_that_the_database_refuses_are_set_aside(
    settings: Settings, start_store: Callable[..., Store], connection: Connection, log: list[str]
) -> None:
    telemetry = Telemetry()
    store = start_store(settings, telemetry)
    expected = feed(store, range(2))
    too_large = leg("else-7", license_count=2**63 + 5)
    with pytest.raises(StoreError, match="refuses the rows"):
        store.write_now(*poll(2, [too_large]))
    expected |= feed(store, range(3, 6))
    with away():
        expected |= feed(store, range(6, 8))
        feed_one = poll(8, [too_large])
        with pytest.raises(StoreError, match="kept in the spool"):
            store.write_now(*feed_one)
    for number in (9, 10):
        snapshot, usage = poll(number, changing_legs(number))
        store.submit(snapshot, usage)
        expected[snapshot.time] = usage
    eventually(lambda: beat(10) in polled(connection))
    assert polled(connection) == sorted(expected)
    assert_intervals_agree(connection, {time: usage for time, usage in expected.items() if time < beat(8)})
    feed(store, range(11, 12))
    assert_intervals_agree(connection, {beat(11): poll(11, changing_legs(11))[1]})
    assert value(telemetry, "vdx_store_cycles_dropped_total") == 2
    assert (settings.data.directory / "spool" / "spool.rejected").exists()
    assert sum("set aside" in line for line in log) == 2
    assert not any("else-7" in line or str(too_large.license_count) in line for line in log)


def test_a_full_disk_is_counted_and_told_once(
    settings: Settings, start_store: Callable[..., Store], connection: Connection, log: list[str]
) -> None:
    telemetry = Telemetry()
    store = start_store(settings, telemetry)
    expected = feed(store, range(2))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with away(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("vdx.store.spool._append", full)
        for number in range(2, 5):
            with pytest.raises(StoreError, match=r"No space left|cannot be written"):
                store.write_now(*poll(number, changing_legs(number)))
    eventually(lambda: value(telemetry, "vdx_store_cycles_dropped_total") == 3)
    expected |= feed(store, range(5, 8))
    eventually(lambda: beat(7) in polled(connection))
    assert polled(connection) == sorted(expected)
    assert_intervals_agree(connection, expected)
    assert sum("spool cannot be written" in line for line in log) == 1


def test_a_full_queue_drops_without_blocking(
    settings: Settings, start_store: Callable[..., Store], connection: Connection
) -> None:
    database = settings.database.model_copy(update={"queue_cycles": 2})
    telemetry = Telemetry()
    store = start_store(settings.model_copy(update={"database": database}), telemetry)
    expected: dict[datetime, Usage] = {}
    for number in range(60):
        snapshot, usage = poll(number, changing_legs(number))
        store.submit(snapshot, usage)
        expected[snapshot.time] = usage
    store.stop()
    kept = polled(connection)
    assert len(kept) + value(telemetry, "vdx_store_cycles_dropped_total") == 60
    assert_intervals_agree(connection, {time: expected[time] for time in kept})


def test_a_fault_of_the_program_costs_one_cycle(
    settings: Settings, start_store: Callable[..., Store], connection: Connection, log: list[str]
) -> None:
    store = start_store()
    expected = feed(store, range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vdx.store.recorder.node_figures", lambda *_: 1 / 0)
        store.submit(*poll(2))
        eventually(lambda: any("ZeroDivisionError" in line for line in log))
    expected |= feed(store, range(3, 5))
    assert polled(connection) == sorted(expected)
    assert_intervals_agree(connection, expected)


def test_stop_writes_what_is_queued(start_store: Callable[..., Store], connection: Connection) -> None:
    store = start_store()
    for number in range(10):
        store.submit(*poll(number))
    store.stop()
    store.stop()
    assert len(polled(connection)) == 10


def test_killed_at_any_moment(settings: Settings, connection: Connection) -> None:
    url = settings.database.url
    assert url is not None
    safe: set[int] = set()
    first = 0
    for turn in range(4):
        arguments = [str(settings.data.directory.parent), url.get_secret_value(), str(first)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.feeder", *arguments, *(["away"] if turn % 2 else [])],
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            for _ in range(5 + 3 * turn):
                safe.add(int(process.stdout.readline()))
            process.kill()
            safe |= {int(line) for line in process.stdout.read().split()}
        first = max(safe) + 3
    store = Store(settings, Telemetry())
    store.start()
    store.submit(*poll(first, changing_legs(first)))
    eventually(lambda: beat(first) in polled(connection))
    store.stop()
    kept = polled(connection)
    assert {beat(number) for number in safe} <= set(kept)
    numbers = {beat(number): number for number in range(first + 1)}
    assert_intervals_agree(
        connection, {time: poll(numbers[time], changing_legs(numbers[time]))[1] for time in kept}
    )


def test_a_second_miner_that_takes_over(
    settings: Settings, start_store: Callable[..., Store], connection: Connection
) -> None:
    other = settings.model_copy(
        update={"data": settings.data.model_copy(update={"directory": settings.data.directory / "other"})}
    )
    first, second = start_store(settings), start_store(other)
    expected: dict[datetime, Usage] = {}
    for number in range(6):
        expected |= feed(first if number % 2 else second, range(number, number + 1))
        feed(second if number % 2 else first, range(number, number + 1))
    first.stop()
    expected |= feed(second, range(6, 10))
    assert polled(connection) == sorted(expected)
    assert_intervals_agree(connection, expected)


def test_locked_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = worlds.settings(None, tmp_path)
    upgrade(settings)
    monkeypatch.setattr("vdx.store.database.LOCK_SECONDS", 0.1)
    store = Store(settings, Telemetry())
    store.start()
    engine = open_engine(settings)
    holder = sqlite3.connect(sqlite_file(engine.url) or "", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    expected = feed(store, range(3))
    holder.execute("ROLLBACK")
    holder.close()
    expected |= feed(store, range(3, 5))
    with engine.connect() as reader:
        connection = reader.execution_options(isolation_level="AUTOCOMMIT")
        eventually(lambda: len(polled(connection)) == 5)
        assert_intervals_agree(connection, expected)
    store.stop()
    engine.dispose()


class TestServer:
    """A real server that dies or hangs."""

    @pytest.fixture
    def settings(self, mariadb_url: str, tmp_path: Path) -> Settings:
        found = worlds.settings(mariadb_url, tmp_path)
        upgrade(found)
        return found

    def test_killed_and_started_again(
        self, settings: Settings, start_store: Callable[..., Store], mariadb: MariaDB
    ) -> None:
        store = start_store()
        expected = feed(store, range(3))
        mariadb.kill()
        expected |= feed(store, range(3, 6))
        mariadb.start()
        expected |= feed(store, range(6, 8))
        self._assert_complete(settings, expected)

    def test_hangs(
        self,
        settings: Settings,
        start_store: Callable[..., Store],
        mariadb: MariaDB,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("vdx.store.database.ANSWER_SECONDS", 1)
        monkeypatch.setattr("vdx.store.database.CONNECT_SECONDS", 1)
        store = start_store()
        expected = feed(store, range(2))
        mariadb.signal(signal.SIGSTOP)
        try:
            expected |= feed(store, range(2, 5))
        finally:
            mariadb.signal(signal.SIGCONT)
        expected |= feed(store, range(5, 7))
        self._assert_complete(settings, expected)

    def _assert_complete(self, settings: Settings, expected: dict[datetime, Usage]) -> None:
        engine = open_engine(settings)
        with engine.connect() as reader:
            connection = reader.execution_options(isolation_level="AUTOCOMMIT")
            eventually(lambda: len(polled(connection)) == len(expected))
            assert polled(connection) == sorted(expected)
            assert_intervals_agree(connection, expected)
            doubled = connection.scalar(select(func.count()).select_from(tables.NODE.tables[tables.RAW]))
            assert doubled == 2 * len(expected)
        engine.dispose()


def test_retry_grows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(store_module, "FIRST_RETRY_SECONDS", 1.0)
    monkeypatch.setattr(store_module, "LAST_RETRY_SECONDS", 60.0)
    store = Store(worlds.settings(None, tmp_path), Telemetry())
    delays = []
    for _ in range(9):
        store._is_away("away")
        delays.append(store._delay)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
