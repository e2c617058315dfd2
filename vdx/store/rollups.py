"""Sums samples up: each bucket of five minutes and of an hour, as its average and maximum."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, literal, select

from vdx.store.tables import FIVE_MINUTES, HOUR, RAW, SAMPLES, Resolution, Samples

_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def bucket(time: datetime, resolution: Resolution) -> datetime:
    """The beginning of the bucket in which `time` lies."""
    return time - (time - _EPOCH) % timedelta(seconds=resolution.seconds)


def roll_up(connection: Connection, previous: datetime, time: datetime) -> dict[str, int]:
    """Rolls up the buckets that the step from the poll at `previous` to the one at `time` finished.

    Between two polls in a row no sample lies, so the only bucket that can be finished and not rolled up
    yet is the one of `previous`. Both resolutions come from the samples as polled, so that an average
    weighs each sample once. Returns the rows written by table.
    """
    written = {}
    for resolution in (FIVE_MINUTES, HOUR):
        begin = bucket(previous, resolution)
        if bucket(time, resolution) == begin:
            continue
        for samples in SAMPLES:
            table = samples.tables[resolution]
            connection.execute(table.delete().where(table.c.time == begin))
            written[table.name] = _roll(connection, samples, resolution, begin)
    return written


def _roll(connection: Connection, samples: Samples, resolution: Resolution, begin: datetime) -> int:
    raw, table = samples.tables[RAW], samples.tables[resolution]
    keys = [column for column in raw.primary_key.columns if column.name != "time"]
    summary = [aggregate(raw.c[field]) for field in samples.figures for aggregate in (func.avg, func.max)]
    end = begin + timedelta(seconds=resolution.seconds)
    query = (
        select(literal(begin, table.c.time.type), *keys, func.count(), *summary)
        .where(raw.c.time >= begin, raw.c.time < end)
        .group_by(*keys)
    )
    return connection.execute(insert(table).from_select([column.name for column in table.c], query)).rowcount
