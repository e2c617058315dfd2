"""Hardware life: whose service ends when, and whether the hardware is the one that was bought."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdx.assets import Asset, Register, State, compare, days_left, rows, service_end, state

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
YEARS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("until", "end"),
    [
        (date(2025, 6, 30), datetime(2025, 6, 30, 22, tzinfo=UTC)),  # summer: 2 hours before UTC
        (date(2025, 12, 31), datetime(2025, 12, 31, 23, tzinfo=UTC)),
        (date(2025, 3, 30), datetime(2025, 3, 30, 22, tzinfo=UTC)),  # of 23 hours
        (date(2025, 10, 26), datetime(2025, 10, 26, 23, tzinfo=UTC)),  # of 25 hours
    ],
)
def test_service_lasts_through_its_last_day_in_denmark(until: date, end: datetime) -> None:
    asset = Asset("r640", until)
    assert service_end(asset, COPENHAGEN) == end
    assert days_left(asset, end - timedelta(seconds=1), COPENHAGEN) == 0
    assert days_left(asset, end, COPENHAGEN) == -1


@given(until=YEARS, seconds=st.integers(-(10**9), 10**9))
def test_service_is_over_by_days_exactly_when_its_instant_has_passed(until: date, seconds: int) -> None:
    asset = Asset("r640", until)
    end = service_end(asset, COPENHAGEN)
    moment = end + timedelta(seconds=seconds)
    assert (days_left(asset, moment, COPENHAGEN) < 0) == (moment >= end)
    assert abs(days_left(asset, moment, COPENHAGEN) - (end - moment).total_seconds() / 86_400) <= 1 + 1 / 24


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (-1, State.ENDED),
        (0, State.WITHIN_30_DAYS),
        (30, State.WITHIN_30_DAYS),
        (31, State.WITHIN_90_DAYS),
        (90, State.WITHIN_90_DAYS),
        (91, State.WITHIN_180_DAYS),
        (180, State.WITHIN_180_DAYS),
        (181, State.GOOD),
    ],
)
def test_a_tier_ends_where_its_alert_does(days: int, expected: State) -> None:
    assert state(days) is expected


def asset(name: str, serial: str, device: str = "") -> Asset:
    return Asset(name, date(2027, 1, 1), device=device, serial=serial)


def test_a_pair_that_answers_as_one_device_is_both_of_its_assets() -> None:
    register = Register((asset("fw-a", "FG22E-1", "fw"), asset("fw-b", "FG22E-2", "fw")))
    found = compare(register, {"fw": ["FG22E-2", "fg22e-1 "]})
    assert found.matches == {"fw-a": True, "fw-b": True}
    assert (found.unseen, found.unregistered) == ((), ())


def test_hardware_that_was_exchanged_differs_and_both_serial_numbers_are_told() -> None:
    register = Register((asset("fw-a", "FG22E-1", "fw"), asset("fw-b", "FG22E-2", "fw")))
    found = compare(register, {"fw": {"FG22E-1", "FG22E-9"}})
    assert found.matches == {"fw-a": True, "fw-b": False}
    assert found.unseen == ("fw-b",)
    assert found.unregistered == (("fw", "FG22E-9"),)


def test_of_hardware_that_tells_nothing_nothing_is_known() -> None:
    register = Register((asset("silent", "A", "fw"), asset("absent", "B", "nx"), asset("without", "", "fw")))
    found = compare(register, {"fw": ()})
    assert found.matches == {}
    assert found.unseen == ("silent", "absent")


def test_hardware_without_a_device_is_recognised_wherever_it_stands() -> None:
    found = compare(Register((asset("spare", "S1"), asset("shelf", "S2"))), {"nx": ["S1"]})
    assert found.matches == {"spare": True}
    assert found.unseen == ("shelf",)


def test_the_serial_number_of_another_device_is_no_match() -> None:
    register = Register((asset("nx-1", "S1", "nx1"), asset("nx-2", "S2", "nx2")))
    found = compare(register, {"nx1": ["S2"], "nx2": ["S1"]})
    assert found.matches == {"nx-1": False, "nx-2": False}
    assert found.unregistered == ()


@given(st.lists(YEARS, max_size=20), YEARS)
def test_what_ends_first_stands_at_the_top(dates: list[date], today: date) -> None:
    moment = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    assets = [Asset(f"asset {number}", until) for number, until in enumerate(dates)]
    lines = rows(assets, moment, COPENHAGEN, compare(Register(), {}))
    assert sorted(line.asset for line in lines) == sorted(item.name for item in assets)
    assert [line.days_left for line in lines] == sorted(line.days_left for line in lines)
    assert all(line.serial_matches is None for line in lines)
