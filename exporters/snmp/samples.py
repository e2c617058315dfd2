"""What a reading is told in: values as numbers and text, measurements, states of parts. Pure."""

import math
import re
from typing import Final

import msgspec

from exporters.exposition import Family
from exporters.snmp.agent import Value
from exporters.snmp.module import Object
from vdx import metrics

STATES: Final = {"good": 0, "warning": 1, "critical": 2, "unknown": -1}
"""The values of snmp_component_health."""
SENSORS: Final = {
    "celsius": metrics.SNMP_SENSOR_CELSIUS,
    "volts": metrics.SNMP_SENSOR_VOLTS,
    "amperes": metrics.SNMP_SENSOR_AMPERES,
    "watts": metrics.SNMP_SENSOR_WATTS,
    "rpm": metrics.SNMP_SENSOR_RPM,
    "dbm": metrics.SNMP_SENSOR_DBM,
}
EXACT: Final = 2**53
"""Counters are sent modulo this, as snmp_exporter does: beyond it a double is not exact."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Sensor(msgspec.Struct, frozen=True):
    """A measurement in its unit."""

    name: str
    unit: str
    value: float


class Component(msgspec.Struct, frozen=True):
    """The state of a part: good, warning, critical or unknown."""

    kind: str
    name: str
    state: str
    words: str
    """The value as its enumeration names it."""


class Identity(msgspec.Struct, frozen=True):
    """What a device says it is; a pair has two serial numbers."""

    serials: tuple[str, ...] = ()
    model: str = ""
    version: str = ""


class Told(msgspec.Struct, frozen=True):
    """All that a reading tells. `families` carry the base labels first."""

    families: list[Family]
    sensors: list[Sensor]
    components: list[Component]
    identity: Identity
    rejected: int
    """Values of the wrong type."""


def text(value: Value) -> str:
    """A value as a label: readable text, or hexadecimal digits where it is none."""
    if isinstance(value, bytes):
        stripped = value.rstrip(b"\x00")
        try:
            decoded = stripped.decode()
        except UnicodeDecodeError:
            return "0x" + stripped.hex().upper()
        return _CONTROL.sub(" ", decoded).strip()
    return "" if value is None else _CONTROL.sub(" ", str(value))


def number(value: Value, column: Object) -> float | None:
    """A value as a number; None where it is none."""
    if column.type == "number" and isinstance(value, (bytes, str)):
        try:
            value = float(text(value))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    if column.type == "counter":
        return value % EXACT if isinstance(value, int) and value >= 0 else None
    return value


def address(value: Value) -> str | None:
    """An address on the medium, as 02:55:EE:80:39:A2; None where it is none.

    An empty one, such as that of a loopback interface, is all zeros, as snmp_exporter has it.
    """
    return (value or bytes(6)).hex(":").upper() if isinstance(value, bytes) else None


def enumerated(value: Value, column: Object) -> str:
    """The name of a value; the value itself where the enumeration does not have it."""
    plain = text(value)
    return column.values.get(plain, plain)


def help_text(column: Object) -> str:
    """The help of a metric, with its enumeration."""
    listed = ", ".join(f"{key} {name}" for key, name in column.values.items())
    return f"{column.help}: {listed}" if listed and column.type != "info" else column.help
