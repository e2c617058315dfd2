"""One typed tree of settings, from vdx.toml and from VDX_SECTION__KEY variables.

A variable wins over the file. An unknown key is an error that names the nearest right one.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from vdx.change_windows import ChangeWindow, parse
from vdx.own_log import known_secrets

FILE_NAME: Final = "vdx.toml"
PREFIX: Final = "VDX_"


class SettingsError(Exception):
    """A setting is wrong; the message is one line that names the setting and the mend."""


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("write it as address:port, for example 127.0.0.1:9870 or [::1]:9870")
    return value


def _names(value: Any) -> Any:
    """A comma separated variable reads as a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _groups(value: Any) -> Any:
    """A variable `North=Aarhus,Aalborg;South=Odense` reads as a table of lists."""
    if not isinstance(value, str):
        return value
    groups = (part.partition("=") for part in value.split(";") if part.strip())
    return {name.strip(): _names(members) for name, _, members in groups}


def _regular_expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"it is not a regular expression ({error})") from None
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for address in value:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            raise ValueError(f"{address!r} is not an address or a network such as 10.0.0.0/28") from None
    return value


Listen = Annotated[str, AfterValidator(_listen)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Groups = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_groups)]


class Section(BaseModel):
    """A section of vdx.toml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def read_secret(setting: str, path: Path) -> str:
    """The text of a file that holds a secret, without the white space around it. The log leaves it out.

    Raises SettingsError, naming `setting`, when the file cannot be read or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(
            f"{setting}: cannot read {path}: {reason}; check the path and that this user may read it"
        ) from None
    secret = text.strip()
    if not secret:
        raise SettingsError(f"{setting}: {path} is empty; write the secret into it")
    known_secrets.register(secret)
    return secret


def _register_secrets(value: object) -> None:
    """Makes the secrets that stand in the settings themselves known to the log."""
    if isinstance(value, SecretStr):
        known_secrets.register(value.get_secret_value())
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            _register_secrets(getattr(value, field))
    elif isinstance(value, dict):
        for part in value.values():
            _register_secrets(part)


class PexipSettings(Section):
    """The Management Node and how to log in to it."""

    url: str = ""
    """The Management Node, for example `https://manager.example.org`; plain http only to loopback."""
    username: str = ""
    """An account that may read; one of its own is best."""
    password: SecretStr | None = None
    """The password itself; better in a file or in `VDX_PEXIP__PASSWORD`."""
    password_file: Path | None = None
    """A file that holds the password."""
    client_id: str = ""
    """The OAuth2 client, instead of user name and password."""
    private_key_file: Path | None = None
    """The OAuth2 client's private key (EC P-256, PEM)."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust, where the node has no publicly trusted certificate."""
    verify: bool = True
    """Whether the certificate is verified. Leave it on; use `ca_file`."""
    interval_seconds: int = Field(default=30, ge=5, le=300)
    """Seconds from poll to poll, on the clock's own grid."""
    page_size: int = Field(default=5000, ge=1, le=100_000)
    """Rows asked for at once; the node may cap it."""

    def read_password(self) -> str:
        """The password, from the setting or from its file. Raises SettingsError."""
        if self.password_file is not None:
            return read_secret("pexip.password_file", self.password_file)
        if self.password is not None:
            return self.password.get_secret_value()
        raise SettingsError(
            "pexip.password_file is not set; name a file that holds the password of pexip.username, "
            "or set VDX_PEXIP__PASSWORD"
        )


class LicenseSettings(Section):
    """Licence ports that MedCom has bought."""

    ports: int = Field(default=1500, ge=1)
    """Simultaneous ports of any kind. There is no wall: use above is carried, and shown."""


class HardwareSettings(Section):
    """Hardware ports of the whole platform by the plan."""

    ports: int = Field(default=5100, ge=1)
    """Simultaneous 720p calls; what the nodes report is shown beside it."""


