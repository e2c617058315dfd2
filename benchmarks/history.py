"""What it costs to keep history: against MariaDB's own LOAD DATA LOCAL INFILE of the same rows.

Both put the same rows into the same tables, with their keys and month partitions, in the same server and run,
by turns. The project inserts page by page, each page in a transaction with its watermark, and looks for
what is known already; LOAD DATA is given all rows of a table in one file that lies ready.
"""

import gc
import re
import statistics
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from pydantic import SecretStr
from sqlalchemy import Connection, Table, delete, select, text

from simulator.estate import PSTN_ADDRESSES
from simulator.virtual_platform import VirtualPlatform
from tests.databases import MariaDB, running_mariadb
from vdx.capacity import TelephonyRule
from vdx.claims import Claims
from vdx.pexip.history import HistoryParticipant
from vdx.pexip.resources import HISTORY_PARTICIPANT
from vdx.settings import DatabaseSettings, DataSettings, PSTNSettings, Settings
from vdx.store import bulk, upgrade
from vdx.store.database import connect, open_engine
from vdx.store.history import HistoryWriter
from vdx.store.history_rows import Context
from vdx.store.history_tables import (
    history_media_stream,
    history_participant,
    history_progress,
    history_unlinked,
    identity,
    term,
    usage_pending,
)
from vdx.store.identities import Pseudonyms
from vdx.store.texts import Identities

LEGS: Final = 100_000
PAGE: Final = 1000
ROUNDS: Final = 3
TABLES: Final = (history_participant, history_media_stream, identity, term, history_unlinked)
"""What a page of call legs is written to, apart from a few rows that say how far it was read."""


