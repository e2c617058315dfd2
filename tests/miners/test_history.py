"""The history miner against the stand-in: nothing lost, nothing twice, told where it could not be helped."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from sqlalchemy import Connection, delete, func, select, update

from miners.history import HistoryMiner
from miners.organisations import OrganisationMiner
from simulator.testing import RunningSimulator, running
from tests.miners.history_truth import Truth, differences
from tests.system.watching import QUICK, Exposition, vdx_settings
from vdx.pexip.authentication import BasicAuthentication
from vdx.pexip.client import ManagementNode
from vdx.settings import HistorySettings, Settings
from vdx.store import upgrade
from vdx.store.database import open_engine
from vdx.store.history_tables import (
    history_conference,
    history_gap,
    history_media_stream,
    history_participant,
    history_progress,
    history_unlinked,
    usage_day,
)
from vdx.telemetry import Telemetry
from vdx.usage import Scope

BEGIN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RING = 1200
"""Conferences that this node remembers: some hours of them."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulator.history.KEPT_CONFERENCES", RING)
        patch.setattr("simulator.virtual_platform.KEPT_CONFERENCES", RING)
        with running(time=BEGIN) as simulator:
            simulator.platform.history()
            yield simulator


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = vdx_settings(tmp_path).model_copy(update={"history": HistorySettings(page_size=700)})
    upgrade(found)
    return found


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True)
    with engine.connect() as connected:
        yield connected
    engine.dispose()


class Mining:
    """A miner, and what it counts."""

    def __init__(self, node: ManagementNode, settings: Settings) -> None:
        self.telemetry = Telemetry()
        self.stop = asyncio.Event()
        organisations = OrganisationMiner(settings, self.telemetry)
        self.miner = HistoryMiner(node, settings, self.telemetry, organisations, self.stop)

    def metric(self, name: str, **labels: str) -> float | None:
        return Exposition(generate_latest(self.telemetry.registry)).value(name, **labels)


@pytest.fixture
async def mining(simulator: RunningSimulator, settings: Settings) -> AsyncIterator[Mining]:
    authentication = BasicAuthentication(simulator.username, simulator.password)
    async with ManagementNode(simulator.url, authentication, retry=QUICK) as node:
        mining = Mining(node, settings)
        yield mining
        mining.miner.close()
    simulator.clear()


def truth_of(simulator: RunningSimulator) -> Truth:
    truth = Truth()
    truth.look(simulator.platform)
    return truth


def forget(connection: Connection, after: datetime, before: datetime) -> int:
    """Takes the call legs that ended between two times out of the database again; how many."""
    connection.rollback()
    with connection.begin():
        for table in (history_media_stream, history_unlinked, history_participant):
            gone = connection.execute(delete(table).where(table.c.ended > after, table.c.ended < before))
    return gone.rowcount


def count(connection: Connection, after: datetime, before: datetime) -> int:
    """How many call legs ended between two times."""
    connection.rollback()
    ended = history_participant.c.ended
    found = connection.scalar(select(func.count()).where(ended > after, ended < before)) or 0
    connection.rollback()
    return found


async def test_a_first_round_takes_all_that_the_node_remembers_and_the_next_what_came_since(
    simulator: RunningSimulator, mining: Mining, connection: Connection, log: list[str]
) -> None:
    told: list[tuple[str, int, int | None]] = []
    assert await mining.miner.round(progress=lambda *words: told.append(words))
    assert differences(truth_of(simulator), connection) == []
    assert ("history/conference", RING) in {(name, total) for name, _, total in told}
    connection.rollback()
    before = mining.metric("vdx_history_records_total", resource="history/participant", outcome="added")
    simulator.step(1200)
    assert await mining.miner.round()
    connection.rollback()
    truth = truth_of(simulator)
    stored = connection.scalar(select(func.count()).select_from(history_participant))
    assert stored is not None
    assert stored >= len(truth.legs)
    connection.rollback()
    after = mining.metric("vdx_history_records_total", resource="history/participant", outcome="added")
    again = mining.metric("vdx_history_records_total", resource="history/participant", outcome="known")
    assert before is not None
    assert after is not None
    assert again is not None
    assert after - before > 300
    assert again < 1000  # the overlap, not days of history
    assert mining.metric("vdx_history_up") == 1
    assert mining.metric("vdx_history_gaps_total") == 0
    assert [line for line in log if "ERROR" in line or "lost" in line] == []


