"""Rolled-up samples against averages and maxima that are computed again in Python."""

import random
from datetime import datetime, timedelta
from statistics import fmean

import pytest
from sqlalchemy import Connection

from tests.store.worlds import BEAT, START, beat, leg, poll
from vdx.settings import DatabaseSettings
from vdx.store import Store, queries
from vdx.store.rollups import bucket
from vdx.store.tables import FIVE_MINUTES, HOUR, RAW, Resolution


def test_average_and_maximum_with_missing_samples_and_gaps(store: Store, connection: Connection) -> None:
    generator = random.Random(1)
    used: dict[datetime, int | None] = {}
    numbers = [number for number in range(260) if generator.random() > 0.2 and not 50 <= number < 90]
    for number in numbers:
        legs = None if generator.random() < 0.1 else [leg(str(n)) for n in range(generator.randrange(5))]
        used[beat(number)] = None if legs is None else len(legs)
        store.write_now(*poll(number, legs))
    store.write_now(*poll(400))
    for resolution in (FIVE_MINUTES, HOUR):
        expected: dict[datetime, list[int | None]] = {}
        for time, ports in used.items():
            expected.setdefault(bucket(time, resolution), []).append(ports)
        points = queries.platform_samples(connection, START, beat(500), resolution)
        places = queries.location_samples(connection, START, beat(500), resolution, "Aarhus")
        assert [point.time for point in points] == [point.time for point in places] == sorted(expected)
        for point, place in zip(points, places, strict=True):
            samples = expected[point.time]
            known = [ports for ports in samples if ports is not None]
            assert point.samples == place.samples == len(samples)
            average = pytest.approx(fmean(known), rel=1e-5) if known else None
            assert point.average.license_ports == place.average.license_ports == average
            assert point.maximum.license_ports == max(known, default=None)


def test_a_bucket_is_rolled_up_by_the_poll_that_begins_another(store: Store, connection: Connection) -> None:
    for number in range(10):
        store.write_now(*poll(number))
    assert queries.node_samples(connection, START, beat(99), FIVE_MINUTES) == []
    store.write_now(*poll(10))
    points = queries.node_samples(connection, START, beat(99), FIVE_MINUTES)
    assert [(point.time, point.name, point.samples) for point in points] == [
        (START, "aarhus-1", 10),
        (START, "ålborg-1", 10),
    ]
    assert points[0].average.media_load == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("length", "age", "expected"),
    [
        (timedelta(hours=6), timedelta(), RAW),
        (timedelta(hours=7), timedelta(), FIVE_MINUTES),
        (timedelta(hours=1), timedelta(days=91), FIVE_MINUTES),
        (timedelta(days=8), timedelta(), HOUR),
        (timedelta(hours=1), timedelta(days=800), HOUR),
    ],
)
def test_resolution(length: timedelta, age: timedelta, expected: Resolution) -> None:
    end = START - age
    assert queries.resolution(end - length, end, START, DatabaseSettings()) is expected


def test_bucket() -> None:
    assert bucket(START + 11 * BEAT, FIVE_MINUTES) == START + 10 * BEAT
    assert bucket(START + 11 * BEAT, HOUR) == START
