"""The metrics of the copies of configurations. What is not known has no series."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vdx import metrics
from vdx.configurations import WINDOWS, Backup


class ConfigurationTelemetry(Collector):
    """Shows what is known of each device's copies, by name; `errors` counts what failed in this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.backups: dict[str, Backup] = {}
        errors = metrics.CONFIG_BACKUP_ERRORS
        self.errors = Counter(
            errors.name.removesuffix("_total"), errors.help, errors.labels, registry=registry
        )
        registry.register(self)

    def describe(self) -> Iterator[Metric]:
        """None: what is collected differs from scrape to scrape."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The figures of all devices, those that are known."""
        backups = list(self.backups.values())
        for metric, figures in (
            (metrics.CONFIG_BACKUP_UP, [backup.up for backup in backups]),
            (metrics.CONFIG_BACKUP_SUCCESS, [_seconds(backup.succeeded) for backup in backups]),
            (metrics.CONFIG_BACKUP_CHANGE, [_seconds(backup.last_change) for backup in backups]),
            (metrics.CONFIG_BACKUP_DURATION, [backup.seconds for backup in backups]),
            (metrics.CONFIG_BACKUP_LINES, [backup.lines for backup in backups]),
            (metrics.CONFIG_BACKUP_STARTUP_DIFFERS, [backup.startup_differs for backup in backups]),
        ):
            gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for backup, figure in zip(backups, figures, strict=True):
                if figure is not None:
                    gauge.add_metric([backup.device, backup.site], float(figure))
            yield gauge
        metric = metrics.CONFIG_BACKUP_CHANGES
        changes = CounterMetricFamily(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
        for backup in backups:
            for window in WINDOWS:
                changes.add_metric([backup.device, backup.site, window], backup.counted(window))
        yield changes


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
