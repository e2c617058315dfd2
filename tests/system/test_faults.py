"""Each fault switch of the stand-in in turn: nothing crashes, nothing stale is shown as fresh, and the poll
after the fault is whole again, with nothing lost or doubled in the store."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import running
from tests.system.watching import Watch, assert_true, vdx_settings, watching
from vdx.store.database import connect, open_engine
from vdx.store.queries import (
    conferences_open,
    latest_polls,
    license_ports_open,
    participants_open,
    platform_samples,
)

BEGIN = datetime(2026, 11, 24, 8, 10, tzinfo=UTC)
BLINDING: Mapping[str, dict[str, Any]] = {
    "slow": {"delay": 6.0},
    "connection_reset": {},
    "unauthorized": {},
    "forbidden": {},
    "not_found": {},
    "rate_limited": {"retry_after": 60},
    "server_error": {},
    "bad_gateway": {},
    "html_page": {},
    "half_body": {},
    "manager_restart": {"seconds": 75.0},
}
"""Faults after which nothing can be read."""
SEEING: Mapping[str, dict[str, Any]] = {
    "unknown_enum": {},
    "wrong_total": {"difference": 7},
    "moving_rows": {},
    "node_lost": {"nodes": ["DC1-NODE"]},
    "data_centre_lost": {"data_centre": "Vest"},
    "over_use": {"target": 1650},
}
"""Faults through which the figures stay true."""
HIDDEN_BY_BLINDNESS = (
    "pexip_license_ports_used",
    "pexip_hardware_ports_used",
    "pexip_node_up",
    "pexip_alarms",
)


async def assert_recovered(watch: Watch) -> None:
    """One cycle after the fault every figure is true again."""
    beat, snapshot, _ = await watch.poll()
    assert snapshot.up
    assert not snapshot.failures
    assert_true(watch.exposition(beat), watch.simulator.truth())


def assert_stored_once(watch: Watch, beats: list[tuple[datetime, int | None]]) -> None:
    """Each poll is there once, with what it saw, and the open intervals sum to it."""
    engine = open_engine(watch.settings)
    end = datetime.max.replace(tzinfo=UTC)
    with connect(engine) as connection:
        polls = [poll.time for poll in reversed(latest_polls(connection, 100))]
        samples = {point.time: point.maximum for point in platform_samples(connection, beats[0][0], end)}
        assert polls == [beat for beat, _ in beats]
        for beat, ports in beats:
            if ports is not None:
                assert samples[beat].license_ports == ports
                assert license_ports_open(connection, beat) == ports
        last = beats[-1][0]
        for rows in (participants_open(connection, last), conferences_open(connection, last)):
            assert len(rows) == len({row.id for row in rows})
    engine.dispose()


@pytest.mark.parametrize("fault", BLINDING)
async def test_a_fault_that_blinds_hides_every_figure_and_leaves_no_trace(fault: str, tmp_path: Path) -> None:
    settings = vdx_settings(tmp_path, interval_seconds=5)
    beats = []
    with running(time=BEGIN) as simulator:
        async with watching(simulator, settings, settings) as watch:
            for step in range(6):
                if step == 2:
                    simulator.fault(fault, **BLINDING[fault])
                elif step == 4:
                    simulator.clear()
                beat, snapshot, usage = await watch.poll()
                beats.append((beat, usage.license_ports))
                exposition = watch.exposition(beat)
                if step in (2, 3):
                    assert exposition.value("pexip_up") == 0
                    assert not exposition.names().intersection(HIDDEN_BY_BLINDNESS)
                    assert snapshot.failures.keys() >= {"participant", "worker_vm"}
                    assert all("\n" not in failure.reason for failure in snapshot.failures.values())
                else:
                    assert not snapshot.failures
                    assert_true(exposition, simulator.truth())
            assert_stored_once(watch, beats)


@pytest.mark.parametrize("fault", SEEING)
async def test_a_fault_of_the_platform_is_shown_as_it_is(fault: str, tmp_path: Path) -> None:
    settings = vdx_settings(tmp_path, page_size=400)
    beats = []
    with running(time=BEGIN) as simulator:
        parameters = dict(SEEING[fault])
        if "nodes" in parameters:
            parameters["nodes"] = [next(iter(simulator.truth().hardware_by_node))]
        async with watching(simulator, settings, settings) as watch:
            for step in range(6):
                if step == 2:
                    simulator.fault(fault, **parameters)
                elif step == 4:
                    simulator.clear()
                beat, snapshot, usage = await watch.poll()
                beats.append((beat, usage.license_ports))
                assert snapshot.up
                truth = simulator.truth()
                exposition = watch.exposition(beat)
                assert exposition.value("pexip_license_ports_used") == truth.license_ports
                assert sum(exposition.by("pexip_hardware_ports_limit").values()) == truth.hardware.limit
                assert sum(exposition.by("pexip_participants").values()) == truth.participants
                if fault != "unknown_enum":
                    assert_true(exposition, truth)
                if fault == "over_use" and step == 3:
                    assert truth.license_ports >= 1650
            await assert_recovered(watch)
            beats.append((beat + timedelta(seconds=30), watch.simulator.truth().license_ports))
            assert_stored_once(watch, beats)


async def test_rows_of_a_wrong_type_are_left_out_counted_and_back_when_they_are_mended(
    tmp_path: Path,
) -> None:
    settings = vdx_settings(tmp_path)
    with running(time=BEGIN) as simulator:
        async with watching(simulator, settings, settings) as watch:
            await watch.poll()
            simulator.fault("wrong_types", every=10)
            beat, snapshot, _ = await watch.poll()
            assert snapshot.up
            (fault,) = simulator.faults()
            spoiled = {resource: len(ids) for resource, ids in fault["spoiled"].items()}
            assert spoiled["participant"] > 50
            assert snapshot.rejected["participant"] == spoiled["participant"]
            legs = simulator.truth().legs
            assert snapshot.participants is not None
            assert len(snapshot.participants) == legs - spoiled["participant"]
            assert watch.exposition(beat).value("pexip_rows_rejected_total", resource="participant") == float(
                spoiled["participant"]
            )
            simulator.clear()
            await assert_recovered(watch)


async def test_without_the_right_to_one_resource_the_rest_goes_on(tmp_path: Path) -> None:
    settings = vdx_settings(tmp_path)
    with running(time=BEGIN) as simulator:
        simulator.fault("forbidden", resource="teamsnode")
        async with watching(simulator, settings, settings) as watch:
            beat, snapshot, _ = await watch.poll()
            assert snapshot.up
            assert snapshot.failures["teamsnode"].code == 403
            exposition = watch.exposition(beat)
            assert exposition.value("pexip_resource_up", resource="teamsnode") == 0
            assert exposition.value("pexip_resource_up", resource="participant") == 1
            assert "pexip_teams_connector_calls" not in exposition.names()
            assert_true(exposition, simulator.truth())


@pytest.mark.parametrize("factor", [10])
async def test_ten_times_the_size_is_told_as_truly(factor: int, tmp_path: Path) -> None:
    settings = vdx_settings(tmp_path)
    with running(time=BEGIN, scale=factor) as simulator:
        async with watching(simulator, settings, settings) as watch:
            for _ in range(2):
                await assert_recovered(watch)
            assert simulator.truth().participants > 5_000


async def test_figures_older_than_three_intervals_are_not_shown(tmp_path: Path) -> None:
    settings = vdx_settings(tmp_path)
    with running(time=BEGIN) as simulator:
        async with watching(simulator, settings) as watch:
            beat, _, _ = await watch.poll()
            assert "pexip_node_up" in watch.exposition(beat + timedelta(seconds=90)).names()
            late = watch.exposition(beat + timedelta(seconds=91))
            assert late.value("pexip_up") == 0
            assert not late.names().intersection(HIDDEN_BY_BLINDNESS)


async def test_a_management_node_that_starts_with_empty_lists_is_no_empty_platform(tmp_path: Path) -> None:
    settings = vdx_settings(tmp_path)
    beats = []
    with running(time=BEGIN) as simulator:
        async with watching(simulator, settings, settings) as watch:
            for step in range(6):
                if step == 2:
                    simulator.fault("manager_restart", seconds=1.0, empty_seconds=55.0)
                beat, snapshot, usage = await watch.poll()
                beats.append((beat, usage.license_ports))
                assert snapshot.up == (step != 2)
                if step == 2:
                    assert "may be starting" in snapshot.failures["worker_vm"].reason
                    assert not watch.exposition(beat).names().intersection(HIDDEN_BY_BLINDNESS)
            await assert_recovered(watch)
            beats.append((beat + timedelta(seconds=30), watch.simulator.truth().license_ports))
            assert_stored_once(watch, beats)
