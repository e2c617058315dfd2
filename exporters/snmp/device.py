"""A device of the inventory: polled on its own clock, with what is known of it and its text."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeAlias

import msgspec
from loguru import logger

from exporters.exposition import Family, Renderer
from exporters.snmp.access import Access
from exporters.snmp.agent import Agent
from exporters.snmp.faults import AgentError, Fault
from exporters.snmp.memory import Memory
from exporters.snmp.module import Module
from exporters.snmp.reading import Reading, read
from exporters.snmp.samples import SENSORS, STATES, Told
from exporters.snmp.telling import Teller
from vdx import metrics
from vdx.settings import DeviceSettings, SNMPSettings

DEADLINE: Final = 0.9
"""Share of its interval that a poll may take."""
STALE_INTERVALS: Final = 3
"""Intervals after which a device's figures are shown no more."""
SPREAD_SECONDS: Final = 5.0
"""Seconds within which the first polls of all devices begin."""

Parts: TypeAlias = dict[str, tuple[str, str]]
"""Name of a metric -> its HELP and TYPE, and its lines."""
Heard: TypeAlias = Callable[[str, bytes], None]
"""Is told a device's name and its SNMPv3 engine."""


class Read(msgspec.Struct, frozen=True):
    """A poll that was answered."""

    time: datetime
    monotonic: float
    reading: Reading
    told: Told


class State(msgspec.Struct, frozen=True):
    """What is known of a device."""

    name: str
    kind: str
    site: str
    up: bool | None = None
    """None before the first poll has ended."""
    words: str = ""
    """What is wrong, in plain words with the mend; empty when nothing is."""
    faults: dict[str, str] = {}
    """Table that could not be read -> why."""
    tried: datetime | None = None
    """When the last poll ended."""
    duration_seconds: float | None = None
    last: Read | None = None
    before: Read | None = None
    """The poll before `last`, for rates; None after a gap."""


class Device:
    """Polls one device. `state` is renewed after each poll; `text` gives its part of /metrics."""

    def __init__(
        self,
        name: str,
        device: DeviceSettings,
        *,
        settings: SNMPSettings,
        module: Module,
        way: Access,
        heard: Heard | None = None,
    ) -> None:
        self.state = State(name, module.name, device.site)
        self.interval = float(device.interval_seconds or settings.interval_seconds)
        self._base = name, device.site
        self._agent = Agent(way, settings)
        self._module = module
        self._memory = Memory()
        self._teller = Teller(module, ("device", "site"))
        self._renderer = Renderer()
        self._heard = heard
        self._errors: Counter[Fault] = Counter()
        self._rejected = 0
        self._parts: Parts = {}
        self._own_parts = Renderer().parts(self._own_families())

    async def run(self, stop: asyncio.Event) -> None:
        """Polls at each interval until `stop` is set; never ends for what the device does."""
        start = time.monotonic() + random.uniform(0, min(SPREAD_SECONDS, self.interval))  # noqa: S311 - jitter
        beat = 0
        while not await _set_within(stop, start + beat * self.interval - time.monotonic()):
            await self.poll()
            beat = max(beat + 1, int((time.monotonic() - start) / self.interval) + 1)

    async def poll(self) -> None:
        """Polls once."""
        started = time.monotonic()
        try:
            reading = await read(self._agent, self._module, self._memory, DEADLINE * self.interval)
            told = self._teller.tell(reading, self._base)
            parts = self._renderer.parts([*told.families, *self._shared_families(told)])
        except AgentError as error:
            self._agent.close()
            self._errors[error.fault] += 1
            self._publish_failure(str(error), time.monotonic() - started)
        except Exception as error:
            self._agent.close()
            self._errors[Fault.PROGRAM] += 1
            logger.opt(exception=error).error("{} could not be polled: a fault of the program", self._base[0])
            self._publish_failure("a fault of the program; the log has it", time.monotonic() - started)
        else:
            self._parts = parts
            self._errors.update(fault.fault for fault in reading.faults.values())
            self._rejected += told.rejected
            self._publish(reading, told, started)
            if self._heard and (engine := self._agent.engine_id):
                self._heard(self._base[0], engine)
        self._own_parts = Renderer().parts(self._own_families())

    def text(self, now: float) -> Iterator[Parts]:
        """The device's part of /metrics at a monotonic time: its own figures while they are young."""
        yield self._own_parts
        last = self.state.last
        if last is not None and now - last.monotonic <= STALE_INTERVALS * self.interval:
            yield self._parts

    def _publish(self, reading: Reading, told: Told, started: float) -> None:
        before = self.state
        faults = {table: str(error) for table, error in reading.faults.items()}
        words = "; ".join(f"{table}: {fault}" for table, fault in faults.items())
        ended = time.monotonic()
        self.state = msgspec.structs.replace(
            before,
            up=True,
            words=words,
            faults=faults,
            tried=datetime.now(UTC),
            duration_seconds=ended - started,
            last=Read(datetime.now(UTC), started, reading, told),
            before=before.last if before.up else None,
        )
        if words != before.words or not before.up:
            if words:
                logger.warning("{}: {}", before.name, words)
            elif before.up is not None:
                logger.info("{}: is read again", before.name)

    def _publish_failure(self, words: str, seconds: float) -> None:
        if self.state.up is not False or self.state.words != words:
            logger.warning("{}: {}", self.state.name, words)
        self.state = msgspec.structs.replace(
            self.state,
            up=False,
            words=words,
            tried=datetime.now(UTC),
            duration_seconds=seconds,
            before=None,
        )

    def _own_families(self) -> Iterator[Family]:
        state, base = self.state, self._base
        if state.up is not None:
            yield metrics.SNMP_UP, {(*base, state.kind): state.up}
        if state.duration_seconds is not None:
            yield metrics.SNMP_POLL_DURATION, {base: state.duration_seconds}
        yield metrics.SNMP_POLL_TIMESTAMP, {base: state.last.time.timestamp() if state.last else 0}
        yield metrics.SNMP_INTERVAL, {base: self.interval}
        yield metrics.SNMP_PACKETS, {base: self._agent.packets}
        yield metrics.SNMP_RETRIES, {base: self._agent.retries}
        yield metrics.SNMP_ERRORS, {(*base, fault): self._errors[fault] for fault in Fault}
        yield metrics.SNMP_VALUES_REJECTED, {base: self._rejected}

    def _shared_families(self, told: Told) -> Iterator[Family]:
        base, kind, who = self._base, self.state.kind, told.identity
        serials = who.serials or ("",)
        yield (
            metrics.SNMP_DEVICE_INFO,
            {(*base, kind, who.model, serial, who.version): 1 for serial in serials},
        )
        if told.components:
            yield (
                metrics.SNMP_COMPONENT_HEALTH,
                {(*base, part.kind, part.name): STATES[part.state] for part in told.components},
            )
        for unit, metric in SENSORS.items():
            sensors: dict[tuple[str, ...], float] = {
                (*base, sensor.name): sensor.value for sensor in told.sensors if sensor.unit == unit
            }
            if sensors:
                yield metric, sensors


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether it is set within so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), max(0.0, seconds))
    return event.is_set()
