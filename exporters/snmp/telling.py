"""From a reading to metrics: the MIB's own names, and what is the same for all kinds of devices.

Pure. A value of the wrong type gives no series and is counted.
"""

import re
from typing import TypeAlias

from exporters.exposition import Family
from exporters.snmp.agent import Rows, Value
from exporters.snmp.module import Health, Module, Object, Table, Unit
from exporters.snmp.reading import Reading, rows_of
from exporters.snmp.samples import (
    STATES,
    Component,
    Identity,
    Sensor,
    Told,
    address,
    enumerated,
    help_text,
    number,
    text,
)
from vdx.metrics import Kind, Metric

Labels: TypeAlias = tuple[str, ...]


class Teller:
    """Tells the readings of a module. `base` are labels that every series gets, such as the device."""

    def __init__(self, module: Module, base: tuple[str, ...] = ()) -> None:
        self._module = module
        self._base = base
        self._scalars = {name: self._metric(name, scalar, ()) for name, scalar in module.scalars.items()}
        self._columns = {
            (table_name, name): self._metric(name, column, (*table.index_names, *table.labels))
            for table_name, table in module.tables.items()
            for name, column in table.columns.items()
        }

    def _metric(self, name: str, column: Object, labels: Labels) -> Metric:
        kind = Kind.COUNTER if column.type == "counter" else Kind.GAUGE
        shown = f"{name}_info" if column.type == "info" else name
        own = (name,) if column.type in ("text", "mac", "info") else ()
        return Metric(shown, kind, help_text(column), (*self._base, *labels, *own))

    def tell(self, reading: Reading, base: Labels = ()) -> Told:
        """`base` are the values of the base labels."""
        telling = _Telling(reading, base)
        for name, scalar in self._module.scalars.items():
            if name in reading.scalars:
                telling.add(self._scalars[name], scalar, {"": reading.scalars[name]}, {"": base})
                telling.judge_scalar(name, scalar)
        for table_name, columns in reading.tables.items():
            table = self._module.tables[table_name]
            labels = telling.labels(table, columns)
            for name, column in table.columns.items():
                telling.add(self._columns[table_name, name], column, columns[name], labels)
            telling.judge(table, columns)
            telling.measure(table, columns)
        return Told(
            telling.families,
            telling.sensors,
            list(telling.components.values()),
            identity(self._module, reading),
            telling.rejected,
        )


