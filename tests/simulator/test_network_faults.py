"""What happens to the network kit, as net-snmp's tools see it, and how its figures move with time."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.network.fortigate import FortiGate
from simulator.network.idrac import IDRAC, PARTIAL
from simulator.network.motion import Counter, activity
from simulator.network.nexus import Nexus
from simulator.network.testing import RunningNetwork, running
from tests.simulator.network_tools import column, get, tool, walk

TIME = 1_795_513_200.0
UPTIME = "1.3.6.1.2.1.1.3.0"
ENGINE_TIME = "1.3.6.1.6.3.10.2.1.3.0"
BOOTS = "1.3.6.1.6.3.10.2.1.2.0"
IF_OPER = "1.3.6.1.2.1.2.2.1.8"
IF_LAST_CHANGE = "1.3.6.1.2.1.2.2.1.9"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
IF_HC_IN = "1.3.6.1.2.1.31.1.1.1.6"
IF_NUMBER = "1.3.6.1.2.1.2.1.0"
TABLE_CHANGED = "1.3.6.1.2.1.31.1.5.0"
FORTIGATE = "1.3.6.1.4.1.12356.101"
HA_SERIAL = f"{FORTIGATE}.13.2.1.1.2"
HA_SYNC = f"{FORTIGATE}.13.2.1.1.12"
IDRAC_MIB = "1.3.6.1.4.1.674.10892.5"
GLOBAL_STATUS = f"{IDRAC_MIB}.2.1.0"
STORAGE_STATUS = f"{IDRAC_MIB}.2.3.0"
ETHERNET_1 = 436207616


@pytest.fixture
def kit() -> Iterator[RunningNetwork]:
    """A small kit of one's own, whose clock moves when it is told to."""
    with running(servers=1, time=TIME, speed=0) as network:
        yield network


def ticks(printed: str) -> int:
    """The number in snmpget's Timeticks."""
    return int(printed.partition("(")[2].partition(")")[0])


def test_the_standby_is_lost_and_comes_back(kit: RunningNetwork) -> None:
    cluster = kit.device("fw-1", FortiGate).cluster
    both = column(kit["fw-1"], HA_SERIAL)
    assert list(both) == [(1,), (2,)]
    cluster.standby.lost = True
    assert list(column(kit["fw-1"], HA_SERIAL).values()) == [both[1,]]
    assert "Timeout" in tool("snmpget", kit["fw-2"], UPTIME, options=("-t", "0.3"))
    cluster.standby.lost = False
    assert column(kit["fw-1"], HA_SERIAL) == both
    assert "Timeticks" in tool("snmpget", kit["fw-2"], UPTIME)


def test_the_pair_switches_and_another_serial_number_answers(kit: RunningNetwork) -> None:
    serial = "1.3.6.1.4.1.12356.100.1.1.1.0"
    first, second = get(kit["fw-1"], serial), get(kit["fw-2"], serial)
    sessions = f"{FORTIGATE}.4.1.8.0"
    assert int(get(kit["fw-1"], sessions)) > 10 * int(get(kit["fw-2"], sessions))
    kit.device("fw-1", FortiGate).cluster.switch()
    assert (get(kit["fw-1"], serial), get(kit["fw-2"], serial)) == (second, first)
    assert set(column(kit["fw-2"], f"{FORTIGATE}.13.2.1.1.16").values()) == {second}


def test_a_standby_out_of_step_has_another_checksum_and_a_sparse_one_has_hardly_a_column(
    kit: RunningNetwork,
) -> None:
    cluster = kit.device("fw-1", FortiGate).cluster
    checksum = f"{FORTIGATE}.13.2.1.1.15"
    assert len(set(column(kit["fw-1"], checksum).values())) == 1
    cluster.standby.synchronized = False
    assert column(kit["fw-1"], HA_SYNC) == {(1,): "1", (2,): "0"}
    assert len(set(column(kit["fw-1"], checksum).values())) == 2
    cluster.standby.sparse = True
    assert list(column(kit["fw-1"], HA_SYNC)) == [(1,)]
    assert len(column(kit["fw-1"], HA_SERIAL)) == 2


def test_a_tunnel_goes_down_and_stands_still(kit: RunningNetwork) -> None:
    firewall = kit.device("fw-1", FortiGate)
    octets, status = f"{FORTIGATE}.12.4.2.1.24", f"{FORTIGATE}.12.4.2.1.26"
    firewall.tunnel_down("vpn-region")
    before = column(kit["fw-1"], octets)
    kit.clock.advance(60)
    after = column(kit["fw-1"], octets)
    assert [after[index] > before[index] for index in before] == [False, *[True] * 5]
    assert list(column(kit["fw-1"], status).values()) == ["1", *["2"] * 5]
    assert get(kit["fw-1"], f"{FORTIGATE}.12.1.1.0") == "5"
    firewall.tunnel_up("vpn-region")
    kit.clock.advance(60)
    assert int(column(kit["fw-1"], octets)[1,]) > int(after[1,])


