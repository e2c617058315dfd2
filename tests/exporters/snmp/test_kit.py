"""What is shown of healthy kit: every column as net-snmp reads it, and the measurements in their units."""

from collections import Counter

import pytest

from exporters.snmp.module import Module, Object, Table
from exporters.snmp.samples import EXACT
from simulator.network.fortigate import FortiGate
from simulator.network.generic import Generic
from simulator.network.idrac import IDRAC
from simulator.network.nexus import Nexus
from simulator.network.testing import RunningNetwork
from tests.exporters.snmp.agents import COMMUNITY, MODULES, Samples, poll, polled, walked

DEVICES = ("fw-1", "fw-2", "nexus-north-1", "r640-01", "san-1")


def decoded(value: str) -> str:
    """Text of net-snmp's hexadecimal digits."""
    return bytes.fromhex(value[2:]).decode() if value.startswith("0x") else value


def expected_value(value: str, column: Object) -> float:
    """A number as it is to be shown."""
    shown = float(decoded(value))
    return shown % EXACT if column.type == "counter" else shown


def check_column(samples: Samples, walk: dict[str, str], table: Table, name: str) -> int:
    """Compares a column with what net-snmp read; gives the number of its rows."""
    column, oid = table.columns[name], table.column_oid(name)
    rows = {key[len(oid) + 1 :]: value for key, value in walk.items() if key.startswith(f"{oid}.")}
    shown = f"{name}_info" if column.type == "info" else name
    assert len(samples.where(shown)) == len(rows), name
    for index, value in rows.items():
        labels = dict(table.index_parts(index))
        for label, what in table.labels.items():
            key = ".".join(labels[part] for part in what.on) if what.on else index
            labels[label] = decoded(walk.get(f"{what.oid}.{key}", ""))
        wanted = 1.0
        if column.type == "mac":
            digits = value[2:] or "000000000000"
            labels[name] = ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))
        elif column.type == "info":
            labels[name] = column.values[value]
        elif column.type == "text":
            labels[name] = decoded(value)
        else:
            wanted = expected_value(value, column)
        assert samples.value(shown, **labels) == wanted, (name, index)
    return len(rows)


@pytest.mark.parametrize("name", DEVICES)
async def test_every_column_has_the_values_and_the_names_that_snmpbulkwalk_reads(
    healthy_kit: RunningNetwork, name: str
) -> None:
    device = healthy_kit[name]
    module: Module = MODULES.get(device.kind)
    samples = await poll(polled(device.port, device.kind, name=name))
    walk = walked(device.port, "1.3.6.1", COMMUNITY)
    empty = set()
    for table in module.tables.values():
        if not table.instead_of:
            empty |= {column for column in table.columns if not check_column(samples, walk, table, column)}
    for scalar, what in module.scalars.items():
        value = walk.get(str(what.oid))
        if value is None:
            empty.add(scalar)
            assert scalar not in samples.names()
        elif what.type == "text":
            assert samples.value(scalar, **{scalar: decoded(value)}) == 1, scalar
        else:
            assert samples.value(scalar) == expected_value(value, what), scalar
    everything = {*module.scalars, *(column for table in module.tables.values() for column in table.columns)}
    assert len(everything - empty) > 25
    for own in ("snmp_values_rejected_total", "snmp_retries_total"):
        assert samples.value(own, device=name) == 0
    assert not [value for value in samples.where("snmp_errors_total").values() if value]


async def test_a_switch_measures_in_whole_units(healthy_kit: RunningNetwork) -> None:
    device = healthy_kit["nexus-north-1"]
    samples = await poll(polled(device.port, "nexus", name="nexus-north-1"))
    sensor = "1.3.6.1.4.1.9.9.91.1.1.1.1"
    port = "Ethernet1/49 Lane 1 Transceiver"
    raw = walked(device.port, f"{sensor}.4", COMMUNITY)
    figures = [int(raw[f"{sensor}.4.{300049000 + number}"]) for number in range(5)]
    assert figures[0] > 40_000
    assert figures[4] < -12_000
    units = ("celsius", "volts", "amperes", "dbm", "dbm")
    names = ("Temperature", "Voltage", "Current", "Tx Power", "Rx Power")
    divisors = (1e3, 1e3, 1e6, 1e3, 1e3)
    for name, unit, figure, divisor in zip(names, units, figures, divisors, strict=True):
        value = samples.value(f"snmp_sensor_{unit}", sensor=f"{port} {name} Sensor")
        assert value == pytest.approx(figure / divisor, abs=1e-12), name
    assert samples.value("snmp_sensor_celsius", sensor="module-1 BACK") == int(raw[f"{sensor}.4.21591"])
    assert len(samples.where("snmp_sensor_celsius")) == 4 + 7
    assert Counter(samples.by("snmp_component_health", "component").values()) == {0.0: 5}
    assert {dict(labels)["component"] for labels in samples.where("snmp_component_health")} == {
        *("power supply", "fan", "module", "sensor", "BGP neighbour")
    }


