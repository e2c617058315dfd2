"""The curve: merging, gaps and drawing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.web.curve import STEPS, Point, curve, drawing, merge
from tests.web.sample import NOW, history

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def every(minutes: float, values: list[float | None], end: datetime = NOW) -> list[Point]:
    start = end - timedelta(minutes=minutes * (len(values) - 1))
    return [(start + index * timedelta(minutes=minutes), value) for index, value in enumerate(values)]


def test_merge_keeps_a_day_and_prefers_figures() -> None:
    old = [(NOW - timedelta(hours=30), 5.0), (NOW - timedelta(hours=1), 7.0), (NOW, None)]
    own: list[Point] = [(NOW - timedelta(hours=1), None), (NOW, 9.0)]
    assert merge(old, own, now=NOW) == ((NOW - timedelta(hours=1), 7.0), (NOW, 9.0))


def test_peaks_survive_and_gaps_stay_gaps() -> None:
    points = every(0.5, [100.0] * 60 + [None] * 40 + [100.0] * 19 + [1650.0])
    drawn = curve(points, 1500, NOW)
    assert len(drawn.values) == STEPS
    assert drawn.highest == (NOW, 1650.0)
    assert drawn.last == (NOW, 1650.0)
    assert drawn.values[-1] == 1650
    assert len(drawn.gaps) == 1
    first, last = drawn.gaps[0]
    assert timedelta(minutes=15) <= last - first <= timedelta(minutes=20)
    assert drawing(drawn, COPENHAGEN).line.count("M") == 2


def test_over_use_is_drawn_above_the_pool() -> None:
    drawn = drawing(curve(every(5, [1000.0, 1650.0]), 1500, NOW), COPENHAGEN)
    heights = [float(point.split()[1]) for point in drawn.line.removeprefix("M").split("L")]
    assert heights[1] < drawn.pool < heights[0]
    assert heights[1] > 0


def test_nothing_known() -> None:
    empty = curve([(NOW, None)], 1500, NOW)
    assert empty.highest is None
    assert empty.gaps == ()
    drawn = drawing(empty, COPENHAGEN)
    assert drawn.line == ""
    assert [label.text for label in drawn.heights] == ["0", "500", "1,000"]


def test_a_single_figure_is_visible() -> None:
    assert drawing(curve([(NOW, 3.0)], 1500, NOW), COPENHAGEN).line.endswith("h.01")


def test_nothing_in_use_all_day() -> None:
    assert drawing(curve(every(5, [0.0] * 280), 1500, NOW), COPENHAGEN).line


def test_hours_are_local_over_the_change_of_clocks() -> None:
    spring = datetime(2026, 3, 29, 10, 0, tzinfo=UTC)
    hours = [label.text for label in drawing(curve([], 1500, spring), COPENHAGEN).hours]
    assert hours == ["12", "15", "18", "21", "00", "03", "06", "09", "12"]
    places = [label.place for label in drawing(curve([], 1500, spring), COPENHAGEN).hours]
    assert places[5] - places[4] < places[4] - places[3]


def test_a_whole_day() -> None:
    assert sum(value is not None for value in curve(history(), 1500, NOW).values) > 250
