"""The exporter of certificates: when the TLS certificates of servers end."""

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec
from cryptography import x509
from loguru import logger
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Collected
from prometheus_client.registry import Collector

from vdx import metrics
from vdx.pexip.address import base_url
from vdx.pexip.errors import PexipConfigurationError
from vdx.settings import Settings, SettingsError

AT_ONCE: Final = 10
"""Servers that are asked at the same time."""
TRIES: Final = 3
BACKOFF_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 1.0
JITTER: Final = 0.1
"""Share of the interval by which looks are moved, so that several processes do not look at once."""


class CertificateError(Exception):
    """A server does not show its certificate; why, and the mend."""


class Seen(msgspec.Struct, frozen=True):
    """What is known of the certificate of a server."""

    address: str
    up: bool
    """Whether the server showed one the last time."""
    not_after: datetime | None = None
    """When the one that it last showed ends, in UTC; None when it never showed one."""
    words: str = ""
    """Why it showed none, with the mend."""


def addresses(settings: Settings) -> tuple[str, ...]:
    """The servers that are watched, as host:port: that of `pexip.url`, and `certificates.addresses`.

    Raises SettingsError when `pexip.url` is no address.
    """
    own: tuple[str, ...] = ()
    if settings.pexip.url:
        try:
            url = base_url(settings.pexip.url)
        except PexipConfigurationError as error:
            raise SettingsError(str(error)) from None
        host = f"[{url.host}]" if ":" in url.host else url.host
        own = (f"{host}:{url.port or 443}",) if url.scheme == "https" else ()
    return tuple(dict.fromkeys((*own, *settings.certificates.addresses)))


async def not_after(address: str, timeout_seconds: float) -> datetime:
    """When the certificate of a server ends, in UTC, be it expired or trusted by nobody.

    Trust is not asked for, since nothing is sent over the connection or believed of it but this date.
    Raises CertificateError.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        async with asyncio.timeout(timeout_seconds):
            _, writer = await asyncio.open_connection(host, int(port), ssl=_context(), server_hostname=host)
            try:
                shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            finally:
                await _close(writer)
        return x509.load_der_x509_certificate(shown or b"").not_valid_after_utc
    except TimeoutError:
        reason = f"no answer within {timeout_seconds:g} s; check the address and the firewall"
    except ssl.SSLError as error:
        reason = f"no TLS there ({error.reason or 'the connection was closed'}); check the port"
    except socket.gaierror:
        reason = "the name is not known; check its spelling and the name server"
    except OSError as error:
        reason = f"no connection ({error.strerror or type(error).__name__}); check that the server runs"
    except ValueError:
        reason = "its certificate or its name cannot be read; check both"
    raise CertificateError(reason)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Takes leave as TLS has it, so that the server logs no broken connection; it does not wait long."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await writer.wait_closed()
    writer.transport.abort()


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Certificates(Collector):
    """Looks at each server now and then, and shows when its certificate ends."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._settings = settings.certificates
        self._addresses = addresses(settings)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.seen: dict[str, Seen] = {}
        """What is known, by address; nothing of those that were not looked at yet."""
        registry.register(self)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks at once and then at each interval, until `stop` is set."""
        while not stop.is_set():
            await self.check()
            seconds = 60 * self._settings.interval_minutes * random.uniform(1 - JITTER, 1)  # noqa: S311
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)

    async def check(self) -> list[Seen]:
        """Looks at each server once, and gives what is known now."""
        return list(await asyncio.gather(*map(self._look, self._addresses)))

    async def _look(self, address: str) -> Seen:
        before = self.seen.get(address)
        try:
            seen = Seen(address, up=True, not_after=await self._tried(address))
        except CertificateError as error:
            seen = Seen(address, up=False, not_after=before.not_after if before else None, words=str(error))
        if seen.words and (before is None or before.words != seen.words):
            logger.error("certificate of {}: {}", address, seen.words)
        elif before is not None and before.words and not seen.words:
            logger.info("certificate of {}: it can be read again", address)
        self.seen[address] = seen
        return seen

    async def _tried(self, address: str) -> datetime:
        for number in range(TRIES - 1):
            with contextlib.suppress(CertificateError):
                return await self._once(address)
            await asyncio.sleep(BACKOFF_SECONDS * 2**number * random.uniform(0.5, 1))  # noqa: S311 - jitter
        return await self._once(address)

    async def _once(self, address: str) -> datetime:
        async with self._gate:
            return await not_after(address, self._settings.timeout_seconds)

    def describe(self) -> Iterator[Collected]:
        """None: what is collected differs from scrape to scrape."""
        return iter(())

    def collect(self) -> Iterator[Collected]:
        """What is known of each server."""
        up, ends = (
            GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for metric in (metrics.CERTIFICATE_CHECK_UP, metrics.CERTIFICATE_NOT_AFTER)
        )
        for seen in list(self.seen.values()):
            up.add_metric([seen.address], float(seen.up))
            if seen.not_after is not None:
                ends.add_metric([seen.address], seen.not_after.timestamp())
        yield up
        yield ends
