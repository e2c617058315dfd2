"""The columns of a sheet, whichever form it is handed out in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, get_type_hints

import msgspec

from vdx.store.call_records import CallRecord

Row = Sequence[Any]


class Kind(StrEnum):
    """What the cells of a column are; each may be None but those of text."""

    TEXT = "text"
    WHOLE = "whole"
    REAL = "real"
    FLAG = "flag"
    DATE = "date"
    TIME = "time"
    """An aware local time."""


class Column(msgspec.Struct, frozen=True):
    """A column by its name in JSON and Parquet; `app.reports.catalogue` has its headings."""

    name: str
    kind: Kind


class Sheet(msgspec.Struct, frozen=True):
    """Columns, and rows some at a time, which can be gone through once."""

    columns: Sequence[Column]
    batches: Iterable[Sequence[Row]]


_KINDS: Final[Mapping[Any, Kind]] = {
    str: Kind.TEXT,
    int: Kind.WHOLE,
    int | None: Kind.WHOLE,
    float: Kind.REAL,
    float | None: Kind.REAL,
    bool: Kind.FLAG,
    date: Kind.DATE,
    datetime: Kind.TIME,
    datetime | None: Kind.TIME,
}

RECORD: Final = tuple(Column(name, _KINDS[hint]) for name, hint in get_type_hints(CallRecord).items())
"""The columns of call records."""
