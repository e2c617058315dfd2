"""ENTITY-MIB's entPhysicalTable: what a device is made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from simulator.network.ber import integer, oid, text
from simulator.network.view import Objects, row

CHASSIS: Final = 3
POWER_SUPPLY: Final = 6
FAN: Final = 7
SENSOR: Final = 8
MODULE: Final = 9
PORT: Final = 10
STORAGE: Final = 1
"""Values of entPhysicalClass; a disk is `other`."""

ENT_PHYSICAL_ENTRY = oid("1.3.6.1.2.1.47.1.1.1.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A row of entPhysicalTable."""

    index: int
    name: str
    category: int
    """entPhysicalClass."""
    within: int = 0
    """entPhysicalContainedIn; 0 contains nothing."""
    description: str = ""
    software: str = ""
    serial: str = ""
    model: str = ""


def entity_objects(entities: Iterable[Entity]) -> Objects:
    """Descr, ContainedIn, Class, Name, SoftwareRev, SerialNum and ModelName of each."""
    for entity in entities:
        columns = {
            2: text(entity.description or entity.name),
            4: integer(entity.within),
            5: integer(entity.category),
            7: text(entity.name),
            10: text(entity.software),
            11: text(entity.serial),
            13: text(entity.model),
        }
        yield from row(ENT_PHYSICAL_ENTRY, entity.index, columns)
