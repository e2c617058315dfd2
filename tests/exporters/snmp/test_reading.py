"""Polls of devices that change while they are watched, or have only half of what is asked."""

import time
from collections.abc import Iterable
from itertools import count

import pytest

from exporters.snmp.module import LABEL_SECONDS
from simulator.network.ber import counter32, counter64, integer, oid, text, time_ticks
from simulator.network.links import NetworkDevice
from simulator.network.message import decode
from simulator.network.nexus import Nexus
from simulator.network.testing import RunningNetwork
from simulator.network.view import Value
from tests.exporters.snmp.agents import (
    QUICK,
    Manner,
    Mannered,
    Samples,
    plain,
    poll,
    polled,
    shown,
    standing,
)
from vdx.settings import SNMPSettings

SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
IF_NUMBER = "1.3.6.1.2.1.2.1.0"
IF_TABLE = "1.3.6.1.2.1.2.2.1"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
IF_HC_IN = "1.3.6.1.2.1.31.1.1.1.6"
IF_CHANGE = "1.3.6.1.2.1.31.1.5.0"
BEHIND = {"1.3.6.1.6.3.10.2.1.2.0": integer(7)}


def interfaces(names: dict[int, str], *, octets: dict[str, int] | None = None) -> dict[str, Value]:
    """ifXTable: each interface counts its own number of octets, by which it is known, whatever its index."""
    known = octets or {name: 1000 + ord(name[-1]) for name in names.values()}
    values: dict[str, Value] = {SYS_UP_TIME: time_ticks(86400), IF_NUMBER: integer(len(names)), **BEHIND}
    for index, name in names.items():
        values[f"{IF_TABLE}.4.{index}"] = integer(known[name])
        values[f"{IF_TABLE}.8.{index}"] = integer(1)
        values[f"{IF_NAME}.{index}"] = text(name)
        values[f"{IF_HC_IN}.{index}"] = counter64(known[name])
    return values


def octets_by_name(samples: Samples) -> dict[str, float]:
    """Octets received, by the name of the interface."""
    found = samples.by("ifHCInOctets", "ifName")
    assert found.keys() == samples.by("ifMtu", "ifName").keys()
    assert found == samples.by("ifMtu", "ifName")
    return found


PORTS = {1: "port a", 2: "port b", 3: "port c"}
OWN = {"port a": 1097.0, "port b": 1098.0, "port c": 1099.0}


async def test_interfaces_that_move_without_any_sign_keep_their_own_figures() -> None:
    device = plain(interfaces(PORTS))
    async with standing(device) as agent:
        own = polled(agent.port, "generic")
        assert octets_by_name(await poll(own)) == OWN
        device.values = interfaces({1: "port c", 2: "port a", 3: "port b"})
        assert octets_by_name(await poll(own)) == OWN
        device.values = interfaces({1: "port a", 3: "port b", 7: "port c"})
        assert octets_by_name(await poll(own)) == OWN


async def test_an_interface_that_comes_without_a_sign_has_its_name_at_once() -> None:
    device = plain(interfaces(PORTS))
    async with standing(device) as agent:
        own = polled(agent.port, "generic")
        await poll(own)
        silently = interfaces({**PORTS, 4: "port d"})
        device.values = silently | {IF_NUMBER: integer(3)}
        assert (await poll(own)).by("ifHCInOctets", "ifName") == {**OWN, "port d": 1100.0}


async def test_a_row_that_comes_between_its_name_and_its_figures_is_named_in_the_same_poll() -> None:
    before, after = interfaces(PORTS), interfaces({**PORTS, 4: "port d"})
    device = plain(before)
    seen = count()

    def grows(answer: bytes | None) -> Iterable[tuple[float, bytes]]:
        if next(seen) == 1:
            device.values = after
        return [] if answer is None else [(0, answer)]

    async with standing(device, grows) as agent:
        samples = await poll(polled(agent.port, "generic"))
    assert samples.by("ifHCInOctets", "ifName") == {**OWN, "port d": 1100.0}


