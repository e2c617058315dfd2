"""The metrics of the shipper."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from vdx import metrics
from vdx.metrics import Metric
from vdx.telemetry import UNKNOWN

REASONS = ("refused", "size")
"""Why an event became a dead letter: Humio refused it by itself, or it is larger than a request may be."""


class HumioTelemetry:
    """What was handed on to Humio by this process, and how Humio answered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(metric: Metric) -> Counter:
            return Counter(metric.name.removesuffix("_total"), metric.help, metric.labels, registry=registry)

        def gauge(metric: Metric) -> Gauge:
            return Gauge(metric.name, metric.help, metric.labels, registry=registry)

        self.up = gauge(metrics.HUMIO_UP)
        self.up.set(UNKNOWN)
        self.paused = gauge(metrics.HUMIO_PAUSED)
        self.last_success = gauge(metrics.HUMIO_LAST_SUCCESS)
        self.last_success.set(UNKNOWN)
        self.events = counter(metrics.HUMIO_EVENTS)
        self.batches = counter(metrics.HUMIO_BATCHES)
        self.bytes = counter(metrics.HUMIO_BYTES)
        self.sent_bytes = counter(metrics.HUMIO_SENT_BYTES)
        self.requests = counter(metrics.HUMIO_REQUESTS)
        self.retries = counter(metrics.HUMIO_RETRIES)
        self.unparsed = counter(metrics.HUMIO_UNPARSED)
        self.dead_letters = counter(metrics.HUMIO_DEAD_LETTERS)
        self.dead_letter_bytes = gauge(metrics.HUMIO_DEAD_LETTER_BYTES)
        self.lag_bytes = gauge(metrics.HUMIO_LAG_BYTES)
        self.lag_seconds = gauge(metrics.HUMIO_LAG_SECONDS)
        self.archive_faults = gauge(metrics.HUMIO_ARCHIVE_FAULTS)
        for reason in REASONS:
            self.dead_letters.labels(reason=reason)
