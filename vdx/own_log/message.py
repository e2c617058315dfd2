"""A line of the log as a syslog message (RFC 5424)."""

import socket
from datetime import UTC, datetime
from typing import Final

FACILITY: Final = 16
"""local0."""
MOST_BYTES: Final = 8192
"""Size of a message; what is longer is cut. rsyslog's own default for one is 8 kB."""
ENTERPRISE: Final = 32473
"""The number for examples (RFC 5612), as the suite has none of its own."""
_SEVERITIES: Final = ((50, 2), (40, 3), (30, 4), (20, 6))
"""Number of a level from which a severity holds: critical, error, warning, information."""


def message(
    text: str, *, level: int, time: datetime, app: str, process: int, module: str, event: str
) -> bytes:
    """The message in one line. `level` is loguru's number; `event` the function that wrote it."""
    severity = next((severity for least, severity in _SEVERITIES if level >= least), 7)
    stamp = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    data = f'[vdx@{ENTERPRISE} module="{_value(module)}" event="{_value(event)}"]'
    head = f"<{FACILITY * 8 + severity}>1 {stamp} {_host()} {app} {process} - {data} "
    line = " | ".join(part for part in text.splitlines() if part.strip())
    content = (head + line).encode("utf-8", "replace")
    return content[:MOST_BYTES].decode("utf-8", "ignore").encode()


def _value(text: str) -> str:
    for character in '\\"]':
        text = text.replace(character, "\\" + character)
    return text


def _host() -> str:
    name = "".join(character for character in socket.gethostname() if "!" <= character <= "~")
    return name[:255] or "-"
