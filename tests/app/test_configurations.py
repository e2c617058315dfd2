"""`vdx config-backup` against the stand-in's devices."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from simulator.device_configurations import Firewall, Switch
from simulator.ssh_devices import Device, running
from tests.system.commands import running_vdx, until


class Place:
    """A settings file for a FortiGate and a Nexus that run."""

    def __init__(self, folder: Path, firewall: Device, switch: Device) -> None:
        self.folder, self.firewall, self.switch = folder, firewall, switch
        self.file = folder / "vdx.toml"
        (folder / "password").write_text("let me in")
        lines = [f'[data]\ndirectory = "{folder / "data"}"']
        lines.append(f'[logins.backup]\nusername = "vdx-watch"\npassword_file = "{folder / "password"}"')
        for name, device in (("fw1", firewall), ("nexus1", switch)):
            lines.append(
                f'[devices.{name}]\naddress = "127.0.0.1"\nkind = "{device.configuration.kind}"\n'
                f'site = "north"\nlogin = "backup"\nssh_port = {device.port}'
            )
        self.file.write_text("\n".join(lines), encoding="utf-8")

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["config-backup", "--settings", str(self.file), *arguments])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running(Device(Firewall(policies=3)), Device(Switch(interfaces=2))) as (firewall, switch):
        yield Place(tmp_path, firewall, switch)


def test_it_copies_lists_shows_a_change_and_gives_back_the_text_before(place: Place) -> None:
    copied = place.run("--once")
    assert copied.exit_code == 0, copied.stdout
    assert re.fullmatch(r"fw1: \d+ lines, 1 revisions\nnexus1: \d+ lines, 1 revisions\n", copied.stdout)
    place.firewall.configuration.edit("host-1", "10.9.0.1", by="anna")
    assert place.run("--once").exit_code == 0
    heads, *rows = (line.split("\t") for line in place.run("list").stdout.splitlines())
    found = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    assert {name: row["revisions"] for name, row in found.items()} == {"fw1": "2", "nexus1": "1"}
    assert found["nexus1"]["saved"] == "yes"
    _, latest, first = (line.split("\t")[0] for line in place.run("list", "fw1").stdout.splitlines())
    shown = place.run("diff", "fw1")
    assert shown.stdout.startswith(f"fw1 {latest}: +1 -1 lines, no windows set\nchanged 20")
    assert " by anna, found " in shown.stdout
    assert "-        set subnet 10.1.0.1 255.255.255.255\n+        set subnet 10.9.0.1" in shown.stdout
    assert "+config system global\n" in place.run("diff", "fw1", first).stdout
    assert place.run("diff", "fw1", latest).stdout == shown.stdout
    before, now = place.run("restore", "fw1", first).stdout, place.run("restore", "fw1").stdout
    assert "set subnet 10.1.0.1 " in before
    assert "set subnet 10.9.0.1 " in now
    assert before.startswith("#config-version=")
    assert before.endswith("\nend\n")
    assert "set psksecret ENC " in before


def test_what_cannot_be_done_is_told_with_its_exit_status(place: Place) -> None:
    for arguments, code, words in (
        (("list", "fw1"), 2, "fw1: there is no copy of such a device"),
        (("diff", "../fw1"), 2, "there is no copy of such a device"),
        (("--once", "list"), 2, "--once copies; leave it out, or leave out list"),
    ):
        result = place.run(*arguments)
        assert (result.exit_code, result.stdout) == (code, ""), arguments
        assert words in result.stderr
    place.switch.password = "another"
    failed = place.run("--once")
    assert failed.exit_code == 1
    assert "nexus1: 127.0.0.1 port" in failed.stdout
    assert "refuses the account" in place.run("list").stdout
    for revision in ("0123456789", "", "a", "HEAD", "--output=x"):
        if revision:
            unknown = place.run("restore", "fw1", "--", revision)
            assert (unknown.exit_code, unknown.stdout) == (2, ""), revision
            assert f"{revision}: fw1 has no such revision" in unknown.stderr
    place.file.write_text("")
    assert "devices: none has a login" in place.run("--once").stderr


def test_the_help_has_an_example_for_each_command() -> None:
    for arguments in ([], ["list"], ["diff"], ["restore"]):
        shown = CliRunner().invoke(cli, ["config-backup", *arguments, "--help"])
        assert shown.exit_code == 0
        assert "Example: vdx config-backup" in shown.stdout


def test_a_miner_that_runs_serves_what_it_knows_and_stops_in_good_order(place: Place) -> None:
    place.firewall.faults.empty = True
    with running_vdx("config-backup", "--settings", str(place.file), folder=place.folder) as vdx:
        url = vdx.wait_for(r"metrics: (\S+)/metrics")
        until(f"{url}/readyz", "could not be copied: fw1")
        text = until(f"{url}/metrics", r'config_backup_up\{device="nexus1",site="north"\} 1.0')
        assert 'config_backup_errors_total{device="fw1",reason="incomplete",site="north"} 1.0' in text
        assert vdx.stop(signal.SIGTERM) == 0
        assert "stopped" in vdx.said
    state = json.loads((place.folder / "data" / "configurations" / "state" / "fw1.json").read_bytes())
    assert "the answer is empty" in state["fault"]
