"""The grid is the same for every process, whatever it began at."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from miners.grid import beat_before, beats_between

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
intervals = st.integers(5, 300).map(lambda seconds: timedelta(seconds=seconds))


@given(times, intervals)
def test_a_beat_is_a_whole_multiple_of_the_interval_and_less_than_one_interval_ago(
    now: datetime, interval: timedelta
) -> None:
    beat = beat_before(now, interval)
    assert timedelta() <= now - beat < interval
    assert (beat - datetime.fromtimestamp(0, UTC)) % interval == timedelta()
    assert beat_before(beat, interval) == beat


@given(times, st.integers(0, 2000), intervals)
def test_the_beats_between_are_those_strictly_inside(
    now: datetime, seconds: int, interval: timedelta
) -> None:
    end = now + timedelta(seconds=seconds)
    beats = list(beats_between(now, end, interval))
    assert all(now < beat < end and beat_before(beat, interval) == beat for beat in beats)
    assert len(beats) == len(set(beats))
    if beats:
        assert beats[0] - now <= interval
        assert end - beats[-1] <= interval
    else:
        assert seconds <= interval.total_seconds()


def test_thirty_seconds_fall_on_the_minute_and_its_half() -> None:
    now = datetime(2026, 11, 24, 9, 0, 44, 999_999, tzinfo=UTC)
    assert beat_before(now, timedelta(seconds=30)) == datetime(2026, 11, 24, 9, 0, 30, tzinfo=UTC)
