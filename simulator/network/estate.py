"""VDX's network kit as a list: firewalls, switches, servers and storage at two sites."""

from collections.abc import Callable
from typing import Final

from simulator.network.device import Device
from simulator.network.fortigate import FortiGate
from simulator.network.fortigate_2200e import fortigate, pair
from simulator.network.generic import Generic, generic
from simulator.network.idrac import IDRAC, idrac
from simulator.network.links import NetworkDevice
from simulator.network.nexus import Nexus
from simulator.network.nexus_93180 import nexus

SERVERS: Final = 18
SITES: Final = ("north", "south")


def estate(
    clock: Callable[[], float], *, servers: int = SERVERS, community: str = "public"
) -> tuple[Device, ...]:
    """The whole kit in good health: fw-1 (the address that the pair shares, answered by the primary) and fw-2
    (the standby's own), nexus-north-1 to nexus-south-2, r640-01 and on, san-1."""
    north, south = SITES
    cluster = pair()
    return (
        fortigate("fw-1", cluster, clock=clock, site=north, community=community),
        fortigate("fw-2", cluster, clock=clock, site=south, community=community, shared_address=False),
        *(
            nexus(f"nexus-{site}-{number}", clock=clock, site=site, community=community, active=number == 1)
            for site in SITES
            for number in (1, 2)
        ),
        *(
            idrac(
                f"r640-{number:02}",
                clock=clock,
                site=north if number <= servers / 2 else south,
                community=community,
            )
            for number in range(1, servers + 1)
        ),
        generic("san-1", clock=clock, site=north, community=community),
    )


def serial_of(device: Device) -> str:
    """The serial number on the case of a device; of the pair's shared address that of its primary."""
    match device:
        case FortiGate():
            return device.member.serial
        case IDRAC():
            return device.service_tag
        case Nexus() | Generic():
            return device.serial
    return ""


def model_of(device: Device) -> str:
    """What a device was bought as."""
    match device:
        case FortiGate():
            return "FortiGate 2200E"
        case IDRAC():
            return "PowerEdge R640"
        case Nexus():
            return "N9K-C93180YC-FX3"
    return "SAN-24"


def liven(devices: tuple[Device, ...]) -> None:
    """What a demonstration shows: r640-07 has lost a power supply, nexus-south-2 a link, and another link of
    nexus-north-2 comes and goes."""
    for device in devices:
        if device.name == "r640-07" and isinstance(device, IDRAC):
            device.power_supplies[0].failed = True
        if isinstance(device, NetworkDevice):
            if device.name == "nexus-south-2":
                device.link_down("Ethernet1/20")
            if device.name == "nexus-north-2":
                device.flap("Ethernet1/5", every=240, down=50)
