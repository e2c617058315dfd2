"""What storing costs at VDX size: `python -m benchmarks.store`.

Time: cycles of 81 nodes, 14 locations and 1,000 participants, of whom about 45 come and 45 go at each
beat. The floor is the same statements with the same rows, sent by the driver alone.
Disk: each table filled with rows of that size, and the rows of a year by the settings' retention.
"""

import gc
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import SecretStr
from sqlalchemy import Connection, Table, event, insert, text, update

from tests.databases import running_mariadb
from vdx.capacity import TelephonyRule, measure
from vdx.pexip.records import (
    Conference,
    Participant,
    SystemLocation,
    WorkerVM,
    WorkerVMConfiguration,
)
from vdx.settings import DatabaseSettings, DataSettings, Settings
from vdx.snapshot import Configuration, Snapshot
from vdx.store import upgrade
from vdx.store.cycle import FRACTIONS, encode
from vdx.store.database import connect, open_engine, sqlite_file
from vdx.store.identities import Pseudonyms
from vdx.store.recorder import Recorder
from vdx.store.retention import prune
from vdx.store.tables import FIVE_MINUTES, HOUR, RAW, SAMPLES, conference, participant, poll
from vdx.store.writing import CycleWriter

START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BEAT: Final = timedelta(seconds=30)
CYCLES: Final = 240
NODES: Final = 81
LOCATIONS: Final = 14
PARTICIPANTS: Final = 1000
CHURN: Final = (30, 60)
"""Legs that come, and that go, in one cycle."""
LEGS_A_YEAR: Final = 20_000 * 250
CONFERENCES_A_YEAR: Final = 5_000 * 250
SEGMENTS_A_LEG: Final = 1.5
"""An assumption: about every other leg changes once in what it is counted by, such as waiting_room to
conference."""
ROWS: Final = 40_000
"""Rows that a table is filled with to weigh one."""

Statement = tuple[str, Any, bool]


