"""The SNMP exporter as a command."""

import asyncio
from collections.abc import Collection, Iterable
from contextlib import AsyncExitStack

from loguru import logger
from prometheus_client import CollectorRegistry
from rich.table import Table

from app.lifetimes import Lifetimes
from app.signals import signals
from app.terminal import console
from exporters.server import application
from exporters.serving import serve
from exporters.snmp.device import State
from exporters.snmp.exporter import SNMPExporter, devices, modules
from exporters.snmp.target import Targets
from exporters.snmp.traps.listener import TrapListener
from miners.configs import ConfigurationMiner
from vdx.configurations import Backup
from vdx.settings import Settings, SettingsError
from vdx.telemetry import process_registry


class Network:
    """The SNMP exporter, its traps and the copies of configurations, in one process."""

    def __init__(self, settings: Settings, registry: CollectorRegistry, *, copies: bool) -> None:
        """`copies`: whether configurations are copied too. Raises SettingsError."""
        self._settings = settings
        self._modules = modules(settings)
        self.traps = TrapListener(settings, registry)
        self.exporter = SNMPExporter(devices(settings, self._modules, self.traps.learn_engine), registry)
        has_login = any(device.login for device in settings.devices.values())
        self._miner = ConfigurationMiner(settings, registry) if copies and has_login else None

    @property
    def backups(self) -> Collection[Backup]:
        """What is known of the copies of configurations."""
        return self._miner.backups.values() if self._miner else ()

    def serials(self) -> dict[str, tuple[str, ...]]:
        """The serial numbers that devices told, by device."""
        return {
            state.name: state.last.told.identity.serials
            for state in self.exporter.states
            if state.last is not None
        }

    async def serve(self, stack: AsyncExitStack) -> str:
        """Serves /metrics and /snmp, and listens for traps, while the stack is open; gives the address.

        Raises SettingsError.
        """
        pages = application(
            self.exporter,
            self._settings.snmp,
            section="snmp",
            routes=(Targets(self._settings, self._modules).route,),
            links=(("/snmp", "any device, as snmp_exporter has it: ?target=ADDRESS&module=NAME&auth=NAME"),),
        )
        url = await stack.enter_async_context(serve(pages, self._settings.snmp, "snmp"))
        await stack.enter_async_context(self.traps)
        logger.info("network kit: {} devices, {}/metrics", len(self.exporter.states), url)
        return url

    async def run(self, stop: asyncio.Event) -> None:
        """Polls and copies until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.exporter.run(stop), name="snmp")
            if self._miner is not None:
                group.create_task(self._miner.run(stop), name="configurations")


async def run(settings: Settings) -> int:
    """Polls until a signal comes. Raises SettingsError."""
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(signals(stop))
        registry = process_registry()
        network = Network(settings, registry, copies=False)
        lifetimes = Lifetimes(settings, registry, network.serials)
        await network.serve(stack)
        async with asyncio.TaskGroup() as group:
            group.create_task(lifetimes.run(stop))
            group.create_task(network.run(stop))
            await stop.wait()
    logger.info("stopped")
    return 0


async def once(settings: Settings) -> int:
    """Polls each device once and tells it: 0 when all answered, else 1. Raises SettingsError."""
    polled = devices(settings, modules(settings))
    if not polled:
        raise SettingsError("devices: none has snmp set; write [devices.NAME] with address, kind and snmp")
    await asyncio.gather(*(device.poll() for device in polled))
    states = [device.state for device in polled]
    out = console()
    if out.is_terminal:
        out.print(_table(states))
    else:
        for state in states:
            out.print(state.name, "up" if state.up else "down", _words(state), markup=False)
    return 0 if all(state.up for state in states) else 1


def _words(state: State) -> str:
    told = state.last.told if state.last else None
    parts = [part for part in told.components if part.state in ("warning", "critical")] if told else []
    named = (
        f"{' '.join(filter(None, (part.kind, part.name)))}: {part.words or part.state}" for part in parts
    )
    return "; ".join(filter(None, (state.words, *named)))


def _table(states: Iterable[State]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Device", "Kind", "Site", "State", "Serial", "Seconds", "What is wrong"):
        table.add_column(heading, justify="right" if heading == "Seconds" else "left", overflow="fold")
    for state in states:
        told = state.last.told if state.last else None
        table.add_row(
            state.name,
            state.kind,
            state.site,
            "[green]up[/]" if state.up else "[bold red]DOWN[/]",
            ", ".join(told.identity.serials) if told else "",
            f"{state.duration_seconds or 0:.2f}",
            _words(state),
        )
    return table
