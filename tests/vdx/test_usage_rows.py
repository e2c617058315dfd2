"""Usage by the hour and day equals a plain count, and agrees with itself by every road."""

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vdx.capacity import QUALITIES
from vdx.usage import COUNTS, DEVICES, PRESENT, PROTOCOLS, TIMES, Outcome, Scope
from vdx.usage_rows import NEVER, Legs, members, table_rows, usage_rows

PARENTS = {1: 0, 2: 1, 3: 1, 4: 3, 5: 0, 6: 5}
"""Organisation -> the one above it; 0 is none."""
HOURS = np.array([0, 10, 20, 30, 45], dtype=np.int64)
"""Four hours, the last of them longer, as on the day when clocks change."""
DAY = HOURS[[0, -1]]


class Leg(NamedTuple):
    """A call leg; `started` is None where it never connected."""

    started: int | None
    ended: int
    meeting: int = 1
    organisation: int = 0
    location: int = 1
    tag: int = 0
    ports: int = 1
    outcome: int = 0
    quality: int = 1
    protocol: int = 0
    device: int = 0
    outgoing: bool = False
    has_media: bool = True


Parents = Mapping[int, int]


def ancestors(organisation: int, parents: Parents = PARENTS) -> list[int]:
    path = []
    while organisation:
        path.append(organisation)
        organisation = parents[organisation]
    return path


def below(organisation: int, parents: Parents) -> set[int]:
    """An organisation and all below it."""
    return {other for other in parents if organisation in ancestors(other, parents)}


def arrays(legs: Sequence[Leg]) -> Legs:
    columns: list[Any] = list(zip(*legs, strict=True)) or [()] * len(Leg._fields)
    columns[0] = [NEVER if start is None else start for start in columns[0]]
    kinds = ["flags" if name in ("outgoing", "has_media") else "whole" for name in Leg._fields]
    made: list[Any] = [
        np.array(column, dtype=np.bool_ if kind == "flags" else np.int64)
        for kind, column in zip(kinds, columns, strict=True)
    ]
    return Legs(*made)


Key = tuple[int, int]
Rows = dict[tuple[Key, int], dict[str, int]]


def computed(legs: Sequence[Leg], edges: Any, parents: Parents = PARENTS) -> Rows:
    found = arrays(legs)
    who = members(found, lambda organisation: ancestors(organisation, parents))
    begins = [int(edge) for edge in edges[:-1]]
    names = (*COUNTS, *TIMES, "peak_ports", "peak_at")
    rows = table_rows(usage_rows(found, who, edges), who, begins, lambda instant: instant)
    by_key = {((row[0], row[1]), row[2]): dict(zip(names, row[3:], strict=True)) for row in rows}
    assert len(by_key) == len(rows)
    return by_key


def scopes(leg: Leg, parents: Parents) -> set[Key]:
    found = {(Scope.PLATFORM, 0), (Scope.LOCATION, leg.location), (Scope.ORGANISATION, leg.organisation)}
    found |= {(Scope.SUBTREE, above) for above in ancestors(leg.organisation, parents)}
    return found | ({(Scope.TAG, leg.tag)} if leg.tag else set())


def counted(legs: Sequence[Leg], edges: Any, parents: Parents = PARENTS) -> Rows:
    """The same by looking at every leg, every scope and every instant."""
    rows: Rows = {}
    for key in sorted({key for leg in legs for key in scopes(leg, parents)}):
        for begin, end in pairwise(edges):
            own = [leg for leg in legs if key in scopes(leg, parents)]
            row, peak_at = _row(own, int(begin), int(end))
            if any(row.values()):
                rows[key, int(begin)] = row | {"peak_at": peak_at}
    return rows


