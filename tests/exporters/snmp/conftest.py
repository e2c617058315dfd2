"""Agents that more than one module of tests polls."""

from collections.abc import Iterator

import pytest

from simulator.network.testing import RunningNetwork, running
from tests.exporters.snmp.agents import COMMUNITY, TIME, Snmpd, running_snmpd


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets that are lost are sent again at once."""
    monkeypatch.setattr("exporters.snmp.agent.BACKOFF_SECONDS", 0.01)


@pytest.fixture(scope="session")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    """net-snmp's agent; who stops it starts it again."""
    with running_snmpd(tmp_path_factory.mktemp("snmpd")) as agent:
        yield agent


@pytest.fixture(scope="module")
def healthy_kit() -> Iterator[RunningNetwork]:
    """The stand-in kit in good health, whose clock stands; nobody changes it."""
    with running(servers=1, time=TIME, speed=0, community=COMMUNITY) as network:
        yield network


@pytest.fixture
def kit() -> Iterator[RunningNetwork]:
    """A kit of one's own, whose clock moves when it is told to."""
    with running(servers=1, time=TIME, speed=0, community=COMMUNITY) as network:
        yield network
