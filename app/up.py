"""Everything in one process: the miner on its grid, /metrics, the live page, the store and Prometheus."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from loguru import logger
from rich.console import Console
from rich.live import Live

from app import prometheus
from app.database import prepare_embedded
from app.signals import signals
from app.terminal import as_json, console, line, report
from exporters.authentication import protected
from exporters.organisations import OrganisationPorts
from exporters.pexip import ParticipantSeconds, PexipExporter
from exporters.server import application
from exporters.serving import serve
from miners.connection import management_node
from miners.grid import beat_before
from miners.organisations import OrganisationMiner
from miners.status import Listener, StatusMiner
from vdx.capacity import Usage
from vdx.pexip.client import ManagementNode
from vdx.settings import Settings
from vdx.snapshot import Snapshot
from vdx.store import Store
from vdx.telemetry import Telemetry

if TYPE_CHECKING:
    from miners.history import HistoryMiner

STORE_SECONDS = 15.0
"""How long the store may take to put away what is queued when the process stops."""


async def once(settings: Settings, *, as_json_text: bool = False) -> int:
    """Polls once and prints it. 0 when the essential resources were read, else 1."""
    telemetry = Telemetry()
    async with management_node(settings.pexip, telemetry) as node:
        miner = StatusMiner(node, settings, telemetry)
        interval = timedelta(seconds=settings.pexip.interval_seconds)
        snapshot, usage = await miner.poll(beat_before(datetime.now(UTC), interval))
    if as_json_text:
        sys.stdout.buffer.write(as_json(snapshot, usage) + b"\n")
    else:
        console().print(report(snapshot, usage, settings))
    return 0 if snapshot.up else 1


async def run(settings: Settings, *, page: bool, beside: bool, history: bool) -> int:
    """Mines until a signal comes. `page` serves the live page, `beside` starts Prometheus, `history` mines
    history too.

    Raises SettingsError for what no retry can mend: an address in use, a certificate that is none.
    """
    telemetry = Telemetry()
    exporter = PexipExporter(settings, telemetry)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(signals(stop))
        node = await stack.enter_async_context(management_node(settings.pexip, telemetry))
        url = await stack.enter_async_context(serve(application(exporter, settings.server), settings.server))
        logger.info("metrics: {}/metrics", url)
        await asyncio.to_thread(prepare_embedded, settings)
        store = Store(settings, telemetry)
        listeners: list[Listener] = [
            exporter.publish,
            ParticipantSeconds(settings, telemetry).count,
            store.submit,
        ]
        if page and find_spec("jinja2") is None:
            logger.warning("no live page: it needs the extra web: pip install 'vdx-watch[web]'")
        elif page:
            listeners.append(await _live_page(stack, settings))
        if beside and settings.prometheus.start:
            await _start_prometheus(stack, settings, url)
        listeners.append(stack.enter_context(_shown(settings)))
        store.start()
        mining = _history_mining(node, settings, telemetry, stop) if history else None
        if mining is not None:
            miner, organisations = mining
            listeners.append(OrganisationPorts(organisations, telemetry).publish)
            stack.push_async_callback(_ended, _started(miner, organisations, stop))
        try:
            await StatusMiner(node, settings, telemetry, listeners).run(stop)
        finally:
            await asyncio.to_thread(store.stop, STORE_SECONDS)
    logger.info("stopped")
    return 0


def _history_mining(
    node: ManagementNode, settings: Settings, telemetry: Telemetry, stop: asyncio.Event
) -> "tuple[HistoryMiner, OrganisationMiner] | None":
    """What mines history beside the status, over the same client and so within its budget of requests."""
    if not settings.history.fetch:
        return None
    if find_spec("numpy") is None:
        logger.warning("history is not fetched: it needs the extra history: pip install 'vdx-watch[history]'")
        return None
    from miners.history import HistoryMiner  # noqa: PLC0415 - needs the history extra

    organisations = OrganisationMiner(settings, telemetry)
    return HistoryMiner(node, settings, telemetry, organisations, stop), organisations


def _started(
    miner: "HistoryMiner", organisations: OrganisationMiner, stop: asyncio.Event
) -> asyncio.Task[None]:
    from app.history import mine  # noqa: PLC0415 - needs the history extra

    task = asyncio.create_task(mine(miner, organisations, stop), name="history")
    task.add_done_callback(_tell_failure)
    return task


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.opt(exception=error).error("the history miner failed; the rest goes on")


async def _ended(task: asyncio.Task[None]) -> None:
    """Lets the page that is being written end."""
    with suppress(asyncio.CancelledError, Exception):
        await asyncio.wait_for(task, STORE_SECONDS)


async def _live_page(stack: AsyncExitStack, settings: Settings) -> Listener:
    from app.web.application import LivePage  # noqa: PLC0415 - needs the web extra
    from app.web.history import license_curve  # noqa: PLC0415

    live = LivePage(settings, license_curve(settings))
    pages = live.application()
    await stack.enter_async_context(pages.router.lifespan_context(pages))
    guarded = protected(pages, settings.web, "web")
    url = await stack.enter_async_context(serve(guarded, settings.web, "web"))
    stack.callback(live.close)  # before the server waits for the streams
    logger.info("live page: {}/", url)
    return live.publish


async def _start_prometheus(stack: AsyncExitStack, settings: Settings, url: str) -> None:
    beside = prometheus.Prometheus(
        settings.prometheus,
        settings.data.directory / "prometheus",
        prometheus.configuration(url, settings.server, settings.pexip.interval_seconds),
    )
    stack.push_async_callback(beside.stop)
    if await beside.start():
        logger.info("curves: http://{}/graph?g0.expr=pexip_license_ports_used", settings.prometheus.listen)


@contextmanager
def _shown(settings: Settings) -> Iterator[Listener]:
    """Shows each poll: tables that renew themselves in a terminal, a line per poll in a pipe."""
    out = console()
    zone = ZoneInfo(settings.sla.time_zone)
    if not out.is_terminal:
        yield lambda snapshot, usage: out.print(line(snapshot, usage, zone))
        return
    with Live(console=out, auto_refresh=False, vertical_overflow="crop") as live:
        yield _refresher(live, out, settings)


def _refresher(live: Live, out: Console, settings: Settings) -> Listener:
    fixed_rows = 22

    def refresh(snapshot: Snapshot, usage: Usage) -> None:
        locations = len(usage.hardware_by_location or ())
        live.update(
            report(snapshot, usage, settings, nodes=max(3, out.height - locations - fixed_rows)), refresh=True
        )

    return refresh
