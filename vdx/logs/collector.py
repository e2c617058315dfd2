"""The configuration of rsyslog as the collector: what it listens on, and the archive that it writes.

What is received is written in the thread that received it, before more is read, so that a sender whose
transport waits (TCP, TLS, RELP) waits for the disk, and RELP acknowledges what is written. Only UDP, whose
senders cannot wait, has a queue in memory. docs/syslog.md tells what can be lost, as measured.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from vdx.logs import collector_texts as texts
from vdx.logs.files import OPEN_SUFFIX
from vdx.settings import SettingsError, SyslogSettings

STATISTICS_FILE: Final = "statistics.json"
"""The file of rsyslog's own counters, in the folder of the archive."""
STATISTICS_SECONDS: Final = 30
"""How often rsyslog writes its counters."""
UDP_QUEUE: Final = 200_000
"""Messages that may wait in memory for the disk; about 1 kB each."""

_MISREAD: Final = re.compile(r'["\\$`\x00-\x1f\x7f]')


class Humio(msgspec.Struct, frozen=True):
    """Where rsyslog itself hands lines on to, beside the archive."""

    url: str
    """As humio.url."""
    token_file: Path
    """As humio.token_file: rsyslog reads it when it starts, so the configuration holds no secret."""
    ca_file: Path | None = None
    """As humio.ca_file."""


def configuration(settings: SyslogSettings, directory: Path, humio: Humio | None = None) -> str:
    """A configuration that rsyslog takes by itself or as a file of /etc/rsyslog.d.

    `directory` is the folder of the archive; it must exist when rsyslog starts. Raises SettingsError when
    nothing is listened on, or when a path cannot be written into the configuration.
    """
    if not (settings.udp or settings.tcp or settings.tls or settings.relp):
        raise SettingsError(
            "syslog: the collector would listen on nothing; set one of syslog.udp, tcp, tls and relp, "
            'such as udp = "0.0.0.0:514"'
        )
    return "".join(_parts(settings, _safe("syslog.directory", directory.absolute()), humio))


def _parts(settings: SyslogSettings, folder: str, humio: Humio | None) -> Iterator[str]:
    yield "# Written by `vdx logs collector-configuration`; change the settings instead.\n"
    yield texts.GLOBAL.format(tls=_certificates(settings) if settings.tls else "")
    yield 'module(load="mmutf8fix")\n'
    yield texts.STATISTICS.format(seconds=STATISTICS_SECONDS, folder=folder, file=STATISTICS_FILE)
    if humio is not None:
        yield '\nmodule(load="omelasticsearch")' + texts.HUMIO_TEMPLATE
    action = "" if humio is None else _hand_on(humio, folder)
    yield (
        texts.ARCHIVE.replace("{folder}", folder)
        .replace("{suffix}", OPEN_SUFFIX)
        .replace("{header}", texts.HEADER)
        .replace("{utf8}", texts.UTF8)
        .replace("{humio}", action)
    )
    if settings.udp:
        yield texts.UDP.format(parsers=texts.PARSERS, queue=UDP_QUEUE, listen=_listen(settings.udp))
    if settings.tcp or settings.tls or settings.relp:
        yield texts.STREAMS.format(parsers=texts.PARSERS)
    if settings.tcp or settings.tls:
        yield '\nmodule(load="imtcp")\n'
    if settings.tcp:
        yield f'input(\n    type="imtcp" name="tcp" {_listen(settings.tcp)} ruleset="vdx_streams"\n'
        yield '    streamDriver.name="ptcp" streamDriver.mode="0"\n)\n'
    if settings.tls:
        yield f'input(\n    type="imtcp" name="tls" {_listen(settings.tls)} ruleset="vdx_streams"\n'
        yield f'    streamDriver.name="gtls" streamDriver.mode="1" {_peers(settings)}\n)\n'
    if settings.relp:
        yield '\nmodule(load="imrelp")\n'
        yield f'input(\n    type="imrelp" name="relp" {_listen(settings.relp)} ruleset="vdx_streams"'
        yield ' maxDataSize="64k"'
        yield (_relp_tls(settings) if settings.tls_certificate_file else "") + "\n)\n"


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    return f'address="{host.strip("[]")}" port="{port}"'


def _files(settings: SyslogSettings) -> dict[str, str]:
    files = {
        "ca": settings.tls_ca_file,
        "certificate": settings.tls_certificate_file,
        "key": settings.tls_key_file,
    }
    return {
        name: _safe(f"syslog.tls_{name}_file", file.absolute())
        for name, file in files.items()
        if file is not None
    }


def _certificates(settings: SyslogSettings) -> str:
    return texts.TLS.format(**_files(settings))


def _names(settings: SyslogSettings) -> str:
    return ", ".join(f'"{_safe("syslog.tls_peers", peer)}"' for peer in settings.tls_peers)


def _peers(settings: SyslogSettings) -> str:
    if not settings.tls_peers:
        return 'streamDriver.authMode="x509/certvalid"'
    return f'streamDriver.authMode="x509/name" permittedPeer=[{_names(settings)}]'


def _relp_tls(settings: SyslogSettings) -> str:
    files = _files(settings)
    mode = f'"name" tls.permittedPeer=[{_names(settings)}]' if settings.tls_peers else '"certvalid"'
    return (
        f'\n    tls="on" tls.caCert="{files["ca"]}"\n    tls.myCert="{files["certificate"]}"\n'
        f'    tls.myPrivKey="{files["key"]}"\n    tls.authMode={mode}'
    )


def _hand_on(humio: Humio, folder: str) -> str:
    ca = f' tls.cacert="{_safe("humio.ca_file", humio.ca_file.absolute())}"' if humio.ca_file else ""
    return texts.HUMIO.format(
        server=_safe("humio.url", humio.url.rstrip("/") + "/api/v1/ingest/elastic-bulk"),
        token=_safe("humio.token_file", humio.token_file.absolute()),
        ca=ca,
        folder=folder,
    )


def _safe(setting: str, value: Path | str) -> str:
    """The value as it stands between quotes. Raises SettingsError where rsyslog would misread it."""
    if _MISREAD.search(str(value)):
        raise SettingsError(
            f"{setting}: rsyslog takes no quote, backslash, dollar sign or line break; change {str(value)!r}"
        )
    return str(value)
