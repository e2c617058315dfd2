"""The history miner: every record of history, before the Management Node forgets it."""

import asyncio
import contextlib
import random
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from loguru import logger

from miners.history_pages import (
    KEPT_CONFERENCES,
    ORDER,
    Page,
    Ring,
    count_between,
    node_time,
    pace,
    pages,
    read_ring,
)
from miners.organisations import OrganisationMiner
from vdx.capacity import TelephonyRule
from vdx.history_telemetry import HistoryTelemetry
from vdx.pexip import resources
from vdx.pexip.client import ManagementNode
from vdx.pexip.errors import PexipError
from vdx.pexip.resources import Resource
from vdx.settings import Settings
from vdx.snapshot import Configuration
from vdx.store.errors import StoreError, origin
from vdx.store.history import Written
from vdx.store.history_rows import Context
from vdx.store.history_store import HistoryStore
from vdx.telemetry import Telemetry

RECONCILE_INTERVAL: Final = timedelta(hours=1)
RECONCILE_SPAN: Final = timedelta(hours=24)
"""What the node has of the last day is counted each hour: records that came later than the overlap are
missing then, and are read."""
SAMPLED_AFTER: Final = timedelta(hours=1)
"""How long after midnight the status miner has surely summed up the last hour of the day before."""
USAGE_INTERVAL: Final = timedelta(minutes=5)
"""How often the usage of a day is computed of which records still come."""
CONFIGURATION_INTERVAL: Final = timedelta(minutes=10)
PRUNE_INTERVAL: Final = timedelta(hours=6)
FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 60.0

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
RECONCILED: Final = (
    resources.HISTORY_PARTICIPANT,
    resources.HISTORY_BACKPLANE,
    resources.HISTORY_CONFERENCE,
)

Progress = Callable[[str, int, int | None], None]
"""Told of a resource how many records this round has read, and how many there are to read."""

Answer = TypeVar("Answer")


class StoppedError(Exception):
    """The miner was told to stop; what was written is whole, and the next run goes on from there."""


