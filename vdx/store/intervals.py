"""Opens and closes the intervals of conferences and participants."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, Update, bindparam, func, insert, literal, select, update

from vdx.store.cycle import Changes, Row
from vdx.store.tables import participant, poll

_AT_ONCE: Final = 500
"""Identifiers or rows in one statement; SQLite takes 999 parameters in its oldest versions."""

Item = TypeVar("Item")


def apply(
    connection: Connection,
    table: Table,
    time: datetime,
    changes: Changes[Row],
    *,
    values: Callable[[Row], dict[str, Any]],
    counted: Collection[str],
) -> int:
    """Brings `table` to what was present at `time`, and returns how many rows were written.

    `values` gives the columns of a row; `counted` are those whose change begins another segment.
    An identifier has one open row at most, whatever was lost before.
    """
    rows = {row.id: row for row in changes.opened}
    if changes.full:
        return _reconcile(connection, table, time, rows, values=values, counted=counted)
    for quality, ids in changes.worse.items():
        _worsen(connection, quality, ids)
    written = 0
    for quality, ids in changes.closed.items():
        written += _close(connection, table, time, ids, last_seen=changes.last_seen, quality=quality)
    gone = {key for ids in changes.closed.values() for key in ids}
    _close(connection, table, time, rows.keys() - gone, last_seen=changes.last_seen)
    return written + _open(connection, table, time, map(values, rows.values()))


def _reconcile(
    connection: Connection,
    table: Table,
    time: datetime,
    rows: Mapping[bytes, Row],
    *,
    values: Callable[[Row], dict[str, Any]],
    counted: Collection[str],
) -> int:
    """Keeps the open rows that are still true, closes the others, and opens what is missing."""
    columns = [table.c[name] for name in counted]
    rated = "quality" in table.c
    worst = table.c.worst_quality if rated else literal(0)
    kept: set[bytes] = set()
    gone: set[bytes] = set()
    worse: dict[int, list[bytes]] = {}
    for key, known_worst, *known in connection.execute(
        select(table.c.id, worst, *columns).where(table.c.ended.is_(None))
    ):
        row = values(rows[key]) if key in rows else None
        if row is None or known != [row[name] for name in counted]:
            gone.add(key)
            continue
        kept.add(key)
        if rated and row["worst_quality"] > known_worst:
            worse.setdefault(row["worst_quality"], []).append(key)
    for quality, ids in worse.items():
        _worsen(connection, quality, ids)
    if gone:
        resource = poll.c[f"{table.name}s"]
        seen = connection.scalar(
            select(func.max(poll.c.time)).where(poll.c.time < time, resource.is_not(None))
        )
        _close(connection, table, time, gone, last_seen=seen)
    missing = (values(row) for key, row in rows.items() if key not in kept)
    return len(gone) + _open(connection, table, time, missing)


def _open(connection: Connection, table: Table, time: datetime, rows: Iterable[dict[str, Any]]) -> int:
    written = 0
    for some in _batches(rows):
        connection.execute(insert(table), [row | {"first_seen": time} for row in some])
        written += len(some)
    return written


@cache
def _closing(table: Table, *, rated: bool) -> Update:
    quality: dict[str, Any] = {"quality": bindparam("last_quality")} if rated else {}
    return (
        update(table)
        .where(table.c.ended.is_(None), table.c.id.in_(bindparam("ids", expanding=True)))
        .values(ended=bindparam("time"), last_seen=bindparam("seen"), **quality)
    )


def _close(
    connection: Connection,
    table: Table,
    time: datetime,
    ids: Collection[bytes],
    *,
    last_seen: datetime | None,
    quality: int | None = None,
) -> int:
    rated = quality is not None and "quality" in table.c
    parameters = {"time": time, "seen": last_seen} | ({"last_quality": quality} if rated else {})
    for some in _batches(ids):
        connection.execute(_closing(table, rated=rated), parameters | {"ids": some})
    return len(ids)


_WORSENING: Final = (
    update(participant)
    .where(
        participant.c.ended.is_(None),
        participant.c.id.in_(bindparam("ids", expanding=True)),
        participant.c.worst_quality < bindparam("worse_quality"),
    )
    .values(worst_quality=bindparam("worse_quality"))
)


def _worsen(connection: Connection, quality: int, ids: Collection[bytes]) -> None:
    for some in _batches(ids):
        connection.execute(_WORSENING, {"ids": some, "worse_quality": quality})


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
