"""Usage by the hour and day equals a plain count, and agrees with itself by every road."""

from collections.abc import Sequence
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


def ancestors(organisation: int) -> list[int]:
    path = []
    while organisation:
        path.append(organisation)
        organisation = PARENTS[organisation]
    return path


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


def computed(legs: Sequence[Leg], edges: Any) -> Rows:
    found = arrays(legs)
    who = members(found, ancestors)
    begins = [int(edge) for edge in edges[:-1]]
    names = (*COUNTS, *TIMES, "peak_ports")
    return {
        ((row[0], row[1]), row[2]): dict(zip(names, row[3:-1], strict=True))
        for row in table_rows(usage_rows(found, who, edges), who, begins, lambda instant: instant)
    }


def scopes(leg: Leg) -> set[Key]:
    found = {(Scope.PLATFORM, 0), (Scope.LOCATION, leg.location), (Scope.ORGANISATION, leg.organisation)}
    found |= {(Scope.SUBTREE, above) for above in ancestors(leg.organisation)}
    return found | ({(Scope.TAG, leg.tag)} if leg.tag else set())


def counted(legs: Sequence[Leg], edges: Any) -> Rows:
    """The same by looking at every leg, every scope and every instant."""
    rows: Rows = {}
    for key in sorted({key for leg in legs for key in scopes(leg)}):
        for begin, end in pairwise(edges):
            row = _row([leg for leg in legs if key in scopes(leg)], int(begin), int(end))
            if any(row.values()):
                rows[key, int(begin)] = row
    return rows


def _row(legs: Sequence[Leg], begin: int, end: int) -> dict[str, int]:
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
    return row


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
        ports=0 if started is None else draw(st.integers(0, 2)),
        outcome=draw(st.sampled_from(refusals)) if started is None else Outcome.COMPLETED,
        quality=draw(st.integers(0, 4)),
        protocol=draw(st.integers(0, len(PROTOCOLS) - 1)),
        device=draw(st.integers(0, len(DEVICES) - 1)),
        outgoing=draw(st.booleans()),
        has_media=draw(st.booleans()),
    )


crowd = st.lists(leg(), max_size=14)
ADDITIVE = [name for name in (*COUNTS, *TIMES) if name not in PRESENT]


def total(rows: Rows, name: str, scope: Scope, ids: set[int] | None = None) -> int:
    return sum(
        row[name] for ((kind, key), _), row in rows.items() if kind == scope and (ids is None or key in ids)
    )


@given(legs=crowd)
def test_every_figure_is_that_of_a_plain_count(legs: list[Leg]) -> None:
    for edges in (HOURS, DAY):
        # A leg without media that holds ports is no person's; the plain count leaves it out as well.
        assert computed(legs, edges) == counted(legs, edges)


@given(legs=crowd)
def test_totals_agree_by_location_by_organisation_by_subtree_and_by_hour(legs: list[Leg]) -> None:
    hours, day = computed(legs, HOURS), computed(legs, DAY)
    for name in ADDITIVE:
        whole = total(day, name, Scope.PLATFORM)
        assert total(hours, name, Scope.PLATFORM) == whole
        assert total(day, name, Scope.LOCATION) == whole
        assert total(day, name, Scope.ORGANISATION) == whole
        for top, below in ((1, {1, 2, 3, 4}), (3, {3, 4}), (5, {5, 6})):
            assert total(day, name, Scope.SUBTREE, {top}) == total(day, name, Scope.ORGANISATION, below)


@given(legs=crowd)
def test_the_peak_of_a_day_is_that_of_its_highest_hour_and_lies_between_those_of_its_parts(
    legs: list[Leg],
) -> None:
    hours, day = computed(legs, HOURS), computed(legs, DAY)
    for (key, _), row in day.items():
        by_hour = [found["peak_ports"] for (other, _), found in hours.items() if other == key]
        assert row["peak_ports"] == max(by_hour, default=0)
    for parts in (Scope.LOCATION, Scope.ORGANISATION):
        peaks = [row["peak_ports"] for ((scope, _), _), row in day.items() if scope == parts]
        whole = total(day, "peak_ports", Scope.PLATFORM)
        assert max(peaks, default=0) <= whole <= sum(peaks)


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


def test_a_leg_whose_licence_is_no_port_is_a_person_all_the_same() -> None:
    row = computed([Leg(1, 9, ports=0), Leg(2, 8, ports=2)], DAY)[(Scope.PLATFORM, 0), 0]
    assert (row["legs"], row["peak_ports"], row["port_microseconds"]) == (2, 2, 12)


def test_who_leaves_as_another_joins_leaves_first() -> None:
    row = computed([Leg(1, 5), Leg(5, 9)], DAY)[(Scope.PLATFORM, 0), 0]
    assert row["peak_ports"] == 1