async def test_a_server_measures_in_whole_units(healthy_kit: RunningNetwork) -> None:
    device = healthy_kit["r640-01"]
    samples = await poll(polled(device.port, "idrac"))
    dell = "1.3.6.1.4.1.674.10892.5.4"
    walk = walked(device.port, dell, COMMUNITY)
    celsius = samples.value("snmp_sensor_celsius", sensor="CPU1 Temp")
    assert celsius == int(walk[f"{dell}.700.20.1.6.1.1"]) / 10
    assert 54 <= (celsius or 0) <= 56
    watts = samples.by("snmp_sensor_watts", "sensor")
    assert watts == {"System Board Pwr Consumption": float(walk[f"{dell}.600.30.1.6.1.3"])}
    assert 130 < watts["System Board Pwr Consumption"] < 160
    amperes = samples.by("snmp_sensor_amperes", "sensor")
    assert amperes["PS1 Current 1"] == int(walk[f"{dell}.600.30.1.6.1.1"]) / 10
    assert samples.by("snmp_sensor_volts", "sensor") == {
        "PS1 Voltage 1": int(walk[f"{dell}.600.20.1.6.1.7"]) / 1000,
        "PS2 Voltage 2": int(walk[f"{dell}.600.20.1.6.1.8"]) / 1000,
    }
    fans = samples.by("snmp_sensor_rpm", "sensor")
    assert len(fans) == 8
    assert fans["System Board Fan3"] == int(walk[f"{dell}.700.12.1.6.1.3"])
    assert set(samples.where("snmp_component_health").values()) == {0.0}
    assert samples.value("powerSupplyOutputWatts", powerSupplyIndex="1") == 7500


async def test_a_firewall_measures_by_the_names_of_its_sensors(healthy_kit: RunningNetwork) -> None:
    device = healthy_kit["fw-1"]
    samples = await poll(polled(device.port, "fortigate"))
    volts = samples.by("snmp_sensor_volts", "sensor")
    assert volts == {
        "+3.3V": 3.3504,
        "+5V": 5.0192,
        "+12V": 12.059,
        "VCC 1.8V": 1.8117,
        "CPU0 VCCIN": 1.7857,
        **{f"PS{number} VIN": 230.5 for number in (1, 2)},
        **{f"PS{number} VOUT_12V": 12.125 for number in (1, 2)},
    }
    celsius = samples.by("snmp_sensor_celsius", "sensor")
    assert {"DTS CPU0", "DTS CPU1", "TMP421 Inlet", "TMP421 Outlet", "PS1 Temp 1", "PS2 Temp 1"} <= set(
        celsius
    )
    assert 50 <= celsius["DTS CPU0"] <= 52
    rpm = samples.by("snmp_sensor_rpm", "sensor")
    assert set(rpm) == {*(f"Fan {number}" for number in range(1, 5)), "PS1 Fan 1", "PS2 Fan 1"}
    assert rpm["PS1 Fan 1"] == 7680
    assert not {name for name in (*volts, *celsius, *rpm) if "Status" in name}
    assert set(samples.where("snmp_component_health").values()) == {0.0}


async def test_devices_tell_their_model_serial_number_and_version(healthy_kit: RunningNetwork) -> None:
    told = {}
    for name in DEVICES:
        device = healthy_kit[name]
        samples = await poll(polled(device.port, device.kind))
        told[name] = {
            (labels["model"], labels["serial"], labels["version"])
            for labels in map(dict, samples.where("snmp_device_info"))
        }
    members = healthy_kit.device("fw-1", FortiGate).cluster.members
    pair = {("", member.serial, "v7.4.8,build2795,250523 (GA.M)") for member in members}
    assert told == {
        "fw-1": pair,
        "fw-2": pair,
        "nexus-north-1": {
            ("N9K-C93180YC-FX3", healthy_kit.device("nexus-north-1", Nexus).serial, "10.2(5)"),
        },
        "r640-01": {("PowerEdge R640", healthy_kit.device("r640-01", IDRAC).service_tag, "6.10.80.00")},
        "san-1": {("SAN-24", healthy_kit.device("san-1", Generic).serial, "")},
    }
