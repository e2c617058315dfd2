"""The live page as an ASGI application: the page, its figures, their announcement and the same as JSON."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from loguru import logger
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.broadcast import Broadcast
from app.web.changes import Log, follow
from app.web.curve import Point, merge
from app.web.page import STALE_INTERVALS, STATIC, Page
from app.web.view import View, view
from exporters.server import accepts_gzip
from vdx.capacity import Usage
from vdx.pexip.records import LicenceConfiguration
from vdx.settings import Settings
from vdx.snapshot import Snapshot

MOST_LISTENERS: Final = 200
"""Browsers that are kept up to date at the same time."""

HISTORY_RETRY_SECONDS: Final = 60

SECURITY_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

JSON: Final = "application/json"


class SecurityHeaders:
    """Adds the headers that keep a browser from loading or running anything foreign."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the request, with the headers on its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Assets(StaticFiles):
    """Files whose address names their content, so that a browser keeps them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with its lifetime in caches."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


class Answer(msgspec.Struct):
    """What /api/snapshot answers. `stale` is True when the view is older than 2.5 poll intervals."""

    now: datetime
    stale: bool
    view: View


def _no_history() -> Sequence[Point]:
    return ()


class LivePage:
    """The live page. Hand it each poll with `publish`, serve `application()`, and `close` it to stop.

    `history` gives licence ports of the time before this process (UTC, oldest first). It may block: it
    is called in a thread when the application starts, and again each minute until it succeeds.
    """

    def __init__(self, settings: Settings, history: Callable[[], Sequence[Point]] = _no_history) -> None:
        self._settings = settings
        self._load_history = history
        self._earlier: Sequence[Point] = ()
        self._own: tuple[Point, ...] = ()
        self._log = Log()
        self._view: View | None = None
        self._licences: Sequence[LicenceConfiguration] = ()
        self._page = Page(settings)
        self._figures = self._page.figures(None)
        self._interval = timedelta(seconds=settings.pexip.interval_seconds)
        self._broadcast = Broadcast(MOST_LISTENERS)
        self._broadcast.send(self._figures.version)

    def publish(self, snapshot: Snapshot, usage: Usage) -> None:
        """Renders one poll and tells all browsers. Call it on the event loop that serves the application."""
        now = datetime.now(UTC)
        self._licences = snapshot.configuration.licences
        self._own = merge(self._own, [(snapshot.time, usage.license_ports)], now=now)
        history = merge(self._earlier, self._own, now=now)
        seen = view(snapshot, usage, self._settings, history, now)
        self._log = follow(self._log, seen.troubles, snapshot.time, complete=not snapshot.failures)
        lasting = self._log.lasting or {}
        self._view = msgspec.structs.replace(
            seen,
            troubles=tuple(lasting[trouble.key] for trouble in seen.troubles),
            changes=self._log.changes,
        )
        self._figures = self._page.figures(self._view)
        self._broadcast.send(self._figures.version)

    def close(self) -> None:
        """Ends the streams, so that the server can stop: call it as soon as the server is asked to."""
        self._broadcast.close()

    @property
    def licences(self) -> Sequence[LicenceConfiguration]:
        """The platform's licences by the last poll that could read them."""
        return self._licences

    @property
    def page(self) -> Page:
        """What renders it, for pages beside it."""
        return self._page

    def application(
        self, middleware: Sequence[Middleware] = (), routes: Sequence[BaseRoute] = ()
    ) -> Starlette:
        """The page's routes, and others' beside them.

        `middleware` comes first, before any answer: basic authentication, for one.
        """
        return Starlette(
            routes=[
                *routes,
                Route("/", self._serve_page),
                Route("/figures", self._serve_figures),
                Route("/events", self._serve_events),
                Route("/api/snapshot", self._serve_snapshot),
                Mount(f"/static/{self._page.assets}", Assets(directory=STATIC)),
            ],
            middleware=[
                Middleware(SecurityHeaders),
                *middleware,
                Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._keep_earlier())
        try:
            yield
        finally:
            self.close()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep_earlier(self) -> None:
        """Reads the history of the time before this process."""
        said = False
        while True:
            try:
                self._earlier = await asyncio.to_thread(self._load_history)
            except Exception as error:
                if not said:
                    logger.warning("the curve's history could not be read, the page goes on: {}", error)
                said = True
                await asyncio.sleep(HISTORY_RETRY_SECONDS)
            else:
                return

    def _is_stale(self, now: datetime) -> bool:
        time = self._figures.time
        return time is not None and now - time > STALE_INTERVALS * self._interval

    async def _serve_page(self, _: Request) -> Response:
        now = datetime.now(UTC)
        html = self._page.whole(self._figures, now, stale=self._is_stale(now))
        return HTMLResponse(html, headers={"cache-control": "no-store"})

    async def _serve_figures(self, request: Request) -> Response:
        figures = self._figures
        headers = {
            "cache-control": "no-cache",
            "etag": f'"{figures.version}"',
            "vary": "Accept-Encoding",
        }
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            return HTMLResponse(figures.compressed, headers=headers)
        return HTMLResponse(figures.body, headers=headers)

    async def _serve_snapshot(self, _: Request) -> Response:
        headers = {"cache-control": "no-store"}
        if self._view is None:
            body = msgspec.json.encode({"error": "there has been no poll yet"})
            return Response(body, 503, {**headers, "retry-after": "5"}, JSON)
        now = datetime.now(UTC)
        return Response(msgspec.json.encode(Answer(now, self._is_stale(now), self._view)), 200, headers, JSON)

    async def _serve_events(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        if self._broadcast.full:
            return Response("too many browsers are connected\n", 503, {"retry-after": "30"}, "text/plain")
        return StreamingResponse(
            self._events(),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _events(self) -> AsyncIterator[bytes]:
        """Server-sent events that say which version the figures have, and what time it is.

        They are sent whenever figures are published, and thrice an interval besides, so that a browser
        knows that it is in contact.
        """
        async with aclosing(self._broadcast.listen(self._interval.total_seconds() / 3)) as versions:
            async for version in versions:
                news = {"figures": version, "assets": self._page.assets, "now": datetime.now(UTC)}
                yield b"data: " + msgspec.json.encode(news) + b"\n\n"
