"""The exporter of hardware life: the register of hardware, read again when it changes, as metrics."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from loguru import logger
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Collected
from prometheus_client.registry import Collector

from exporters.server import Clock, utc_now
from vdx import metrics
from vdx.asset_register import RegisterError, parse
from vdx.assets import Comparison, Register, Row, compare, days_left, rows, service_end
from vdx.metrics import Metric
from vdx.settings import Settings

SECONDS: Final = 60.0
"""How often it is looked whether the file has changed."""
MOST_BYTES: Final = 4_000_000
"""A file that is larger is no register of hardware."""
_TOLD: Final = 10

Serials = Callable[[], Mapping[str, Collection[str]]]
"""Gives the serial numbers that each device has told, by its name in the settings."""


def read(path: Path, devices: Mapping[str, str]) -> Register:
    """The register from its file. `devices` are those of the settings with their sites.

    Raises RegisterError.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise RegisterError(
            f"cannot read {path}: {error.strerror}; check the path and that this user may read it"
        ) from None
    if len(content) > MOST_BYTES:
        raise RegisterError(
            f"{path} is larger than {MOST_BYTES // 1_000_000} MB; name the register of hardware"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RegisterError(
            f"{path} line {line}: it is not UTF-8 text; save the file with the encoding UTF-8"
        ) from None
    return parse(text, str(path), devices)


class HardwareLife(Collector):
    """The register in use, and its metrics. Without `assets.file` there is none, and no metric.

    `serials` tells what devices say of themselves at present.
    """

    def __init__(
        self,
        settings: Settings,
        registry: CollectorRegistry,
        serials: Serials = dict,
        clock: Clock = utc_now,
    ) -> None:
        self._file = settings.assets.file
        self._devices = {name: device.site for name, device in settings.devices.items()}
        self._zone = ZoneInfo(settings.sla.time_zone)
        self._serials = serials
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self._reported: tuple[str, ...] = ()
        self.register = Register()
        self.up: bool | None = None
        """Whether the file could be read the last time; None before the first."""
        registry.register(self)

    async def run(self, stop: asyncio.Event) -> None:
        """Reads the register at once, and again when it has changed, until `stop` is set."""
        while not stop.is_set():
            await asyncio.to_thread(self.refresh)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SECONDS)

    def refresh(self) -> None:
        """Reads the register where it has changed. Blocks; what is wrong is logged once and counted.

        While it cannot be read the last good one stays.
        """
        if self._file is None:
            return
        stamp = _stamp(self._file)
        if self.up and stamp == self._stamp:
            return
        try:
            register = read(self._file, self._devices)
        except RegisterError as error:
            self.up = False
            self._report((f"{error}. The last good register stays",))
            return
        self._stamp, self.register, self.up = stamp, register, True
        self._report(register.faults)

    def _report(self, faults: tuple[str, ...]) -> None:
        if faults != self._reported:
            for fault in faults[:_TOLD]:
                logger.error("assets.file: {}", fault)
            if len(faults) > _TOLD:
                logger.error("assets.file: and {} faults more", len(faults) - _TOLD)
            if not faults:
                logger.info("assets.file: the register has no fault any more")
        self._reported = faults

    @property
    def comparison(self) -> Comparison:
        """The register beside what devices tell at present."""
        return compare(self.register, self._serials())

    def rows(self) -> list[Row]:
        """The lines of the page, what ends first at the top."""
        return rows(self.register.assets, self._clock(), self._zone, self.comparison)

    def describe(self) -> Iterator[Collected]:
        """None: what is collected differs from scrape to scrape."""
        return iter(())

    def collect(self) -> Iterator[Collected]:
        """The figures as they are now; none before the register was read for the first time."""
        if self.up is None:
            return
        yield _gauge(metrics.ASSET_REGISTER_UP, [((), self.up)])
        if self._stamp is None:
            return
        now, comparison, assets = self._clock(), self.comparison, self.register.assets
        labels = [(asset.name, asset.model, asset.serial, asset.location) for asset in assets]
        ends = [service_end(asset, self._zone).timestamp() for asset in assets]
        left = [days_left(asset, now, self._zone) for asset in assets]
        yield _gauge(metrics.ASSET_REGISTER_FAULTS, [((), len(self.register.faults))])
        yield _gauge(metrics.ASSETS, [((), len(assets))])
        yield _gauge(metrics.ASSET_SERVICE_END, zip(labels, ends, strict=True))
        yield _gauge(metrics.ASSET_DAYS_LEFT, zip(labels, left, strict=True))
        mismatches = [((name,), not matches) for name, matches in comparison.matches.items()]
        yield _gauge(metrics.ASSET_SERIAL_MISMATCH, mismatches)
        yield _gauge(metrics.ASSET_SERIALS_UNREGISTERED, [((), len(comparison.unregistered))])


def _stamp(path: Path) -> tuple[int, int] | None:
    """When the file was written and its size; None where there is no telling."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _gauge(metric: Metric, samples: Iterable[tuple[tuple[str, ...], float]]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        gauge.add_metric(labels, float(value))
    return gauge
