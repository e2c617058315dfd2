"""Opens and closes the intervals of conferences and participants."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, literal, select, update

from vdx.store.cycle import Changes, Row
from vdx.store.tables import participant, poll

_AT_ONCE: Final = 500
"""Identifiers in one statement; SQLite takes 999 parameters in its oldest versions."""


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
    rows = {row.id: values(row) for row in changes.opened}
    if changes.full:
        return _reconcile(connection, table, time, rows, counted)
    for quality, ids in changes.worse.items():
        _worsen(connection, quality, ids)
    written = 0
    for quality, ids in changes.closed.items():
        last = {"quality": quality} if "quality" in table.c else {}
        written += _close(connection, table, time, ids, last_seen=changes.last_seen, values=last)
    gone = {key for ids in changes.closed.values() for key in ids}
    _close(connection, table, time, rows.keys() - gone, last_seen=changes.last_seen)
    return written + _open(connection, table, time, rows.values())


def _reconcile(
    connection: Connection,
    table: Table,
    time: datetime,
    rows: Mapping[bytes, dict[str, Any]],
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
        row = rows.get(key)
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
    return len(gone) + _open(connection, table, time, [row for key, row in rows.items() if key not in kept])


def _open(connection: Connection, table: Table, time: datetime, rows: Iterable[dict[str, Any]]) -> int:
    opening = [row | {"first_seen": time} for row in rows]
    if opening:
        connection.execute(insert(table), opening)
    return len(opening)


def _close(
    connection: Connection,
    table: Table,
    time: datetime,
    ids: Collection[bytes],
    *,
    last_seen: datetime | None,
    values: Mapping[str, int] | None = None,
) -> int:
    for some in _batches(ids):
        connection.execute(
            update(table)
            .where(table.c.ended.is_(None), table.c.id.in_(some))
            .values(ended=time, last_seen=last_seen, **(values or {}))
        )
    return len(ids)


def _worsen(connection: Connection, quality: int, ids: Collection[bytes]) -> None:
    for some in _batches(ids):
        connection.execute(
            update(participant)
            .where(
                participant.c.ended.is_(None),
                participant.c.id.in_(some),
                participant.c.worst_quality < quality,
            )
            .values(worst_quality=quality)
        )


def _batches(ids: Collection[bytes]) -> Iterator[list[bytes]]:
    remaining = iter(ids)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