def _row(legs: Sequence[Leg], begin: int, end: int) -> tuple[dict[str, int], int]:
    """The figures of a bucket, and the first instant of its peak."""
    people = [leg for leg in legs if leg.started is not None and leg.has_media]
    present = [leg for leg in people if _is_present(leg, begin, end)]
    done = [leg for leg in people if begin <= leg.ended < end]
    gone = [leg for leg in legs if begin <= leg.ended < end]
    row = dict.fromkeys((*COUNTS, *TIMES, "peak_ports"), 0)
    row["meetings"] = len({leg.meeting for leg in present})
    row["legs"] = len(present)
    row["started_legs"] = sum(leg.started is not None and begin <= leg.started < end for leg in people)
    row["completed"] = len(done)
    row["failed"] = sum(leg.outcome != Outcome.COMPLETED for leg in gone)
    row["refused_license"] = sum(leg.outcome == Outcome.REFUSED_LICENSE for leg in gone)
    row["refused_capacity"] = sum(leg.outcome == Outcome.REFUSED_CAPACITY for leg in gone)
    row["control_legs"] = sum(not leg.has_media and leg.outcome == Outcome.COMPLETED for leg in gone)
    row["incoming"] = sum(not leg.outgoing for leg in done)
    row["outgoing"] = sum(leg.outgoing for leg in done)
    for leg in done:
        row[f"quality_{QUALITIES[leg.quality]}"] += 1
        row[f"protocol_{PROTOCOLS[leg.protocol]}"] += 1
        row[f"device_{DEVICES[leg.device]}"] += 1
    for leg in people:
        seconds = max(0, min(leg.ended, end) - max(leg.started or 0, begin))
        row["participant_microseconds"] += seconds
        row["port_microseconds"] += seconds * leg.ports
    held = [
        sum(leg.ports for leg in people if leg.started is not None and leg.started <= instant < leg.ended)
        for instant in range(begin, end)
    ]
    row["peak_ports"] = max(held)
    return row, begin + held.index(max(held))


def _is_present(leg: Leg, begin: int, end: int) -> bool:
    if leg.started == leg.ended:
        return begin <= leg.ended < end
    return leg.started is not None and leg.started < end and leg.ended > begin


@st.composite
def leg(draw: st.DrawFn) -> Leg:
    ended = draw(st.integers(-5, 50))
    started = draw(st.none() | st.integers(-8, ended))
    refusals = [Outcome.FAILED, Outcome.REFUSED_LICENSE, Outcome.REFUSED_CAPACITY]
    return Leg(
        started,
        ended,
        meeting=draw(st.integers(1, 4)),
        organisation=draw(st.integers(0, 6)),
        location=draw(st.integers(1, 3)),
        tag=draw(st.integers(0, 2)),
        ports=draw(st.integers(0, 2)),
        outcome=draw(st.sampled_from(refusals)) if started is None else Outcome.COMPLETED,
        quality=draw(st.integers(0, 4)),
        protocol=draw(st.integers(0, len(PROTOCOLS) - 1)),
        device=draw(st.integers(0, len(DEVICES) - 1)),
        outgoing=draw(st.booleans()),
        has_media=draw(st.booleans()),
    )


@st.composite
def trees(draw: st.DrawFn) -> Parents:
    """Any tree of six organisations, or several."""
    return {number: draw(st.integers(0, number - 1)) for number in range(1, 7)}


crowd = st.lists(leg(), max_size=14)
edges_of_buckets = st.sets(st.integers(-4, 48), min_size=2, max_size=7).map(
    lambda edges: np.array(sorted(edges), dtype=np.int64)
)
ADDITIVE = [name for name in (*COUNTS, *TIMES) if name not in PRESENT]


def total(rows: Rows, name: str, scope: Scope, ids: set[int] | None = None) -> int:
    return sum(
        row[name] for ((kind, key), _), row in rows.items() if kind == scope and (ids is None or key in ids)
    )


@given(legs=crowd, edges=edges_of_buckets, parents=trees())
def test_every_figure_is_that_of_a_plain_count(legs: list[Leg], edges: Any, parents: Parents) -> None:
    # A leg without media that holds ports is no person's; the plain count leaves it out as well.
    assert computed(legs, edges, parents) == counted(legs, edges, parents)


@given(legs=crowd, generator=st.randoms())
def test_the_order_of_the_legs_changes_nothing(legs: list[Leg], generator: random.Random) -> None:
    shuffled = list(legs)
    generator.shuffle(shuffled)
    assert computed(shuffled, HOURS) == computed(legs, HOURS)


@given(legs=crowd, edges=edges_of_buckets)
def test_times_of_this_century_are_counted_as_those_of_1970(legs: list[Leg], edges: Any) -> None:
    later = 1_793_318_400_000_000
    moved = [
        leg._replace(started=None if leg.started is None else leg.started + later, ended=leg.ended + later)
        for leg in legs
    ]
    assert computed(moved, edges + later) == {
        (key, begin + later): row | {"peak_at": row["peak_at"] + later}
        for (key, begin), row in computed(legs, edges).items()
    }


