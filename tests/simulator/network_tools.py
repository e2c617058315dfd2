"""net-snmp's tools on the stand-in network kit, with numbers for names."""

import shutil
import subprocess

from simulator.network.ber import Oid, oid
from simulator.network.testing import RunningDevice

MIB_TREE = "1.3.6.1"


def tool(name: str, device: RunningDevice, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """What a tool of net-snmp prints, its complaints too."""
    path = shutil.which(name)
    assert path, f"{name} is not installed; install the Debian package snmp"
    done = subprocess.run(
        [
            path,
            *("-v2c", "-c", device.community, "-m", "", "-On", "-r", "0", "-t", "10", *options),
            f"{device.address}:{device.port}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def pairs(printed: str) -> list[tuple[Oid, str]]:
    """Names and values of what a tool printed, in its order."""
    lines = [line.partition(" = ") for line in printed.splitlines() if " = " in line]
    return [(oid(name.removeprefix(".")), value) for name, _, value in lines if not value.startswith("No ")]


def walk(device: RunningDevice, root: str = MIB_TREE, options: tuple[str, ...] = ()) -> dict[Oid, str]:
    """All below a root, by snmpbulkwalk."""
    return dict(pairs(tool("snmpbulkwalk", device, root, options=options)))


def get(device: RunningDevice, name: str) -> str:
    """One value as snmpget prints it, without its type."""
    return tool("snmpget", device, name).strip().partition(" = ")[2].partition(": ")[2].strip('"')


def column(device: RunningDevice, root: str) -> dict[Oid, str]:
    """A column by its indexes, values without their types."""
    length = len(oid(root))
    return {name[length:]: value.partition(": ")[2].strip('"') for name, value in walk(device, root).items()}
