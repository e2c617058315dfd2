"""The iDRAC9 of a Dell PowerEdge R640, as its agent shows it (IDRAC-MIB-SMIv2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.network.ber import integer, oid, text
from simulator.network.hardware import Fan, PowerSupply, Temperature
from simulator.network.idrac_storage import PhysicalDisk, VirtualDisk, storage_objects, storage_status
from simulator.network.idrac_tables import (
    CRITICAL,
    DELL,
    OK,
    amperage_objects,
    component_objects,
    fan_objects,
    power_supply_objects,
    temperature_objects,
    temperature_status,
    voltage_objects,
    worst,
)
from simulator.network.interfaces import interface_of
from simulator.network.links import NetworkDevice
from simulator.network.motion import derived
from simulator.network.system import system_objects
from simulator.network.view import Objects, moving, row, scalars

FIRMWARE: Final = "6.10.80.00"
OLD_ROLLUP = oid("1.3.6.1.4.1.674.10892.2.2")
STATE_ENTRY = (*DELL, 4, 200, 10, 1)
INTRUSION_ENTRY = (*DELL, 4, 300, 70, 1)

PARTIAL: Final = (
    "1.3.6.1.4.1.674.10892.5.2",
    "1.3.6.1.4.1.674.10892.5.4.700.12.1.5",
    "1.3.6.1.4.1.674.10892.5.4.600.12.1.5",
)
"""What the recording of an R640 lacks: the rollups, coolingDeviceStatus and powerSupplyStatus; for the field
`missing`."""


@dataclass(kw_only=True)
class IDRAC(NetworkDevice):
    """A server as its iDRAC sees it; `watts` is what it draws."""

    kind = "idrac"
    service_tag: str
    power_supplies: tuple[PowerSupply, ...]
    fans: tuple[Fan, ...]
    temperatures: tuple[Temperature, ...]
    physical_disks: tuple[PhysicalDisk, ...]
    virtual_disks: tuple[VirtualDisk, ...]
    watts: float = 144.0
    battery_state: int = 2
    """batteryState of the PERC controller: ready 2, failed 3, degraded 4, missing 5, charging 6,
    belowThreshold 7."""
    system_battery_status: int = OK
    memory_status: int = OK
    processor_status: int = OK
    intrusion: int = 1
    """intrusionReading: notBreached 1, breached 2, breachedPrior 3, sensorFailure 4."""
    links_lost: int = 0
    """Network ports of the server that have lost their link, of the two that have one."""
    powered_on: bool = True

    def temperature(self, name: str) -> Temperature:
        """The temperature of this name; raises KeyError when there is none."""
        for temperature in self.temperatures:
            if temperature.name == name:
                return temperature
        raise KeyError(f"{self.name} has no temperature {name}")

    def objects(self) -> Objects:
        """All that the agent shows."""
        yield from system_objects(self, "", "1.3.6.1.4.1.674.10892.5", f"idrac-{self.service_tag}")
        yield from self.interface_objects()
        yield from self._information_objects()
        yield from self._rollup_objects()
        yield from power_supply_objects(self.power_supplies)
        yield from voltage_objects(self.power_supplies)
        yield from amperage_objects(self.name, self.power_supplies, self.watts, self.booted)
        yield from fan_objects(self.fans)
        yield from temperature_objects(self.temperatures)
        yield from component_objects(
            self.name,
            memory=self.memory_status,
            processor=self.processor_status,
            battery=self.system_battery_status,
            links_lost=self.links_lost,
        )
        yield from row(
            INTRUSION_ENTRY,
            (1, 1),
            {
                5: integer(OK if self.intrusion == 1 else CRITICAL),
                6: integer(self.intrusion),
                8: text("System Board Intrusion"),
            },
        )
        yield from storage_objects(self.physical_disks, self.virtual_disks, self.battery_state)

    def _information_objects(self) -> Objects:
        yield from scalars((*DELL, 1, 1), {2: text("iDRAC9"), 8: text(FIRMWARE)})
        columns = {
            1: text(f"{self.name}.example.org"),
            2: text(self.service_tag),
            6: text("VMware ESXi 7.0.3"),
            12: text("PowerEdge R640"),
        }
        yield from scalars((*DELL, 1, 3), columns)

    def _rollup_objects(self) -> Objects:
        power = CRITICAL if any(supply.failed for supply in self.power_supplies) else OK
        cooling = CRITICAL if any(fan.failed for fan in self.fans) else OK
        storage = storage_status(self.physical_disks, self.virtual_disks, self.battery_state)
        intrusion = OK if self.intrusion == 1 else CRITICAL
        rest = worst(
            (
                *(power, cooling, storage, intrusion),
                *(self.memory_status, self.processor_status, self.system_battery_status),
            )
        )

        def heat(now: float) -> int:
            return worst(temperature_status(temperature, now) for temperature in self.temperatures)

        overall = moving(integer, lambda now: worst((rest, heat(now))))
        yield from scalars(
            (*DELL, 2),
            {
                1: overall,
                2: overall,
                3: integer(storage),
                4: integer(4 if self.powered_on else 3),
                5: moving(integer, self.uptime),
            },
        )
        yield from scalars(OLD_ROLLUP, {1: overall})
        yield from row(
            STATE_ENTRY,
            1,
            {
                6: integer(5 if power != OK else 3),
                9: integer(power),
                18: integer(5 if cooling != OK else 3),
                21: integer(cooling),
                24: moving(integer, heat),
                27: integer(self.memory_status),
                50: integer(self.processor_status),
            },
        )
        redundancy = {5: integer(5 if power != OK else 3), 7: text("System Board PS Redundancy")}
        yield from row((*DELL, 4, 600, 10, 1), (1, 1), redundancy)


def idrac(
    name: str,
    *,
    clock: Callable[[], float],
    site: str = "",
    community: str = "public",
    uptime_days: float = 310.2,
) -> IDRAC:
    """A server in good health: two power supplies, eight fans, eight disks in a mirror and a RAID 5."""
    booted = clock() - uptime_days * 86400
    bits = derived(name)
    letters = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
    tag = "".join(letters[(bits >> 5 * place) % len(letters)] for place in range(7))
    return IDRAC(
        name=name,
        site=site,
        clock=clock,
        community=community,
        booted=booted,
        interfaces=(interface_of(1, "eth0", booted, load=0.0001),),
        service_tag=tag,
        power_supplies=tuple(PowerSupply(name=f"PS{number}") for number in (1, 2)),
        fans=tuple(Fan(name=f"System Board Fan{number}", rpm=8400) for number in range(1, 9)),
        temperatures=(
            Temperature(name="CPU1 Temp", celsius=55, warning=93, critical=98),
            Temperature(name="CPU2 Temp", celsius=52, warning=93, critical=98),
            Temperature(name="System Board Inlet Temp", celsius=22, warning=43, critical=47),
            Temperature(name="System Board Exhaust Temp", celsius=34, warning=75, critical=80),
        ),
        physical_disks=tuple(
            PhysicalDisk(
                name=f"Solid State Disk 0:1:{slot}" if slot < 2 else f"Physical Disk 0:1:{slot}",
                megabytes=457_862 if slot < 2 else 1_144_640,
                endurance=93 if slot < 2 else 255,
            )
            for slot in range(8)
        ),
        virtual_disks=(
            VirtualDisk(name="System", megabytes=457_862, layout=3, disks=2),
            VirtualDisk(name="Data", megabytes=5_723_200, layout=4, disks=6),
        ),
    )
