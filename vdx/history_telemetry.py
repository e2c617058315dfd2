"""The history miner's own metrics. What is not known has no series."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vdx import metrics
from vdx.telemetry import SECONDS

ROUND_SECONDS: Final = (*SECONDS, 60, 120, 300, 600)


class HistoryTelemetry(Collector):
    """What the history miner counts while it runs, and what it knows.

    Times are kept and ages reckoned when one scrapes, so that they grow while the miner stands still.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(metric: metrics.Metric) -> Counter:
            return Counter(metric.name.removesuffix("_total"), metric.help, metric.labels, registry=registry)

        self.records = counter(metrics.HISTORY_RECORDS)
        self.odd = counter(metrics.HISTORY_ODD)
        self.gaps = counter(metrics.HISTORY_GAPS)
        self.gap_seconds = counter(metrics.HISTORY_GAP_SECONDS)
        self.late = counter(metrics.HISTORY_LATE)
        self.round_duration = Histogram(
            metrics.HISTORY_ROUND_DURATION.name,
            metrics.HISTORY_ROUND_DURATION.help,
            registry=registry,
            buckets=ROUND_SECONDS,
        )
        self.up: bool | None = None
        self.current_until: dict[str, datetime] = {}
        """Resource -> until when the database has all of it."""
        self.oldest: datetime | None = None
        self.ring_conferences: int | None = None
        self.watermark: datetime | None = None
        self.interval: float | None = None
        self.unassigned: float | None = None
        self.unlinked: int | None = None
        self.pending_days: int | None = None
        self.peak_difference: int | None = None
        registry.register(self)

    def describe(self) -> Iterator[Metric]:
        """None: what is collected differs from scrape to scrape."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The gauges that are known."""
        now = time.time()
        ring = headroom = None
        if self.oldest is not None:
            ring = now - self.oldest.timestamp()
            if self.watermark is not None:
                headroom = (self.watermark - self.oldest).total_seconds()
        for metric, value in (
            (metrics.HISTORY_UP, self.up),
            (metrics.HISTORY_RING, ring),
            (metrics.HISTORY_RING_CONFERENCES, self.ring_conferences),
            (metrics.HISTORY_HEADROOM, headroom),
            (metrics.HISTORY_INTERVAL, self.interval),
            (metrics.HISTORY_UNASSIGNED, self.unassigned),
            (metrics.HISTORY_UNLINKED, self.unlinked),
            (metrics.USAGE_PENDING, self.pending_days),
            (metrics.PEAK_DIFFERENCE, self.peak_difference),
        ):
            if value is not None:
                yield GaugeMetricFamily(metric.name, metric.help, value=float(value))
        if self.current_until:
            lag = GaugeMetricFamily(
                metrics.HISTORY_LAG.name, metrics.HISTORY_LAG.help, labels=metrics.HISTORY_LAG.labels
            )
            for resource, until in list(self.current_until.items()):
                lag.add_metric([resource], max(0.0, now - until.timestamp()))
            yield lag
