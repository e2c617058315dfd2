"""What organisations use at present, from the live snapshot and the tree that holds."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol

from vdx.capacity import Usage
from vdx.claims import Claims
from vdx.organisations import NOBODYS, license_ports
from vdx.snapshot import Snapshot
from vdx.telemetry import Telemetry
from vdx.tree import Tree

MOST: Final = 200
"""Organisations with a series of their own, for a source that is a list and no tree."""
OTHER: Final = "(other)"
_REMEMBERED: Final = 100_000
"""Aliases whose hash is remembered from poll to poll, some 20 MB of them."""


class Organisations(Protocol):
    """Knows the organisations; `miners.organisations.OrganisationMiner` does."""

    @property
    def current(self) -> tuple[Tree, Claims]:
        """The tree and the claims that hold."""

    def pseudonym(self, alias: str) -> bytes:
        """The keyed hash that stands for an alias."""


class OrganisationPorts:
    """Sets the licence ports in use of each organisation at the top of the tree."""

    def __init__(self, organisations: Organisations, telemetry: Telemetry) -> None:
        self._organisations = organisations
        self._gauge = telemetry.organisation_license_ports
        self._pseudonym = lru_cache(maxsize=_REMEMBERED)(organisations.pseudonym)

    def publish(self, snapshot: Snapshot, usage: Usage) -> None:  # noqa: ARG002 - a listener's arguments
        """Show this snapshot from now on; nothing where participants or organisations are not known.

        `vdx_organisation_license_ports_used{organisation="Region Nordjylland"} 87`
        """
        self._gauge.clear()
        tree, claims = self._organisations.current
        if snapshot.participants is None or not tree.organisations:
            return
        ports = license_ports(snapshot.participants, claims, tree, self._pseudonym, snapshot.time)
        for name, used in bounded(ports).items():
            self._gauge.labels(organisation=name).set(used)


def bounded(ports: Mapping[str, int], most: int = MOST) -> Mapping[str, int]:
    """The organisations that use most, so many of them, and the rest as one."""
    named = {name: used for name, used in ports.items() if name != NOBODYS}
    if len(named) <= most:
        return ports
    largest = sorted(named, key=lambda name: (-named[name], name))
    kept = {name: named[name] for name in largest[:most]}
    return {NOBODYS: ports[NOBODYS], OTHER: sum(named[name] for name in largest[most:])} | kept
