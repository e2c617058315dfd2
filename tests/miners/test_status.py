"""The miner's cycle: what it asks for, what it keeps, what it says, and when it polls."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from miners.grid import beat_before
from miners.status import CONFIGURATION_FIELDS, STATUS_FIELDS, StatusMiner
from simulator.testing import RunningSimulator, running
from tests.system.watching import QUICK, vdx_settings
from vdx.capacity import Usage
from vdx.pexip.authentication import BasicAuthentication
from vdx.pexip.client import ManagementNode
from vdx.settings import Settings
from vdx.snapshot import Snapshot
from vdx.telemetry import Telemetry

BEGIN = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
BEAT = timedelta(seconds=30)


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running(time=BEGIN) as simulator:
        yield simulator


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return vdx_settings(tmp_path)


class Requests:
    """Counts what is asked for."""

    def __init__(self) -> None:
        self.cycle: Counter[str] = Counter()

    def request(self, resource: str, code: str, seconds: float) -> None:
        self.cycle[resource] += 1

    def retry(self, resource: str) -> None:
        raise AssertionError(f"{resource} was asked for again")


def client(simulator: RunningSimulator, observe: Requests | None = None) -> ManagementNode:
    authentication = BasicAuthentication(simulator.username, simulator.password)
    return ManagementNode(simulator.url, authentication, retry=QUICK, observe=observe)


async def test_a_cycle_asks_once_per_resource_and_never_more_than_twelve_times(
    simulator: RunningSimulator, settings: Settings
) -> None:
    requests = Requests()
    configuration: Counter[str] = Counter()
    async with client(simulator, requests) as node:
        miner = StatusMiner(node, settings, Telemetry())
        for number in range(30):
            requests.cycle.clear()
            snapshot, _ = await miner.poll(BEGIN + number * BEAT)
            assert snapshot.up
            assert sum(requests.cycle.values()) <= 12
            assert set(requests.cycle.values()) == {1}
            assert requests.cycle.keys() >= {resource.name for resource in STATUS_FIELDS}
            configuration.update(name for name in requests.cycle if name.startswith("configuration/"))
    assert configuration == {resource.name: 2 for resource in CONFIGURATION_FIELDS}


async def test_node_addresses_are_resolved_from_the_first_poll_on(
    simulator: RunningSimulator, settings: Settings
) -> None:
    async with client(simulator) as node:
        _, usage = await StatusMiner(node, settings, Telemetry()).poll(BEGIN)
    assert usage.nodes is not None
    assert sum(node.participants for node in usage.nodes) == usage.participants_total


async def test_each_change_of_state_is_logged_once(
    simulator: RunningSimulator, settings: Settings, log: list[str]
) -> None:
    async with client(simulator) as node:
        miner = StatusMiner(node, settings, Telemetry())
        await miner.poll(BEGIN)
        simulator.fault("forbidden", resource="conference")
        for number in range(1, 4):
            await miner.poll(BEGIN + number * BEAT)
        simulator.clear()
        for number in range(4, 6):
            await miner.poll(BEGIN + number * BEAT)
    assert [line.partition(":")[0] for line in log] == ["cannot read conference", "reads again"]


async def test_malformed_rows_are_named_by_resource_id_and_field_but_not_by_value(
    simulator: RunningSimulator, settings: Settings, log: list[str]
) -> None:
    async with client(simulator) as node:
        miner = StatusMiner(node, settings, Telemetry())
        simulator.fault("wrong_types", resource="participant", every=50)
        for number in range(2):
            await miner.poll(BEGIN + number * BEAT)
        (fault,) = simulator.faults()
    (line,) = [line for line in log if "malformed" in line]
    assert fault["spoiled"]["participant"][0] in line
    assert "license_count" in line
    assert "many" not in line


async def test_a_listener_that_fails_does_not_keep_the_figures_from_the_others(
    simulator: RunningSimulator, settings: Settings, log: list[str]
) -> None:
    seen: list[Snapshot] = []

    def fail(_snapshot: Snapshot, _usage: Usage) -> None:
        raise RuntimeError("broken")

    async with client(simulator) as node:
        listeners = [fail, lambda snapshot, _usage: seen.append(snapshot)]
        await StatusMiner(node, settings, Telemetry(), listeners).poll(BEGIN)
    assert len(seen) == 1
    assert any("listener" in line for line in log)


async def test_it_polls_at_once_then_on_each_beat_and_stops_in_the_middle_of_a_poll(
    simulator: RunningSimulator, tmp_path: Path
) -> None:
    settings = vdx_settings(tmp_path, interval_seconds=5)
    beats: list[datetime] = []
    stop = asyncio.Event()
    async with client(simulator) as node:
        miner = StatusMiner(
            node, settings, Telemetry(), [lambda snapshot, _usage: beats.append(snapshot.time)]
        )
        begun = datetime.now(UTC)
        running_miner = asyncio.create_task(miner.run(stop))
        while len(beats) < 2:  # noqa: ASYNC110 - polls are counted, not waited for
            await asyncio.sleep(0.05)
        simulator.fault("slow", delay=30.0)
        await asyncio.sleep(5.2)
        stop.set()
        await asyncio.wait_for(running_miner, 2)
    interval = timedelta(seconds=5)
    assert beats[0] in (beat_before(begun, interval), beat_before(begun, interval) + interval)
    assert beats[1] == beats[0] + interval
    assert all(beat == beat_before(beat, interval) for beat in beats)


async def test_a_poll_that_lasts_past_a_beat_skips_it(
    simulator: RunningSimulator, tmp_path: Path, log: list[str]
) -> None:
    settings = vdx_settings(tmp_path, interval_seconds=5)
    beats: list[datetime] = []
    telemetry = Telemetry()
    stop = asyncio.Event()

    def dawdle(snapshot: Snapshot, _usage: Usage) -> None:
        beats.append(snapshot.time)
        if len(beats) == 1:
            time.sleep(6)
        else:
            stop.set()

    async with client(simulator) as node:
        await asyncio.wait_for(StatusMiner(node, settings, telemetry, [dawdle]).run(stop), 20)
    assert beats[1] - beats[0] >= timedelta(seconds=10)
    assert any("skipped" in line for line in log)
