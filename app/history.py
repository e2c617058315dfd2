"""The history miner as a command."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime

from loguru import logger
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from app.database import prepare_embedded
from app.signals import signals
from exporters.history import HistoryExporter
from exporters.server import application
from exporters.serving import serve
from miners import history
from miners.connection import management_node
from miners.history import HistoryMiner
from miners.organisations import OrganisationMiner
from vdx.settings import Settings
from vdx.telemetry import Telemetry


async def once(settings: Settings, since: datetime | None) -> int:
    """Reads all history up to the present and ends: 0 when all was read and kept, else 1."""
    telemetry = Telemetry()
    await asyncio.to_thread(prepare_embedded, settings)
    stop = asyncio.Event()
    async with management_node(settings.pexip, telemetry) as node:
        organisations = OrganisationMiner(settings, telemetry)
        miner = HistoryMiner(node, settings, telemetry, organisations, stop)
        with signals(stop), _shown() as progress:
            await asyncio.to_thread(organisations.refresh)
            good = await miner.round(since, progress)
        miner.close()
    if stop.is_set():
        logger.info("stopped; what was read is kept, and the next run goes on from there")
    return 0 if good else 1


async def run(settings: Settings, since: datetime | None) -> int:
    """Reads history until a signal comes, and serves /metrics. Raises SettingsError."""
    telemetry = Telemetry()
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(signals(stop))
        node = await stack.enter_async_context(management_node(settings.pexip, telemetry))
        organisations = OrganisationMiner(settings, telemetry)
        miner = HistoryMiner(node, settings, telemetry, organisations, stop)
        exporter = HistoryExporter(telemetry, miner.figures)
        url = await stack.enter_async_context(serve(application(exporter, settings.server), settings.server))
        logger.info("metrics: {}/metrics", url)
        await asyncio.to_thread(prepare_embedded, settings)
        await mine(miner, organisations, stop, since)
    logger.info("stopped")
    return 0


async def mine(
    miner: HistoryMiner, organisations: OrganisationMiner, stop: asyncio.Event, since: datetime | None = None
) -> None:
    """Reads organisations and history until `stop` is set; whose a call was is known before the first."""
    await asyncio.to_thread(organisations.refresh)
    async with asyncio.TaskGroup() as group:
        group.create_task(organisations.run(stop))
        group.create_task(miner.run(since))


@contextmanager
def _shown() -> Iterator[history.Progress]:
    """Bars on standard error, in a terminal alone."""
    out = Console(stderr=True)
    with Progress(
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=out,
        disable=not out.is_terminal,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name)
            bars.update(tasks[name], completed=done, total=max(done, total or 0))

        yield show
