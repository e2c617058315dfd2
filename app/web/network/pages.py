"""The network pages as routes: the overview at /network/, and each device at /network/NAME/."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from app.web import texts
from app.web.changes import Log, follow
from app.web.network.devices import device_row
from app.web.network.services import ServiceRow
from app.web.network.view import Overview, overview
from app.web.page import Figures, Frame, Page
from exporters.server import accepts_gzip
from exporters.snmp.device import State
from exporters.snmp.traps.reading import Trap
from vdx.configurations import Backup
from vdx.settings import Settings

TICK_SECONDS: Final = 5.0
"""How often a page is looked at for changes while a browser shows it."""
MOST_STREAMS: Final = 200
MOST_TRAPS: Final = 20
STALE_INTERVALS: Final = 2.5


class Sources(msgspec.Struct, frozen=True):
    """Where the pages read what is known; each is asked whenever a page is made."""

    states: Callable[[], Sequence[State]]
    backups: Callable[[], Iterable[Backup]] = tuple
    traps: Callable[[], Sequence[Trap]] = tuple
    services: Callable[[], Sequence[ServiceRow]] = tuple


class NetworkPages:
    """Makes the pages from what is known when a browser asks. Call it on one event loop."""

    def __init__(self, settings: Settings, page: Page, sources: Sources) -> None:
        self._page = page
        self._sources = sources
        self._log = Log()
        self._seen_up: set[tuple[str, str]] = set()
        self._closed = asyncio.Event()
        self._streams = 0
        self._made: dict[str | None, tuple[float, Figures]] = {}
        interval = settings.snmp.interval_seconds
        footer = texts.NETWORK_FOOTER.format(seconds=interval, zone=settings.sla.time_zone)
        self._frames = {
            depth: Frame("../" * depth, interval, STALE_INTERVALS * interval, footer) for depth in (1, 2)
        }

    @property
    def routes(self) -> list[Route]:
        """The routes of the application."""
        return [
            Route("/network", lambda _: RedirectResponse("network/", 308)),
            Route("/network/", self._serve_page),
            Route("/network/figures", self._serve_figures),
            Route("/network/events", self._serve_events),
            Route("/network/{device}/", self._serve_page),
            Route("/network/{device}/figures", self._serve_figures),
            Route("/network/{device}/events", self._serve_events),
        ]

    def close(self) -> None:
        """Ends the streams, so that the server can stop: call it as soon as the server is asked to."""
        self._closed.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Notes what changes, also while no browser looks, until `stop` is set."""
        while not stop.is_set():
            self._figures(None)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TICK_SECONDS)

    def _overview(self) -> Overview:
        now = datetime.now(UTC)
        services = self._sources.services()
        seen = overview(self._sources.states(), self._sources.backups(), self._seen_up, now, services)
        self._seen_up.update(
            (row.name, interface.name)
            for row in seen.devices
            for interface in row.interfaces
            if interface.oper == "up"
        )
        polled = bool(seen.devices) and all(row.state != "unknown" for row in seen.devices)
        if polled or self._log.lasting is not None:
            self._log = follow(self._log, seen.troubles, seen.time, complete=polled)
        lasting = self._log.lasting or {}
        return msgspec.structs.replace(
            seen,
            troubles=tuple(lasting.get(trouble.key, trouble) for trouble in seen.troubles),
            changes=self._log.changes,
        )

    def _figures(self, device: str | None) -> Figures | None:
        """The figures of the overview, or of a device; None where there is no such device.

        They are made at most once in a while, however many browsers show them.
        """
        made = self._made.get(device)
        current = time.monotonic()
        if made is not None and current - made[0] < TICK_SECONDS / 2:
            return made[1]
        figures = self._make(device)
        if figures is not None:
            self._made[device] = current, figures
        return figures

    def _make(self, device: str | None) -> Figures | None:
        now = datetime.now(UTC)
        if device is None:
            traps = self._sources.traps()[:MOST_TRAPS]
            return self._page.render("network.html", now, view=self._overview(), traps=traps, now=now)
        state = next((state for state in self._sources.states() if state.name == device), None)
        if state is None:
            return None
        traps = [trap for trap in self._sources.traps() if trap.device == device][:MOST_TRAPS]
        backup = next((backup for backup in self._sources.backups() if backup.device == device), None)
        return self._page.render(
            "device.html",
            state.tried or now,
            row=device_row(state),
            device=state,
            backup=backup,
            traps=traps,
            now=now,
        )

    async def _serve_page(self, request: Request) -> Response:
        device = request.path_params.get("device")
        figures = self._figures(device)
        if figures is None:
            return PlainTextResponse(f"{texts.NO_DEVICE}\n", 404)
        frame = self._frames[1 if device is None else 2]
        html = self._page.whole(figures, datetime.now(UTC), stale=False, frame=frame)
        return HTMLResponse(html, headers={"cache-control": "no-store"})

    async def _serve_figures(self, request: Request) -> Response:
        figures = self._figures(request.path_params.get("device"))
        if figures is None:
            return PlainTextResponse(f"{texts.NO_DEVICE}\n", 404)
        headers = {"cache-control": "no-cache", "etag": f'"{figures.version}"', "vary": "Accept-Encoding"}
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            return HTMLResponse(figures.compressed, headers={**headers, "content-encoding": "gzip"})
        return HTMLResponse(figures.body, headers=headers)

    async def _serve_events(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        if self._streams >= MOST_STREAMS:
            return Response("too many browsers are connected\n", 503, {"retry-after": "30"}, "text/plain")
        return StreamingResponse(
            self._events(request.path_params.get("device")),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _events(self, device: str | None) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            while not self._closed.is_set() and (figures := self._figures(device)) is not None:
                news = {"figures": figures.version, "assets": self._page.assets, "now": datetime.now(UTC)}
                yield b"data: " + msgspec.json.encode(news) + b"\n\n"
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), TICK_SECONDS)
        finally:
            self._streams -= 1
