"""What is read of the usage tables: sums, peaks, Danish days and weeks, units that move."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from tests.store.filling import (
    ALWAYS,
    MINUTES,
    put,
    put_days,
    put_names,
    put_progress,
    used,
    writing,
)
from vdx.days import midnight
from vdx.pexip.resources import HISTORY_CONFERENCE, HISTORY_PARTICIPANT
from vdx.settings import Settings
from vdx.store.history_tables import history_gap, organisation_place, usage_hour, usage_pending
from vdx.store.organisations import load
from vdx.store.usage_queries import (
    NOTHING,
    Granularity,
    Usage,
    locations,
    periods,
    reach,
    tags,
    top_organisations,
    totals,
    units,
    usage,
)
from vdx.usage import Scope

ZONE = ZoneInfo("Europe/Copenhagen")


def day(year: int, month: int, number: int) -> datetime:
    """The begin of a Danish day."""
    return midnight(date(year, month, number), ZONE)


@pytest.mark.parametrize(
    ("start", "end", "granularity", "hours"),
    [
        ((2026, 3, 29), (2026, 3, 30), Granularity.HOUR, [1] * 23),
        ((2026, 10, 25), (2026, 10, 26), Granularity.HOUR, [1] * 25),
        ((2026, 10, 24), (2026, 10, 27), Granularity.DAY, [24, 25, 24]),
        ((2026, 12, 21), (2027, 1, 11), Granularity.WEEK, [168, 168, 168]),
        ((2026, 12, 30), (2027, 1, 6), Granularity.WEEK, [120, 48]),
        ((2026, 2, 1), (2026, 5, 1), Granularity.MONTH, [672, 743, 720]),
        ((2026, 1, 1), (2027, 1, 1), Granularity.TOTAL, [8760]),
        ((2026, 1, 1), (2026, 1, 1), Granularity.DAY, []),
    ],
)
def test_periods_are_danish(
    start: tuple[int, int, int], end: tuple[int, int, int], granularity: Granularity, hours: list[int]
) -> None:
    found = periods(day(*start), day(*end), granularity, ZONE)
    assert [(stop - begin) / timedelta(hours=1) for begin, stop in found] == hours
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_usage_adds_up_and_peaks_do_not(settings: Settings, connection: Connection) -> None:
    first, second, third = day(2026, 10, 24), day(2026, 10, 25), day(2026, 10, 26)
    with writing(settings) as writer:
        put_days(
            writer,
            used(
                Scope.PLATFORM,
                0,
                first,
                legs=3,
                started_legs=3,
                participant_microseconds=10 * MINUTES + 1,
                peak_ports=7,
                peak_at=first + timedelta(hours=9),
                sampled_ports=5,
            ),
            used(
                Scope.PLATFORM,
                0,
                third,
                legs=4,
                started_legs=2,
                participant_microseconds=5 * MINUTES + 2,
                peak_ports=7,
                peak_at=third + timedelta(hours=1),
            ),
            used(Scope.PLATFORM, 0, day(2026, 10, 27), legs=100),
            used(Scope.LOCATION, 1, first, legs=50),
            used(Scope.PLATFORM, 0, day(2026, 10, 23), legs=100),
        )
    end = day(2026, 10, 27)
    by_day = usage(connection, Scope.PLATFORM, 0, first, end, granularity=Granularity.DAY, zone=ZONE)
    assert [one.begin for one in by_day] == [first, second, third]
    assert [one.figures["legs"] for one in by_day] == [3, 0, 4]
    assert by_day[1] == Usage(second, third, NOTHING)
    (total,) = usage(connection, Scope.PLATFORM, 0, first, end, granularity=Granularity.TOTAL, zone=ZONE)
    assert total.figures["legs"] == 7
    assert total.figures["started_legs"] == 5
    assert total.figures["participant_microseconds"] == 15 * MINUTES + 3
    assert (total.peak_ports, total.peak_at) == (7, first + timedelta(hours=9))
    assert total.sampled_ports == 5


def test_a_call_over_midnight_is_in_both_days_and_its_time_in_each_once(
    settings: Settings, connection: Connection
) -> None:
    first, second = day(2026, 12, 31), day(2027, 1, 1)
    with writing(settings) as writer:
        put_days(
            writer,
            used(
                Scope.TAG, 1, first, meetings=1, legs=1, started_legs=1, participant_microseconds=20 * MINUTES
            ),
            used(
                Scope.TAG, 1, second, meetings=1, legs=1, completed=1, participant_microseconds=10 * MINUTES
            ),
        )
    (week,) = usage(
        connection,
        Scope.TAG,
        1,
        day(2026, 12, 28),
        day(2027, 1, 4),
        granularity=Granularity.WEEK,
        zone=ZONE,
    )
    assert week.begin == day(2026, 12, 28)
    assert {name: count for name, count in week.figures.items() if count} == {
        "meetings": 2,
        "legs": 2,
        "started_legs": 1,
        "completed": 1,
        "participant_microseconds": 30 * MINUTES,
    }


def test_hours_of_the_day_on_which_clocks_go_back(settings: Settings, connection: Connection) -> None:
    start, end = day(2026, 10, 25), day(2026, 10, 26)
    with writing(settings) as writer:
        put(
            writer,
            usage_hour,
            (
                used(Scope.PLATFORM, 0, start + timedelta(hours=number), legs=number + 1)
                for number in range(25)
            ),
        )
    hours = usage(connection, Scope.PLATFORM, 0, start, end, granularity=Granularity.HOUR, zone=ZONE)
    assert [one.figures["legs"] for one in hours] == list(range(1, 26))
    local = [f"{one.begin.astimezone(ZONE):%H%z}" for one in hours]
    assert local[2:4] == ["02+0200", "02+0100"]


def test_totals_of_more_ids_than_a_query_takes(settings: Settings, connection: Connection) -> None:
    start = day(2026, 10, 1)
    noon = start + timedelta(hours=12)
    with writing(settings) as writer:
        put_days(
            writer,
            *(
                used(
                    Scope.ORGANISATION,
                    key,
                    start + timedelta(days=number),
                    legs=key,
                    peak_ports=2,
                    peak_at=noon,
                )
                for key in range(1, 1101)
                for number in range(2)
            ),
        )
    found = totals(connection, Scope.ORGANISATION, range(1, 1202), start, start + timedelta(days=2))
    assert {key: one.figures["legs"] for key, one in found.items()} == {
        key: 2 * key for key in range(1, 1101)
    }
    assert {one.peak_at for one in found.values()} == {noon}
    assert totals(connection, Scope.ORGANISATION, [], start, noon) == {}


def test_units_are_the_organisation_and_a_unit_that_moved_counts_where_it_stood(
    settings: Settings, connection: Connection
) -> None:
    start, moved, end = day(2026, 10, 1), day(2026, 10, 11), day(2026, 10, 21)
    with writing(settings) as writer:
        put_names(writer)
        writer.execute(
            organisation_place.update()
            .where(organisation_place.c.organisation_id == 3)
            .values(valid_to=moved - timedelta(hours=5))
        )
        place = {"organisation_id": 3, "valid_from": moved - timedelta(hours=5), "parent_id": 4}
        put(writer, organisation_place, [place | {"valid_to": None}])
        for number in range(20):
            begin = midnight(date(2026, 10, 1 + number), ZONE)
            klinik = 100
            nord, syd = (111, 1000) if begin < moved else (11, 1100)
            put_days(
                writer,
                used(Scope.ORGANISATION, 1, begin, legs=1),
                used(Scope.SUBTREE, 1, begin, legs=nord),
                used(Scope.SUBTREE, 2, begin, legs=10),
                used(Scope.SUBTREE, 3, begin, legs=klinik),
                used(Scope.SUBTREE, 4, begin, legs=syd),
                used(Scope.ORGANISATION, 0, begin, legs=5),
                used(Scope.PLATFORM, 0, begin, legs=1116),
            )
    tree, _ = load(connection)
    shares = units(connection, tree, 1, start, end, zone=ZONE)
    assert [(one.name, one.whole, one.usage.figures["legs"]) for one in shares] == [
        ("Nord", False, 20),
        ("Afdeling", True, 200),
        ("Klinik", True, 1000),
    ]
    whole = totals(connection, Scope.SUBTREE, [1], start, end)[1]
    assert sum(one.usage.figures["legs"] for one in shares) == whole.figures["legs"]
    south = units(connection, tree, 4, start, end, zone=ZONE)
    assert [(one.name, one.usage.figures["legs"]) for one in south] == [("Syd", 0), ("Klinik", 1000)]
    tops = top_organisations(connection, tree, start, end, zone=ZONE)
    assert [(one.scope, one.name) for one in tops] == [
        (Scope.SUBTREE, "Nord"),
        (Scope.SUBTREE, "Syd"),
        (Scope.ORGANISATION, ""),
    ]
    assert sum(one.usage.figures["legs"] for one in tops) == 20 * 1116


def test_who_stands_nowhere_any_more_still_counts(settings: Settings, connection: Connection) -> None:
    start, end = day(2026, 10, 1), day(2026, 11, 1)
    with writing(settings) as writer:
        put_names(writer)
        writer.execute(
            organisation_place.update()
            .where(organisation_place.c.organisation_id == 4)
            .values(valid_to=ALWAYS + timedelta(days=1))
        )
        put_days(writer, used(Scope.SUBTREE, 4, start, legs=3))
    tree, _ = load(connection)
    tops = top_organisations(connection, tree, start, end, zone=ZONE)
    assert [(one.name, one.usage.figures["legs"]) for one in tops] == [("Nord", 0), ("Syd", 3), ("", 0)]
    later = top_organisations(connection, tree, end, day(2026, 12, 1), zone=ZONE)
    assert [one.name for one in later] == ["Nord", ""]


def test_projects_and_locations_by_name(settings: Settings, connection: Connection) -> None:
    start, end = day(2026, 10, 1), day(2026, 11, 1)
    with writing(settings) as writer:
        put_names(writer)
        put_days(
            writer,
            used(Scope.TAG, 1, start, legs=1),
            used(Scope.LOCATION, 2, start, legs=2),
            used(Scope.LOCATION, 1, start, legs=3),
        )
    assert [(one.name, one.usage.figures["legs"]) for one in tags(connection, start, end)] == [
        ("hjerterehab", 1)
    ]
    found = locations(connection, start, end)
    assert [(one.name, one.usage.figures["legs"]) for one in found] == [("Aarhus", 3), ("Odense", 2)]


def test_reach_tells_what_is_missing(settings: Settings, connection: Connection) -> None:
    start, end = day(2026, 10, 1), day(2026, 11, 1)
    assert reach(connection, start, end, zone=ZONE).read_until is None
    gap = (start - timedelta(hours=1), start + timedelta(hours=1))
    with writing(settings) as writer:
        put_progress(writer, datetime(2026, 10, 20, tzinfo=UTC))
        days = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1)]
        put(writer, usage_pending, ({"day": one} for one in days))
        for resource, begins, ends in (
            (HISTORY_PARTICIPANT, *gap),
            (HISTORY_PARTICIPANT, end, end + timedelta(hours=1)),
            (HISTORY_CONFERENCE, *gap),
        ):
            row = {"resource": resource.name, "begins": begins, "ends": ends, "found": end}
            put(writer, history_gap, [row])
    found = reach(connection, start, end, zone=ZONE)
    assert list(found.pending) == [date(2026, 10, 1), date(2026, 10, 31)]
    assert list(found.gaps) == [gap]
    assert found.read_until == datetime(2026, 10, 20, tzinfo=UTC)


def test_a_year_is_one_range_of_the_primary_key(settings: Settings, connection: Connection) -> None:
    with writing(settings) as writer:
        put_days(
            writer,
            *(
                used(Scope.SUBTREE, key, ALWAYS + timedelta(days=number))
                for key in range(5)
                for number in range(400)
            ),
        )
        if writer.dialect.name == "mysql":
            writer.execute(text("ANALYZE TABLE usage_day"))
    sqlite = connection.dialect.name == "sqlite"
    begin = "1577836800 AND 1600000000" if sqlite else "'2020-01-01' AND '2020-12-31'"
    plan = connection.execute(
        text(
            f"EXPLAIN {'QUERY PLAN' if sqlite else ''} SELECT legs FROM usage_day "
            f"WHERE scope = 3 AND scope_id = 2 AND begin BETWEEN {begin} ORDER BY begin"
        )
    ).all()
    assert len(plan) == 1
    assert "PRIMARY" in str(plan[0])
    assert "filesort" not in str(plan[0])
    assert "TEMP B-TREE" not in str(plan[0])