class Platform:
    """A platform on a working day: the same number of legs, of which some come and go."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        places = [f"Location {number:02}" for number in range(LOCATIONS)]
        self._nodes = [
            WorkerVM(
                id=number,
                configuration_id=number,
                name=f"node-{number:02}",
                node_type="CONFERENCING",
                system_location=places[number % LOCATIONS],
                max_hd_calls=80,
                max_media_tokens=1600,
            )
            for number in range(NODES)
        ]
        self._locations = [SystemLocation(id=number, name=name) for number, name in enumerate(places)]
        self._configuration = Configuration(
            worker_vms=[
                WorkerVMConfiguration(id=node.id, name=node.name, address=f"10.0.0.{node.id}")
                for node in self._nodes
            ]
        )
        self._legs = [self._leg() for _ in range(PARTICIPANTS)]

    def _leg(self) -> Participant:
        node = self._random.choice(self._nodes)
        return Participant(
            id=str(uuid.UUID(int=self._random.getrandbits(128))),
            conference=f"meeting {self._random.randrange(1_000_000) // 3}",
            service_type="conference",
            service_tag=f"organisation-{self._random.randrange(200)}",
            system_location=node.system_location,
            protocol=self._random.choice(["WebRTC", "SIP", "H323"]),
            call_direction="in",
            call_quality="1_good",
            encryption="On",
            connect_time=START,
            license_count=1,
            license_type="port",
            media_node=f"10.0.0.{node.id}",
            participant_alias=f"{self._random.getrandbits(32)}@example.dk",
            has_media=True,
        )

    def snapshots(self, settings: Settings) -> Iterator[tuple[Snapshot, Any]]:
        """One snapshot after another, with its figures."""
        telephony = TelephonyRule(settings.pstn)
        beat = START
        while True:
            beat += BEAT
            self._random.shuffle(self._legs)
            gone = self._random.randint(*CHURN)
            self._legs = self._legs[gone:] + [
                self._leg() for _ in range(PARTICIPANTS - len(self._legs) + gone)
            ]
            snapshot = Snapshot(
                time=beat,
                duration_seconds=1.5,
                conferences=[
                    Conference(id=str(uuid.uuid5(uuid.NAMESPACE_OID, name)), name=name)
                    for name in sorted({leg.conference for leg in self._legs})
                ],
                conference_shards=(),
                participants=tuple(self._legs),
                nodes=self._nodes,
                locations=self._locations,
                configuration=self._configuration,
            )
            yield snapshot, measure(snapshot, settings, telephony)


class Timing(NamedTuple):
    """Milliseconds of each cycle, and its rows and bytes."""

    recording: list[float]
    writing: list[float]
    floor: list[float]
    rows: list[int]
    sizes: list[int]


def time_cycles(settings: Settings, floor: Settings) -> Timing:
    """Writes cycles to one database, and their statements with the driver alone to another."""
    timing = Timing([], [], [], [], [])
    recorder, writer = Recorder(Pseudonyms(b"benchmark")), CycleWriter()
    engine, floor_engine = open_engine(settings, writes=True), open_engine(floor, writes=True)
    statements: list[Statement] = []

    def listen(*arguments: Any) -> None:
        _connection, _cursor, statement, parameters, _context, many = arguments
        if not statement.startswith("SELECT"):
            statements.append((statement, parameters, many))

    with connect(engine) as connection, connect(floor_engine) as floor_connection:
        prune(connection, settings.database, START)
        prune(floor_connection, floor.database, START)
        event.listen(engine, "before_cursor_execute", listen)
        driver = floor_connection.connection.driver_connection
        for number, (snapshot, usage) in enumerate(Platform().snapshots(settings)):
            if number > CYCLES:
                break
            statements.clear()
            gc.collect()
            begun = time.perf_counter()
            cycle = recorder.record(snapshot, usage)
            recorded = time.perf_counter()
            rows = writer.write(connection, cycle)
            written = time.perf_counter()
            sent = list(statements)
            replayed = time.perf_counter()
            replay(driver, sent)
            replayed = time.perf_counter() - replayed
            if number:
                timing.recording.append(1000 * (recorded - begun))
                timing.writing.append(1000 * (written - recorded))
                timing.floor.append(1000 * replayed)
                timing.rows.append(rows.total())
                timing.sizes.append(len(encode(cycle)))
    engine.dispose()
    floor_engine.dispose()
    return timing


def replay(driver: Any, statements: list[Statement]) -> None:
    """The statements in one transaction, by the driver."""
    cursor = driver.cursor()
    for statement, parameters, many in statements:
        (cursor.executemany if many else cursor.execute)(statement, parameters)
    cursor.close()
    driver.commit()


def _value(generator: random.Random, name: str, number: int) -> Any:
    if name.removesuffix("_average").removesuffix("_maximum") in FRACTIONS or name.endswith("_average"):
        return generator.random() * 100
    return number % 300


def sample_rows(table: Table, things: int) -> Iterator[dict[str, Any]]:
    """Rows of a table of samples, `things` at each time."""
    generator = random.Random(1)
    keys = [column.name for column in table.primary_key.columns if column.name != "time"]
    names = [column.name for column in table.c if column.name not in ("time", *keys)]
    for number in range(ROWS):
        row = {name: _value(generator, name, number) for name in names}
        row |= dict.fromkeys(keys, number % things)
        yield row | {"time": START + number // things * BEAT}


def interval_rows(table: Table) -> Iterator[dict[str, Any]]:
    """Rows of conferences or participants as they open."""
    generator = random.Random(1)
    for number in range(ROWS):
        row: dict[str, Any] = {
            "first_seen": START + number // 45 * BEAT,
            "id": generator.randbytes(16),
            "started": START,
            "service_type": "conference",
            "service_tag": f"organisation-{number % 200}",
        }
        if table is conference:
            row |= {"name_hash": generator.randbytes(16)}
        else:
            row |= {
                "conference_id": generator.randbytes(16),
                "location_id": 1,
                "node_id": 1,
                "protocol": "WebRTC",
                "direction": "in",
                "license_type": "port",
                "license_count": 1,
                "has_media": True,
                "encrypted": True,
                "alias_hash": generator.randbytes(16),
                "quality": 1,
                "worst_quality": 1,
            }
        yield row


def poll_rows() -> Iterator[dict[str, Any]]:
    """Rows of polls."""
    for number in range(ROWS):
        yield {
            "time": START + number * BEAT,
            "duration_seconds": 1.5,
            "up": True,
            "rejected": 0,
            "conferences": 300,
            "participants": 1000,
        }


def bytes_a_row(connection: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> float:
    """What a row takes with its indexes; intervals are opened, then closed, as in life."""
    before = _size(connection, table)
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == 2000:
            _fill(connection, table, batch)
            batch = []
    _fill(connection, table, batch)
    return (_size(connection, table) - before) / ROWS


def _fill(connection: Connection, table: Table, batch: list[dict[str, Any]]) -> None:
    if not batch:
        return
    connection.execute(insert(table), batch)
    if "ended" in table.c:
        first, last = batch[0]["first_seen"], batch[-1]["first_seen"]
        connection.execute(
            update(table)
            .where(table.c.first_seen.between(first, last), table.c.ended.is_(None))
            .values(ended=last + 40 * BEAT, last_seen=last + 39 * BEAT)
        )
    connection.commit()


def _size(connection: Connection, table: Table) -> int:
    file = sqlite_file(connection.engine.url)
    if file is not None:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        return file.stat().st_size
    connection.execute(text(f"ANALYZE TABLE {table.name}"))
    size = connection.scalar(
        text(
            "SELECT data_length + index_length FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = :name"
        ),
        {"name": table.name},
    )
    connection.commit()
    return int(size or 0)


def weigh(settings: Settings) -> dict[str, float]:
    """Bytes a row of each table that grows."""
    engine = open_engine(settings, writes=True)
    weights = {}
    with connect(engine) as connection:
        for samples, things in zip(SAMPLES, (1, LOCATIONS, NODES), strict=True):
            for table in samples.tables.values():
                weights[table.name] = bytes_a_row(connection, table, sample_rows(table, things))
        for table in (conference, participant):
            weights[table.name] = bytes_a_row(connection, table, interval_rows(table))
        weights[poll.name] = bytes_a_row(connection, poll, poll_rows())
    engine.dispose()
    return weights


def rows_kept(settings: DatabaseSettings, days: int) -> dict[str, int]:
    """Rows of each table after so many days at VDX size, by the settings' retention."""
    kept = {}
    for samples, things in zip(SAMPLES, (1, LOCATIONS, NODES), strict=True):
        for resolution, a_day in ((RAW, 2880), (FIVE_MINUTES, 288), (HOUR, 24)):
            limit = getattr(settings, resolution.days) or days
            kept[samples.tables[resolution].name] = things * a_day * min(days, limit)
    years = min(days, settings.interval_days) / 365
    kept[conference.name] = round(CONFERENCES_A_YEAR * years)
    kept[participant.name] = round(LEGS_A_YEAR * SEGMENTS_A_LEG * years)
    kept[poll.name] = round(2880 * 365 * years)
    return kept


