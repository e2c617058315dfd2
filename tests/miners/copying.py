"""Copies of stand-in devices: settings for them, and what is found in the folder afterwards."""

import subprocess
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from miners.configs import ConfigurationMiner
from simulator.ssh_devices import Device
from tests.system.watching import Exposition
from vdx.settings import Settings


def settings(folder: Path, devices: dict[str, Device], **config_backup: Any) -> Settings:
    """Settings that copy these devices into a folder `copies`."""
    password = folder / "password"
    if not password.exists():
        password.write_text("let me in\n")
    return Settings.model_validate(
        {
            "logins": {"backup": {"username": "vdx-watch", "password_file": password}},
            "devices": {
                name: {
                    "address": "127.0.0.1",
                    "kind": device.configuration.kind,
                    "site": "north",
                    "login": "backup",
                    "ssh_port": device.port,
                }
                for name, device in devices.items()
            },
            "config_backup": {"directory": folder / "copies", "timeout_seconds": 30, **config_backup},
        }
    )


class Copies:
    """A miner of some devices, and its folder. A second one for the same folder is as after a restart."""

    def __init__(self, folder: Path, devices: dict[str, Device], **config_backup: Any) -> None:
        self.settings = settings(folder, devices, **config_backup)
        self.folder = folder / "copies"
        self.registry = CollectorRegistry()
        self.miner = ConfigurationMiner(self.settings, self.registry)

    @property
    def metrics(self) -> str:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry).decode()

    @property
    def figures(self) -> Exposition:
        """The same, taken apart."""
        return Exposition(self.metrics.encode())

    def commits(self) -> int:
        """Commits in the history of all devices."""
        return int(self.git("rev-list", "--count", "HEAD"))

    def git(self, *arguments: str) -> str:
        """What git says of the history."""
        return subprocess.run(
            ["git", "-C", str(self.folder / "history"), *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def stored(self) -> dict[str, bytes]:
        """The files that hold copies, by their path: none of git's own, and nothing of the tries."""
        paths = [*(self.folder / "history").glob("*.conf"), *(self.folder / "raw").glob("*/*")]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}
