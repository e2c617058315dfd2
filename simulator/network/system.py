"""SNMPv2-MIB's system group and the engine's times (SNMP-FRAMEWORK-MIB)."""

from simulator.network.ber import integer, object_identifier, octets, oid, text, time_ticks
from simulator.network.device import Device
from simulator.network.motion import derived
from simulator.network.view import Objects, scalars

SYSTEM = oid("1.3.6.1.2.1.1")
ENGINE = oid("1.3.6.1.6.3.10.2.1")


def system_objects(
    device: Device, description: str, object_id: str, name: str, services: int = 76
) -> Objects:
    """sysDescr to sysServices; sysUpTime wraps after 497.1 days, snmpEngineTime does not."""
    yield from scalars(
        SYSTEM,
        {
            1: text(description),
            2: object_identifier(oid(object_id)),
            3: lambda now: time_ticks(device.uptime(now)),
            4: text("netops@example.org"),
            5: text(name),
            6: text(f"data centre {device.site}" if device.site else ""),
            7: integer(services),
        },
    )
    engine = b"\x80\x00\x1f\x88" + derived(device.name).to_bytes(8, "big")
    yield from scalars(
        ENGINE,
        {
            1: octets(engine),
            2: integer(device.boots),
            3: lambda now: integer(int(device.uptime(now))),
            4: integer(1500),
        },
    )
