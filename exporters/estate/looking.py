"""Asks each target of the estate once, and tells what alerts and dashboards would miss of it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

import httpx
import msgspec

from exporters.estate.kind import Kind, kind
from exporters.estate.target import Job
from vdx.settings import SettingsError, read_secret

AT_ONCE: Final = 10
"""Targets that are asked at the same time."""
SECONDS: Final = 15.0
"""How long a target may take in all."""
MOST_BYTES: Final = 64_000_000
"""An answer that is larger is no exporter's; kube-state-metrics of a large cluster gives some 20 MB."""
LONGEST_LINE: Final = 1_000_000

_STATUS: Final = {
    401: "it asks for a login (401); set username and password_file, or token_file",
    403: "it refuses this login (403); give the account the right to read metrics",
    404: "there is nothing at this path (404); check the port and the path",
}


class Look(msgspec.Struct, frozen=True):
    """What was seen of a target."""

    job: str
    kind: str
    target: str
    fault: str = ""
    """Why its metrics cannot be had, with the mend; empty when they can."""
    missing: tuple[str, ...] = ()
    """Metrics that are needed and not there."""

    @property
    def words(self) -> str:
        """What is wrong, in plain words; empty when nothing is."""
        if self.missing:
            return f"it has no {', '.join(self.missing)}; see docs/estate.md for how it is started"
        return self.fault


class _LookError(Exception):
    """A target has no metrics to give; why, and the mend."""


async def look(jobs: Sequence[Job]) -> list[Look]:
    """Each target, asked once, in the order of the jobs. What is wrong is told in the answer, not raised."""
    gate = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(_job(job, gate) for job in jobs))
    return [seen for looks in found for seen in looks]


async def _job(job: Job, gate: asyncio.Semaphore) -> list[Look]:
    try:
        client = _client(job)
    except (SettingsError, OSError) as error:
        words = str(error) if isinstance(error, SettingsError) else _unreadable(job, error)
        return [Look(job.name, job.kind, target, words) for target in job.targets]
    async with client:
        return await asyncio.gather(*(_look(job, target, client, gate) for target in job.targets))


def _unreadable(job: Job, error: OSError) -> str:
    reason = "holds no certificate in PEM" if isinstance(error, ssl.SSLError) else "cannot be read"
    return f"estate.{job.name}.ca_file: {job.ca_file} {reason}; give the authority's certificate in PEM"


def _client(job: Job) -> httpx.AsyncClient:
    """Raises SettingsError or OSError for what cannot be read."""
    setting = f"estate.{job.name}"
    headers = {"Accept": "text/plain;version=0.0.4", "User-Agent": "vdx-watch"}
    if job.token_file is not None:
        headers["Authorization"] = f"Bearer {read_secret(f'{setting}.token_file', job.token_file)}"
    login = None
    if job.password_file is not None:
        login = httpx.BasicAuth(job.username, read_secret(f"{setting}.password_file", job.password_file))
    return httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=job.ca_file),
        headers=headers,
        auth=login,
        timeout=SECONDS,
        trust_env=False,
    )


async def _look(job: Job, target: str, client: httpx.AsyncClient, gate: asyncio.Semaphore) -> Look:
    known = kind(job.kind)
    try:
        async with gate, asyncio.timeout(SECONDS):
            names, up = await _names(job, target, client, known)
    except TimeoutError:
        return Look(job.name, job.kind, target, f"no answer within {SECONDS:g} s; check the firewall")
    except _LookError as error:
        return Look(job.name, job.kind, target, str(error))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Look(job.name, job.kind, target, _words(error))
    if not up:
        words = f"its exporter answers, and cannot reach it ({known.up} is 0); check the exporter's account"
        return Look(job.name, job.kind, target, words)
    return Look(job.name, job.kind, target, missing=missing(known, names))


def missing(known: Kind, names: Iterable[str]) -> tuple[str, ...]:
    """The metrics that are always needed of a kind and are not among `names`."""
    there = set(names)
    return tuple(name for name, needed in known.metrics.items() if not needed.when and name not in there)


async def _names(job: Job, target: str, client: httpx.AsyncClient, known: Kind) -> tuple[set[str], bool]:
    """The names of the metrics in the answer, and whether the exporter reaches what it watches."""
    names: set[str] = set()
    up = True
    async with client.stream("GET", job.url(target), params=job.parameters(target)) as answer:
        if answer.status_code != httpx.codes.OK:
            status = answer.status_code
            raise _LookError(_STATUS.get(status, f"it answers with status {status}; its own log says why"))
        if "html" in answer.headers.get("content-type", ""):
            raise _LookError("a web page answers, not metrics; check the port and the path")
        async for line in _lines(answer):
            name = line.partition(" ")[0].partition("{")[0]
            names.add(name)
            if name == known.up and line.rstrip().endswith((" 0", " 0.0")):
                up = False
    return names, up


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    """The lines that are samples. Raises _LookError for an answer without end, or without any sample."""
    size, rest, found = 0, b"", False
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > MOST_BYTES or len(rest) > LONGEST_LINE:
            raise _LookError("it answers with more than metrics; check the port and the path")
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if line and not line.startswith(b"#"):
                found = True
                yield line.decode("utf-8", "replace")
    if not found:
        raise _LookError("it answers without a metric; check the port and the path")


def _words(error: Exception) -> str:
    """Why there was no answer, by what lies at the bottom of it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message}); renew it, or set ca_file"
        if isinstance(cause, ssl.SSLError):
            return "no TLS there; check scheme and port"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {SECONDS:g} s; check the firewall"
    if isinstance(error, httpx.ConnectError):
        return "no connection; check that the exporter runs, its port and the firewall"
    return "the connection broke, or the answer is not HTTP; check scheme and port"
