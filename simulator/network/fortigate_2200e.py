"""A FortiGate 2200E of a pair in good health: its ports, sensors, tunnels and contracts."""

from collections.abc import Callable

from simulator.network.cluster import Cluster, Member
from simulator.network.fortigate import FortiGate
from simulator.network.fortigate_tables import Contract, HealthSensor, LinkMonitor, Tunnel, VirtualDomain
from simulator.network.hardware import Fan, PowerSupply, Temperature
from simulator.network.interfaces import AGGREGATE, TUNNEL, Interface, interface_of
from simulator.network.motion import derived


def pair() -> Cluster:
    """The two members of the pair."""
    first, second = (
        Member(serial=f"FG22E1T9{derived(name) % 10**8:08}", hostname=name) for name in ("fw-1", "fw-2")
    )
    return Cluster(members=(first, second))


def fortigate(
    name: str,
    cluster: Cluster,
    *,
    clock: Callable[[], float],
    site: str = "",
    community: str = "public",
    shared_address: bool = True,
    uptime_days: float = 449.7,
) -> FortiGate:
    """A firewall in good health, 47 days before its sysUpTime wraps."""
    booted = clock() - uptime_days * 86400
    names = ("region", "municipality", "state", "laboratory", "monitoring", "partner")
    return FortiGate(
        name=name,
        site=site,
        clock=clock,
        community=community,
        booted=booted,
        cluster=cluster,
        shared_address=shared_address,
        interfaces=_interfaces(booted, busy=shared_address),
        power_supplies=tuple(PowerSupply(name=f"PS{number}") for number in (1, 2)),
        fans=tuple(Fan(name=f"Fan {number}", rpm=6200) for number in range(1, 5)),
        temperatures=(
            Temperature(name="DTS CPU0", celsius=51, warning=85, critical=95),
            Temperature(name="DTS CPU1", celsius=49, warning=85, critical=95),
            Temperature(name="TMP421 Inlet", celsius=24, warning=45, critical=55),
            Temperature(name="TMP421 Outlet", celsius=37, warning=70, critical=80),
            Temperature(name="NP6 0", celsius=58, warning=95, critical=105),
        ),
        health_sensors=(
            HealthSensor(name="+3.3V", volts=3.3504),
            HealthSensor(name="+5V", volts=5.0192),
            HealthSensor(name="+12V", volts=12.059),
            HealthSensor(name="VCC 1.8V", volts=1.8117),
            HealthSensor(name="CPU0 VCCIN", volts=1.7857),
        ),
        virtual_domains=(VirtualDomain(name="root", share=0.2), VirtualDomain(name="video", share=0.8)),
        tunnels=tuple(Tunnel.running(f"vpn-{peer}", booted, number) for number, peer in enumerate(names, 1)),
        link_monitors=(
            LinkMonitor(name="internet-north", milliseconds=4.1),
            LinkMonitor(name="internet-south", milliseconds=6.7),
            LinkMonitor(name="health-network", milliseconds=2.3),
        ),
        contracts=(
            Contract(description="FortiCare Support", expiry="Thu Dec 31 2026"),
            Contract(description="Firmware & General Updates", expiry="Thu Dec 31 2026"),
            Contract(description="IPS", expiry="Thu Dec 31 2026"),
            Contract(description="Advanced Malware Protection", expiry="n/a"),
        ),
    )


def _interfaces(booted: float, *, busy: bool) -> tuple[Interface, ...]:
    load = 0.08 if busy else 0.0002
    plan = [
        *((name, 1000, 0.002, name != "mgmt2") for name in ("mgmt1", "mgmt2")),
        *((name, 10_000, 0.02, True) for name in ("ha1", "ha2")),
        *((f"port{number}", 1000, load, number <= 4) for number in range(1, 13)),
        *((f"port{number}", 25_000, load, number <= 24) for number in range(13, 33)),
        *((f"port{number}", 40_000, load, number <= 34) for number in range(33, 37)),
    ]
    ports = [
        interface_of(
            number,
            name,
            booted,
            alias="uplink" if name == "port33" else "",
            speed=speed,
            load=share,
            used=used,
        )
        for number, (name, speed, share, used) in enumerate(plan, 1)
    ]
    begin = len(ports) + 1
    channel = interface_of(begin, "to-nexus", booted, alias="LACP", type=AGGREGATE, speed=80_000, load=load)
    tunnel = interface_of(begin + 1, "ssl.root", booted, type=TUNNEL, speed=0, load=0)
    return (*ports, channel, tunnel)
