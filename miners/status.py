"""The status miner: one poll of the Management Node on each beat of the grid."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from loguru import logger

from miners.grid import beat_before, beats_between
from vdx.capacity import TelephonyRule, Usage, measure
from vdx.pexip import resources
from vdx.pexip.client import ManagementNode, Reading
from vdx.pexip.errors import PexipError
from vdx.pexip.resources import Resource
from vdx.settings import Settings
from vdx.snapshot import ESSENTIAL, Configuration, Failure, Snapshot
from vdx.telemetry import Telemetry

CONFIGURATION_INTERVAL: Final = timedelta(minutes=10)
DEADLINE_SHARE: Final = 0.8
"""Part of the interval in which a poll must end, retries and all, so that it never meets the next beat."""

STATUS_FIELDS: Final[Mapping[Resource[Any], str]] = {
    resources.PARTICIPANT: "participants",
    resources.CONFERENCE: "conferences",
    resources.CONFERENCE_SHARD: "conference_shards",
    resources.BACKPLANE: "backplanes",
    resources.LICENSING: "licensing",
    resources.SYSTEM_LOCATION: "locations",
    resources.WORKER_VM: "nodes",
    resources.MANAGEMENT_VM: "managers",
    resources.ALARM: "alarms",
    resources.REGISTRATION_ALIAS: "registrations",
    resources.TEAMSNODE: "teams_nodes",
}
"""Status resource -> field of the snapshot; what must agree with each other is asked for first."""

CONFIGURATION_FIELDS: Final[Mapping[Resource[Any], str]] = {
    resources.WORKER_VM_CONFIGURATION: "worker_vms",
    resources.MANAGEMENT_VM_CONFIGURATION: "management_vms",
    resources.SYSTEM_LOCATION_CONFIGURATION: "system_locations",
    resources.LICENCE_CONFIGURATION: "licences",
}
"""Configuration resource -> field of `Configuration`; one is asked for per poll, addresses first."""

LANES: Final = 2
"""Resources that are read at the same time: fewer pages in memory, and kinder to the Management Node than the
five requests that the client allows. The list of participants, the longest, has one lane nearly to itself."""

_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)

Listener = Callable[[Snapshot, Usage], None]
Answer = Reading[Any] | Failure


class StatusMiner:
    """Polls the Management Node once per resource and cycle and hands each snapshot to its listeners.

    Configuration is read one resource per poll and kept for ten minutes, so that a cycle never sends
    more than twelve requests while every list fits one page.
    """

    def __init__(
        self,
        node: ManagementNode,
        settings: Settings,
        telemetry: Telemetry,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._node = node
        self._settings = settings
        self._telemetry = telemetry
        self._listeners = listeners
        self._telephony = TelephonyRule(settings.pstn)
        self._interval = timedelta(seconds=settings.pexip.interval_seconds)
        self._configuration = Configuration()
        self._due: dict[Resource[Any], datetime] = {}
        self._configuration_failures: dict[str, Failure] = {}
        self._reported: dict[str, list[str]] = {}
        self._malformed: set[str] = set()
        self._lanes = asyncio.Semaphore(LANES)

    async def poll(self, beat: datetime) -> tuple[Snapshot, Usage]:
        """Polls once for `beat` (UTC) and hands the result on. Never raises for what the platform does."""
        self._telemetry.polls.inc()
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline = started + DEADLINE_SHARE * self._interval.total_seconds()
        due = self._configuration_due(beat)
        wanted = [*STATUS_FIELDS, *due]
        answers = await asyncio.gather(*(self._read(resource, deadline) for resource in wanted))
        answered = plausible(dict(zip(wanted, answers, strict=True)), self._configuration)
        self._keep_configuration(beat, answered)
        snapshot = self._snapshot(beat, loop.time() - started, answered)
        if not snapshot.up:
            self._telemetry.poll_failures.inc()
        self._report_malformed(answered)
        self._report(snapshot)
        usage = measure(snapshot, self._settings, self._telephony)
        for listener in self._listeners:
            try:
                listener(snapshot, usage)
            except Exception:
                logger.exception("a listener of the status miner failed; the poll goes on")
        return snapshot, usage

    async def run(self, stop: asyncio.Event) -> None:
        """Polls at once, then on every beat, until `stop` is set. A poll that lasts past a beat skips it."""
        last = beat_before(datetime.now(UTC), self._interval)
        await self._poll_unless(stop, last)
        while not stop.is_set():
            now = datetime.now(UTC)
            skipped = list(beats_between(last, now, self._interval))
            if skipped:
                self._telemetry.polls_skipped.inc(len(skipped))
                logger.warning(
                    "{} beats were skipped: the poll of {:%H:%M:%S} UTC had not ended", len(skipped), last
                )
            last = beat_before(now, self._interval) + self._interval
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), (last - now).total_seconds())
            await self._poll_unless(stop, last)

    async def _poll_unless(self, stop: asyncio.Event, beat: datetime) -> None:
        """Polls, and gives up the poll at once when `stop` is set."""
        if stop.is_set():
            return
        poll = asyncio.create_task(self.poll(beat))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((poll, stopped), return_when=asyncio.FIRST_COMPLETED)
        for task in (poll, stopped):
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if poll.done() and not poll.cancelled():
            poll.result()

    async def _read(self, resource: Resource[Any], deadline: float) -> Answer:
        try:
            async with self._lanes:
                return await self._node.read(resource, deadline=deadline)
        except PexipError as error:
            return Failure(str(error).removeprefix(f"{resource.name}: "), error.code)

    def _configuration_due(self, beat: datetime) -> list[Resource[Any]]:
        """The configuration resource that is longest overdue, if one is due."""
        due = {resource: self._due.get(resource, _AT_ONCE) for resource in CONFIGURATION_FIELDS}
        first = min(due, key=due.__getitem__)
        return [first] if beat >= due[first] else []

    def _keep_configuration(self, beat: datetime, answered: Mapping[Resource[Any], Answer]) -> None:
        """Keeps what was read. What was not is tried again with the next poll, after what is overdue longer;
        its failure is shown until then, unless the whole node could not be read."""
        blind = all(isinstance(answer, Failure) for answer in answered.values())
        for resource in answered.keys() & CONFIGURATION_FIELDS.keys():
            answer = answered[resource]
            if isinstance(answer, Failure):
                self._due[resource] = beat + self._interval
                if not blind:
                    self._configuration_failures[resource.name] = answer
            else:
                self._due[resource] = beat + CONFIGURATION_INTERVAL
                self._configuration_failures.pop(resource.name, None)
                fields = {CONFIGURATION_FIELDS[resource]: answer.rows}
                self._configuration = msgspec.structs.replace(self._configuration, **fields)

    def _snapshot(
        self, beat: datetime, duration: float, answered: Mapping[Resource[Any], Answer]
    ) -> Snapshot:
        fields: dict[str, Any] = {}
        failures = dict(self._configuration_failures)
        rejected = {}
        for resource, answer in answered.items():
            if isinstance(answer, Failure):
                failures[resource.name] = answer
                continue
            if answer.rejected:
                rejected[resource.name] = len(answer.rejected)
            if resource is resources.LICENSING:
                fields["licensing"] = next(iter(answer.rows), None)
            elif resource in STATUS_FIELDS:
                fields[STATUS_FIELDS[resource]] = answer.rows
        return Snapshot(
            time=beat,
            duration_seconds=duration,
            configuration=self._configuration,
            failures=failures,
            rejected=rejected,
            **fields,
        )

    def _report_malformed(self, answered: Mapping[Resource[Any], Answer]) -> None:
        """Counts rows that were left out, and logs the first of a resource until it has none again."""
        malformed = set()
        for resource, answer in answered.items():
            if isinstance(answer, Failure) or not answer.rejected:
                continue
            self._telemetry.rows_rejected.labels(resource=resource.name).inc(len(answer.rejected))
            malformed.add(resource.name)
            if resource.name not in self._malformed:
                logger.warning(
                    "{} malformed rows of {} are left out; the first: {}",
                    len(answer.rejected),
                    resource.name,
                    answer.rejected[0],
                )
        self._malformed = malformed

    def _report(self, snapshot: Snapshot) -> None:
        """Logs what cannot be read, and that it can be read again, once for each change."""
        failed: dict[str, list[str]] = {}
        for resource, failure in sorted(snapshot.failures.items()):
            failed.setdefault(failure.reason, []).append(resource)
        for reason, names in failed.items():
            if reason not in self._reported:
                log = logger.error if any(name in ESSENTIAL for name in names) else logger.warning
                log("cannot read {}: {}", _name(names), reason)
        before = {name for names in self._reported.values() for name in names}
        again = sorted(before - snapshot.failures.keys())
        if again:
            logger.info("reads again: {}", _name(again))
        self._reported = failed


def plausible(answered: Mapping[Resource[Any], Answer], known: Configuration) -> dict[Resource[Any], Answer]:
    """A Management Node that starts lists nothing for a while. When it lists none of the nodes that are
    configured, its empty lists are failures and not an empty platform.
    """
    nodes = answered[resources.WORKER_VM]
    if isinstance(nodes, Failure) or nodes.rows or not known.worker_vms:
        return dict(answered)
    starting = Failure("the Management Node lists none of its nodes: it may be starting; look again soon")
    return {
        resource: starting if isinstance(answer, Reading) and not answer.rows else answer
        for resource, answer in answered.items()
    }


def _name(names: Sequence[str]) -> str:
    return "the Management Node" if len(names) >= len(STATUS_FIELDS) else ", ".join(names)
