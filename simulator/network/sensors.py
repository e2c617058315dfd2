"""CISCO-ENTITY-SENSOR-MIB: a Nexus switch's temperatures and the optics' figures, with their thresholds."""

from dataclasses import dataclass
from typing import Final

from simulator.network.ber import integer, oid
from simulator.network.device import Part
from simulator.network.motion import wobble
from simulator.network.view import Objects, Value, moving, row

VOLTS_DC: Final = 4
AMPERES: Final = 5
CELSIUS: Final = 8
DBM: Final = 14
"""Values of entSensorType."""

MICRO: Final = 7
MILLI: Final = 8
UNITS: Final = 9
"""Values of entSensorScale: a reading is entSensorValue x 10^(3 x (scale - 9))."""

MINOR: Final = 10
MAJOR: Final = 20
"""Values of entSensorThresholdSeverity."""

LESS: Final = 1
GREATER: Final = 3
GREATER_OR_EQUAL: Final = 4
"""Values of entSensorThresholdRelation."""

OK: Final = 1
UNAVAILABLE: Final = 2
"""Values of entSensorStatus."""

SENSOR_ENTRY = oid("1.3.6.1.4.1.9.9.91.1.1.1.1")
THRESHOLD_ENTRY = oid("1.3.6.1.4.1.9.9.91.1.2.1.1")

Threshold = tuple[int, int, float]
"""Severity, relation, and value in whole units."""

OPTIC_THRESHOLDS: Final[dict[int, tuple[Threshold, ...]]] = {
    CELSIUS: ((MINOR, GREATER, 73), (MAJOR, GREATER, 80), (MINOR, LESS, -3), (MAJOR, LESS, -10)),
    VOLTS_DC: ((MINOR, GREATER, 3.465), (MAJOR, GREATER, 3.63), (MINOR, LESS, 3.135), (MAJOR, LESS, 2.97)),
    AMPERES: (
        (MINOR, GREATER, 0.0105),
        (MAJOR, GREATER, 0.0115),
        (MINOR, LESS, 0.0025),
        (MAJOR, LESS, 0.002),
    ),
    DBM: ((MINOR, GREATER, -2), (MAJOR, GREATER, 2), (MINOR, LESS, -19), (MAJOR, LESS, -23)),
}
"""Type -> the four thresholds that an optic ships with; temperatures as recorded, the others as data sheets
of 10GBASE-LR have them, with a wide margin downwards for the power received."""


@dataclass(kw_only=True)
class Sensor(Part):
    """A sensor; `value` in whole units, around which the reading swings by `swing`."""

    index: int
    """Its entPhysicalIndex."""
    name: str
    within: int
    type: int
    scale: int
    value: float
    swing: float = 0.0
    thresholds: tuple[Threshold, ...] = ()
    status: int = OK

    def encoded(self, value: float) -> int:
        """A figure in whole units as entSensorValue holds it, with precision 0."""
        return round(value * 1000.0 ** (UNITS - self.scale))

    def reading(self, now: float) -> int:
        """entSensorValue."""
        return self.encoded(self.value + self.swing * wobble(f"{self.index}", now))

    def crossed(self, threshold: Threshold, now: float) -> bool:
        """Whether a threshold holds."""
        _, relation, limit = threshold
        reading, edge = self.reading(now), self.encoded(limit)
        return {LESS: reading < edge, GREATER: reading > edge, GREATER_OR_EQUAL: reading >= edge}[relation]


def optic(port: int, index: int, within: int) -> tuple[Sensor, ...]:
    """The five sensors of the optic in an Ethernet port, as in the recording of a 93180YC-FX3."""
    figures = (
        ("Temperature", CELSIUS, MILLI, 45.542, 1.5),
        ("Voltage", VOLTS_DC, MILLI, 3.270, 0.01),
        ("Current", AMPERES, MICRO, 0.006184, 0.0001),
        ("Tx Power", DBM, MILLI, -2.504, 0.05),
        ("Rx Power", DBM, MILLI, -13.187, 0.2),
    )
    return tuple(
        Sensor(
            index=index + number,
            name=f"Ethernet1/{port} Lane 1 Transceiver {name} Sensor",
            within=within,
            type=kind,
            scale=scale,
            value=value,
            swing=swing,
            thresholds=OPTIC_THRESHOLDS[kind],
        )
        for number, (name, kind, scale, value, swing) in enumerate(figures)
    )


def sensor_objects(sensors: tuple[Sensor, ...]) -> Objects:
    """entSensorValueTable and entSensorThresholdTable."""
    for sensor in sensors:
        columns: dict[int, Value] = {
            1: integer(sensor.type),
            2: integer(sensor.scale),
            3: integer(0),
            4: moving(integer, sensor.reading),
            5: integer(sensor.status),
        }
        yield from row(SENSOR_ENTRY, sensor.index, columns)
        for number, threshold in enumerate(sensor.thresholds, 1):
            yield from row(THRESHOLD_ENTRY, (sensor.index, number), _threshold_columns(sensor, threshold))


def _threshold_columns(sensor: Sensor, threshold: Threshold) -> dict[int, Value]:
    severity, relation, limit = threshold
    return {
        2: integer(severity),
        3: integer(relation),
        4: integer(sensor.encoded(limit)),
        5: lambda now: integer(1 if sensor.crossed(threshold, now) else 2),
    }