class PSTNSettings(Section):
    """How telephony legs are told from others: a regular expression on aliases, or peer addresses."""

    lines: int = Field(default=40, ge=0)
    """Lines of the telephony trunk."""
    pattern: str = ""
    """A regular expression; a SIP leg with an alias that it finds is telephony."""
    addresses: Names = ()
    """Addresses or networks of the trunk; a SIP leg from there is telephony."""

    @property
    def has_rule(self) -> bool:
        """True when telephony legs can be told from others at all."""
        return bool(self.pattern or self.addresses)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return _regular_expression(value)

    @field_validator("addresses")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _networks(value)


class LocationSettings(Section):
    """Which system locations are central, and which make up a data centre."""

    central: Names = ()
    """Names of the central system locations; every other one is decentral."""
    data_centres: Groups = {}
    """Data centre -> its system locations. As a variable: `North=A,B;South=C`."""

    def tier(self, location: str) -> str:
        """`central` or `decentral`."""
        return "central" if location in self.central else "decentral"

    def data_centre(self, location: str) -> str:
        """The data centre of a location, or an empty string."""
        return next((name for name, members in self.data_centres.items() if location in members), "")


class DatabaseSettings(Section):
    """Where samples and intervals are kept, and for how long."""

    url: SecretStr | None = None
    """`mysql+pymysql://user@host/vdx` or `sqlite:////path/file`; by default a file in `data.directory`."""
    password_file: Path | None = None
    """A file that holds the password of the user in `url`."""
    raw_days: int = Field(default=90, ge=1)
    """Days that samples of every poll are kept."""
    five_minute_days: int = Field(default=730, ge=1)
    """Days that 5-minute averages and peaks are kept."""
    hour_days: int = Field(default=0, ge=0)
    """Days that hourly averages and peaks are kept; 0 is for ever."""
    interval_days: int = Field(default=730, ge=1)
    """Days that conferences and participants are kept after they ended."""
    spool_megabytes: int = Field(default=256, ge=1)
    """Size of the local file that keeps cycles while the database is away."""
    queue_cycles: int = Field(default=20, ge=1)
    """Cycles that may wait in memory for the database."""


class HistorySettings(Section):
    """What has ended: how it is fetched from the Management Node, and how long it is kept."""

    fetch: bool = True
    """Whether `vdx up` fetches history."""
    interval_seconds: int = Field(default=60, ge=5, le=3600)
    """Seconds from fetch to fetch at most; fetched sooner where the Management Node forgets faster."""
    page_size: int = Field(default=1000, ge=1, le=100_000)
    """Records asked for at once; a call leg is about 3 kB."""
    overlap_minutes: int = Field(default=10, ge=1, le=1440)
    """Minutes that are read again each time, since records can appear late."""
    conference_days: int = Field(default=3653, ge=1)
    """Days that conferences and call legs are kept."""
    stream_days: int = Field(default=92, ge=1)
    """Days that each media stream is kept; what a call leg keeps of them stays."""
    backplane_days: int = Field(default=366, ge=1)
    """Days that backplanes are kept."""
    event_days: int = Field(default=3653, ge=1)
    """Days that lowered alarms and events of nodes are kept."""
    usage_hour_days: int = Field(default=732, ge=1)
    """Days that usage by the hour is kept; by the day it is kept for ever."""
    license_reasons: str = r"licen[cs]e"
    """A regular expression, whatever the case: a failed call whose reason it finds was refused for want of
    a licence."""
    capacity_reasons: str = r"capacity|lines are busy|resources? (is |are )?unavailable"
    """The same for want of capacity."""

    @field_validator("license_reasons", "capacity_reasons")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return _regular_expression(value)


