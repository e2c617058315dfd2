"""What the pages show of a device, from its last polls. Pure."""

from datetime import timedelta
from typing import Final

import msgspec

from app.web.network.interfaces import Interface, interfaces, per_second
from app.web.state import RANK, State, worst
from exporters.snmp.agent import Rows, Value
from exporters.snmp.device import Read
from exporters.snmp.device import State as DeviceState
from exporters.snmp.samples import Component, Sensor, text

STATES: Final[dict[str, State]] = {
    "good": "good",
    "warning": "warning",
    "critical": "critical",
    "unknown": "notice",
}
"""State of a part -> how the page shows it: what a device does not know of itself is worth knowing."""
SUMS: Final = frozenset({"server", "front panel", "storage"})
"""Components that only add up others."""


class Part(msgspec.Struct, frozen=True):
    """A part that is not well."""

    text: str
    state: State


class Member(msgspec.Struct, frozen=True):
    """A member of a pair of firewalls."""

    device: str
    name: str
    serial: str
    primary: bool
    synchronised: bool | None
    cpu: float | None
    """Share."""
    memory: float | None
    """Share."""
    sessions: int | None


class Tunnel(msgspec.Struct, frozen=True):
    """A tunnel of a firewall."""

    device: str
    name: str
    up: bool | None
    state: State
    received: float | None
    """bit/s."""
    sent: float | None
    """bit/s."""


