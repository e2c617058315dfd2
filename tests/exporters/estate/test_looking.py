"""What is told of an exporter that is asked once: what is missing, and whatever may answer in its place."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from exporters.estate import looking
from exporters.estate.kind import kind
from exporters.estate.looking import Look, look, missing
from exporters.estate.target import jobs
from tests.certificates import self_signed
from tests.databases import free_port
from tests.exporters.estate.servers import PASSWORD, TOKEN, USERNAME, answer, documented, send, serving
from vdx.settings import EstateJob, Settings

SOON = datetime.now(UTC) + timedelta(days=30)


async def seen(**job: Any) -> Look:
    (found,) = await look(jobs(Settings(estate={"x": EstateJob(**job)})))
    return found


@pytest.mark.parametrize("name", ["mongodb", "kube-state-metrics", "keycloak", "kubelet"])
async def test_an_exporter_as_its_documentation_shows_it_lacks_nothing(name: str, tmp_path: Path) -> None:
    secrets: dict[str, dict[str, Any]] = {
        "keycloak": {"username": USERNAME, "password_file": tmp_path / "secret"},
        "kubelet": {"token_file": tmp_path / "secret", "ca_file": self_signed(tmp_path, "kubelet", SOON)},
    }
    (tmp_path / "secret").write_text({"kubelet": TOKEN}.get(name, PASSWORD) + "\n")
    given = secrets.get(name, {})
    with serving(documented, given.get("ca_file")) as address:
        found = await seen(kind=name, targets=(address,), path=f"/{name}", **given)
    assert found == Look("x", name, address)
    assert found.words == ""


async def test_the_vmware_exporter_is_asked_about_the_vcenter() -> None:
    with serving(documented) as address:
        found = await seen(kind="vmware", targets=("vcenter.example.org",), exporter=address, path="/vmware")
    assert found == Look("x", "vmware", "vcenter.example.org")


async def test_metrics_that_are_not_there_are_named() -> None:
    text = answer("mongodb").replace("mongodb_ss_", "mongodb_")
    with serving(lambda request: send(request, text)) as address:
        found = await seen(kind="mongodb", targets=(address,))
    assert found.missing == ("mongodb_ss_connections", "mongodb_ss_opcounters")
    assert found.words.startswith("it has no mongodb_ss_connections, mongodb_ss_opcounters; see")


def test_what_is_there_only_at_times_is_not_missing() -> None:
    names = missing(kind("mysqld"), ())
    assert "mysql_up" in names
    assert not any(name.startswith("mysql_slave_status") for name in names)


@pytest.mark.parametrize("value", ["0", "0.0"])
async def test_an_exporter_that_cannot_reach_what_it_watches_says_so(value: str) -> None:
    with serving(lambda request: send(request, f"# HELP mysql_up x\nmysql_up {value}\n")) as address:
        found = await seen(kind="mysqld", targets=(address,))
    assert found.words == (
        "its exporter answers, and cannot reach it (mysql_up is 0); check the exporter's account"
    )


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b"x" * 65_536)


def no_end_of_lines(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b"metric 1\n" * 7000)


@pytest.mark.parametrize(
    ("respond", "words"),
    [
        (lambda request: send(request, "<html>", kind="text/html"), "a web page answers, not metrics; check"),
        (lambda request: send(request, "", 401), "it asks for a login (401); set username"),
        (lambda request: send(request, "", 403), "it refuses this login (403); give"),
        (lambda request: send(request, "", 404), "there is nothing at this path (404); check"),
        (lambda request: send(request, "", 503), "it answers with status 503; its own log"),
        (lambda request: send(request, "", 302), "it answers with status 302; its own log"),
        (lambda request: send(request, ""), "it answers without a metric; check"),
        (endless, "it answers with more than metrics; check"),
        (no_end_of_lines, "it answers with more than metrics; check"),
    ],
    ids=["page", "401", "403", "404", "503", "redirect", "nothing", "one endless line", "lines without end"],
)
async def test_what_answers_in_its_place_is_told_with_the_mend(
    respond: Callable[[BaseHTTPRequestHandler], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_BYTES", 3_000_000)
    with serving(respond) as address:
        found = await seen(kind="node", targets=(address,))
    assert found.fault.startswith(words)
    assert found.missing == ()


async def test_a_certificate_that_ended_or_that_nobody_trusts_is_told(tmp_path: Path) -> None:
    ended = self_signed(tmp_path, "ended", datetime.now(UTC) - timedelta(days=1))
    good = self_signed(tmp_path, "good", SOON)
    job = {"kind": "node", "scheme": "https"}
    with serving(documented, ended) as address:
        found = await seen(**job, targets=(address,), ca_file=ended)
        assert found.fault == (
            "its certificate is not trusted (certificate has expired); renew it, or set ca_file"
        )
    with serving(documented, good) as address:
        found = await seen(**job, targets=(address,))
        assert found.fault.startswith("its certificate is not trusted (self-signed certificate)")
    with serving(documented) as address:
        found = await seen(**job, targets=(address,), ca_file=good)
        assert found.fault == "no TLS there; check scheme and port"


def greet(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")


async def test_silence_and_what_is_no_http_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await seen(kind="node", targets=(f"127.0.0.1:{free_port()}",))
    assert found.fault.startswith("no connection; check that the exporter runs")
    monkeypatch.setattr(looking, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = await seen(kind="node", targets=(f"127.0.0.1:{silent.getsockname()[1]}",))
    assert found.fault == "no answer within 0.2 s; check the firewall"
    with serving(greet) as address:
        found = await seen(kind="node", targets=(address,))
    assert found.fault.startswith("the connection broke, or the answer is not HTTP")


async def test_a_secret_or_certificate_that_cannot_be_read_is_told_for_each_target(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    job = {"kind": "node", "targets": ("a", "b")}
    for given, words in (
        ({"token_file": tmp_path / "none"}, "estate.x.token_file: cannot read"),
        ({"username": "u", "password_file": tmp_path / "empty"}, "estate.x.password_file: "),
        ({"ca_file": tmp_path / "none"}, "estate.x.ca_file: "),
        ({"ca_file": tmp_path / "empty"}, "estate.x.ca_file: "),
    ):
        found = await look(jobs(Settings(estate={"x": EstateJob(**(job | given))})))
        assert [item.target for item in found] == ["a:9100", "b:9100"]
        assert all(item.fault.startswith(words) for item in found)
