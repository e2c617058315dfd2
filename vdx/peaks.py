"""Ports in use at the same time, exactly: pure functions from the times of call legs to figures.

A leg holds its ports from the instant it connects up to the instant it disconnects, [start, end): who leaves
at the instant another joins leaves first. Use rises at a start alone, so a peak is the use at some
start or what is carried into the period.

Times are int64 microseconds since 1970 UTC, weights are ports per leg, 0 or more; arrays of legs have
one length and any order. Buckets are [edges[i], edges[i + 1]), as long as their edges tell; legs may lie
partly or wholly outside of them.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer[Any]]
Times = npt.NDArray[np.int64]
Figures = npt.NDArray[np.int64]


class Peak(NamedTuple):
    """The greatest number of ports in use at once."""

    ports: int
    at: int | None
    """The first instant with so many; None where no port was ever held."""


class BucketPeaks(NamedTuple):
    """The peak of each bucket: (buckets,), or (groups, buckets)."""

    ports: Figures
    at: Times
    """The first instant in the bucket with so many ports: its begin where the peak is carried in, or 0."""


class _Total:
    """The sum of weights up to any instant."""

    def __init__(self, times: Times, weights: Integers) -> None:
        order = np.argsort(times)
        self.times = times[order]
        self.sums = np.zeros(len(times) + 1, np.int64)
        np.cumsum(weights[order], out=self.sums[1:])

    def until(self, instants: Times) -> Figures:
        """The sum at each instant, itself included."""
        return self.sums[np.searchsorted(self.times, instants, side="right")]


def _totals(starts: Times, ends: Times, weights: Integers) -> tuple[_Total, _Total]:
    """What was joined and what was left; legs that hold nothing are in neither."""
    held = ends > starts
    if not held.all():
        starts, ends, weights = starts[held], ends[held], weights[held]
    return _Total(starts, weights), _Total(ends, weights)


def _levels(joined: _Total, left: _Total) -> Figures:
    """Ports in use as each start is counted, by time.

    Of several starts at one instant the last gives the use and the others no more than that.
    """
    return joined.sums[1:] - left.until(joined.times)


def peak(starts: Times, ends: Times, weights: Integers) -> Peak:
    """The greatest number of ports in use at once, and when it was first reached."""
    joined, left = _totals(starts, ends, weights)
    levels = _levels(joined, left)
    if not levels.any():
        return Peak(0, None)
    # The first of several starts at an instant may fall short of the peak, the instant is the same.
    first = levels.argmax()
    return Peak(int(levels[first]), int(joined.times[first]))


def level_at(starts: Times, ends: Times, weights: Integers, instants: Times) -> Figures:
    """Ports in use at each instant: who joins at it counts, who leaves at it does not."""
    joined, left = _totals(starts, ends, weights)
    return joined.until(instants) - left.until(instants)


def bucket_peaks(starts: Times, ends: Times, weights: Integers, *, edges: Times) -> BucketPeaks:
    """The peak of each of the n buckets between n + 1 edges.

    Raises ValueError where the edges do not ascend or are fewer than two.
    """
    _check_edges(edges)
    joined, left = _totals(starts, ends, weights)
    bounds = np.searchsorted(joined.times, edges)
    begins = edges[:-1]
    ports = joined.sums[bounds[:-1]] - left.until(begins)
    at = begins.copy()
    # Starts are in order, so those of one bucket stand together; reduceat knows no empty stretches.
    filled = np.flatnonzero(np.diff(bounds))
    if filled.size:
        window = slice(bounds[0], bounds[-1])
        levels, times = _levels(joined, left)[window], joined.times[window]
        offsets = bounds[filled] - bounds[0]
        highest = np.maximum.reduceat(levels, offsets)
        hits = np.flatnonzero(levels == np.repeat(highest, np.diff(bounds)[filled]))
        reached = times[hits[np.searchsorted(hits, offsets)]]
        rises = highest > ports[filled]
        ports[filled[rises]] = highest[rises]
        at[filled[rises]] = reached[rises]
    return BucketPeaks(ports, at)


def grouped_bucket_peaks(
    groups: Integers, group_count: int, starts: Times, ends: Times, weights: Integers, *, edges: Times
) -> BucketPeaks:
    """The peak of each bucket for each group, of shape (group_count, n).

    `groups` holds the number of each leg's group, 0 to group_count - 1; a leg of several groups is listed
    once for each.

    The groups are laid end to end on one line of time, each as long as all the buckets: legs are cut to
    the edges, hence none reaches into the next group, and one sort serves all.

    Raises ValueError for a group out of range, for edges that do not ascend or are fewer than two, and
    where the line is longer than int64 tells (more than 290,000 groups over a year).
    """
    _check_edges(edges)
    _check_groups(groups, group_count)
    first, last = int(edges[0]), int(edges[-1])
    length = last - first
    if group_count * length > np.iinfo(np.int64).max:
        raise ValueError(f"{group_count} groups over {length} microseconds are too many")
    shape = (group_count, len(edges) - 1)
    if not group_count:
        return BucketPeaks(np.zeros(shape, np.int64), np.zeros(shape, np.int64))
    base = groups.astype(np.int64) * length
    bases = np.arange(group_count, dtype=np.int64)[:, np.newaxis] * length
    line = np.append(bases + (edges[:-1] - first), group_count * length)
    ports, at = bucket_peaks(
        base + (np.clip(starts, first, last) - first),
        base + (np.clip(ends, first, last) - first),
        weights,
        edges=line,
    )
    return BucketPeaks(ports.reshape(shape), at.reshape(shape) - bases + first)


def grouped_bucket_seconds(
    groups: Integers, group_count: int, starts: Times, ends: Times, weights: Integers, *, edges: Times
) -> Figures:
    """Port time in each bucket for each group, in whole microseconds, of shape (group_count, n).

    It is the sum of weight times the time that a leg spent in the bucket; exact, so that buckets add up to
    days, months and years. With weights of 1 it is the time of the legs themselves.

    Raises ValueError for a group out of range, and for edges that do not ascend or are fewer than two.
    """
    _check_edges(edges)
    _check_groups(groups, group_count)
    starts = np.clip(starts, edges[0], edges[-1])
    ends = np.maximum(np.clip(ends, edges[0], edges[-1]), starts)
    # A leg is what is left of its first bucket and all later buckets, less the same from its end on.
    # The column after the last bucket takes what ends with it.
    size = len(edges)
    nexts = np.append(edges[1:], edges[-1])
    parts = np.zeros(group_count * size, np.int64)
    carried = np.zeros(group_count * size, np.int64)
    for add, times in ((np.add, starts), (np.subtract, ends)):
        buckets = np.searchsorted(edges, times, side="right") - 1
        places = groups.astype(np.int64) * size + buckets
        add.at(parts, places, weights * (nexts[buckets] - times))
        add.at(carried, places, weights)
    within = parts.reshape(group_count, size)[:, :-1]
    across = carried.reshape(group_count, size)[:, :-1]
    return within + (np.cumsum(across, axis=1) - across) * np.diff(edges)


def grouped_bucket_counts(
    groups: Integers, group_count: int, starts: Times, ends: Times, *, edges: Times
) -> Figures:
    """Legs that were connected in each bucket, for each group, of shape (group_count, n).

    A leg counts in every bucket it reaches into. One that does not end after its start counts in the bucket
    of its end.

    Raises ValueError for a group out of range, and for edges that do not ascend or are fewer than two.
    """
    _check_edges(edges)
    _check_groups(groups, group_count)
    size = len(edges)
    entered = np.searchsorted(edges, np.minimum(starts, ends), side="right") - 1
    # The bucket after the one of the last instant; an empty leg on an edge has its instant behind that edge.
    passed = np.maximum(np.searchsorted(edges, ends), entered + 1)
    changes = np.zeros(group_count * size, np.int64)
    places = groups.astype(np.int64) * size
    np.add.at(changes, places + np.clip(entered, 0, size - 1), 1)
    np.subtract.at(changes, places + np.clip(passed, 0, size - 1), 1)
    return np.cumsum(changes.reshape(group_count, size), axis=1)[:, :-1]


def _check_edges(edges: Times) -> None:
    if len(edges) < 2 or not (edges[1:] > edges[:-1]).all():
        raise ValueError("edges must ascend and be two or more")


def _check_groups(groups: Integers, group_count: int) -> None:
    if groups.size and not 0 <= groups.min() <= groups.max() < group_count:
        raise ValueError(f"a group is not one of 0 to {group_count - 1}")
