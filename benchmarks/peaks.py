"""What exact peaks cost: `python -m benchmarks.peaks`.

The peak of a million calls of one month against the least that numpy needs for the same arrays, which is
to sort all times and sum the weights in that order; then the month by the hour, and a VDX day of 25,000
legs that belong to 5 groups each. All take turns in each round; medians of one run.
"""

import statistics
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from vdx.peaks import (
    Figures,
    Times,
    bucket_peaks,
    grouped_bucket_counts,
    grouped_bucket_peaks,
    grouped_bucket_seconds,
    level_at,
    peak,
)

ROUNDS: Final = 11
CALLS: Final = 1_000_000
LEGS: Final = 25_000
GROUPS_A_LEG: Final = 5
GROUPS: Final = 1_000
SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR
MONTH: Final = 30 * DAY
BEGIN: Final = 1_772_323_200 * SECOND
"""2026-03-01 UTC."""


def calls(generator: np.random.Generator, count: int, span: int) -> tuple[Times, Times, Figures]:
    """Starts, ends and weights of calls: half last less than 20 minutes, one in ten more than 90."""
    starts = BEGIN + generator.integers(0, span, count)
    durations = generator.lognormal(np.log(20 * 60), 1.2, count) * SECOND
    return starts, starts + durations.astype(np.int64), generator.integers(0, 3, count)


def floor(starts: Times, ends: Times, weights: Figures) -> int:
    """The highest sum of weights by time, whichever comes first of those that join and leave at once."""
    times = np.concatenate((starts, ends))
    changes = np.concatenate((weights, -weights))
    return int(np.cumsum(changes[np.argsort(times)]).max())


def milliseconds(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median duration of each work, all of them in turn in each round."""
    durations: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            durations[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) * 1000 for name, values in durations.items()}


def report(title: str, works: dict[str, Callable[[], object]]) -> None:
    """Print the times of some works as multiples of the first."""
    print(title)
    times = milliseconds(works)
    base = next(iter(times.values()))
    for name, value in times.items():
        print(f"  {name:32}{value:9.1f} ms {value / base:7.2f}")


def main() -> None:
    """Print the month and the day."""
    generator = np.random.default_rng(7)
    month = calls(generator, CALLS, MONTH)
    hours: Times = np.arange(BEGIN, BEGIN + MONTH + 1, HOUR)
    samples: Times = np.arange(BEGIN, BEGIN + MONTH, 30 * SECOND)
    report(
        f"{CALLS:,} calls of a month",
        {
            "floor: sort, sum, maximum": lambda: floor(*month),
            "peak": lambda: peak(*month),
            f"bucket_peaks, {len(hours) - 1} hours": lambda: bucket_peaks(*month, edges=hours),
            f"level_at, {len(samples):,} samples": lambda: level_at(*month, samples),
        },
    )
    ports, at = bucket_peaks(*month, edges=np.array([BEGIN, BEGIN + 2 * MONTH]))
    print(f"  equal to the floor's sum        {peak(*month).ports == floor(*month)!s:>9}")
    print(f"  equal to the whole as one bucket{peak(*month) == (ports[0], at[0])!s:>9}")

    starts, ends, weights = (np.repeat(column, GROUPS_A_LEG) for column in calls(generator, LEGS, DAY))
    groups: Figures = generator.integers(0, GROUPS, len(starts))
    hourly: Times = np.arange(BEGIN, BEGIN + DAY + 1, HOUR)
    daily = hourly[[0, -1]]
    report(
        f"A day of {LEGS:,} legs in {GROUPS_A_LEG} groups each, of {GROUPS:,} groups",
        {
            "floor: sort, sum, maximum": lambda: floor(starts, ends, weights),
            "grouped_bucket_peaks, 24 hours": lambda: grouped_bucket_peaks(
                groups, GROUPS, starts, ends, weights, edges=hourly
            ),
            "grouped_bucket_peaks, the day": lambda: grouped_bucket_peaks(
                groups, GROUPS, starts, ends, weights, edges=daily
            ),
            "grouped_bucket_seconds, 24 hours": lambda: grouped_bucket_seconds(
                groups, GROUPS, starts, ends, weights, edges=hourly
            ),
            "grouped_bucket_counts, 24 hours": lambda: grouped_bucket_counts(
                groups, GROUPS, starts, ends, edges=hourly
            ),
        },
    )


if __name__ == "__main__":
    main()
