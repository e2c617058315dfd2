"""Which hosts that should send lines send none."""

from collections.abc import Callable, Mapping
from typing import Final

from vdx.settings import Settings

SENDERS: Final = frozenset({"fortigate", "nexus", "pexip-node"})
"""Kinds of devices that send their log to the collector."""

Nodes = Callable[[], Mapping[str, str]]
"""Gives the nodes that Pexip knows: name -> address, which may be empty."""


def devices(settings: Settings) -> dict[str, str]:
    """The devices of the settings that should send lines: name -> address."""
    return {name: device.address for name, device in settings.devices.items() if device.kind in SENDERS}


def silent(
    expected: Mapping[str, str],
    hosts: Mapping[str, float],
    addresses: Mapping[str, float],
    *,
    before: float,
) -> dict[str, bool]:
    """Name -> whether its last line was received before a moment, or never.

    `hosts` and `addresses` are when each sent its last line, in Unix time. A host is known by its address or
    by its name, whose domain does not matter.
    """
    short: dict[str, float] = {}
    for host, moment in hosts.items():
        name = _short(host)
        short[name] = max(moment, short.get(name, 0.0))
    return {
        name: max(short.get(_short(name), 0.0), addresses.get(address, 0.0), hosts.get(address, 0.0)) < before
        for name, address in expected.items()
    }


def _short(host: str) -> str:
    """The name without its domain, in lower case; an address as it is."""
    return host if host[:1].isdigit() or ":" in host else host.lower().partition(".")[0]
