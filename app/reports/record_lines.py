"""Call records as lines for people at a terminal, as they come."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.reports.catalogue import Language, heading, number
from vdx.store.call_records import CallRecord

_RECORD: Final[Mapping[str, int]] = {
    "ended": 19,
    "seconds": 8,
    "organisation": 28,
    "service_tag": 16,
    "participant": 20,
    "protocol": 8,
    "location": 16,
    "outcome": 16,
    "quality": 8,
}
"""Columns of a record that fit a line, and their widths."""


def record_lines(batches: Iterator[list[CallRecord]], language: Language) -> Iterator[str]:
    """Call records in lines, as they come; each cell is cut to its column."""
    yield _line([heading(name, language) for name in _RECORD])
    for batch in batches:
        for record in batch:
            yield _line([_cell(getattr(record, name), language) for name in _RECORD])


def _line(cells: Sequence[str]) -> str:
    parts = [
        (cell if len(cell) <= width else f"{cell[: width - 1]}…").ljust(width)
        for cell, width in zip(cells, _RECORD.values(), strict=True)
    ]
    return "  ".join(parts).rstrip()


def _cell(value: Any, language: Language) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return number(value, language)
    return "" if value is None else str(value)
