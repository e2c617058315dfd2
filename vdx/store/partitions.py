"""Partitions by time, on MySQL: what is too old is dropped at once, not row by row.

The samples as polled lie in partitions of a day, pYYYYMMDD, history in those of a month, pYYYYMM. Each holds
what is before its end and not in an earlier one; `pmax` takes whatever lies after the last of them, so that
a row is stored whether its partition has been made or not.
"""

from collections.abc import Collection, Sequence
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


def partitioned_by_month(table: str) -> str:
    """The statement that turns a table into one with month partitions."""
    return f"ALTER TABLE {table} PARTITION BY RANGE (TO_DAYS(ended)) ({_LAST})"


def _month_partition(month: date) -> str:
    return f"PARTITION p{month:%Y%m} VALUES LESS THAN (TO_DAYS('{next_month(month)}'))"


def next_month(day: date) -> date:
    """The first day of the month after."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def partition_months(connection: Connection, table: Table) -> list[date]:
    """The months that have a partition, in order, as their first days."""
    return [date(int(name[1:5]), int(name[5:7]), 1) for name in _names(connection, table)]


def make_months(connection: Connection, table: Table, months: Collection[date]) -> None:
    """Makes the partitions of the months that have none, by splitting off the one that holds them.

    Commits. Splitting moves the rows of the partition that is split: only a month before one that has rows
    already costs more than an instant.
    """
    known = partition_months(connection, table)
    for month in sorted(set(months) - set(known)):
        later = min((other for other in known if other > month), default=None)
        holder = CATCH_ALL if later is None else f"p{later:%Y%m}"
        rest = _LAST if later is None else _month_partition(later)
        connection.execute(
            text(
                f"ALTER TABLE {table.name} REORGANIZE PARTITION {holder} "
                f"INTO ({_month_partition(month)}, {rest})"
            )
        )
        known.append(month)


def drop_months(connection: Connection, table: Table, keep_from: date) -> None:
    """Drops the partitions that end at or before `keep_from`. Commits."""
    expired = [
        f"p{month:%Y%m}" for month in partition_months(connection, table) if next_month(month) <= keep_from
    ]
    if expired:
        connection.execute(text(f"ALTER TABLE {table.name} DROP PARTITION {', '.join(expired)}"))


def partition_days(connection: Connection, table: Table) -> list[date]:
    """The days that have a partition, in order."""
    return [date.fromisoformat(name[1:]) for name in _names(connection, table)]


def _names(connection: Connection, table: Table) -> list[str]:
    """The names of the partitions in order, without the last that takes the rest."""
    names = connection.scalars(
        text(
            "SELECT partition_name FROM information_schema.partitions WHERE table_schema = DATABASE() "
            "AND table_name = :table AND partition_name IS NOT NULL ORDER BY partition_ordinal_position"
        ),
        {"table": table.name},
    )
    return [name for name in names if name != CATCH_ALL]


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
