"""Ten years of VDX on MariaDB: what 55 million call legs take on disk, and what a year's statistics cost.

`python -m benchmarks.ten_years [--rows 55000000]` takes some 25 minutes and 12 GB of disk. The server makes
the rows by itself, month by month, as the history miner would have written them: in the order of their ends.
The usage of the last whole year is computed by the project, day by day.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import Connection, insert, text

from tests.databases import running_mariadb
from vdx.settings import DatabaseSettings, DataSettings, Settings
from vdx.store import partitions, upgrade
from vdx.store.database import connect, open_engine
from vdx.store.history_progress import mark_pending
from vdx.store.history_tables import (
    history_participant,
    history_progress,
    organisation,
    organisation_place,
    term,
)
from vdx.store.organisations import load
from vdx.store.tables import location
from vdx.store.usage import compute_day, day_edges
from vdx.store.usage_queries import Granularity, usage
from vdx.tree import Tree
from vdx.usage import Scope

YEARS: Final = 10
FIRST: Final = date(2016, 1, 1)
ZONE: Final = ZoneInfo("Europe/Copenhagen")
REGIONS, DEPARTMENTS, UNITS = 5, 40, 4
OPTIONS: Final = (
    "--innodb-buffer-pool-size=4G",
    "--innodb-log-file-size=1G",
    "--innodb-io-capacity=2000",
    "--tmp-disk-table-size=1G",
)
TERMS: Final = {
    "protocol": ["WebRTC", "SIP", "H323", "TEAMS", "API"],
    "device": ["browser/Chrome", "browser/Edge", "room/Cisco", "room/Poly", "gateway/Microsoft Teams"],
    "license_type": ["port", "nolicense"],
    "service_type": ["conference", "gateway", "lecture"],
    "tag": [f"tag-{number}" for number in range(60)],
}

FILL: Final = """
INSERT INTO history_participant
SELECT ended, RANDOM_BYTES(16), IF(failed, NULL, ended - INTERVAL ROUND(length * 1000000) MICROSECOND),
    IF(failed, NULL, UNHEX(MD5(CONCAT('{month}', seq DIV 3)))),
    1 + FLOOR({organisations} * POW(RAND(), 2)), 1 + FLOOR(RAND() * 5000), 1 + FLOOR(RAND() * 3000000),
    1 + FLOOR(RAND() * 6000), 1 + FLOOR(RAND() * 60), 1 + FLOOR(RAND() * 50000), 1 + FLOOR(RAND() * 14),
    1 + FLOOR(RAND() * 81), 1 + FLOOR(RAND() * 81), NULL, 1 + FLOOR(RAND() * 5), 1 + FLOOR(RAND() * 20),
    2500, 2500, FLOOR(RAND() * 200), FLOOR(RAND() * 200), 720, 1, 2,
    1 + FLOOR(RAND() * 5), 1 + FLOOR(RAND() * 3), IF(failed, 2, 1), NOT failed, 1, failed,
    1 + FLOOR(RAND() * 2), FLOOR(RAND() * 10), RAND() < 0.1, RAND() < 0.5, RAND() < 0.95, 1
FROM (
    SELECT seq, RAND() < 0.01 AS failed, 30 + 2400 * RAND() * RAND() AS length,
        '{month}' + INTERVAL seq DIV {a_day} DAY + INTERVAL 6 HOUR
        + INTERVAL (seq MOD {a_day}) * {step} MICROSECOND AS ended
    FROM seq_0_to_{last}
) AS legs ORDER BY ended
"""


def months(rows: int) -> Iterator[tuple[date, int, int]]:
    """The months with their legs a day and in all, together about so many rows."""
    a_day = max(1, rows // (YEARS * 365))
    month = FIRST
    while month.year < FIRST.year + YEARS:
        following = partitions.next_month(month)
        yield month, a_day, a_day * (following - month).days
        month = following


def plant(connection: Connection) -> Tree:
    """Terms, locations, and a tree of regions, departments and units; the first of all is the largest."""
    with connection.begin():
        rows = [
            {"kind": kind, "id": number, "name": name}
            for kind, names in TERMS.items()
            for number, name in enumerate(names, 1)
        ]
        connection.execute(insert(term), rows)
        connection.execute(insert(location), [{"name": f"location {number}"} for number in range(14)])
        found: list[tuple[int | None, str]] = []
        for region in range(REGIONS):
            found.append((None, f"region {region}"))
            top = len(found)
            for department in range(DEPARTMENTS):
                found.append((top, f"department {region}.{department}"))
                above = len(found)
                found += [(above, f"unit {region}.{department}.{unit}") for unit in range(UNITS)]
        organisations = [
            {"id": number, "source_key": name, "name": name, "kind": name.split()[0]}
            for number, (_, name) in enumerate(found, 1)
        ]
        places = [
            {"organisation_id": number, "parent_id": parent, "valid_from": datetime(2016, 1, 1, tzinfo=UTC)}
            for number, (parent, _) in enumerate(found, 1)
        ]
        connection.execute(insert(organisation), organisations)
        connection.execute(insert(organisation_place), places)
        connection.execute(
            insert(history_progress).values(
                resource="history/participant",
                watermark=datetime(2026, 1, 1, tzinfo=UTC),
                longest_seconds=2500,
            )
        )
        return load(connection)[0]


@contextmanager
def told(words: str) -> Iterator[None]:
    """Says on standard error how long something took."""
    begun = time.monotonic()
    yield
    print(f"{words}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def fill(connection: Connection, driver: Any, rows: int, organisations: int) -> int:
    """Has the server make the rows; returns how many there are."""
    plan = list(months(rows))
    partitions.make_months(connection, history_participant, [month for month, _, _ in plan])
    connection.commit()
    made = 0
    begun = time.monotonic()
    with driver.cursor() as cursor:
        for month, a_day, count in plan:
            step = 12 * 3_600_000_000 // a_day
            cursor.execute(
                FILL.format(month=month, a_day=a_day, step=step, last=count - 1, organisations=organisations)
            )
            driver.commit()
            made += count
            if month.month == 12:
                pace = made / (time.monotonic() - begun)
                print(f"{month:%Y}: {made:,} rows, {pace:,.0f} rows/s", file=sys.stderr, flush=True)
    return made


def seconds_of(work: Callable[[], object], rounds: int) -> list[float]:
    """How long each of several rounds took."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return found


