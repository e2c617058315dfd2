"""Agents for the tests: net-snmp's own, and stand-ins whose values and manners a test sets."""

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.snmp.access import Access
from exporters.snmp.device import Device
from exporters.snmp.exporter import merged
from exporters.snmp.library import Modules
from exporters.snmp.module import Module
from simulator.network import device as stand_in
from simulator.network.agent import Agent as StandIn
from simulator.network.ber import oid
from simulator.network.view import Objects, Value
from tests.databases import free_port
from vdx.settings import DeviceSettings, SNMPSettings

LOOPBACK: Final = "127.0.0.1"
COMMUNITY: Final = "community-of-tests"
AUTHENTICATION_KEY: Final = "authentication key of tests"
PRIVACY_KEY: Final = "privacy key of tests"
SETTINGS: Final = SNMPSettings(timeout_seconds=2, retries=1)
QUICK: Final = SNMPSettings(timeout_seconds=0.2, retries=1)
"""For agents that are silent."""
MODULES: Final = Modules()
TIME: Final = 1_795_513_200.0
"""At which the stand-ins' clock stands."""
CONFIGURATION: Final = """
agentAddress udp:127.0.0.1:{port}
rocommunity {community} 127.0.0.1
sysName snmpd-of-tests
sysLocation here
sysContact nobody
disk / 10%
"""
USERS: Final = {
    f"{authentication}/{privacy}": f"{authentication}-{privacy}".lower()
    for authentication in ("SHA-1", "SHA-256", "SHA-512")
    for privacy in ("AES-128", "AES-256")
}
"""Algorithms -> the user who has them."""


