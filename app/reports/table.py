"""A report as text cells for people at a terminal."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from app.reports.catalogue import Language, heading, number, word
from app.reports.columns import Kind
from app.reports.figures import COMPARED, columns
from app.reports.usage import MINUTE, Report
from vdx.usage import DEVICES, PROTOCOLS

Cells = list[list[str]]


def _time(value: datetime | None, _language: Language) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"


def _hours(minutes: float | None, language: Language) -> str:
    return "" if minutes is None else number(minutes / 60, language)


def _whole(value: float | None, language: Language) -> str:
    return number(value, language)


def _tenths(value: float | None, language: Language) -> str:
    return number(value, language, 1)


def _change(value: float | None, language: Language) -> str:
    return "" if value is None else f"{'+' if value > 0 else ''}{number(value, language, 1)}"


_Written = Callable[[Any, Language], str]

_SHOWN: Final[Sequence[tuple[str, str, _Written]]] = (
    ("meetings", "meetings", _whole),
    ("legs", "legs", _whole),
    ("participant_hours", "participant_minutes", _hours),
    ("average_ports", "average_ports", _tenths),
    ("peak_ports", "peak_ports", _whole),
    ("peak_at", "peak_at", _time),
    ("good_percent", "quality_good_percent", _tenths),
    ("ok_percent", "quality_ok_percent", _tenths),
    ("poor_percent", "poor_percent", _tenths),
    ("unknown_percent", "quality_unknown_percent", _tenths),
    ("failed", "failed", _whole),
)
"""Word of the heading, figure and how it is written, of a table with many rows."""
_CHANGES: Final = ("legs", "participant_minutes", "peak_ports")


def begin(value: date | datetime, by: str) -> str:
    """A period by its begin: 2026, 2026-10, 2026-W41, 2026-10-05, or a time with its offset."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M %z}"
    if by == "month":
        return f"{value:%Y-%m}"
    return f"{value:%G-W%V}" if by == "week" else str(value)


def many(report: Report, language: Language) -> tuple[list[str], Cells]:
    """Headings and cells: a line for each row of the report, and the whole of it last."""
    names = [column.name for column in (*report.heads, *report.columns)]
    key = report.heads[0].name
    shown = [one for one in _SHOWN if report.by != MINUTE or one[1] in names]
    changes = [f"{name}_change_percent" for name in _CHANGES if f"{name}_change_percent" in names]

    def line(first: str, row: Mapping[str, Any]) -> list[str]:
        figures = {**row, "poor_percent": _poor(row)}
        cells = [write(figures[name], language) for _, name, write in shown]
        return [first, *cells, *(_change(row[name], language) for name in changes)]

    lines = []
    for values in report.rows():
        row = dict(zip(names, values, strict=True))
        lines.append(line(row[key] if key == "unit" else begin(row[key], report.by), row))
    lines.append(line(word("total", language), report.total()))
    headings = [heading(key, language), *(heading(name, language) for name, _, _ in shown)]
    return [*headings, *(heading(name, language) for name in changes)], lines


def _poor(row: Mapping[str, Any]) -> float | None:
    """The share that was bad or terrible."""
    bad = row.get("quality_bad_percent")
    return None if bad is None else bad + row["quality_terrible_percent"]


_BY_KIND: Final[Mapping[Kind, _Written]] = {Kind.TIME: _time, Kind.REAL: _tenths}
_KINDS: Final = tuple(
    f"{prefix}_{name}" for prefix, group in (("protocol", PROTOCOLS), ("device", DEVICES)) for name in group
)


def one(report: Report, language: Language) -> tuple[list[str], Cells]:
    """Headings and cells: a line for each figure of the whole, with what was before.

    Counts by quality are given as shares alone, protocols and devices where there were any.
    """
    total = report.total()
    counts = {f"quality_{name}" for name in ("good", "ok", "bad", "terrible", "unknown")}
    before = report.before
    lines = []
    for column in columns(compared=False):
        value = total[column.name]
        if column.name in counts or (column.name in _KINDS and not value):
            continue
        write = _BY_KIND.get(column.kind, _whole)
        cells = [heading(column.name, language), write(value, language)]
        if before is not None:
            compared = column.name in COMPARED
            cells.append(write(total[f"{column.name}_before"], language) if compared else "")
            cells.append(_change(total[f"{column.name}_change_percent"], language) if compared else "")
        lines.append(cells)
    headings = ["", word("now", language)]
    if before is not None:
        headings += [word("earlier", language, str(before)), word("change", language)]
    return headings, lines
