"""The curve of licence ports over a day: its points, its gaps, and how it is drawn."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

Point = tuple[datetime, float | None]
"""A time (UTC) and the licence ports in use then; None when they could not be read."""

SPAN: Final = timedelta(hours=24)
STEP: Final = timedelta(minutes=5)
STEPS: Final = SPAN // STEP
LABEL_HOURS: Final = 3
CLOSEST: Final = 0.09
"""Share of the height below which two labels would touch."""


class Curve(msgspec.Struct, frozen=True):
    """Licence ports over the last 24 hours, a value for each 5 minutes: the highest seen in them, or None."""

    start: datetime
    values: tuple[float | None, ...]
    limit: float
    highest: Point | None = None
    lowest: Point | None = None
    last: Point | None = None
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    """Times between the first and the last figure for which there is none."""


class Label(msgspec.Struct, frozen=True):
    """A text beside an axis, at a place in percent of its length."""

    place: float
    text: str
    time: datetime | None = None


class Drawing(msgspec.Struct, frozen=True):
    """SVG paths over a field of STEPS x 100, and the axes' labels."""

    line: str
    area: str
    pool: float
    """Height of the pool's line, in percent from the top."""
    heights: tuple[Label, ...]
    hours: tuple[Label, ...]
    width: int = STEPS


def merge(*histories: Iterable[Point], now: datetime) -> tuple[Point, ...]:
    """One history of the last 24 hours; at the same time, a later history's figure wins, but not its None."""
    merged: dict[datetime, float | None] = {}
    for history in histories:
        for time, value in history:
            if now - SPAN - STEP <= time <= now and (value is not None or time not in merged):
                merged[time] = value
    return tuple(sorted(merged.items()))


def curve(history: Iterable[Point], limit: float, now: datetime) -> Curve:
    """The curve of a history that ends at `now`."""
    floor = datetime.fromtimestamp(now.timestamp() // STEP.total_seconds() * STEP.total_seconds(), UTC)
    start = floor + STEP - SPAN
    values: list[float | None] = [None] * STEPS
    known = [(time, value) for time, value in history if value is not None and start <= time <= now]
    for time, value in known:
        index = (time - start) // STEP
        values[index] = max(value, values[index] or 0)
    if not known:
        return Curve(start, tuple(values), limit)
    return Curve(
        start=start,
        values=tuple(values),
        limit=limit,
        highest=max(known, key=lambda point: point[1]),
        lowest=min(known, key=lambda point: point[1]),
        last=max(known),
        gaps=tuple((start + first * STEP, start + last * STEP) for first, last in _gaps(values)),
    )


def _gaps(values: Sequence[float | None]) -> Iterable[tuple[int, int]]:
    """Stretches [first, last) of None between values."""
    previous: int | None = None
    for index, value in enumerate(values):
        if value is None:
            continue
        if previous is not None and index > previous + 1:
            yield previous + 1, index
        previous = index


def _runs(values: Sequence[float | None]) -> Iterable[list[tuple[int, float]]]:
    """Stretches of values without a gap."""
    run: list[tuple[int, float]] = []
    for index, value in enumerate(values):
        if value is not None:
            run.append((index, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _round_step(limit: float) -> float:
    """A round step that divides 0 to the limit into at most four."""
    rough = max(limit, 1) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def drawing(curve: Curve, zone: ZoneInfo) -> Drawing:
    """How the curve is drawn: higher than the pool where the use was; hours are those of `zone`."""
    highest = curve.highest[1] if curve.highest and curve.highest[1] else 0
    top = max(curve.limit, highest) * 1.08

    def height(value: float) -> float:
        return round(100 - value / top * 100, 2)

    lines, areas = [], []
    for run in _runs(curve.values):
        points = [f"{index + 0.5:g} {height(value):g}" for index, value in run]
        first, last = run[0][0] + 0.5, run[-1][0] + 0.5
        lines.append(f"M{'L'.join(points)}" + ("h.01" if len(points) == 1 else ""))
        areas.append(f"M{first:g} 100L{'L'.join(points)}L{last:g} 100Z")
    step = _round_step(curve.limit)
    heights = (index * step for index in range(math.floor(curve.limit / step) + 1))
    return Drawing(
        line="".join(lines),
        area="".join(areas),
        pool=height(curve.limit),
        heights=tuple(
            Label(height(value), f"{value:,.0f}")
            for value in heights
            if (curve.limit - value) / top > CLOSEST
        ),
        hours=tuple(_hours(curve.start, zone)),
    )


def _hours(start: datetime, zone: ZoneInfo) -> Iterable[Label]:
    hour = start.replace(minute=0) + timedelta(hours=1)
    while hour < start + SPAN:
        local = hour.astimezone(zone)
        if local.hour % LABEL_HOURS == 0:
            yield Label(round((hour - start) / SPAN * 100, 2), f"{local:%H}", hour)
        hour += timedelta(hours=1)
