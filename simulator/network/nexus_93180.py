"""A Nexus 93180YC-FX3 in good health: its ports, sensors and numbers, as in a recording."""

from collections.abc import Callable
from typing import Final

from simulator.network.hardware import Fan, PowerSupply
from simulator.network.interfaces import AGGREGATE, DOWN, L3_VLAN, UP, Interface, interface_of
from simulator.network.motion import derived
from simulator.network.nexus import MODULE_INDEX, BGPPeer, HSRPGroup, Nexus
from simulator.network.sensors import CELSIUS, GREATER_OR_EQUAL, MAJOR, MINOR, UNITS, Sensor, optic

FIRST_TEMPERATURE: Final = 21590
FIRST_OPTIC: Final = 300000000
"""Values of entPhysicalIndex."""

ETHERNET_INDEX: Final = 436207616
PORT_STEP: Final = 512
MANAGEMENT_INDEX: Final = 83886080
VLAN_INDEX: Final = 151060480
PORT_CHANNEL_INDEX: Final = 369098751
"""How NX-OS builds ifIndex: Ethernet1/1 and the step from port to port, mgmt0, and what the numbers of VLANs
and port-channels are added to."""


def nexus(
    name: str,
    *,
    clock: Callable[[], float],
    site: str = "",
    community: str = "public",
    uptime_days: float = 231.4,
    active: bool = True,
) -> Nexus:
    """A switch in good health, with 59 interfaces and 39 sensors; the active one of an HSRP pair, or not."""
    booted = clock() - uptime_days * 86400
    vlan = VLAN_INDEX + 1
    return Nexus(
        name=name,
        site=site,
        clock=clock,
        community=community,
        booted=booted,
        interfaces=_interfaces(booted),
        power_supplies=tuple(PowerSupply(name=f"PowerSupply-{number}") for number in (1, 2)),
        fans=tuple(Fan(name=f"Fan-{number}") for number in range(1, 5)),
        sensors=_sensors(),
        bgp_peers=(BGPPeer(address="10.255.0.1"), BGPPeer(address="10.255.0.2")),
        hsrp_groups=(HSRPGroup(if_index=vlan, group=10, state=6 if active else 5),),
        serial=f"FDO{derived(name) % 10**8:08}",
    )


def _interfaces(booted: float) -> tuple[Interface, ...]:
    ports = [
        interface_of(
            ETHERNET_INDEX + PORT_STEP * (port - 1),
            f"Ethernet1/{port}",
            booted,
            alias="uplink" if port > 48 else f"server {port:02}" if port <= 36 else "",
            mtu=9216,
            speed=100_000 if port > 48 else 25_000,
            load=0.06,
            admin=DOWN if 43 <= port <= 47 else UP,
            used=port <= 36 or port in {49, 50, 53, 54},
        )
        for port in range(1, 55)
    ]
    channels = [
        interface_of(
            PORT_CHANNEL_INDEX + number,
            f"port-channel{number}",
            booted,
            alias=alias,
            type=AGGREGATE,
            mtu=9216,
            speed=200_000,
            load=0.06,
        )
        for number, alias in ((10, "vPC peer link"), (20, "to the other site"), (30, "to the firewalls"))
    ]
    management = interface_of(MANAGEMENT_INDEX, "mgmt0", booted, alias="management", load=0.001)
    vlan = interface_of(VLAN_INDEX + 1, "Vlan1", booted, type=L3_VLAN, load=0.001)
    return (*ports, management, vlan, *channels)


def _sensors() -> tuple[Sensor, ...]:
    chassis = (
        ("FRONT", 26, ((MINOR, GREATER_OR_EQUAL, 70), (MAJOR, GREATER_OR_EQUAL, 80))),
        ("BACK", 31, ((MINOR, GREATER_OR_EQUAL, 42), (MAJOR, GREATER_OR_EQUAL, 70))),
        ("CPU", 44, ((MINOR, GREATER_OR_EQUAL, 80), (MAJOR, GREATER_OR_EQUAL, 90))),
        ("ASIC", 55, ((MINOR, GREATER_OR_EQUAL, 100), (MAJOR, GREATER_OR_EQUAL, 110))),
    )
    temperatures = tuple(
        Sensor(
            index=FIRST_TEMPERATURE + number,
            name=f"module-1 {place}",
            within=MODULE_INDEX,
            type=CELSIUS,
            scale=UNITS,
            value=celsius,
            swing=1.4,
            thresholds=thresholds,
        )
        for number, (place, celsius, thresholds) in enumerate(chassis)
    )
    optics = (
        sensor
        for port in (49, 50, 51, 52, 53, 54, 48)
        for sensor in optic(port, FIRST_OPTIC + port * 1000, MODULE_INDEX)
    )
    return (*temperatures, *optics)
