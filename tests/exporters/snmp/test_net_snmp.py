"""What is read of net-snmp's own agent is what net-snmp's own tools read of it."""

from pathlib import Path

import pytest

from exporters.snmp.access import Access
from exporters.snmp.agent import Agent
from exporters.snmp.faults import AgentError, Fault
from exporters.snmp.memory import Memory
from exporters.snmp.module import Module
from exporters.snmp.reading import Reading, read
from tests.databases import free_port
from tests.exporters.snmp.agents import (
    COMMUNITY,
    LOOPBACK,
    MODULES,
    QUICK,
    SETTINGS,
    USERS,
    Snmpd,
    poll,
    polled,
    running_snmpd,
    secrets_in,
    walked,
    way_to,
)

SYSTEM_NAME = "1.3.6.1.2.1.1.5.0"
BOOTS = "1.3.6.1.6.3.10.2.1.2.0"
MOVING = {
    *("sysUpTime", "snmpEngineTime", "hrSystemUptime", "memAvailReal", "memBuffer", "memCached"),
    *("ssCpuRawUser", "ssCpuRawSystem", "ssCpuRawIdle", "ssCpuRawWait", "laLoadInt", "hrProcessorLoad"),
    *("hrStorageUsed", "hrStorageSize", "dskPercent"),
    *("ifHCInOctets", "ifHCInUcastPkts", "ifHCOutOctets", "ifHCOutUcastPkts", "ifHCInMulticastPkts"),
    *("ifHCInBroadcastPkts", "ifHCOutMulticastPkts", "ifHCOutBroadcastPkts"),
}
"""Objects of a living machine; the others stand still for a test."""
RISING = {name for name in MOVING if name.startswith(("ifHC", "ssCpu"))} | {
    *("sysUpTime", "snmpEngineTime", "hrSystemUptime")
}


async def whole(way: Access, module: Module) -> Reading:
    """All that a module reads."""
    return await read(Agent(way, SETTINGS), module, Memory(), 20)


def printed(value: object) -> str:
    """A value as `walked` has it."""
    return "0x" + value.hex().upper() if isinstance(value, bytes) else str(value)


def flat(reading: Reading, module: Module) -> dict[tuple[str, str], str]:
    """Every object and label that was read: its name and OID -> value."""
    found = {
        (name, str(module.scalars[name].oid)): printed(value)
        for name, value in reading.scalars.items()
        if name in module.scalars
    }
    for table_name, columns in reading.tables.items():
        table = module.tables[table_name]
        for column, rows in columns.items():
            oid = table.column_oid(column)
            found |= {(column, f"{oid}.{index}"): printed(value) for index, value in rows.items()}
    for oid, rows in reading.labels.items():
        found |= {("label", f"{oid}.{index}"): printed(value) for index, value in rows.items()}
    return found


@pytest.mark.parametrize("kind", ["pexip-node", "generic"])
async def test_every_value_is_the_one_that_snmpbulkwalk_reads(snmpd: Snmpd, kind: str) -> None:
    module = MODULES.get(kind)
    before = walked(snmpd.port, "1.3.6.1")
    seen = flat(await whole(snmpd.access(), module), module)
    after = walked(snmpd.port, "1.3.6.1")
    assert len(seen) > 60
    for (name, oid), value in seen.items():
        if name not in MOVING:
            assert value in {before[oid], after[oid]}, (name, oid)
        elif name in RISING and int(after[oid]) >= int(before[oid]):
            assert int(before[oid]) <= int(value) <= int(after[oid]), (name, oid)
    oids = [str(scalar.oid) for scalar in module.scalars.values()]
    oids += [table.column_oid(column) for table in module.tables.values() for column in table.columns]
    skipped = [module.tables["ifTable32"].column_oid(column) for column in module.tables["ifTable32"].columns]
    wanted = {
        oid
        for oid in set(before) & set(after)
        if any(oid == known or oid.startswith(f"{known}.") for known in oids if known not in skipped)
    }
    assert not wanted - {oid for _, oid in seen}


async def test_each_pair_of_algorithms_reads_the_same(snmpd: Snmpd) -> None:
    module = MODULES.get("if_mib")
    plainly = flat(await whole(snmpd.access(), module), module)
    for algorithms in USERS:
        secretly = flat(await whole(snmpd.user(algorithms), module), module)
        assert secretly.keys() == plainly.keys()
        for key, value in secretly.items():
            assert key[0] in MOVING or value == plainly[key], (algorithms, key)


