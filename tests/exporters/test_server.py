"""The web application of an exporter, in memory."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from exporters.pexip import PexipExporter
from exporters.server import accepts_gzip, application
from tests.exporters.examples import SETTINGS, TIME, publish, snapshot
from vdx.settings import ServerSettings, SettingsError
from vdx.telemetry import Telemetry

OPEN = ServerSettings()


class Clock:
    def __init__(self) -> None:
        self.now = TIME

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def exporter() -> PexipExporter:
    return PexipExporter(SETTINGS, Telemetry())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guarded(tmp_path: Path) -> ServerSettings:
    file = tmp_path / "password"
    file.write_text("blåbær:grød\n", encoding="utf-8")
    return ServerSettings(username="prometheus", password_file=file)


@asynccontextmanager
async def client(
    exporter: PexipExporter, settings: ServerSettings = OPEN, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(exporter, settings, **options))
    async with httpx.AsyncClient(transport=transport, base_url="http://exporter.example") as opened:
        yield opened


async def test_the_landing_page_tells_what_it_is_and_where_to_go(exporter: PexipExporter) -> None:
    async with client(exporter, links=[("/snmp?target=a&b", "one <device>")]) as visitor:
        answer = await visitor.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for part in (
        '<html lang="en">',
        "<h1>Pexip exporter</h1>",
        '<a href="/metrics">',
        '<a href="/healthz">',
        '<a href="/readyz">',
        '<a href="/snmp?target=a&amp;b">/snmp?target=a&amp;b</a>: one &lt;device&gt;',
        "version ",
    ):
        assert part in answer.text


async def test_metrics_are_text(exporter: PexipExporter, clock: Clock) -> None:
    publish(exporter, snapshot())
    async with client(exporter, clock=clock) as visitor:
        answer = await visitor.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "content-encoding" not in answer.headers
    assert "\npexip_up 1.0\n" in answer.text


async def test_metrics_are_compressed_when_that_is_accepted(exporter: PexipExporter, clock: Clock) -> None:
    publish(exporter, snapshot())
    async with (
        client(exporter, clock=clock) as visitor,
        visitor.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(raw)
    assert b"\npexip_up 1.0\n" in gzip.decompress(raw)


async def test_a_client_reads_the_compressed_text_to_its_end(exporter: PexipExporter) -> None:
    publish(exporter, snapshot())
    async with client(exporter) as visitor:
        answer = await visitor.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert "vdx_build_info{" in answer.text


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=1.0", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("br, *;q=0", False),
    ],
)
def test_the_header_decides_about_compression(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


async def test_readiness_follows_the_polls(exporter: PexipExporter, clock: Clock) -> None:
    async with client(exporter, clock=clock) as visitor:
        before = await visitor.get("/readyz")
        publish(exporter, snapshot())
        fresh = await visitor.get("/readyz")
        clock.now = TIME.replace(minute=5)
        stale = await visitor.get("/readyz")
        health = await visitor.get("/healthz")
        metrics = await visitor.get("/metrics")
    assert (before.status_code, fresh.status_code, stale.status_code) == (503, 200, 503)
    assert before.text == "no poll of the Management Node has ended yet\n"
    assert stale.text == "the last poll of the Management Node was 300 s ago\n"
    assert (health.status_code, health.text) == (200, "ok\n")
    assert "\npexip_up 0.0\n" in metrics.text


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz"])
async def test_head_is_answered(exporter: PexipExporter, path: str) -> None:
    async with client(exporter) as visitor:
        assert (await visitor.head(path)).status_code == 200


async def test_other_paths_and_methods_are_refused(exporter: PexipExporter) -> None:
    async with client(exporter) as visitor:
        assert (await visitor.get("/secret")).status_code == 404
        assert (await visitor.post("/metrics")).status_code == 405


async def test_an_exporter_may_add_paths(exporter: PexipExporter, guarded: ServerSettings) -> None:
    async def probe(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.query_params["target"])

    async with client(exporter, guarded, routes=[Route("/probe", probe)]) as visitor:
        refused = await visitor.get("/probe?target=a")
        answer = await visitor.get("/probe?target=a", auth=("prometheus", "blåbær:grød"))
    assert (refused.status_code, answer.text) == (401, "a")


async def test_the_password_lets_in(exporter: PexipExporter, guarded: ServerSettings) -> None:
    async with client(exporter, guarded) as visitor:
        for path in ("/", "/metrics"):
            assert (await visitor.get(path, auth=("prometheus", "blåbær:grød"))).status_code == 200
        refused = await visitor.get("/metrics")
        assert (await visitor.get("/healthz")).status_code == 200
        assert (await visitor.get("/readyz")).status_code == 401
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Basic realm="VDX Watch", charset="UTF-8"'


@pytest.mark.parametrize(
    "header",
    [
        "Basic cHJvbWV0aGV1czp3cm9uZw==",
        "Basic cHJvbWV0aGV1cw==",
        "Basic Og==",
        "Basic ###",
        "Basic é",
        "Basic",
        "Bearer abc",
        "",
    ],
)
async def test_anything_else_is_refused(
    exporter: PexipExporter, guarded: ServerSettings, header: str
) -> None:
    async with client(exporter, guarded) as visitor:
        answer = await visitor.get("/metrics", headers=[(b"Authorization", header.encode("latin-1"))])
    assert answer.status_code == 401


def test_a_password_that_cannot_be_read_is_named(exporter: PexipExporter, tmp_path: Path) -> None:
    settings = ServerSettings(username="prometheus", password_file=tmp_path / "missing")
    with pytest.raises(SettingsError, match=r"^web\.password_file: cannot read .*missing: No such file"):
        application(exporter, settings, section="web")