class Snmpd:
    """net-snmp's agent on a loopback port of its own, with a community and a user for each pair of
    algorithms; its boots are kept while it is started again."""

    address = LOOPBACK

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "state").mkdir(parents=True)
        lines = [CONFIGURATION.format(port=self.port, community=COMMUNITY)]
        for algorithms, user in USERS.items():
            authentication, privacy = (
                algorithms.replace("SHA-1/", "SHA/").replace("AES-128", "AES").split("/")
            )
            lines.append(
                f'createUser {user} {authentication} "{AUTHENTICATION_KEY}" {privacy} "{PRIVACY_KEY}"\n'
                f"rouser {user} priv\n"
            )
        (folder / "snmpd.conf").write_text("".join(lines))

    def start(self) -> None:
        """Start, and wait until it answers. Fails when snmpd is missing or does not start."""
        program = shutil.which("snmpd", path="/usr/sbin:/usr/bin")
        if program is None:
            pytest.fail("snmpd is not installed; install the Debian package snmpd", pytrace=False)
        self._process = subprocess.Popen(
            [program, "-f", "-r", "-I", "-smux,agentx", "-Lf", str(self._folder / "log")],
            env={
                **os.environ,
                "SNMP_PERSISTENT_DIR": str(self._folder / "state"),
                "MIBS": "",
                "SNMPCONFPATH": f"{self._folder}:{self._folder / 'state'}",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 20
        while time.monotonic() < end and self._process.poll() is None:
            if " = " in net_snmp("snmpget", self.port, "1.3.6.1.2.1.1.3.0", options=("-t", "0.2")):
                return
        pytest.fail(f"snmpd did not start: {(self._folder / 'log').read_text()}", pytrace=False)

    def restart(self, *, forgetful: bool = False) -> None:
        """Stop and start it; a forgetful one comes back as another engine, which has never booted."""
        self.stop()
        if forgetful:
            shutil.rmtree(self._folder / "state")
            (self._folder / "state").mkdir()
        self.start()

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def access(self, **fields: str) -> Access:
        """The way to it, by its community or as one of its users."""
        return Access(address=LOOPBACK, port=self.port, **(fields or {"community": COMMUNITY}))

    def user(self, algorithms: str, **fields: str) -> Access:
        """The way to it with a pair of algorithms, such as SHA-256/AES-128."""
        authentication, privacy = algorithms.split("/")
        return self.access(
            **{
                "username": USERS[algorithms],
                "authentication": authentication,
                "authentication_key": AUTHENTICATION_KEY,
                "privacy": privacy,
                "privacy_key": PRIVACY_KEY,
                "key_expansion": "blumenthal",
                **fields,
            }
        )


@contextmanager
def running_snmpd(folder: Path) -> Iterator[Snmpd]:
    """A real agent that runs until the end of the block."""
    snmpd = Snmpd(folder)
    snmpd.start()
    try:
        yield snmpd
    finally:
        snmpd.stop()


def net_snmp(
    program: str, port: int, *arguments: str, community: str = COMMUNITY, options: Iterable[str] = ()
) -> str:
    """What a tool of net-snmp prints: numbers for names, and values without their types."""
    path = shutil.which(program)
    if path is None:
        pytest.fail(f"{program} is not installed; install the Debian package snmp", pytrace=False)
    done = subprocess.run(
        [
            path,
            *("-v2c", "-c", community, "-m", "", "-r", "0", "-t", "2", *options),
            *("-On", "-Oe", "-OU", "-Ot", "-Ox"),
            f"{LOOPBACK}:{port}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=30,
    )
    return done.stdout + done.stderr


def walked(port: int, root: str, community: str = COMMUNITY) -> dict[str, str]:
    """All below a root by snmpbulkwalk: OID -> value, text as hexadecimal digits after `0x`."""
    lines: list[str] = []
    for line in net_snmp("snmpbulkwalk", port, root, community=community).splitlines():
        if line.startswith(".") or not lines:
            lines.append(line)
        else:
            lines[-1] += line
    pairs = (line.partition(" = ") for line in lines)
    return {name.removeprefix("."): _plain(value) for name, _, value in pairs if not value.startswith("No ")}


def _plain(printed: str) -> str:
    if printed.startswith("Hex-STRING:"):
        return "0x" + printed.removeprefix("Hex-STRING:").replace(" ", "")
    value = printed.partition(": ")[2] or printed
    return "0x" if value == '""' else value.strip('"').removeprefix(".")


@dataclass(kw_only=True)
class Plain(stand_in.Device):
    """A device that shows what it is given: OID -> encoded value. For other values another set is set."""

    kind = "generic"
    values: Mapping[str, Value]

    def objects(self) -> Objects:
        """The values."""
        for name, value in self.values.items():
            yield oid(name), value


def plain(values: Mapping[str, Value], **fields: Any) -> Plain:
    """A device with these values; its clock stands."""
    return Plain(
        name="plain", clock=lambda: TIME, booted=TIME - 86400, community=COMMUNITY, values=values, **fields
    )


Manner: TypeAlias = Callable[[bytes | None], Iterable[tuple[float, bytes]]]
"""What is sent for an answer: seconds of waiting, and a datagram, for each."""


class Mannered(StandIn):
    """An agent with a manner."""

    manner: Manner | None = None
    asked = b""
    """The last datagram that came."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer by the manner."""
        self.asked = data
        if self.manner is None:
            super().datagram_received(data, addr)
            return
        for seconds, datagram in self.manner(self.answer(data)):
            asyncio.get_running_loop().call_later(seconds, self._send, datagram, addr)


@asynccontextmanager
async def standing(device: stand_in.Device, manner: Manner | None = None) -> AsyncIterator[Mannered]:
    """An agent for a device, in the test's own event loop."""
    agent = Mannered(device)
    agent.manner = manner
    await agent.start()
    try:
        yield agent
    finally:
        agent.stop()


def way_to(port: int, community: str = COMMUNITY) -> Access:
    """The way to an agent with a community on loopback."""
    return Access(address=LOOPBACK, port=port, community=community)


def polled(
    port: int,
    kind: str | Module,
    *,
    name: str = "it",
    community: str = COMMUNITY,
    settings: SNMPSettings = SETTINGS,
    interval: float | None = None,
) -> Device:
    """A device of the inventory with an agent on loopback, polled by the test's word. `interval` may be
    shorter than settings allow."""
    module = MODULES.get(kind) if isinstance(kind, str) else kind
    device = Device(
        name,
        DeviceSettings(address=LOOPBACK, kind=module.name, site="north", snmp_port=port),
        settings=settings,
        module=module,
        way=way_to(port, community),
    )
    if interval is not None:
        device.interval = interval
    return device


Labels: TypeAlias = frozenset[tuple[str, str]]


class Samples:
    """The samples of an exposition text, read by prometheus-client; none may come twice."""

    def __init__(self, text: str) -> None:
        self.all: dict[tuple[str, Labels], float] = {}
        written = set(re.findall(r"^\w+", text, re.MULTILINE))
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                # The library gives counters the ending _total, whether they have it or not.
                name = sample.name if sample.name in written else sample.name.removesuffix("_total")
                key = name, frozenset(sample.labels.items())
                assert key not in self.all, f"{key} comes twice"
                self.all[key] = sample.value

    def value(self, name: str, **labels: str) -> float | None:
        """The one sample that has these labels, and perhaps others."""
        found = self.where(name, **labels)
        assert len(found) <= 1, f"{name} {labels} are {len(found)}"
        return next(iter(found.values()), None)

    def where(self, name: str, **labels: str) -> dict[Labels, float]:
        """The samples that have these labels, and perhaps others."""
        wanted = set(labels.items())
        return {key[1]: value for key, value in self.all.items() if key[0] == name and wanted <= key[1]}

    def by(self, name: str, label: str) -> dict[str, float]:
        """The samples of a family by one label."""
        return {dict(labels)[label]: value for labels, value in self.where(name).items()}

    def names(self) -> set[str]:
        """The families that have a sample."""
        return {name for name, _ in self.all}


def shown(device: Device, now: float | None = None) -> Samples:
    """What /metrics shows of a device."""
    return Samples(merged(device.text(time.monotonic() if now is None else now)))


async def poll(device: Device) -> Samples:
    """Polls a device, and what is then shown."""
    await device.poll()
    return shown(device)


def secrets_in(text: str) -> list[str]:
    """The secrets of these tests that a text has."""
    return re.findall(f"{COMMUNITY}|{AUTHENTICATION_KEY}|{PRIVACY_KEY}|wrong-secret", text)
