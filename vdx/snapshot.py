"""What one poll of the Management Node saw: immutable, and complete in itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final

import msgspec

from vdx.pexip import records

ESSENTIAL: Final = ("participant", "conference", "system_location", "worker_vm")
"""Status resources without which a poll has failed: licences, hardware and conferences come from them."""


class Configuration(msgspec.Struct, frozen=True, dict=True):
    """The part of the platform's configuration that status needs to be read; polled every 10 minutes."""

    worker_vms: Sequence[records.WorkerVMConfiguration] = ()
    management_vms: Sequence[records.ManagementVMConfiguration] = ()
    system_locations: Sequence[records.SystemLocationConfiguration] = ()
    licences: Sequence[records.LicenceConfiguration] = ()

    @cached_property
    def node_names(self) -> Mapping[str, str]:
        """Address -> node name. Status names nodes by address in calls, alarms and shards."""
        return {
            address: node.name
            for node in self.worker_vms
            for address in (
                node.address,
                node.secondary_address,
                node.static_nat_address,
                node.ipv6_address,
            )
            if address
        }

    @cached_property
    def manager_addresses(self) -> frozenset[str]:
        """Addresses of the Management Nodes."""
        return frozenset(
            address
            for manager in self.management_vms
            for address in (manager.address, manager.static_nat_address)
            if address
        )


class Failure(msgspec.Struct, frozen=True):
    """Why a resource could not be read in this poll. `code` is the HTTP status, or 0 without an answer."""

    reason: str
    code: int = 0


class Snapshot(msgspec.Struct, frozen=True):
    """The platform at one beat of the clock's grid.

    A resource that could not be read is None, and `failures` says why. `rejected` counts rows
    that were lost to malformed values, by resource. `time` is the beat (UTC) that the poll belongs to;
    `duration_seconds` is how long the poll took from the beat's first request to its last answer.
    """

    time: datetime
    duration_seconds: float
    conferences: Sequence[records.Conference] | None = None
    conference_shards: Sequence[records.ConferenceShard] | None = None
    participants: Sequence[records.Participant] | None = None
    backplanes: Sequence[records.Backplane] | None = None
    locations: Sequence[records.SystemLocation] | None = None
    nodes: Sequence[records.WorkerVM] | None = None
    managers: Sequence[records.ManagementVM] | None = None
    licensing: records.Licensing | None = None
    alarms: Sequence[records.Alarm] | None = None
    registrations: Sequence[records.RegistrationAlias] | None = None
    teams_nodes: Sequence[records.TeamsNode] | None = None
    configuration: Configuration = Configuration()
    failures: Mapping[str, Failure] = {}
    rejected: Mapping[str, int] = {}

    @property
    def up(self) -> bool:
        """True when every essential resource was read."""
        return not any(resource in self.failures for resource in ESSENTIAL)
