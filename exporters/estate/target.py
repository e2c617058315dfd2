"""The targets of the estate: which URL is asked for the metrics of each, and with what."""

import re
from pathlib import Path
from typing import Final

import msgspec

from exporters.estate.kind import Kind, kind
from vdx.settings import EstateJob, ServerSettings, Settings, SettingsError

OWN: Final = "vdx"
OWN_NETWORK: Final = "vdx-network"
OWN_LOGS: Final = "vdx-logs"
"""Jobs of the suite itself: the status miner, the SNMP exporter and the log exporter."""

LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}  # noqa: S104 - what to ask instead

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST: Final = re.compile(
    rf"(?:\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>\d{{1,5}}))?", re.ASCII
)
_URL: Final = re.compile(r"https?://[^/@]+(/[^@]*)?", re.ASCII)


class Job(msgspec.Struct, frozen=True):
    """Targets that are scraped alike."""

    name: str
    kind: str
    """The label `job` of its metrics, as dashboards and alerts know it."""
    targets: tuple[str, ...]
    """Each with its port, or what the exporter shall look at."""
    site: str
    scheme: str
    path: str
    interval_seconds: int
    timeout_seconds: int
    exporter: str = ""
    """Where the exporter is that looks at the targets; empty where each target is one itself."""
    module: str = ""
    ca_file: Path | None = None
    verify: bool = True
    username: str = ""
    password_file: Path | None = None
    token_file: Path | None = None

    def url(self, target: str) -> str:
        """What is asked for a target, without the parameters."""
        return f"{self.scheme}://{self.exporter or target}{self.path}"

    def parameters(self, target: str) -> dict[str, str]:
        """The parameters of the request."""
        module = {"module": self.module} if self.module else {}
        return module | {"target": target} if self.exporter else {}


def jobs(settings: Settings) -> list[Job]:
    """All jobs of the estate, in the order of the settings. Raises SettingsError, a line for each fault."""
    faults: list[str] = []
    found: list[Job] = []
    seen: dict[tuple[str, str, str], str] = {}
    for name, job in settings.estate.items():
        try:
            found.append(_job(name, job))
        except ValueError as error:
            faults.append(f"estate.{name}.{error}")
            continue
        for target in found[-1].targets:
            first = seen.setdefault((job.kind, found[-1].module, target), name)
            if first != name or found[-1].targets.count(target) > 1:
                faults.append(f"estate.{name}.targets: {target} stands in estate.{first} too; name it once")
    if faults:
        raise SettingsError("\n".join(dict.fromkeys(faults)))
    return found


def own_jobs(settings: Settings) -> list[Job]:
    """The suite's own jobs: the status miner, the SNMP exporter where devices are polled, and the log
    exporter where there is a collector."""
    polled = any(device.snmp for device in settings.devices.values())
    syslog = settings.syslog
    collected = any((syslog.udp, syslog.tcp, syslog.tls, syslog.relp))
    return [
        own_job(OWN, settings.server, settings.pexip.interval_seconds),
        *([own_job(OWN_NETWORK, settings.snmp, settings.snmp.interval_seconds)] if polled else []),
        *([own_job(OWN_LOGS, settings.logs, settings.pexip.interval_seconds)] if collected else []),
    ]


def own_job(name: str, server: ServerSettings, interval_seconds: int, listen: str = "") -> Job:
    """A job of the suite itself; `listen` is its address where that is another than in the settings."""
    host, _, port = (listen or server.listen).rpartition(":")
    return Job(
        name=name,
        kind=name,
        targets=(f"{LOOPBACK.get(host, host)}:{port}",),
        site="",
        scheme="https" if server.tls_certificate_file else "http",
        path="/metrics",
        interval_seconds=interval_seconds,
        timeout_seconds=min(10, interval_seconds),
        # The address it listens on is seldom the name in its certificate.
        verify=False,
        username=server.username,
        password_file=server.password_file,
    )


def _job(name: str, job: EstateJob) -> Job:
    """A job of the settings. Raises ValueError, which begins with the key that is wrong."""
    if not _NAME.fullmatch(name) or name in (OWN, OWN_NETWORK, OWN_LOGS):
        raise ValueError(
            f"kind: the section's name {name!r} is taken, or has other signs than A-Z, 0-9, - and _"
        )
    try:
        known = kind(job.kind)
    except ValueError as error:
        raise ValueError(f"kind: {error}") from None
    if known.probes and not job.exporter:
        raise ValueError(
            f"exporter: it is empty; write where the {job.kind} exporter is, as host or host:port"
        )
    if job.exporter and not known.probes:
        raise ValueError(f"exporter: {job.kind} is no exporter of others; write its addresses as targets")
    if job.path and not job.path.startswith("/"):
        raise ValueError(f"path: {job.path!r} does not begin with /; write it as {known.path}")
    return Job(
        name=name,
        kind=job.kind,
        targets=tuple(_target(target, known, job.module) for target in job.targets),
        site=job.site,
        scheme=job.scheme or known.scheme,
        path=job.path or known.path,
        interval_seconds=known.interval_seconds,
        timeout_seconds=known.timeout_seconds,
        exporter=_address("exporter", job.exporter, known.port) if known.probes else "",
        module=job.module if known.probes == "any" else "",
        ca_file=job.ca_file,
        username=job.username,
        password_file=job.password_file,
        token_file=job.token_file,
    )


def _target(text: str, known: Kind, module: str) -> str:
    if known.probes == "any" and module.startswith("http"):
        if not _URL.fullmatch(text) or any(sign.isspace() for sign in text):
            raise ValueError(
                f"targets: {_shown(text)} is no URL; write it as https://www.example.org/, without a password"
            )
        return text
    return _address("targets", text, None if known.probes else known.port)


def _address(key: str, text: str, port: int | None) -> str:
    """An address, with `port` where it names none and one is given."""
    found = _HOST.fullmatch(text)
    if found is None or not 0 < int(found["port"] or 1) <= 65535:
        raise ValueError(f"{key}: {_shown(text)} is no address; write it as host or host:port")
    return text if found["port"] or port is None else f"{text}:{port}"


def _shown(text: str) -> str:
    """A wrong target as far as it can be shown: what is before an @ may be a password."""
    return repr(text.rpartition("@")[2][:80])
