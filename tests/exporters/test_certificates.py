"""Certificates of real TLS servers: when they end, whoever signed them and however old they are."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loguru import logger
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from exporters import certificates
from exporters.certificates import CertificateError, Certificates, addresses, not_after
from tests.certificates import self_signed
from tests.databases import free_port
from vdx.settings import CertificateSettings, PexipSettings, Settings, SettingsError

TODAY = datetime.now(UTC).replace(microsecond=0)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def server_context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says nothing."""


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.org ESMTP\r\n")


@asynccontextmanager
async def listening(
    context: ssl.SSLContext | None, port: int = 0, handler: Handler = wait, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """A server that closes when its visitor does."""
    visits: set[asyncio.Task[None] | None] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.add(asyncio.current_task())
        await handler(reader, writer)
        with suppress(OSError):
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(visit, host, port, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*filter(None, visits))


@pytest.fixture
def told() -> "list[str]":
    lines: list[str] = []
    logger.remove()
    logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    return lines


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "BACKOFF_SECONDS", 0.01)


def watched(*names: str) -> tuple[Certificates, CollectorRegistry]:
    registry = CollectorRegistry()
    settings = Settings(certificates=CertificateSettings(addresses=names, timeout_seconds=5))
    return Certificates(settings, registry), registry


@pytest.mark.parametrize("days", [300, -3])
async def test_the_end_is_read_though_nobody_trusts_it_or_it_has_ended(tmp_path: Path, days: int) -> None:
    end = TODAY + timedelta(days=days)
    async with listening(server_context(self_signed(tmp_path, "own", end))) as address:
        assert await not_after(address, 5) == end


async def test_a_server_with_several_names_is_asked_for_the_right_one(tmp_path: Path) -> None:
    other = server_context(self_signed(tmp_path, "localhost", TODAY + timedelta(days=9)))
    context = server_context(self_signed(tmp_path, "default", TODAY + timedelta(days=99)))

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        if name == "localhost":
            connection.context = other

    context.sni_callback = choose
    async with listening(context) as address:
        port = address.rpartition(":")[2]
        assert await not_after(f"localhost:{port}", 5) == TODAY + timedelta(days=9)
        assert await not_after(address, 5) == TODAY + timedelta(days=99)


async def test_why_there_is_no_certificate_is_told_with_the_mend() -> None:
    with pytest.raises(CertificateError, match=r"no connection .*; check that the server runs"):
        await not_after(f"127.0.0.1:{free_port()}", 5)
    with pytest.raises(CertificateError, match="the name is not known; check its spelling"):
        await not_after("nowhere.invalid:443", 5)
    with pytest.raises(CertificateError, match="cannot be read; check both"):
        await not_after(f"{'a' * 70}.example.org:443", 5)
    async with listening(None, handler=greet) as address:
        with pytest.raises(CertificateError, match="no TLS there"):
            await not_after(address, 5)
    async with listening(None) as address:
        with pytest.raises(CertificateError, match=r"no answer within 0\.2 s"):
            await not_after(address, 0.2)


async def test_a_server_that_goes_and_comes_is_told_once_each_and_its_last_end_stays(
    tmp_path: Path, told: list[str]
) -> None:
    context = server_context(self_signed(tmp_path, "own", TODAY + timedelta(days=5)))
    port = free_port()
    address = f"127.0.0.1:{port}"
    looks, registry = watched(address)

    def figures() -> list[float | None]:
        names = ("certificate_check_up", "certificate_not_after_timestamp_seconds")
        return [registry.get_sample_value(name, {"address": address}) for name in names]

    await looks.check()
    assert figures() == [0, None]
    async with listening(context, port):
        await looks.check()
        end = (TODAY + timedelta(days=5)).timestamp()
        assert figures() == [1, end]
    await looks.check()
    await looks.check()
    assert figures() == [0, end]
    assert [line.partition(": ")[2].partition(" (")[0] for line in told] == [
        "no connection",
        "it can be read again",
        "no connection",
    ]


async def test_a_server_that_refuses_once_is_tried_again(tmp_path: Path, told: list[str]) -> None:
    context = server_context(self_signed(tmp_path, "own", TODAY + timedelta(days=5)))
    port = free_port()
    looks, _ = watched(f"127.0.0.1:{port}")
    task = asyncio.create_task(looks.check())
    await asyncio.sleep(0)
    async with listening(context, port):
        (seen,) = await task
    assert seen.up
    assert told == []


async def test_no_more_than_ten_are_asked_at_once() -> None:
    present: set[asyncio.StreamWriter] = set()
    most = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        present.add(writer)
        most = max(most, len(present))
        await asyncio.sleep(0.02)
        present.remove(writer)
        writer.write(b"no TLS here\r\n")

    async with listening(None, handler=count, host="0.0.0.0") as address:
        port = address.rpartition(":")[2]
        looks, _ = watched(*(f"127.0.0.{number}:{port}" for number in range(1, 31)))
        await looks.check()
    assert most == certificates.AT_ONCE


async def test_it_looks_at_once_and_stops_when_told(tmp_path: Path) -> None:
    async with listening(server_context(self_signed(tmp_path, "own", TODAY))) as address:
        looks, _ = watched(address)
        stop = asyncio.Event()
        task = asyncio.create_task(looks.run(stop))
        async with asyncio.timeout(5):
            while not looks.seen:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
            stop.set()
            await task
    assert looks.seen[address].up


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://manager.example.org", ("manager.example.org:443", "www.example.org:443")),
        ("https://manager.example.org:8443", ("manager.example.org:8443", "www.example.org:443")),
        ("https://[2001:db8::1]", ("[2001:db8::1]:443", "www.example.org:443")),
        ("https://www.example.org/", ("www.example.org:443",)),
        ("http://127.0.0.1:8080", ("www.example.org:443",)),
        ("", ("www.example.org:443",)),
    ],
)
def test_the_management_node_is_among_those_that_are_watched(url: str, expected: tuple[str, ...]) -> None:
    given = CertificateSettings(addresses=("www.example.org:443",))
    assert addresses(Settings(pexip=PexipSettings(url=url), certificates=given)) == expected


def test_a_management_node_that_is_no_address_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match=r"pexip\.url"):
        addresses(Settings(pexip=PexipSettings(url="https://manager:abc")))


@pytest.mark.parametrize(
    "address", ["www.example.org", ":443", "a:0", "a:70000", "https://a:443", "me@a:443", "a b:1"]
)
def test_what_is_no_server_is_refused_with_the_settings(address: str) -> None:
    with pytest.raises(ValidationError, match=r"is no server; write it as www\.example\.org:443"):
        CertificateSettings(addresses=(address,))
