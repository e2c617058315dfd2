"""A Cisco Nexus 93180YC-FX3 with NX-OS, as its agent shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.network.ber import counter64, gauge32, integer, oid, text
from simulator.network.device import Part
from simulator.network.entities import CHASSIS, FAN, MODULE, POWER_SUPPLY, SENSOR, Entity, entity_objects
from simulator.network.hardware import Fan, PowerSupply
from simulator.network.links import NetworkDevice
from simulator.network.motion import activity, derived, wobble
from simulator.network.sensors import Sensor, sensor_objects
from simulator.network.system import system_objects
from simulator.network.view import Objects, moving, row

MODEL: Final = "N9K-C93180YC-FX3"
VERSION: Final = "10.2(5)"
OBJECT_ID: Final = "1.3.6.1.4.1.9.12.3.1.3.2193"

CPU_ENTRY = oid("1.3.6.1.4.1.9.9.109.1.1.1.1")
CORE_ENTRY = oid("1.3.6.1.4.1.9.9.109.1.1.2.1")
MEMORY_POOL_ENTRY = oid("1.3.6.1.4.1.9.9.221.1.1.1.1")
POWER_GROUP_ENTRY = oid("1.3.6.1.4.1.9.9.117.1.1.1.1")
POWER_ENTRY = oid("1.3.6.1.4.1.9.9.117.1.1.2.1")
MODULE_ENTRY = oid("1.3.6.1.4.1.9.9.117.1.2.1.1")
FAN_TRAY_ENTRY = oid("1.3.6.1.4.1.9.9.117.1.4.1.1")
BGP_PEER_ENTRY = oid("1.3.6.1.2.1.15.3.1")
HSRP_ENTRY = oid("1.3.6.1.4.1.9.9.106.1.2.1.1")

MODULE_INDEX: Final = 22
CHASSIS_INDEX: Final = 149
FIRST_POWER_SUPPLY: Final = 470
FIRST_FAN_TRAY: Final = 534
"""Values of entPhysicalIndex."""

MEMORY_KILOBYTES: Final = 24 * 1024 * 1024
CORES: Final = 4
ESTABLISHED: Final = 6
PEER_WANTED: Final = 2
"""bgpPeerAdminStatus start."""


@dataclass(kw_only=True)
class BGPPeer(Part):
    """A BGP neighbour; `state` is idle 1, connect 2, active 3, opensent 4, openconfirm 5, established 6."""

    address: str
    state: int = ESTABLISHED


@dataclass(kw_only=True)
class HSRPGroup(Part):
    """A group of an interface; `state` is initial 1, learn 2, listen 3, speak 4, standby 5, active 6."""

    if_index: int
    group: int
    state: int


@dataclass(kw_only=True)
class Nexus(NetworkDevice):
    """A switch; `cpu` is its mean use in percent, `memory` the share of its memory in use."""

    kind = "nexus"
    power_supplies: tuple[PowerSupply, ...]
    fans: tuple[Fan, ...]
    sensors: tuple[Sensor, ...]
    module_status: int = 2
    """cefcModuleOperStatus: ok 2, okButDiagFailed 4, failed 7."""
    cpu: float = 12.0
    memory: float = 0.42
    bgp_peers: tuple[BGPPeer, ...] = ()
    hsrp_groups: tuple[HSRPGroup, ...] = ()
    serial: str

    def sensor(self, name: str) -> Sensor:
        """The sensor of this name; raises KeyError when there is none."""
        for sensor in self.sensors:
            if sensor.name == name:
                return sensor
        raise KeyError(f"{self.name} has no sensor {name}")

    def objects(self) -> Objects:
        """All that the agent shows."""
        description = f"Cisco NX-OS(tm) Nexus9000 {MODEL[4:]}, Software (NXOS 64-bit), Version {VERSION}"
        yield from system_objects(self, description, OBJECT_ID, self.name)
        yield from self.interface_objects()
        yield from entity_objects(self._entities())
        yield from sensor_objects(self.sensors)
        yield from self._processor_objects()
        yield from self._memory_objects()
        yield from self._field_replaceable_objects()
        yield from self._routing_objects()

    def _entities(self) -> list[Entity]:
        chassis = Entity(
            index=CHASSIS_INDEX,
            name="Chassis",
            category=CHASSIS,
            description=f"Nexus9000 {MODEL[4:]} Chassis",
            serial=self.serial,
            model=MODEL,
        )
        module = Entity(
            index=MODULE_INDEX,
            name="Slot-1 Module-1",
            category=MODULE,
            within=CHASSIS_INDEX,
            description="48x10/25G + 6x40/100G Ethernet Module",
            software=VERSION,
            serial=self.serial,
            model=MODEL,
        )
        supplies = (
            Entity(
                index=FIRST_POWER_SUPPLY + number,
                name=supply.name,
                category=POWER_SUPPLY,
                within=CHASSIS_INDEX,
                serial=f"ART{derived(self.name + supply.name) % 10**8:08}",
                model="NXA-PAC-650W-PE",
            )
            for number, supply in enumerate(self.power_supplies)
        )
        fans = (
            Entity(
                index=FIRST_FAN_TRAY + number,
                name=fan.name,
                category=FAN,
                within=CHASSIS_INDEX,
                model="NXA-SFAN-65CFM-PE",
            )
            for number, fan in enumerate(self.fans)
        )
        sensors = (
            Entity(index=sensor.index, name=sensor.name, category=SENSOR, within=sensor.within)
            for sensor in self.sensors
        )
        return [chassis, module, *supplies, *fans, *sensors]

    def _load(self, name: str) -> Callable[[float], float]:
        return lambda now: min(100.0, self.cpu * activity(now) + 2 + 2 * wobble(self.name + name, now))

    def _processor_objects(self) -> Objects:
        used, free = self.memory * MEMORY_KILOBYTES, (1 - self.memory) * MEMORY_KILOBYTES
        loads = {6: self._load("5 seconds"), 7: self._load("1 minute"), 8: self._load("5 minutes")}
        yield from row(
            CPU_ENTRY,
            MODULE_INDEX,
            {
                2: integer(MODULE_INDEX),
                **{column: moving(gauge32, load) for column, load in loads.items()},
                12: gauge32(used),
                13: gauge32(free),
                17: counter64(used),
                19: counter64(free),
            },
        )
        for core in range(1, CORES + 1):
            yield from row(CORE_ENTRY, (MODULE_INDEX, core), {5: moving(gauge32, self._load(f"core {core}"))})

    def _memory_objects(self) -> Objects:
        used, free = self.memory * MEMORY_KILOBYTES * 1024, (1 - self.memory) * MEMORY_KILOBYTES * 1024
        columns = {2: text("Processor"), 7: gauge32(used), 8: gauge32(free)}
        columns |= {18: counter64(used), 20: counter64(free)}
        yield from row(MEMORY_POOL_ENTRY, (MODULE_INDEX, 1), columns)

    def _field_replaceable_objects(self) -> Objects:
        working = sum(not supply.failed for supply in self.power_supplies)
        yield from row(
            POWER_GROUP_ENTRY,
            CHASSIS_INDEX,
            {3: integer(54_00 * working), 4: integer(17_50), 5: integer(2 if working > 1 else 4)},
        )
        for number, supply in enumerate(self.power_supplies):
            status, current = (8, 0) if supply.failed else (2, 875)
            columns = {1: integer(1), 2: integer(status), 3: integer(current)}
            yield from row(POWER_ENTRY, FIRST_POWER_SUPPLY + number, columns)
        yield from row(MODULE_ENTRY, MODULE_INDEX, {1: integer(1), 2: integer(self.module_status)})
        for number, fan in enumerate(self.fans):
            yield from row(FAN_TRAY_ENTRY, FIRST_FAN_TRAY + number, {1: integer(3 if fan.failed else 2)})

    def _routing_objects(self) -> Objects:
        for peer in self.bgp_peers:
            established = peer.state == ESTABLISHED
            index = tuple(int(part) for part in peer.address.split("."))
            since = (lambda now: gauge32(self.uptime(now))) if established else gauge32(0)
            yield from row(
                BGP_PEER_ENTRY, index, {2: integer(peer.state), 3: integer(PEER_WANTED), 16: since}
            )
        for group in self.hsrp_groups:
            yield from row(HSRP_ENTRY, (group.if_index, group.group), {15: integer(group.state)})
