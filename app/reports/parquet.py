"""A sheet as Parquet, written a row group at a time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from app.reports.columns import Column, Kind, Row, Sheet

ROW_GROUP: Final = 50_000
"""Rows in memory at once, some 100 MB of them."""

_TYPES: Final[Mapping[Kind, Any]] = {
    Kind.TEXT: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.REAL: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.DATE: pa.date32(),
}


def schema(columns: Sequence[Column], time_zone: str) -> Any:
    """The Parquet schema; times are instants, shown in the zone."""
    types = {**_TYPES, Kind.TIME: pa.timestamp("us", tz=time_zone)}
    return pa.schema([(column.name, types[column.kind]) for column in columns])


def write_parquet(file: BinaryIO, sheet: Sheet, time_zone: str) -> None:
    """Writes a sheet as Parquet, its columns by the names that JSON has."""
    form = schema(sheet.columns, time_zone)
    with pq.ParquetWriter(file, form, compression="zstd") as writer:
        for rows in _groups(sheet):
            columns = zip(*rows, strict=True)
            arrays = [pa.array(values, kind) for values, kind in zip(columns, form.types, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=form), row_group_size=ROW_GROUP)


def _groups(sheet: Sheet) -> Iterator[list[Row]]:
    held: list[Row] = []
    for batch in sheet.batches:
        held.extend(batch)
        if len(held) >= ROW_GROUP:
            yield held
            held = []
    if held:
        yield held
