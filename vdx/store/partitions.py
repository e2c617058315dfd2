"""Day partitions of the samples as polled, on MySQL: a day is dropped at once, not row by row.

Partition pYYYYMMDD holds what is before the end of that day and not in an earlier one; `pmax` takes
whatever lies after the last of them, so that a sample is stored whether its day has been made or not.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, Table, text

DAYS_AHEAD: Final = 3
CATCH_ALL: Final = "pmax"


def partition_name(day: date) -> str:
    """The partition of a day."""
    return f"p{day:%Y%m%d}"


def _partition(day: date) -> str:
    return f"PARTITION {partition_name(day)} VALUES LESS THAN (TO_DAYS('{day + timedelta(days=1)}'))"


_LAST: Final = f"PARTITION {CATCH_ALL} VALUES LESS THAN MAXVALUE"


def partitioned(table: str) -> str:
    """The statement that turns a table into one with day partitions."""
    return f"ALTER TABLE {table} PARTITION BY RANGE (TO_DAYS(time)) ({_LAST})"


def partition_days(connection: Connection, table: Table) -> list[date]:
    """The days that have a partition, in order."""
    names = connection.scalars(
        text(
            "SELECT partition_name FROM information_schema.partitions WHERE table_schema = DATABASE() "
            "AND table_name = :table AND partition_name IS NOT NULL ORDER BY partition_ordinal_position"
        ),
        {"table": table.name},
    )
    return [date.fromisoformat(name[1:]) for name in names if name != CATCH_ALL]


def renew(connection: Connection, table: Table, today: date, keep_from: date) -> None:
    """Makes partitions up to some days after `today`, and drops those whose days end before `keep_from`.

    Each statement commits by itself; cut off between them it goes on the next time.
    """
    days = partition_days(connection, table)
    wanted = [today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)]
    missing = [day for day in wanted if not days or day > days[-1]]
    if missing:
        parts = ", ".join([*map(_partition, missing), _LAST])
        connection.execute(text(f"ALTER TABLE {table.name} REORGANIZE PARTITION {CATCH_ALL} INTO ({parts})"))
    expired: Sequence[str] = [partition_name(day) for day in days if day < keep_from]
    if expired:
        connection.execute(text(f"ALTER TABLE {table.name} DROP PARTITION {', '.join(expired)}"))
