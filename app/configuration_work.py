"""What the commands of `vdx config-backup` do. Each gives its exit status."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

import typer
from loguru import logger
from prometheus_client import CollectorRegistry
from rich.table import Table
from rich.text import Text

from app.command import GOOD, WORK_FAILED
from app.signals import signals
from app.terminal import console, number
from exporters.configuration import ConfigurationExporter
from exporters.server import application
from exporters.serving import serve
from miners.configs import ConfigurationMiner
from miners.configurations.archive import Archive, directory
from miners.configurations.errors import BackupError
from vdx.configurations import Change
from vdx.settings import Settings, SettingsError
from vdx.telemetry import process_registry

SHORT = 12
"""Digits of a revision that are shown."""
_LEAST = 4


async def once(settings: Settings) -> int:
    """Copies every device and ends: 0 when all could be copied, else 1. Raises SettingsError."""
    miner = _miner(settings, process_registry())
    stop = asyncio.Event()
    with signals(stop):
        work, ending = asyncio.create_task(miner.round()), asyncio.create_task(stop.wait())
        await asyncio.wait({work, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
            logger.info("stopped; what was copied is kept")
            return WORK_FAILED
        good = work.result()
    for backup in miner.backups.values():
        lines = number(backup.lines)
        words = backup.fault or f"{lines} lines, {len(backup.changes)} revisions"
        typer.echo(f"{backup.device}: {words}")
    return GOOD if good else WORK_FAILED


async def run(settings: Settings) -> int:
    """Copies until a signal comes, and serves /metrics. Raises SettingsError."""
    registry = process_registry()
    miner = _miner(settings, registry)
    exporter = ConfigurationExporter(registry, miner.backups)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(signals(stop))
        url = await stack.enter_async_context(serve(application(exporter, settings.server), settings.server))
        logger.info("metrics: {}/metrics", url)
        await miner.run(stop)
    logger.info("stopped")
    return GOOD


async def devices(settings: Settings) -> int:
    """Prints the devices with the state of their copies, in times of sla.time_zone."""
    archive, zone = Archive(directory(settings)), ZoneInfo(settings.sla.time_zone)
    rows = [("device", "last good copy", "last change", "lines", "revisions", "saved", "fault")]
    for name, device in settings.devices.items():
        if not device.login:
            continue
        try:
            backup = await archive.backup(name, device.site)
        except (BackupError, OSError) as error:
            return _failed(error)
        rows.append(
            (
                name,
                _time(backup.succeeded, zone),
                _time(backup.last_change, zone),
                number(backup.lines),
                number(len(backup.changes)),
                {None: "", False: "yes", True: "no"}[backup.startup_differs],
                backup.fault,
            )
        )
    _show(rows)
    return GOOD


async def revisions(settings: Settings, device: str) -> int:
    """Prints the revisions of a device, the latest first. Raises SettingsError."""
    zone = ZoneInfo(settings.sla.time_zone)
    try:
        changes = await _changes(Archive(directory(settings)), device)
    except (BackupError, OSError) as error:
        return _failed(error)
    rows = [("revision", "changed", "found", "added", "removed", "lines", "change window")]
    rows += (
        (
            change.revision[:SHORT],
            _time(change.time, zone),
            _time(change.found, zone),
            number(change.added),
            number(change.removed),
            number(change.lines),
            _where(change),
        )
        for change in changes
    )
    _show(rows)
    return GOOD


async def diff(settings: Settings, device: str, revision: str) -> int:
    """Prints what a revision changed. Raises SettingsError."""
    archive, zone = Archive(directory(settings)), ZoneInfo(settings.sla.time_zone)
    try:
        change = _chosen(await _changes(archive, device), device, revision)
        who, difference = await archive.shown(device, change.revision)
    except (BackupError, OSError) as error:
        return _failed(error)
    head = (
        f"{device} {change.revision[:SHORT]}: +{change.added} -{change.removed} lines, {_where(change)}\n"
        f"changed {_time(change.time, zone)} by {who}, found {_time(change.found, zone)} "
        f"({settings.sla.time_zone})\n\n"
    )
    _write(head.encode() + difference)
    return GOOD


async def restore(settings: Settings, device: str, revision: str) -> int:
    """Prints the text that the device showed, and nothing else. Raises SettingsError."""
    archive = Archive(directory(settings))
    try:
        change = _chosen(await _changes(archive, device), device, revision)
        text = archive.raw(device, change.revision)
    except (BackupError, OSError) as error:
        return _failed(error)
    _write(text)
    return GOOD


def _miner(settings: Settings, registry: CollectorRegistry) -> ConfigurationMiner:
    if not any(device.login for device in settings.devices.values()):
        raise SettingsError(
            "devices: none has a login, so there is nothing to copy; set devices.NAME.login and [logins.NAME]"
        )
    return ConfigurationMiner(settings, registry)


async def _changes(archive: Archive, device: str) -> Sequence[Change]:
    changes = await archive.changes(device)
    if not changes:
        raise SettingsError(f"{device}: there is no copy of such a device; see: vdx config-backup list")
    return changes


def _chosen(changes: Sequence[Change], device: str, revision: str) -> Change:
    if not revision:
        return changes[0]
    found = [change for change in changes if change.revision.startswith(revision.lower())]
    if len(found) != 1 or len(revision) < _LEAST:
        raise SettingsError(
            f"{revision}: {device} has no such revision, or several; see: vdx config-backup list {device}"
        )
    return found[0]


def _show(rows: Sequence[Sequence[str]]) -> None:
    """A table in a terminal; in a pipe a line for each row, with tabs. The first row tells the columns."""
    out = console()
    if not out.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    out.print(table)


def _where(change: Change) -> str:
    return {None: "first copy", "none": "no windows set"}.get(change.window, f"{change.window} the windows")


def _time(moment: datetime | None, zone: ZoneInfo) -> str:
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _write(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _failed(error: BackupError | OSError) -> int:
    words = f"cannot read {error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
    typer.echo(f"vdx: {words}", err=True)
    return WORK_FAILED
