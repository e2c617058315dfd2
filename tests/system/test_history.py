"""The history miner as operators run it, and while it and its database are killed."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from simulator.testing import RunningSimulator, running
from tests.databases import MariaDB, running_mariadb
from tests.miners.history_truth import Truth, differences
from tests.system.commands import run_vdx, running_vdx
from tests.system.history_kills import mine_through, write_settings
from vdx.store.database import open_engine
from vdx.store.history_tables import usage_day
from vdx.usage import Scope

BEGIN = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
RING = 2500
"""Conferences that this node remembers: an hour of a working day, or a night."""
LARGER_RING = 5000
"""What the miner needs while the platform lives an hour at a time and is 20 minutes ahead of it."""


@pytest.fixture
def simulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSimulator]:
    ring = getattr(request, "param", RING)
    monkeypatch.setattr("simulator.history.KEPT_CONFERENCES", ring)
    monkeypatch.setattr("simulator.virtual_platform.KEPT_CONFERENCES", ring)
    with running(time=BEGIN) as simulator:
        simulator.platform.history()
        yield simulator


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MariaDB]:
    """A server of the test's own, since it is killed."""
    with running_mariadb(tmp_path) as server:
        yield server


@pytest.mark.parametrize("simulator", [LARGER_RING], indirect=True)
def test_nothing_is_lost_and_nothing_doubled_when_miner_and_database_are_killed(
    simulator: RunningSimulator, server: MariaDB, tmp_path: Path
) -> None:
    folder = tmp_path / "miner"
    folder.mkdir()
    with server.database() as name:
        outcome = mine_through(
            server,
            server.url(name),
            simulator,
            folder,
            steps=5,
            step=timedelta(hours=1),
            behind=timedelta(minutes=20),
            limit=300.0,
            kills=4,
            outages=2,
        )
    assert outcome.differences == []
    assert (outcome.kills, outcome.outages) == (4, 2)
    assert outcome.legs > 10_000


def test_once_reads_all_and_a_second_time_adds_nothing(simulator: RunningSimulator, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'vdx.sqlite3'}"
    settings = write_settings(tmp_path, simulator, url)
    for _ in range(2):
        done = run_vdx("history-miner", "--once", folder=tmp_path)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    truth = Truth()
    truth.look(simulator.platform)
    engine = open_engine(settings)
    with engine.connect() as connection:
        assert differences(truth, connection) == []
        platform = usage_day.c.scope == Scope.PLATFORM
        completed = connection.scalar(select(func.sum(usage_day.c.completed)).where(platform))
    engine.dispose()
    assert completed == sum(leg.started is not None and leg.has_media for leg in truth.legs.values())
    period = ("--from", "2026-11-15", "--to", "2026-11-24")
    report = run_vdx("report", "usage", *period, "--format", "json", folder=tmp_path)
    assert report.returncode == 0, report.stderr
    assert json.loads(report.stdout)["total"]["completed"] == completed


def test_it_goes_on_until_it_is_told_to_stop_and_serves_its_metrics(
    simulator: RunningSimulator, tmp_path: Path
) -> None:
    write_settings(tmp_path, simulator, f"sqlite:///{tmp_path / 'vdx.sqlite3'}")
    with running_vdx("history-miner", folder=tmp_path) as vdx:
        url = vdx.wait_for(r"metrics: (\S+)/metrics")
        deadline = datetime.now(UTC) + timedelta(seconds=60)
        text = ""
        while "vdx_history_up 1.0" not in text and datetime.now(UTC) < deadline:
            text = httpx.get(f"{url}/metrics", trust_env=False).text
        assert re.search(r'^vdx_history_lag_seconds\{resource="history/participant"\} \d', text, re.M)
        assert re.search(rf"^vdx_history_ring_conferences {RING}.0$", text, re.M)
        assert "vdx_peak_difference_ports " not in text  # nothing was polled
        assert httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
        assert vdx.stop() == 0
    assert "Traceback" not in vdx.said


def test_what_is_wrong_is_told_in_one_line_and_by_the_exit_status(
    simulator: RunningSimulator, tmp_path: Path
) -> None:
    nothing = run_vdx("history-miner", "--once", folder=tmp_path)
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("vdx: pexip.url is not set")
    write_settings(tmp_path, simulator, f"sqlite:///{tmp_path / 'vdx.sqlite3'}")
    wrong = run_vdx("history-miner", "--once", "--since", "yesterday", folder=tmp_path)
    assert wrong.returncode == 2
    simulator.fault("unauthorized")
    refused = run_vdx("history-miner", "--once", folder=tmp_path)
    assert refused.returncode == 1
    assert len([line for line in refused.stderr.splitlines() if "ERROR" in line]) == 1
    assert "pexip.username" in refused.stderr
