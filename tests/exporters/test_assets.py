"""The register of hardware as metrics: what it says, and what happens when its file changes or breaks."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loguru import logger
from prometheus_client import CollectorRegistry, generate_latest

from exporters import assets
from exporters.assets import HardwareLife
from vdx.settings import AssetSettings, DeviceSettings, Settings

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
GOOD = """name;device;model;serial;service_until
fw-a;fw;FortiGate 2200E;FG1;2026-06-30
shelf;;ME4;S1;2026-05-31
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "assets.csv"
    path.write_text(GOOD)
    return path


@pytest.fixture
def told() -> "list[str]":
    lines: list[str] = []
    logger.remove()
    logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    return lines


@pytest.fixture
def serials() -> dict[str, list[str]]:
    return {}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def life(file: Path, registry: CollectorRegistry, serials: dict[str, list[str]]) -> HardwareLife:
    settings = Settings(
        assets=AssetSettings(file=file),
        devices={"fw": DeviceSettings(address="192.0.2.1", kind="fortigate", site="Viborg")},
    )
    return HardwareLife(settings, registry, serials=lambda: serials, clock=lambda: NOW)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


FIREWALL = {"asset": "fw-a", "model": "FortiGate 2200E", "serial": "FG1", "site": "Viborg"}
SHELF = {"asset": "shelf", "model": "ME4", "serial": "S1", "site": ""}


def test_each_piece_has_its_end_and_its_days(life: HardwareLife, registry: CollectorRegistry) -> None:
    life.refresh()
    end = datetime(2026, 6, 30, 22, tzinfo=UTC).timestamp()
    assert value(registry, "asset_service_end_timestamp_seconds", **FIREWALL) == end
    assert value(registry, "asset_service_days_left", **FIREWALL) == 29
    assert value(registry, "asset_service_days_left", **SHELF) == -1
    assert value(registry, "assets") == 2
    assert [row.asset for row in life.rows()] == ["shelf", "fw-a"]


def test_a_serial_number_is_compared_as_soon_as_a_device_tells_it(
    life: HardwareLife, registry: CollectorRegistry, serials: dict[str, list[str]]
) -> None:
    life.refresh()
    assert value(registry, "asset_serial_mismatch", asset="fw-a") is None
    serials["fw"] = ["FG9"]
    assert value(registry, "asset_serial_mismatch", asset="fw-a") == 1
    assert value(registry, "asset_serials_unregistered") == 1
    serials["fw"] = ["FG1"]
    assert value(registry, "asset_serial_mismatch", asset="fw-a") == 0
    assert value(registry, "asset_serial_mismatch", asset="shelf") is None


def test_a_change_of_the_file_is_read_and_a_broken_file_keeps_the_last_good_register(
    life: HardwareLife, registry: CollectorRegistry, file: Path, told: list[str]
) -> None:
    life.refresh()
    file.write_text(GOOD.replace("2026-06-30", "2027-06-30"))
    life.refresh()
    assert value(registry, "asset_service_days_left", **FIREWALL) == 394
    for content in (b"name\n", b"\xff\xfe", b"\x00" * (assets.MOST_BYTES + 1)):
        file.write_bytes(content)
        life.refresh()
        life.refresh()
        assert value(registry, "asset_register_up") == 0
        assert value(registry, "asset_service_days_left", **FIREWALL) == 394
    file.unlink()
    life.refresh()
    assert len(told) == 4
    assert all(line.endswith("The last good register stays") for line in told)
    file.write_text(GOOD)
    life.refresh()
    assert value(registry, "asset_register_up") == 1
    assert value(registry, "asset_service_days_left", **FIREWALL) == 29
    assert told[4:] == ["assets.file: the register has no fault any more"]


def test_a_file_that_has_not_changed_is_not_read_again(life: HardwareLife, file: Path) -> None:
    life.refresh()
    before = file.stat()
    file.write_text(GOOD.replace("fw-a", "fw-b"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    life.refresh()
    assert life.register.assets[0].name == "fw-a"
    os.utime(file)
    life.refresh()
    assert life.register.assets[0].name == "fw-b"


def test_wrong_rows_are_counted_and_logged_once_though_not_all_of_many(
    life: HardwareLife, registry: CollectorRegistry, file: Path, told: list[str]
) -> None:
    wrong = "".join(f"row {number};;;;tomorrow\n" for number in range(15))
    file.write_text(GOOD + wrong)
    life.refresh()
    file.touch()
    life.refresh()
    assert value(registry, "asset_register_faults") == 15
    assert (value(registry, "asset_register_up"), value(registry, "assets")) == (1, 2)
    assert len(told) == 11
    assert "line 4, service_until: 'tomorrow' is no date" in told[0]
    assert told[-1] == "assets.file: and 5 faults more"


def test_without_a_register_there_is_no_metric_of_it() -> None:
    registry = CollectorRegistry()
    life = HardwareLife(Settings(), registry)
    life.refresh()
    assert generate_latest(registry) == b""
    assert life.rows() == []


def test_a_register_that_never_could_be_read_says_so_and_nothing_more(
    life: HardwareLife, registry: CollectorRegistry, file: Path, told: list[str]
) -> None:
    file.unlink()
    life.refresh()
    lines = generate_latest(registry).decode().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["asset_register_up 0.0"]


async def test_it_goes_on_until_it_is_stopped(life: HardwareLife) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(life.run(stop))
    async with asyncio.timeout(5):
        while life.up is None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        stop.set()
        await task
    assert len(life.register.assets) == 2
