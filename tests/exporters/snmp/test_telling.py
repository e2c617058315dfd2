"""From readings to metrics: units, names and states, by modules made for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.snmp.agent import Rows, Value
from exporters.snmp.module import Health, Identity, Label, Module, Object, Sensor, Table
from exporters.snmp.reading import Reading
from exporters.snmp.samples import Told
from exporters.snmp.telling import Teller

NAME = "1.3.9"


def told(table: Table, columns: dict[str, Rows], labels: dict[str, Rows] | None = None) -> Told:
    """What is told of one table."""
    every = {name: columns.get(name, {}) for name in table.columns}
    module = Module("it", "It", {}, {"table": table}, Identity())
    return Teller(module).tell(Reading({}, {"table": every}, labels or {}, {}))


SENSORS = Table(
    "1.3",
    {"value": Object(1), "type": Object(2), "scale": Object(3), "precision": Object(4), "status": Object(5)},
    ("index",),
    {"name": Label(NAME)},
    sensor=Sensor(
        value="value",
        unit_column="type",
        units={"8": "celsius", "4": "volts", "5": "amperes", "6": "watts", "14": "dbm", "10": "rpm"},
        exponent_column="scale",
        precision_column="precision",
    ),
)


@pytest.mark.parametrize(
    ("raw", "kind", "scale", "precision", "unit", "value"),
    [
        (45542, 8, 8, 0, "celsius", 45.542),
        (3270, 4, 8, 0, "volts", 3.27),
        (6184, 5, 7, 0, "amperes", 0.006184),
        (-13187, 14, 8, 0, "dbm", -13.187),
        (31, 8, 9, 0, "celsius", 31.0),
        (315, 8, 9, 1, "celsius", 31.5),
        (2, 6, 10, 0, "watts", 2000.0),
        (8400, 10, 9, 0, "rpm", 8400.0),
    ],
)
def test_a_measurement_is_told_in_its_unit(
    raw: int, kind: int, scale: int, precision: int, unit: str, value: float
) -> None:
    columns: dict[str, Rows] = {
        "value": {"1": raw},
        "type": {"1": kind},
        "scale": {"1": scale},
        "precision": {"1": precision},
    }
    (sensor,) = told(SENSORS, columns, {NAME: {"1": b"here"}}).sensors
    assert (sensor.name, sensor.unit, sensor.value) == ("here", unit, value)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(1, 17), st.integers(-8, 9))
def test_a_measurement_is_exact_to_the_last_place_of_nine(raw: int, scale: int, precision: int) -> None:
    columns: dict[str, Rows] = {
        "value": {"1": raw},
        "type": {"1": 8},
        "scale": {"1": scale},
        "precision": {"1": precision},
    }
    (sensor,) = told(SENSORS, columns).sensors
    expected = raw * 10.0 ** (3 * (scale - 9) - precision)
    assert sensor.value == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_what_is_of_no_known_unit_or_no_number_is_no_measurement() -> None:
    columns: dict[str, Rows] = {
        "value": {"1": 5, "2": b"garbage", "3": 7},
        "type": {"1": 12, "2": 8},
    }
    assert told(SENSORS, columns).sensors == []


def test_sensors_of_one_name_are_told_apart() -> None:
    columns: dict[str, Rows] = {"value": {"1": 5, "2": 6}, "type": {"1": 8, "2": 8}}
    found = told(SENSORS, columns, {NAME: {"1": b"inlet", "2": b"inlet"}}).sensors
    assert [(sensor.name, sensor.value) for sensor in found] == [("inlet", 5), ("inlet 2", 6)]


FANS = Table(
    "1.3",
    {
        "state": Object(
            1,
            values={"1": "ok", "2": "weak", "3": "dead", "4": "none"},
            health=Health("fan", ("ok",), ("weak",), ("dead",), ("none",), {"wanted": "on"}),
        ),
        "wanted": Object(2, values={"1": "on", "2": "off"}),
    },
    ("index",),
    {"name": Label(NAME)},
)


@pytest.mark.parametrize(
    ("states", "wanted", "expected"),
    [
        ({"1": 1}, {"1": 1}, {"1": "good"}),
        ({"1": 3}, {"1": 1}, {"1": "critical"}),
        ({"1": 3}, {"1": 2}, {"1": "good"}),
        ({"1": 3}, {}, {"1": "unknown"}),
        ({"1": 4}, {"1": 1}, {}),
        ({"1": 99}, {"1": 1}, {"1": "unknown"}),
        ({"1": b"garbage"}, {"1": 1}, {"1": "unknown"}),
    ],
)
def test_the_state_of_a_part_is_what_its_columns_say(
    states: dict[str, Value], wanted: dict[str, Value], expected: dict[str, str]
) -> None:
    found = told(FANS, {"state": states, "wanted": wanted}).components
    assert {part.name: part.state for part in found} == expected
    assert {part.kind for part in found} <= {"fan"}


def test_of_parts_with_one_name_the_worst_counts() -> None:
    columns: dict[str, Rows] = {
        "state": {"1": 1, "2": 3, "3": 2},
        "wanted": dict.fromkeys(("1", "2", "3"), 1),
    }
    names: Rows = {"1": b"tray", "2": b"tray", "3": b"tray"}
    (part,) = told(FANS, columns, {NAME: names}).components
    assert (part.name, part.state, part.words) == ("tray", "critical", "dead")


@given(
    st.dictionaries(
        st.lists(st.integers(0, 300).map(str), max_size=7).map(".".join),
        st.one_of(st.none(), st.integers(), st.floats(), st.binary(max_size=8), st.text(max_size=5)),
        max_size=6,
    )
)
def test_whatever_a_column_holds_it_is_told_or_counted(rows: Rows) -> None:
    table = Table("1.3", {"number": Object(1), "words": Object(2, type="text")}, ("a", "b:4"))
    found = told(table, {"number": rows, "words": rows})
    shown = {metric.name: samples for metric, samples in found.families}
    assert len(shown.get("number", {})) + found.rejected == len(rows)
    assert len(shown.get("words", {})) == len(rows)