class HistoryMiner:
    """Reads history in rounds and keeps it.

    A round reads what has ended since the last one, of each resource, and writes page by page; then it
    computes the usage of the days that got records. What fails is tried again, and nothing is lost by it:
    how far was read stands in the database, with the rows.
    """

    def __init__(
        self,
        node: ManagementNode,
        settings: Settings,
        telemetry: Telemetry,
        organisations: OrganisationMiner,
        stop: asyncio.Event,
    ) -> None:
        self._node = node
        self._stop = stop
        self._settings = settings.history
        self._telemetry = telemetry
        self.figures = HistoryTelemetry(telemetry.registry)
        self._organisations = organisations
        self._store = HistoryStore(settings, telemetry)
        self._overlap = timedelta(minutes=self._settings.overlap_minutes)
        self._telephony = TelephonyRule(settings.pstn)
        self._license_reasons = re.compile(self._settings.license_reasons, re.IGNORECASE)
        self._capacity_reasons = re.compile(self._settings.capacity_reasons, re.IGNORECASE)
        self._configuration = Configuration()
        self._configured = self._computed = self._pruned = _LONG_AGO
        self._reconciled: dict[str, tuple[datetime, datetime]] = {}
        self._unreadable: dict[str, int] = {}
        self._zone = ZoneInfo(settings.sla.time_zone)
        self._day: date | None = None
        self._ring = Ring()
        self._watermarks: dict[str, datetime] = {}
        self._reported: dict[str, str] = {}
        self._faulty = False
        self._malformed: set[str] = set()

    async def run(self, since: datetime | None = None) -> None:
        """Reads until it is told to stop; at once, then as often as the ring's turnover asks for.

        The first round reads again from `since` on.
        """
        delay = 0.0
        while not self._stop.is_set():
            good = await self.round(since)
            if good:
                since = None
                delay = 0.0
                wait = self._interval()
            else:
                delay = min(LAST_RETRY_SECONDS, 2 * delay or FIRST_RETRY_SECONDS)
                wait = min(delay, self._interval()) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), wait)
        await asyncio.to_thread(self._store.close)

    async def round(self, since: datetime | None = None, progress: Progress | None = None) -> bool:
        """One round; True when all of it succeeded. `since` reads again from there on.

        Never raises for what the Management Node or the database does. Told to stop, it ends with the page
        that is being written.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._faulty = False
        try:
            good = await self._read_all(since, progress)
            await self._keep_up(progress)
        except StoppedError:
            return False
        except StoreError as error:
            self._report("database", str(error))
            good = False
        except Exception as error:
            self._report_fault(error)
            good = False
        else:
            self._mend("database", "the database is there again")
        if not self._faulty:
            self._reported.pop("fault", None)
        self.figures.up = good
        self.figures.interval = self._interval()
        self.figures.round_duration.observe(loop.time() - started)
        return good

    def close(self) -> None:
        """Gives the database's connection back."""
        self._store.close()

    def _interval(self) -> float:
        watermark = self._watermarks.get(resources.HISTORY_CONFERENCE.name)
        return pace(self._ring, watermark, self._settings.interval_seconds)

    async def _read_all(self, since: datetime | None, progress: Progress | None) -> bool:
        self._watermarks = await asyncio.to_thread(self._store.watermarks)
        failures: dict[str, str] = {}
        try:
            await self._look_at_ring()
            await self._read_configuration()
        except PexipError as error:
            failures[error.resource] = str(error)
        else:
            for resource in ORDER:
                try:
                    await self._read(resource, since, progress)
                    if resource in RECONCILED:
                        await self._reconcile(resource)
                except PexipError as error:
                    failures[resource.name] = str(error)
        for name in [*self._reported]:
            if name not in failures and name not in ("database", "fault"):
                self._mend(name, f"reads {name} again")
        for name, words in failures.items():
            self._report(name, words)
        return not failures

    async def _look_at_ring(self) -> None:
        """Notes how far back the node remembers, and says so where it has forgotten what was not read."""
        self._ring = await self._unless_stopped(read_ring(self._node))
        name = resources.HISTORY_CONFERENCE.name
        watermark = self._watermarks.get(name)
        self.figures.oldest = self._ring.oldest
        self.figures.ring_conferences = self._ring.conferences
        self.figures.watermark = watermark
        headroom = self._ring.headroom(watermark)
        if headroom is None or headroom >= timedelta() or watermark is None or self._ring.oldest is None:
            return
        found = datetime.now(UTC)
        if await asyncio.to_thread(self._store.note_gap, name, watermark, self._ring.oldest, found):
            self.figures.gaps.inc()
            self.figures.gap_seconds.inc(-headroom.total_seconds())
            logger.error(
                "history is lost from {:%Y-%m-%d %H:%M:%S} to {:%Y-%m-%d %H:%M:%S} UTC: the Management Node "
                "forgot it before it was read; it keeps {:,} conferences, so read it more often, or find out "
                "why it was not read",
                watermark,
                self._ring.oldest,
                KEPT_CONFERENCES,
            )

    async def _read_configuration(self) -> None:
        """The addresses of nodes, by which records name them."""
        now = datetime.now(UTC)
        if now - self._configured < CONFIGURATION_INTERVAL:
            return
        reading = await self._unless_stopped(self._node.read(resources.WORKER_VM_CONFIGURATION))
        self._configuration = Configuration(worker_vms=reading.rows)
        self._configured = now

    def _context(self) -> Context:
        return Context(
            nodes=self._configuration.node_names,
            telephony=self._telephony,
            claims=self._organisations.current[1],
            license_reasons=self._license_reasons,
            capacity_reasons=self._capacity_reasons,
            today=datetime.now(UTC).date(),
        )

    async def _begin(self, resource: Resource[Any], since: datetime | None) -> datetime | None:
        """Where to read from: never later than what has been read, so that nothing is passed over."""
        watermark = self._watermarks.get(resource.name)
        usual = None if watermark is None else watermark - self._overlap
        if usual is not None and resource is resources.HISTORY_BACKPLANE:
            usual = await asyncio.to_thread(self._store.earliest_start, usual)
        return usual if since is None else min(since, usual or since)

    async def _read(self, resource: Resource[Any], since: datetime | None, progress: Progress | None) -> int:
        """Reads a resource to its end; the next page is fetched while one is written. The number added."""
        begun = node_time(self._node)
        read = added = 0
        total: int | None = None
        context = self._context()
        begin = await self._begin(resource, since)
        walk = pages(self._node, resource, begin, self._settings.page_size)
        following = asyncio.ensure_future(anext(walk, None))
        try:
            while (page := await self._unless_stopped(following)) is not None:
                following = asyncio.ensure_future(anext(walk, None))
                written = await self._write(resource, page, context)
                added += written.added
                total = page.total if total is None else total
                read += len(page.reading.rows)
                if progress is not None:
                    progress(resource.name, read, total)
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await following
        self.figures.current_until[resource.name] = begun
        return added

    async def _write(self, resource: Resource[Any], page: Page, context: Context) -> Written:
        rows = page.reading.rows
        written = await asyncio.to_thread(self._store.write, resource, rows, page.watermark, context)
        if page.watermark is not None:
            self._watermarks[resource.name] = max(
                page.watermark, self._watermarks.get(resource.name, page.watermark)
            )
            self.figures.current_until[resource.name] = page.watermark
            if resource is resources.HISTORY_CONFERENCE:
                self.figures.watermark = self._watermarks[resource.name]
        self._count(resource, page, written)
        return written

    def _count(self, resource: Resource[Any], page: Page, written: Written) -> None:
        rejected = page.reading.rejected
        for outcome, number in (
            ("added", written.added),
            ("known", written.known),
            ("refused", written.refused),
            ("rejected", len(rejected)),
        ):
            self.figures.records.labels(resource=resource.name, outcome=outcome).inc(number)
        for rule, number in written.odd.items():
            self.figures.odd.labels(rule=rule).inc(number)
        if rejected:
            self._telemetry.rows_rejected.labels(resource=resource.name).inc(len(rejected))
        if rejected and resource.name not in self._malformed:
            self._malformed.add(resource.name)
            logger.warning("malformed records of {} are left out; the first: {}", resource.name, rejected[0])
        if written.refused:
            logger.error("{} records of {} are refused by the database", written.refused, resource.name)

    async def _reconcile(self, resource: Resource[Any]) -> None:
        """Counts what the node has of the last day, and reads it again where records are missing.

        It is due when an hour has passed, by our clock or by what has been read.
        """
        watermark = self._watermarks.get(resource.name)
        if watermark is None or self._ring.oldest is None:
            return
        now = datetime.now(UTC)
        counted, read_until = self._reconciled.get(resource.name, (_LONG_AGO, _LONG_AGO))
        if max(now - counted, watermark - read_until) < RECONCILE_INTERVAL:
            return
        start, end = max(watermark - RECONCILE_SPAN, self._ring.oldest), watermark - self._overlap
        if start < end:
            await self._count_again(resource, start, end)
        self._reconciled[resource.name] = now, watermark

    async def _count_again(self, resource: Resource[Any], start: datetime, end: datetime) -> None:
        """Reads what ended from `start` on again where the node has more of it up to `end` than we do.

        What is missing afterwards too is malformed or refused, and is not read again for it.
        """
        has = await self._unless_stopped(count_between(self._node, resource, start, end))
        known = await asyncio.to_thread(self._store.count_between, resource, start, end)
        if has is None or has - known <= self._unreadable.get(resource.name, 0):
            return
        added = await self._read(resource, start, None)
        known = await asyncio.to_thread(self._store.count_between, resource, start, end)
        self._unreadable[resource.name] = has - known
        if added:
            self.figures.late.labels(resource=resource.name).inc(added)
            logger.info("{} records of {} had come late and are read", added, resource.name)

    async def _unless_stopped(self, work: Awaitable[Answer]) -> Answer:
        """What the Management Node answers. Raises StoppedError when told to stop before it does."""
        task = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            if not task.done() or self._stop.is_set():
                task.cancel()
        if self._stop.is_set():
            raise StoppedError
        return task.result()

    async def _keep_up(self, progress: Progress | None) -> None:
        """Computes usage and drops what is too old, each when it is due."""
        now = datetime.now(UTC)
        if now - self._computed >= USAGE_INTERVAL:
            await self.compute_usage(progress)
            self._computed = now
        if now - self._pruned >= PRUNE_INTERVAL:
            await asyncio.to_thread(self._store.prune, now)
            self._pruned = now

    async def compute_usage(self, progress: Progress | None = None) -> None:
        """Computes the usage of all days that got records. Raises StoreError, and StoppedError."""
        tree = self._organisations.current[0]
        today = (datetime.now(self._zone) - SAMPLED_AFTER).date()
        if today != self._day:  # the last hours of yesterday have been sampled to their end since
            await asyncio.to_thread(self._store.mark_pending, today - timedelta(days=1))
            self._day = today
        days = await asyncio.to_thread(self._store.pending_days)
        for number, day in enumerate(days, 1):
            if self._stop.is_set():
                raise StoppedError
            try:
                rows = await asyncio.to_thread(self._store.compute_day, day, tree)
            except StoreError:
                raise
            except Exception as error:  # the day stays pending, and stops no other
                self._report_fault(error)
                continue
            self._telemetry.store_rows.labels(table="usage").inc(rows)
            if progress is not None:
                progress("usage", number, len(days))
        figures = await asyncio.to_thread(self._store.figures, datetime.now(UTC))
        self.figures.unassigned = figures.unassigned_ratio
        self.figures.peak_difference = figures.peak_difference
        self.figures.pending_days = figures.pending_days
        self.figures.unlinked = figures.unlinked

    def _report_fault(self, error: Exception) -> None:
        """Tells of a fault of the program, but not in its own words, which may hold a person's name."""
        self._faulty = True
        words = f"a fault of the program: {type(error).__name__} {origin(error)}; the rest goes on"
        self._report("fault", words)

    def _report(self, about: str, words: str) -> None:
        """Logs a fault once until it is mended."""
        if about not in self._reported:
            logger.error("history: {}", words)
        self._reported[about] = words

    def _mend(self, about: str, words: str) -> None:
        if self._reported.pop(about, None) is not None:
            logger.info("history: {}", words)
