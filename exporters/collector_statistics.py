"""The exporter of the collector: what rsyslog counts of itself, and what the kernel drops before it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Collected
from prometheus_client.registry import Collector

from vdx import metrics
from vdx.logs.collector import STATISTICS_FILE, UDP_QUEUE
from vdx.metrics import Kind, Metric

MOST_BYTES: Final = 65_536
"""As much of the end of the file is read; rsyslog writes about 3 kB each time."""
KERNEL: Final = Path("/proc/net")
_SOCKET_TABLES: Final = ("udp", "udp6")

Record = Mapping[str, int | float]
Records = dict[tuple[str, str], Record]
"""The counters by their origin, such as core.action, and name."""

_ACTION: Final = {
    metrics.RSYSLOG_ACTION_PROCESSED: ("processed",),
    metrics.RSYSLOG_ACTION_FAILED: ("failed",),
    metrics.RSYSLOG_ACTION_SUSPENDED: ("suspended",),
    metrics.RSYSLOG_ACTION_SUSPENDED_SECONDS: ("suspended.duration",),
}
_QUEUE: Final = {
    metrics.RSYSLOG_QUEUE_SIZE: ("size",),
    metrics.RSYSLOG_QUEUE_ENQUEUED: ("enqueued",),
    metrics.RSYSLOG_QUEUE_FULL: ("full",),
    metrics.RSYSLOG_QUEUE_DISCARDED: ("discarded.full", "discarded.nf"),
}
_INPUT: Final = {metrics.RSYSLOG_INPUT_SUBMITTED: ("submitted",)}


def records(text: bytes) -> Records:
    """The last record of each name in what rsyslog's impstats wrote as JSON.

    What is no whole record, such as the line that is being written, is left out.
    """
    found: Records = {}
    for line in text.splitlines():
        try:
            record = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(record, dict) and "origin" in record and "name" in record:
            counters = {key: value for key, value in record.items() if isinstance(value, int | float)}
            found[str(record["origin"]), str(record["name"])] = counters
    return found


def socket_drops(table: str, port: int) -> int | None:
    """Datagrams that the kernel dropped at a UDP port, by the text of /proc/net/udp (proc(5)).

    None where nothing listens there.
    """
    rows = (row.split() for row in table.splitlines()[1:])
    drops = [int(row[-1]) for row in rows if row and int(row[1].rpartition(":")[2], 16) == port]
    return sum(drops) if drops else None


class CollectorStatistics(Collector):
    """Reads the counters at each scrape. `folder` is that of the archive; `udp` is syslog.udp."""

    def __init__(self, folder: Path, udp: str, registry: CollectorRegistry, kernel: Path = KERNEL) -> None:
        self._file = folder / STATISTICS_FILE
        self._port = int(udp.rpartition(":")[2]) if udp else None
        self._kernel = kernel
        registry.register(self)

    def describe(self) -> Iterator[Collected]:
        """None: what is collected differs from scrape to scrape."""
        return iter(())

    def collect(self) -> Iterator[Collected]:
        """The counters as rsyslog wrote them last; only their time where there are none."""
        written, text = self._read()
        yield _family(metrics.RSYSLOG_STATISTICS_TIMESTAMP, {(): written})
        found = records(text)
        actions = {name: record for (origin, name), record in found.items() if origin == "core.action"}
        queues = {name: record for (origin, name), record in found.items() if origin == "core.queue"}
        inputs = {
            name.partition("(")[0]: record
            for (origin, name), record in found.items()
            if origin.startswith("im") and "submitted" in record
        }
        for table, rows in ((_ACTION, actions), (_QUEUE, queues), (_INPUT, inputs)):
            for metric, keys in table.items():
                samples: dict[tuple[str, ...], float] = {
                    (name,): sum(float(record.get(key, 0)) for key in keys) for name, record in rows.items()
                }
                yield _family(metric, samples)
        if "vdx_udp" in queues:
            yield _family(metrics.RSYSLOG_QUEUE_LIMIT, {("vdx_udp",): UDP_QUEUE})
        drops = self._drops()
        if drops is not None:
            yield _family(metrics.RSYSLOG_UDP_SOCKET_DROPS, {(): drops})

    def _read(self) -> tuple[float, bytes]:
        """When the file was written, in Unix time, and its end; 0 where it cannot be read."""
        try:
            with self._file.open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - MOST_BYTES))
                return self._file.stat().st_mtime, file.read(MOST_BYTES)
        except OSError:
            return 0.0, b""

    def _drops(self) -> int | None:
        if self._port is None:
            return None
        found: list[int] = []
        for name in _SOCKET_TABLES:
            try:
                table = (self._kernel / name).read_text(encoding="ascii")
            except OSError:
                continue
            drops = socket_drops(table, self._port)
            found += [] if drops is None else [drops]
        return sum(found) if found else None


def _family(
    metric: Metric, samples: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily | CounterMetricFamily:
    family = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    made: GaugeMetricFamily | CounterMetricFamily = family(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.items():
        made.add_metric(labels, value)
    return made
