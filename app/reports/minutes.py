"""The peak of each minute, from the call legs themselves: a day at a time, by the tree as the day began."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from app.reports.period import Period
from app.reports.selection import Selection
from app.reports.usage import Context
from vdx.days import midnight
from vdx.peaks import bucket_peaks
from vdx.store.usage import microseconds, moment, read_legs
from vdx.store.usage_queries import days
from vdx.usage import Scope
from vdx.usage_rows import NEVER, Legs

_MINUTE = 60_000_000


def peaks(
    context: Context, selection: Selection, period: Period
) -> tuple[list[datetime], list[int], list[datetime | None]]:
    """The begin of each minute up to now, the most licence ports held at once in it, and when first."""
    begins: list[datetime] = []
    ports: list[int] = []
    instants: list[datetime | None] = []
    zone = context.zone
    end = min(period.end(zone), context.now)
    for day in days(period.start(zone), end, zone):
        start, stop = midnight(day, zone), min(midnight(day + timedelta(days=1), zone), end)
        legs = read_legs(context.connection, start, stop)
        connected = (legs.started > NEVER) & legs.has_media & (legs.ports > 0)
        held = connected & _of(context, selection, legs, start)
        count = -(-(microseconds(stop) - microseconds(start)) // _MINUTE)
        edges = microseconds(start) + _MINUTE * np.arange(count + 1, dtype=np.int64)
        found = bucket_peaks(legs.started[held], legs.ended[held], legs.ports[held], edges=edges)
        begins.extend(start + timedelta(minutes=number) for number in range(count))
        ports.extend(found.ports.tolist())
        instants.extend(
            moment(at) if most else None
            for at, most in zip(found.at.tolist(), found.ports.tolist(), strict=True)
        )
    return begins, ports, instants


def _of(context: Context, selection: Selection, legs: Legs, at: datetime) -> Any:
    """Which legs the selection is about."""
    if selection.scope is Scope.SUBTREE:
        return np.isin(legs.organisation, context.tree.subtree(selection.id, at))
    if selection.scope is Scope.TAG:
        return legs.tag == selection.id
    if selection.scope is Scope.LOCATION:
        return legs.location == selection.id
    return np.ones(len(legs.ended), dtype=np.bool_)
