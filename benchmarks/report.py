"""What a report costs: `python -m benchmarks.report`.

Memory and time of `vdx report usage --records --format csv` over a month of a million calls on MariaDB, in a
process of its own, and of a tenth of them, since memory must not grow with the period. Time of a year of the
largest organisation with all its units, from the usage tables.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import Connection, insert, text

from tests.databases import running_mariadb
from vdx.days import midnight
from vdx.settings import DatabaseSettings, DataSettings, Settings
from vdx.store import upgrade
from vdx.store.database import connect, open_engine
from vdx.store.history_tables import history_participant, organisation, organisation_place, term
from vdx.store.partitions import make_months
from vdx.store.tables import location, node
from vdx.store.usage_queries import Granularity, usage
from vdx.usage import COUNTS, TIMES, Scope

RECORDS: Final = 1_000_000
TARGET_MEGABYTES: Final = 150
TARGET_MILLISECONDS: Final = 200
ORGANISATIONS: Final = 2000
IDENTITIES: Final = 200_000
NODES: Final = 81
LOCATIONS: Final = 14
ZONE: Final = ZoneInfo("Europe/Copenhagen")

_KINDS: Final = {
    "protocol": ["WebRTC", "SIP", "H323", "MSSIP", "TEAMS"],
    "service_type": ["conference", "gateway", "two_stage_dialing"],
    "license_type": ["port", "audio", "nolicense"],
    "device": [f"{kind}/{number}" for kind in ("browser", "app", "room", "phone") for number in range(10)],
    "reason": [f"Call disconnected, reason {number}" for number in range(60)],
    "codec": ["opus", "G722", "VP8", "VP9", "H264"],
    "tag": [f"projekt-{number}" for number in range(300)],
    "network": [f"10.{number // 256}.{number % 256}.0/24" for number in range(20_000)],
}


def fill_names(connection: Connection) -> None:
    """The texts that numbers in a record stand for."""
    for kind, names in _KINDS.items():
        rows = [{"kind": kind, "id": number, "name": name} for number, name in enumerate(names, 1)]
        connection.execute(insert(term), rows)
    connection.execute(insert(location), [{"name": f"Location {number:02}"} for number in range(LOCATIONS)])
    connection.execute(insert(node), [{"name": f"node-{number:02}"} for number in range(NODES)])
    connection.execute(
        insert(organisation),
        [
            {"id": number, "source_key": f"o{number}", "name": f"Enhed nummer {number}", "kind": "unit"}
            for number in range(1, ORGANISATIONS + 1)
        ],
    )
    connection.execute(
        insert(organisation_place),
        [
            {
                "organisation_id": number,
                "valid_from": datetime(2020, 1, 1, tzinfo=UTC),
                "parent_id": number // 10 or None,
            }
            for number in range(1, ORGANISATIONS + 1)
        ],
    )
    connection.execute(
        text(
            "INSERT INTO identity (id, hash, domain_id, pattern_id, seen) "
            f"SELECT seq, UNHEX(MD5(seq)), 0, 0, '2026-10-01' FROM seq_1_to_{IDENTITIES}"
        )
    )
    connection.commit()


def fill_records(connection: Connection) -> None:
    """A million calls of October 2026, of 25 minutes on average, in order of time."""
    make_months(connection, history_participant, [date(2026, month, 1) for month in (9, 10, 11)])
    connection.execute(
        text(
            f"""
            INSERT INTO history_participant SELECT
              '2026-09-30 22:00:00' + INTERVAL seq * 2676000 MICROSECOND,
              UNHEX(MD5(CONCAT('leg', seq))),
              IF(seq % 20 = 0, NULL,
                '2026-09-30 22:00:00' + INTERVAL seq * 2676000 MICROSECOND
                - INTERVAL 60 + seq % 2880 SECOND),
              UNHEX(MD5(CONCAT('conference', seq DIV 4))),
              1 + seq % {ORGANISATIONS}, 1 + seq DIV 4 % {IDENTITIES}, 1 + seq * 7 % {IDENTITIES},
              1 + seq DIV 4 % {IDENTITIES}, seq % 301, 1 + seq * 13 % 20000, 1 + seq % {LOCATIONS},
              1 + seq % {NODES}, 1 + seq % {NODES}, NULL, 1 + seq % 40, 1 + seq % 60, seq % 4096, seq % 2048,
              seq % 300, seq % 200, 75, seq % 12, 720, 1 + seq % 2, 3 + seq % 3, 1 + seq % 5, 1 + seq % 3,
              1, 1, 1 + seq % 5, IF(seq % 20 = 0, 1, 0), seq % 5, seq % 7 = 0, seq % 3 = 0,
              TRUE, TRUE, FALSE, FALSE
            FROM seq_1_to_{RECORDS}
            """
        )
    )
    connection.commit()


def fill_usage(connection: Connection) -> None:
    """Usage by the day of three years, of a hundred organisations with all their units."""
    figures = ", ".join(f"1000 + seq % 977 AS {name}" for name in (*COUNTS, *TIMES))
    connection.execute(
        text(
            f"INSERT INTO usage_day SELECT {Scope.SUBTREE.value}, 1 + seq DIV 1096, "
            f"'2024-12-31 23:00:00' + INTERVAL seq % 1096 DAY, {figures}, seq % 700, "
            "'2024-12-31 23:00:00' + INTERVAL seq % 1096 DAY, NULL FROM seq_0_to_109599"
        )
    )
    connection.commit()


class Run(NamedTuple):
    """What a child process took."""

    seconds: float
    megabytes: float
    rows: int
    file_megabytes: float


def run(directory: Path, settings_file: Path, *period: str) -> Run:
    """`vdx report usage` in a process of its own; memory is the most that was resident."""
    output = directory / "calls.csv"
    command = [sys.executable, "-c", "from app.cli import main; main()", "report", "usage", "--records"]
    command += [
        "--format",
        "csv",
        "--force",
        "--output",
        str(output),
        "--settings",
        str(settings_file),
        *period,
    ]
    begun = time.perf_counter()
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    with output.open("rb") as file:
        rows = sum(1 for _ in file) - 1
    return Run(seconds, used.ru_maxrss / 1024, rows, output.stat().st_size / 1e6)


def time_year(connection: Connection) -> list[float]:
    """Milliseconds of a year by the month, from 365 rows of the usage table."""
    start, end = midnight(date(2026, 1, 1), ZONE), midnight(date(2027, 1, 1), ZONE)
    times = []
    for _ in range(21):
        begun = time.perf_counter()
        found = usage(connection, Scope.SUBTREE, 50, start, end, granularity=Granularity.MONTH, zone=ZONE)
        times.append(1000 * (time.perf_counter() - begun))
        if len(found) != 12 or not all(month.figures["legs"] for month in found):
            raise AssertionError("the year is not what was filled in")
    return times


def main() -> None:
    """Measures and prints the result."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_mariadb(Path(folder)) as server,
        server.database() as name,
    ):
        directory = Path(folder)
        settings = Settings(
            database=DatabaseSettings(url=SecretStr(server.url(name))), data=DataSettings(directory=directory)
        )
        upgrade(settings)
        file = directory / "vdx.toml"
        file.write_text(f'[database]\nurl = "{server.url(name)}"\n[data]\ndirectory = "{directory}"\n')
        engine = open_engine(settings)
        with connect(engine) as connection:
            fill_names(connection)
            fill_usage(connection)
            years = time_year(connection)
        with connect(engine) as connection:
            driver = connection.connection.driver_connection
            driver._read_timeout = None  # type: ignore[union-attr]
            fill_records(connection)
        engine.dispose()
        print(
            f"a year of an organisation with all its units, by the month: {statistics.median(years):.1f} ms "
            f"(median), {max(years):.1f} ms (the slowest of {len(years)}); target {TARGET_MILLISECONDS} ms"
        )
        for label, period in (
            ("3 days", ("--from", "2026-10-05", "--to", "2026-10-07")),
            ("the month", ("--month", "2026-10")),
        ):
            found = run(directory, file, *period)
            print(
                f"calls of {label} as CSV: {found.rows:,} rows, {found.file_megabytes:.0f} MB, in "
                f"{found.seconds:.1f} s ({found.rows / found.seconds:,.0f} rows/s), peak memory "
                f"{found.megabytes:.0f} MB; target {TARGET_MEGABYTES} MB"
            )


if __name__ == "__main__":
    main()
