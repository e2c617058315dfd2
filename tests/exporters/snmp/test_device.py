"""Devices that are polled on their own clocks, and how long what they told is shown."""

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from exporters.snmp.device import STALE_INTERVALS, Device
from exporters.snmp.exporter import SNMPExporter
from simulator.network.ber import text
from tests.exporters.snmp.agents import (
    QUICK,
    Samples,
    plain,
    poll,
    polled,
    secrets_in,
    shown,
    standing,
)
from vdx.telemetry import process_registry

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VALUES = {"1.3.6.1.2.1.1.5.0": text("it"), "1.3.6.1.2.1.1.1.0": text('a "quoted" \\ text\nof two lines')}


async def test_before_its_first_poll_a_device_says_neither_up_nor_down() -> None:
    device = polled(9, "system")
    assert "snmp_up" not in shown(device).names()
    assert shown(device).value("snmp_last_success_timestamp_seconds") == 0
    exporter = SNMPExporter([device], process_registry())
    assert "1 of 1 devices have not been polled yet" in exporter.fault(NOW)
    await device.poll()
    assert shown(device).value("snmp_up") == 0
    assert exporter.fault(NOW) == ""


async def test_figures_of_a_silent_device_go_after_three_intervals_and_its_zero_stays() -> None:
    stand_in = plain(VALUES)
    async with standing(stand_in) as agent:
        device = polled(agent.port, "system", settings=QUICK, interval=60)
        assert (await poll(device)).value("sysName", sysName="it") == 1
        stand_in.silent = True
        polled_at = time.monotonic()
        assert (await poll(device)).value("snmp_up") == 0
        young = shown(device, polled_at + STALE_INTERVALS * 60 - 1)
        old = shown(device, polled_at + STALE_INTERVALS * 60 + 1)
    assert young.value("sysName", sysName="it") == 1
    assert not {"sysName", "snmp_device_info"} & old.names()
    for samples in (young, old):
        assert samples.value("snmp_up", device="it", site="north", kind="system") == 0
        assert (samples.value("snmp_last_success_timestamp_seconds") or 0) > time.time() - 60


@contextlib.asynccontextmanager
async def running(device: Device) -> AsyncIterator[None]:
    """Polls a device on its clock until the end of the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(device.run(stop))
    yield
    stop.set()
    await asyncio.wait_for(task, 5)


async def until(device: Device, name: str, least: float) -> Samples:
    """Waits until a figure of a device is at least so large."""
    for _ in range(500):
        samples = shown(device)
        if (samples.value(name) or 0) >= least:
            return samples
        await asyncio.sleep(0.01)
    raise AssertionError(f"{name} never was {least}")


async def test_one_silent_device_does_not_delay_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporters.snmp.device.SPREAD_SECONDS", 0.01)
    async with standing(plain(VALUES, silent=True)) as silent, standing(plain(VALUES)) as agent:
        devices = [
            *(polled(silent.port, "system", name=f"silent {number}", interval=1) for number in range(3)),
            polled(agent.port, "system", name="answering", interval=0.1),
        ]
        exporter, stop = SNMPExporter(devices, process_registry()), asyncio.Event()
        task = asyncio.create_task(exporter.run(stop))
        started = time.monotonic()
        samples = await until(devices[-1], "snmp_packets_total", 12)
        assert time.monotonic() - started < 3
        assert samples.value("snmp_errors_total", fault="timeout") == 0
        stop.set()
        await asyncio.wait_for(task, 5)
    together = Samples(exporter.metrics(NOW).decode())
    assert together.value("snmp_up", device="answering") == 1
    assert {dict(labels)["device"] for labels in together.where("snmp_up")} <= {d.state.name for d in devices}


async def test_polls_that_take_longer_than_the_interval_leave_out_beats_and_go_on() -> None:
    async with standing(plain(VALUES, latency=0.15)) as agent:
        device = polled(agent.port, "system", interval=0.1)
        async with running(device):
            samples = await until(device, "snmp_packets_total", 3)
        assert samples.value("snmp_up") == 0
    assert "too slow" in device.state.words


async def test_a_fault_of_the_program_is_logged_and_the_device_is_polled_on(
    monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    async with standing(plain(VALUES)) as agent:
        device = polled(agent.port, "system")
        with monkeypatch.context() as broken:
            broken.setattr("exporters.snmp.device.read", None)
            samples = await poll(device)
        assert samples.value("snmp_up") == 0
        assert samples.value("snmp_errors_total", fault="program") == 1
        assert (await poll(device)).value("snmp_up") == 1
    assert "a fault of the program" in log[0]
    assert not secrets_in("".join(log))


async def test_the_text_of_many_devices_is_one_that_prometheus_reads() -> None:
    async with standing(plain(VALUES)) as agent:
        devices = [polled(agent.port, "system", name=f"device {number}") for number in range(5)]
        for device in devices[:4]:
            await device.poll()
    exporter = SNMPExporter(devices, process_registry())
    written = exporter.metrics(NOW)
    samples = Samples(written.decode())
    assert len(samples.where("sysName")) == 4
    assert samples.by("sysDescr", "sysDescr") == {'a "quoted" \\ text of two lines': 1}
    lines = written.decode().splitlines()
    headers = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(headers) == len(set(headers))
    status, said = promtool_check(written)
    # 3: the text is right, and the MIB's names are not to promtool's taste.
    assert status in (0, 3), said
    assert "error while linting" not in said


def promtool_check(written: bytes) -> tuple[int, str]:
    """What `promtool check metrics` says of a text, with its exit status."""
    program = shutil.which("promtool")
    if program is None:
        pytest.fail("promtool is not installed; install the Debian package prometheus", pytrace=False)
    checked = subprocess.run([program, "check", "metrics"], input=written, capture_output=True, check=False)
    return checked.returncode, (checked.stdout + checked.stderr).decode()
