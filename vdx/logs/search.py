"""Searches the archive, the newest hour first, and no further back than until enough is found."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

import duckdb
import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from vdx.logs.closing import ArchiveError, closed_bytes, connection
from vdx.logs.columns import Batches, rfc3339
from vdx.logs.files import CLOSED_SUFFIX, OPEN_SUFFIX, hour_of
from vdx.logs.line import Line
from vdx.logs.query import Query, check, condition, needles

HOUR: Final = timedelta(hours=1)
_BLOCK_BYTES: Final = 8_000_000
_COLUMNS: Final = (
    "epoch_us(received), time, host, address, facility, severity, app, transport, message, source"
)
_TRIES: Final = 3

Row = tuple[Any, ...]
"""What the database gives of a line: the moment of receipt in microseconds, then the rest."""
Tell = Callable[[str], None]
"""Takes the words about a file that could not be read and is left out."""


class Hit(msgspec.Struct, frozen=True):
    """A line that was found, and the kind of its sender."""

    line: Line
    source: str


def hits(rows: Iterable[Row]) -> list[Hit]:
    """What the database gave, as lines."""
    return [Hit(Line(rfc3339(received), *line), source) for received, *line, source in rows]


def search(folder: Path, query: Query, tell: Tell) -> Iterator[Hit]:
    """The lines of a query, the newest first, `query.limit` of them at most.

    A file that cannot be read is told and left out. Raises QueryError and ArchiveError at the first line.
    """
    check(query)
    left = query.limit
    with connection() as database:
        for hour in _hours(folder, query):
            if left == 0:
                return
            rows = sorted(_steady(database, hour, query, left, tell), key=_received, reverse=True)[:left]
            left -= len(rows)
            yield from hits(rows)


def matching(database: duckdb.DuckDBPyConnection, batch: Any, query: Query, limit: int) -> list[Row]:
    """The newest rows of a batch of lines that a query finds, the newest first."""
    database.register("batch", pa.Table.from_batches([batch]))
    return _select(database, "batch", [], query, limit)


def _received(row: Row) -> int:
    return int(row[0])


def _hours(folder: Path, query: Query) -> list[Path]:
    """The files of the range without their suffix, the newest first."""
    try:
        files = {path: hour_of(path) for path in folder.iterdir()}
    except OSError as error:
        raise ArchiveError(
            f"{folder} cannot be read: {error.strerror}; check syslog.directory, and that you may read it"
        ) from None
    found = {
        path.with_suffix("")
        for path, hour in files.items()
        if hour is not None and hour < query.until and _end(hour) > query.since
    }
    return sorted(found, reverse=True)


def _end(hour: datetime) -> datetime:
    return hour + HOUR


def _steady(
    database: duckdb.DuckDBPyConnection, hour: Path, query: Query, limit: int, tell: Tell
) -> list[Row]:
    """The newest rows of an hour; read again where it was closed meanwhile, since lines moved then."""
    for _ in range(_TRIES):
        faults: list[str] = []
        before = _identity(hour)
        rows = _of_hour(database, hour, query, limit, faults.append)
        if _identity(hour) == before:
            break
    for fault in faults:
        tell(fault)
    return rows


def _identity(hour: Path) -> tuple[int, int] | None:
    try:
        found = hour.with_suffix(CLOSED_SUFFIX).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _of_hour(
    database: duckdb.DuckDBPyConnection, hour: Path, query: Query, limit: int, tell: Tell
) -> list[Row]:
    """The newest rows of an hour, from its closed file and its open one, which may stand side by side."""
    closed, opened = hour.with_suffix(CLOSED_SUFFIX), hour.with_suffix(OPEN_SUFFIX)
    rows: list[Row] = []
    begin = 0
    if closed.exists():
        try:
            rows += _select(database, "read_parquet(?)", [str(closed)], query, limit)
        except duckdb.Error as error:
            words = str(error).splitlines()[0]
            tell(f"{closed} cannot be read and is left out: {words}; restore it, or move it away")
    try:
        with opened.open("rb") as file:
            with contextlib.suppress(ArchiveError):
                begin = closed_bytes(closed, file)
            rows += _of_open(database, file, begin, query, limit)
    except FileNotFoundError:
        pass
    except OSError as error:
        tell(f"{opened} cannot be read and is left out: {error.strerror}; check its rights")
    return rows


def _of_open(
    database: duckdb.DuckDBPyConnection, file: BinaryIO, begin: int, query: Query, limit: int
) -> list[Row]:
    rows: list[Row] = []
    batches = Batches(hour_of(Path(file.name)) or query.since)
    wanted = needles(query)
    for lines in blocks_backwards(file, begin):
        some = (raw for raw in lines if all(needle in raw.lower() for needle in wanted))
        for batch in reversed(list(batches.of(some))):
            rows += matching(database, batch, query, limit - len(rows))
            if len(rows) == limit:
                return rows
    return rows


def blocks_backwards(file: BinaryIO, begin: int) -> Iterator[list[bytes]]:
    """The complete lines of a file from its end back to the byte `begin`, in blocks of some megabytes.

    The lines of a block are in the order of the file. What follows the last end of line is still being
    written, and left out.
    """
    place = file.seek(0, 2)
    rest = b""
    first = True
    while place > begin:
        size = min(_BLOCK_BYTES, place - begin)
        place = file.seek(place - size)
        block = file.read(size) + rest
        if first:
            block = block[: block.rfind(b"\n") + 1]
            first = not block
        if place > begin:
            head, end, block = block.partition(b"\n")
            rest = head + end
        yield [line for line in block.split(b"\n") if line]


def _select(
    database: duckdb.DuckDBPyConnection, table: str, parameters: list[Any], query: Query, limit: int
) -> list[Row]:
    where, values = condition(query)
    return database.execute(
        f"SELECT {_COLUMNS} FROM {table} WHERE {where} ORDER BY received DESC, number DESC LIMIT ?",  # noqa: S608 - values are bound
        [*parameters, *values, limit],
    ).fetchall()
