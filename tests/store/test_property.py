"""Any sequence of polls, failures, outages and restarts, against what a plain list remembers."""

import dataclasses
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.store import worlds
from tests.store.test_outages import away, polled
from tests.store.worlds import PLACES, assert_intervals_agree, beat, eventually, leg, poll
from vdx.capacity import Usage
from vdx.settings import Settings
from vdx.store import Store, StoreError, upgrade
from vdx.store.database import open_engine
from vdx.store.tables import metadata
from vdx.telemetry import Telemetry

LEG = st.none() | st.tuples(
    st.integers(0, 2), st.sampled_from(PLACES), st.sampled_from(["vmr", "other"]), st.booleans()
)
"""A leg that is away, or its licences, location, conference and whether it has media."""


@dataclasses.dataclass(frozen=True)
class Step:
    """A poll, after some beats that were skipped, and what happens to the database and the miner."""

    skipped: int
    legs: tuple[tuple[int, str, str, bool] | None, ...] | None
    conferences: bool
    database: str
    restart: bool


STEP = st.builds(
    Step,
    skipped=st.integers(0, 15),
    legs=st.none() | st.tuples(LEG, LEG, LEG),
    conferences=st.sampled_from([True, True, True, False]),
    database=st.sampled_from(["there", "there", "away", "lost after commit"]),
    restart=st.sampled_from([False, False, False, True]),
)


def run(settings: Settings, steps: list[Step]) -> dict[datetime, Usage]:
    """Plays the steps; the database is there at the end. Returns what each poll counted."""
    expected: dict[datetime, Usage] = {}
    store = Store(settings, Telemetry())
    store.start()
    number = 0
    for step in [*steps, Step(0, (None, None, None), True, "there", False)]:
        number += 1 + step.skipped
        legs = None
        if step.legs is not None:
            legs = [
                leg(
                    str(name),
                    license_count=found[0],
                    system_location=found[1],
                    conference=found[2],
                    has_media=found[3],
                )
                for name, found in enumerate(step.legs)
                if found is not None
            ]
        snapshot, usage = poll(number, legs, unread_conferences=not step.conferences)
        expected[snapshot.time] = usage
        if step.database == "there":
            store.submit(snapshot, usage)
        else:
            with away(step.database != "away"), pytest.raises(StoreError, match="kept in the spool"):
                store.write_now(snapshot, usage)
        if step.restart:
            store.stop()
            store = Store(settings, Telemetry())
            store.start()
    engine = open_engine(settings)
    with engine.connect() as reader:
        connection = reader.execution_options(isolation_level="AUTOCOMMIT")
        eventually(lambda: beat(number) in polled(connection))
        store.stop()
        assert polled(connection) == sorted(expected)
        assert_intervals_agree(connection, expected)
    engine.dispose()
    return expected


def relaxed(examples: int) -> hypothesis_settings:
    return hypothesis_settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    settings = worlds.settings(None, tmp_path_factory.mktemp("empty"))
    upgrade(settings)
    return settings.data.directory / "vdx.sqlite3"


@relaxed(40)
@given(steps=st.lists(STEP, max_size=14))
def test_sqlite(empty_file: Path, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        settings = worlds.settings(None, Path(directory))
        settings.data.directory.mkdir()
        shutil.copy(empty_file, settings.data.directory)
        run(settings, steps)


@relaxed(12)
@given(steps=st.lists(STEP, max_size=14))
def test_mariadb(mariadb_url: str, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        settings = worlds.settings(mariadb_url, Path(directory))
        upgrade(settings)
        engine = open_engine(settings, writes=True)
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(table.delete())
        engine.dispose()
        run(settings, steps)
