"""What /metrics shows when something of the kit fails."""

from collections.abc import Callable

import pytest

from simulator.network.fortigate import FortiGate
from simulator.network.idrac import IDRAC, PARTIAL
from simulator.network.nexus import Nexus
from simulator.network.testing import RunningNetwork
from tests.exporters.snmp.agents import COMMUNITY, Samples, poll, polled


async def seen(kit: RunningNetwork, name: str) -> Samples:
    """What is shown of a device after a poll."""
    return await poll(polled(kit[name].port, kit[name].kind, name=name, community=COMMUNITY))


def ill(samples: Samples) -> dict[tuple[str, str], float]:
    """Kind and name of the components that are not good -> their state."""
    parts = ((dict(labels), value) for labels, value in samples.where("snmp_component_health").items())
    return {(labels["component"], labels["name"]): value for labels, value in parts if value}


async def test_a_standby_that_is_lost_leaves_one_member(kit: RunningNetwork) -> None:
    cluster = kit.device("fw-1", FortiGate).cluster
    assert len((await seen(kit, "fw-1")).where("fgHaStatsSesCount")) == 2
    cluster.standby.lost = True
    samples = await seen(kit, "fw-1")
    assert set(samples.by("fgHaStatsSerial", "fgHaStatsSerial")) == {cluster.primary.serial}
    assert {dict(labels)["serial"] for labels in samples.where("snmp_device_info")} == {
        cluster.primary.serial
    }


async def test_a_standby_out_of_step_is_a_warning(kit: RunningNetwork) -> None:
    standby = kit.device("fw-1", FortiGate).cluster.standby
    standby.synchronized = False
    samples = await seen(kit, "fw-1")
    assert ill(samples) == {("cluster member", standby.serial): 1}
    assert samples.by("fgHaStatsSyncStatus", "fgHaStatsHostname") == {"fw-1": 1, "fw-2": 0}


async def test_a_member_of_which_little_is_told_is_still_counted(kit: RunningNetwork) -> None:
    cluster = kit.device("fw-1", FortiGate).cluster
    cluster.standby.sparse = True
    samples = await seen(kit, "fw-1")
    assert len(samples.where("fgHaStatsSerial")) == 2
    assert samples.by("fgHaStatsSyncStatus", "fgHaStatsHostname") == {"fw-1": 1}
    assert not ill(samples)


async def test_a_switch_of_the_pair_shows_another_primary(kit: RunningNetwork) -> None:
    cluster = kit.device("fw-1", FortiGate).cluster
    device = polled(kit["fw-1"].port, "fortigate", name="fw-1")
    first, second = (member.serial for member in cluster.members)
    before = await poll(device)
    cluster.switch()
    after = await poll(device)
    for samples, primary in ((before, first), (after, second)):
        assert set(samples.by("fnSysSerial", "fnSysSerial")) == {primary}
        assert set(samples.by("fgHaStatsPrimarySerial", "fgHaStatsPrimarySerial")) == {primary}


@pytest.mark.parametrize("old", [False, True], ids=["fgVpn2TunTable", "fgVpnTunTable"])
async def test_a_tunnel_that_is_down_is_critical_by_its_name(kit: RunningNetwork, old: bool) -> None:
    firewall = kit.device("fw-1", FortiGate)
    firewall.old_tunnel_table = old
    firewall.tunnel_down("vpn-state")
    samples = await seen(kit, "fw-1")
    status, label = (
        ("fgVpnTunEntStatus", "fgVpnTunEntPhase1Name")
        if old
        else (
            "fgVpn2TunStatus",
            "fgVpn2TunPhase1Name",
        )
    )
    states = samples.by(status, label)
    assert len(states) == 6
    assert {name for name, state in states.items() if state == 1} == {"vpn-state"}
    assert ill(samples) == {("tunnel", "vpn-state-phase2"): 2}
    assert samples.value("fgVpnTunnelUpCount") == 5


async def test_a_link_that_is_down_is_shown_by_its_name(kit: RunningNetwork) -> None:
    kit.device("nexus-north-1", Nexus).link_down("Ethernet1/7")
    samples = await seen(kit, "nexus-north-1")
    assert samples.value("ifOperStatus", ifName="Ethernet1/7") == 2
    assert samples.value("ifAdminStatus", ifName="Ethernet1/7") == 1
    assert samples.value("ifOperStatus", ifName="Ethernet1/8") == 1


def firewall_supply(kit: RunningNetwork) -> None:
    kit.device("fw-1", FortiGate).power_supplies[0].failed = True


def firewall_fan(kit: RunningNetwork) -> None:
    kit.device("fw-1", FortiGate).fans[2].failed = True


def firewall_heat(kit: RunningNetwork) -> None:
    kit.device("fw-1", FortiGate).temperature("DTS CPU1").celsius = 99


def firewall_link_monitor(kit: RunningNetwork) -> None:
    kit.device("fw-1", FortiGate).link_monitors[1].dead = True


def switch_supply(kit: RunningNetwork) -> None:
    kit.device("nexus-north-1", Nexus).power_supplies[1].failed = True


def switch_fan(kit: RunningNetwork) -> None:
    kit.device("nexus-north-1", Nexus).fans[0].failed = True


def switch_heat(kit: RunningNetwork) -> None:
    kit.device("nexus-north-1", Nexus).sensor("module-1 BACK").value = 60


def switch_great_heat(kit: RunningNetwork) -> None:
    kit.device("nexus-north-1", Nexus).sensor("module-1 FRONT").value = 95


def switch_module(kit: RunningNetwork) -> None:
    kit.device("nexus-north-1", Nexus).module_status = 7


