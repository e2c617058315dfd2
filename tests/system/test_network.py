"""The network kit by the installed command: in the demonstration, and gone through by `vdx check`."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from simulator.device_configurations import Firewall
from simulator.network.nexus import Nexus
from simulator.network.testing import RunningNetwork, running
from simulator.ssh_devices import Device
from simulator.ssh_devices import running as ssh_running
from simulator.testing import RunningSimulator
from simulator.testing import running as platform_running
from tests.databases import free_port
from tests.system.commands import run_vdx, running_vdx, until

PASSWORD = "let me in, please"


def test_the_demonstration_shows_the_kit_from_poll_to_page_to_prometheus(tmp_path: Path) -> None:
    prometheus = f"127.0.0.1:{free_port()}"
    variables = {
        "VDX_SNMP__INTERVAL_SECONDS": "10",
        "VDX_PEXIP__INTERVAL_SECONDS": "5",
        "VDX_PROMETHEUS__LISTEN": prometheus,
    }
    with running_vdx("up", "--demo", folder=tmp_path, variables=variables) as vdx:
        kit = vdx.wait_for(r"network kit: 25 devices, (\S+)")
        page = vdx.wait_for(r"live page: (\S+)")
        until(kit.replace("/metrics", "/readyz"), "^ready$")
        until(f"{page}network/", r"power supply PS1 Status")
        text = until(kit, r'config_backup_up\{device="fw-1".*\} 1\.0')
        assert text.count("\nsnmp_up{") == 25
        assert "pexip_" not in text, "the platform's figures are on one address alone"
        vdx_metrics = httpx.get(vdx.wait_for(r"metrics: (\S+)"), trust_env=False).text
        assert 'asset_serial_mismatch{asset="r640-13"} 1.0' in vdx_metrics
        until(f"http://{prometheus}/api/v1/query?query=sum(snmp_up)", r'"25"')
        rules = json.loads(until(f"http://{prometheus}/api/v1/rules", '"state":"(firing|pending)"'))
        groups = rules["data"]["groups"]
        assert not [rule for group in groups for rule in group["rules"] if rule["health"] == "err"]
        children = psutil.Process(vdx.process.pid).children(recursive=True)
        assert len(children) == 3, "the platform, the kit's agents and Prometheus"
        assert vdx.stop() == 0
        assert "Traceback" not in vdx.said
    assert not [child for child in children if child.is_running()]


@pytest.fixture(scope="module")
def kit() -> Iterator[RunningNetwork]:
    with running(servers=1) as network:
        yield network


@pytest.fixture(scope="module")
def platform() -> Iterator[RunningSimulator]:
    with platform_running() as simulator:
        yield simulator


def _settings(folder: Path, platform: RunningSimulator, kit: RunningNetwork, firewall: Device) -> Path:
    (folder / "password").write_text(PASSWORD)
    lines = [
        "[pexip]",
        f'url = "{platform.url}"',
        f'username = "{platform.username}"',
        f'password = "{platform.password}"',
        "[server]",
        'listen = "127.0.0.1:0"',
        "[web]",
        'listen = "127.0.0.1:0"',
        "[snmp]",
        'listen = "127.0.0.1:0"',
        "timeout_seconds = 0.3",
        "retries = 0",
        "[snmp.credentials.right]",
        'community = "public"',
        "[snmp.credentials.wrong]",
        'community = "a-wrong-community"',
        "[logins.right]",
        f'username = "{firewall.username}"',
        f'password_file = "{folder / "password"}"',
    ]
    devices = {
        "fw-1": ("right", f'login = "right"\nssh_port = {firewall.port}'),
        "nexus-north-1": ("right", ""),
        "nexus-north-2": ("right", ""),
        "r640-01": ("wrong", ""),
    }
    for name, (credentials, more) in devices.items():
        device = kit[name]
        lines += [
            f"[devices.{name}]",
            f'address = "{device.address}"',
            f'kind = "{device.kind}"',
            f'snmp = "{credentials}"',
            f"snmp_port = {device.port}",
            more,
        ]
    file = folder / "vdx.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_check_tells_of_each_device_what_is_wrong(
    tmp_path: Path, kit: RunningNetwork, platform: RunningSimulator
) -> None:
    firewall = Device(Firewall("fw-1"), password="another one")
    kit.device("nexus-north-2", Nexus).silent = True
    try:
        with ssh_running(firewall):
            file = _settings(tmp_path, platform, kit, firewall)
            result = run_vdx("check", "--settings", str(file), folder=tmp_path)
    finally:
        kit.device("nexus-north-2", Nexus).silent = False
    lines = {line[7:45].strip(): line for line in result.stdout.splitlines() if len(line) > 45}
    assert result.returncode == 1
    assert lines["SNMP of fw-1"].startswith("ok")
    assert "N9K-C93180YC-FX3" in lines["SNMP of nexus-north-1"]
    assert lines["SNMP of nexus-north-2"].startswith("FAULT")
    assert "community" in lines["SNMP of r640-01"]
    assert lines["login of fw-1"].startswith("FAULT")
    assert "refuses" in lines["login of fw-1"]
    for secret in ("public", "a-wrong-community", PASSWORD):
        assert secret not in result.stdout + result.stderr


def test_once_ends_with_1_where_a_device_is_silent(
    tmp_path: Path, kit: RunningNetwork, platform: RunningSimulator
) -> None:
    firewall = Device(Firewall("fw-1"))
    with ssh_running(firewall):
        file = _settings(tmp_path, platform, kit, firewall)
    result = run_vdx("snmp-exporter", "--once", "--settings", str(file), folder=tmp_path)
    assert result.returncode == 1
    states = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines()}
    assert states == {"fw-1": "up", "nexus-north-1": "up", "nexus-north-2": "up", "r640-01": "down"}