class DeviceRow(msgspec.Struct, frozen=True):
    """A device in the overview."""

    name: str
    kind: str
    site: str
    state: State
    words: str
    """What is wrong with reading it."""
    parts: tuple[Part, ...] = ()
    model: str = ""
    version: str = ""
    serials: tuple[str, ...] = ()
    uptime: timedelta | None = None
    cpu: float | None = None
    """Share."""
    memory: float | None = None
    """Share."""
    interfaces: tuple[Interface, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    components: tuple[Component, ...] = ()
    members: tuple[Member, ...] = ()
    tunnels: tuple[Tunnel, ...] = ()
    sums: tuple[float | None, float | None, float | None] = (None, None, None)
    """Received and sent, bit/s, and errors a second, of all interfaces."""

    @property
    def interfaces_up(self) -> int:
        """Interfaces that are up."""
        return sum(interface.oper == "up" for interface in self.interfaces)


def device_row(device: DeviceState) -> DeviceRow:
    """A device as the pages show it."""
    if device.last is None or device.up is False:
        state: State = "unknown" if device.up is None else "critical"
        row = DeviceRow(device.name, device.kind, device.site, state, device.words)
        return row if device.last is None else msgspec.structs.replace(row, serials=_serials(device.last))
    last = device.last
    parts = tuple(
        Part(part_words(part), STATES[part.state])
        for part in last.told.components
        if part.state in ("warning", "critical") and part.kind not in SUMS
    ) or tuple(
        Part(part_words(part), STATES[part.state])
        for part in last.told.components
        if part.state in ("warning", "critical")
    )
    members = _members(device.name, last)
    if len(members) == 1:
        parts = (Part("the pair has one member left", "critical"), *parts)
    found = tuple(interfaces(last, device.before))
    return DeviceRow(
        device.name,
        device.kind,
        device.site,
        worst((*(part.state for part in parts), "warning" if device.words else "good")),
        device.words,
        parts=parts,
        model=last.told.identity.model,
        version=last.told.identity.version,
        serials=_serials(last),
        uptime=_uptime(last),
        cpu=_cpu(last),
        memory=_memory(last),
        interfaces=found,
        sensors=tuple(last.told.sensors),
        components=tuple(
            sorted(last.told.components, key=lambda part: (-RANK[STATES[part.state]], part.kind, part.name))
        ),
        members=members,
        tunnels=_tunnels(device.name, last, device.before),
        sums=(
            _total([interface.received for interface in found]),
            _total([interface.sent for interface in found]),
            _total([interface.errors for interface in found]),
        ),
    )


def part_words(part: Component) -> str:
    """`power supply PS1 Status: critical`."""
    name = " ".join(filter(None, (part.kind, part.name)))
    return f"{name}: {part.words or part.state}"


def _serials(read: Read) -> tuple[str, ...]:
    return read.told.identity.serials


def _total(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _table(read: Read, name: str) -> dict[str, Rows]:
    return read.reading.tables.get(name, {})


def _share(value: Value) -> float | None:
    return value / 100 if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _uptime(read: Read) -> timedelta | None:
    scalars = read.reading.scalars
    engine = scalars.get("snmpEngineTime")
    for name, hundredths in (("fgSysUpTime", True), ("systemPowerUpTime", False), ("sysUpTime", True)):
        value = scalars.get(name)
        if isinstance(value, int):
            seconds = value / 100 if hundredths else value
            # sysUpTime wraps after 497 days, the engine's time does not.
            longest = max(seconds, engine) if isinstance(engine, int) and name == "sysUpTime" else seconds
            return timedelta(seconds=longest)
    return None


def _cpu(read: Read) -> float | None:
    scalars = read.reading.scalars
    if "fgSysCpuUsage" in scalars:
        return _share(scalars["fgSysCpuUsage"])
    for table, column in (
        ("cpmCPUTotalTable", "cpmCPUTotal5minRev"),
        ("hrProcessorTable", "hrProcessorLoad"),
    ):
        known = [
            share
            for value in _table(read, table).get(column, {}).values()
            if (share := _share(value)) is not None
        ]
        if known:
            return sum(known) / len(known)
    return None


def _memory(read: Read) -> float | None:
    scalars = read.reading.scalars
    if "fgSysMemUsage" in scalars:
        return _share(scalars["fgSysMemUsage"])
    pools = _table(read, "cempMemPoolTable")
    shares = [
        used / (used + free)
        for index, used in pools.get("cempMemPoolHCUsed", {}).items()
        if isinstance(used, int)
        and isinstance(free := pools.get("cempMemPoolHCFree", {}).get(index), int)
        and used + free > 0
    ]
    if shares:
        return max(shares)
    total, free_memory = scalars.get("memTotalReal"), scalars.get("memAvailReal")
    if isinstance(total, int) and isinstance(free_memory, int) and total > 0:
        cached = sum(
            value for name in ("memBuffer", "memCached") if isinstance(value := scalars.get(name), int)
        )
        return max(0.0, 1 - (free_memory + cached) / total)
    return None


def _members(device: str, read: Read) -> tuple[Member, ...]:
    table = _table(read, "fgHaStatsTable")
    if read.reading.scalars.get("fgHaSystemMode") not in (2, 3):
        return ()
    names = read.reading.labels.get("1.3.6.1.4.1.12356.101.13.2.1.1.11", {})
    primaries = {text(value) for value in table.get("fgHaStatsPrimarySerial", {}).values()} - {""}
    indices = dict.fromkeys(index for rows in table.values() for index in rows)

    def cell(column: str, index: str) -> Value:
        return table.get(column, {}).get(index)

    found = []
    for index in indices:
        serial = text(cell("fgHaStatsSerial", index))
        synchronised = cell("fgHaStatsSyncStatus", index)
        sessions = cell("fgHaStatsSesCount", index)
        found.append(
            Member(
                device,
                text(names.get(index)),
                serial,
                serial in primaries,
                synchronised == 1 if isinstance(synchronised, int) else None,
                _share(cell("fgHaStatsCpuUsage", index)),
                _share(cell("fgHaStatsMemUsage", index)),
                sessions if isinstance(sessions, int) else None,
            )
        )
    return tuple(found)


_TUNNELS: Final = (
    ("fgVpn2TunTable", "fgVpn2Tun", "1.3.6.1.4.1.12356.101.12.4.2.1"),
    ("fgVpnTunTable", "fgVpnTunEnt", "1.3.6.1.4.1.12356.101.12.2.2.1"),
)


def _tunnels(device: str, last: Read, before: Read | None) -> tuple[Tunnel, ...]:
    found = []
    for table_name, prefix, entry in _TUNNELS:
        table = _table(last, table_name)
        labels = last.reading.labels
        for index, status in table.get(f"{prefix}Status", {}).items():
            phases = (text(labels.get(f"{entry}.{column}", {}).get(index)) for column in (2, 3))
            up = status == 2 if isinstance(status, int) else None
            rates = [
                _octet_rate(last, before, table_name, f"{prefix}{way}Octets", index) for way in ("In", "Out")
            ]
            found.append(
                Tunnel(
                    device,
                    " / ".join(dict.fromkeys(filter(None, phases))) or index,
                    up,
                    "good" if up else "critical" if up is False else "unknown",
                    *rates,
                )
            )
    return tuple(found)


def _octet_rate(last: Read, before: Read | None, table: str, column: str, index: str) -> float | None:
    if before is None:
        return None
    current = _table(last, table).get(column, {}).get(index)
    earlier = _table(before, table).get(column, {}).get(index)
    octets = per_second(current, earlier, last.monotonic - before.monotonic)
    return None if octets is None else 8 * octets