@pytest.mark.parametrize("moves", [True, False])
async def test_a_poll_in_which_names_move_is_discarded_and_one_with_a_false_alarm_is_not(moves: bool) -> None:
    before = interfaces(PORTS) | {IF_CHANGE: time_ticks(5)}
    names = {1: "port c", 2: "port a", 3: "port b"} if moves else PORTS
    after = interfaces(names) | {IF_CHANGE: time_ticks(6)}
    device = plain(before)
    seen = count()

    def changes(answer: bytes | None) -> Iterable[tuple[float, bytes]]:
        if next(seen) == 8:
            device.values = after
        return [] if answer is None else [(0, answer)]

    async with standing(device, changes) as agent:
        own = polled(agent.port, "if_mib")
        samples = await poll(own)
        assert samples.value("snmp_up") == (0 if moves else 1)
        assert samples.value("snmp_errors_total", fault="restarted") == (1 if moves else 0)
        assert octets_by_name(await poll(own)) == OWN


async def test_slow_tables_are_read_again_when_the_device_says_that_interfaces_changed() -> None:
    values = interfaces(PORTS) | {IF_CHANGE: time_ticks(5)}
    device = plain(values)
    async with standing(device) as agent:
        own = polled(agent.port, "if_mib")
        await poll(own)
        device.values = values | {f"{IF_TABLE}.4.1": integer(9000)}
        assert (await poll(own)).by("ifMtu", "ifName")["port a"] == OWN["port a"]
        device.values = device.values | {IF_CHANGE: time_ticks(6)}
        assert (await poll(own)).by("ifMtu", "ifName")["port a"] == 9000


async def test_a_name_that_cannot_be_read_is_not_taken_from_an_earlier_poll() -> None:
    device = plain(interfaces(PORTS))
    async with standing(device) as agent:
        agent.manner = silent_about(agent, ())
        own = polled(agent.port, "if_mib", settings=QUICK)
        assert octets_by_name(await poll(own)) == OWN
        device.values = interfaces({1: "port c", 2: "port a", 3: "port b"})
        agent.manner = silent_about(agent, (IF_NAME,))
        samples = await poll(own)
        assert samples.value("snmp_up") == 0
        assert octets_by_name(samples) == OWN
        agent.manner = None
        assert octets_by_name(await poll(own)) == OWN


def silent_about(agent: Mannered, columns: tuple[str, ...]) -> Manner:
    """A manner that does not answer about some columns; `agent` tells what it was asked for."""
    roots = tuple(oid(column) for column in columns)

    def manner(answer: bytes | None) -> Iterable[tuple[float, bytes]]:
        if answer is None:
            return []
        asked = decode(agent.asked).varbinds
        hidden = any(name[: len(root)] == root for name, _ in asked for root in roots)
        return [] if hidden else [(0, answer)]

    return manner


async def test_a_table_that_alone_is_silent_is_named_and_the_others_are_there(log: list[str]) -> None:
    device = plain(interfaces(PORTS))
    async with standing(device) as agent:
        agent.manner = silent_about(agent, (f"{IF_TABLE}.13",))
        own = polled(agent.port, "if_mib", settings=QUICK)
        for _ in range(2):
            samples = await poll(own)
            assert samples.by("ifHCInOctets", "ifName") == OWN
            assert not samples.where("ifOperStatus")
            assert samples.value("snmp_up") == 1
        assert samples.value("snmp_errors_total", fault="timeout") == 2
        assert own.state.faults.keys() == {"ifTable"}
        agent.manner = None
        assert (await poll(own)).by("ifOperStatus", "ifName") == dict.fromkeys(OWN, 1.0)
    assert [line.partition(": ")[2][:7] for line in log] == ["ifTable", "is read"]


