"""Keeps the archive of log lines: closes its hours, drops the oldest, and tells how it stands."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from loguru import logger
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vdx import metrics
from vdx.logs import access
from vdx.logs.closing import PART_SUFFIX, ArchiveError, close
from vdx.logs.files import CLOSED_SUFFIX, OPEN_SUFFIX, directory, hour_of, open_files
from vdx.logs.retention import Hour, dropped
from vdx.settings import Settings

SECONDS: Final = 60.0
"""How often it is looked what there is to do."""
IDLE: Final = timedelta(minutes=30)
"""How long nothing must have come for an hour before it is closed. rsyslog lets go of a file 10 minutes after
its last line, and looks for such files every 10 minutes; until then it could write into a removed one."""
_GIGABYTE: Final = 1_000_000_000

Passed = Callable[[Path], bool]
"""Whether every reader has read all of an open file."""


class ArchiveKeeper(Collector):
    """Closes the hours that are over, and drops those that are too old or too many. One keeper for a folder.

    `passed` tells whether an open file may go; `idle` is how long nothing must have come for it.
    """

    def __init__(
        self,
        settings: Settings,
        registry: CollectorRegistry,
        passed: Passed = lambda _: True,
        idle: timedelta = IDLE,
    ) -> None:
        self._folder = directory(settings)
        self._keep = timedelta(days=settings.syslog.retention_days)
        self._most_bytes = settings.syslog.disk_gigabytes * _GIGABYTE
        self._passed = passed
        self._idle = idle
        self._reported: frozenset[str] = frozenset()
        self._figures: dict[metrics.Metric, float] = {}
        self._closed = _counter(metrics.LOG_ARCHIVE_CLOSED, registry)
        self._unparsed = _counter(metrics.LOG_ARCHIVE_UNPARSED, registry)
        self._dropped = _counter(metrics.LOG_ARCHIVE_DROPPED, registry)
        self._failures = _counter(metrics.LOG_ARCHIVE_FAILURES, registry)
        for reason in ("age", "disk"):
            self._dropped.labels(reason)
        registry.register(self)

    async def run(self, stop: asyncio.Event) -> None:
        """Does a round at once and then each minute, until `stop` is set; a round is ended first."""
        while not stop.is_set():
            await asyncio.to_thread(self.round, stop)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SECONDS)

    def round(self, stop: asyncio.Event | None = None, now: datetime | None = None) -> bool:
        """Closes and drops what is due; True when all went well. Blocks; never raises.

        What is wrong is logged once, until it is mended. `stop` is looked at between two files.
        """
        now = now or datetime.now(UTC)
        faults: set[str] = set()
        for work in (self._prepare, self._close_all, self._drop, self._measure):
            try:
                work(now, stop)
            except ArchiveError as error:
                faults.update(str(error).splitlines())
            except OSError as error:
                name = error.filename or self._folder
                faults.add(f"{name}: {error.strerror}; check the disk and the rights of it")
            except Exception as error:
                # Its text may hold a line.
                faults.add(f"{self._folder}: a fault of the program, {type(error).__name__}")
        self._report(frozenset(faults))
        return not faults

    def _prepare(self, _: datetime, __: asyncio.Event | None) -> None:
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        access.prepare(self._folder)
        _tidy(self._folder)

    def _close_all(self, now: datetime, stop: asyncio.Event | None) -> None:
        faults: list[str] = []
        for path in self._due(now):
            if stop is not None and stop.is_set():
                break
            try:
                counts = close(path)
            except ArchiveError as error:
                faults.append(str(error))
            else:
                self._closed.inc()
                self._unparsed.inc(counts.rejected)
                logger.debug("log archive: {} closed, {} lines", path.stem, counts.lines)
        if faults:
            raise ArchiveError("\n".join(faults))

    def _due(self, now: datetime) -> Iterator[Path]:
        for path in list(_over(self._folder, now)):
            with contextlib.suppress(FileNotFoundError):
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                if now - written >= self._idle and self._passed(path):
                    yield path

    def _drop(self, now: datetime, _: asyncio.Event | None) -> None:
        for hour, reason in dropped(_hours(self._folder), now, self._keep, self._most_bytes):
            for suffix in (OPEN_SUFFIX, CLOSED_SUFFIX):
                (self._folder / f"{hour.begin:%Y-%m-%dT%H}{suffix}").unlink(missing_ok=True)
            self._dropped.labels(reason).inc()
            if reason == "disk":
                logger.warning(
                    "log archive: the hour {:%Y-%m-%d %H} UTC is dropped: the archive is larger than "
                    "{} GB (syslog.disk_gigabytes)",
                    *(hour.begin, self._most_bytes // _GIGABYTE),
                )
            else:
                logger.info("log archive: the hour {:%Y-%m-%d %H} UTC is dropped for its age", hour.begin)

    def _measure(self, now: datetime, _: asyncio.Event | None) -> None:
        self._figures = {}
        hours = list(_hours(self._folder))
        disk = shutil.disk_usage(self._folder)
        figures = {
            metrics.LOG_ARCHIVE_BYTES: float(sum(hour.bytes for hour in hours)),
            metrics.LOG_ARCHIVE_HOURS: float(len(hours)),
            metrics.LOG_ARCHIVE_WAITING: float(sum(1 for _ in _over(self._folder, now))),
            metrics.LOG_ARCHIVE_DISK_FREE: disk.free / disk.total,
        }
        if hours:
            figures[metrics.LOG_ARCHIVE_OLDEST] = min(hour.begin for hour in hours).timestamp()
        self._figures = figures

    def _report(self, faults: frozenset[str]) -> None:
        if faults:
            self._failures.inc()
        for fault in sorted(faults - self._reported):
            logger.error("log archive: {}", fault)
        if self._reported and not faults:
            logger.info("log archive: all is well again")
        self._reported = faults

    def describe(self) -> Iterator[Metric]:
        """None: what is collected differs from scrape to scrape."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The figures of the last round; none before the first."""
        for metric, figure in self._figures.items():
            yield GaugeMetricFamily(metric.name, metric.help, value=figure)


def _counter(metric: metrics.Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name.removesuffix("_total"), metric.help, metric.labels, registry=registry)


def _over(folder: Path, now: datetime) -> Iterator[Path]:
    """The open files whose hour is over."""
    for path in open_files(folder):
        hour = hour_of(path)
        if hour is not None and hour + timedelta(hours=1) <= now:
            yield path


def _hours(folder: Path) -> Iterator[Hour]:
    sizes: dict[datetime, int] = {}
    for path in folder.iterdir():
        if (hour := hour_of(path)) is not None:
            with contextlib.suppress(FileNotFoundError):
                sizes[hour] = sizes.get(hour, 0) + path.stat().st_size
    return (Hour(begin, size) for begin, size in sizes.items())


def _tidy(folder: Path) -> None:
    """Removes what a closing left that was cut short."""
    for path in folder.glob(f".*{PART_SUFFIX}"):
        shutil.rmtree(path, ignore_errors=True)
