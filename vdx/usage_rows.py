"""From the call legs of a day to its rows of usage: pure, over numpy arrays, without a loop over legs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vdx.capacity import QUALITIES
from vdx.peaks import grouped_bucket_counts, grouped_bucket_peaks, grouped_bucket_seconds
from vdx.usage import COUNTS, DEVICES, PROTOCOLS, TIMES, Outcome, Scope

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER: Final = -(2**62)
"""Stands for the begin of a call that never connected."""


class Legs(NamedTuple):
    """Call legs as arrays of the same length.

    `started` and `ended` are microseconds since 1970 (UTC). `meeting` numbers the conferences. `ports` are
    the licence ports that a leg held. `protocol` and `device` number those of `vdx.usage`.
    """

    started: Whole
    ended: Whole
    meeting: Whole
    organisation: Whole
    location: Whole
    tag: Whole
    ports: Whole
    outcome: Whole
    quality: Whole
    protocol: Whole
    device: Whole
    outgoing: Flags
    has_media: Flags


class Members(NamedTuple):
    """Which legs count in which scopes: `leg` and `group` are pairs, `keys` the scope of each group."""

    leg: Whole
    group: Whole
    keys: Sequence[tuple[int, int]]

    def of(self, which: Flags) -> tuple[Whole, Whole]:
        """The pairs of the legs for which it is true."""
        chosen = which[self.leg]
        return self.leg[chosen], self.group[chosen]


def members(legs: Legs, ancestors: Callable[[int], Sequence[int]]) -> Members:
    """The platform, and each leg's location, organisation with all above it, and service tag.

    `ancestors` gives an organisation and those above it. What belongs to none (0) has no subtree, and a leg
    without a tag (0) is no project's.
    """
    every = np.arange(len(legs.ended))
    pairs: list[tuple[Whole, Whole]] = [(every, np.zeros_like(every))]
    keys: list[tuple[int, int]] = [(Scope.PLATFORM, 0)]

    def add(scope: Scope, which: Whole, values: Whole) -> None:
        found, numbers = np.unique(values, return_inverse=True)
        pairs.append((which, numbers + len(keys)))
        keys.extend((scope, int(value)) for value in found)

    add(Scope.LOCATION, every, legs.location)
    add(Scope.ORGANISATION, every, legs.organisation)
    add(Scope.TAG, every[legs.tag > 0], legs.tag[legs.tag > 0])
    assigned = every[legs.organisation > 0]
    found, numbers = np.unique(legs.organisation[assigned], return_inverse=True)
    above = [np.asarray(ancestors(int(value)), dtype=np.int64) for value in found]
    if above:
        lengths = np.array([len(path) for path in above])
        which = np.repeat(assigned, lengths[numbers])
        add(Scope.SUBTREE, which, np.concatenate([above[number] for number in numbers]))
    leg, group = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    return Members(leg, group, keys)


def _count(group: Whole, bucket: Whole, shape: tuple[int, int]) -> Whole:
    """How many pairs fall on each group and bucket; a bucket outside of the edges counts nowhere."""
    groups, buckets = shape
    inside = (bucket >= 0) & (bucket < buckets)
    flat = group[inside] * buckets + bucket[inside]
    return np.bincount(flat, minlength=groups * buckets).reshape(shape)


def _meetings(legs: Legs, pairs: tuple[Whole, Whole], edges: Whole, shape: tuple[int, int]) -> Whole:
    """How many meetings each group had a leg in, by bucket. A meeting on several nodes is one."""
    leg, group = pairs
    buckets = shape[1]
    first = np.clip(np.searchsorted(edges, legs.started[leg], side="right") - 1, 0, buckets)
    last = np.searchsorted(edges, legs.ended[leg], side="left") - 1
    last = np.minimum(
        np.maximum(last, np.searchsorted(edges, legs.started[leg], side="right") - 1), buckets - 1
    )
    lengths = np.maximum(last - first + 1, 0)
    lengths[legs.ended[leg] < edges[0]] = 0
    starts = np.cumsum(lengths) - lengths
    bucket = np.arange(lengths.sum()) - np.repeat(starts - first, lengths)
    numbers = np.unique(legs.meeting, return_inverse=True)[1]
    keys = (np.repeat(group, lengths) * buckets + bucket) * (len(numbers) + 1) + np.repeat(
        numbers[leg], lengths
    )
    flat = np.unique(keys) // (len(numbers) + 1)
    return np.bincount(flat, minlength=shape[0] * buckets).reshape(shape)


def usage_rows(legs: Legs, who: Members, edges: Whole) -> dict[str, Any]:
    """The measures of `vdx.usage`, each an array of groups by buckets, and the peaks.

    `edges` are the n + 1 instants between the n buckets, in microseconds.
    """
    shape = (len(who.keys), len(edges) - 1)
    connected = (legs.started > NEVER) & legs.has_media
    present = who.of(connected)
    ended = np.searchsorted(edges, legs.ended, side="right") - 1
    started = np.searchsorted(edges, legs.started, side="right") - 1
    times = (legs.started[present[0]], legs.ended[present[0]])
    ports = who.of(connected & (legs.ports > 0))
    held = (legs.started[ports[0]], legs.ended[ports[0]], legs.ports[ports[0]])

    def at_end(which: Flags) -> Whole:
        leg, group = who.of(which)
        return _count(group, ended[leg], shape)

    peaks, instants = grouped_bucket_peaks(ports[1], shape[0], *held, edges=edges)
    failed = legs.outcome != Outcome.COMPLETED
    figures: dict[str, Any] = {
        "meetings": _meetings(legs, present, edges, shape),
        "legs": grouped_bucket_counts(present[1], shape[0], *times, edges=edges),
        "started_legs": _count(present[1], started[present[0]], shape),
        "completed": at_end(connected),
        "failed": at_end(failed),
        "refused_license": at_end(legs.outcome == Outcome.REFUSED_LICENSE),
        "refused_capacity": at_end(legs.outcome == Outcome.REFUSED_CAPACITY),
        "control_legs": at_end(~legs.has_media & ~failed),
        "incoming": at_end(connected & ~legs.outgoing),
        "outgoing": at_end(connected & legs.outgoing),
    }
    for prefix, names, values in (
        ("quality", QUALITIES, legs.quality),
        ("protocol", PROTOCOLS, legs.protocol),
        ("device", DEVICES, legs.device),
    ):
        for number, name in enumerate(names):
            figures[f"{prefix}_{name}"] = at_end(connected & (values == number))
    ones = np.ones(len(present[0]), dtype=np.int64)
    figures["participant_microseconds"] = grouped_bucket_seconds(
        present[1], shape[0], *times, ones, edges=edges
    )
    figures["port_microseconds"] = grouped_bucket_seconds(ports[1], shape[0], *held, edges=edges)
    figures["peak_ports"] = peaks
    figures["peak_at"] = instants
    return figures


def table_rows(
    figures: Mapping[str, Any], who: Members, begins: Sequence[Any], at: Callable[[int], Any]
) -> list[tuple[Any, ...]]:
    """Rows of a usage table without `sampled_ports`: those in which anything happened.

    `begins` are the begins of the buckets, and `at` makes a time of microseconds.
    """
    names = (*COUNTS, *TIMES, "peak_ports")
    stacked = np.stack([figures[name] for name in names])
    groups, buckets = np.nonzero(stacked.any(axis=0))
    values = stacked[:, groups, buckets].T.tolist()
    instants = figures["peak_at"][groups, buckets].tolist()
    return [
        (*who.keys[group], begins[bucket], *row, at(instant))
        for group, bucket, row, instant in zip(
            groups.tolist(), buckets.tolist(), values, instants, strict=True
        )
    ]
