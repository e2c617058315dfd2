"""From a fault of the kit to an alert: stand-in agents, SNMP exporter, Prometheus with the shipped rules."""

import asyncio
import json
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exporters.server import application
from exporters.serving import serve
from exporters.snmp.device import Device
from exporters.snmp.exporter import SNMPExporter, devices, modules
from simulator.network.fortigate import FortiGate
from simulator.network.idrac import IDRAC
from simulator.network.nexus import Nexus
from simulator.network.testing import RunningNetwork, running
from tests.databases import free_port
from vdx.settings import ServerSettings, Settings
from vdx.telemetry import process_registry

RULES: Final = Path(__file__).parents[2] / "alerts" / "rules" / "network.yml"
PACE: Final = 2
"""Seconds from poll to poll and from scrape to scrape; rules are evaluated each second."""
SECONDS: Final = 40.0
"""Within which an alert fires. Flapping takes longest: it is seen in the fifth scrape."""
QUIET_SECONDS: Final = 6.0
"""How long a healthy kit is watched: several polls, scrapes and evaluations."""

Alert = tuple[str, str, str]
"""Name, device, and the part that it is about."""


@dataclass
class Chain:
    """A kit that is watched: `alerts` asks Prometheus, `notified` is what Alertmanager told the webhook."""

    kit: RunningNetwork
    prometheus: str
    client: httpx.AsyncClient
    notified: list[dict[str, Any]] = field(default_factory=list)

    async def alerts(self) -> set[Alert]:
        """All alerts that are pending or fire."""
        answer = await self.client.get(f"{self.prometheus}/api/v1/alerts")
        found = [alert["labels"] for alert in answer.raise_for_status().json()["data"]["alerts"]]
        parts = ("part", "ifName", "name", "fgHaStatsHostname")
        return {
            (one["alertname"], one["device"], next((one[part] for part in parts if part in one), ""))
            for one in found
        }

    async def query(self, expression: str) -> float | None:
        """The value of an expression with one result; None where it has none."""
        answer = await self.client.get(f"{self.prometheus}/api/v1/query", params={"query": expression})
        result = answer.raise_for_status().json()["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    async def sees_all_up(self) -> None:
        """Prometheus has had figures of each device."""
        end = time.monotonic() + SECONDS
        while await self.query("count(snmp_up == 1)") != len(self.kit.devices):
            assert time.monotonic() < end
            await asyncio.sleep(0.2)

    async def settles(self, expected: set[Alert]) -> None:
        """Exactly these alerts come up, and stay."""
        end = time.monotonic() + SECONDS
        while (found := await self.alerts()) != expected:
            assert time.monotonic() < end, f"missing {expected - found}, too many {found - expected}"
            await asyncio.sleep(0.2)
        await asyncio.sleep(PACE)
        assert await self.alerts() == expected


async def eventually(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


@asynccontextmanager
async def program(*command: str, ready: str) -> AsyncIterator[None]:
    """A program that answers at a URL, until the end of the block."""
    path = shutil.which(command[0])
    assert path, f"{command[0]} is not installed; install the Debian package {command[0]}"
    log = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(path, *command[1:], stdout=log, stderr=log)
    try:
        async with httpx.AsyncClient() as client:
            end = time.monotonic() + SECONDS
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get(ready)).status_code == 200:
                        break
                assert time.monotonic() < end, f"{command[0]} did not get ready"
                assert process.returncode is None, f"{command[0]} ended with status {process.returncode}"
                await asyncio.sleep(0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def settings(kit: RunningNetwork) -> Settings:
    """The kit as an inventory, asked without much patience."""
    inventory = {
        device.name: {
            "address": device.address,
            "snmp_port": device.port,
            "kind": device.kind,
            "site": device.site,
            "snmp": "all",
        }
        for device in kit.devices.values()
    }
    return Settings.model_validate(
        {
            "pexip": {"url": "https://manager.example.org", "username": "nobody", "password": "nothing"},
            "devices": inventory,
            "snmp": {
                "credentials": {"all": {"community": "public"}},
                "timeout_seconds": 1,
                "retries": 1,
                "interval_seconds": 30,
            },
        }
    )


async def poll(device: Device) -> None:
    """Polls at the pace of the test, since settings do not go below ten seconds."""
    while True:
        await asyncio.gather(device.poll(), asyncio.sleep(PACE))


def hasty_rules(folder: Path) -> Path:
    """The shipped rules, with all patience taken out of them."""
    hasty = folder / "rules.yml"
    hasty.write_text(re.sub(r"\bfor: \w+", "for: 1s", RULES.read_text(encoding="utf-8")), encoding="utf-8")
    return hasty


def prometheus_file(folder: Path, exporter: str, alertmanager: int) -> Path:
    """prometheus.yml, in a hurry. JSON is valid YAML."""
    file = folder / "prometheus.yml"
    pace = dict.fromkeys(("scrape_interval", "scrape_timeout"), f"{PACE}s")
    content = {
        "global": {**pace, "evaluation_interval": "1s"},
        "rule_files": [str(hasty_rules(folder))],
        "scrape_configs": [{"job_name": "snmp", "static_configs": [{"targets": [exporter]}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def alertmanager_file(folder: Path, webhook: str) -> Path:
    """alertmanager.yml: pages go to the webhook, tickets nowhere."""
    file = folder / "alertmanager.yml"
    content = {
        "route": {
            "receiver": "nobody",
            "routes": [
                {
                    "matchers": ["severity = page"],
                    "receiver": "on-call",
                    "group_by": ["alertname"],
                    "group_wait": "0s",
                }
            ],
        },
        "receivers": [
            {"name": "nobody"},
            {"name": "on-call", "webhook_configs": [{"url": f"{webhook}/alerts"}]},
        ],
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    """The whole way from the kit to on-call."""
    notified: list[dict[str, Any]] = []

    async def receive(request: Request) -> Response:
        notified.extend((await request.json())["alerts"])
        return Response()

    prometheus, alertmanager = free_port(), free_port()
    anywhere = ServerSettings(listen="127.0.0.1:0")
    async with AsyncExitStack() as stack:
        kit = stack.enter_context(running(servers=6))
        wanted = settings(kit)
        polled = devices(wanted, modules(wanted))
        url = await stack.enter_async_context(
            serve(application(SNMPExporter(polled, process_registry()), anywhere), anywhere)
        )
        receiver = Starlette(routes=[Route("/alerts", receive, methods=["POST"])])
        webhook = await stack.enter_async_context(serve(receiver, anywhere))
        client = await stack.enter_async_context(httpx.AsyncClient())
        polling = asyncio.gather(*(poll(device) for device in polled))
        stack.callback(polling.cancel)
        await stack.enter_async_context(
            program(
                "prometheus-alertmanager",
                f"--config.file={alertmanager_file(tmp_path, webhook)}",
                f"--storage.path={tmp_path / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{alertmanager}",
                "--cluster.listen-address=",
                ready=f"http://127.0.0.1:{alertmanager}/-/ready",
            )
        )
        exporter = url.removeprefix("http://")
        await stack.enter_async_context(
            program(
                "prometheus",
                f"--config.file={prometheus_file(tmp_path, exporter, alertmanager)}",
                f"--storage.tsdb.path={tmp_path / 'blocks'}",
                f"--web.listen-address=127.0.0.1:{prometheus}",
                ready=f"http://127.0.0.1:{prometheus}/-/ready",
            )
        )
        yield Chain(kit, f"http://127.0.0.1:{prometheus}", client, notified)
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling


async def test_a_healthy_kit_is_quiet_and_each_fault_fires_its_own_alert_alone(chain: Chain) -> None:
    kit = chain.kit
    await chain.sees_all_up()
    end = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < end:
        assert await chain.alerts() == set()
        await asyncio.sleep(0.5)

    firewall = kit.device("fw-1", FortiGate)
    firewall.cluster.switch()
    firewall.tunnel_down("vpn-region")
    firewall.power_supplies[0].failed = True
    kit.device("nexus-north-1", Nexus).power_supplies[1].failed = True
    kit.device("nexus-north-2", Nexus).link_down("Ethernet1/1")
    # It goes down for so short a time that polls see it up, with another ifLastChange each time.
    kit.device("nexus-south-1", Nexus).flap("Ethernet1/2", every=1, down=1e-6)
    kit.device("nexus-south-1", Nexus).bgp_peers[0].state = 3
    kit.device("nexus-south-2", Nexus).silent = True
    servers = [kit.device(f"r640-{number:02}", IDRAC) for number in range(1, 7)]
    servers[0].power_supplies[0].failed = True
    servers[1].fans[4].failed = True
    servers[2].physical_disks[2].predicts_failure = True
    servers[3].virtual_disks[1].degraded = True
    servers[4].temperature("CPU1 Temp").celsius = 105
    servers[5].silent = True
    kit["san-1"].device.reboot()
    faults: set[Alert] = {
        ("ClusterSwitched", "fw-1", ""),
        ("ConnectionDown", "fw-1", "vpn-region-phase2"),
        ("PowerSupplyFailed", "fw-1", "PS1"),
        ("PowerSupplyFailed", "nexus-north-1", "PowerSupply-2"),
        ("InterfaceDown", "nexus-north-2", "Ethernet1/1"),
        ("InterfaceFlapping", "nexus-south-1", "Ethernet1/2"),
        ("ConnectionDown", "nexus-south-1", "10.255.0.1"),
        ("NetworkDeviceUnreachable", "nexus-south-2", ""),
        ("PowerSupplyFailed", "r640-01", "PS1"),
        ("FanFailed", "r640-02", "System Board Fan5"),
        ("DiskPredictsFailure", "r640-03", "Physical Disk 0:1:2"),
        ("ArrayDegraded", "r640-04", "Data"),
        ("TemperatureCritical", "r640-05", "CPU1 Temp"),
        ("DeviceUnreachable", "r640-06", ""),
        ("DeviceRestarted", "san-1", ""),
    }
    await chain.settles(faults)

    firewall.cluster.standby.lost = True
    lost = {("ClusterMemberLost", "fw-1", ""), ("NetworkDeviceUnreachable", "fw-2", "")}
    await chain.settles(faults | lost)
    assert await chain.query('snmp_up{device="fw-1"}') == 1

    await eventually(
        lambda: any(alert["labels"]["alertname"] == "ClusterMemberLost" for alert in chain.notified)
    )
    assert {alert["labels"]["severity"] for alert in chain.notified} == {"page"}
    page = next(one for one in chain.notified if one["labels"]["alertname"] == "ClusterMemberLost")
    assert page["labels"]["device"] == "fw-1"
    assert page["annotations"]["runbook_url"] == "/runbooks/ClusterMemberLost"

    firewall.cluster.standby.lost = False
    servers[5].silent = False
    await chain.settles(faults - {("DeviceUnreachable", "r640-06", "")})
