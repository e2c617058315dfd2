"""The suite's own metrics as live objects: what miners, client and store count while they run."""

import math
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from vdx import metrics
from vdx.metrics import Metric
from vdx.own_log import sender

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

UNKNOWN: Final = math.nan
"""The value of a gauge that nobody knows: no rule fires on it."""


def package_version() -> str:
    """The installed version, or `unknown` in a checkout that is not installed."""
    try:
        return version("vdx-watch")
    except PackageNotFoundError:
        return "unknown"


def process_registry() -> CollectorRegistry:
    """A registry with what every process of the suite tells: its own process and its version."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    build = Gauge(
        metrics.BUILD_INFO.name, metrics.BUILD_INFO.help, metrics.BUILD_INFO.labels, registry=registry
    )
    build.labels(version=package_version()).set(1)
    registry.register(_OwnLog())
    return registry


class _OwnLog(Collector):
    """What did not reach the syslog server of the suite's own log."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        metric = metrics.LOG_LINES_DROPPED
        yield CounterMetricFamily(metric.name.removesuffix("_total"), metric.help, sender.dropped())


class Telemetry:
    """One registry with the metrics that count over the life of the process.

    Figures of the platform are not here: they are rendered from each snapshot by the exporter.
    """

    def __init__(self) -> None:
        self.registry = registry = process_registry()

        def counter(metric: Metric) -> Counter:
            return Counter(metric.name.removesuffix("_total"), metric.help, metric.labels, registry=registry)

        def gauge(metric: Metric) -> Gauge:
            return Gauge(metric.name, metric.help, metric.labels, registry=registry)

        def histogram(metric: Metric) -> Histogram:
            return Histogram(metric.name, metric.help, metric.labels, registry=registry, buckets=SECONDS)

        self.api_requests = counter(metrics.API_REQUESTS)
        self.api_request_duration = histogram(metrics.API_REQUEST_DURATION)
        self.api_retries = counter(metrics.API_RETRIES)
        self.api_budget_limit = gauge(metrics.API_BUDGET_LIMIT)
        self.api_budget_used = gauge(metrics.API_BUDGET_USED)
        self.polls = counter(metrics.POLLS)
        self.poll_failures = counter(metrics.POLL_FAILURES)
        self.polls_skipped = counter(metrics.POLLS_SKIPPED)
        self.rows_rejected = counter(metrics.ROWS_REJECTED)
        self.participant_seconds = counter(metrics.PARTICIPANT_SECONDS)
        self.store_up = gauge(metrics.STORE_UP)
        self.store_rows = counter(metrics.STORE_ROWS)
        self.store_write_duration = histogram(metrics.STORE_WRITE_DURATION)
        self.store_queue = gauge(metrics.STORE_QUEUE)
        self.store_queue_limit = gauge(metrics.STORE_QUEUE_LIMIT)
        self.store_spool_bytes = gauge(metrics.STORE_SPOOL_BYTES)
        self.store_spool_limit = gauge(metrics.STORE_SPOOL_LIMIT)
        self.store_spool_cycles = gauge(metrics.STORE_SPOOL_CYCLES)
        self.store_dropped = counter(metrics.STORE_DROPPED)
        self.organisation_source_up = gauge(metrics.ORGANISATION_SOURCE_UP)
        self.organisation_source_up.set(UNKNOWN)
        self.organisation_tree_timestamp = gauge(metrics.ORGANISATION_TREE_TIMESTAMP)
        self.organisation_tree_timestamp.set(UNKNOWN)
        self.organisations = gauge(metrics.ORGANISATIONS)
        self.organisation_faults = gauge(metrics.ORGANISATION_FAULTS)
        self.organisation_license_ports = gauge(metrics.ORGANISATION_LICENSE_PORTS_USED)