async def test_a_device_that_falls_silent_in_a_poll_is_down_and_keeps_no_part_of_it() -> None:
    asked = count()

    def dies(answer: bytes | None) -> Iterable[tuple[float, bytes]]:
        return [] if answer is None or next(asked) > 4 else [(0, answer)]

    async with standing(plain(interfaces(PORTS)), dies) as agent:
        own = polled(agent.port, "if_mib", settings=QUICK)
        samples = await poll(own)
    assert samples.value("snmp_up") == 0
    assert "stopped answering" in own.state.words
    assert not {name for name in samples.names() if name.startswith("if")}


@pytest.mark.parametrize("name", ["nexus-north-1", "san-1"])
async def test_interfaces_that_move_at_a_reboot_keep_their_own_figures(
    kit: RunningNetwork, name: str
) -> None:
    switch = kit.device(name, NetworkDevice)  # type: ignore[type-abstract]
    own = polled(kit[name].port, kit[name].kind)
    before = await poll(own)
    speeds = before.by("ifHighSpeed", "ifName")
    types = {dict(labels)["ifName"]: dict(labels)["ifType"] for labels in before.where("ifType_info")}
    switch.reboot(renumber=True)
    kit.clock.advance(30)
    after = await poll(own)
    assert after.by("ifHighSpeed", "ifName") == speeds
    assert {dict(labels)["ifName"]: dict(labels)["ifType"] for labels in after.where("ifType_info")} == types
    indices = {dict(labels)["ifName"]: dict(labels)["ifIndex"] for labels in before.where("ifMtu")}
    moved = {dict(labels)["ifName"]: dict(labels)["ifIndex"] for labels in after.where("ifMtu")}
    assert all(moved[port] != index for port, index in indices.items())


@pytest.mark.parametrize("packets", [1, 2, 5, 20])
async def test_a_reboot_in_the_middle_of_a_poll_discards_it(kit: RunningNetwork, packets: int) -> None:
    own = polled(kit["nexus-north-1"].port, "nexus")
    await poll(own)
    kit["nexus-north-1"].device.reboot_after(packets)
    samples = await poll(own)
    assert "started again" in own.state.words
    assert samples.value("snmp_up") == 0
    assert samples.value("snmp_errors_total", fault="restarted") == 1
    kit.clock.advance(30)
    samples = await poll(own)
    assert samples.value("snmp_up") == 1
    assert (samples.value("sysUpTime") or 0) <= 3000
    assert len(samples.where("ifHCInOctets")) == 59


async def test_a_device_that_starts_twice_between_two_polls_is_noticed(kit: RunningNetwork) -> None:
    switch = kit.device("nexus-north-1", Nexus)
    own = polled(kit["nexus-north-1"].port, "nexus")
    switch.reboot()
    await poll(own)
    index = {dict(labels)["ifName"]: dict(labels)["ifIndex"] for labels in shown(own).where("ifMtu")}
    switch.reboot(renumber=True)
    switch.table_changed = switch.booted
    kit.clock.advance(60)
    samples = await poll(own)
    after = {dict(labels)["ifName"]: dict(labels)["ifIndex"] for labels in samples.where("ifMtu")}
    assert after.keys() == index.keys()
    assert all(after[name] != index[name] for name in index)


async def test_an_uptime_that_wraps_is_no_restart(kit: RunningNetwork) -> None:
    own = polled(kit["fw-1"].port, "fortigate")
    kit.clock.advance(2**32 / 100 - 449.7 * 86400 - 30)
    before = await poll(own)
    kit.clock.advance(60)
    after = await poll(own)
    assert (after.value("sysUpTime") or 0) < 3001 < (before.value("sysUpTime") or 0)
    assert (after.value("fgSysUpTime") or 0) > (before.value("fgSysUpTime") or 0)
    assert after.value("snmp_errors_total", fault="restarted") == 0


