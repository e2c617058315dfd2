"""The log exporter as a command."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from loguru import logger
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app import log_shipping
from app.signals import signals
from app.terminal import console
from exporters.collector_statistics import CollectorStatistics
from exporters.logs.exporter import CHECKPOINT, LogExporter
from exporters.server import application
from exporters.serving import serve
from vdx.logs.archive import ArchiveKeeper
from vdx.logs.files import directory
from vdx.logs.passed import by_all
from vdx.settings import Settings
from vdx.telemetry import process_registry

LINKS = (("/kinds", "kinds of warnings and errors that no rule knows, the newest first, as text"),)


def kinds(exporter: LogExporter) -> Route:
    """The page /kinds: what no rule knows, without anything that may be personal."""

    async def page(_: Request) -> Response:
        return PlainTextResponse("".join(f"{line}\n" for line in exporter.kinds_as_text()))

    return Route("/kinds", page)


async def run(settings: Settings) -> int:
    """Reads the archive until a signal comes, and serves /metrics. Raises SettingsError."""
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(signals(stop))
        registry = process_registry()
        exporter = LogExporter(settings, registry)
        CollectorStatistics(directory(settings), settings.syslog.udp, registry)
        keeper = ArchiveKeeper(settings, registry, by_all(readers(settings)))
        pages = application(exporter, settings.logs, section="logs", routes=(kinds(exporter),), links=LINKS)
        url = await stack.enter_async_context(serve(pages, settings.logs, "logs"))
        logger.info("log exporter: {} rules, {}/metrics", len(exporter.reader.rules), url)
        async with asyncio.TaskGroup() as group:
            group.create_task(exporter.run(stop))
            group.create_task(keeper.run(stop))
    logger.info("stopped")
    return 0


def readers(settings: Settings) -> tuple[Path, ...]:
    """The checkpoints of those that read the archive, and before whom no hour may be closed."""
    data = settings.data.directory
    return data / CHECKPOINT, *((data / log_shipping.CHECKPOINT,) if settings.humio.url else ())


async def once(settings: Settings) -> int:
    """Reads up to the present, prints what was counted, and ends: 0 when it could be kept, else 1.

    Raises SettingsError.
    """
    stop = asyncio.Event()
    exporter = LogExporter(settings, process_registry())
    with signals(stop):
        while not stop.is_set() and await asyncio.to_thread(exporter.step):
            pass
    exporter.reader.close()
    totals, out = exporter.reader.totals, console()
    for (host, source, severity), count in sorted(totals.lines.items()):
        out.print("lines", source, severity, host, count, markup=False, highlight=False)
    for (rule, name, host), one in sorted(totals.events.items()):
        out.print("event", rule, name or "-", host, one.count, markup=False, highlight=False)
    out.print("rejected", totals.counts.get("rejected", 0), highlight=False)
    return 0 if not exporter.words else 1