def test_the_old_tunnel_table_has_indexes_of_one_and_two_parts(kit: RunningNetwork) -> None:
    kit.device("fw-1", FortiGate).old_tunnel_table = True
    assert not walk(kit["fw-1"], f"{FORTIGATE}.12.4")
    assert {len(index) for index in column(kit["fw-1"], f"{FORTIGATE}.12.2.2.1.20")} == {1, 2}


def test_sensors_of_a_firewall_are_texts_and_alarm_when_a_part_fails(kit: RunningNetwork) -> None:
    firewall = kit.device("fw-1", FortiGate)
    names = column(kit["fw-1"], f"{FORTIGATE}.4.3.2.1.2")
    alarms = f"{FORTIGATE}.4.3.2.1.4"
    assert all(float(value) >= 0 for value in column(kit["fw-1"], f"{FORTIGATE}.4.3.2.1.3").values())
    assert set(column(kit["fw-1"], alarms).values()) == {"0"}
    firewall.power_supplies[0].failed = True
    firewall.fans[1].failed = True
    firewall.temperature("DTS CPU1").celsius = 99
    alarming = {names[index] for index, alarm in column(kit["fw-1"], alarms).items() if alarm == "1"}
    assert {"PS1 Status", "Fan 2", "DTS CPU1"} <= alarming
    assert not {name for name in alarming if name.startswith(("PS2", "Fan 1", "DTS CPU0"))}


def test_a_link_goes_down_stands_still_and_comes_back(kit: RunningNetwork) -> None:
    switch, device = kit.device("nexus-north-1", Nexus), kit["nexus-north-1"]
    oper, octets = f"{IF_OPER}.{ETHERNET_1}", f"{IF_HC_IN}.{ETHERNET_1}"
    switch.link_down("Ethernet1/1")
    down_since = get(device, octets)
    kit.clock.advance(300)
    assert (get(device, oper), get(device, octets)) == ("2", down_since)
    assert ticks(get(device, UPTIME)) - ticks(get(device, f"{IF_LAST_CHANGE}.{ETHERNET_1}")) == 30_000
    switch.link_up("Ethernet1/1")
    assert (get(device, oper), get(device, octets)) == ("1", down_since)
    kit.clock.advance(1)
    gained = int(get(device, octets)) - int(down_since)
    assert 0 < gained < 25e9 / 8


def test_a_link_that_was_switched_off_says_so(kit: RunningNetwork) -> None:
    switch, device = kit.device("nexus-north-1", Nexus), kit["nexus-north-1"]
    admin, oper = f"1.3.6.1.2.1.2.2.1.7.{ETHERNET_1}", f"{IF_OPER}.{ETHERNET_1}"
    switch.link_down("Ethernet1/1")
    assert (get(device, admin), get(device, oper)) == ("1", "2")
    switch.link_down("Ethernet1/1", shut=True)
    assert (get(device, admin), get(device, oper)) == ("2", "2")
    switch.link_up("Ethernet1/1")
    assert (get(device, admin), get(device, oper)) == ("1", "1")


def test_a_flapping_link_comes_and_goes(kit: RunningNetwork) -> None:
    switch, device = kit.device("nexus-north-1", Nexus), kit["nexus-north-1"]
    kit.clock.set(TIME - TIME % 60)
    switch.flap("Ethernet1/1", every=60, down=20)
    seen, octets = [], []
    for _ in range(12):
        seen.append(get(device, f"{IF_OPER}.{ETHERNET_1}"))
        octets.append(int(get(device, f"{IF_HC_IN}.{ETHERNET_1}")))
        kit.clock.advance(10)
    assert seen == ["2", "2", "1", "1", "1", "1"] * 2
    gains = [after - before for before, after in pairwise(octets)]
    assert gains[0] == gains[6] == 0
    assert min(gains) == 0
    assert all(gain > 0 for gain in gains[2:5])


def test_a_switch_tells_of_a_failed_power_supply_and_fan_and_of_heat(kit: RunningNetwork) -> None:
    switch, device = kit.device("nexus-north-1", Nexus), kit["nexus-north-1"]
    evaluation = "1.3.6.1.4.1.9.9.91.1.2.1.1.5"
    assert set(column(device, evaluation).values()) == {"2"}
    switch.power_supplies[1].failed = True
    switch.fans[0].failed = True
    switch.sensor("module-1 BACK").value = 60
    assert column(device, "1.3.6.1.4.1.9.9.117.1.1.2.1.2") == {(470,): "2", (471,): "8"}
    assert list(column(device, "1.3.6.1.4.1.9.9.117.1.4.1.1.1").values()) == ["3", "2", "2", "2"]
    assert get(device, "1.3.6.1.4.1.9.9.117.1.1.1.1.5.149") == "4"
    crossed = [index for index, value in column(device, evaluation).items() if value == "1"]
    assert crossed == [(21591, 1)]