def switch_peer(kit: RunningNetwork) -> None:
    kit.device("nexus-north-1", Nexus).bgp_peers[0].state = 3


def server_supply(kit: RunningNetwork) -> None:
    kit.device("r640-01", IDRAC).power_supplies[0].failed = True


def server_fan(kit: RunningNetwork) -> None:
    kit.device("r640-01", IDRAC).fans[4].failed = True


def server_prediction(kit: RunningNetwork) -> None:
    kit.device("r640-01", IDRAC).physical_disks[2].predicts_failure = True


def server_disk(kit: RunningNetwork) -> None:
    kit.device("r640-01", IDRAC).physical_disks[3].failed = True


def server_array(kit: RunningNetwork) -> None:
    kit.device("r640-01", IDRAC).virtual_disks[1].degraded = True


def server_heat(kit: RunningNetwork) -> None:
    kit.device("r640-01", IDRAC).temperature("CPU1 Temp").celsius = 105


def server_battery(kit: RunningNetwork) -> None:
    kit.device("r640-01", IDRAC).battery_state = 3


def server_off(kit: RunningNetwork) -> None:
    kit.device("r640-01", IDRAC).powered_on = False


SERVER = ("server", "")
PANEL = ("front panel", "")
STORAGE = ("storage", "")


@pytest.mark.parametrize(
    ("fail", "name", "expected"),
    [
        (
            firewall_supply,
            "fw-1",
            {("sensor", f"PS1 {what}"): 2 for what in ("VIN", "VOUT_12V", "Fan 1", "Status")},
        ),
        (firewall_fan, "fw-1", {("sensor", "Fan 3"): 2}),
        (firewall_heat, "fw-1", {("sensor", "DTS CPU1"): 2}),
        (firewall_link_monitor, "fw-1", {("link monitor", "internet-south"): 2}),
        (switch_supply, "nexus-north-1", {("power supply", "PowerSupply-2"): 2}),
        (switch_fan, "nexus-north-1", {("fan", "Fan-1"): 2}),
        (switch_heat, "nexus-north-1", {("sensor", "module-1 BACK"): 1}),
        (switch_great_heat, "nexus-north-1", {("sensor", "module-1 FRONT"): 2}),
        (switch_module, "nexus-north-1", {("module", "Slot-1 Module-1"): 2}),
        (switch_peer, "nexus-north-1", {("BGP neighbour", "10.255.0.1"): 2}),
        (
            server_supply,
            "r640-01",
            {
                ("power supply", "PS1 Status"): 2,
                ("power redundancy", "1"): 2,
                ("voltage", "PS1 Voltage 1"): 2,
                SERVER: 2,
                PANEL: 2,
            },
        ),
        (
            server_fan,
            "r640-01",
            {("fan", "System Board Fan5"): 2, ("fan redundancy", "1"): 2, SERVER: 2, PANEL: 2},
        ),
        (
            server_prediction,
            "r640-01",
            {
                ("disk prediction", "Physical Disk 0:1:2"): 1,
                ("disk", "Physical Disk 0:1:2"): 1,
                **dict.fromkeys((SERVER, PANEL, STORAGE), 1),
            },
        ),
        (
            server_disk,
            "r640-01",
            {
                ("disk state", "Physical Disk 0:1:3"): 2,
                ("disk", "Physical Disk 0:1:3"): 2,
                **dict.fromkeys((SERVER, PANEL, STORAGE), 2),
            },
        ),
        (server_array, "r640-01", {("array", "Data"): 1, **dict.fromkeys((SERVER, PANEL, STORAGE), 1)}),
        (server_heat, "r640-01", {("temperature", "CPU1 Temp"): 2, SERVER: 2, PANEL: 2}),
        (
            server_battery,
            "r640-01",
            {("controller battery", "1"): 2, **dict.fromkeys((SERVER, PANEL, STORAGE), 1)},
        ),
        (server_off, "r640-01", {("server power", ""): 2}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_a_part_that_fails_is_shown_by_its_name(
    kit: RunningNetwork,
    fail: Callable[[RunningNetwork], None],
    name: str,
    expected: dict[tuple[str, str], float],
) -> None:
    fail(kit)
    samples = await seen(kit, name)
    assert ill(samples) == expected
    assert samples.value("snmp_up") == 1


async def test_a_server_that_lacks_half_of_its_mib_is_told_as_far_as_it_goes(kit: RunningNetwork) -> None:
    kit["r640-01"].device.missing = PARTIAL
    samples = await seen(kit, "r640-01")
    gone = {"globalSystemStatus", "systemPowerState", "coolingDeviceStatus", "powerSupplyStatus"}
    assert not gone & samples.names()
    assert samples.value("drsGlobalSystemStatus") == 3
    assert len(samples.where("snmp_sensor_rpm")) == 8
    assert samples.value("snmp_up") == 1
    assert not sum(samples.where("snmp_errors_total").values())
    assert not [
        labels
        for labels in map(dict, samples.where("snmp_component_health"))
        if labels["component"] in ("fan", "power supply")
    ]


async def test_a_sensor_that_does_not_measure_has_no_measurement(kit: RunningNetwork) -> None:
    switch = kit.device("nexus-north-1", Nexus)
    sensor = switch.sensor("Ethernet1/49 Lane 1 Transceiver Rx Power Sensor")
    assert (await seen(kit, "nexus-north-1")).value("snmp_sensor_dbm", sensor=sensor.name) is not None
    sensor.status = 2
    samples = await seen(kit, "nexus-north-1")
    assert samples.value("snmp_sensor_dbm", sensor=sensor.name) is None
    assert samples.value("entSensorStatus", entPhysicalName=sensor.name) == 2