def report(name: str, timing: Timing, weights: dict[str, float]) -> None:
    """Prints what was measured."""
    median = statistics.median
    print(f"\n{name}")
    print(
        f"  a cycle: {median(timing.rows):.0f} rows in {median(timing.writing):.1f} ms (median), "
        f"{statistics.quantiles(timing.writing, n=20)[-1]:.1f} ms (95 %); the driver alone "
        f"{median(timing.floor):.1f} ms, ratio {median(timing.writing) / median(timing.floor):.2f}"
    )
    print(
        f"  comparing with the last snapshot {median(timing.recording):.1f} ms; "
        f"in the spool {median(timing.sizes) / 1000:.1f} kB"
    )
    settings = DatabaseSettings()
    years = [rows_kept(settings, 365 * count) for count in (1, 2, 3)]
    print(f"  {'table':22}{'bytes/row':>10}{'rows, 1 year':>14}{'GB, 1 year':>12}{'GB, 2 years':>12}")
    for table, weight in weights.items():
        print(
            f"  {table:22}{weight:10.0f}{years[0][table]:14,}"
            f"{years[0][table] * weight / 1e9:12.2f}{years[1][table] * weight / 1e9:12.2f}"
        )
    totals = [sum(year[table] * weight for table, weight in weights.items()) / 1e9 for year in years]
    print(
        f"  in all {totals[0]:.1f} GB after the first year, {totals[1]:.1f} GB after the second, "
        f"then {totals[2] - totals[1]:.2f} GB more a year"
    )


def _settings(directory: Path, url: str) -> Settings:
    settings = Settings(database=DatabaseSettings(url=SecretStr(url)), data=DataSettings(directory=directory))
    upgrade(settings)
    return settings


def main() -> None:
    """Measures both databases and prints the result."""
    print(
        f"VDX size: {NODES} nodes, {LOCATIONS} locations, {PARTICIPANTS} participants, "
        f"{CHURN[0]} to {CHURN[1]} of whom come and go a cycle; {CYCLES} cycles"
    )
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        paths = [f"sqlite:///{directory / name}.sqlite3" for name in ("store", "floor", "disk")]
        store, floor, disk = (_settings(directory, path) for path in paths)
        report("SQLite", time_cycles(store, floor), weigh(disk))
        with (
            running_mariadb(directory) as server,
            server.database() as one,
            server.database() as two,
            server.database() as three,
        ):
            store, floor, disk = (_settings(directory, server.url(name)) for name in (one, two, three))
            report("MariaDB", time_cycles(store, floor), weigh(disk))


if __name__ == "__main__":
    main()
