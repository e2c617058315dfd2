"""The stand-in of Humio takes and refuses what Humio's documentation says."""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulator.humio import StandIn, running

BULK = b'{"index":{"_index":"humio"}}\n{"message":"one"}\n\n{"index":{}}\n{"message":"two"}\n'
STRUCTURED = [{"tags": {"host": "a"}, "events": [{"timestamp": 1000, "attributes": {}, "rawstring": "one"}]}]


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with running("token") as humio:
        yield humio


@pytest.fixture
def humio(server: StandIn) -> StandIn:
    server.events.clear()
    return server


def post(humio: StandIn, path: str, content: Any, **headers: str) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return httpx.post(
        humio.url + path, content=body, headers={"Authorization": "Bearer token", **headers}, trust_env=False
    )


@pytest.mark.parametrize(
    ("path", "content", "texts"),
    [
        ("/api/v1/ingest/humio-structured", STRUCTURED, ["one"]),
        ("/api/v1/ingest/humio-unstructured", [{"messages": ["one", "two"]}], ["one", "two"]),
        ("/api/v1/ingest/hec", b'{"time":1.5,"event":"one"}\n {"event":"two"}{"event":"three"}', None),
        ("/services/collector", b'{"event":{"a":1}}', ['{"a": 1}']),
        ("/api/v1/ingest/raw", b"the whole body", ["the whole body"]),
        ("/api/v1/ingest/json", [{"a": 1}, {"b": 2}], ['{"a": 1}', '{"b": 2}']),
        ("/api/v1/ingest/elastic-bulk/_bulk", BULK, ["one", "two"]),
    ],
)
def test_each_endpoint_takes_its_own_form(
    humio: StandIn, path: str, content: Any, texts: list[str] | None
) -> None:
    assert post(humio, path, content).status_code == 200
    assert [event.text for event in humio.events] == (texts or ["one", "two", "three"])


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/api/v1/ingest/humio-structured", b"{", 400),
        ("/api/v1/ingest/humio-structured", [{"events": [{"attributes": {}}]}], 400),
        ("/api/v1/ingest/humio-structured", [{"tags": {"a": 1}, "events": []}], 400),
        ("/api/v1/ingest/humio-structured", [{"events": [{"timestamp": "2026-01-01T00:00:00"}]}], 400),
        ("/api/v1/ingest/humio-unstructured", [{"messages": ["x"] * 5001}], 413),
        ("/api/v1/ingest/raw", b"x" * 5_000_001, 413),
        ("/api/v1/ingest/hec", b'{"time":1}', 400),
        ("/api/v1/ingest/elastic-bulk/_bulk", b'{"index":{}}\n', 400),
    ],
)
def test_what_has_not_the_form_is_refused_whole(humio: StandIn, path: str, content: Any, status: int) -> None:
    assert post(humio, path, content).status_code == status
    assert not humio.events


def test_compressed_and_chunked_bodies_are_read(humio: StandIn) -> None:
    body = json.dumps(STRUCTURED).encode()
    path = "/api/v1/ingest/humio-structured"
    assert post(humio, path, gzip.compress(body), **{"Content-Encoding": "gzip"}).status_code == 200
    assert post(humio, path, zlib.compress(body), **{"Content-Encoding": "deflate"}).status_code == 200
    assert post(humio, path, body, **{"Content-Encoding": "gzip"}).status_code == 400
    chunked = httpx.post(
        humio.url + path,
        content=iter([body[:10], body[10:]]),
        headers={"Authorization": "Bearer token"},
        trust_env=False,
    )
    assert chunked.status_code == 200
    assert len(humio.events) == 3


def test_only_the_token_is_let_in_as_bearer_or_basic(humio: StandIn) -> None:
    basic = base64.b64encode(b"token:none").decode()
    for header, status in (
        ("Bearer token", 200),
        (f"Basic {basic}", 200),
        ("Bearer other", 403),
        ("Basic !", 401),
        ("", 401),
    ):
        answer = post(humio, "/api/v1/ingest/raw", b"x", Authorization=header)
        assert answer.status_code == status


def test_answers_have_the_shape_of_their_endpoint_and_the_script_is_followed(humio: StandIn) -> None:
    assert post(humio, "/api/v1/ingest/hec", b"").json() == {"text": "Success", "code": 0}
    humio.fail("partial", "503", "429")
    items = post(humio, "/_bulk", BULK).json()
    assert (items["errors"], [item["index"]["status"] for item in items["items"]]) == (True, [400, 200])
    assert [post(humio, "/_bulk", BULK).status_code for _ in range(3)] == [503, 429, 200]
    humio.fail("reset", "half")
    for taken in (3, 5):
        with pytest.raises(httpx.TransportError):
            post(humio, "/_bulk", BULK)
        assert len(humio.events) == taken