async def test_usage_is_computed_of_the_days_that_were_read(mining: Mining, connection: Connection) -> None:
    assert await mining.miner.round()
    await mining.miner.compute_usage()
    platform = usage_day.c.scope == Scope.PLATFORM
    rows = connection.execute(select(usage_day).where(platform).order_by(usage_day.c.begin)).all()
    assert rows
    legs = history_participant
    people = connection.scalar(select(func.count()).where(legs.c.started.is_not(None), legs.c.has_media))
    assert sum(row.completed for row in rows) == people
    assert max(row.peak_ports for row in rows) > 300
    assert mining.metric("vdx_usage_pending") == 0
    assert mining.metric("vdx_history_unassigned_ratio") == 1  # no source of organisations is set
    assert mining.metric("vdx_peak_difference_ports") is None  # nothing was polled


async def test_records_that_the_node_forgot_unread_are_told_once_with_their_bounds(
    simulator: RunningSimulator, mining: Mining, connection: Connection, log: list[str]
) -> None:
    assert await mining.miner.round()
    week = timedelta(days=7)
    with connection.begin():
        at = connection.scalar(select(func.min(history_conference.c.ended)))
        assert at is not None
        connection.execute(delete(history_progress))
        connection.execute(
            history_progress.insert().values(
                resource="history/conference", watermark=at - week, longest_seconds=0
            )
        )
    for _ in range(2):
        assert await mining.miner.round()
    [gap] = connection.execute(select(history_gap)).all()
    assert (gap.begins, gap.ends) == (at - week, at)
    told = [line for line in log if "history is lost from" in line]
    assert len(told) == 1
    assert f"{at - week:%Y-%m-%d %H:%M:%S} to {at:%Y-%m-%d %H:%M:%S} UTC" in told[0]
    assert mining.metric("vdx_history_gaps_total") == 1
    assert mining.metric("vdx_history_gap_seconds_total") == pytest.approx(week.total_seconds())


async def test_records_that_came_later_than_the_overlap_are_found_by_counting(
    mining: Mining, connection: Connection
) -> None:
    assert await mining.miner.round()
    legs = history_participant
    with connection.begin():
        until = connection.scalar(select(func.max(legs.c.ended)))
        assert until is not None
    late = until - timedelta(minutes=20), until - timedelta(minutes=12)
    missing = forget(connection, *late)
    assert missing
    mining.miner._reconciled.clear()  # an hour later
    assert await mining.miner.round()
    assert count(connection, *late) == missing
    assert mining.metric("vdx_history_late_records_total", resource="history/participant") == missing


async def test_since_reads_again_and_never_passes_over_what_was_not_read(
    mining: Mining, connection: Connection
) -> None:
    assert await mining.miner.round(since=BEGIN - timedelta(hours=2))
    legs = history_participant
    assert (connection.scalar(select(func.min(legs.c.ended))) or BEGIN) >= BEGIN - timedelta(hours=2)
    back = BEGIN - timedelta(minutes=20)
    assert forget(connection, back, BEGIN)
    with connection.begin():
        connection.execute(update(history_progress).values(watermark=back))
    assert await mining.miner.round(since=BEGIN + timedelta(days=1))
    assert count(connection, back, BEGIN)
    again = forget(connection, back, BEGIN)
    mining.miner._reconciled["history/participant"] = datetime.now(UTC), BEGIN + timedelta(days=1)
    assert await mining.miner.round(since=back)
    assert count(connection, back, BEGIN) == again


