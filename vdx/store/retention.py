"""Drops what is older than the settings keep."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Table, delete, func, select

from vdx.settings import DatabaseSettings
from vdx.store import partitions
from vdx.store.rollups import bucket
from vdx.store.tables import (
    FIVE_MINUTES,
    HOUR,
    RAW,
    SAMPLES,
    conference,
    participant,
    poll,
    poll_failure,
)

_STEPS: Final = 50
"""Deletions at a time: a store that was away for long is cut down over several hours."""


def prune(connection: Connection, settings: DatabaseSettings, newest: datetime) -> None:
    """Drops what is too old at `newest`, the time of the latest poll in the database.

    Samples as polled go by day partitions on MySQL; everything else in short transactions of its own.
    All that is dropped has been rolled up: the cycle that begins an hour rolls up the one before it.
    """
    hour = bucket(newest, HOUR)
    for resolution in (RAW, FIVE_MINUTES, HOUR):
        days = getattr(settings, resolution.days)
        if not days:
            continue
        cutoff = hour - timedelta(days=days)
        for samples in SAMPLES:
            table = samples.tables[resolution]
            if resolution is RAW and connection.dialect.name == "mysql":
                partitions.renew(connection, table, newest.date(), cutoff.date())
                connection.commit()
            else:
                step = timedelta(hours=1) if resolution is RAW else timedelta(days=1)
                delete_before(connection, table, "time", cutoff, step)
    cutoff = hour - timedelta(days=settings.interval_days)
    for table, column in (
        (conference, "ended"),
        (participant, "ended"),
        (poll, "time"),
        (poll_failure, "time"),
    ):
        delete_before(connection, table, column, cutoff, timedelta(days=1))


def delete_before(connection: Connection, table: Table, name: str, cutoff: datetime, step: timedelta) -> None:
    """Deletes from the oldest on, a step of time in each transaction, and a bounded number of steps."""
    column = table.c[name]
    for _ in range(_STEPS):
        with connection.begin():
            oldest: datetime | None = connection.scalar(select(func.min(column)))
            if oldest is None or oldest >= cutoff:
                return
            connection.execute(delete(table).where(column < min(oldest + step, cutoff)))
