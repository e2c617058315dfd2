"""A device with interfaces, and what happens to its links."""

from dataclasses import dataclass

from simulator.network.ber import integer, oid
from simulator.network.device import Device
from simulator.network.interfaces import (
    DOWN,
    TUNNEL,
    UP,
    Interface,
    interface_objects,
    interface_of,
    since_boot,
)
from simulator.network.view import Objects, scalars

INTERFACES = oid("1.3.6.1.2.1.2")
IF_MIB_OBJECTS = oid("1.3.6.1.2.1.31.1")


@dataclass(kw_only=True)
class NetworkDevice(Device):
    """A device with interfaces, and what happens to its links."""

    interfaces: tuple[Interface, ...] = ()
    table_changed: float = 0.0
    """When interfaces were last added, removed or numbered otherwise, in Unix seconds."""

    def interface(self, name: str) -> Interface:
        """The interface of this name; raises KeyError when there is none."""
        for interface in self.interfaces:
            if interface.name == name:
                return interface
        raise KeyError(f"{self.name} has no interface {name}")

    def link_down(self, name: str, *, shut: bool = False) -> None:
        """A link is lost, or with `shut` an administrator switched it off; its counters stand."""
        interface, now = self.interface(name), self.clock()
        if interface.up:
            for counter in interface.counters:
                counter.stop(now)
            interface.up, interface.changed = False, now
        if shut:
            interface.admin = DOWN

    def link_up(self, name: str) -> None:
        """A link comes back, switched on and with the traffic that it had."""
        interface, now = self.interface(name), self.clock()
        if not interface.up:
            for counter in interface.counters:
                counter.go_on(now)
            interface.up, interface.changed, interface.admin = True, now, UP

    def flap(self, name: str, *, every: float = 60.0, down: float = 10.0) -> None:
        """A link goes down for `down` seconds whenever `every` seconds have passed; 0 ends that."""
        interface = self.interface(name)
        interface.flap_every, interface.flap_down = every, down

    def add_interfaces(self, count: int) -> None:
        """As many more interfaces: a device with thousands of tunnels."""
        begin = max((interface.index for interface in self.interfaces), default=0) + 1
        more = tuple(
            interface_of(number, f"tunnel{number}", self.booted, speed=100, type=TUNNEL, load=0.01)
            for number in range(begin, begin + count)
        )
        self.interfaces += more
        self.table_changed = self.clock()

    def reboot(self, *, seconds: float = 0.0, renumber: bool = False) -> None:
        """Start again; with `renumber` each interface comes back under the ifIndex of another."""
        super().reboot(seconds=seconds)
        indexes = [interface.index for interface in self.interfaces]
        if renumber:
            indexes = indexes[1:] + indexes[:1]
        for interface, index in zip(self.interfaces, indexes, strict=True):
            interface.index = index
            interface.changed = self.booted
            for counter in interface.counters:
                counter.reset(self.booted)
        self.table_changed = self.booted

    def interface_objects(self) -> Objects:
        """ifNumber, ifTable, ifXTable, dot3StatsTable and the times of their last changes."""
        yield from scalars(INTERFACES, {1: integer(len(self.interfaces))})
        changed = since_boot(self, lambda _: self.table_changed)
        yield from scalars(IF_MIB_OBJECTS, {5: changed, 6: changed})
        for interface in self.interfaces:
            yield from interface_objects(self, interface)
