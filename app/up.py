"""Everything in one process: the miner on its grid, /metrics, the live page, the store and Prometheus."""

import asyncio
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from loguru import logger
from rich.console import Console
from rich.live import Live
from starlette.routing import Route

from app import prometheus
from app.database import prepare_embedded
from app.lifetimes import Lifetimes
from app.signals import signals
from app.terminal import as_json, console, line, report
from exporters.authentication import protected
from exporters.estate.target import OWN, OWN_NETWORK, Job, jobs, own_job
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
from vdx.settings import ServerSettings, Settings
from vdx.snapshot import Snapshot
from vdx.store import Store
from vdx.telemetry import Telemetry, process_registry

if TYPE_CHECKING:
    from app.network import Network
    from app.web.application import LivePage
    from app.web.network.pages import NetworkPages
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
        network = _network(settings) if page else None
        lifetimes = Lifetimes(settings, telemetry.registry, network.serials if network else dict)
        scraped = [_own_job(OWN, settings.server, settings.pexip.interval_seconds, url)]
        if network is not None:
            kit = await network.serve(stack)
            scraped.append(_own_job(OWN_NETWORK, settings.snmp, settings.snmp.interval_seconds, kit))
        if page and find_spec("jinja2") is None:
            logger.warning("no live page: it needs the extra web: pip install 'vdx-watch[web]'")
        elif page:
            listeners.append(await _live_page(stack, settings, _Beside(lifetimes, network, stop)))
        if beside and settings.prometheus.start:
            await _start_prometheus(stack, settings, [*scraped, *jobs(settings)])
        listeners.append(stack.enter_context(_shown(settings)))
        store.start()
        mining = _history_mining(node, settings, telemetry, stop) if history else None
        if mining is not None:
            miner, organisations = mining
            listeners.append(OrganisationPorts(organisations, telemetry).publish)
            stack.push_async_callback(
                _ended, _started(_mine(miner, organisations, stop), "the history miner")
            )
        if page:
            stack.push_async_callback(_ended, _started(lifetimes.run(stop), "watching what ends"))
        if network is not None:
            stack.push_async_callback(_ended, _started(network.run(stop), "watching the network kit"))
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


async def _mine(miner: "HistoryMiner", organisations: OrganisationMiner, stop: asyncio.Event) -> None:
    from app.history import mine  # noqa: PLC0415 - needs the history extra

    await mine(miner, organisations, stop)


def _network(settings: Settings) -> "Network | None":
    """What watches the network kit, where there is any. Raises SettingsError."""
    if not settings.devices and not settings.traps.listen:
        return None
    if find_spec("gufo") is None:
        logger.warning(
            "the network kit is not watched: it needs the extra network: pip install 'vdx-watch[network]'"
        )
        return None
    from app.network import Network  # noqa: PLC0415 - needs the network extra

    return Network(settings, process_registry(), copies=True)


def _started(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell_failure)
    return task


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.opt(exception=error).error("{} failed; the rest goes on", task.get_name())


async def _ended(task: asyncio.Task[None]) -> None:
    """Lets the page that is being written end."""
    with suppress(asyncio.CancelledError, Exception):
        await asyncio.wait_for(task, STORE_SECONDS)


class _Beside(NamedTuple):
    """What the pages beside the live page show."""

    lifetimes: Lifetimes
    network: "Network | None"
    stop: asyncio.Event


async def _live_page(stack: AsyncExitStack, settings: Settings, beside: _Beside) -> Listener:
    from app.web.application import LivePage  # noqa: PLC0415 - needs the web extra
    from app.web.history import license_curve  # noqa: PLC0415

    live = LivePage(settings, license_curve(settings))
    routes: list[Route] = []
    closing = [live.close]
    if beside.network is not None:
        kit = _network_pages(settings, live, beside.lifetimes, beside.network)
        routes = kit.routes
        closing.append(kit.close)
        stack.push_async_callback(_ended, _started(kit.run(beside.stop), "the pages of the network kit"))
    pages = live.application(routes=routes)
    await stack.enter_async_context(pages.router.lifespan_context(pages))
    guarded = protected(pages, settings.web, "web")
    url = await stack.enter_async_context(serve(guarded, settings.web, "web"))
    for close in closing:
        stack.callback(close)  # before the server waits for the streams
    logger.info("live page: {}/", url)
    return live.publish


def _network_pages(
    settings: Settings, live: "LivePage", lifetimes: Lifetimes, network: "Network"
) -> "NetworkPages":
    from app.web.network.pages import NetworkPages, Sources  # noqa: PLC0415 - needs the network extra
    from app.web.network.services import service_rows  # noqa: PLC0415

    zone = ZoneInfo(settings.sla.time_zone)
    sources = Sources(
        states=lambda: network.exporter.states,
        backups=lambda: network.backups,
        traps=lambda: network.traps.recent,
        services=lambda: service_rows(
            lifetimes.hardware.rows(),
            live.licences,
            lifetimes.certificates.seen.values(),
            datetime.now(UTC),
            zone,
        ),
    )
    return NetworkPages(settings, live.page, sources)


def _own_job(name: str, server: ServerSettings, interval_seconds: int, url: str) -> Job:
    return own_job(name, server, interval_seconds, url.partition("://")[2])


async def _start_prometheus(stack: AsyncExitStack, settings: Settings, scraped: Sequence[Job]) -> None:
    beside = prometheus.Prometheus(
        settings.prometheus,
        settings.data.directory / "prometheus",
        prometheus.configuration(scraped, settings.pexip.interval_seconds),
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