async def test_names_of_other_parts_are_believed_for_a_while_and_then_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = interfaces(PORTS) | {"1.3.6.1.2.1.31.1.1.1.18.1": text("uplink")}
    device = plain(values)
    async with standing(device) as agent:
        own = polled(agent.port, "if_mib")
        clock = time.monotonic()
        monkeypatch.setattr("exporters.snmp.reading.time.monotonic", lambda: clock)
        assert "uplink" in (await poll(own)).by("ifHCInOctets", "ifAlias")
        device.values = values | {"1.3.6.1.2.1.31.1.1.1.18.1": text("spare")}
        clock += LABEL_SECONDS - 1
        assert "uplink" in (await poll(own)).by("ifHCInOctets", "ifAlias")
        clock += 1
        assert "spare" in (await poll(own)).by("ifHCInOctets", "ifAlias")


async def test_a_device_without_a_scalar_of_its_module_is_down_when_it_is_silent() -> None:
    device = plain(interfaces(PORTS) | {"1.3.6.1.2.1.10.7.2.1.3.1": counter32(5)})
    async with standing(device) as agent:
        own = polled(agent.port, "etherlike", settings=QUICK)
        assert (await poll(own)).value("dot3StatsFCSErrors", ifName="port a") == 5
        device.silent = True
        samples = await poll(own)
        assert samples.value("snmp_up") == 0


async def test_counters_of_32_bits_wrap_and_those_beyond_a_double_are_sent_modulo() -> None:
    huge = 2**64 - 1
    values = interfaces(PORTS) | {
        f"{IF_HC_IN}.1": counter64(huge),
        f"{IF_HC_IN}.2": counter64(2**53),
        f"{IF_HC_IN}.3": counter64(2**53 - 1),
        f"{IF_TABLE}.14.1": counter32(2**32 - 1),
        f"{IF_TABLE}.14.2": counter32(2**32 + 5),
    }
    async with standing(plain(values)) as agent:
        samples = await poll(polled(agent.port, "if_mib"))
    assert samples.by("ifHCInOctets", "ifName") == {
        "port a": huge % 2**53,
        "port b": 0,
        "port c": 2**53 - 1,
    }
    assert samples.by("ifInErrors", "ifName") == {"port a": 2**32 - 1, "port b": 5}


async def test_text_where_numbers_belong_gives_no_series_and_is_counted(kit: RunningNetwork) -> None:
    kit["san-1"].device.garbage = (f"{IF_TABLE}.8", SYS_UP_TIME)
    own = polled(kit["san-1"].port, "generic")
    samples = await poll(own)
    assert not samples.where("ifOperStatus")
    assert not samples.where("sysUpTime")
    assert len(samples.where("ifAdminStatus")) == 6
    assert samples.value("snmp_values_rejected_total") == 7
    assert samples.value("snmp_up") == 1
    assert (await poll(own)).value("snmp_values_rejected_total") == 14


async def test_ten_thousand_interfaces_are_read_in_reasonable_time() -> None:
    names = {index: f"tunnel {index}" for index in range(7, 70_007, 7)}
    octets = {name: index * 1000 for index, name in names.items()}
    device = plain(interfaces(names, octets=octets), largest_answer=8000)
    async with standing(device) as agent:
        own = polled(agent.port, "if_mib", settings=SNMPSettings(repetitions=100))
        started = time.monotonic()
        samples = await poll(own)
    assert time.monotonic() - started < 20
    assert samples.value("ifNumber") == 10_000
    assert octets_by_name(samples) == octets


async def test_an_agent_slower_than_its_interval_is_told_so() -> None:
    async with standing(plain(interfaces(PORTS), latency=0.04)) as agent:
        own = polled(agent.port, "if_mib", interval=0.4)
        samples = await poll(own)
    assert own.state.words.startswith("it is too slow: the poll was not done in 0.36 s, at table if")
    assert "interval" in own.state.words
    assert samples.value("snmp_up") == 0
    assert samples.value("snmp_errors_total", fault="late") == 1
    assert 0.36 <= (samples.value("snmp_poll_duration_seconds") or 0) < 0.6