def test_optics_read_as_recorded_with_their_scales(kit: RunningNetwork) -> None:
    device = kit["nexus-north-1"]
    sensor = "1.3.6.1.4.1.9.9.91.1.1.1.1"
    kinds, scales, precisions, values = (column(device, f"{sensor}.{number}") for number in (1, 2, 3, 4))
    assert len(values) == 39
    assert set(precisions.values()) == {"0"}
    used = {(kinds[index], scales[index]) for index in values}
    assert used == {("8", "9"), ("8", "8"), ("4", "8"), ("5", "7"), ("14", "8")}
    real = [(kinds[i], int(values[i]) * 1000.0 ** (int(scales[i]) - 9)) for i in values]
    ranges = {"8": (20, 60), "4": (3.2, 3.35), "5": (0.005, 0.007), "14": (-14, -2)}
    assert all(ranges[kind][0] < value < ranges[kind][1] for kind, value in real)


def test_a_server_rolls_up_what_is_wrong_with_its_parts(kit: RunningNetwork) -> None:
    server, device = kit.device("r640-01", IDRAC), kit["r640-01"]
    assert (get(device, GLOBAL_STATUS), get(device, STORAGE_STATUS)) == ("3", "3")
    server.physical_disks[2].predicts_failure = True
    assert get(device, f"{IDRAC_MIB}.5.1.20.130.4.1.31.3") == "1"
    assert (get(device, GLOBAL_STATUS), get(device, STORAGE_STATUS)) == ("4", "4")
    server.virtual_disks[1].degraded = True
    assert list(column(device, f"{IDRAC_MIB}.5.1.20.140.1.1.4").values()) == ["2", "4"]
    server.power_supplies[0].failed = True
    assert list(column(device, f"{IDRAC_MIB}.4.600.12.1.11").values()) == ["3", "1"]
    assert get(device, f"{IDRAC_MIB}.4.600.10.1.5.1.1") == "5"
    assert (get(device, GLOBAL_STATUS), get(device, STORAGE_STATUS)) == ("5", "4")


def test_a_server_tells_of_fans_heat_memory_battery_and_an_open_case(kit: RunningNetwork) -> None:
    server, device = kit.device("r640-01", IDRAC), kit["r640-01"]
    server.fans[4].failed = True
    server.temperature("CPU1 Temp").celsius = 105
    server.temperature("System Board Inlet Temp").celsius = 45
    server.memory_status = server.system_battery_status = 4
    server.battery_state = 3
    server.intrusion = 2
    fans = column(device, f"{IDRAC_MIB}.4.700.12.1.5")
    assert [index for index, status in fans.items() if status != "3"] == [(1, 5)]
    assert get(device, f"{IDRAC_MIB}.4.700.12.1.6.1.5") == "0"
    assert list(column(device, f"{IDRAC_MIB}.4.700.20.1.5").values()) == ["5", "3", "4", "3"]
    assert get(device, f"{IDRAC_MIB}.4.200.10.1.24.1") == "5"
    assert get(device, f"{IDRAC_MIB}.4.1100.50.1.5.1.1") == "4"
    assert get(device, STORAGE_STATUS) == "4"
    assert get(device, f"{IDRAC_MIB}.4.300.70.1.5.1.1") == "5"


def test_a_server_draws_about_144_watts_in_the_row_of_that_name(kit: RunningNetwork) -> None:
    device = kit["r640-01"]
    names = column(device, f"{IDRAC_MIB}.4.600.30.1.8")
    (index,) = (index for index, name in names.items() if name == "System Board Pwr Consumption")
    assert 130 < int(column(device, f"{IDRAC_MIB}.4.600.30.1.6")[index]) < 160


def test_a_partial_agent_lacks_what_its_recording_lacks(kit: RunningNetwork) -> None:
    device = kit["r640-01"]
    whole = set(walk(device))
    device.device.missing = PARTIAL
    gone = whole - set(walk(device))
    assert len(gone) == 5 + 8 + 2
    assert "No Such Object" in tool("snmpget", device, GLOBAL_STATUS)
    device.device.missing = ()
    assert set(walk(device)) == whole


def test_garbage_stands_where_numbers_belong(kit: RunningNetwork) -> None:
    kit["san-1"].device.garbage = (IF_OPER,)
    assert set(walk(kit["san-1"], IF_OPER).values()) == {'STRING: "garbage"'}
    assert "garbage" not in "".join(walk(kit["san-1"], IF_LAST_CHANGE).values())


