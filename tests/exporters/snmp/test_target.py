"""/snmp as a Prometheus calls it that is set up for snmp_exporter."""

import asyncio
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from exporters.serving import serve
from exporters.snmp.target import Targets
from simulator.network.ber import text, time_ticks
from simulator.network.testing import RunningNetwork
from tests.exporters.snmp.agents import (
    COMMUNITY,
    LOOPBACK,
    MODULES,
    Mannered,
    Samples,
    plain,
    secrets_in,
    standing,
)
from tests.exporters.snmp.serving import running_prometheus
from vdx.settings import DeviceSettings, ServerSettings, Settings, SNMPCredentials, SNMPSettings

NAME = "1.3.6.1.2.1.1.5.0"
VALUES = {NAME: text("it"), "1.3.6.1.2.1.1.3.0": time_ticks(60)}


def settings(
    *, devices: dict[str, DeviceSettings] | None = None, targets: tuple[str, ...] = (), **fields: Any
) -> Settings:
    """Settings with two credentials, of which `tests` is right."""
    credentials = {
        "tests": SNMPCredentials(community=SecretStr(COMMUNITY)),
        "others": SNMPCredentials(community=SecretStr("wrong-secret")),
    }
    return Settings(
        devices=devices or {},
        snmp=SNMPSettings(
            **{"credentials": credentials, "targets": targets, "timeout_seconds": 0.2, "retries": 0, **fields}
        ),
    )


def device(port: int, **fields: Any) -> DeviceSettings:
    """A device on loopback."""
    known: dict[str, Any] = {"address": LOOPBACK, "kind": "system", "snmp": "tests", "snmp_port": port}
    return DeviceSettings(**known | fields)


def asking(targets: Targets) -> httpx.AsyncClient:
    """A client of /snmp."""
    transport = httpx.ASGITransport(Starlette(routes=[targets.route]))
    return httpx.AsyncClient(transport=transport, base_url="http://exporter")


async def ask(known: Settings, seconds: str = "", **query: Any) -> httpx.Response:
    """One request; `seconds` is how long Prometheus says that it waits."""
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": seconds} if seconds else {}
    async with asking(Targets(known, MODULES)) as client:
        return await client.get("/snmp", params=query, headers=headers)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda port: "core-1", id="name"),
        pytest.param(lambda port: "udp://core-1", id="udp://name"),
        pytest.param(lambda port: LOOPBACK, id="address"),
        pytest.param(lambda port: f"{LOOPBACK}:{port}", id="address:port"),
        pytest.param(lambda port: f"udp://{LOOPBACK}:{port}", id="udp://"),
    ],
)
async def test_a_device_is_found_however_it_is_written(write: Callable[[int], str]) -> None:
    async with standing(plain(VALUES)) as agent:
        answer = await ask(settings(devices={"core-1": device(agent.port)}), target=write(agent.port))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = Samples(answer.text)
    assert samples.all.keys() >= {("sysName", frozenset({("sysName", "it")}))}
    assert samples.value("snmp_scrape_packets_sent") == 2
    assert samples.value("snmp_scrape_packets_retried") == 0
    assert 0 < (samples.value("snmp_scrape_walk_duration_seconds") or 0) < 5
    assert (samples.value("snmp_scrape_pdus_returned") or 0) >= 1


async def test_of_two_devices_at_an_address_the_port_tells_which() -> None:
    async with standing(plain(VALUES)) as agent, standing(plain({NAME: text("other")})) as other:
        known = settings(devices={"a": device(agent.port), "b": device(other.port)})
        answer = await ask(known, target=f"{LOOPBACK}:{other.port}")
    assert Samples(answer.text).value("sysName", sysName="other") == 1