def legs() -> list[HistoryParticipant]:
    """Ended call legs of the stand-in, decoded, in the order of their ends: some days of it, repeated."""
    platform = VirtualPlatform(1, time="2026-10-06T14:00:00", manual=True)
    resource = platform.catalogue["history"]["participant"]
    decoder = msgspec.json.Decoder(HistoryParticipant)
    few = [decoder.decode(resource.draw(record).json) for record in resource.records().values()]
    found: list[HistoryParticipant] = []
    while len(found) < LEGS:
        later = timedelta(days=3 * (len(found) // len(few)))
        for leg in few:
            start, end = leg.start_time, leg.end_time
            if end is not None:
                moved = {"start_time": start and start + later, "end_time": end + later}
                found.append(msgspec.structs.replace(leg, id=str(uuid.uuid4()), **moved))
    return sorted(found[:LEGS], key=lambda leg: str(leg.end_time))


def context() -> Context:
    """What rows are made with."""
    return Context(
        nodes={},
        telephony=TelephonyRule(PSTNSettings(addresses=PSTN_ADDRESSES)),
        claims=Claims([("tag", "region-midtjylland", 1)]),
        license_reasons=re.compile("licen[cs]e"),
        capacity_reasons=re.compile("capacity"),
        today=date(2026, 11, 1),
    )


def writer() -> HistoryWriter:
    """A writer that knows nothing yet."""
    keys = Pseudonyms(b"benchmark")
    claims = context().claims
    identities = Identities(lambda words: claims.describe(words, keys.of))
    return HistoryWriter(identities, ZoneInfo("Europe/Copenhagen"))


@contextmanager
def database(server: MariaDB, folder: Path) -> Iterator[Connection]:
    """A migrated database of its own."""
    with server.database() as name:
        settings = Settings(
            database=DatabaseSettings(url=SecretStr(server.url(name))), data=DataSettings(directory=folder)
        )
        upgrade(settings)
        engine = open_engine(settings, writes=True, loads=True)
        with connect(engine) as connection:
            yield connection
        engine.dispose()


def write(connection: Connection, found: Sequence[HistoryParticipant]) -> tuple[float, int]:
    """Seconds that the project takes from decoded records to committed rows, and how many rows."""
    kept, how = writer(), context()
    rows: Counter[str] = Counter()
    begun = time.perf_counter()
    for start in range(0, len(found), PAGE):
        some = found[start : start + PAGE]
        done = kept.write(connection, HISTORY_PARTICIPANT, some, watermark=some[-1].end_time, context=how)
        rows.update(done.rows)
    return time.perf_counter() - begun, rows.total()


def stored(connection: Connection) -> dict[Table, list[bulk.Columns]]:
    """All that was written, as columns, in pages as large as a page's rows."""
    found: dict[Table, list[bulk.Columns]] = {}
    with connection.begin():
        for table in TABLES:
            rows = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            size = max(1, -(-len(rows) * PAGE // LEGS))
            found[table] = [
                bulk.columns_of(table, rows[start : start + size]) for start in range(0, len(rows), size)
            ]
    return found


def empty(connection: Connection) -> None:
    """Takes all rows out again."""
    for table in (*TABLES, history_progress, usage_pending):
        connection.execute(text(f"TRUNCATE TABLE {table.name}"))
    connection.commit()


def put(connection: Connection, pages: Mapping[Table, Sequence[bulk.Columns]]) -> float:
    """Seconds that rows take that are made already: page by page, each page in a transaction."""
    count = max(map(len, pages.values()))
    begun = time.perf_counter()
    for number in range(count):
        with connection.begin():
            for table, some in pages.items():
                if number < len(some):
                    ended = some[number].get("ended")
                    if ended and table is history_participant:
                        column = table.c.ended
                        known = select(column, table.c.id).where(column >= ended[0], column <= ended[-1])
                        connection.execute(known).all()
                    bulk.put(connection, table, some[number])
    return time.perf_counter() - begun


def load(connection: Connection, files: Mapping[Table, Path]) -> float:
    """Seconds that LOAD DATA LOCAL INFILE takes of one file for each table, in one transaction."""
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor()
    begun = time.perf_counter()
    for table, file in files.items():
        cursor.execute(bulk.load_statement(table), (str(file),))
    driver.commit()
    seconds = time.perf_counter() - begun
    cursor.close()
    return seconds


def main() -> None:
    """Measures and prints."""
    found = legs()
    streams = sum(len(leg.media_streams) for leg in found)
    print(f"history: {len(found):,} call legs with {streams:,} media streams, in pages of {PAGE:,}")
    figures: dict[str, list[float]] = {"records": [], "rows": [], "load": []}
    with tempfile.TemporaryDirectory() as name, running_mariadb(Path(name)) as server:
        folder = Path(name)
        with database(server, folder) as connection:
            _, rows = write(connection, found)
            pages = stored(connection)
            files = {}
            for table, some in pages.items():
                files[table] = folder / f"{table.name}.txt"
                with files[table].open("w", encoding="utf-8", newline="\n") as lines:
                    bulk.write_lines(lines, table, some)
            for _ in range(ROUNDS):
                for measure, times in figures.items():
                    empty(connection)
                    gc.collect()
                    if measure == "records":
                        seconds = write(connection, found)[0]
                    elif measure == "rows":
                        seconds = put(connection, pages)
                    else:
                        seconds = load(connection, files)
                    times.append(seconds)
            connection.execute(delete(usage_pending))
    total = sum(len(next(iter(some.values()))) for pages_ in pages.values() for some in pages_)
    floor = statistics.median(figures["load"])
    for measure, words in (
        ("load", "LOAD DATA LOCAL INFILE, all at once"),
        ("rows", "the project, from rows: known ones looked for, a transaction a page"),
        ("records", "the project, from decoded records: pseudonyms, organisations and all"),
    ):
        seconds = statistics.median(figures[measure])
        print(
            f"  {words:72}{total / seconds:9,.0f} rows/s {len(found) / seconds:8,.0f} legs/s"
            f"  {floor / seconds:5.2f} of its rate"
        )
    print(f"  {rows:,} rows of {total:,} are call legs and media streams")


if __name__ == "__main__":
    main()
