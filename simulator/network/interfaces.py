"""IF-MIB's ifTable and ifXTable, and EtherLike-MIB's errors, of a device's interfaces."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulator.network.ber import counter32, counter64, gauge32, integer, octets, oid, text, time_ticks
from simulator.network.device import Device, Part
from simulator.network.motion import Counter, derived
from simulator.network.view import Objects, Value, row

ETHERNET: Final = 6
LOOPBACK: Final = 24
PROP_VIRTUAL: Final = 53
TUNNEL: Final = 131
L3_VLAN: Final = 136
AGGREGATE: Final = 161
"""Values of ifType (IANAifType-MIB)."""

UP: Final = 1
DOWN: Final = 2

PACKET_OCTETS: Final = 800
"""Octets of a mean packet: video over UDP is near the frame's limit, the rest is small."""

IF_ENTRY = oid("1.3.6.1.2.1.2.2.1")
IF_X_ENTRY = oid("1.3.6.1.2.1.31.1.1.1")
DOT3_STATS_ENTRY = oid("1.3.6.1.2.1.10.7.2.1")


@dataclass(kw_only=True)
class Interface(Part):
    """An interface; `speed` in Mbit/s, rates in octets and packets per second."""

    index: int
    name: str
    alias: str = ""
    type: int = ETHERNET
    mtu: int = 1500
    speed: int = 1000
    admin: int = UP
    up: bool = True
    full_duplex: bool = True
    changed: float = 0.0
    """When its state last changed, in Unix seconds."""
    flap_every: float = 0.0
    """Seconds of Unix time after which a flapping link goes down again and again, for `flap_down` seconds."""
    flap_down: float = 0.0
    input: Counter = field(default_factory=lambda: Counter(0, 0))
    output: Counter = field(default_factory=lambda: Counter(0, 0))
    input_errors: Counter = field(default_factory=lambda: Counter(0, 0))
    output_errors: Counter = field(default_factory=lambda: Counter(0, 0))
    input_discards: Counter = field(default_factory=lambda: Counter(0, 0))
    output_discards: Counter = field(default_factory=lambda: Counter(0, 0))

    @property
    def counters(self) -> tuple[Counter, ...]:
        """All of its counters."""
        return (
            *(self.input, self.output),
            *(self.input_errors, self.output_errors, self.input_discards, self.output_discards),
        )

    def is_up(self, now: float) -> bool:
        """Whether it carries traffic."""
        if self.admin != UP or not self.up:
            return False
        return not self.flap_every or now % self.flap_every >= self.flap_down

    def last_change(self, now: float) -> float:
        """When its state last changed, in Unix seconds."""
        if not self.flap_every or not self.up:
            return self.changed
        within = now % self.flap_every
        return now - within + (self.flap_down if within >= self.flap_down else 0)

    def counted_until(self, now: float) -> float:
        """The moment up to which traffic was counted: while a flap holds it down, the counters stand."""
        if self.flap_every and self.up and not self.is_up(now):
            return now - now % self.flap_every
        return now


def interface_of(
    index: int,
    name: str,
    since: float,
    *,
    alias: str = "",
    type: int = ETHERNET,
    mtu: int = 1500,
    speed: int = 1000,
    load: float = 0.1,
    admin: int = UP,
    used: bool = True,
) -> Interface:
    """An interface that carries this share of its speed (in Mbit/s) since then; one that is not used is down.

    Output is somewhat less than input, and some packets in a million are in error or discarded.
    """
    octets_per_second = speed * 125_000 * load * (0.75 + derived(name) % 50 / 100) if used else 0.0
    packets = octets_per_second / PACKET_OCTETS
    return Interface(
        index=index,
        name=name,
        alias=alias,
        type=type,
        mtu=mtu,
        speed=speed,
        admin=admin,
        up=used,
        changed=since,
        input=Counter(octets_per_second, since),
        output=Counter(octets_per_second * 0.8, since),
        input_errors=Counter(packets * 1e-8, since),
        output_errors=Counter(0, since),
        input_discards=Counter(packets * 1e-7, since),
        output_discards=Counter(packets * 1e-6, since),
    )


def _counted(
    interface: Interface, counter: Counter, share: float, encoder: Callable[[float], bytes]
) -> Value:
    return lambda now: encoder(counter.at(interface.counted_until(now)) * share)


def interface_objects(device: Device, interface: Interface) -> Objects:
    """The rows of an interface in ifTable, ifXTable and, of an Ethernet port, dot3StatsTable."""
    yield from row(IF_ENTRY, interface.index, _interface_columns(device, interface))
    yield from row(IF_X_ENTRY, interface.index, _extended_columns(interface))
    if interface.type == ETHERNET:
        yield from row(DOT3_STATS_ENTRY, interface.index, _ethernet_columns(interface))


def since_boot(device: Device, moment: Callable[[float], float]) -> Value:
    """TimeTicks of a moment, as sysUpTime was then."""
    return lambda now: time_ticks(device.uptime(moment(now)))


def _interface_columns(device: Device, interface: Interface) -> dict[int, Value]:
    address = (derived(f"{device.name} {interface.name}") & 0xFFFFFFFFFF).to_bytes(5, "big")
    physical = interface.type in {ETHERNET, AGGREGATE}
    return {
        1: integer(interface.index),
        2: text(interface.name),
        3: integer(interface.type),
        4: integer(interface.mtu),
        5: gauge32(interface.speed * 1_000_000),
        6: octets(b"\x02" + address if physical else b""),
        7: integer(interface.admin),
        8: lambda now: integer(UP if interface.is_up(now) else DOWN),
        9: since_boot(device, interface.last_change),
        10: _counted(interface, interface.input, 1, counter32),
        11: _counted(interface, interface.input, 1 / PACKET_OCTETS, counter32),
        13: _counted(interface, interface.input_discards, 1, counter32),
        14: _counted(interface, interface.input_errors, 1, counter32),
        16: _counted(interface, interface.output, 1, counter32),
        17: _counted(interface, interface.output, 1 / PACKET_OCTETS, counter32),
        19: _counted(interface, interface.output_discards, 1, counter32),
        20: _counted(interface, interface.output_errors, 1, counter32),
    }


def _extended_columns(interface: Interface) -> dict[int, Value]:
    packets = 1 / PACKET_OCTETS
    return {
        1: text(interface.name),
        6: _counted(interface, interface.input, 1, counter64),
        7: _counted(interface, interface.input, packets, counter64),
        8: _counted(interface, interface.input, packets * 1e-3, counter64),
        9: _counted(interface, interface.input, packets * 1e-4, counter64),
        10: _counted(interface, interface.output, 1, counter64),
        11: _counted(interface, interface.output, packets, counter64),
        12: _counted(interface, interface.output, packets * 1e-3, counter64),
        13: _counted(interface, interface.output, packets * 1e-4, counter64),
        15: gauge32(interface.speed),
        17: integer(1 if interface.type == ETHERNET else 2),
        18: text(interface.alias),
        19: time_ticks(0),
    }


def _ethernet_columns(interface: Interface) -> dict[int, Value]:
    return {
        3: _counted(interface, interface.input_errors, 1, counter32),
        18: _counted(interface, interface.input_errors, 0.1, counter32),
        19: integer(3 if interface.full_duplex else 2),
    }
