"""A FortiGate 2200E of a pair, with FortiOS, as its agent shows it (FORTINET-FORTIGATE-MIB)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.network.ber import counter64, gauge32, integer, oid, text
from simulator.network.cluster import Cluster, Member
from simulator.network.fortigate_tables import (
    FORTIGATE,
    Contract,
    HealthSensor,
    LinkMonitor,
    Tunnel,
    VirtualDomain,
    contract_objects,
    link_monitor_objects,
    sensor_objects,
    tunnel_objects,
    virtual_domain_objects,
)
from simulator.network.hardware import Fan, PowerSupply, Temperature
from simulator.network.links import NetworkDevice
from simulator.network.motion import activity, wobble
from simulator.network.system import system_objects
from simulator.network.view import Objects, Value, moving, row, scalars

OBJECT_ID: Final = "1.3.6.1.4.1.12356.101.1.18000"
VERSION: Final = "v7.4.8,build2795,250523 (GA.M)"
SERIAL = oid("1.3.6.1.4.1.12356.100.1.1")
SYSTEM_INFORMATION = (*FORTIGATE, 4, 1)
SIGNATURES = (*FORTIGATE, 4, 2)
PROCESSORS = (*FORTIGATE, 4, 4)

MEMORY_KILOBYTES: Final = 32_921_528
DISK_MEGABYTES: Final = 3_600_000
CORES: Final = 16


@dataclass(kw_only=True)
class FortiGate(NetworkDevice):
    """A firewall of a pair: the one whose address is shared answers as the primary, the other as the standby.

    `memory` is its use in percent, `cpu` the mean use of the primary. `old_tunnel_table` shows tunnels in
    fgVpnTunTable, in which indexes have one or two parts, instead of fgVpn2TunTable.
    """

    kind = "fortigate"
    cluster: Cluster
    shared_address: bool
    power_supplies: tuple[PowerSupply, ...]
    fans: tuple[Fan, ...]
    temperatures: tuple[Temperature, ...]
    health_sensors: tuple[HealthSensor, ...]
    virtual_domains: tuple[VirtualDomain, ...]
    tunnels: tuple[Tunnel, ...]
    link_monitors: tuple[LinkMonitor, ...]
    contracts: tuple[Contract, ...]
    cpu: float = 18.0
    memory: float = 36.0
    old_tunnel_table: bool = False

    @property
    def member(self) -> Member:
        """Who answers."""
        return self.cluster.primary if self.shared_address else self.cluster.standby

    def answers(self, now: float) -> bool:
        """A lost standby does not answer on its own address."""
        return super().answers(now) and not (self.member.lost and not self.shared_address)

    def temperature(self, name: str) -> Temperature:
        """The temperature of this name; raises KeyError when there is none."""
        for temperature in self.temperatures:
            if temperature.name == name:
                return temperature
        raise KeyError(f"{self.name} has no temperature {name}")

    def tunnel(self, name: str) -> Tunnel:
        """The tunnel of this name; raises KeyError when there is none."""
        for tunnel in self.tunnels:
            if tunnel.name == name:
                return tunnel
        raise KeyError(f"{self.name} has no tunnel {name}")

    def tunnel_down(self, name: str) -> None:
        """A tunnel is lost; its counters stand."""
        tunnel = self.tunnel(name)
        for counter in tunnel.counters:
            counter.stop(self.clock())
        tunnel.up = False

    def tunnel_up(self, name: str) -> None:
        """A tunnel comes back."""
        tunnel = self.tunnel(name)
        for counter in tunnel.counters:
            counter.go_on(self.clock())
        tunnel.up = True

    def reboot(self, *, seconds: float = 0.0, renumber: bool = False) -> None:
        """Start again, the counters of the tunnels from 0 too."""
        super().reboot(seconds=seconds, renumber=renumber)
        for tunnel in self.tunnels:
            for counter in tunnel.counters:
                counter.reset(self.booted)

    def objects(self) -> Objects:
        """All that the agent shows."""
        share = self.cluster.share(self.member)
        yield from system_objects(self, "", OBJECT_ID, self.member.hostname)
        yield from self.interface_objects()
        yield from scalars(SERIAL, {1: text(self.member.serial)})
        yield from scalars(SYSTEM_INFORMATION, self._system_columns(share))
        yield from scalars(
            SIGNATURES,
            {
                1: text("93.05142(2026-01-11 20:26)"),
                2: text("35.00168(2026-01-10 00:12)"),
                3: text("1.00000(2018-04-09 18:07)"),
                4: text("35.00168(2026-01-10 00:12)"),
            },
        )
        yield from self._processor_objects(share)
        yield from self.cluster.objects(self.member, self.booted)
        yield from virtual_domain_objects(
            self.virtual_domains,
            self.cluster.sessions * share,
            self.member is self.cluster.primary,
            self.booted,
        )
        yield from sensor_objects(self.health_sensors, self.temperatures, self.fans, self.power_supplies)
        yield from contract_objects(self.contracts)
        yield from link_monitor_objects(self.link_monitors)
        yield from tunnel_objects(self.tunnels, old=self.old_tunnel_table)

    def _load(self, name: str, share: float) -> Callable[[float], float]:
        return lambda now: min(
            100.0, self.cpu * share * activity(now) + 2 + 2 * wobble(self.name + name, now)
        )

    def _system_columns(self, share: float) -> dict[int, Value]:
        load = self._load("all", share)
        sessions = self.cluster.sessions * share

        def sessions_in(part: float) -> Value:
            return lambda now: gauge32(sessions * part * activity(now))

        return {
            1: text(VERSION),
            3: lambda now: gauge32(load(now)),
            4: lambda now: gauge32(self.memory + wobble(self.name, now)),
            5: gauge32(MEMORY_KILOBYTES),
            6: gauge32(41_000),
            7: gauge32(DISK_MEGABYTES),
            8: sessions_in(1),
            9: gauge32(self.memory),
            10: gauge32(MEMORY_KILOBYTES),
            11: sessions_in(0.012),
            12: sessions_in(0.0118),
            13: sessions_in(0.0119),
            14: sessions_in(0.012),
            15: sessions_in(0.03),
            20: lambda now: counter64(self.uptime(now) * 100),
            21: integer(1),
            23: text("upgrade"),
        }

    def _processor_objects(self, share: float) -> Objects:
        yield from scalars(PROCESSORS, {1: integer(CORES)})
        for core in range(1, CORES + 1):
            columns = {column: moving(gauge32, self._load(f"core {core}", share)) for column in (2, 3)}
            columns[10] = moving(gauge32, self._load(f"system {core}", share * 0.4))
            yield from row((*PROCESSORS, 2, 1), core, {1: integer(core), **columns})