def size_on_disk(folder: Path) -> int:
    """Bytes of the files of the call legs."""
    return sum(file.stat().st_size for file in folder.rglob("history_participant*.ibd"))


def usage_size(connection: Connection) -> int:
    """Bytes of the usage by the hour and the day."""
    with connection.begin():
        for table in ("usage_hour", "usage_day"):
            connection.execute(text(f"ANALYZE TABLE {table}")).all()
        found = connection.scalar(
            text(
                "SELECT SUM(data_length + index_length) FROM information_schema.tables "
                "WHERE table_schema = DATABASE() AND table_name IN ('usage_hour', 'usage_day')"
            )
        )
    return int(found or 0)


def main() -> None:
    """Makes the rows, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=55_000_000)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        running_mariadb(Path(name), *OPTIONS) as server,
        server.database() as database,
    ):
        folder = Path(name)
        settings = Settings(
            database=DatabaseSettings(url=SecretStr(server.url(database))),
            data=DataSettings(directory=folder),
        )
        upgrade(settings)
        engine = open_engine(settings, writes=True, loads=True)
        with connect(engine) as connection, server.connect() as driver:
            tree = plant(connection)
            with driver.cursor() as cursor:
                cursor.execute(f"USE {database}")
                cursor.execute("SET time_zone = '+00:00'")
            with told("filling"):
                made = fill(connection, driver, given.rows, len(tree.organisations))
            with told("analysing"), driver.cursor() as cursor:
                cursor.execute("ANALYZE TABLE history_participant")
                cursor.fetchall()
            size = connection.execute(
                text(
                    "SELECT SUM(data_length), SUM(index_length) FROM information_schema.partitions "
                    "WHERE table_schema = DATABASE() AND table_name = 'history_participant'"
                )
            ).one()
            connection.commit()
            on_disk = size_on_disk(folder)
            print(
                f"{made:,} call legs in {YEARS * 12} month partitions: {int(size[0]) / 1e9:.2f} GB of data, "
                f"{int(size[1]) / 1e9:.2f} GB of indexes, {int(size[0]) / made:.0f} bytes a leg; "
                f"the files have {on_disk / 1e9:.2f} GB",
                flush=True,
            )
            year = FIRST.year + YEARS - 1
            days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
            with connection.begin():
                mark_pending(connection, days)
            begun = time.monotonic()
            rows = sum(compute_day(connection, day, ZONE, tree) for day in days)
            spent = time.monotonic() - begun
            print(
                f"usage of {year}: {rows:,} rows by the hour and the day, "
                f"{usage_size(connection) / 1e9:.2f} GB; {spent / len(days):.2f} s a day "
                f"with {made // (YEARS * 365):,} legs",
                flush=True,
            )
            start, end = day_edges(days[0], ZONE)[0], day_edges(days[-1], ZONE)[-1]
            ids = tuple(sorted(tree.subtree(1, start)))

            def ask() -> object:
                with connection.begin():
                    return usage(
                        connection, Scope.SUBTREE, 1, start, end, granularity=Granularity.MONTH, zone=ZONE
                    )

            cold = seconds_of(ask, 1)[0]
            warm = seconds_of(ask, 20)
            driver_seconds = seconds_of(lambda: ask_of_legs(driver, ids, start, end), 2)
            after = seconds_of(ask, 1)[0]
            median = statistics.median(warm)
            print(
                f"a year of the largest organisation, {len(ids)} units, by the month: from usage "
                f"{1000 * median:.1f} ms (median; {1000 * max(warm):.1f} ms the slowest of 20, first "
                f"{1000 * cold:.1f} ms, after the raw rows {1000 * after:.1f} ms); from the "
                f"legs {min(driver_seconds):.2f} s, {min(driver_seconds) / median:,.0f} times as long"
            )
        engine.dispose()


def ask_of_legs(driver: Any, ids: tuple[int, ...], start: datetime, end: datetime) -> Any:
    """The same question of the legs themselves."""
    with driver.cursor() as cursor:
        cursor.execute(
            "SELECT MONTH(ended), COUNT(*), SUM(TIMESTAMPDIFF(MICROSECOND, started, ended)), "
            "SUM(outcome <> 0), SUM(quality = 1), SUM(protocol_id = 1), COUNT(DISTINCT conference_id) "
            "FROM history_participant WHERE ended >= %s AND ended < %s AND organisation_id IN %s "
            "GROUP BY MONTH(ended)",
            (start.replace(tzinfo=None), end.replace(tzinfo=None), ids),
        )
        return cursor.fetchall()


if __name__ == "__main__":
    main()