class OrganisationSettings(Section):
    """The organisations, and what makes a call theirs: read from a file or from VDX API's own database."""

    file: Path | None = None
    """A CSV or JSON file: docs/history.md has its form."""
    url: SecretStr | None = None
    """VDX API's database, `mysql+pymysql://user@host/vdx`; an account that may read is enough."""
    password_file: Path | None = None
    """A file that holds the password of the user in `url`."""
    interval_minutes: int = Field(default=60, ge=1, le=1440)
    """Minutes from reading to reading."""
    query: str = "SELECT id, parent_id, name, type FROM organisation"
    """Gives the key, the key of the parent, the name and the kind of each organisation; a fifth column,
    if any, is since when it stands there."""
    tag_query: str = ""
    """Gives a service tag and the key of its organisation; empty where there are none."""
    alias_query: str = ""
    """Gives an alias and the key of its organisation."""
    domain_query: str = ""
    """Gives a domain, or a pattern such as `6*@video.example.org`, and the key of its organisation."""
    room_query: str = ""
    """Gives the name or alias of a room and the key of the organisation that owns it."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.file is not None and self.url is not None:
            raise ValueError("file and url are two sources; set one of them")
        return self

    @property
    def has_source(self) -> bool:
        """True when organisations are read from anywhere."""
        return self.file is not None or self.url is not None


class ServerSettings(Section):
    """Where /metrics is served, and to whom."""

    listen: Listen = "127.0.0.1:9870"
    """Address and port."""
    tls_certificate_file: Path | None = None
    """Certificate chain (PEM) to serve https with."""
    tls_key_file: Path | None = None
    """Its private key (PEM)."""
    username: str = ""
    """The user name that visitors must give."""
    password_file: Path | None = None
    """A file that holds the password that visitors must give."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_certificate_file and tls_key_file go together; set both or none")
        if bool(self.username) != (self.password_file is not None):
            raise ValueError("username and password_file go together; set both or none")
        return self


class WebSettings(ServerSettings):
    """Where the live page is served, and to whom."""

    listen: Listen = "127.0.0.1:8080"
    """Address and port."""
    conference_names: bool = True
    """Whether the page names conferences; off, it shows short ids, for a screen that many people pass."""


class SLASettings(Section):
    """What is promised, and whose days and months count."""

    target: float = Field(default=0.995, gt=0, lt=1)
    """Promised share of all time, 00:00-24:00 every day."""
    time_zone: str = "Europe/Copenhagen"
    """Whose days and months count, and in which times are shown."""

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is not a time zone such as Europe/Copenhagen") from None
        return value


class PrivacySettings(Section):
    """Whether names and aliases are stored as they are, or as keyed hashes."""

    store_identities: bool = False
    """Whether the database keeps names of conferences and aliases as they are."""
    key_file: Path | None = None
    """The key of the hash that stands for them otherwise; by default one is made in `data.directory`. To
    rotate it, write the next key on a line before the others: the first is used, the rest still recognise
    aliases of organisations in what was stored under them."""


class MetricsSettings(Section):
    """Bounds on the number of series."""

    service_tags: int = Field(default=200, ge=0, le=5000)
    """Service tags with series of their own; the smallest beyond are summed as `other`."""


class PrometheusSettings(Section):
    """The Prometheus that `vdx up` starts beside itself where the program is installed."""

    start: bool = True
    """Whether `vdx up` starts Prometheus where it is installed."""
    listen: Listen = "127.0.0.1:9871"
    """Address and port."""
    retention_days: int = Field(default=30, ge=1)
    """Days that this Prometheus keeps."""