async def test_any_address_of_a_network_may_be_asked_and_none_beside_it() -> None:
    async with standing(plain(VALUES)) as agent:
        target = f"{LOOPBACK}:{agent.port}"
        inside = settings(targets=("127.0.0.0/8", "::1/128"))
        assert (await ask(inside, target=target, auth="tests", module="system")).status_code == 200
        outside = settings(targets=("10.0.0.0/8",), devices={"core-1": device(9)})
        for refused in (target, "localhost", "core-2", f"localhost:{agent.port}", "[::1]:161"):
            answer = await ask(outside, target=refused, auth="tests", module="system")
            assert answer.status_code == 400
            assert "neither a device of the settings nor in snmp.targets" in answer.text
    assert agent.requests == 2


async def test_an_address_of_version_6_may_be_asked() -> None:
    loop = asyncio.get_running_loop()
    agent = Mannered(plain(VALUES))
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: agent, local_addr=("::1", 0), family=socket.AF_INET6
        )
    except OSError:
        pytest.skip("this machine has no IPv6")
    agent._transport = transport
    port = transport.get_extra_info("sockname")[1]
    known = settings(targets=("::1/128",), devices={"core-6": device(port, address="::1")})
    for target in (f"[::1]:{port}", f"udp://[::1]:{port}", "core-6", "::1"):
        answer = await ask(known, target=target, auth="tests", module="system")
        assert answer.status_code == 200, (target, answer.text)
    agent.stop()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "target is missing: /snmp\\?target="),
        ({"target": "core-1:x"}, "'x' is no port; write address:port"),
        ({"target": "core-1:99999"}, "'99999' is no port"),
        ({"target": "core-1", "module": "of_the_moon"}, "no module 'of_the_moon'; there are bgp"),
        ({"target": "core-1", "module": ["system", "moon"]}, "no module 'moon'"),
        (
            {"target": "core-1", "auth": "public_v2"},
            "auth 'public_v2' is not among snmp.credentials; there are: tests",
        ),
        ({"target": "spare"}, "auth '' is not among snmp.credentials"),
    ],
)
async def test_a_wrong_request_is_told_in_one_line(query: dict[str, Any], words: str) -> None:
    answer = await ask(settings(devices={"core-1": device(9), "spare": device(9, snmp="")}), **query)
    assert answer.status_code == 400
    assert answer.text.count("\n") == 1
    assert re.search(words, answer.text)
    assert not secrets_in(answer.text)


@pytest.mark.parametrize("query", [{"module": "system,if_mib"}, {"module": ["system", "if_mib"]}])
async def test_several_modules_can_be_asked_for(healthy_kit: RunningNetwork, query: dict[str, Any]) -> None:
    known = settings(devices={"san-1": device(healthy_kit["san-1"].port, kind="generic")})
    samples = Samples((await ask(known, target="san-1", **query)).text)
    assert {"sysName", "ifHCInOctets"} <= samples.names()
    assert "hrStorageUsed" not in samples.names()
    assert samples.value("ifHighSpeed", ifName="eth1", ifIndex="1", ifDescr="eth1", ifAlias="") == 25_000


async def test_a_silent_target_is_told_within_prometheus_s_time() -> None:
    async with standing(plain(VALUES, silent=True)) as agent:
        known = settings(devices={"core-1": device(agent.port)}, timeout_seconds=5)
        started = time.monotonic()
        answer = await ask(known, seconds="1.2", target="core-1")
        assert 0.6 < time.monotonic() - started < 1.1
    assert answer.status_code == 500
    assert "not done in 0.7 s" in answer.text


@pytest.mark.parametrize("auth", ["tests", "others"])
async def test_an_agent_that_does_not_answer_is_told_with_words(auth: str) -> None:
    async with standing(plain(VALUES, silent=auth == "tests")) as agent:
        answer = await ask(settings(devices={"core-1": device(agent.port)}), target="core-1", auth=auth)
    assert answer.status_code == 500
    assert "or the community is wrong" in answer.text
    assert not secrets_in(answer.text)