@pytest.mark.parametrize("algorithms", ["SHA-1/AES-256"])
async def test_the_other_expansion_of_a_short_key_is_not_understood(snmpd: Snmpd, algorithms: str) -> None:
    agent = Agent(snmpd.user(algorithms, key_expansion="cisco"), QUICK)
    with pytest.raises(AgentError, match="key_expansion") as raised:
        await agent.open()
    assert raised.value.fault is Fault.PRIVACY


@pytest.mark.parametrize("forgetful", [False, True], ids=["the same engine", "another engine"])
@pytest.mark.parametrize("version", ["v2c", "v3"])
async def test_an_agent_that_started_again_is_read_in_the_next_poll(
    tmp_path: Path, version: str, forgetful: bool
) -> None:
    with running_snmpd(tmp_path / "snmpd") as own:
        way = own.access() if version == "v2c" else own.user("SHA-256/AES-128")
        agent = Agent(way, QUICK)
        await agent.open()
        before, engine = await agent.scalars([BOOTS]), agent.engine_id
        own.restart(forgetful=forgetful)
        await agent.open()
        after = await agent.scalars([BOOTS])
        assert after[BOOTS] == (1 if forgetful else int(str(before[BOOTS])) + 1)
        assert (engine is None) == (version == "v2c")
        if engine is not None:
            assert (agent.engine_id == engine) is not forgetful
        assert agent.retries == 0


SHA_AES = "SHA-256/AES-128"


@pytest.mark.parametrize(
    ("fields", "fault", "words"),
    [
        ({"community": "wrong-secret"}, Fault.TIMEOUT, "community is wrong"),
        ({"username": "wrong-user"}, Fault.AUTHENTICATION, "check the user name"),
        ({"authentication_key": "wrong-secret"}, Fault.AUTHENTICATION, "authentication and its key"),
        ({"authentication": "SHA-512"}, Fault.AUTHENTICATION, "authentication and its key"),
        ({"privacy_key": "wrong-secret"}, Fault.PRIVACY, "wrong privacy key"),
        ({"privacy": "AES-256"}, Fault.PRIVACY, "check privacy"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_wrong_credentials_are_named_without_the_secret(
    snmpd: Snmpd, fields: dict[str, str], fault: Fault, words: str
) -> None:
    way = snmpd.access(**fields) if "community" in fields else snmpd.user(SHA_AES, **fields)
    with pytest.raises(AgentError, match=words) as raised:
        await whole_quickly(way)
    assert raised.value.fault is fault
    assert not secrets_in(str(raised.value) + repr(raised.value) + repr(way) + str(way))


async def whole_quickly(way: Access) -> Reading:
    """A poll that does not wait long for what does not come."""
    return await read(Agent(way, QUICK), MODULES.get("system"), Memory(), 20)


@pytest.mark.parametrize("version", ["v2c", "v3"])
async def test_a_closed_port_is_told_at_once(snmpd: Snmpd, version: str) -> None:
    way = way_to(free_port())
    if version == "v3":
        known = snmpd.user(SHA_AES)
        way = Access(
            address=LOOPBACK,
            port=way.port,
            username="it",
            authentication_key=known.authentication_key,
            privacy_key=known.privacy_key,
        )
    with pytest.raises(AgentError, match="nothing listens on that port") as raised:
        await read(Agent(way, SETTINGS), MODULES.get("system"), Memory(), 1.8)
    assert raised.value.fault is Fault.TIMEOUT


async def test_a_host_that_nobody_knows_is_named() -> None:
    way = Access(address="no-such-host.invalid", community=COMMUNITY)
    with pytest.raises(AgentError, match=r"no-such-host\.invalid.*check the device's address") as raised:
        await whole_quickly(way)
    assert raised.value.fault is Fault.ADDRESS


async def test_faults_are_logged_once_until_they_are_mended(tmp_path: Path, log: list[str]) -> None:
    with running_snmpd(tmp_path / "snmpd") as own:
        device = polled(own.port, "system", settings=QUICK)
        assert (await poll(device)).value("snmp_up", device="it") == 1
        own.stop()
        for _ in range(3):
            assert (await poll(device)).value("snmp_up", device="it") == 0
        own.start()
        assert (await poll(device)).value("snmp_up", device="it") == 1
    assert [line.partition(":")[0] for line in log] == ["it", "it"]
    assert "nothing listens" in log[0]
    assert "is read again" in log[1]
    assert not secrets_in("".join(log))
