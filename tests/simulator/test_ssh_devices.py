"""The stand-in's FortiGate and Nexus, seen by OpenSSH's own client."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from simulator.device_configurations import Firewall, Switch
from simulator.ssh_devices import MORE, Device, running

FIREWALL, SWITCH = 0, 1


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, asyncssh.SSHKey]:
    path = tmp_path_factory.mktemp("ssh") / "key"
    made = asyncssh.generate_private_key("ssh-ed25519")
    path.write_bytes(made.export_private_key())
    path.chmod(0o600)
    return path, made.convert_to_public()


@pytest.fixture
def devices(key: tuple[Path, asyncssh.SSHKey]) -> Iterator[tuple[Device, ...]]:
    firewall = Device(Firewall(policies=2), client_key=key[1], banner=True)
    with running(firewall, Device(Switch(interfaces=2), client_key=key[1])) as both:
        yield both


def typed(device: Device, key: Path, *keys: str) -> str:
    """What one sees who logs in and types these keys."""
    program = shutil.which("ssh")
    assert program, "install the Debian package openssh-client"
    return subprocess.run(
        [
            *(program, "-tt", "-F", "/dev/null", "-i", str(key), "-p", str(device.port)),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"),
            "vdx-watch@127.0.0.1",
        ],
        input="".join(keys).encode(),
        capture_output=True,
        timeout=20,
        check=False,
    ).stdout.decode()


def test_a_firewall_shows_itself_page_by_page_after_its_banner(
    devices: tuple[Device, ...], key: tuple[Path, asyncssh.SSHKey]
) -> None:
    lines = devices[FIREWALL].configuration.answer("show") or []
    pages = len(lines) // 23
    seen = typed(devices[FIREWALL], key[0], "a", "show\n", " " * pages, "exit\n")
    assert seen.startswith("### Authorised staff only ###\r\n")
    assert seen.count(MORE) == pages
    assert 'set hostname "fw1"\r\n' in seen
    assert seen.rstrip().endswith("fw1 # exit")
    assert typed(devices[FIREWALL], key[0], "a", "show\n", "q", "exit\n").count("\r\n") < 40
    assert "Unknown action 0: sjow" in typed(devices[FIREWALL], key[0], "a", "sjow\n", "exit\n")


def test_a_firewall_seals_its_secrets_anew_and_a_switch_shows_the_same(devices: tuple[Device, ...]) -> None:
    for device, command, secret, differs in (
        (devices[FIREWALL], "show", "psksecret", True),
        (devices[SWITCH], "show running-config", "password 5", False),
    ):
        first, second = (
            [line for line in device.configuration.answer(command) or [] if secret in line] for _ in range(2)
        )
        assert first
        assert (first != second) is differs


def test_a_switch_shows_all_at_once_where_it_is_asked_to(
    devices: tuple[Device, ...], key: tuple[Path, asyncssh.SSHKey]
) -> None:
    seen = typed(devices[SWITCH], key[0], "terminal length 0\n", "show running-config\n", "exit\n")
    assert MORE not in seen
    assert "version 9.3(10) Bios:version 05.45 \r\n" in seen
    devices[SWITCH].configuration.edit("100", "UNSAVED")
    saved = typed(devices[SWITCH], key[0], "terminal length 0\n", "show startup-config\n", "exit\n")
    assert "!Startup config saved at: " in saved
    assert "UNSAVED" not in saved
