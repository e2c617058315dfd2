"""The log exporter: reads on for ever, and tells what was counted."""

import asyncio
import contextlib
import gzip
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from loguru import logger
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Collected
from prometheus_client.registry import Collector

from exporters.logs.reader import LogReader
from exporters.logs.rule import SHIPPED, Compiled, RuleError, load
from exporters.logs.silence import Nodes, devices, silent
from exporters.server import Clock, utc_now
from vdx import metrics
from vdx.logs.checkpoint import CheckpointError
from vdx.logs.files import directory
from vdx.metrics import Kind as MetricKind
from vdx.metrics import Metric
from vdx.settings import Settings, SettingsError

CHECKPOINT: Final = "log-exporter.sqlite3"
IDLE_SECONDS: Final = 1.0
"""From look to look while nothing comes."""
RETRY_SECONDS: Final = 15.0


def rules(settings: Settings) -> list[Compiled]:
    """The shipped rules and those of logs.rules_directory. Raises SettingsError."""
    own = settings.logs.rules_directory
    try:
        return load(SHIPPED, *([own] if own is not None else []))
    except RuleError as error:
        raise SettingsError(f"logs.rules_directory: {error}") from None


class LogExporter(Collector):
    """Counts lines of the archive by the rules, and hands the counts out."""

    title = "Log exporter"
    description = "What the log lines of the VDX video platform and its network tell."

    def __init__(
        self, settings: Settings, registry: CollectorRegistry, nodes: Nodes = dict, clock: Clock = utc_now
    ) -> None:
        """`nodes` gives the nodes that Pexip knows, which should send lines. Raises SettingsError."""
        self._registry = registry
        self._clock = clock
        self._started = clock().timestamp()
        self._zone = ZoneInfo(settings.sla.time_zone)
        self._silence_seconds = 60.0 * settings.logs.silence_minutes
        self._devices = devices(settings)
        self._nodes = nodes
        self.reader = LogReader(
            directory(settings),
            settings.data.directory / CHECKPOINT,
            rules(settings),
            most_hosts=settings.logs.most_hosts,
            expected=self._expected_names,
        )
        """What reads and counts."""
        self.words = "no line has been read yet"
        """Why it is not up, in a sentence; empty while it is."""
        registry.register(self)

    async def run(self, stop: asyncio.Event) -> None:
        """Reads until `stop` is set."""
        try:
            while not stop.is_set():
                more = await asyncio.to_thread(self.step)
                if not more:
                    with contextlib.suppress(TimeoutError):
                        wait = RETRY_SECONDS if self.words else IDLE_SECONDS
                        await asyncio.wait_for(stop.wait(), wait)
        finally:
            self.reader.close()

    def step(self) -> bool:
        """Counts the next lines; False where there are none or it failed. Blocks; never raises."""
        try:
            more = self.reader.step()
        except CheckpointError as error:
            self._report(str(error))
        except Exception as error:
            # Its text may hold a line.
            self.reader.close()
            self._report(f"a fault of the program, {type(error).__name__}; report it. Trying again")
        else:
            fault = self.reader.fault
            if self.words and not fault:
                logger.info("log exporter: reading")
            self.words = fault
            return more
        return False

    def _report(self, words: str) -> None:
        if words != self.words:
            logger.error("log exporter: {}", words)
        self.words = words

    def _expected(self) -> dict[str, str]:
        return {**self._nodes(), **self._devices}

    def _expected_names(self) -> frozenset[str]:
        expected = self._expected()
        return frozenset(map(str.lower, chain(expected, expected.values())))

    def silent(self) -> dict[str, bool]:
        """Hosts that should send lines -> whether they do not; empty while the reader is too far behind."""
        lag, now = self.reader.lag, self._clock().timestamp()
        if self.words or lag is None or 2 * lag.seconds > self._silence_seconds:
            return {}
        hosts: dict[str, float] = {}
        for (host, _), moment in dict(self.reader.totals.hosts).items():
            hosts[host] = max(moment, hosts.get(host, 0.0))
        before = now - self._silence_seconds
        found = silent(self._expected(), hosts, dict(self.reader.totals.addresses), before=before)
        # What never sent gets as long as any other from the start on.
        return {name: is_silent and self._started < before for name, is_silent in found.items()}

    def kinds_as_text(self) -> Iterator[str]:
        """The kinds of message that no rule knows, a line for each, those first seen last at the top."""
        for kind in sorted(self.reader.kinds.values(), key=lambda kind: -kind.first):
            first = datetime.fromtimestamp(kind.first, self._zone)
            yield f"{first:%Y-%m-%d %H:%M} {kind.count:7} {kind.source:9} {kind.text}"

    def describe(self) -> Iterator[Collected]:
        """None: what is collected differs from scrape to scrape."""
        return iter(())

    def collect(self) -> Iterator[Collected]:
        """The figures as they are now; those of lines only once they were read."""
        yield _family(metrics.LOG_EXPORTER_UP, [((), float(not self.words))])
        totals, lag = self.reader.totals, self.reader.lag
        yield _family(metrics.LOG_FILE_FAULTS, (((fault,), n) for fault, n in self.reader.faults.items()))
        if lag is not None:
            yield _family(metrics.LOG_LAG_BYTES, [((), lag.bytes)])
            yield _family(metrics.LOG_LAG_SECONDS, [((), lag.seconds)])
        yield _family(metrics.LOG_LINES, dict(totals.lines).items())
        yield _family(metrics.LOG_HOST_LAST, ((key, t) for key, t in dict(totals.hosts).items() if t))
        yield _family(metrics.LOG_HOST_SILENT, (((name,), value) for name, value in self.silent().items()))
        for metric, name in (
            (metrics.LOG_LINES_REJECTED, "rejected"),
            (metrics.LOG_UNKNOWN_LINES, "unknown"),
            (metrics.LOG_SAMPLED_LINES, "sampled"),
        ):
            yield _family(metric, [((), totals.counts.get(name, 0))])
        yield from self._events()
        yield from self._kinds()

    def _events(self) -> Iterator[Collected]:
        counts: list[tuple[tuple[str, ...], float]] = []
        times: list[tuple[tuple[str, ...], float]] = []
        values: list[tuple[tuple[str, ...], float]] = []
        for (name, kind, host), one in dict(self.reader.totals.events).items():
            rule = self.reader.rules[name].rule
            key = name, rule.source, rule.level, kind, host
            counts.append((key, one.count))
            if one.time is not None:
                times.append((key, one.time))
            if one.value is not None:
                values.append(((name, rule.source, kind, host), one.value))
        yield _family(metrics.LOG_EVENTS, counts)
        yield _family(metrics.LOG_EVENT_LAST, times)
        yield _family(metrics.LOG_VALUE, values)

    def _kinds(self) -> Iterator[Collected]:
        local = self._clock().astimezone(self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        known = list(self.reader.kinds.values())
        yield _family(metrics.LOG_TEMPLATES, [((), len(known))])
        yield _family(metrics.LOG_TEMPLATES_NEW, [((), sum(kind.first >= midnight for kind in known))])

    def metrics(self, now: datetime) -> bytes:  # noqa: ARG002 - the collector has a clock of its own
        """The text of /metrics."""
        return generate_latest(self._registry)

    def compressed_metrics(self, now: datetime) -> bytes:
        """The same as a gzip file."""
        return gzip.compress(self.metrics(now), compresslevel=1)

    def fault(self, now: datetime) -> str:  # noqa: ARG002
        """Why its figures cannot be relied on, in a sentence; empty when they can."""
        return self.words


def _family(metric: Metric, samples: Iterable[tuple[tuple[str, ...], float]]) -> Collected:
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, float(value))
    return family
