"""A line of the archive: one JSON object, as rsyslog's template writes it."""

from typing import Final

import msgspec

SEVERITIES: Final = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
"""The severities of syslog by their number (RFC 5424, 6.2.1)."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """A message with its envelope. The names are those of the JSON keys."""

    received: str
    """When the collector received it: RFC 3339, UTC."""
    time: str
    """When the sender says that it wrote it: RFC 3339; the time of receipt where it does not."""
    host: str
    """The sender's name by the header; its address where the header has none."""
    address: str
    """The address that it came from."""
    facility: int
    severity: int
    app: str
    """The tag or app-name, without a process id."""
    transport: str
    """udp, tcp, tls or relp."""
    message: str


decoder: Final = msgspec.json.Decoder(Line)
"""Reads a line of the archive; raises msgspec.DecodeError or ValidationError for what is none."""
