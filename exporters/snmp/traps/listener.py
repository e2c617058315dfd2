"""Traps and informs of the network kit: received, counted by device and name, the last ones kept."""

import asyncio
import time
from collections import deque
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from loguru import logger
from prometheus_client import CollectorRegistry

from exporters.snmp.traps.catalogue import catalogue
from exporters.snmp.traps.engines import Engines
from exporters.snmp.traps.faults import Faults
from exporters.snmp.traps.gate import Gate
from exporters.snmp.traps.header import MalformedError, read_header
from exporters.snmp.traps.reading import NoTrapError, Trap, read
from exporters.snmp.traps.receiver import Address, Receiver, RefusedError, make_receiver
from exporters.snmp.traps.socket import bind, kernel_drops
from exporters.snmp.traps.sources import Sources, plain_address
from exporters.snmp.traps.telemetry import NOBODY, TrapTelemetry
from vdx.settings import Settings, SettingsError

__all__ = ["MOST_BYTES", "MOST_RECENT", "Trap", "TrapListener"]

MOST_RECENT: Final = 200
"""Traps that are kept."""

MOST_BYTES: Final = 8192
"""Bytes of a datagram at most; a trap of 1,500 is large."""

_HOUSEKEEPING_SECONDS: Final = 5.0


class TrapListener(asyncio.DatagramProtocol):
    """Receives traps on traps.listen while it is started. All of it runs in one event loop."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._listen = settings.traps.listen
        self._recent: deque[Trap] = deque(maxlen=MOST_RECENT)
        self._transport: asyncio.DatagramTransport | None = None
        self._receiver: Receiver | None = None
        self._engines: Engines | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._fault = f"traps are not received on {self._listen}" if self._listen else ""
        self._faults = Faults()
        self._sources = Sources(settings.devices)
        self._gate = Gate(settings.traps.per_second, (*settings.devices, NOBODY), time.monotonic())
        if self._listen:
            self._telemetry = TrapTelemetry(registry, settings.devices, catalogue())

    @property
    def recent(self) -> tuple[Trap, ...]:
        """The last traps, the latest first."""
        return tuple(reversed(self._recent))

    @property
    def fault(self) -> str:
        """Why traps are not received, in a sentence; empty when they are, or shall not be."""
        return self._fault

    @property
    def port(self) -> int:
        """The UDP port that traps come to; 0 while there is none."""
        return int(self._transport.get_extra_info("sockname")[1]) if self._transport else 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begins to receive; does nothing where traps.listen is empty.

        Raises SettingsError when the address cannot be used or a secret cannot be read; `fault` says it too.
        """
        if not self._listen:
            return
        credentials = self._settings.snmp.credentials
        try:
            self._receiver = make_receiver(credentials, self._listen, self._answer)
            listener = bind(self._listen)
        except SettingsError as error:
            self._fault = str(error)
            self._close_receiver()
            raise
        self._engines = Engines(self._receiver, self._settings.devices, tuple(credentials))
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, sock=listener
        )
        self._fault = ""
        self._telemetry.up.set(1)
        self._tasks = [asyncio.create_task(self._keep_house()), asyncio.create_task(self._sources.keep())]
        logger.info("traps: received on {}; engine id 0x{}", self._listen, self._receiver.engine_id.hex())

    async def stop(self) -> None:
        """Ends receiving; what was received stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            self._telemetry.up.set(0)
            self._fault = f"traps are not received on {self._listen}"
        self._close_receiver()

    def _close_receiver(self) -> None:
        if self._receiver is not None:
            self._receiver.close()
        self._receiver = self._engines = None

    def _answer(self, datagram: bytes, address: Address) -> None:
        if self._transport is not None:
            self._transport.sendto(datagram, address)

    def learn_engine(self, device: str, engine_id: bytes) -> None:
        """Takes note of a device's SNMP engine id, so that its v3 traps can be authenticated.

        Cheap when it is known. What is no engine id, or of no device of the settings, is ignored, as is
        all while traps are not received.
        """
        if self._engines is not None:
            self._engines.learn(device, engine_id)

    def connection_lost(self, exc: Exception | None) -> None:
        """Notes that the socket is gone by itself."""
        if exc is not None:
            self._fault = (
                f"traps.listen: the socket on {self._listen} failed ({exc}); start the service again"
            )
            self._telemetry.up.set(0)
            logger.error("traps: {}", self._fault)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Takes one datagram: a trap is counted and kept, anything else is counted."""
        if self._engines is None:
            return
        address = plain_address(addr[0])
        source = self._sources.device(address)
        if reason := self._gate.refuses(source, time.monotonic()):
            self._drop(source, reason)
            return
        started = time.perf_counter()
        try:
            self._take(self._engines, data, addr, address, source)
        except RefusedError as refused:
            self._drop(source, refused.reason)
        except (MalformedError, NoTrapError):
            self._telemetry.malformed(source)
            self._faults.tell(source, "malformed")
        finally:
            self._gate.worked(time.perf_counter() - started)

    def _take(self, engines: Engines, data: bytes, addr: Address, address: str, source: str) -> None:
        if len(data) > MOST_BYTES:
            raise RefusedError("size")
        header = read_header(data)
        varbinds = engines.receive(data, addr, header, source)
        if varbinds is None:
            return
        reading = read(varbinds, catalogue())
        device = source if source != NOBODY else engines.owner(header.engine_id) or NOBODY
        now = datetime.now(UTC)
        self._telemetry.received(device, reading, now)
        self._recent.append(
            Trap(now, device, address, reading.name, reading.level, reading.meaning, reading.details)
        )

    def _drop(self, source: str, reason: str) -> None:
        self._telemetry.dropped(source, reason)
        self._faults.tell(source, reason)

    async def _keep_house(self) -> None:
        seen = 0
        while self._transport is not None:
            drops = kernel_drops(self._transport.get_extra_info("socket"))
            if drops is not None and drops > seen:
                self._telemetry.socket_drops.inc(drops - seen)
                seen = drops
            self._faults.forget_mended()
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)
