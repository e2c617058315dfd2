"""What is read of a kind of device, as data: one TOML file in modules/ for each kind or MIB.

A module has scalars, and tables with an index, columns and labels. It may include others. docs/snmp.md
describes the form.
"""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

LABEL_SECONDS: Final = 300
"""How long labels, such as names of sensors, are believed while nothing hints at a change."""

Name: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
"""A name that Prometheus takes for metrics and labels."""
OID: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-2](\.\d{1,10})+$")]
Column: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Index: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*(:([1-9]\d*|\*))?$")]
Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Unit: TypeAlias = Literal["celsius", "volts", "amperes", "watts", "rpm", "dbm"]
Type = Literal["gauge", "counter", "number", "text", "mac", "info"]
"""gauge and counter: an integer. number: a text that holds a number. text, mac: a label, value 1.
info: an enumeration as a label of NAME_info, value 1."""

State = Literal["good", "warning", "critical"]


class ModuleError(Exception):
    """A module cannot be read; one line that names the file, the fault and the mend."""


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the values of a column say of a component. A value in none of the lists is unknown."""

    component: str
    """The kind of component, such as `power supply`."""
    good: tuple[str, ...] = ()
    warning: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    """Values of a place that is empty: it has no health."""
    only: dict[str, str] = {}
    """Column -> value: in rows where it has another, the component is good."""

    def state(self, value: str) -> State | Literal["unknown", "absent"]:
        """The state that a value, as its enumeration names it, stands for."""
        for state in ("good", "warning", "critical", "absent"):
            if value in getattr(self, state):
                return state
        return "unknown"


class Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scalar or a column. `oid` is whole; a column's may be its last number alone."""

    oid: OID | Column
    help: str = ""
    type: Type = "gauge"
    values: dict[str, str] = {}
    """The enumeration: number, as text -> name."""
    health: Health | None = None


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column that names the rows of a table."""

    oid: OID
    on: tuple[str, ...] = ()
    """The parts of the table's index that its own index consists of; all by default."""
    each_poll: bool = False
    """Read in each poll, because it can move to another row without any sign; otherwise it is believed for
    LABEL_SECONDS."""


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table whose rows are measurements. The unit is `unit`, or told by a column or by the name."""

    value: str
    """The column with the measurement."""
    unit: Unit | None = None
    unit_column: str = ""
    units: dict[str, Unit] = {}
    """Value of `unit_column` -> unit; a row with another value is no sensor."""
    unit_patterns: dict[str, Unit] = {}
    """Regular expression that finds something in the name, whatever the case -> unit; the first counts."""
    scale: float = 1.0
    """By which the measurement is multiplied; for each unit by `scales` where it is there."""
    scales: dict[Unit, float] = {}
    exponent_column: str = ""
    """Column with the SI prefix of CISCO-ENTITY-SENSOR-MIB: 9 is units, 8 thousandths, 10 thousands."""
    precision_column: str = ""
    """Column with the number of decimal places that are in the measurement."""
    only: dict[str, str] = {}
    """Column -> value: rows where it has another do not measure."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conceptual table. Its columns are read one by one, and only those that are listed."""

    oid: OID
    """The entry: a column's OID is this and its number."""
    columns: dict[Name, Object]
    index: tuple[Index, ...] = ()
    """The index's parts, each a number; `name:4` takes four numbers, `name:*` all that are left."""
    labels: dict[Name, Label] = {}
    name: str = ""
    """The label that names a row in health and sensors; the first of `labels` by default."""
    every_seconds: Seconds = 0
    """How long its values are believed; 0: they are read in each poll."""
    instead_of: str = ""
    """A table that has the same in a later form; this one is read only where that is empty."""
    sensor: Sensor | None = None

    def column_oid(self, name: str) -> str:
        """The whole OID of a column."""
        oid = self.columns[name].oid
        return f"{self.oid}.{oid}" if isinstance(oid, int) else oid

    @property
    def index_names(self) -> tuple[str, ...]:
        """The labels that the index gives."""
        return tuple(part.partition(":")[0] for part in self.index)

    def index_parts(self, suffix: str) -> dict[str, str]:
        """The index of a row, by name, from the numbers that follow the column's OID.

        An index of another length than declared is kept whole: what is missing is empty, what is left
        over goes to the last part.
        """
        return dict(zip(self.index_names, self._split(suffix), strict=True))

    def _split(self, suffix: str) -> Iterator[str]:
        numbers = suffix.split(".") if suffix else []
        for place, part in enumerate(self.index):
            last = place == len(self.index) - 1
            length = part.partition(":")[2] or "1"
            take = len(numbers) if last or length == "*" else int(length)
            yield ".".join(numbers[:take])
            del numbers[:take]


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which objects tell what a device is: scalars, or columns."""

    serial: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    rows: dict[str, str] = {}
    """Column -> value: only rows of a table with these values tell."""
    version_rows: dict[str, str] = {}
    """The same for the version, where `rows` have none."""


class ModuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file as it is written."""

    title: str
    source: str
    """The MIB, or where the OIDs come from."""
    includes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """Names that snmp_exporter's configurations use for it."""
    scalars: dict[Name, Object] = {}
    tables: dict[str, Table] = {}
    identity: Identity = Identity()


class Module(msgspec.Struct, frozen=True):
    """A file and all that it includes."""

    name: str
    title: str
    scalars: dict[str, Object]
    tables: dict[str, Table]
    identity: Identity

    @property
    def names_of_each_poll(self) -> tuple[str, ...]:
        """The OIDs of labels that are read in each poll."""
        labels = (label for table in self.tables.values() for label in table.labels.values())
        return tuple(dict.fromkeys(label.oid for label in labels if label.each_poll))
