"""How far history has been read, where it was lost, and which days' usage must be computed again."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from vdx.store.history_tables import history_gap, history_progress, usage_pending

LONGEST_SPAN: Final = timedelta(days=31)
"""Days of usage that one record can make stale; a longer call is a fault of a clock."""


def mark_pending(connection: Connection, days: Collection[date]) -> None:
    """Has the usage of these days computed again, in the caller's transaction."""
    if days:
        statement = insert(usage_pending).prefix_with("IGNORE", dialect="mysql")
        statement = statement.prefix_with("OR IGNORE", dialect="sqlite")
        connection.execute(statement, [{"day": day} for day in sorted(days)])


def advance(
    connection: Connection, resource: str, watermark: datetime | None, longest_seconds: int = 0
) -> None:
    """Notes that all up to `watermark` has been read (None: as before); neither figure ever goes back."""
    table = history_progress
    known = connection.execute(select(table).where(table.c.resource == resource).with_for_update()).first()
    if known is not None:
        latest = max(watermark or known.watermark, known.watermark)
        longest = max(longest_seconds, known.longest_seconds)
        if (latest, longest) != (known.watermark, known.longest_seconds):
            values = {"watermark": latest, "longest_seconds": longest}
            connection.execute(update(table).where(table.c.resource == resource).values(values))
    elif watermark is not None:
        values = {"watermark": watermark, "longest_seconds": longest_seconds}
        connection.execute(insert(table).values(resource=resource, **values))


def watermarks(connection: Connection) -> dict[str, datetime]:
    """Resource -> up to where it has been read."""
    table = history_progress
    return {row.resource: row.watermark for row in connection.execute(select(table))}


def note_gap(
    connection: Connection, resource: str, begins: datetime, ends: datetime, found: datetime
) -> bool:
    """Keeps a gap, and tells whether it was not known yet."""
    table = history_gap
    where = (table.c.resource == resource, table.c.begins == begins)
    if connection.scalar(select(func.count()).select_from(table).where(*where)):
        return False
    connection.execute(insert(table).values(resource=resource, begins=begins, ends=ends, found=found))
    return True
