"""The SNMP exporter: all devices of the inventory, polled each by itself, as one text."""

import asyncio
import gzip
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest

from exporters.snmp.access import access
from exporters.snmp.device import Device, Heard, Parts, State
from exporters.snmp.library import Modules
from exporters.snmp.module import ModuleError
from vdx.settings import Settings, SettingsError


def modules(settings: Settings) -> Modules:
    """The modules that devices refer to. Raises SettingsError."""
    try:
        return Modules(settings.snmp.modules_directory)
    except ModuleError as error:
        raise SettingsError(f"snmp.modules_directory: {error}") from None


def devices(settings: Settings, known: Modules, heard: Heard | None = None) -> list[Device]:
    """The devices that are to be polled, in the order of the settings. Raises SettingsError."""
    found: list[Device] = []
    for name, device in settings.devices.items():
        if not device.snmp:
            continue
        try:
            module = known.get(device.kind)
        except ModuleError as error:
            raise SettingsError(f"devices.{name}.kind: {error}") from None
        credentials = settings.snmp.credentials[device.snmp]
        way = access(device.address, device.snmp_port, credentials, f"snmp.credentials.{device.snmp}")
        found.append(Device(name, device, settings=settings.snmp, module=module, way=way, heard=heard))
    return found


class SNMPExporter:
    """Polls devices and hands out their text."""

    title = "SNMP exporter"
    description = "The network kit and servers of the VDX video platform, by SNMP."

    def __init__(self, polled: Sequence[Device], registry: CollectorRegistry) -> None:
        self._devices = polled
        self._registry = registry

    @property
    def states(self) -> list[State]:
        """What is known of each device."""
        return [device.state for device in self._devices]

    async def run(self, stop: asyncio.Event) -> None:
        """Polls all devices until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            for device in self._devices:
                group.create_task(device.run(stop), name=f"snmp {device.state.name}")

    def metrics(self, now: datetime) -> bytes:  # noqa: ARG002 - ages are reckoned by the monotonic clock
        """The text of /metrics."""
        current = time.monotonic()
        text = merged(parts for device in self._devices for parts in device.text(current))
        return text.encode("utf-8", "replace") + generate_latest(self._registry)

    def compressed_metrics(self, now: datetime) -> bytes:
        """The same as a gzip file."""
        return gzip.compress(self.metrics(now), compresslevel=1)

    def fault(self, now: datetime) -> str:  # noqa: ARG002
        """Why it is not ready: a device that has not been polled yet."""
        waiting = sum(device.state.up is None for device in self._devices)
        return f"{waiting} of {len(self._devices)} devices have not been polled yet" if waiting else ""


def merged(texts: Iterable[Parts]) -> str:
    """One text of several: the lines of a metric together, under its HELP and TYPE once."""
    families: dict[str, list[str]] = {}
    for parts in texts:
        for name, (header, lines) in parts.items():
            families.setdefault(name, [header]).append(lines)
    return "".join("".join(family) for family in families.values())
