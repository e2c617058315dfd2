"""Puts many rows into a table at once.

MySQL and MariaDB take rows fastest by LOAD DATA LOCAL INFILE. It reads a file that the client names: here a
pipe of the process's own, which a thread fills while the server inserts, so that nothing lies on disk and
both work at the same time. Where the server does not allow it (local_infile = 0), and for few rows, the
rows go in INSERT statements.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, Final, TextIO

from sqlalchemy import Boolean, Column, Connection, LargeBinary, String, Table, insert
from sqlalchemy.exc import DBAPIError

from vdx.store.columns import UTCDateTime

FEWEST: Final = 100
"""Rows from which loading is faster than inserting, pipe and thread included."""

_AT_ONCE: Final = 1000
_LINES: Final = 100
_TURN_SECONDS: Final = 0.000_05
_NULL: Final = "\\N"
_REFUSAL: Final = "load_refused"

Columns = Mapping[str, Sequence[Any]]


def put(connection: Connection, table: Table, columns: Columns) -> int:
    """Inserts rows, given as a list of values for each column of the table, and returns how many.

    In the caller's transaction. Raises what the database raises; a row whose key is there already is an
    IntegrityError.
    """
    names = [column.name for column in table.c]
    count = len(columns[names[0]])
    if count >= FEWEST and connection.dialect.name == "mysql" and _load(connection, table, columns, count):
        return count
    rows = zip(*(columns[name] for name in names), strict=True)
    while some := [dict(zip(names, row, strict=True)) for row in islice(rows, _AT_ONCE)]:
        connection.execute(insert(table), some)
    return count


def columns_of(table: Table, rows: Sequence[Sequence[Any]]) -> Columns:
    """Rows in the order of the table's columns, as columns."""
    values: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(table.c)
    return dict(zip(table.c.keys(), values, strict=True))


def _load(connection: Connection, table: Table, columns: Columns, count: int) -> bool:
    """True where all rows were loaded; False where the server refuses to, or found fault with a row.

    LOCAL makes the server pass over faults with a warning; INSERT then names them.
    """
    driver: Any = connection.connection.driver_connection
    if not driver._local_infile or connection.info.get(_REFUSAL):
        return False
    savepoint = connection.begin_nested()
    with _filled(table, columns) as file:
        try:
            with _quick_turns():
                loaded = connection.exec_driver_sql(load_statement(table), (file,)).rowcount
        except DBAPIError as error:
            if error.orig is None or error.orig.args[0] not in _REFUSED:
                raise
            connection.info[_REFUSAL] = True
            loaded = 0
    if loaded == count and not connection.exec_driver_sql("SELECT @@warning_count").scalar():
        savepoint.commit()
        return True
    savepoint.rollback()
    return False


@contextlib.contextmanager
def _filled(table: Table, columns: Columns) -> Iterator[str]:
    """The path of a pipe that a thread fills with the rows' lines while the block reads it."""
    reading, writing = os.pipe()
    filler = threading.Thread(target=_fill, args=(writing, table, columns), name="load", daemon=True)
    filler.start()
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)  # lets a filler go that nobody reads from
        filler.join()


_REFUSED: Final = frozenset({1148, 3948, 4166})
"""The server does not allow LOAD DATA LOCAL (ER_NOT_ALLOWED_COMMAND and its successors)."""


@contextlib.contextmanager
def _quick_turns() -> Iterator[None]:
    """Has threads take turns quickly: the one that sends waits for its turn with every 16 kB, and the usual
    5 ms would leave the server idle most of the time."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _fill(pipe: int, table: Table, columns: Columns) -> None:
    """Ends early where nobody reads any more, and at a value that is no text: INSERT then names it."""
    with (
        contextlib.suppress(BrokenPipeError, TypeError, ValueError),
        open(pipe, "w", encoding="utf-8", newline="\n") as lines,
    ):
        write_lines(lines, table, [columns])


def write_lines(lines: TextIO, table: Table, pages: Iterable[Columns]) -> None:
    """Writes rows as the lines that `load_statement` reads."""
    line = ("\t".join(["%s"] * len(table.c)) + "\n").__mod__
    forms = [(column.name, _form(column)) for column in table.c]
    for columns in pages:
        for start in range(0, len(columns[forms[0][0]]), _LINES):
            values = []
            for name, form in forms:
                some = columns[name][start : start + _LINES]
                values.append(some if form is None else form(some))
            lines.write("".join(map(line, zip(*values, strict=True))))


@cache
def load_statement(table: Table) -> str:
    """The statement that loads the lines of a file that is named to it, as `write_lines` makes them."""
    binary = [column.name for column in table.c if isinstance(column.type, LargeBinary)]
    targets = ", ".join(f"@{column.name}" if column.name in binary else column.name for column in table.c)
    settings = ", ".join(f"{name} = UNHEX(@{name})" for name in binary)
    return f"LOAD DATA LOCAL INFILE %s INTO TABLE {table.name} CHARACTER SET utf8mb4 ({targets})" + (
        f" SET {settings}" if settings else ""
    )


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


def _hexadecimals(values: Sequence[bytes | None]) -> list[str]:
    return [_NULL if value is None else value.hex() for value in values]


def _times(values: Sequence[datetime | None]) -> list[str]:
    """Of aware datetimes in UTC, the part before +00:00. The same one often comes several times in a row."""
    texts: list[str] = []
    last, text = None, _NULL
    for value in values:
        if value is not last:
            last, text = value, _NULL if value is None else value.isoformat(" ")[:-6]
        texts.append(text)
    return texts


def _texts(values: Sequence[str | None]) -> list[str]:
    return [_NULL if value is None else value.translate(_ESCAPES) for value in values]


def _numbers(values: Sequence[float | None]) -> list[Any]:
    return [_NULL if value is None else value for value in values]


def _flags(values: Sequence[bool]) -> list[int]:
    return list(map(int, values))


def _form(column: Column[Any]) -> Callable[[Sequence[Any]], list[Any]] | None:
    """What makes a column's values text; None where they are numbers, which are it as they are."""
    if isinstance(column.type, LargeBinary):
        return _hexadecimals
    if isinstance(column.type, UTCDateTime):
        return _times
    if isinstance(column.type, String):
        return _texts
    if isinstance(column.type, Boolean):
        return _flags
    return _numbers if column.nullable else None
