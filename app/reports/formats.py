"""A sheet as CSV, as JSON or as text; whatever its length, some rows at a time are in memory.

CSV is made for Danish Excel: UTF-8 with a byte order mark, semicolons, lines that end with CR LF. Numbers
have no thousands separator, flags are 1 and 0, days are 2026-10-31 and times local, with their offset from
UTC. A text that Excel would take for a formula gets an apostrophe before it (OWASP, CSV injection).
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import msgspec
from rich.console import Console
from rich.table import Table

from app.reports.catalogue import Language, heading
from app.reports.columns import Kind, Row, Sheet

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK: Final = "\ufeff"


def harmless(text: str) -> str:
    """The text, with an apostrophe before one that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _time(value: Any) -> str:
    return "" if value is None else value.isoformat(timespec="seconds")


def _date(value: Any) -> str:
    return "" if value is None else value.isoformat()


def _flag(value: Any) -> str:
    return "" if value is None else "1" if value else "0"


def _point(value: Any) -> str:
    return "" if value is None else repr(value)


def _comma(value: Any) -> str:
    return "" if value is None else repr(value).replace(".", ",")


_CELLS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: harmless,
    Kind.FLAG: _flag,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.REAL: _point,
}
"""How a cell is written; whole numbers are as they are."""


def write_csv(file: BinaryIO, sheet: Sheet, language: Language, *, decimal_comma: bool = False) -> None:
    """Writes a sheet as CSV, with its headings in a language."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="replace")
    try:
        text.write(_BYTE_ORDER_MARK)
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerow([heading(column.name, language) for column in sheet.columns])
        cells = dict(_CELLS) | ({Kind.REAL: _comma} if decimal_comma else {})
        special = [
            (index, cells[column.kind]) for index, column in enumerate(sheet.columns) if column.kind in cells
        ]
        for batch in sheet.batches:
            writer.writerows(_written(batch, special))
        text.flush()
    finally:
        text.detach()


def _written(
    batch: Iterable[Row], special: Sequence[tuple[int, Callable[[Any], Any]]]
) -> Iterator[list[Any]]:
    for row in batch:
        cells = list(row)
        for index, write in special:
            cells[index] = write(cells[index])
        yield cells


def objects(sheet: Sheet) -> Iterator[dict[str, Any]]:
    """The rows by the names of their columns."""
    names = [column.name for column in sheet.columns]
    for batch in sheet.batches:
        for row in batch:
            yield dict(zip(names, row, strict=True))


def write_json_lines(file: BinaryIO, sheet: Sheet) -> None:
    """Writes a sheet as JSON, an object in a line for each row."""
    encode = msgspec.json.Encoder().encode
    for one in objects(sheet):
        file.write(encode(one))
        file.write(b"\n")


def write_json(file: BinaryIO, document: Mapping[str, Any]) -> None:
    """Writes one JSON object."""
    file.write(msgspec.json.format(msgspec.json.encode(document), indent=2))
    file.write(b"\n")


Cells = Sequence[Sequence[str]]


def print_table(console: Console, title: str, headings: Sequence[str], rows: Cells, left: int = 1) -> None:
    """Prints text cells, the first `left` columns to the left: in colour in a terminal, else aligned."""
    if not console.is_terminal:
        console.print(title, *aligned(headings, rows, left), sep="\n", markup=False)
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, name in enumerate(headings):
        table.add_column(
            name, justify="left" if index < left else "right", vertical="bottom", header_style="dim bold"
        )
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    console.print(table, soft_wrap=False)


def aligned(headings: Sequence[str], rows: Cells, left: int = 1) -> list[str]:
    """Lines of columns that stand below each other."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        parts = [
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    return [line(headings), *map(line, rows)]
