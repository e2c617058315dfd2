"""Our /snmp beside Debian's snmp_exporter with its published module, asked for the same agents."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from exporters.snmp.target import Targets
from simulator.network.testing import RunningNetwork
from tests.exporters.snmp.agents import COMMUNITY, LOOPBACK, MODULES, Samples, Snmpd
from tests.exporters.snmp.serving import running_snmp_exporter
from vdx.settings import Settings, SNMPCredentials, SNMPSettings

MOVING = ("Octets", "Pkts", "Discards", "Errors")


@pytest.fixture(scope="module")
def snmp_exporter() -> Iterator[str]:
    """The /snmp of Debian's exporter."""
    with running_snmp_exporter() as (url, _):
        yield url


async def ours(port: int) -> Samples:
    """What our /snmp tells of an agent's interfaces."""
    credentials = {"tests": SNMPCredentials(community=SecretStr(COMMUNITY))}
    known = Settings(snmp=SNMPSettings(credentials=credentials, targets=("127.0.0.0/8",)))
    transport = httpx.ASGITransport(Starlette(routes=[Targets(known, MODULES).route]))
    query = {"target": f"{LOOPBACK}:{port}", "module": "if_mib", "auth": "tests"}
    async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
        answer = await client.get("/snmp", params=query)
    assert answer.status_code == 200, answer.text
    return Samples(answer.text)


async def theirs(url: str, port: int, module: str) -> Samples:
    """What snmp_exporter tells."""
    query = {"target": f"{LOOPBACK}:{port}", "module": module}
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        answer = await client.get(url, params=query)
    assert answer.status_code == 200, answer.text
    return Samples(answer.text)


def of_interfaces(samples: Samples) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The samples that an agent has told, without those of the exporter itself."""
    return {key: value for key, value in samples.all.items() if key[0].startswith("if")}


@pytest.mark.parametrize("module", ["if_mib", "if_mib_columns"])
async def test_a_switch_s_interfaces_are_told_alike(
    healthy_kit: RunningNetwork, snmp_exporter: str, module: str
) -> None:
    port = healthy_kit["nexus-north-1"].port
    own, other = of_interfaces(await ours(port)), of_interfaces(await theirs(snmp_exporter, port, module))
    assert len(own) == 2 + 59 * 20
    assert own == other


async def test_a_real_agent_s_interfaces_are_told_alike(snmpd: Snmpd, snmp_exporter: str) -> None:
    before = of_interfaces(await theirs(snmp_exporter, snmpd.port, "if_mib"))
    own = of_interfaces(await ours(snmpd.port))
    after = of_interfaces(await theirs(snmp_exporter, snmpd.port, "if_mib"))
    assert own.keys() == before.keys()
    for key, value in own.items():
        if key[0].endswith(MOVING) and after[key] >= before[key]:
            assert before[key] <= value <= after[key], key
        else:
            assert value in (before[key], after[key]), key


async def test_both_tell_the_same_of_themselves(snmpd: Snmpd, snmp_exporter: str) -> None:
    other = await theirs(snmp_exporter, snmpd.port, "if_mib")
    said = {name for name in other.names() if name.startswith("snmp_scrape")}
    assert said <= (await ours(snmpd.port)).names() | {"snmp_scrape_packets_retried"}
    assert "snmp_scrape_walk_duration_seconds" in said
