"""Ports in use at once, by example and against a count of every single instant."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdx.peaks import (
    bucket_peaks,
    grouped_bucket_counts,
    grouped_bucket_peaks,
    grouped_bucket_seconds,
    level_at,
    peak,
)

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000_000

Column = npt.NDArray[np.int64]


class Leg(NamedTuple):
    """One call leg: when, how many ports, and whose."""

    start: int
    end: int
    weight: int = 1
    group: int = 0


def array(values: Sequence[int]) -> Column:
    return np.array(values, dtype=np.int64)


def columns(legs: Sequence[Leg]) -> tuple[Column, Column, Column]:
    """Starts, ends and weights."""
    starts, ends, weights = (array([leg[field] for leg in legs]) for field in range(3))
    return starts, ends, weights


def groups_of(legs: Sequence[Leg]) -> Column:
    return array([leg.group for leg in legs])


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def day(text: str) -> list[int]:
    """The edges of the hours of a day in Denmark."""
    begin = datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN)
    return list(range(micros(begin), micros(begin + timedelta(days=1)) + 1, HOUR))


def in_use(legs: Sequence[Leg], instant: int) -> int:
    """Ports in use at one instant, leg by leg."""
    return sum(leg.weight for leg in legs if leg.start <= instant < leg.end)


def highest(legs: Sequence[Leg], begin: int, end: int) -> tuple[int, int]:
    """The most ports in use at any instant of [begin, end), and the first such instant."""
    levels = [in_use(legs, instant) for instant in range(begin, end)]
    return max(levels), begin + levels.index(max(levels))


def reaches(leg: Leg, begin: int, end: int) -> bool:
    """True where some instant of the leg is in [begin, end); an empty leg has the one of its end."""
    instants = range(leg.start, leg.end) or [leg.end]
    return any(begin <= instant < end for instant in instants)


GROUPS = 4
ORIGINS = (0, -7, 1_772_323_200_000_000)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Leg], list[int]]:
    """Legs within a few instants of each other, so that many times are equal, and unequal buckets."""
    origin = draw(st.sampled_from(ORIGINS))
    instants = st.integers(0, 16).map(lambda offset: origin + offset)
    group = st.integers(0, GROUPS - 1)
    legs = draw(st.lists(st.builds(Leg, instants, instants, st.integers(0, 3), group), max_size=14))
    edges = draw(st.sets(st.integers(4, 13), min_size=2, max_size=6))
    return legs, sorted(origin + edge for edge in edges)


@given(cases())
def test_the_peak_is_the_highest_level_of_all_instants(case: tuple[list[Leg], list[int]]) -> None:
    legs, edges = case
    ports, at = highest(legs, edges[0] - 20, edges[-1] + 20)
    assert peak(*columns(legs)) == (ports, at if ports else None)


@given(cases())
def test_the_peak_of_a_bucket_is_the_highest_level_of_its_instants(case: tuple[list[Leg], list[int]]) -> None:
    legs, edges = case
    ports, at = bucket_peaks(*columns(legs), edges=array(edges))
    assert list(zip(ports.tolist(), at.tolist(), strict=True)) == [
        highest(legs, begin, end) for begin, end in pairwise(edges)
    ]


@given(cases())
def test_groups_are_counted_each_by_itself(case: tuple[list[Leg], list[int]]) -> None:
    legs, edges = case
    ports, at = grouped_bucket_peaks(groups_of(legs), GROUPS, *columns(legs), edges=array(edges))
    assert ports.shape == at.shape == (GROUPS, len(edges) - 1)
    for group in range(GROUPS):
        own = [leg for leg in legs if leg.group == group]
        assert list(zip(ports[group].tolist(), at[group].tolist(), strict=True)) == [
            highest(own, begin, end) for begin, end in pairwise(edges)
        ]


@given(cases())
def test_port_time_is_the_sum_over_all_instants(case: tuple[list[Leg], list[int]]) -> None:
    legs, edges = case
    times = grouped_bucket_seconds(groups_of(legs), GROUPS, *columns(legs), edges=array(edges))
    assert times.dtype == np.int64
    assert times.tolist() == [
        [
            sum(in_use([leg for leg in legs if leg.group == group], instant) for instant in range(begin, end))
            for begin, end in pairwise(edges)
        ]
        for group in range(GROUPS)
    ]


@given(cases())
def test_a_leg_counts_in_every_bucket_it_reaches(case: tuple[list[Leg], list[int]]) -> None:
    legs, edges = case
    starts, ends, _ = columns(legs)
    assert grouped_bucket_counts(groups_of(legs), GROUPS, starts, ends, edges=array(edges)).tolist() == [
        [
            sum(leg.group == group and reaches(leg, begin, end) for leg in legs)
            for begin, end in pairwise(edges)
        ]
        for group in range(GROUPS)
    ]


@given(cases())
def test_the_level_of_an_instant_counts_who_joins_and_not_who_leaves(
    case: tuple[list[Leg], list[int]],
) -> None:
    legs, edges = case
    instants = list(range(edges[0] - 20, edges[-1] + 20))
    assert level_at(*columns(legs), array(instants)).tolist() == [
        in_use(legs, instant) for instant in instants
    ]


@given(cases(), st.randoms())
def test_the_order_of_the_legs_changes_nothing(case: tuple[list[Leg], list[int]], random: Any) -> None:
    legs, edges = case
    shuffled = list(legs)
    random.shuffle(shuffled)
    assert peak(*columns(legs)) == peak(*columns(shuffled))
    one, other = (
        grouped_bucket_peaks(groups_of(some), GROUPS, *columns(some), edges=array(edges))
        for some in (legs, shuffled)
    )
    assert np.array_equal(one.ports, other.ports)
    assert np.array_equal(one.at, other.at)


def test_who_leaves_at_the_instant_another_joins_leaves_first() -> None:
    assert peak(*columns([Leg(0, 10), Leg(10, 20)])) == (1, 0)
    assert peak(*columns([Leg(0, 11), Leg(10, 20)])) == (2, 10)


def test_all_who_join_at_one_instant_are_counted_together() -> None:
    assert peak(*columns([Leg(5, 9, 2), Leg(5, 6), Leg(5, 7, 3), Leg(1, 5, 4)])) == (6, 5)


def test_no_legs_have_no_peak() -> None:
    assert peak(*columns([])) == (0, None)
    assert level_at(*columns([]), array([3])).tolist() == [0]
    ports, at = bucket_peaks(*columns([]), edges=array([0, 5, 20]))
    assert (ports.tolist(), at.tolist()) == ([0, 0], [0, 5])


def test_one_leg_is_its_own_peak() -> None:
    assert peak(*columns([Leg(3, 4, 2)])) == (2, 3)


def test_legs_that_hold_nothing_are_never_counted() -> None:
    assert peak(*columns([Leg(3, 3), Leg(9, 2), Leg(4, 8, 0)])) == (0, None)


def test_the_first_of_equal_peaks_is_told() -> None:
    assert peak(*columns([Leg(30, 40), Leg(10, 20), Leg(50, 60)])) == (1, 10)


def test_narrow_weights_do_not_overflow() -> None:
    starts, ends, _ = columns([Leg(0, 9)] * 300)
    weights = np.ones(300, np.int8)
    assert peak(starts, ends, weights) == (300, 0)
    assert bucket_peaks(starts, ends, weights, edges=array([0, 9])).ports.tolist() == [300]
    groups = np.full(300, 100, np.int8)
    edges = array([0, HOUR])
    assert grouped_bucket_peaks(groups, 127, starts, ends, weights, edges=edges).ports[100].tolist() == [300]
    assert grouped_bucket_seconds(groups, 127, starts, ends, weights, edges=edges)[100].tolist() == [2700]
    assert grouped_bucket_counts(groups, 127, starts, ends, edges=edges)[100].tolist() == [300]


def test_a_call_over_midnight_is_carried_into_the_next_day() -> None:
    edges = [*day("2026-11-24")[::24], day("2026-11-25")[-1]]
    midnight = edges[1]
    legs = [Leg(midnight - HOUR, midnight + HOUR), Leg(midnight + 2 * HOUR, midnight + 3 * HOUR)]
    ports, at = bucket_peaks(*columns(legs), edges=array(edges))
    assert ports.tolist() == [1, 1]
    assert at.tolist() == [midnight - HOUR, midnight]
    starts, ends, weights = columns(legs)
    groups = groups_of(legs)
    assert grouped_bucket_counts(groups, 1, starts, ends, edges=array(edges)).tolist() == [[1, 2]]
    times = grouped_bucket_seconds(groups, 1, starts, ends, weights, edges=array(edges))
    assert times.tolist() == [[HOUR, 2 * HOUR]]


def test_a_call_that_ends_at_midnight_is_not_in_the_next_day() -> None:
    leg = [Leg(3, 10)]
    starts, ends, weights = columns(leg)
    edges = array([0, 10, 20])
    assert bucket_peaks(starts, ends, weights, edges=edges).ports.tolist() == [1, 0]
    assert grouped_bucket_counts(groups_of(leg), 1, starts, ends, edges=edges).tolist() == [[1, 0]]
    assert grouped_bucket_seconds(groups_of(leg), 1, starts, ends, weights, edges=edges).tolist() == [[7, 0]]


def test_the_level_is_carried_through_hours_without_any_event() -> None:
    legs = [Leg(-5, 35, 2), Leg(12, 13)]
    ports, at = bucket_peaks(*columns(legs), edges=array([0, 10, 20, 30, 40]))
    assert ports.tolist() == [2, 3, 2, 2]
    assert at.tolist() == [0, 12, 20, 30]


@pytest.mark.parametrize(
    ("text", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-24", 24)], ids=["23", "25", "24"]
)
def test_a_day_is_as_long_as_its_edges_tell(text: str, hours: int) -> None:
    edges = day(text)
    whole = [Leg(edges[0] - HOUR, edges[-1] + HOUR, 2), Leg(edges[-1] - HOUR, edges[-1])]
    starts, ends, weights = columns(whole)
    groups = groups_of(whole)
    daily = array([edges[0], edges[-1]])
    times = grouped_bucket_seconds(groups, 1, starts, ends, weights, edges=daily)
    assert times.tolist() == [[(2 * hours + 1) * HOUR]]
    ports, at = grouped_bucket_peaks(groups, 1, starts, ends, weights, edges=array(edges))
    assert ports.tolist() == [[2] * (hours - 1) + [3]]
    assert at.tolist() == [edges[:-1]]


def test_the_hour_that_comes_twice_in_october_is_two_buckets() -> None:
    edges = day("2026-10-25")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=COPENHAGEN)
    legs = [Leg(micros(moment), micros(moment) + 1) for moment in (first, first.replace(fold=1))]
    ports = bucket_peaks(*columns(legs), edges=array(edges)).ports
    assert ports.tolist()[:5] == [0, 0, 1, 1, 0]


def test_a_leg_that_is_still_connected_may_end_at_the_end_of_time() -> None:
    forever = int(np.iinfo(np.int64).max)
    legs = [Leg(-forever, forever, 1, 1), Leg(5, forever, 1, 1)]
    starts, ends, weights = columns(legs)
    groups, edges = groups_of(legs), array([0, 10, 20])
    ports, at = grouped_bucket_peaks(groups, 2, starts, ends, weights, edges=edges)
    assert ports.tolist() == [[0, 0], [2, 2]]
    assert at.tolist() == [[0, 10], [5, 10]]
    times = grouped_bucket_seconds(groups, 2, starts, ends, weights, edges=edges)
    assert times.tolist() == [[0, 0], [15, 20]]
    assert grouped_bucket_counts(groups, 2, starts, ends, edges=edges).tolist() == [[0, 0], [2, 2]]


def test_a_failed_leg_counts_where_it_ended() -> None:
    legs = [Leg(10, 10), Leg(15, 5), Leg(20, 20), Leg(0, 0)]
    starts, ends, _ = columns(legs)
    counts = grouped_bucket_counts(groups_of(legs), 1, starts, ends, edges=array([0, 10, 20]))
    assert counts.tolist() == [[2, 1]]


def test_no_groups_give_no_rows() -> None:
    starts, ends, weights = columns([])
    edges = array([0, 10, 20])
    assert grouped_bucket_peaks(array([]), 0, starts, ends, weights, edges=edges).ports.shape == (0, 2)
    assert grouped_bucket_seconds(array([]), 0, starts, ends, weights, edges=edges).shape == (0, 2)
    assert grouped_bucket_counts(array([]), 0, starts, ends, edges=edges).shape == (0, 2)


Call = Callable[[Column, int, Column], object]
ONE = columns([Leg(0, 5)])
CALLS: list[Call] = [
    lambda groups, count, edges: grouped_bucket_peaks(groups, count, *ONE, edges=edges),
    lambda groups, count, edges: grouped_bucket_seconds(groups, count, *ONE, edges=edges),
    lambda groups, count, edges: grouped_bucket_counts(groups, count, *ONE[:2], edges=edges),
]


@pytest.mark.parametrize("call", CALLS, ids=["peaks", "seconds", "counts"])
def test_groups_out_of_range_and_edges_that_do_not_ascend_are_refused(call: Call) -> None:
    for group in (-1, 2):
        with pytest.raises(ValueError, match="group is not one of 0 to 1"):
            call(array([group]), 2, array([0, 10]))
    for edges in ([], [0], [0, 0], [0, 10, 5]):
        with pytest.raises(ValueError, match="edges must ascend"):
            call(array([0]), 2, array(edges))


def test_edges_of_one_group_are_checked_too() -> None:
    with pytest.raises(ValueError, match="edges must ascend"):
        bucket_peaks(*ONE, edges=array([10, 0]))


def test_more_groups_than_the_line_of_time_can_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        grouped_bucket_peaks(array([0]), 300_000, *ONE, edges=array([0, 366 * 24 * HOUR]))
