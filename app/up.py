"""Everything in one process: the miner on its grid, /metrics, the live page, the store and Prometheus."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from zoneinfo import ZoneInfo

from loguru import logger
from rich.console import Console
from rich.live import Live

from app import prometheus
from app.terminal import as_json, console, line, report
from exporters.authentication import protected
from exporters.pexip import ParticipantSeconds, PexipExporter
from exporters.server import application
from exporters.serving import serve
from miners.connection import management_node
from miners.grid import beat_before
from miners.status import Listener, StatusMiner
from vdx.capacity import Usage
from vdx.settings import Settings
from vdx.snapshot import Snapshot
from vdx.store import Store, StoreError, upgrade
from vdx.telemetry import Telemetry

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


async def run(settings: Settings, *, page: bool, beside: bool) -> int:
    """Mines until a signal comes. `page` serves the live page, `beside` starts Prometheus.

    Raises SettingsError for what no retry can mend: an address in use, a certificate that is none.
    """
    telemetry = Telemetry()
    exporter = PexipExporter(settings, telemetry)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(_signals(stop))
        node = await stack.enter_async_context(management_node(settings.pexip, telemetry))
        url = await stack.enter_async_context(serve(application(exporter, settings.server), settings.server))
        logger.info("metrics: {}/metrics", url)
        await asyncio.to_thread(_prepare_embedded_database, settings)
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
        try:
            await StatusMiner(node, settings, telemetry, listeners).run(stop)
        finally:
            await asyncio.to_thread(store.stop, STORE_SECONDS)
    logger.info("stopped")
    return 0


def _prepare_embedded_database(settings: Settings) -> None:
    """Makes or renews the SQLite file's tables; a server's are renewed by its operator: vdx db upgrade."""
    if settings.database.url is not None:
        return
    try:
        upgrade(settings)
    except StoreError as error:
        logger.error("{}; polls wait in the spool", error)


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


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGINT, SIGTERM and a closed terminal set `stop`; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        if stop.is_set():
            logger.warning("stopped by force")
            raise SystemExit(1)
        logger.info("{}: stopping", number.name)
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, ask, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
