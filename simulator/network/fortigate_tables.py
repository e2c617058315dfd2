"""FORTINET-FORTIGATE-MIB's tables, each from the state of its parts."""

from dataclasses import dataclass
from typing import Final, Self

from simulator.network.ber import counter32, counter64, gauge32, integer, ip_address, oid, text
from simulator.network.device import Part
from simulator.network.hardware import Fan, PowerSupply, Temperature
from simulator.network.motion import Counter, activity, wobble
from simulator.network.view import Objects, Value, moving, row, scalars

FORTIGATE = oid("1.3.6.1.4.1.12356.101")
DOMAIN_ENTRY = (*FORTIGATE, 3, 2, 1, 1)
SENSORS = (*FORTIGATE, 4, 3)
CONTRACT_ENTRY = (*FORTIGATE, 4, 6, 3, 1, 2, 1)
LINK_MONITOR_ENTRY = (*FORTIGATE, 4, 8, 2, 1)
ANTIVIRUS_ENTRY = (*FORTIGATE, 8, 2, 1, 1)
INTRUSION_ENTRY = (*FORTIGATE, 9, 2, 1, 1)
WEB_FILTER_ENTRY = (*FORTIGATE, 10, 1, 2, 1)
TUNNEL_COUNT = (*FORTIGATE, 12, 1)
OLD_TUNNEL_ENTRY = (*FORTIGATE, 12, 2, 2, 1)
SSL_ENTRY = (*FORTIGATE, 12, 2, 3, 1)
TUNNEL_ENTRY = (*FORTIGATE, 12, 4, 2, 1)

DOWN: Final = 1
UP: Final = 2
"""Values of the tunnels' status."""


@dataclass(kw_only=True)
class VirtualDomain(Part):
    """A VDOM and its share of the sessions."""

    name: str
    share: float


@dataclass(kw_only=True)
class HealthSensor(Part):
    """A voltage of the board."""

    name: str
    volts: float
    alarm: bool = False


@dataclass(kw_only=True)
class LinkMonitor(Part):
    """A way out that is probed; `loss` in percent."""

    name: str
    milliseconds: float
    loss: float = 0.0
    dead: bool = False


@dataclass(kw_only=True)
class Contract(Part):
    """A service contract; its end is a text in the device's own form."""

    description: str
    expiry: str


@dataclass(kw_only=True)
class Tunnel(Part):
    """An IPsec tunnel."""

    name: str
    gateway: str
    received: Counter
    sent: Counter
    up: bool = True

    @property
    def counters(self) -> tuple[Counter, Counter]:
        """Octets received and sent."""
        return self.received, self.sent

    @classmethod
    def running(cls, name: str, since: float, number: int) -> Self:
        """A tunnel that carries traffic since then, in octets per second."""
        rate = 400_000 * number
        return cls(
            name=name,
            gateway=f"192.0.2.{number}",
            received=Counter(rate, since),
            sent=Counter(rate * 0.7, since),
        )


def virtual_domain_objects(
    domains: tuple[VirtualDomain, ...], sessions: float, primary: bool, booted: float
) -> Objects:
    """fgVdTable, and per VDOM SSL VPN, antivirus, intrusion prevention and web filter."""
    for index, domain in enumerate(domains, 1):
        yield from row(DOMAIN_ENTRY, index, _domain_columns(domain, sessions * domain.share, primary))
        columns: dict[int, Value] = {
            1: integer(2 if index == 1 else 1),
            2: gauge32(3),
            4: gauge32(1),
            6: gauge32(2),
        }
        yield from row(SSL_ENTRY, index, columns)
        few, rare, many = (_found(rate * domain.share, booted) for rate in (0.002, 0.0005, 0.01))
        yield from row(ANTIVIRUS_ENTRY, index, {1: few, 2: few})
        yield from row(INTRUSION_ENTRY, index, {1: many, 2: many, 3: rare, 4: few})
        yield from row(WEB_FILTER_ENTRY, index, {1: many})


def _found(rate: float, booted: float) -> Value:
    return lambda now: counter32(rate * max(0.0, now - booted))


