"""What kind of system wrote a line, and how grave it says that it is, found without parsing it."""

import re
from typing import Final

from vdx.logs.line import SEVERITIES, Line

SOURCES: Final = ("pexip", "fortigate", "nxos", "vdx-api", "audit", "nginx", "other")

NXOS: Final = re.compile(r"%([A-Z0-9_]+)(?:-SLOT\d+)?-([0-7])-([A-Z0-9_]+): ?(.*)", re.DOTALL)
"""Facility, severity, mnemonic and text of a message of NX-OS."""
_LEVEL: Final = re.compile(r'"?[Ll]evel"?[=:]\s*"([A-Za-z]+)"')
_LEVELS: Final = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
}


def source(line: Line) -> str:
    """One of SOURCES."""
    message = line.message
    if 'Level="' in message and 'Name="' in message:
        return "pexip"
    if message.startswith("{") and '"level"' in message:
        return "vdx-api"
    if 'logid="' in message and "devname=" in message:
        return "fortigate"
    if "%" in message and NXOS.search(message, 0, 256):
        return "nxos"
    if " msg=audit(" in message:
        return "audit"
    return "nginx" if line.app == "nginx" else "other"


def severity(line: Line, kind: str) -> str:
    """One of SEVERITIES: by the message where its system has levels of its own, else by the envelope."""
    if kind in ("pexip", "vdx-api"):
        found = _LEVEL.search(line.message)
        if found and (known := _LEVELS.get(found[1].lower())):
            return known
    return SEVERITIES[min(max(line.severity, 0), 7)]