async def test_a_resource_that_cannot_be_read_stops_no_other_and_is_told_once(
    simulator: RunningSimulator, mining: Mining, connection: Connection, log: list[str]
) -> None:
    simulator.fault("forbidden", resource="participant")
    for _ in range(2):
        assert not await mining.miner.round()
    assert connection.scalar(select(func.count()).select_from(history_conference)) == RING
    assert connection.scalar(select(func.count()).select_from(history_participant)) == 0
    connection.rollback()
    assert len([line for line in log if "history/participant" in line]) == 1
    assert mining.metric("vdx_history_up") == 0
    assert mining.metric("vdx_history_lag_seconds", resource="history/participant") is None
    simulator.clear()
    assert await mining.miner.round()
    assert differences(truth_of(simulator), connection) == []
    assert [line for line in log if "reads history/participant again" in line]


async def test_malformed_records_are_left_out_counted_and_named_without_their_values(
    simulator: RunningSimulator, mining: Mining, connection: Connection, log: list[str]
) -> None:
    simulator.fault("wrong_types", resource="participant", every=500)
    assert await mining.miner.round()
    simulator.clear()
    left_out = mining.metric("vdx_history_records_total", resource="history/participant", outcome="rejected")
    stored = connection.scalar(select(func.count()).select_from(history_participant))
    assert left_out
    assert stored is not None
    assert len(truth_of(simulator).legs) - left_out <= stored < len(truth_of(simulator).legs)
    [line] = [line for line in log if "malformed" in line]
    assert "license_count is not int" in line
    assert "many" not in line


async def test_a_database_that_is_away_is_told_once_and_history_goes_on_when_it_is_back(
    simulator: RunningSimulator, mining: Mining, settings: Settings, tmp_path: Path, log: list[str]
) -> None:
    file = tmp_path / "vdx.sqlite3"
    file.rename(tmp_path / "away")
    for _ in range(2):
        assert not await mining.miner.round()
    assert len([line for line in log if "vdx db upgrade" in line]) == 1
    (tmp_path / "away").rename(file)
    assert await mining.miner.round()
    assert [line for line in log if "the database is there again" in line]


async def test_a_fault_of_the_program_ends_a_round_and_not_the_miner_and_names_nobody(
    mining: Mining, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("anna@x.example")

    with monkeypatch.context() as patch:
        patch.setattr("vdx.store.history_store.usage.compute_day", fail)
        assert await mining.miner.round()  # all was read; the days stay pending
        assert (mining.metric("vdx_usage_pending") or 0) > 0
    with monkeypatch.context() as patch:
        patch.setattr("vdx.store.history_store.history.HistoryWriter.write", fail)
        for _ in range(2):
            assert not await mining.miner.round()
    told = [line for line in log if "a fault of the program: ValueError" in line]
    assert len(told) == 1
    assert not [line for line in log if "anna" in line]
    await mining.miner.compute_usage()
    assert mining.metric("vdx_usage_pending") == 0


async def test_a_node_that_does_not_answer_ends_a_round_and_not_the_miner(
    simulator: RunningSimulator, mining: Mining
) -> None:
    simulator.fault("bad_gateway")
    assert not await mining.miner.round()
    work = asyncio.create_task(mining.miner.run())
    await asyncio.sleep(0.3)
    assert not work.done()
    mining.stop.set()
    await asyncio.wait_for(work, 10)


async def test_a_miner_that_is_told_to_stop_does_not_wait_for_a_slow_node_and_goes_on_later(
    simulator: RunningSimulator, mining: Mining, connection: Connection
) -> None:
    def stop_after_a_page(name: str, read: int, total: int | None) -> None:
        simulator.fault("slow", delay=60.0)
        mining.stop.set()

    work = mining.miner.round(progress=stop_after_a_page)
    assert not await asyncio.wait_for(work, 20)
    simulator.clear()
    some = count(connection, BEGIN - timedelta(days=9), BEGIN + timedelta(days=1))
    assert 0 < some < len(truth_of(simulator).legs)
    mining.stop.clear()
    assert await mining.miner.round()
    assert differences(truth_of(simulator), connection) == []
