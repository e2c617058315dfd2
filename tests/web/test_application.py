"""The application: the page, the figures, the announcements and the data."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web import texts
from app.web.application import LivePage
from app.web.broadcast import Broadcast
from tests.web import sample
from tests.web.sample import Platform, figures
from tests.web.serving import Served

SETTINGS = sample.settings()
PLATFORM = Platform(conferences=30)


def client(page: LivePage, *middleware: Middleware) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(page.application(middleware))
    return httpx.AsyncClient(transport=transport, base_url="http://page")


@pytest.fixture
async def page() -> AsyncIterator[LivePage]:
    live = LivePage(SETTINGS)
    yield live
    live.close()


async def test_before_the_first_poll(page: LivePage) -> None:
    async with client(page) as browser:
        whole = await browser.get("/")
        data = await browser.get("/api/snapshot")
    assert whole.status_code == 200
    assert texts.PAGE["waiting"] in whole.text
    assert data.status_code == 503
    assert data.headers["retry-after"] == "5"


async def test_page_figures_and_data_agree(page: LivePage) -> None:
    page.publish(*figures(PLATFORM, SETTINGS, datetime.now(UTC)))
    async with client(page) as browser:
        whole = await browser.get("/")
        part = await browser.get("/figures")
        plain = await browser.get("/figures", headers={"accept-encoding": "identity"})
        data = (await browser.get("/api/snapshot")).json()
    assert part.text in whole.text
    assert part.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.text == part.text
    version = part.headers["etag"].strip('"')
    assert f'data-figures="{version}"' in whole.text
    assert data["stale"] is False
    assert data["view"]["conferences"] == 30


async def test_headers(page: LivePage) -> None:
    async with client(page) as browser:
        whole = await browser.get("/")
        assert "'unsafe" not in whole.headers["content-security-policy"]
        assert whole.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert whole.headers["cache-control"] == "no-store"
        start = whole.text.index("static/")
        script = await browser.get("/" + whole.text[start : whole.text.index('"', start)])
        assert "immutable" in script.headers["cache-control"]
        missing = await browser.get("/static/other/page.js")
        outside = await browser.get("/static/../application.py")
    assert missing.status_code == 404
    assert missing.headers["x-content-type-options"] == "nosniff"
    assert outside.status_code == 404


async def test_old_figures_are_called_old(page: LivePage) -> None:
    page.publish(*figures(PLATFORM, SETTINGS, datetime.now(UTC) - timedelta(seconds=80)))
    async with client(page) as browser:
        whole = await browser.get("/")
        data = (await browser.get("/api/snapshot")).json()
    assert 'class="stale"' in whole.text
    assert "These figures are old" in whole.text
    assert data["stale"] is True


async def test_middleware_comes_first(page: LivePage) -> None:
    class Refuse:
        def __init__(self, app: ASGIApp) -> None:
            pass

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": Request(scope).url.path.encode()})

    async with client(page, Middleware(Refuse)) as browser:
        for path in ("/", "/events", "/figures", "/api/snapshot", "/static/x"):
            answer = await browser.get(path)
            assert (answer.status_code, answer.text) == (401, path)
            assert "content-security-policy" in answer.headers


async def test_a_lasting_trouble_tells_since_when_and_what_changed(page: LivePage) -> None:
    now = datetime.now(UTC)
    page.publish(*figures(Platform(conferences=5), SETTINGS, now - timedelta(seconds=60)))
    broken = Platform(conferences=5)
    broken.lost = ("vest-01",)
    page.publish(*figures(broken, SETTINGS, now - timedelta(seconds=30)))
    page.publish(*figures(broken, SETTINGS, now))
    async with client(page) as browser:
        seen = (await browser.get("/api/snapshot")).json()["view"]
    lost = next(item for item in seen["troubles"] if item["key"] == "lost:Central Vest")
    assert datetime.fromisoformat(lost["since"]) == now - timedelta(seconds=30)
    assert [change["trouble"]["key"] for change in seen["changes"]] == ["lost:Central Vest"]


async def test_a_failed_poll_is_a_gap_and_no_figure(page: LivePage) -> None:
    now = datetime.now(UTC)
    page.publish(*figures(PLATFORM, SETTINGS, now - timedelta(seconds=30)))
    page.publish(*sample.failed(SETTINGS, now))
    async with client(page) as browser:
        seen = (await browser.get("/api/snapshot")).json()["view"]
    assert seen["up"] is False
    assert seen["licences"]["gauge"]["used"] is None
    assert seen["status"].startswith("Out of sight")


async def test_broadcast_gives_the_latest_only() -> None:
    broadcast = Broadcast(2)
    broadcast.send("one")
    async with aclosing(broadcast.listen(10)) as messages:
        assert await anext(messages) == "one"
        for number in range(1000):
            broadcast.send(str(number))
        assert await anext(messages) == "999"
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        broadcast.send("woken")
        assert await waiting == "woken"
        assert len(broadcast) == 1
    assert len(broadcast) == 0


async def test_broadcast_repeats_and_ends() -> None:
    broadcast = Broadcast(1)
    broadcast.send("one")
    async with aclosing(broadcast.listen(0.01)) as messages:
        assert [await anext(messages), await anext(messages)] == ["one", "one"]
        assert broadcast.full
        broadcast.close()
        with pytest.raises(StopAsyncIteration):
            await anext(messages)


async def test_history_comes_from_before_and_survives_a_fault() -> None:
    def broken() -> list[tuple[datetime, float | None]]:
        raise OSError("no database")

    live = LivePage(SETTINGS, broken)
    app = live.application()
    async with app.router.lifespan_context(app):
        await asyncio.sleep(0.05)
        live.publish(*figures(PLATFORM, SETTINGS, datetime.now(UTC)))

    now = datetime.now(UTC)
    live = LivePage(SETTINGS, lambda: sample.history(now))
    app = live.application()
    async with app.router.lifespan_context(app):
        await asyncio.sleep(0.1)
        live.publish(*figures(PLATFORM, SETTINGS, now))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as browser:
            seen = (await browser.get("/api/snapshot")).json()["view"]
    assert sum(value is not None for value in seen["curve"]["values"]) > 250


async def test_events_over_http_and_the_end_of_the_server() -> None:
    with Served(sample.settings(interval=3)) as served:
        news: list[dict[str, str]] = []
        async with (
            httpx.AsyncClient(base_url=served.address, timeout=10) as browser,
            browser.stream("GET", "/events") as stream,
        ):
            assert stream.headers["content-type"].startswith("text/event-stream")
            async for line in stream.aiter_lines():
                if not line.startswith("data: "):
                    continue
                news.append(json.loads(line.removeprefix("data: ")))
                if len(news) == 1:
                    await asyncio.to_thread(served.poll, PLATFORM)
                if len(news) == 2:
                    figures_now = await browser.get("/figures")
                    assert figures_now.headers["etag"] == f'"{news[1]["figures"]}"'
                if len(news) == 3:
                    await asyncio.to_thread(served.stop)
    assert news[0]["figures"] != news[1]["figures"] == news[2]["figures"]
    assert news[0]["now"] < news[1]["now"] < news[2]["now"]


async def test_a_probe_of_the_events_holds_no_place(page: LivePage) -> None:
    async with client(page) as browser:
        answer = await browser.head("/events", timeout=2)
    assert answer.status_code == 200


async def test_too_many_listeners_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.application.MOST_LISTENERS", 0)
    async with client(LivePage(SETTINGS)) as browser:
        answer = await browser.get("/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