def test_a_silent_device_is_silent_until_it_is_not(kit: RunningNetwork) -> None:
    kit["san-1"].device.silent = True
    assert "Timeout" in tool("snmpget", kit["san-1"], UPTIME, options=("-t", "0.3"))
    kit["san-1"].device.silent = False
    assert "Timeticks" in tool("snmpget", kit["san-1"], UPTIME)


def test_an_endless_column_has_a_next_row_always(kit: RunningNetwork) -> None:
    device = kit["san-1"]
    device.device.endless = IF_OPER
    far = tool("snmpbulkget", device, f"{IF_OPER}.7000000", options=("-Cr40",)).splitlines()
    assert len(far) == 40
    assert all(line.startswith(f".{IF_OPER}.70000") for line in far)


def test_a_stuck_column_begins_again(kit: RunningNetwork) -> None:
    kit["san-1"].device.stuck = IF_OPER
    printed = tool("snmpbulkwalk", kit["san-1"], IF_OPER)
    assert "OID not increasing" in printed


def test_a_reboot_takes_its_time_and_begins_from_nothing(kit: RunningNetwork) -> None:
    device = kit["nexus-south-1"]
    boots = int(get(device, BOOTS))
    device.device.reboot(seconds=120)
    assert "Timeout" in tool("snmpget", device, UPTIME, options=("-t", "0.3"))
    kit.clock.advance(150)
    assert get(device, ENGINE_TIME) == "30"
    assert ticks(get(device, UPTIME)) == 3000
    assert int(get(device, BOOTS)) == boots + 1
    assert int(get(device, f"{IF_HC_IN}.{ETHERNET_1}")) < 30 * 25e9 / 8


def test_a_reboot_may_move_names_to_other_indexes(kit: RunningNetwork) -> None:
    switch, device = kit.device("nexus-south-1", Nexus), kit["nexus-south-1"]
    before = column(device, IF_NAME)
    switch.reboot(renumber=True)
    kit.clock.advance(10)
    after = column(device, IF_NAME)
    assert set(after) == set(before)
    assert sorted(after.values()) == sorted(before.values())
    assert all(after[index] != before[index] for index in before)


def test_a_device_reboots_in_the_middle_of_a_walk(kit: RunningNetwork) -> None:
    device = kit["san-1"]
    device.device.reboot_after(3)
    seen = []
    for _ in range(5):
        seen.append(int(get(device, ENGINE_TIME)))
        kit.clock.advance(10)
    assert seen == [seen[0], seen[0] + 10, seen[0] + 20, 10, 20]


def test_thousands_of_interfaces_can_be_walked(kit: RunningNetwork) -> None:
    switch, device = kit.device("nexus-south-1", Nexus), kit["nexus-south-1"]
    kit.clock.advance(10)
    changed = ticks(get(device, TABLE_CHANGED))
    switch.add_interfaces(10_000)
    assert get(device, IF_NUMBER) == "10059"
    assert ticks(get(device, TABLE_CHANGED)) > changed
    assert len(column(device, IF_NAME)) == 10_059


def test_a_counter_of_32_bits_wraps_and_its_twin_of_64_does_not(kit: RunningNetwork) -> None:
    device = kit["nexus-north-1"]
    small, large = [], []
    for _ in range(5):
        small.append(int(get(device, f"1.3.6.1.2.1.2.2.1.10.{ETHERNET_1}")))
        large.append(int(get(device, f"{IF_HC_IN}.{ETHERNET_1}")))
        kit.clock.advance(15)
    assert [value % 2**32 for value in large] == small
    assert large == sorted(large)
    assert small != sorted(small)


def test_the_uptime_of_a_firewall_wraps_and_its_own_does_not(kit: RunningNetwork) -> None:
    device = kit["fw-1"]
    wrapping, whole = UPTIME, f"{FORTIGATE}.4.1.20.0"
    kit.clock.advance(48 * 86400)
    assert ticks(get(device, wrapping)) < 86400 * 100 < 2**32 < int(get(device, whole))


@given(
    rate=st.floats(0, 1e10),
    steps=st.lists(
        st.tuples(st.floats(0, 1e6), st.sampled_from(["look", "stop", "go on", "set rate"])), max_size=30
    ),
)
def test_a_counter_never_falls(rate: float, steps: list[tuple[float, str]]) -> None:
    counter, now, seen = Counter(rate, TIME), TIME, 0.0
    for seconds, action in steps:
        now += seconds
        counted = counter.at(now)
        assert counted >= seen * (1 - 1e-12)
        seen = counted
        if action == "stop":
            counter.stop(now)
        elif action == "go on":
            counter.go_on(now)
        elif action == "set rate":
            counter.set_rate(rate / 2, now)


@given(st.floats(1e9, 3e9))
def test_there_is_traffic_at_all_times(now: float) -> None:
    assert 0.1 < activity(now) < 2