class _Telling:
    def __init__(self, reading: Reading, base: Labels) -> None:
        self._reading = reading
        self._base = base
        self.families: list[Family] = []
        self.sensors: list[Sensor] = []
        self.components: dict[tuple[str, str], Component] = {}
        self._measured: set[tuple[str, str]] = set()
        self.rejected = 0

    def labels(self, table: Table, columns: dict[str, Rows]) -> dict[str, Labels]:
        """The label values of each row."""
        base = self._base
        indices = list(rows_of(columns))
        if len(table.index) == 1:
            parts: list[Labels] = [(index,) for index in indices]
        else:
            parts = [tuple(table.index_parts(index).values()) for index in indices]
        named = [self._label_values(table, name, indices) for name in table.labels]
        return {
            index: (*base, *part, *names) for index, part, *names in zip(indices, parts, *named, strict=True)
        }

    def _label_values(self, table: Table, name: str, indices: list[str]) -> list[str]:
        label = table.labels[name]
        rows = self._reading.labels.get(label.oid, {})
        if label.on:
            keys = [".".join(table.index_parts(index)[part] for part in label.on) for index in indices]
        else:
            keys = indices
        return [text(rows.get(key)) for key in keys]

    def add(self, metric: Metric, column: Object, rows: Rows, labels: dict[str, Labels]) -> None:
        """A column as a family; values of the wrong type are left out and counted."""
        if not rows:
            return
        samples: dict[Labels, float]
        if column.type in ("gauge", "counter", "number"):
            values = [(index, number(value, column)) for index, value in rows.items()]
            samples = {labels[index]: value for index, value in values if value is not None}
        elif column.type == "mac":
            addresses = [(index, address(value)) for index, value in rows.items()]
            samples = {(*labels[index], value): 1 for index, value in addresses if value is not None}
        elif column.type == "info":
            samples = {(*labels[index], enumerated(value, column)): 1 for index, value in rows.items()}
        else:
            samples = {(*labels[index], text(value)): 1 for index, value in rows.items()}
        self.rejected += len(rows) - len(samples)
        if samples:
            self.families.append((metric, samples))

    def judge_scalar(self, name: str, scalar: Object) -> None:
        """The health that a scalar tells."""
        if scalar.health:
            self._add_component(scalar.health, "", enumerated(self._reading.scalars[name], scalar))

    def judge(self, table: Table, columns: dict[str, Rows]) -> None:
        """The health of a table's rows; of several that have one name the worst counts."""
        for name, column in table.columns.items():
            health = column.health
            if health is None:
                continue
            names = self._names(table, columns)
            for index, value in columns[name].items():
                others = _others(table, columns, health.only, index)
                if others is None:
                    self._add_component(health, names[index], "", state="unknown")
                elif others:
                    self._add_component(health, names[index], enumerated(value, column))
                else:
                    self._add_component(health, names[index], "", state="good")

    def _add_component(self, health: Health, name: str, words: str, state: str = "") -> None:
        state = state or health.state(words)
        if state == "absent":
            return
        component = Component(health.component, name, state, words)
        before = self.components.get((health.component, name))
        if before is None or STATES[before.state] < STATES[state]:
            self.components[health.component, name] = component

    def _names(self, table: Table, columns: dict[str, Rows]) -> dict[str, str]:
        """What rows are called: by the label, by the column that stands for one, or by their index."""
        wanted = table.name or next(iter(table.labels), "")
        indices = list(rows_of(columns))
        if wanted in table.labels:
            found = dict(zip(indices, self._label_values(table, wanted, indices), strict=True))
        else:
            found = {index: text(columns.get(wanted, {}).get(index)) for index in indices}
        return {index: found[index] or index for index in indices}

    def measure(self, table: Table, columns: dict[str, Rows]) -> None:
        """The measurements of a table, each in its unit."""
        sensor = table.sensor
        if sensor is None:
            return
        names = self._names(table, columns)
        for index, raw in columns[sensor.value].items():
            value = number(raw, table.columns[sensor.value])
            unit = self._unit(table, columns, index, names[index])
            if value is None or unit is None or not _others(table, columns, sensor.only, index):
                continue
            places = self._integer(table, columns, sensor.precision_column, index, 0)
            power = 3 * (self._integer(table, columns, sensor.exponent_column, index, 9) - 9) - places
            value *= sensor.scales.get(unit, sensor.scale)
            name = names[index] if (unit, names[index]) not in self._measured else f"{names[index]} {index}"
            self._measured.add((unit, name))
            # Dividing by a power of ten is exact where multiplying by its inverse is not.
            shown = value * 10**power if power >= 0 else value / 10**-power
            self.sensors.append(Sensor(name, unit, round(shown, 9)))

    def _unit(self, table: Table, columns: dict[str, Rows], index: str, name: str) -> Unit | None:
        sensor = table.sensor
        assert sensor is not None  # noqa: S101 - asked for sensors alone
        if sensor.unit_column:
            return sensor.units.get(text(self._cell(table, columns, sensor.unit_column, index)))
        if sensor.unit_patterns:
            found = (unit for pattern, unit in sensor.unit_patterns.items() if re.search(pattern, name, re.I))
            return next(found, None)
        return sensor.unit

    def _cell(self, table: Table, columns: dict[str, Rows], name: str, index: str) -> Value:
        if name in table.labels:
            return self._reading.labels.get(table.labels[name].oid, {}).get(index)
        return columns[name].get(index)

    def _integer(self, table: Table, columns: dict[str, Rows], name: str, index: str, default: int) -> int:
        value = self._cell(table, columns, name, index) if name else default
        return value if isinstance(value, int) and -24 <= value <= 24 else default


def identity(module: Module, reading: Reading) -> Identity:
    """What the device says it is."""
    wanted = module.identity

    def told(names: tuple[str, ...], only: dict[str, str]) -> list[str]:
        """Values of scalars and columns, without empty ones, in the order of their names."""
        return [value for name in names for value in _values(module, reading, name, only) if value]

    versions = told(wanted.version, wanted.rows) or told(wanted.version, wanted.version_rows)
    return Identity(
        tuple(dict.fromkeys(told(wanted.serial, wanted.rows))),
        next(iter(told(wanted.model, wanted.rows)), ""),
        next(iter(versions), ""),
    )


def _values(module: Module, reading: Reading, name: str, only: dict[str, str]) -> list[str]:
    """The value of a scalar, or of a column in the rows that have these other values."""
    if name in reading.scalars:
        return [text(reading.scalars[name])]
    for table_name, columns in reading.tables.items():
        if name in columns:
            table = module.tables[table_name]
            known = {other: value for other, value in only.items() if other in columns}
            rows = columns[name].items()
            return [text(value) for index, value in rows if _others(table, columns, known, index)]
    return []


def _others(table: Table, columns: dict[str, Rows], wanted: dict[str, str], index: str) -> bool | None:
    """Whether other columns of a row have the values that are wanted; None where one has no value."""
    values = [columns[name].get(index) for name in wanted]
    if None in values:
        return None
    named = (enumerated(value, table.columns[name]) for name, value in zip(wanted, values, strict=True))
    return all(name == value for name, value in zip(named, wanted.values(), strict=True))
