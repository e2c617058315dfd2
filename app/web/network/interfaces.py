"""Interfaces with their traffic, from two polls of a device. Pure."""

from typing import Final

import msgspec

from app.web.state import NEARLY_FULL, RANK, State
from exporters.snmp.agent import Rows, Value
from exporters.snmp.device import Read
from exporters.snmp.samples import text

IF_NAME: Final = "1.3.6.1.2.1.31.1.1.1.1"
IF_ALIAS: Final = "1.3.6.1.2.1.31.1.1.1.18"
IF_DESCR: Final = "1.3.6.1.2.1.2.2.1.2"
ADMIN: Final = {1: "up", 2: "down", 3: "testing"}
OPER: Final = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "not present",
    7: "lower layer down",
}
_ERRORS: Final = ("ifInErrors", "ifOutErrors")
_DISCARDS: Final = ("ifInDiscards", "ifOutDiscards")


class Interface(msgspec.Struct, frozen=True):
    """An interface. Rates are of the time between the last two polls; None is not known."""

    name: str
    alias: str
    admin: str
    oper: str
    state: State
    speed: float | None
    """bit/s."""
    received: float | None
    """bit/s."""
    sent: float | None
    """bit/s."""
    errors: float | None
    """Packets with errors, both ways, a second."""
    discards: float | None
    """Packets thrown away, both ways, a second."""

    @property
    def is_down(self) -> bool:
        """Whether it shall be up and is not."""
        return self.admin == "up" and self.oper in ("down", "lower layer down")

    @property
    def use(self) -> float | None:
        """Share of the speed in the busier direction."""
        if not self.speed or self.received is None or self.sent is None:
            return None
        return max(self.received, self.sent) / self.speed


def interfaces(last: Read, before: Read | None) -> list[Interface]:
    """The interfaces of a device: in trouble, up, and the others, each in the order of their index."""
    indices = sorted(_column(last, "ifOperStatus"), key=lambda index: int(index) if index.isdigit() else 0)
    found = [_interface(last, before, index) for index in indices]
    return sorted(found, key=lambda one: (RANK[one.state] < RANK["warning"], one.oper != "up"))


def _interface(last: Read, before: Read | None, index: str) -> Interface:
    name = _name(last, index)
    earlier = before if before is not None and _name(before, index) == name else None
    admin = ADMIN.get(_integer(_column(last, "ifAdminStatus").get(index)), "unknown")
    oper = OPER.get(_integer(_column(last, "ifOperStatus").get(index)), "unknown")
    received = _rate(last, earlier, ("ifHCInOctets",), index, other="ifInOctets")
    sent = _rate(last, earlier, ("ifHCOutOctets",), index, other="ifOutOctets")
    errors = _rate(last, earlier, _ERRORS, index)
    interface = Interface(
        name=name,
        alias=text(last.reading.labels.get(IF_ALIAS, {}).get(index)),
        admin=admin,
        oper=oper,
        state="good",
        speed=_speed(last, index),
        received=None if received is None else 8 * received,
        sent=None if sent is None else 8 * sent,
        errors=errors,
        discards=_rate(last, earlier, _DISCARDS, index),
    )
    return msgspec.structs.replace(interface, state=_state(interface))


def _state(interface: Interface) -> State:
    if interface.is_down:
        return "notice"
    if interface.errors is not None and interface.errors >= 1:
        return "warning"
    return "warning" if (interface.use or 0) >= NEARLY_FULL else "good"


def _column(read: Read, name: str) -> Rows:
    for columns in read.reading.tables.values():
        if name in columns:
            return columns[name]
    return {}


def _name(read: Read, index: str) -> str:
    labels = read.reading.labels
    return text(labels.get(IF_NAME, {}).get(index) or labels.get(IF_DESCR, {}).get(index)) or index


def _integer(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _speed(read: Read, index: str) -> float | None:
    fast = _column(read, "ifHighSpeed").get(index)
    if isinstance(fast, int) and fast > 0:
        return fast * 1e6
    slow = _column(read, "ifSpeed").get(index)
    return float(slow) if isinstance(slow, int) and slow > 0 else None


def _rate(
    last: Read, before: Read | None, names: tuple[str, ...], index: str, *, other: str = ""
) -> float | None:
    """The sum of some counters a second; None where one is missing, or began anew."""
    if before is None:
        return None
    seconds = last.monotonic - before.monotonic
    total = 0.0
    for name in names:
        current, earlier = _column(last, name).get(index), _column(before, name).get(index)
        if (current is None or earlier is None) and other:
            current, earlier = _column(last, other).get(index), _column(before, other).get(index)
        grown = per_second(current, earlier, seconds)
        if grown is None:
            return None
        total += grown
    return total


def per_second(current: Value, earlier: Value, seconds: float) -> float | None:
    """How much a counter grew in a second; None where it is missing, or began anew."""
    if not isinstance(current, int) or not isinstance(earlier, int) or current < earlier or seconds <= 0:
        return None
    return (current - earlier) / seconds
