"""IDRAC-MIB-SMIv2's tables of storage: a PERC controller, its battery, its disks, physical and virtual."""

from dataclasses import dataclass
from typing import Final

from simulator.network.ber import integer, text
from simulator.network.device import Part
from simulator.network.idrac_tables import CRITICAL, DELL, NON_CRITICAL, OK, worst
from simulator.network.view import Objects, row

STORAGE = (*DELL, 5, 1, 20)
CONTROLLER_ENTRY = (*STORAGE, 130, 1, 1)
ENCLOSURE_ENTRY = (*STORAGE, 130, 3, 1)
PHYSICAL_DISK_ENTRY = (*STORAGE, 130, 4, 1)
BATTERY_ENTRY = (*STORAGE, 130, 15, 1)
VIRTUAL_DISK_ENTRY = (*STORAGE, 140, 1, 1)

ONLINE: Final = 3
FAILED: Final = 7
"""Values of physicalDiskState."""

BATTERY_READY: Final = 2
NOT_APPLICABLE: Final = 255
"""Endurance of a disk that is no SSD."""


@dataclass(kw_only=True)
class PhysicalDisk(Part):
    """A disk; `endurance` is what is left of its rated writes, in percent."""

    name: str
    megabytes: int
    endurance: int = NOT_APPLICABLE
    predicts_failure: bool = False
    failed: bool = False

    @property
    def status(self) -> int:
        """physicalDiskComponentStatus."""
        if self.failed:
            return CRITICAL
        return NON_CRITICAL if self.predicts_failure else OK


@dataclass(kw_only=True)
class VirtualDisk(Part):
    """A virtual disk; `layout` is RAID 0 as 2, RAID 1 as 3, RAID 5 as 4, RAID 6 as 5, RAID 10 as 6."""

    name: str
    megabytes: int
    layout: int
    disks: int
    degraded: bool = False
    failed: bool = False

    @property
    def status(self) -> int:
        """virtualDiskComponentStatus."""
        if self.failed:
            return CRITICAL
        return NON_CRITICAL if self.degraded else OK

    @property
    def state(self) -> int:
        """virtualDiskState: online 2, failed 3, degraded 4."""
        if self.failed:
            return 3
        return 4 if self.degraded else 2


def storage_status(disks: tuple[PhysicalDisk, ...], volumes: tuple[VirtualDisk, ...], battery: int) -> int:
    """globalStorageStatus: the worst of all."""
    power = OK if battery == BATTERY_READY else NON_CRITICAL
    return worst((power, *(disk.status for disk in disks), *(volume.status for volume in volumes)))


def storage_objects(
    disks: tuple[PhysicalDisk, ...], volumes: tuple[VirtualDisk, ...], battery: int
) -> Objects:
    """The controller, its battery, an enclosure, physical and virtual disks; each table has an index of one
    part."""
    status = storage_status(disks, volumes, battery)
    yield from row(CONTROLLER_ENTRY, 1, {2: text("PERC H740P Mini"), 37: integer(status), 38: integer(OK)})
    yield from row(ENCLOSURE_ENTRY, 1, {2: text("BP14G+ 0:1"), 4: integer(2)})
    yield from row(
        BATTERY_ENTRY, 1, {2: text("Battery on Integrated RAID Controller 1"), 4: integer(battery)}
    )
    for number, disk in enumerate(disks, 1):
        yield from row(
            PHYSICAL_DISK_ENTRY,
            number,
            {
                2: text(disk.name),
                4: integer(FAILED if disk.failed else ONLINE),
                11: integer(disk.megabytes),
                24: integer(disk.status),
                31: integer(int(disk.predicts_failure)),
                49: integer(disk.endurance),
            },
        )
    for number, volume in enumerate(volumes, 1):
        yield from row(
            VIRTUAL_DISK_ENTRY,
            number,
            {
                2: text(volume.name),
                4: integer(volume.state),
                6: integer(volume.megabytes),
                13: integer(volume.layout),
                20: integer(volume.status),
            },
        )
