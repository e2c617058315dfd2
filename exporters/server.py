"""The small web application that every exporter shows itself with.

`/` tells what it is, `/metrics` is for Prometheus, `/healthz` and `/readyz` are for supervisors.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from exporters.authentication import protected
from exporters.exposition import CONTENT_TYPE
from vdx.settings import ServerSettings
from vdx.telemetry import package_version

Clock = Callable[[], datetime]

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – VDX Watch</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{description}</p>
<nav aria-label="Pages">
<ul>
{links}
</ul>
</nav>
<p>VDX Watch, version {version}</p>
</main>
</body>
</html>
"""


class Exporter(Protocol):
    """What the application shows. Its methods answer at once: they hand out what is ready."""

    title: str
    description: str

    def metrics(self, now: datetime) -> bytes:
        """The text of /metrics."""

    def compressed_metrics(self, now: datetime) -> bytes:
        """The same as a gzip file."""

    def fault(self, now: datetime) -> str:
        """Why it is not ready, in a sentence; empty when it is."""


def utc_now() -> datetime:
    """The present time, UTC."""
    return datetime.now(UTC)


def accepts_gzip(accept_encoding: str) -> bool:
    """True when the header allows gzip (RFC 9110, section 12.5.3)."""
    weights = {}
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        weights[coding.strip()] = weight.replace(" ", "").removeprefix("q=")
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0.") != "" or weight == ""


def landing_page(exporter: Exporter, links: Sequence[tuple[str, str]]) -> str:
    """The page at `/`. `links` are paths with what is there."""
    items = (f'<li><a href="{escape(path)}">{escape(path)}</a>: {escape(text)}</li>' for path, text in links)
    return _PAGE.format(
        title=escape(exporter.title),
        description=escape(exporter.description),
        links="\n".join(items),
        version=escape(package_version()),
    )


def application(
    exporter: Exporter,
    settings: ServerSettings,
    *,
    section: str = "server",
    routes: Sequence[BaseRoute] = (),
    links: Sequence[tuple[str, str]] = (),
    clock: Clock = utc_now,
) -> ASGIApp:
    """The application of one exporter. `routes` are its own paths, `links` those to show on its page.

    All but /healthz asks for the user name and password of `settings`, where they are set; `section` is
    the settings' name in messages. Raises SettingsError when the password cannot be read.
    """
    page = landing_page(
        exporter,
        (
            ("/metrics", "the metrics, for Prometheus"),
            ("/healthz", "whether this program answers"),
            ("/readyz", "whether its figures can be relied on"),
            *links,
        ),
    )

    async def index(_: Request) -> Response:
        return HTMLResponse(page)

    async def metrics(request: Request) -> Response:
        headers = {"Content-Type": CONTENT_TYPE, "Vary": "Accept-Encoding"}
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            compressed = exporter.compressed_metrics(clock())
            return Response(compressed, headers=headers | {"Content-Encoding": "gzip"})
        return Response(exporter.metrics(clock()), headers=headers)

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readiness(_: Request) -> Response:
        fault = exporter.fault(clock())
        return PlainTextResponse(f"{fault}\n" if fault else "ready\n", 503 if fault else 200)

    own = (
        Route("/", index),
        Route("/metrics", metrics),
        Route("/healthz", health),
        Route("/readyz", readiness),
    )
    return protected(Starlette(routes=[*own, *routes]), settings, section)
