"""The figures of usage as a frame: what is read from the database, what is derived, what is compared.

`MEANINGS` has each figure in the order of its column. Shares are of the completed call legs, those of unknown
quality among them, so that the five add up to 100.
"""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd  # type: ignore[import-untyped]

from app.reports.columns import Column, Kind
from vdx.capacity import QUALITIES
from vdx.store.usage_queries import ADDED, Usage
from vdx.usage import DEVICES, PROTOCOLS

Frame = Any
"""A pandas DataFrame, which has no types of its own."""

MICROSECONDS_A_MINUTE: Final = 60_000_000

MEANINGS: Final[Mapping[str, str]] = {
    "meetings": "meetings that were running; one over midnight counts in both days",
    "legs": "call legs that were connected; one over midnight counts in both days",
    "started_legs": "call legs that connected in the period",
    "completed": "call legs that had connected and ended in the period",
    "failed": "calls that ended in the period and never connected",
    "refused_license": "of these, refused for want of a licence",
    "refused_capacity": "of these, refused for want of capacity",
    "control_legs": "call legs without sound and picture, which are in no other figure",
    "incoming": "completed call legs in which the participant called",
    "outgoing": "completed call legs in which the platform called",
    "participant_minutes": "minutes that participants were connected within the period, added up",
    "port_minutes": "minutes that licence ports were held within the period, added up",
    "average_ports": "licence ports held on average: port minutes by the minutes of the period",
    "peak_ports": "the most licence ports held at once, exactly",
    "peak_at": "when so many were first held, local time",
    "sampled_ports": "the most licence ports that the status miner saw; platform and locations only",
    **{
        f"quality_{name}_percent": f"share of completed call legs whose quality was {name}"
        for name in ("good", "ok", "bad", "terrible", "unknown")
    },
    **{f"quality_{name}": f"completed call legs whose quality was {name}" for name in QUALITIES},
    **{f"protocol_{name}": f"completed call legs by this protocol: {name}" for name in PROTOCOLS},
    **{f"device_{name}": f"completed call legs from this kind of device: {name}" for name in DEVICES},
}
"""Figure -> its meaning."""

COMPARED: Final = (
    "meetings",
    "legs",
    "failed",
    "participant_minutes",
    "port_minutes",
    "average_ports",
    "peak_ports",
)
"""Figures that are set against the period before. NAME_before is the figure then and NAME_change_percent the
difference in percent of it; both are empty where there is nothing before, the latter also where it was 0."""

_REAL: Final = frozenset(
    {"participant_minutes", "port_minutes", "average_ports"}
    | {f"quality_{name}_percent" for name in QUALITIES}
)


def columns(*, compared: bool) -> tuple[Column, ...]:
    """The columns of the figures."""
    found = []
    for name in MEANINGS:
        kind = Kind.TIME if name == "peak_at" else Kind.REAL if name in _REAL else Kind.WHOLE
        found.append(Column(name, kind))
        if compared and name in COMPARED:
            found.append(Column(f"{name}_before", kind))
            found.append(Column(f"{name}_change_percent", Kind.REAL))
    return tuple(found)


def frame(
    used: Sequence[Usage], seconds: Sequence[float], zone: ZoneInfo, keys: Sequence[Hashable] | None = None
) -> Frame:
    """A row of all figures for each usage.

    `seconds` is the length of its period so far, of which averages are taken; `keys` say which rows of two
    frames belong together, the place in the order where it is None.
    """
    index = None if keys is None else pd.Index(keys, tupleize_cols=False, dtype=object)
    found = pd.DataFrame([one.figures for one in used], columns=list(ADDED), index=index, dtype="int64")
    minutes = pd.Series(seconds, index=found.index, dtype="float64") / 60
    for name in ("participant", "port"):
        found[f"{name}_minutes"] = found[f"{name}_microseconds"] / MICROSECONDS_A_MINUTE
    found["average_ports"] = (found["port_minutes"] / minutes.where(minutes > 0)).round(3)
    for name in ("participant", "port"):
        found[f"{name}_minutes"] = found[f"{name}_minutes"].round(3)
    found["peak_ports"] = pd.Series([one.peak_ports for one in used], index=found.index, dtype="int64")
    found["peak_at"] = pd.Series([_local(one.peak_at, zone) for one in used], index=found.index, dtype=object)
    found["sampled_ports"] = pd.Series([one.sampled_ports for one in used], index=found.index, dtype="Int64")
    completed = found["completed"].where(found["completed"] > 0)
    for name in QUALITIES:
        found[f"quality_{name}_percent"] = (100 * found[f"quality_{name}"] / completed).round(2)
    return found


def _local(time: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if time is None else time.astimezone(zone)


def objects(values: Sequence[Any], found: Frame) -> Any:
    """A column of Python's own values for a frame."""
    return pd.Series(values, index=found.index, dtype=object)


def compare(now: Frame, before: Frame) -> Frame:
    """The figures with those of the row with the same key before, and the difference in percent."""
    earlier = before.reindex(now.index)
    known = earlier["legs"].notna()
    for name in COMPARED:
        then = earlier[name]
        now[f"{name}_before"] = then if name in _REAL else then.astype("Int64")
        base = then.astype("float64").where(known & (then != 0))
        now[f"{name}_change_percent"] = (100 * (now[name] - base) / base).round(1)
    return now


def rows(found: Frame, wanted: Sequence[Column]) -> list[tuple[Any, ...]]:
    """The rows of a frame as Python's own values, None where there is none."""
    values = []
    for column in wanted:
        cells = found[column.name]
        values.append(
            [None if missing else cell for cell, missing in zip(cells.tolist(), cells.isna(), strict=True)]
        )
    return list(zip(*values, strict=True))
