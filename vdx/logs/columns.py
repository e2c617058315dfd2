"""Lines of the archive as columns, a batch at a time, so that an hour of any size takes little memory."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]

from vdx.logs.fields import call_ids, moment, source_of
from vdx.logs.line import Line, decoder
from vdx.logs.query import UNPARSED

SCHEMA: Final = pa.schema(
    [
        pa.field("received", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("number", pa.int32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in ("time", "host", "address")),
        *(pa.field(name, pa.int8(), nullable=False) for name in ("facility", "severity")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("app", "transport", "source")),
        pa.field("call_ids", pa.list_(pa.string())),
        pa.field("message", pa.string(), nullable=False),
    ]
)
"""`received` and `number`, the place in the file, give the order; the rest is a Line and what is searched."""
MOST_LINE_BYTES: Final = 1_000_000
"""A longer line is kept in pieces, each of them unparsed."""
_ROWS: Final = 20_000
_BYTES: Final = 16_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(when: datetime) -> int:
    """A moment in microseconds of Unix time."""
    return (when - _EPOCH) // _MICROSECOND


def instant(micros: int) -> datetime:
    """The moment of microseconds of Unix time."""
    return _EPOCH + micros * _MICROSECOND


def lines_of(file: BinaryIO, end: int) -> Iterator[bytes]:
    """The lines from the place of a file to `end`, without their ends; empty ones are left out."""
    left = end - file.tell()
    while left > 0 and (raw := file.readline(min(left, MOST_LINE_BYTES))):
        left -= len(raw)
        if line := raw.rstrip(b"\r\n"):
            yield line


class Batches:
    """Turns raw lines into batches of SCHEMA, and counts them.

    `hour` is when those are said to be received of which nothing can be read, if none came before them.
    """

    def __init__(self, hour: datetime, first: int = 0) -> None:
        self._received = microseconds(hour)
        self._first = first
        self.lines = 0
        self.rejected = 0

    def of(self, raw_lines: Iterable[bytes]) -> Iterator[Any]:
        """The batches (pyarrow.RecordBatch), in the order of the lines."""
        rows: list[tuple[Any, ...]] = []
        size = 0
        for raw in raw_lines:
            rows.append(self._row(raw))
            size += len(raw)
            if len(rows) == _ROWS or size >= _BYTES:
                yield _batch(rows)
                rows, size = [], 0
        if rows:
            yield _batch(rows)

    def _row(self, raw: bytes) -> tuple[Any, ...]:
        number = self._first + self.lines
        self.lines += 1
        try:
            line = decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            line = None
        received = None if line is None else moment(line.received)
        if line is None or received is None or not 0 <= line.facility <= 23 or not 0 <= line.severity <= 7:
            self.rejected += 1
            line = _raw(raw, self._received)
        else:
            self._received = microseconds(received)
        return (
            *(self._received, number, line.time, line.host, line.address, line.facility, line.severity),
            *(line.app, line.transport, source_of(line.app, line.message), call_ids(line.message)),
            line.message,
        )


def _raw(raw: bytes, received: int) -> Line:
    stamp = rfc3339(received)
    return Line(stamp, stamp, UNPARSED, "", 5, 5, "", "", raw.decode("utf-8", "replace"))


def rfc3339(micros: int) -> str:
    """A moment as lines of the archive have it."""
    return f"{instant(micros):%Y-%m-%dT%H:%M:%S.%f}Z"


def _batch(rows: list[tuple[Any, ...]]) -> Any:
    columns = zip(SCHEMA, zip(*rows, strict=True), strict=True)
    return pa.record_batch([pa.array(values, field.type) for field, values in columns], schema=SCHEMA)