@given(legs=crowd, more=crowd)
def test_calls_of_two_organisations_change_nothing_of_each_other(legs: list[Leg], more: list[Leg]) -> None:
    """Each has a root, a location, a tag and meetings of its own."""
    one = [leg._replace(organisation=1, location=1, tag=1) for leg in legs]
    other = [leg._replace(organisation=5, location=2, tag=2, meeting=leg.meeting + 9) for leg in more]
    both, alone, apart = (computed(some, HOURS) for some in (one + other, one, other))
    platform = (Scope.PLATFORM, 0)
    shared = [{at: row for at, row in rows.items() if at[0] != platform} for rows in (both, alone, apart)]
    assert shared[0] == shared[1] | shared[2]
    for name in (*ADDITIVE, *PRESENT):
        parts = total(alone, name, Scope.PLATFORM) + total(apart, name, Scope.PLATFORM)
        assert total(both, name, Scope.PLATFORM) == parts


def assert_totals_agree(legs: Sequence[Leg], parents: Parents) -> None:
    hours, day = computed(legs, HOURS, parents), computed(legs, DAY, parents)
    for name in ADDITIVE:
        whole = total(day, name, Scope.PLATFORM)
        for rows in (hours, day):
            assert total(rows, name, Scope.PLATFORM) == whole
            assert total(rows, name, Scope.LOCATION) == whole
            assert total(rows, name, Scope.ORGANISATION) == whole
            assert total(rows, name, Scope.TAG) <= whole
            for top in parents:
                parts = total(rows, name, Scope.ORGANISATION, below(top, parents))
                assert total(rows, name, Scope.SUBTREE, {top}) == parts


def assert_peaks_agree(legs: Sequence[Leg], parents: Parents) -> None:
    hours, day = computed(legs, HOURS, parents), computed(legs, DAY, parents)
    for (key, _), row in day.items():
        by_hour = [found for (other, _), found in hours.items() if other == key]
        highest = [found for found in by_hour if found["peak_ports"] == row["peak_ports"]]
        assert row["peak_ports"] == max((found["peak_ports"] for found in by_hour), default=0)
        assert not row["peak_ports"] or row["peak_at"] == min(found["peak_at"] for found in highest)
    wholes: list[tuple[Key, set[Key]]] = [
        ((Scope.PLATFORM, 0), {key for key, _ in day if key[0] == parts})
        for parts in (Scope.LOCATION, Scope.ORGANISATION)
    ]
    wholes += [
        ((Scope.SUBTREE, top), {(Scope.ORGANISATION, one) for one in below(top, parents)}) for top in parents
    ]
    for rows, begins in ((hours, HOURS[:-1]), (day, DAY[:-1])):
        for whole, parts in wholes:
            for begin in map(int, begins):
                peaks = [rows[part, begin]["peak_ports"] for part in parts if (part, begin) in rows]
                peak = rows[whole, begin]["peak_ports"] if (whole, begin) in rows else 0
                assert max(peaks, default=0) <= peak <= sum(peaks)


@given(legs=crowd, parents=trees())
def test_totals_agree_by_location_by_organisation_by_subtree_and_by_hour(
    legs: list[Leg], parents: Parents
) -> None:
    assert_totals_agree(legs, parents)


@given(legs=crowd, parents=trees())
def test_the_peak_of_a_day_is_that_of_its_highest_hour_and_lies_between_those_of_its_parts(
    legs: list[Leg], parents: Parents
) -> None:
    assert_peaks_agree(legs, parents)


def test_twenty_thousand_legs_agree_as_well() -> None:
    numbers = random.Random(1).randrange
    legs = []
    for _ in range(20_000):
        begin = numbers(-8, 50)
        legs.append(
            Leg(
                begin,
                begin + numbers(30),
                meeting=numbers(3000),
                organisation=numbers(7),
                location=numbers(90),
                tag=numbers(300),
                ports=numbers(3),
                quality=numbers(5),
                protocol=numbers(len(PROTOCOLS)),
                device=numbers(len(DEVICES)),
                outgoing=numbers(2) == 1,
                has_media=numbers(20) > 0,
            )
        )
    assert_totals_agree(legs, PARENTS)
    assert_peaks_agree(legs, PARENTS)


def test_nothing_at_all_is_no_row() -> None:
    assert computed([], HOURS) == {}
    assert computed([Leg(100, 200), Leg(-20, -10)], HOURS) == {}


