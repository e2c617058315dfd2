"""The miner, the exporter and the store around a stand-in VDX whose clock the test moves."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from exporters.pexip import PexipExporter
from miners.status import StatusMiner
from simulator.estate import CENTRAL_LOCATIONS, DATA_CENTRES, PSTN_ADDRESSES
from simulator.testing import RunningSimulator
from simulator.truth import Truth
from vdx.capacity import Usage
from vdx.pexip.authentication import BasicAuthentication
from vdx.pexip.budget import RequestBudget
from vdx.pexip.client import ManagementNode
from vdx.pexip.retry import Retry
from vdx.settings import (
    DatabaseSettings,
    DataSettings,
    LocationSettings,
    PexipSettings,
    PSTNSettings,
    Settings,
)
from vdx.snapshot import Snapshot
from vdx.store import Store, upgrade
from vdx.telemetry import Telemetry

QUICK: Final = Retry(attempts=3, base=0.01, cap=0.05)
_LINE: Final = re.compile(rb"^(\w+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


def vdx_settings(directory: Path, *, database: str | None = None, **pexip: object) -> Settings:
    """The settings that fit the stand-in."""
    return Settings(
        pexip=PexipSettings.model_validate(pexip),
        locations=LocationSettings(central=CENTRAL_LOCATIONS, data_centres=DATA_CENTRES),
        pstn=PSTNSettings(addresses=PSTN_ADDRESSES),
        database=DatabaseSettings(url=SecretStr(database) if database else None),
        data=DataSettings(directory=directory),
    )


class Exposition:
    """The samples of an exposition text."""

    def __init__(self, text: bytes) -> None:
        self._samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        for name, labels, value in _LINE.findall(text):
            key = name.decode(), frozenset(_LABEL.findall(labels.decode()))
            assert key not in self._samples, f"{key} comes twice"
            self._samples[key] = float(value)

    def value(self, name: str, **labels: str) -> float | None:
        """The one sample with these labels and no other."""
        return self._samples.get((name, frozenset(labels.items())))

    def by(self, name: str, *labels: str) -> Mapping[tuple[str, ...], float]:
        """The samples of a family by some of their labels, summed over the others."""
        sums: dict[tuple[str, ...], float] = {}
        for (family, pairs), value in self._samples.items():
            if family == name:
                present = dict(pairs)
                key = tuple(present[label] for label in labels)
                sums[key] = sums.get(key, 0.0) + value
        return sums

    def names(self) -> set[str]:
        """The families that have a sample."""
        return {name for name, _ in self._samples}


class Watch:
    """A miner with an exporter and stores that wait for the test's word."""

    def __init__(
        self,
        simulator: RunningSimulator,
        node: ManagementNode,
        settings: Settings,
        telemetry: Telemetry,
        stores: Sequence[Store],
    ) -> None:
        self.simulator = simulator
        self.node = node
        self.settings = settings
        self.telemetry = telemetry
        self.exporter = PexipExporter(settings, telemetry)
        self._stores = stores
        self._miner = StatusMiner(node, settings, telemetry, [self.exporter.publish])

    async def poll(self, seconds: float = 30.0) -> tuple[datetime, Snapshot, Usage]:
        """Moves the clock, polls and stores."""
        beat = datetime.fromtimestamp(self.simulator.step(seconds), UTC)
        snapshot, usage = await self._miner.poll(beat)
        for store in self._stores:
            store.write_now(snapshot, usage)
        return beat, snapshot, usage

    def exposition(self, now: datetime) -> Exposition:
        """What a scrape gets."""
        return Exposition(self.exporter.metrics(now))


@asynccontextmanager
async def watching(
    simulator: RunningSimulator, settings: Settings, *databases: Settings
) -> AsyncIterator[Watch]:
    """A watch on a stand-in; each of `databases` gets a store of its own."""
    telemetry = Telemetry()
    stores = []
    for database in databases:
        upgrade(database)
        stores.append(Store(database, Telemetry()))
    authentication = BasicAuthentication(simulator.username, simulator.password)
    try:
        for store in stores:
            store.start()
        async with ManagementNode(
            simulator.url,
            authentication,
            page_size=settings.pexip.page_size,
            retry=QUICK,
            budget=RequestBudget(1_000_000),  # a day passes in minutes here
        ) as node:
            yield Watch(simulator, node, settings, telemetry, stores)
    finally:
        for store in stores:
            store.stop()


def assert_true(exposition: Exposition, truth: Truth) -> None:
    """The text says what is true on the platform, figure by figure."""
    value, by = exposition.value, exposition.by
    assert value("pexip_up") == 1
    assert value("pexip_license_ports_used") == truth.license_ports
    assert value("pexip_license_reported_used", license="port") == truth.licenses_by_type["port"]
    assert _positive(by("pexip_location_license_ports_used", "location")) == _keyed(
        truth.licenses_by_location
    )
    assert sum(by("pexip_hardware_ports_used").values()) == approximately(truth.hardware.used)
    assert sum(by("pexip_hardware_ports_limit").values()) == truth.hardware.limit
    for (location,), used in by("pexip_hardware_ports_used", "location").items():
        assert used == approximately(truth.hardware_by_location[location].used)
    for (location,), limit in by("pexip_hardware_ports_limit", "location").items():
        assert limit == truth.hardware_by_location[location].limit
    for (node,), used in by("pexip_node_hardware_ports_used", "node").items():
        assert used == approximately(truth.hardware_by_node[node].used)
    assert sum(by("pexip_node_up").values()) == truth.nodes_up
    assert sum(by("pexip_participants").values()) == truth.participants
    assert _positive(by("pexip_participants", "protocol")) == _keyed(truth.participants_by_protocol)
    assert _positive(by("pexip_participants_by_quality", "quality")) == {
        name.partition("_")[2]: count for name, count in truth.participants_by_quality.items() if count
    }
    assert sum(by("pexip_control_only_legs").values()) == truth.control_only
    assert sum(by("pexip_conferences").values()) == truth.conferences
    assert _positive(by("pexip_conferences", "service_type")) == _keyed(truth.conferences_by_service_type)
    assert sum(by("pexip_backplanes").values()) == truth.backplanes
    assert value("pexip_pstn_lines_used") == truth.pstn_lines
    assert sum(by("pexip_registrations").values()) == truth.registrations
    assert sum(by("pexip_alarms").values()) == truth.alarms


def approximately(value: float) -> object:
    """Equal but for the order in which floats were summed."""
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def _positive(values: Mapping[tuple[str, ...], float]) -> dict[str, float]:
    return {key: value for (key,), value in values.items() if value}


def _keyed(counts: Mapping[str, int]) -> dict[str, float]:
    return {key: count for key, count in counts.items() if count}
