"""A storage array that shows what any device does: IF-MIB, HOST-RESOURCES-MIB and ENTITY-MIB."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.network.ber import integer, object_identifier, oid, text, time_ticks
from simulator.network.entities import CHASSIS, MODULE, POWER_SUPPLY, Entity, entity_objects
from simulator.network.interfaces import interface_of
from simulator.network.links import NetworkDevice
from simulator.network.motion import activity, derived
from simulator.network.system import system_objects
from simulator.network.view import Objects, Value, row, scalars

HOST_SYSTEM = oid("1.3.6.1.2.1.25.1")
STORAGE_ENTRY = oid("1.3.6.1.2.1.25.2.3.1")
STORAGE_TYPES = oid("1.3.6.1.2.1.25.2.1")
PROCESSOR_ENTRY = oid("1.3.6.1.2.1.25.3.3.1")
FIRST_PROCESSOR: Final = 196608
"""hrDeviceIndex of the first processor, as net-snmp numbers it."""
RAM: Final = 2
FIXED_DISK: Final = 4
UNIT: Final = 4096
"""hrStorageAllocationUnits, in bytes."""


@dataclass(kw_only=True)
class Generic(NetworkDevice):
    """An array; `used` is the share of its pool that is in use."""

    kind = "generic"
    serial: str
    used: float = 0.61

    def objects(self) -> Objects:
        """All that the agent shows."""
        yield from system_objects(self, "Storage array, release 9.1", "1.3.6.1.4.1.8072.3.2.10", self.name)
        yield from self.interface_objects()
        yield from entity_objects(self._entities())
        yield from scalars(HOST_SYSTEM, {1: lambda now: time_ticks(self.uptime(now))})
        sizes = (
            (1, RAM, "Physical memory", 16_777_216, 0.7),
            (31, FIXED_DISK, "/pool", 2**31 - 1, self.used),
        )
        for index, kind, name, units, share in sizes:
            columns = {
                1: integer(index),
                2: object_identifier((*STORAGE_TYPES, kind)),
                3: text(name),
                4: integer(UNIT),
                5: integer(units),
                6: integer(units * share),
            }
            yield from row(STORAGE_ENTRY, index, columns)
        for number in range(4):
            load: dict[int, Value] = {2: lambda now: integer(20 * activity(now))}
            yield from row(PROCESSOR_ENTRY, FIRST_PROCESSOR + number, load)

    def _entities(self) -> list[Entity]:
        chassis = Entity(index=1, name="Array", category=CHASSIS, serial=self.serial, model="SAN-24")
        within = (
            ("Controller A", MODULE),
            ("Controller B", MODULE),
            ("PSU A", POWER_SUPPLY),
            ("PSU B", POWER_SUPPLY),
        )
        parts = (
            Entity(index=number, name=name, category=category, within=1)
            for number, (name, category) in enumerate(within, 2)
        )
        return [chassis, *parts]


def generic(
    name: str,
    *,
    clock: Callable[[], float],
    site: str = "",
    community: str = "public",
    uptime_days: float = 88.0,
) -> Generic:
    """An array in good health, with four data ports and two for management."""
    booted = clock() - uptime_days * 86400
    ports = (
        *((number, f"eth{number}", 25_000, 0.15) for number in range(1, 5)),
        *((number, f"mgmt{number - 4}", 1000, 0.001) for number in (5, 6)),
    )
    return Generic(
        name=name,
        site=site,
        clock=clock,
        community=community,
        booted=booted,
        interfaces=tuple(
            interface_of(number, port, booted, speed=speed, load=load) for number, port, speed, load in ports
        ),
        serial=f"SAN{derived(name) % 10**9:09}",
    )
