"""What `vdx logs ship` does. Each function gives the exit status of the command."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import typer
from loguru import logger
from prometheus_client import CollectorRegistry

from app.command import GOOD, WORK_FAILED
from app.signals import signals
from app.terminal import number
from exporters.humio import HumioExporter
from exporters.server import application
from exporters.serving import serve
from miners.humio import dead_letters
from miners.humio.client import HumioClient
from miners.humio.dead_letters import DeadLetters
from miners.humio.shipper import ATTEMPTS, Shipper
from miners.humio.telemetry import HumioTelemetry
from vdx.logs.checkpoint import CheckpointError, FileCheckpoint
from vdx.logs.files import directory
from vdx.settings import Settings, SettingsError
from vdx.telemetry import process_registry

CHECKPOINT: Final = "humio-position.json"


async def once(settings: Settings) -> int:
    """Hands on what the archive has and ends: 0 when that was all of it, else 1. Raises SettingsError."""
    registry = process_registry()
    stop = asyncio.Event()
    async with _shipper(settings, registry, attempts=ATTEMPTS) as (shipper, telemetry):
        with signals(stop):
            good = await shipper.catch_up(stop) and directory(settings).is_dir()
        taken = registry.get_sample_value("humio_events_total") or 0
        letters = sum(
            sample.value
            for family in telemetry.dead_letters.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        )
    typer.echo(f"{number(int(taken))} lines handed on, {number(int(letters))} dead letters")
    return GOOD if good else WORK_FAILED


async def run(settings: Settings) -> int:
    """Hands on lines until a signal comes, and serves /metrics. Raises SettingsError."""
    registry = process_registry()
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(signals(stop))
        shipper, _ = await stack.enter_async_context(_shipper(settings, registry))
        exporter = HumioExporter(registry, lambda: shipper.fault)
        served = application(exporter, settings.logs, section="logs")
        url = await stack.enter_async_context(serve(served, settings.logs, section="logs"))
        logger.info("metrics: {}/metrics", url)
        await shipper.run(stop)
    logger.info("stopped")
    return GOOD


@asynccontextmanager
async def _shipper(
    settings: Settings, registry: CollectorRegistry, attempts: int | None = None
) -> AsyncIterator[tuple[Shipper, HumioTelemetry]]:
    client = HumioClient(settings.humio)
    try:
        checkpoint = FileCheckpoint(settings.data.directory / CHECKPOINT)
    except CheckpointError as error:
        await client.close()
        raise SettingsError(f"data.directory: {error}") from None
    telemetry = HumioTelemetry(registry)
    letters = DeadLetters(settings.data.directory / dead_letters.FILE_NAME)
    shipper = Shipper(
        settings,
        directory(settings),
        checkpoint=checkpoint,
        client=client,
        letters=letters,
        telemetry=telemetry,
        attempts=attempts,
    )
    try:
        yield shipper, telemetry
    finally:
        await shipper.close()
        checkpoint.close()
