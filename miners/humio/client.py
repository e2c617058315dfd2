"""One request to Humio, and what its answer means."""

import asyncio
import gzip
import ssl
from datetime import UTC, datetime
from enum import Enum
from typing import Final

import httpx
import msgspec

from vdx.pexip.address import secure_url
from vdx.pexip.errors import PexipConfigurationError
from vdx.pexip.retry import retry_after_seconds
from vdx.settings import HumioSettings, SettingsError, read_secret

PATHS: Final = {"structured": "/api/v1/ingest/humio-structured", "hec": "/api/v1/ingest/hec"}
CONNECT_SECONDS: Final = 10.0
_GZIP_LEVEL: Final = 3


class Verdict(Enum):
    """What is to be done with the events of a request."""

    TAKEN = "taken"
    """Humio has them."""
    AGAIN = "again"
    """Humio or the way to it has a fault that passes: send them again."""
    REFUSED = "refused"
    """Humio refuses the sender, not the events: the token, the address or the way must be mended."""
    POISON = "poison"
    """Humio refuses these events: at least one of them will never be taken."""


class Answer(msgspec.Struct, frozen=True):
    """What came of a request. `words` hold neither the token nor anything of an event."""

    verdict: Verdict
    code: str
    """The HTTP status, or `timeout`, `tls` or `network`."""
    words: str = ""
    retry_after: float | None = None
    """Seconds that Humio asks to wait."""
    sent_bytes: int = 0
    """Size of the body as it was sent."""


_REFUSED: Final = {
    401: "Humio refused the ingest token (401): write a valid one into humio.token_file",
    403: "Humio refused the ingest token (403): is it of this Humio, and does its repository take events? "
    "Write a valid one into humio.token_file",
    404: "there is no such address (404): is humio.url a Humio or LogScale that takes ingest?",
    405: "the address takes no events (405): is humio.url a Humio or LogScale that takes ingest?",
    407: "a proxy in between wants a login (407): let this machine reach Humio without it",
}
"""The answers of 4xx that tell of the sender or the address: no event is at fault."""
_PASSING: Final = frozenset({408, 425, 429})


def verdict(status: int) -> tuple[Verdict, str]:
    """What a status means, by Humio's own rules, and in words. Redirects are not followed.

    200 alone is taken, 4xx is not to be repeated but for those that pass, all else is repeated.
    """
    if status == 200:
        return Verdict.TAKEN, ""
    if status in _REFUSED:
        return Verdict.REFUSED, _REFUSED[status]
    if 400 <= status < 500 and status not in _PASSING:
        return Verdict.POISON, f"Humio refused the events ({status})"
    if status == 429:
        return Verdict.AGAIN, "Humio takes no more for the moment (429): see its limits of ingest"
    if 300 <= status < 400:
        return Verdict.AGAIN, f"redirected ({status}): set humio.url to Humio's own https address"
    return Verdict.AGAIN, f"Humio failed ({status}): see its status; it may be overloaded or restarting"


class HumioClient:
    """Sends bodies to the endpoint of the settings. The token is read anew for each attempt to mend it.

    Raises SettingsError when it is made, where url, token or ca_file cannot be used.
    """

    def __init__(self, settings: HumioSettings) -> None:
        if not settings.url:
            raise SettingsError(
                'humio.url is not set; write [humio] url = "https://<humio>" and token_file into vdx.toml'
            )
        try:
            url = secure_url(settings.url, "humio.url")
        except PexipConfigurationError:
            raise SettingsError(
                "humio.url is not a URL that a token may be sent to; write https://humio.example.org, "
                "without user name and password"
            ) from None
        self._settings = settings
        self._host = url.host
        self._url = url.copy_with(path=url.path.rstrip("/") + PATHS[settings.endpoint], query=None)
        self._headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        self.read_token()
        self._client = httpx.AsyncClient(
            verify=_tls(settings),
            timeout=httpx.Timeout(settings.timeout_seconds, connect=CONNECT_SECONDS),
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": "vdx-watch"},
        )

    def read_token(self) -> None:
        """Reads the token from its file, which may have been mended. Raises SettingsError."""
        if self._settings.token_file is None:
            raise SettingsError("humio.token_file is not set; name a file that holds the ingest token")
        token = read_secret("humio.token_file", self._settings.token_file)
        if not token.isascii() or not token.isprintable() or " " in token:
            raise SettingsError(
                f"humio.token_file: {self._settings.token_file} is no token; write it there and nothing else"
            )
        self._headers["Authorization"] = f"Bearer {token}"

    async def send(self, body: bytes) -> Answer:
        """Sends a body, compressed, within humio.timeout_seconds. Never raises for what the world does."""
        content = await asyncio.to_thread(gzip.compress, body, _GZIP_LEVEL)
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                response = await self._client.post(self._url, content=content, headers=self._headers)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(Verdict.AGAIN, "timeout", f"{self._host} did not answer in time: is it overloaded?")
        except httpx.RequestError as error:
            return _network(error, self._host)
        meaning, words = verdict(response.status_code)
        wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        return Answer(meaning, str(response.status_code), words, wait, len(content))

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()


def _tls(settings: HumioSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        reason = "holds no certificate in PEM" if isinstance(error, ssl.SSLError) else "cannot be read"
        raise SettingsError(
            f"humio.ca_file: {settings.ca_file} {reason}; give the path of the authority's certificate"
        ) from None
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _network(error: httpx.RequestError, host: str) -> Answer:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Answer(
                Verdict.AGAIN,
                "tls",
                f"the certificate of {host} is not trusted ({cause.verify_message}): set humio.ca_file, "
                "or mend it there",
            )
        if isinstance(cause, ssl.SSLError):
            return Answer(Verdict.AGAIN, "tls", f"no TLS connection to {host}: is humio.url its https port?")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        return Answer(
            Verdict.AGAIN, "network", f"no connection to {host}: check humio.url, DNS and the firewall"
        )
    return Answer(Verdict.AGAIN, "network", f"the connection to {host} broke before the answer was complete")