class SNMPCredentials(Section):
    """How a device is asked: a community (SNMP v2c), or a user with two keys (v3, authPriv)."""

    community: SecretStr | None = None
    """The community; better in a file."""
    community_file: Path | None = None
    """A file that holds the community."""
    username: str = ""
    """The v3 user, instead of a community."""
    authentication: Literal["SHA-1", "SHA-256", "SHA-512"] = "SHA-256"
    """The user's authentication."""
    authentication_key: SecretStr | None = None
    """Its key, as a pass phrase of 8 characters or more; better in a file."""
    authentication_key_file: Path | None = None
    """A file that holds it."""
    privacy: Literal["AES-128", "AES-256"] = "AES-128"
    """The user's privacy."""
    privacy_key: SecretStr | None = None
    """Its key, as a pass phrase of 8 characters or more; better in a file."""
    privacy_key_file: Path | None = None
    """A file that holds it."""
    key_expansion: Literal["cisco", "blumenthal"] = "cisco"
    """How AES-256 lengthens the key of a short authentication; most devices do it Cisco's way."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        has_community = self.community is not None or self.community_file is not None
        if has_community == bool(self.username):
            raise ValueError("set community_file (v2c), or username with its two keys (v3)")
        if self.username and (
            (self.authentication_key or self.authentication_key_file) is None
            or (self.privacy_key or self.privacy_key_file) is None
        ):
            raise ValueError("a v3 user needs authentication_key_file and privacy_key_file")
        return self

    def read(self, key: Literal["community", "authentication_key", "privacy_key"], setting: str) -> str:
        """The secret of one key, from the setting or its file. Raises SettingsError, naming `setting`."""
        file: Path | None = getattr(self, f"{key}_file")
        if file is not None:
            return read_secret(f"{setting}.{key}_file", file)
        secret: SecretStr = getattr(self, key)
        return secret.get_secret_value()


class SNMPSettings(ServerSettings):
    """How the network kit is polled, and where its metrics and /snmp are served."""

    listen: Listen = "127.0.0.1:9116"
    """Address and port; snmp_exporter's own, so that a Prometheus that is set up for it finds this."""
    interval_seconds: int = Field(default=60, ge=10, le=3600)
    """Seconds from poll to poll of a device, unless the device has its own."""
    timeout_seconds: float = Field(default=2.0, gt=0, le=30)
    """Seconds that a device gets to answer one packet."""
    retries: int = Field(default=2, ge=0, le=5)
    """How often a packet is sent again, each time asking for half as much."""
    repetitions: int = Field(default=40, ge=1, le=100)
    """Rows asked for at once, of texts half as many. 40 numbers fit into one packet of most networks."""
    most_rows: int = Field(default=20_000, ge=100)
    """Rows of a table at which reading it ends, as a guard against tables without end."""
    modules_directory: Path | None = None
    """A folder with kinds of devices of your own: docs/snmp.md has the form of its files."""
    targets: Names = ()
    """Networks whose addresses /snmp may ask besides the devices in this file, such as 10.0.0.0/8."""
    credentials: dict[str, SNMPCredentials] = {}
    """[snmp.credentials.NAME]: credentials by name, which devices and /snmp?auth=NAME refer to."""

    @field_validator("targets")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _networks(value)


