"""Sending real traps with net-snmp's commands, and reading what the listener made of them."""

import asyncio
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from exporters.snmp.traps.listener import Trap, TrapListener
from vdx.settings import DeviceSettings, Settings, SNMPCredentials, SNMPSettings, TrapSettings

COMMUNITY: Final = "quiet-lamp"
AUTHENTICATION_KEY: Final = "meadow-lark-17"
PRIVACY_KEY: Final = "granite-bell-42"
ENGINE: Final = "8000304404766478666f727469"
LINK_DOWN: Final = (
    "1.3.6.1.6.3.1.1.5.3",
    *("1.3.6.1.2.1.2.2.1.1.3", "i", "3"),
    *("1.3.6.1.2.1.2.2.1.8.3", "i", "2"),
    *("1.3.6.1.2.1.31.1.1.1.1.3", "s", "Ethernet1/3"),
)

CREDENTIALS: Final = {
    "switches": SNMPCredentials(community=SecretStr(COMMUNITY)),
    "firewalls": SNMPCredentials(
        username="vdxwatch",
        authentication="SHA-256",
        authentication_key=SecretStr(AUTHENTICATION_KEY),
        privacy="AES-128",
        privacy_key=SecretStr(PRIVACY_KEY),
    ),
}


def settings(address: str = "127.0.0.1", per_second: int = 200, **credentials: SNMPCredentials) -> Settings:
    """One device of each kind that matters; only the switch is at `address`."""
    return Settings(
        snmp=SNMPSettings(credentials=CREDENTIALS | credentials),
        traps=TrapSettings(listen="127.0.0.1:0", per_second=per_second),
        devices={
            "core1": DeviceSettings(address=address, kind="nexus", site="north"),
            "fw1": DeviceSettings(address="127.0.0.2", kind="fortigate", site="south"),
        },
    )


class Watched:
    """A listener with a registry of its own."""

    def __init__(self, own: Settings | None = None) -> None:
        self.registry = CollectorRegistry()
        self.listener = TrapListener(own or settings(), self.registry)

    def value(self, metric: str, **labels: str) -> float | None:
        """The value of a series; None where there is none."""
        return self.registry.get_sample_value(metric, labels)

    async def trap(self, count: int = 1) -> Trap:
        """The latest trap, once so many have come."""
        await eventually(lambda: len(self.listener.recent) >= count)
        return self.listener.recent[0]

    async def settles(self, metric: str, value: float, **labels: str) -> None:
        """Waits until a series has a value."""
        await eventually(lambda: self.value(metric, **labels) == value)


async def eventually(happened: Callable[[], bool]) -> None:
    """Waits until something has happened, up to five seconds."""
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110 - what is waited for comes by way of the network
            await asyncio.sleep(0.005)


def program(name: str) -> str:
    """The path of a program of the Debian package snmp."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not installed; install the Debian package snmp", pytrace=False)
    return path


def v3(
    *options: str,
    authentication: str = "SHA-256",
    privacy: str = "AES",
    authentication_key: str = AUTHENTICATION_KEY,
    privacy_key: str = PRIVACY_KEY,
    user: str = "vdxwatch",
) -> tuple[str, ...]:
    """Options of a user that signs and encrypts."""
    return (
        *("-v3", "-l", "authPriv", "-u", user),
        *("-a", authentication, "-A", authentication_key),
        *("-x", privacy, "-X", privacy_key),
        *options,
    )


async def send(
    command: str, port: int, options: Sequence[str], trap: Sequence[str], folder: Path, source: str = ""
) -> tuple[int | None, str]:
    """Runs snmptrap or snmpinform; its exit status and what it says."""
    process = await asyncio.create_subprocess_exec(
        program(command),
        *("-r", "1", "-t", "1", "-m", ""),
        *options,
        *(("--clientaddr=" + source,) if source else ()),
        f"127.0.0.1:{port}",
        *(trap if "-v1" in options else ("", *trap)),
        env={"SNMP_PERSISTENT_DIR": str(folder), "SNMPCONFPATH": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def captured(options: Sequence[str], trap: Sequence[str], folder: Path) -> bytes:
    """The datagram that snmptrap sends."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        status, output = await send("snmptrap", listener.getsockname()[1], options, trap, folder)
        assert status == 0, output
        async with asyncio.timeout(5):
            return await loop.sock_recv(listener, 65535)