async def test_a_request_that_waits_in_vain_does_not_disturb_the_one_it_waits_for() -> None:
    async with standing(plain(VALUES, latency=0.35)) as agent:
        known = settings(devices={"core-1": device(agent.port)}, timeout_seconds=1)
        async with asking(Targets(known, MODULES)) as client:
            patient = asyncio.create_task(client.get("/snmp", params={"target": "core-1"}))
            await asyncio.sleep(0.05)
            hurried = await client.get(
                "/snmp",
                params={"target": "core-1"},
                headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.6"},
            )
            assert (await patient).status_code == 200
            again = await client.get("/snmp", params={"target": "core-1"})
    assert hurried.status_code == 500
    assert again.status_code == 200


async def test_many_requests_at_once_for_one_target_are_all_answered() -> None:
    async with standing(plain(VALUES)) as agent:
        async with asking(Targets(settings(devices={"core-1": device(agent.port)}), MODULES)) as client:
            answers = await asyncio.gather(
                *(client.get("/snmp", params={"target": "core-1"}) for _ in range(20))
            )
        assert [answer.status_code for answer in answers] == [200] * 20
        assert agent.requests == 40


async def test_sessions_are_kept_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporters.snmp.target.MOST_SESSIONS", 3)
    targets = Targets(settings(targets=("127.0.0.0/8",)), MODULES)
    async with standing(plain(VALUES)) as agent, asking(targets) as client:
        for last in (1, 1, 2, 3, 4, 5, 1):
            target = f"127.0.0.{last}:{agent.port}"
            query = {"target": target, "auth": "tests", "module": "system"}
            answer = await client.get("/snmp", params=query)
            assert answer.status_code == (200 if last == 1 else 500)
            assert len(targets._sessions) <= 3
        assert agent.requests == 3 * 2


@pytest.mark.parametrize("seconds", ["", "nan", "inf", "-3", "soon", "1e99"])
async def test_any_time_that_prometheus_may_say_is_borne(seconds: str) -> None:
    async with standing(plain(VALUES)) as agent:
        answer = await ask(settings(devices={"core-1": device(agent.port)}), seconds, target="core-1")
    assert answer.status_code == 200


JOB = """
global: {{ scrape_interval: 1s }}
scrape_configs:
  - job_name: snmp
    static_configs:
      - targets: ["{target}"]
    metrics_path: /snmp
    params:
      auth: [tests]
      module: [if_mib]
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: {exporter}
"""


async def test_a_prometheus_set_up_for_snmp_exporter_scrapes_it(
    healthy_kit: RunningNetwork, tmp_path: Path
) -> None:
    target = f"{LOOPBACK}:{healthy_kit['nexus-north-1'].port}"
    targets = Targets(settings(targets=("127.0.0.0/8",)), MODULES)
    application = Starlette(routes=[targets.route])
    async with serve(application, ServerSettings(listen="127.0.0.1:0"), "snmp") as url:
        job = JOB.format(target=target, exporter=url.removeprefix("http://"))
        found = await asyncio.to_thread(scraped, tmp_path, job)
    assert found["up"] == [({"instance": target, "job": "snmp"}, "1")]
    octets = {labels["ifName"]: labels for labels, _ in found["ifHCInOctets"]}
    assert len(octets) == 59
    assert octets["Ethernet1/1"] == {
        "instance": target,
        "job": "snmp",
        "ifName": "Ethernet1/1",
        "ifDescr": "Ethernet1/1",
        "ifAlias": "server 01",
        "ifIndex": "436207616",
    }
    assert len(found["ifType_info"]) == 59


def scraped(folder: Path, job: str) -> dict[str, list[tuple[dict[str, str], str]]]:
    """What a Prometheus with this job has after its first scrape."""
    found: dict[str, list[tuple[dict[str, str], str]]] = {}
    with running_prometheus(folder, job) as prometheus:
        for _ in range(100):
            for name in ("up", "ifHCInOctets", "ifType_info"):
                query = httpx.get(f"{prometheus}/api/v1/query", params={"query": name}, trust_env=False)
                result = query.json()["data"]["result"]
                found[name] = [
                    (
                        {key: value for key, value in one["metric"].items() if key != "__name__"},
                        one["value"][1],
                    )
                    for one in result
                ]
            if all(found.values()):
                break
            time.sleep(0.1)
    return found
