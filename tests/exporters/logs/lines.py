"""Lines of the archive for tests; every value is invented."""

import json
from pathlib import Path

from vdx.logs.line import Line

RECEIVED = "2026-11-24T10:00:00.500000+00:00"

PEXIP_ATTEMPT = (
    '2026-11-24 10:00:01,118 Level="INFO" Name="administrator.conference" Message="Participant attempting to '
    'join conference." ConferenceAlias="room.0042" Participant="Kari Nordmann" Protocol="WebRTC" '
    'Remote-Address="192.0.2.10" Location="north"'
)
SIP_FAILURE = (
    '2026-11-24 10:00:02,998 Level="ERROR" Name="support.sip" Message="SIP Transport Failure" '
    'Call-Id="a1-b2" Reason="TLS handshake failed" Remote-Address="198.51.100.7"'
)
SLOW_CALL = json.dumps(
    {
        "@timestamp": "2026-11-24T10:00:03Z",
        "message": "Slow call to directory 1840 ms",
        "logger_name": "dk.vdx.dir.Client",
        "level": "WARN",
        "app": "vdx-directory",
    }
)
DENIED = (
    'date=2026-11-24 time=10:00:00 devname="fw-01" devid="FGVM1" logid="0000000013" type="traffic" '
    'subtype="forward" level="notice" vd="root" srcip=10.1.1.5 srcintf="port1" action="deny" policyid=0'
)
BGP_DOWN = (
    ": 2026 Nov 24 10:00:23 UTC: %BGP-5-ADJCHANGE: bgp-65000 [2210] (default) neighbor 10.9.0.2 Down - "
    "holdtimer expired error"
)


def line(
    message: str,
    host: str = "conf01",
    *,
    severity: int = 6,
    app: str = "pexip",
    address: str = "10.0.0.1",
    received: str = RECEIVED,
) -> Line:
    """A line that a host sent."""
    return Line(received, received, host, address, 16, severity, app, "tcp", message)


def pexip(message: str, level: str = "INFO", name: str = "administrator.conference", more: str = "") -> str:
    """A message of Pexip."""
    return f'2026-11-24 10:00:01,118 Level="{level}" Name="{name}" Message="{message}" {more}'


def fortigate(subtype: str, level: str, desc: str, more: str = "", kind: str = "event") -> str:
    """A message of a FortiGate."""
    return (
        f'date=2026-11-24 time=10:00:00 devname="fw-01" devid="FGVM1" logid="0100000001" type="{kind}" '
        f'subtype="{subtype}" level="{level}" vd="root" logdesc="{desc}" {more}'
    )


def encoded(one: Line) -> bytes:
    """A line as it stands in the archive, with its end."""
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return json.dumps(values).encode() + b"\n"


def write(archive: Path, *lines: Line, name: str = "2026-11-24T10.jsonl") -> None:
    """Appends to a file of the archive."""
    archive.mkdir(parents=True, exist_ok=True)
    with (archive / name).open("ab") as file:
        file.writelines(map(encoded, lines))