class TrapSettings(Section):
    """Where traps and informs of the network kit are received."""

    listen: str = ""
    """Address and UDP port, such as 0.0.0.0:162; empty: traps are not received."""
    per_second: int = Field(default=200, ge=1, le=10_000)
    """Traps of one device that are looked at in a second; more are counted only."""

    @field_validator("listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _listen(value) if value else value


class LoginSettings(Section):
    """How to log in to devices for a copy of their configuration."""

    username: str
    """An account that may read the configuration."""
    password_file: Path | None = None
    """A file that holds its password."""
    private_key_file: Path | None = None
    """Its private key (OpenSSH or PEM, without a pass phrase)."""

    @model_validator(mode="after")
    def _has_a_secret(self) -> Self:
        if self.password_file is None and self.private_key_file is None:
            raise ValueError("set password_file or private_key_file")
        return self


class DeviceSettings(Section):
    """A device of the inventory."""

    address: str
    """Its address or host name; for a FortiGate pair the one that both share."""
    kind: str
    """What it is: fortigate, nexus, idrac, pexip-node, generic or another file of exporters/snmp/modules."""
    site: str = ""
    """Where it stands; a label of its metrics."""
    snmp: str = ""
    """The [snmp.credentials.NAME] to poll it with; empty: it is not polled."""
    snmp_port: int = Field(default=161, ge=1, le=65535)
    """The agent's UDP port."""
    interval_seconds: int | None = Field(default=None, ge=10, le=3600)
    """Seconds from poll to poll; snmp.interval_seconds by default."""
    login: str = ""
    """The [logins.NAME] to copy its configuration with; empty: it is not copied."""
    ssh_port: int = Field(default=22, ge=1, le=65535)
    """The port of its SSH server."""

    @field_validator("address")
    @classmethod
    def _is_given(cls, value: str) -> str:
        if not value or any(part.isspace() for part in value):
            raise ValueError("write an address or a host name, without spaces")
        return value


class ConfigBackupSettings(Section):
    """Copies of the configuration of devices that have a `login`: when they are taken, where they go."""

    directory: Path | None = None
    """The folder for the copies and their history; `configurations` in data.directory by default."""
    interval_minutes: int = Field(default=360, ge=10, le=1440)
    """Minutes from copy to copy."""
    timeout_seconds: float = Field(default=120.0, gt=0, le=1800)
    """Seconds that one device may take in all."""
    change_windows: Names = ()
    """When changes are expected, in Danish time, such as `Tue 20:00-24:00` or `Mon-Fri 08:00-16:00`. A change
    outside is alerted; without windows none is."""

    @field_validator("change_windows")
    @classmethod
    def _are_windows(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for window in value:
            parse(window)
        return value

    @property
    def windows(self) -> tuple[ChangeWindow, ...]:
        """The change windows."""
        return tuple(map(parse, self.change_windows))


class AssetSettings(Section):
    """The register of hardware: when what was bought loses its service."""

    file: Path | None = None
    """A CSV or TOML file: docs/hardware-life.md has its form."""


class CertificateSettings(Section):
    """Certificates whose end is watched, besides the one of `pexip.url`."""

    addresses: Names = ()
    """TLS servers, as host:port."""
    interval_minutes: int = Field(default=60, ge=1, le=1440)
    """Minutes from look to look."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    """Seconds that a server gets to show its certificate."""

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            host, _, port = address.rpartition(":")
            good = not re.search(r"[\s/@]", address) and port.isascii() and port.isdigit()
            if not (host and good and 0 < int(port) <= 65535):
                raise ValueError(f"{address!r} is no server; write it as www.example.org:443")
        return value


class EstateJob(Section):
    """Exporters of other communities that watch the rest of the estate."""

    kind: str
    """What they are: node, mysqld, mongodb, nginx, keycloak, kube-state-metrics, kubelet, vmware or
    blackbox."""
    targets: Names
    """Their addresses, as host or host:port; for blackbox and vmware what they shall look at."""
    site: str = ""
    """Where the targets stand; a label of their metrics."""
    exporter: str = ""
    """For blackbox and vmware: the exporter's own address, as host or host:port."""
    module: str = "http_2xx"
    """For blackbox: what it does with each target, by a name in its blackbox.yml, such as http_2xx,
    tcp_connect or icmp."""
    scheme: Literal["", "http", "https"] = ""
    """How the exporter is asked; by default as usual for its kind."""
    path: str = ""
    """Where its metrics are; by default where its kind has them."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust, where it has no publicly trusted certificate."""
    username: str = ""
    """The user name that it asks for."""
    password_file: Path | None = None
    """A file that holds the password that it asks for."""
    token_file: Path | None = None
    """A file that holds the bearer token that it asks for, as a kubelet does."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.targets:
            raise ValueError("targets is empty; name at least one, as host or host:port")
        if bool(self.username) != (self.password_file is not None):
            raise ValueError("username and password_file go together; set both or none")
        if self.username and self.token_file is not None:
            raise ValueError("username and token_file are two ways to log in; set one of them")
        return self


class SyslogSettings(Section):
    """The collector: what rsyslog listens on, and the archive that it writes."""

    directory: Path | None = None
    """The folder of the archive; `logs` in data.directory by default."""
    udp: str = ""
    """Address and port for UDP, such as 0.0.0.0:514; empty: not listened on. So with the others."""
    tcp: str = ""
    """Address and port for TCP."""
    tls: str = ""
    """Address and port for TCP with TLS, such as 0.0.0.0:6514."""
    relp: str = ""
    """Address and port for RELP, such as 0.0.0.0:2514; with TLS where a certificate is set."""
    tls_certificate_file: Path | None = None
    """The collector's certificate (PEM)."""
    tls_key_file: Path | None = None
    """Its private key (PEM)."""
    tls_ca_file: Path | None = None
    """The authority whose certificates senders must show."""
    tls_peers: Names = ()
    """Names that senders' certificates may have, such as *.vdx.example; empty: any of the authority."""
    retention_days: int = Field(default=90, ge=1)
    """Days that lines are kept."""
    disk_gigabytes: int = Field(default=200, ge=1)
    """Size of the archive at which the oldest hours are dropped, and told."""

    @field_validator("udp", "tcp", "tls", "relp")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        return _listen(value) if value else value

    @model_validator(mode="after")
    def _has_a_certificate(self) -> Self:
        files = (self.tls_certificate_file, self.tls_key_file, self.tls_ca_file)
        if self.tls and None in files:
            raise ValueError("tls needs tls_certificate_file, tls_key_file and tls_ca_file; set them")
        if any(file is not None for file in files) and None in files:
            raise ValueError(
                "tls_certificate_file, tls_key_file and tls_ca_file go together; set all or none"
            )
        return self


class LogSettings(ServerSettings):
    """What is told of log lines: where the log exporter serves it, and by which rules."""

    listen: Listen = "127.0.0.1:9873"
    """Address and port."""
    rules_directory: Path | None = None
    """A folder with rules of your own: docs/log-rules.md has the form of its files."""
    silence_minutes: int = Field(default=15, ge=1, le=1440)
    """Minutes without a line after which a host is silent."""
    most_hosts: int = Field(default=500, ge=1, le=5000)
    """Hosts with series of their own; lines of the others are counted as `other`."""


class HumioSettings(Section):
    """Humio or LogScale, to which lines are handed on."""

    url: str = ""
    """Its address, such as https://cloud.humio.com; empty: nothing is handed on."""
    token_file: Path | None = None
    """A file that holds the ingest token."""
    endpoint: Literal["structured", "hec"] = "structured"
    """The API: humio-structured or HEC."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust, where its certificate is not publicly trusted."""
    verify: bool = True
    """Whether the certificate is verified. Leave it on; use `ca_file`."""
    batch_events: int = Field(default=5000, ge=1, le=5000)
    """Events of a request; Humio takes 5,000."""
    batch_bytes: int = Field(default=5_000_000, ge=1000, le=5_000_000)
    """Bytes of a request before compression; Humio takes 5 MB."""
    timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    """Seconds that a request may take in all."""


class OwnLogSettings(Section):
    """The suite's own log: where it goes besides the console."""

    syslog: str = ""
    """Address and port of a syslog server, such as 127.0.0.1:514; empty: the console alone."""
    transport: Literal["udp", "tcp"] = "udp"
    """How it is sent there."""
    app: str = Field(default="vdx-watch", pattern=r"^[!-~]{1,48}$")
    """The name that the syslog server knows it by."""

    @field_validator("syslog")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _listen(value) if value else value


class DataSettings(Section):
    """Where local files live: the embedded database, the spool, the pseudonym key, Prometheus's blocks."""

    directory: Path = Path("data")
    """The folder for all of them."""


class Settings(BaseSettings):
    """The whole tree. Build it with `load`, which gives readable errors."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        enable_decoding=False,
    )

    pexip: PexipSettings = PexipSettings()
    licenses: LicenseSettings = LicenseSettings()
    hardware: HardwareSettings = HardwareSettings()
    pstn: PSTNSettings = PSTNSettings()
    locations: LocationSettings = LocationSettings()
    database: DatabaseSettings = DatabaseSettings()
    history: HistorySettings = HistorySettings()
    organisations: OrganisationSettings = OrganisationSettings()
    server: ServerSettings = ServerSettings()
    web: WebSettings = WebSettings()
    sla: SLASettings = SLASettings()
    privacy: PrivacySettings = PrivacySettings()
    metrics: MetricsSettings = MetricsSettings()
    prometheus: PrometheusSettings = PrometheusSettings()
    data: DataSettings = DataSettings()
    snmp: SNMPSettings = SNMPSettings()
    traps: TrapSettings = TrapSettings()
    devices: dict[str, DeviceSettings] = {}
    logins: dict[str, LoginSettings] = {}
    config_backup: ConfigBackupSettings = ConfigBackupSettings()
    assets: AssetSettings = AssetSettings()
    certificates: CertificateSettings = CertificateSettings()
    estate: dict[str, EstateJob] = {}
    syslog: SyslogSettings = SyslogSettings()
    logs: LogSettings = LogSettings()
    humio: HumioSettings = HumioSettings()
    log: OwnLogSettings = OwnLogSettings()

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        for name, device in self.devices.items():
            for key, known, section in (
                (device.snmp, self.snmp.credentials, "snmp.credentials"),
                (device.login, self.logins, "logins"),
            ):
                if key and key not in known:
                    raise ValueError(
                        f"devices.{name}: there is no [{section}.{key}]; add it, or name one that exists"
                    )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic passes all sources by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over the file, whose content arrives as arguments."""
        return env_settings, init_settings


def _known_keys(path: Iterable[str | int]) -> Iterable[str]:
    """The keys that may stand where `path` ends; the keys of a table by name are anybody's."""
    model: Any = Settings
    for part in path:
        named = get_args(model)
        field = getattr(model, "model_fields", {}).get(part)
        model = named[1] if named else field.annotation if field else None
    return getattr(model, "model_fields", {})


def _unknown(path: tuple[str | int, ...]) -> str:
    *parents, key = path
    near = difflib.get_close_matches(str(key), _known_keys(parents), n=1, cutoff=0.5)
    name = ".".join(map(str, path))
    if near:
        return f"{name}: there is no such setting; did you mean {'.'.join([*map(str, parents), near[0]])}?"
    return f"{name}: there is no such setting; remove it, or see docs/settings.md for those that exist"


def _explain(error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        return _unknown(error["loc"])
    reason = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return reason
    return f"{'.'.join(map(str, error['loc']))}: {reason[:1].lower()}{reason[1:]}"


def _check_variables() -> None:
    for variable in os.environ:
        section, nested, _ = variable.upper().removeprefix(PREFIX).partition("__")
        if variable.upper().startswith(PREFIX) and nested and section.lower() not in Settings.model_fields:
            raise SettingsError(f"variable {variable}: {_unknown((section.lower(),))}")


def load(path: Path | None = None) -> Settings:
    """The settings from a file and the environment.

    `path` is the file to read; without one, vdx.toml of the working folder where there is such a file.
    Raises SettingsError, a line for each fault.
    """
    file = path or Path(FILE_NAME)
    values: dict[str, Any] = {}
    if path is not None or file.exists():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{file}: not valid TOML: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SettingsError(f"{file}: cannot be read: {reason}; check the path and its rights") from None
    _check_variables()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        lines = [_explain(detail) for detail in error.errors(include_input=False, include_url=False)]
        raise SettingsError("\n".join(lines)) from None
    _register_secrets(settings)
    return settings
