"""Change windows: how they are written, and which moments lie in them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdx.change_windows import ChangeWindow, contains, overlap, parse
from vdx.settings import SettingsError, load

ZONE = ZoneInfo("Europe/Copenhagen")


def danish(text: str) -> datetime:
    """A moment in Danish time; of an hour that comes twice, the first, or the second after `fold`."""
    moment, fold, _ = text.partition(" fold")
    return datetime.fromisoformat(moment).replace(tzinfo=ZONE, fold=bool(fold)).astimezone(UTC)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (
            "Tue 20:00-24:00",
            ["2026-11-24 20:00", "2026-11-24 23:59:59"],
            ["2026-11-24 19:59:59", "2026-11-25"],
        ),
        (
            "Mon-Fri 08:00-16:00",
            ["2026-11-23 08:00", "2026-11-27 15:59"],
            ["2026-11-28 12:00", "2026-11-23 16:00"],
        ),
        (
            "Sat-Mon 12:00-13:00",
            ["2026-11-28 12:30", "2026-11-30 12:30"],
            ["2026-11-27 12:30", "2026-12-01 12:30"],
        ),
        (
            "Fri 22:00-04:00",
            ["2026-11-27 22:00", "2026-11-28 03:59"],
            ["2026-11-28 04:00", "2026-11-27 03:00"],
        ),
        (
            "sun 00:00-24:00",
            ["2026-11-29 00:00", "2026-11-29 23:59"],
            ["2026-11-28 23:59", "2026-11-30 00:00"],
        ),
        # Clocks go forward at 2 on 2026-03-29, and back at 3 on 2026-10-25.
        ("Sun 01:00-04:00", ["2026-03-29 01:30", "2026-03-29 03:30"], ["2026-03-29 04:00"]),
        ("Sat 22:00-03:00", ["2026-03-28 22:00", "2026-03-29 01:59"], ["2026-03-29 03:00"]),
        ("Sun 02:00-03:00", ["2026-10-25 02:30", "2026-10-25 02:30 fold"], ["2026-10-25 03:00"]),
        ("Sat 22:00-02:30", ["2026-10-25 02:29", "2026-10-25 02:29 fold"], ["2026-10-25 02:30 fold"]),
    ],
)
def test_a_moment_lies_in_a_window_by_the_clock_on_the_wall(
    window: str, inside: list[str], outside: list[str]
) -> None:
    windows = [parse(window)]
    assert [moment for moment in inside if not contains(windows, danish(moment), ZONE)] == []
    assert [moment for moment in outside if contains(windows, danish(moment), ZONE)] == []


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("Tue 20-24", "is not a window such as"),
        ("Tir 20:00-24:00", "'tir' is not a day"),
        ("Mon-Fre 20:00-24:00", "'fre' is not a day"),
        ("Tue 20:00-24:30", "24:30 is not a time"),
        ("Tue 20:60-24:00", "20:60 is not a time"),
        ("Tue 20:00-20:00", "has no length"),
        ("Tue 24:00-02:00", "has no length"),
        ("", "is not a window"),
    ],
)
def test_a_window_that_cannot_be_names_itself_and_its_setting(
    window: str, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "vdx.toml"
    file.write_text(f'[config_backup]\nchange_windows = ["Mon 10:00-11:00", "{window}"]\n')
    with pytest.raises(SettingsError) as error:
        load(file)
    assert str(error.value).startswith("config_backup.change_windows: ")
    assert words in str(error.value)
    assert repr(window) in str(error.value)


def test_a_stretch_of_time_overlaps_a_window_that_it_touches_and_no_other() -> None:
    windows = [parse("Tue 20:00-24:00")]
    for first, last, expected in (
        ("2026-11-24 14:00", "2026-11-24 19:59", False),
        ("2026-11-24 14:00", "2026-11-24 20:00", True),
        ("2026-11-24 23:59", "2026-11-25 06:00", True),
        ("2026-11-25 00:00", "2026-11-25 06:00", False),
        ("2026-11-25 00:00", "2026-12-01 19:00", False),
        ("2026-11-25 00:00", "2026-12-02 00:00", True),
        ("2026-01-01 00:00", "2026-11-20 00:00", True),
    ):
        assert overlap(windows, danish(first), danish(last), ZONE) is expected, (first, last)


WINDOWS = st.builds(
    ChangeWindow,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1440, 2000),
)
MOMENTS = st.integers(0, 365 * 24 * 60).map(lambda minutes: danish("2026-01-01") + timedelta(minutes=minutes))


@settings(deadline=None)  # the cores are shared
@given(st.lists(WINDOWS, max_size=3), MOMENTS, st.lists(st.integers(1, 3000), min_size=1, max_size=6))
def test_a_stretch_overlaps_exactly_when_one_of_its_parts_does(
    windows: list[ChangeWindow], begin: datetime, lengths: list[int]
) -> None:
    marks = [begin]
    for minutes in lengths:
        marks.append(marks[-1] + timedelta(minutes=minutes))
    parts = [overlap(windows, first, last, ZONE) for first, last in pairwise(marks)]
    assert overlap(windows, marks[0], marks[-1], ZONE) is any(parts)