def test_a_call_over_midnight_counts_in_both_days_and_is_completed_once() -> None:
    rows = computed([Leg(5, 12)], np.array([0, 10, 20]))
    first, second = rows[(Scope.PLATFORM, 0), 0], rows[(Scope.PLATFORM, 0), 10]
    assert (first["legs"], second["legs"]) == (1, 1)
    assert (first["meetings"], second["meetings"]) == (1, 1)
    assert (first["started_legs"], second["started_legs"]) == (1, 0)
    assert (first["completed"], second["completed"]) == (0, 1)
    assert (first["participant_microseconds"], second["participant_microseconds"]) == (5, 2)


def test_a_conference_on_several_nodes_and_locations_is_one_meeting() -> None:
    legs = [Leg(1, 9, meeting=7, location=place, ports=1) for place in (1, 2, 3)]
    rows = computed(legs, DAY)
    assert rows[(Scope.PLATFORM, 0), 0]["meetings"] == 1
    assert rows[(Scope.PLATFORM, 0), 0]["legs"] == 3
    assert [rows[(Scope.LOCATION, place), 0]["meetings"] for place in (1, 2, 3)] == [1, 1, 1]


def test_a_failed_call_has_no_time_and_counts_where_it_ended() -> None:
    legs = [
        Leg(None, 15, outcome=Outcome.REFUSED_LICENSE, ports=0),
        Leg(None, 16, outcome=Outcome.REFUSED_CAPACITY, ports=0),
        Leg(None, 17, outcome=Outcome.FAILED, ports=0),
    ]
    rows = computed(legs, HOURS)
    assert list(rows) == [((Scope.PLATFORM, 0), 10), ((Scope.LOCATION, 1), 10), ((Scope.ORGANISATION, 0), 10)]
    row = rows[(Scope.PLATFORM, 0), 10]
    assert (row["failed"], row["refused_license"], row["refused_capacity"]) == (3, 1, 1)
    assert (row["legs"], row["completed"], row["participant_microseconds"]) == (0, 0, 0)


def test_a_leg_with_control_only_is_nobody_there() -> None:
    legs = [Leg(1, 9, has_media=False, ports=2), Leg(2, 12, has_media=False, ports=0)]
    rows = computed(legs, HOURS)
    assert {key: row["control_legs"] for key, row in rows.items() if key[0][0] == Scope.PLATFORM} == {
        ((Scope.PLATFORM, 0), 0): 1,
        ((Scope.PLATFORM, 0), 10): 1,
    }
    for row in rows.values():
        assert not any(row[name] for name in ("legs", "meetings", "started_legs", "completed", "peak_ports"))
        assert not any(row[name] for name in TIMES)


def test_a_leg_without_length_is_a_person_where_it_ended_and_holds_nothing() -> None:
    rows = computed([Leg(10, 10, ports=2)], HOURS)
    assert {begin for _, begin in rows} == {10}
    row = rows[(Scope.PLATFORM, 0), 10]
    assert (row["legs"], row["meetings"], row["started_legs"], row["completed"]) == (1, 1, 1, 1)
    assert (row["participant_microseconds"], row["port_microseconds"], row["peak_ports"]) == (0, 0, 0)


def test_a_call_longer_than_all_hours_is_carried_through_each_and_completed_in_none() -> None:
    rows = computed([Leg(-100, 100, ports=2)], HOURS)
    hours = [rows[(Scope.PLATFORM, 0), begin] for begin in (0, 10, 20, 30)]
    assert [row["participant_microseconds"] for row in hours] == [10, 10, 10, 15]
    assert [(row["peak_ports"], row["peak_at"]) for row in hours] == [(2, 0), (2, 10), (2, 20), (2, 30)]
    assert [(row["legs"], row["started_legs"], row["completed"]) for row in hours] == [(1, 0, 0)] * 4


def test_who_belongs_to_none_has_no_subtree_and_who_has_no_tag_is_no_projects() -> None:
    assert {key for key, _ in computed([Leg(1, 9)], DAY)} == {
        (Scope.PLATFORM, 0),
        (Scope.LOCATION, 1),
        (Scope.ORGANISATION, 0),
    }


def test_a_leg_whose_licence_is_no_port_is_a_person_all_the_same() -> None:
    row = computed([Leg(1, 9, ports=0), Leg(2, 8, ports=2)], DAY)[(Scope.PLATFORM, 0), 0]
    assert (row["legs"], row["peak_ports"], row["port_microseconds"]) == (2, 2, 12)


def test_who_leaves_as_another_joins_leaves_first() -> None:
    row = computed([Leg(1, 5), Leg(5, 9)], DAY)[(Scope.PLATFORM, 0), 0]
    assert row["peak_ports"] == 1
