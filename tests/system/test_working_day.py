"""Over a working day, poll by poll, every figure is what is true on the platform: on /metrics and stored."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from simulator.testing import running
from simulator.truth import Truth
from tests.system.watching import assert_true, vdx_settings, watching
from vdx.settings import Settings
from vdx.store import tables
from vdx.store.database import connect, open_engine
from vdx.store.queries import latest_polls, location_samples, node_samples, platform_samples

BEGIN = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
"""A Tuesday, 06:30 in Denmark."""
POLLS = 10 * 120
"""Ten hours: the quiet before, both peaks, and the noon between them."""


async def test_a_working_day_is_told_and_stored_as_it_was(tmp_path: Path, mariadb_url: str) -> None:
    sqlite = vdx_settings(tmp_path / "sqlite")
    mariadb = vdx_settings(tmp_path / "mariadb", database=mariadb_url)
    day: dict[datetime, Truth] = {}
    with running(time=BEGIN) as simulator:
        async with watching(simulator, sqlite, sqlite, mariadb) as watch:
            for _ in range(POLLS):
                beat, _, _ = await watch.poll()
                day[beat] = truth = simulator.truth()
                assert_true(watch.exposition(beat), truth)
    assert max(truth.license_ports for truth in day.values()) > 800
    assert min(truth.license_ports for truth in day.values()) < 100
    for settings in (sqlite, mariadb):
        assert_stored(settings, day)


def assert_stored(settings: Settings, day: dict[datetime, Truth]) -> None:
    first, last = min(day), max(day)
    end = datetime.max.replace(tzinfo=UTC)
    engine = open_engine(settings)
    with connect(engine) as connection:
        polls = latest_polls(connection, len(day) + 1)
        samples = platform_samples(connection, first, end)
        by_location = location_samples(connection, last, end)
        by_node = node_samples(connection, last, end)
        legs = connection.execute(
            select(
                tables.participant.c.first_seen,
                tables.participant.c.ended,
                tables.participant.c.license_count,
                tables.participant.c.has_media,
            )
        ).all()
        conferences = connection.execute(
            select(tables.conference.c.first_seen, tables.conference.c.ended)
        ).all()
    engine.dispose()
    assert [poll.time for poll in reversed(polls)] == list(day)
    assert all(poll.up for poll in polls)
    for sample, (time, truth) in zip(samples, day.items(), strict=True):
        figures = sample.maximum
        assert sample.time == time
        assert figures.license_ports == truth.license_ports
        assert figures.participants == truth.participants
        assert figures.conferences == truth.conferences
        assert figures.pstn_lines == truth.pstn_lines
    truth = day[last]
    assert {point.name: point.maximum.license_ports for point in by_location} == {
        name: truth.licenses_by_location.get(name, 0) for name in truth.hardware_by_location
    }
    assert len(by_node) == len(truth.hardware_by_node)
    licenses, people, running_now = (changes_over(day) for _ in range(3))
    for first_seen, ended, license_count, has_media in legs:
        licenses.add(first_seen, ended, license_count)
        people.add(first_seen, ended, has_media)
    for first_seen, ended in conferences:
        running_now.add(first_seen, ended, 1)
    assert licenses.totals() == [truth.license_ports for truth in day.values()]
    assert people.totals() == [truth.participants for truth in day.values()]
    assert running_now.totals() == [truth.conferences for truth in day.values()]


class changes_over:  # noqa: N801 - reads as a phrase
    """Sums of intervals at each beat."""

    def __init__(self, day: dict[datetime, Truth]) -> None:
        self._changes = dict.fromkeys(day, 0)

    def add(self, first_seen: datetime, ended: datetime | None, amount: int) -> None:
        self._changes[first_seen] += amount
        if ended is not None:
            self._changes[ended] -= amount

    def totals(self) -> list[int]:
        total, totals = 0, []
        for change in self._changes.values():
            total += change
            totals.append(total)
        return totals