def _domain_columns(domain: VirtualDomain, sessions: float, primary: bool) -> dict[int, Value]:
    return {
        1: integer(1),
        2: text(domain.name),
        3: integer(1),
        4: integer(1 if primary else 2),
        5: lambda now: gauge32(16 * domain.share * activity(now)),
        6: lambda now: gauge32(20 * domain.share + wobble(domain.name, now)),
        7: lambda now: gauge32(sessions * activity(now)),
        8: lambda now: gauge32(sessions * 0.012 * activity(now)),
    }


def sensor_objects(
    voltages: tuple[HealthSensor, ...],
    temperatures: tuple[Temperature, ...],
    fans: tuple[Fan, ...],
    supplies: tuple[PowerSupply, ...],
) -> Objects:
    """fgHwSensorTable: values are text that holds a number, and only the name tells what is measured."""
    rows: list[tuple[str, Value, Value]] = [
        *((one.name, text(f"{one.volts:.4f}"), integer(one.alarm)) for one in voltages),
        *(_temperature_sensor(one) for one in temperatures),
        *((fan.name, moving(_text_of, fan.speed), integer(fan.failed)) for fan in fans),
    ]
    for supply in supplies:
        works, alarm = not supply.failed, integer(supply.failed)
        rows += [
            (f"{supply.name} VIN", text("230.5000" if works else "0"), alarm),
            (f"{supply.name} VOUT_12V", text("12.1250" if works else "0"), alarm),
            (f"{supply.name} Temp 1", text("31" if works else "0"), integer(0)),
            (f"{supply.name} Fan 1", text("7680" if works else "0"), alarm),
            (f"{supply.name} Status", text("0" if works else "1"), alarm),
        ]
    yield from scalars(SENSORS, {1: integer(len(rows))})
    for index, (name, value, alarm_status) in enumerate(rows, 1):
        columns = {1: integer(index), 2: text(name), 3: value, 4: alarm_status}
        yield from row((*SENSORS, 2, 1), index, columns)


def _text_of(figure: float) -> bytes:
    return text(f"{figure:.0f}")


def _temperature_sensor(temperature: Temperature) -> tuple[str, Value, Value]:
    def alarm(now: float) -> bytes:
        return integer(temperature.reading(now) >= temperature.critical)

    return temperature.name, moving(_text_of, temperature.reading), alarm


def contract_objects(contracts: tuple[Contract, ...]) -> Objects:
    """fgLicContractTable, under the first VDOM and a number."""
    for number, contract in enumerate(contracts, 1):
        columns = {1: text(contract.description), 2: text(contract.expiry)}
        yield from row(CONTRACT_ENTRY, (1, number), columns)


def link_monitor_objects(monitors: tuple[LinkMonitor, ...]) -> Objects:
    """fgLinkMonitorTable: alive 0 or dead 1, and texts that hold milliseconds and percent."""
    for index, monitor in enumerate(monitors, 1):
        yield from row(LINK_MONITOR_ENTRY, index, _link_monitor_columns(index, monitor))


def _link_monitor_columns(index: int, monitor: LinkMonitor) -> dict[int, Value]:
    return {
        1: integer(index),
        2: text(monitor.name),
        3: integer(monitor.dead),
        4: lambda now: text(f"{monitor.milliseconds + 0.3 * wobble(monitor.name, now):.3f}"),
        5: lambda now: text(f"{0.2 + 0.1 * wobble(monitor.name + 'jitter', now):.3f}"),
        8: text(f"{100 if monitor.dead else monitor.loss:.3f}"),
    }


def tunnel_objects(tunnels: tuple[Tunnel, ...], *, old: bool) -> Objects:
    """fgVpnTunnelUpCount, and fgVpn2TunTable or the old fgVpnTunTable, with indexes of one and two parts."""
    yield from scalars(TUNNEL_COUNT, {1: integer(sum(tunnel.up for tunnel in tunnels))})
    for number, tunnel in enumerate(tunnels, 1):
        received, sent = moving(counter64, tunnel.received.at), moving(counter64, tunnel.sent.at)
        status = integer(UP if tunnel.up else DOWN)
        names: dict[int, Value] = {2: text(tunnel.name), 3: text(f"{tunnel.name}-phase2")}
        if not old:
            yield from row(TUNNEL_ENTRY, number, names | {24: received, 25: sent, 26: status})
            continue
        index = (number,) if number % 2 else (number, 1)
        columns = {4: ip_address(tunnel.gateway), 18: received, 19: sent, 20: status, 21: integer(1)}
        yield from row(OLD_TUNNEL_ENTRY, index, names | columns)
