"""The stand-in's network kit for the demonstration: SNMP agents in a child process, SSH beside it."""

import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from app.demo_process import child
from vdx.settings import (
    AssetSettings,
    DeviceSettings,
    LoginSettings,
    Settings,
    SettingsError,
    SNMPCredentials,
    SNMPSettings,
)

NAME: Final = "demo"
SERVICE_DAYS: Final = {"idrac": 75, "generic": 25, "fortigate": 160}
"""Kind of device -> days of service left in the register."""
MISMATCHED: Final = "r640-13"
START_SECONDS: Final = 20.0


class _Agent(msgspec.Struct):
    name: str
    kind: str
    site: str
    address: str
    port: int
    community: str
    model: str
    serial: str


class _Estate(msgspec.Struct):
    devices: list[_Agent]


@asynccontextmanager
async def network_kit(settings: Settings, folder: Path) -> AsyncIterator[dict[str, Any]]:
    """Runs the kit while the block runs; gives the settings that watch it, by section.

    Nothing runs, and no settings change, where the network extra is not installed. Raises SettingsError
    when the agents do not start.
    """
    if find_spec("gufo") is None or find_spec("asyncssh") is None:
        yield {}
        return
    async with AsyncExitStack() as stack:
        command = (sys.executable, "-m", "simulator.network", "--lively")
        line = await stack.enter_async_context(child(command, START_SECONDS))
        try:
            estate = msgspec.json.decode(line, type=_Estate)
        except msgspec.DecodeError:
            raise SettingsError(
                "the stand-in network kit did not start; to see why: python -m simulator.network"
            ) from None
        password = folder / "ssh-password"
        password.write_text(secrets.token_urlsafe(), encoding="utf-8")
        password.chmod(0o600)
        ports = await _ssh(stack, estate, password.read_text(encoding="utf-8"))
        register = folder / "assets.csv"
        register.write_text(_register(estate, datetime.now(UTC).date()), encoding="utf-8")
        yield {
            "assets": AssetSettings(file=register),
            "snmp": SNMPSettings(
                listen=settings.snmp.listen,
                interval_seconds=settings.snmp.interval_seconds,
                credentials={
                    NAME: SNMPCredentials.model_validate({"community": estate.devices[0].community})
                },
            ),
            "logins": {NAME: LoginSettings(username="vdx-watch", password_file=password)},
            "devices": {
                agent.name: DeviceSettings(
                    address=agent.address,
                    kind=agent.kind,
                    site=agent.site,
                    snmp=NAME,
                    snmp_port=agent.port,
                    login=NAME if agent.name in ports else "",
                    ssh_port=ports.get(agent.name, 22),
                )
                for agent in estate.devices
            },
        }


def _register(estate: _Estate, today: date) -> str:
    """A register of hardware in which something ends soon and one serial number is wrong."""
    lines = ["name,device,model,serial,bought,service_until,location"]
    for agent in estate.devices:
        days = SERVICE_DAYS.get(agent.kind, 400)
        until = today + timedelta(days=days)
        bought = until - timedelta(days=5 * 365)
        serial = agent.serial if agent.name != MISMATCHED else "TYPING-ERROR"
        lines.append(f"{agent.name},{agent.name},{agent.model},{serial},{bought},{until},{agent.site}")
    return "\n".join(lines) + "\n"


async def _ssh(stack: AsyncExitStack, estate: _Estate, password: str) -> dict[str, int]:
    """SSH servers for the firewalls and switches: name -> port."""
    from simulator.device_configurations import Firewall, Switch  # noqa: PLC0415 - needs the network extra
    from simulator.ssh_devices import Device, ssh_devices  # noqa: PLC0415

    kinds: dict[str, type[Firewall] | type[Switch]] = {"fortigate": Firewall, "nexus": Switch}
    chosen = [agent for agent in estate.devices if agent.kind in kinds]
    devices = [Device(kinds[agent.kind](agent.name), password=password) for agent in chosen]
    started = await stack.enter_async_context(ssh_devices(*devices))
    return {agent.name: device.port for agent, device in zip(chosen, started, strict=True)}
