"""IDRAC-MIB-SMIv2's tables of power, cooling and components, each from the state of its parts."""

from collections.abc import Iterable
from typing import Final

from simulator.network.ber import gauge32, integer, oid, text
from simulator.network.hardware import Fan, PowerSupply, Temperature
from simulator.network.motion import activity, wobble
from simulator.network.view import Objects, Value, moving, row

DELL = oid("1.3.6.1.4.1.674.10892.5")
POWER_SUPPLY_ENTRY = (*DELL, 4, 600, 12, 1)
VOLTAGE_ENTRY = (*DELL, 4, 600, 20, 1)
AMPERAGE_ENTRY = (*DELL, 4, 600, 30, 1)
SYSTEM_BATTERY_ENTRY = (*DELL, 4, 600, 50, 1)
POWER_USAGE_ENTRY = (*DELL, 4, 600, 60, 1)
FAN_ENTRY = (*DELL, 4, 700, 12, 1)
TEMPERATURE_ENTRY = (*DELL, 4, 700, 20, 1)
PROCESSOR_ENTRY = (*DELL, 4, 1100, 30, 1)
MEMORY_ENTRY = (*DELL, 4, 1100, 50, 1)
NETWORK_ENTRY = (*DELL, 4, 1100, 90, 1)

OK: Final = 3
NON_CRITICAL: Final = 4
CRITICAL: Final = 5
"""Values of the common status."""

PROBE_CRITICAL_LOW: Final = 8
"""A probe's status criticalLower."""

PSU_CURRENT: Final = 23
SYSTEM_WATTS: Final = 26
"""Values of amperageProbeType: the first reads in 0.1 A, the second in W."""

POWER_GOOD: Final = (
    "CPU1 VCORE PG",
    "CPU2 VCORE PG",
    "System Board 3.3V PG",
    "System Board 5V SWITCH PG",
    "CPU1 MEM012 VDDQ PG",
    "CPU2 MEM012 VDDQ PG",
)
"""Voltage probes that say good or bad and read no figure."""


def worst(statuses: Iterable[int]) -> int:
    """The worst of several common statuses."""
    return max(statuses, default=OK)


def temperature_status(temperature: Temperature, now: float) -> int:
    """The status of a temperature; ok, non-critical and critical have the same values for a probe."""
    reading = temperature.reading(now)
    if reading >= temperature.critical:
        return CRITICAL
    return NON_CRITICAL if reading >= temperature.warning else OK


def power_supply_objects(supplies: tuple[PowerSupply, ...]) -> Objects:
    """powerSupplyTable; output watts are the rated maximum, in 0.1 W."""
    for number, supply in enumerate(supplies, 1):
        columns = {
            5: integer(CRITICAL if supply.failed else OK),
            6: integer(7500),
            8: text(f"{supply.name} Status"),
            11: integer(1 | 2 if supply.failed else 1),
            16: integer(0 if supply.failed else 230),
        }
        yield from row(POWER_SUPPLY_ENTRY, (1, number), columns)


def voltage_objects(supplies: tuple[PowerSupply, ...]) -> Objects:
    """voltageProbeTable: probes that are good or bad, then the supplies' voltages in mV."""
    for number, name in enumerate(POWER_GOOD, 1):
        yield from row(VOLTAGE_ENTRY, (1, number), {5: integer(OK), 8: text(name), 16: integer(1)})
    for number, supply in enumerate(supplies, 1):
        columns = _voltage_columns(f"{supply.name} Voltage {number}", supply.failed)
        yield from row(VOLTAGE_ENTRY, (1, len(POWER_GOOD) + number), columns)


def _voltage_columns(name: str, failed: bool) -> dict[int, Value]:
    return {
        5: integer(PROBE_CRITICAL_LOW if failed else OK),
        6: integer(0) if failed else lambda now: integer(230_000 + 1000 * round(2 * wobble(name, now))),
        8: text(name),
    }


def amperage_objects(name: str, supplies: tuple[PowerSupply, ...], watts: float, booted: float) -> Objects:
    """amperageProbeTable, "System Board Pwr Consumption" as its last row, and powerUsageTable."""
    working = sum(not supply.failed for supply in supplies)

    def drawn(now: float) -> float:
        return watts * (1 + 0.05 * (activity(now) - 1) + 0.01 * wobble(name, now))

    for number, supply in enumerate(supplies, 1):
        columns: dict[int, Value] = {
            5: integer(OK),
            6: integer(0) if supply.failed else lambda now: integer(drawn(now) / 230 / working * 10),
            7: integer(PSU_CURRENT),
            8: text(f"{supply.name} Current {number}"),
        }
        yield from row(AMPERAGE_ENTRY, (1, number), columns)
    consumption: dict[int, Value] = {
        5: integer(OK),
        6: moving(integer, drawn),
        7: integer(SYSTEM_WATTS),
        8: text("System Board Pwr Consumption"),
        10: integer(644),
        11: integer(588),
    }
    yield from row(AMPERAGE_ENTRY, (1, len(supplies) + 1), consumption)
    usage: dict[int, Value] = {
        7: lambda now: gauge32(watts * max(0.0, now - booted) / 3600),
        9: gauge32(watts * 2),
    }
    yield from row(POWER_USAGE_ENTRY, (1, 1), usage)


def fan_objects(fans: tuple[Fan, ...]) -> Objects:
    """coolingDeviceTable, in revolutions per minute."""
    for number, fan in enumerate(fans, 1):
        columns: dict[int, Value] = {
            5: integer(PROBE_CRITICAL_LOW if fan.failed else OK),
            6: moving(integer, fan.speed),
            8: text(fan.name),
            13: integer(600),
        }
        yield from row(FAN_ENTRY, (1, number), columns)


def temperature_objects(temperatures: tuple[Temperature, ...]) -> Objects:
    """temperatureProbeTable, in 0.1 degrees Celsius."""
    for number, temperature in enumerate(temperatures, 1):
        yield from row(TEMPERATURE_ENTRY, (1, number), _temperature_columns(temperature))


def _temperature_columns(temperature: Temperature) -> dict[int, Value]:
    return {
        5: lambda now: integer(temperature_status(temperature, now)),
        6: lambda now: integer(temperature.reading(now) * 10),
        8: text(temperature.name),
        10: integer(temperature.critical * 10),
        11: integer(temperature.warning * 10),
        12: integer(80),
        13: integer(30),
    }


def component_objects(name: str, *, memory: int, processor: int, battery: int, links_lost: int) -> Objects:
    """Processors, memory, network ports and the system board's battery; a bad status is that of the first."""
    for number in (1, 2):
        columns = {
            5: integer(processor if number == 1 else OK),
            23: text("Intel(R) Xeon(R) Gold 6152 CPU @ 2.10GHz"),
        }
        yield from row(PROCESSOR_ENTRY, (1, number), columns)
    for number in range(1, 13):
        slot = f"DIMM.Socket.{'AB'[(number - 1) // 6]}{(number - 1) % 6 + 1}"
        columns = {5: integer(memory if number == 1 else OK), 8: text(slot), 14: integer(16_777_216)}
        yield from row(MEMORY_ENTRY, (1, number), columns)
    for number in range(1, 5):
        connected = links_lost < number <= 2
        columns = {
            3: integer(OK),
            4: integer(1 if connected else 2),
            6: text(f"{name} Intel(R) Ethernet 10G 4P X710/I350 rNDC {number}"),
        }
        yield from row(NETWORK_ENTRY, (1, number), columns)
    yield from row(SYSTEM_BATTERY_ENTRY, (1, 1), {5: integer(battery), 7: text("System Board CMOS Battery")})
