"""What the trap listener counts.

Every name that a device's kind may send is there with 0 from the start: a counter that begins with 1 shows
no increase.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from exporters.snmp.traps.catalogue import UNKNOWN, Catalogue
from exporters.snmp.traps.reading import Reading
from vdx import metrics
from vdx.settings import DeviceSettings

NOBODY: Final = "unknown"
"""The device of all senders that are none of the settings."""

REASONS: Final = ("rate", "load", "size", "credentials", "engine")
"""Why traps are dropped."""


class TrapTelemetry:
    """The metrics of traps. `devices` are those of the settings."""

    def __init__(
        self, registry: CollectorRegistry, devices: Mapping[str, DeviceSettings], catalogue: Catalogue
    ) -> None:
        def counter(metric: metrics.Metric) -> Counter:
            return Counter(metric.name.removesuffix("_total"), metric.help, metric.labels, registry=registry)

        def gauge(metric: metrics.Metric) -> Gauge:
            return Gauge(metric.name, metric.help, metric.labels, registry=registry)

        self.up = gauge(metrics.TRAP_LISTENER_UP)
        self.socket_drops = counter(metrics.TRAP_SOCKET_DROPS)
        self._traps = counter(metrics.TRAPS)
        self._dropped = counter(metrics.TRAPS_DROPPED)
        self._malformed = counter(metrics.TRAPS_MALFORMED)
        self._last = gauge(metrics.TRAP_LAST)
        self._cleared = gauge(metrics.TRAP_CLEARED)
        self._sites = {name: device.site for name, device in devices.items()} | {NOBODY: ""}
        for device, site in self._sites.items():
            self._malformed.labels(device, site)
            for reason in REASONS:
                self._dropped.labels(device, site, reason)
            self._traps.labels(device, site, UNKNOWN, "info")
        for device, settings in devices.items():
            for name in catalogue.of_kind(settings.kind):
                for level in catalogue.traps[name].levels:
                    self._traps.labels(device, settings.site, name, level)

    def received(self, device: str, reading: Reading, time: datetime) -> None:
        """Counts a trap."""
        site = self._sites[device]
        self._traps.labels(device, site, reading.name, reading.level).inc()
        self._last.labels(device, site, reading.name, reading.level).set(time.timestamp())
        for cleared in reading.clears:
            self._cleared.labels(device, site, cleared).set(time.timestamp())

    def dropped(self, device: str, reason: str) -> None:
        """Counts a trap that is not looked at or not taken, for one of REASONS."""
        self._dropped.labels(device, self._sites[device], reason).inc()

    def malformed(self, device: str) -> None:
        """Counts a datagram that is no trap."""
        self._malformed.labels(device, self._sites[device]).inc()
