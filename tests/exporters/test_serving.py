"""Serving on real sockets."""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from exporters.serving import bind, serve, tls_context
from vdx.settings import ServerSettings, SettingsError, WebSettings

ANY = ServerSettings(listen="127.0.0.1:0")


class Certificate(NamedTuple):
    certificate: Path
    key: Path


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def _events(_: Request) -> StreamingResponse:
    async def stream() -> AsyncIterator[str]:
        while True:
            yield "data: beat\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(stream(), media_type="text/event-stream")


async def _sleep(_: Request) -> PlainTextResponse:
    await asyncio.sleep(60)
    return PlainTextResponse("late")


APP = Starlette(routes=[Route("/", _hello), Route("/events", _events), Route("/sleep", _sleep)])


def make_certificate(folder: Path, name: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vdx-watch test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, "server")


def secured(certificate: Path, key: Path) -> ServerSettings:
    return ServerSettings(listen="127.0.0.1:0", tls_certificate_file=certificate, tls_key_file=key)


async def test_several_servers_run_in_one_loop_and_leave_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    web = WebSettings(listen="127.0.0.1:0")
    async with serve(APP, ANY) as first, serve(APP, web, "web") as second, httpx.AsyncClient() as client:
        assert first != second
        for url in (first, second):
            answer = await client.get(url)
            assert (answer.status_code, answer.text) == (200, "hello")
            assert "server" not in answer.headers
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(first)


async def test_a_head_answer_has_a_length_and_no_body() -> None:
    async with serve(APP, ANY) as url, httpx.AsyncClient() as client:
        answer = await client.head(url)
    assert (answer.headers["content-length"], answer.content) == ("5", b"")


async def test_a_port_in_use_is_named() -> None:
    async with serve(APP, ANY) as url:
        listen = url.removeprefix("http://")
        with pytest.raises(SettingsError) as caught:
            async with serve(APP, ServerSettings(listen=listen), "web"):
                pass
    assert str(caught.value) == (
        f"web.listen: {listen} is in use by another program; stop it or choose another address"
    )


async def test_a_port_is_free_again_at_once() -> None:
    async with serve(APP, ANY) as url, httpx.AsyncClient() as client:
        await client.get(url)
    async with serve(APP, ServerSettings(listen=url.removeprefix("http://"))) as again:
        assert again == url


@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ("192.0.2.1:9870", "192.0.2.1:9870 is not an address of this machine"),
        ("no.such.host.invalid:9870", "no.such.host.invalid is no address or host name"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(listen: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=r"^server\.listen: ") as caught:
        bind(listen)
    assert reason in str(caught.value)


def test_an_address_may_be_ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with bind("[::1]:0") as listener:
        assert listener.getsockname()[0] == "::1"


async def test_a_stop_ends_event_streams_for_their_readers(caplog: pytest.LogCaptureFixture) -> None:
    async with httpx.AsyncClient() as client:
        async with serve(APP, ANY) as url:
            stream = await client.send(client.build_request("GET", f"{url}/events"), stream=True)
            parts = stream.aiter_text()
            assert "data: beat" in await anext(parts)
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 3
        rest = [part async for part in parts]
    assert all("data: beat" in part for part in rest)
    assert not caplog.records


async def test_a_stop_answers_requests_that_take_too_long(caplog: pytest.LogCaptureFixture) -> None:
    async with httpx.AsyncClient() as client:
        async with serve(APP, ANY) as url:
            request = asyncio.create_task(client.get(f"{url}/sleep"))
            await asyncio.sleep(0.2)
        answer = await request
    assert (answer.status_code, answer.text) == (503, "this server stops\n")
    assert not caplog.records


async def test_https_is_served(certificate: Certificate) -> None:
    trust = ssl.create_default_context(cafile=certificate.certificate)
    async with (
        serve(APP, secured(*certificate)) as url,
        httpx.AsyncClient(verify=trust) as client,
    ):
        assert url.startswith("https://127.0.0.1:")
        assert (await client.get(url)).text == "hello"


def test_without_a_certificate_there_is_no_tls() -> None:
    assert tls_context(ANY) is None


def test_files_that_are_missing_are_named(certificate: Certificate, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(SettingsError, match=r"^server\.tls_certificate_file: cannot read .*missing: No such"):
        tls_context(secured(missing, certificate.key))
    with pytest.raises(SettingsError, match=r"^web\.tls_key_file: cannot read .*missing: No such"):
        tls_context(secured(certificate.certificate, missing), "web")


def test_files_that_are_something_else_are_named(certificate: Certificate, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("something else", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"tls_certificate_file: .*other is not a certificate"):
        tls_context(secured(other, certificate.key))
    with pytest.raises(SettingsError, match=r"tls_key_file: .*other is not a private key"):
        tls_context(secured(certificate.certificate, other))


def test_a_key_of_another_certificate_is_told(certificate: Certificate, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "other")
    with pytest.raises(SettingsError, match=r"tls_key_file: the key does not match .*server\.crt"):
        tls_context(secured(certificate.certificate, other.key))


def test_a_key_with_a_password_is_refused_without_asking(certificate: Certificate) -> None:
    key = serialization.load_pem_private_key(certificate.key.read_bytes(), None)
    certificate.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(SettingsError, match="without a password"):
        tls_context(secured(*certificate))
