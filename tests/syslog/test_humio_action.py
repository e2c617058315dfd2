"""rsyslog itself hands lines on to Humio's bulk API, where the configuration has that."""

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.databases import free_port
from tests.syslog.collector import Collector, rfc5424
from tests.syslog.senders import send_tcp
from vdx.logs.collector import Humio, configuration


class Bulk(ThreadingHTTPServer):
    """Takes what Elasticsearch's bulk API takes. Nothing is listened on before `listen`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", free_port()), _Handler, bind_and_activate=False)
        self.documents: list[dict[str, str]] = []
        self.paths: set[str] = set()
        self.credentials: set[str] = set()
        self.complete = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Bulk
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, {})

    do_HEAD = do_GET  # noqa: N815 - the name is http.server's

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        rows = [json.loads(row) for row in body.splitlines() if row.strip()]
        self.server.paths.add(self.path)
        self.server.credentials.add(base64.b64decode(self.headers["Authorization"].split()[1]).decode())
        self.server.documents += rows[1::2]
        self._answer(200, {"errors": False, "items": [{"index": {"status": 200}}] * (len(rows) // 2)})
        if len(self.server.documents) >= 50:
            self.server.complete.set()

    def _answer(self, status: int, content: object) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, format: str, *values: object) -> None:
        """Says nothing."""


@pytest.fixture
def bulk() -> Iterator[Bulk]:
    with Bulk() as server:
        yield server


@contextlib.contextmanager
def listening(server: Bulk) -> Iterator[None]:
    server.server_bind()
    server.server_activate()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield
    server.shutdown()
    thread.join()


def test_lines_wait_on_disk_until_humio_is_there(bulk: Bulk, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken")
    collector = Collector(tmp_path, "tcp")
    text = configuration(
        collector.settings, collector.archive, Humio(f"http://127.0.0.1:{bulk.server_address[1]}", token)
    )
    collector.file.write_text(text.replace('action.resumeInterval="5"', 'action.resumeInterval="1"'))
    collector.start()
    try:
        lines = [rfc5424(number) + b' "quoted" \\ back' for number in range(50)]
        send_tcp(collector.ports["tcp"], lines)
        collector.wait_for(50)
        collector.kill()
        collector.start()
        with listening(bulk):
            assert bulk.complete.wait(20), (tmp_path / "log").read_text()
    finally:
        collector.kill()
    assert {document["message"] for document in bulk.documents} == {
        f'number {number:08d} "quoted" \\ back' for number in range(50)
    }
    assert {(document["host"], document["severity"]) for document in bulk.documents} == {("conf01", "info")}
    assert bulk.paths == {"/api/v1/ingest/elastic-bulk/_bulk"}
    assert bulk.credentials == {"t0ken:none"}
    assert "t0ken" not in collector.file.read_text()
