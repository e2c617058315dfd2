"""The configuration miner against a FortiGate and a Nexus of the stand-in."""

import asyncio
import base64
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncssh
import pytest
from prometheus_client import CollectorRegistry

from miners import configs
from miners.configs import AT_ONCE, ConfigurationMiner, credible, window_of
from miners.configurations.archive import Archive
from miners.configurations.errors import BackupError, Reason
from miners.configurations.kind import Told
from simulator.device_configurations import Firewall, Switch
from simulator.ssh_devices import Device, ssh_devices
from tests.miners.copying import Copies, settings
from vdx.change_windows import parse
from vdx.settings import SettingsError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Copenhagen")


@pytest.fixture
async def devices() -> AsyncIterator[dict[str, Device]]:
    """fw1 and nexus1, which was changed and saved an hour ago."""
    past = datetime.now(UTC) - timedelta(hours=1)
    switch = Switch(interfaces=4, clock=lambda: past)
    switch.clock = lambda: datetime.now(UTC)
    found = {"fw1": Device(Firewall(policies=5)), "nexus1": Device(switch)}
    async with ssh_devices(*found.values()):
        yield found


def fw(devices: dict[str, Device]) -> Firewall:
    configuration = devices["fw1"].configuration
    assert isinstance(configuration, Firewall)
    return configuration


def nexus(devices: dict[str, Device]) -> Switch:
    configuration = devices["nexus1"].configuration
    assert isinstance(configuration, Switch)
    return configuration


async def until(reached: Callable[[], bool]) -> None:
    """Waits for something that another task does."""
    for _ in range(1000):
        if reached():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it was not reached within 20 seconds")


async def test_fifty_rounds_without_a_change_make_no_commit_and_each_change_makes_one(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    copies = Copies(tmp_path, devices)
    assert await copies.miner.round()
    assert copies.commits() == 2
    shown = set()
    for _ in range(50):
        assert await copies.miner.round()
        raw = copies.folder / "raw" / "fw1" / copies.miner.backups["fw1"].changes[0].revision
        shown.add(raw.read_bytes())
    assert copies.commits() == 2
    assert len(shown) == 50, "the firewall shows its secrets otherwise each time"
    for number in range(1, 4):
        fw(devices).edit("host-1", f"10.2.0.{number}")
        assert await copies.miner.round()
        assert copies.commits() == 2 + 2 * number - 1
        nexus(devices).edit("100", f"NAME-{number}")
        assert await copies.miner.round()
        assert copies.commits() == 2 + 2 * number
    backup = copies.miner.backups["fw1"]
    assert [(change.added, change.removed, change.window) for change in backup.changes[:3]] == [
        (1, 1, "none")
    ] * 3
    assert backup.changes[-1].window is None


async def test_what_is_restored_is_what_the_device_showed_then(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    copies = Copies(tmp_path, devices)
    await copies.miner.round()
    before = nexus(devices).answer("show running-config")
    nexus(devices).edit("101", "Ærø")
    await copies.miner.round()
    archive, (latest, first) = Archive(copies.folder), copies.miner.backups["nexus1"].changes
    lines = archive.raw("nexus1", first.revision).decode().split("\n")
    moving = ("!Time", "!Command")
    assert before is not None
    assert [line for line in lines[:-1] if not line.startswith(moving)] == [
        line for line in before if not line.startswith(moving)
    ]
    assert "  name Ærø\n" in archive.raw("nexus1", latest.revision).decode()
    assert archive.raw("fw1", copies.miner.backups["fw1"].changes[0].revision).startswith(b"#config-version=")


async def test_secrets_are_in_the_raw_text_alone_and_all_files_are_the_owner_s(
    tmp_path: Path, devices: dict[str, Device], log: list[str]
) -> None:
    copies = Copies(tmp_path, devices)
    await copies.miner.round()
    nexus(devices).community = "another-community"
    fw(devices).edit("host-2", "10.2.0.2", by="Sørine Testesen")
    await copies.miner.round()
    secret = (b"fw-community", b"switch-community", b"another-community", b"$5$BLMHEB", b"ENC SH2", b"5d5d5d")
    raw = b"".join(path.read_bytes() for path in (copies.folder / "raw").glob("*/*"))
    assert all(text in raw for text in secret)
    history = copies.git("log", "-p")
    states = b"".join(path.read_bytes() for path in (copies.folder / "state").iterdir())
    told = "\n".join((*log, copies.metrics)).encode()
    for text in secret:
        assert text not in history.encode() + states + told
    assert "Sørine" in history
    assert "Sørine" not in (told + states).decode()
    paths = [copies.folder, *copies.folder.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file() and ".git" not in path.parts} == {
        0o600
    }
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir() and ".git" not in path.parts} == {
        0o700
    }


async def test_a_secret_that_alone_has_changed_is_seen_on_a_nexus_and_kept_of_a_fortigate(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    copies = Copies(tmp_path, devices)
    await copies.miner.round()
    nexus(devices).password_hash = "$5$OTHER$" + "x" * 43
    fw(devices).secret = "another key"
    await copies.miner.round()
    assert len(copies.miner.backups["nexus1"].changes) == 2
    (only,) = copies.miner.backups["fw1"].changes
    raw = Archive(copies.folder).raw("fw1", only.revision).decode()
    sealed = next(line for line in raw.split("\n") if "psksecret" in line).rpartition(" ")[2]
    salt = base64.b64decode(sealed)[:8]
    assert _opens(sealed, salt, "another key")


def _opens(sealed: str, salt: bytes, secret: str) -> bool:
    return base64.b64decode(sealed) == salt + hashlib.sha512(salt + secret.encode()).digest()


async def test_after_a_restart_the_figures_are_what_they_were(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    windows = ("Mon-Sun 00:00-24:00",)
    copies = Copies(tmp_path, devices, change_windows=windows)
    await copies.miner.round()
    fw(devices).edit("host-3", "10.3.0.3")
    nexus(devices).edit("103", "changed")
    await copies.miner.round()
    devices["fw1"].password = "changed"
    await copies.miner.round()
    before = [line for line in copies.metrics.split("\n") if "config_backup_errors" not in line]
    again = Copies(tmp_path, devices, change_windows=windows)
    assert again.miner.backups == {}
    await again.miner.load()
    assert [line for line in again.metrics.split("\n") if "config_backup_errors" not in line] == before
    figures = again.figures
    assert figures.by("config_backup_up", "device") == {("fw1",): 0, ("nexus1",): 1}
    assert figures.value("config_backup_changes_total", device="fw1", site="north", window="inside") == 1
    assert figures.value("config_backup_changes_total", device="fw1", site="north", window="outside") == 0
    assert figures.value("config_backup_startup_differs", device="nexus1", site="north") == 1
    assert again.miner.backups["fw1"].fault.startswith("127.0.0.1 port ")


async def test_what_is_not_known_has_no_series(tmp_path: Path, devices: dict[str, Device]) -> None:
    devices["fw1"].faults.empty = True
    copies = Copies(tmp_path, devices)
    await copies.miner.round()
    figures = copies.figures
    assert figures.by("config_backup_up", "device") == {("fw1",): 0, ("nexus1",): 1}
    for name in ("config_backup_last_success_timestamp_seconds", "config_backup_lines"):
        assert set(figures.by(name, "device")) == {("nexus1",)}
    assert set(figures.by("config_backup_startup_differs", "device")) == {("nexus1",)}
    assert figures.value("config_backup_errors_total", device="fw1", site="north", reason="incomplete") == 1


async def test_running_and_startup_differ_until_the_switch_is_saved(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    copies = Copies(tmp_path, devices)
    seen = []
    await copies.miner.round()
    seen.append(copies.miner.backups["nexus1"].startup_differs)
    nexus(devices).edit("104", "unsaved")
    await copies.miner.round()
    seen.append(copies.miner.backups["nexus1"].startup_differs)
    nexus(devices).save()
    await copies.miner.round()
    seen.append(copies.miner.backups["nexus1"].startup_differs)
    nexus(devices).saved = None
    await copies.miner.round()
    seen.append(copies.miner.backups["nexus1"].startup_differs)
    assert seen == [False, True, False, True]
    assert copies.commits() == 3
    assert copies.miner.backups["fw1"].startup_differs is None


async def test_a_switch_tells_when_it_was_changed_and_a_firewall_tells_by_whom(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    copies = Copies(tmp_path, devices)
    await copies.miner.round()
    first = copies.miner.backups["nexus1"].last_change
    assert first is not None
    assert abs(first - nexus(devices).changed) < timedelta(seconds=3)
    assert copies.miner.backups["fw1"].last_change is None
    # The switch's clock is wrong by hours: only the distance of its two times counts.
    nexus(devices).clock = lambda: datetime.now(UTC) - timedelta(hours=5)
    nexus(devices).edit("105", "changed")
    fw(devices).edit("host-4", "10.4.0.4", by="anna")
    await asyncio.sleep(1.1)
    await copies.miner.round()
    change = copies.miner.backups["nexus1"].changes[0]
    assert timedelta() <= change.found - change.time <= timedelta(seconds=3)
    archive = Archive(copies.folder)
    who, difference = await archive.shown("fw1", copies.miner.backups["fw1"].changes[0].revision)
    assert who == "anna"
    assert b"+        set subnet 10.4.0.4 255.255.255.255\n" in difference
    assert (await archive.shown("nexus1", change.revision))[0] == "unknown"
    fw(devices).edit("host-4", "10.4.0.5", by="vdx-watch")
    await copies.miner.round()
    who, _ = await archive.shown("fw1", copies.miner.backups["fw1"].changes[0].revision)
    assert who == "unknown", "the account of the copies tells nothing about who changed it"


def test_a_change_is_outside_only_where_it_can_have_been_at_no_moment_inside() -> None:
    windows = [parse("Tue 20:00-24:00")]
    evening = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)  # 21:30 in Denmark
    for when, since, found, expected in (
        (evening, NOW, NOW + timedelta(days=1), "inside"),
        (NOW, NOW - timedelta(hours=6), evening, "outside"),
        (None, NOW, NOW + timedelta(hours=6), "outside"),
        (None, NOW, NOW + timedelta(hours=12), "inside"),
    ):
        assert window_of(windows, when, since, found, ZONE) == expected
    assert window_of([], evening, NOW, NOW, ZONE) == "none"


def test_a_time_that_cannot_be_is_not_believed() -> None:
    hour = timedelta(hours=1)
    assert credible(Told("anna", NOW), NOW - hour, NOW + hour) == Told("anna", NOW)
    assert credible(Told("anna", NOW), None, NOW + hour).when == NOW
    assert credible(Told("anna", NOW), NOW, NOW + hour) == Told("anna")
    assert credible(Told("anna", NOW + 2 * hour), NOW, NOW + hour) == Told("anna")


async def test_git_settings_hooks_and_variables_of_others_have_no_part(
    tmp_path: Path, devices: dict[str, Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[commit]\ngpgsign = true\n[user]\nname = Somebody\n[core]\nautocrlf = true\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    copies = Copies(tmp_path, devices)
    await copies.miner.round()
    for name in ("pre-commit", "post-commit", "reference-transaction"):
        hook = copies.folder / "history" / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\nexit 1\n")
        hook.chmod(0o700)
    fw(devices).edit("host-5", "10.5.0.5", by="anna")
    assert await copies.miner.round()
    assert len(copies.miner.backups["fw1"].changes) == 2
    assert not (tmp_path / "hooked").exists()
    assert not (tmp_path / "elsewhere").exists()
    monkeypatch.delenv("GIT_DIR")
    authors = copies.git("log", "--format=%an|%cn")
    assert set(authors.split("\n")) == {"anna|VDX Watch", "admin|VDX Watch", "unknown|VDX Watch", ""}


async def test_a_kill_at_any_step_of_keeping_is_mended_by_the_next_round(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    copies = Copies(tmp_path, devices)
    await copies.miner.round()
    fw(devices).edit("host-6", "10.6.0.6")
    await copies.miner.round()
    latest = copies.miner.backups["fw1"].changes[0]
    raw = copies.folder / "raw" / "fw1" / latest.revision
    # Killed in git, after the text was written and before the commit; killed before the raw text was written.
    (copies.folder / "history" / ".git" / "index.lock").touch()
    (copies.folder / "history" / "fw1.conf").write_text("half a text")
    (copies.folder / "raw" / "fw1" / f".{latest.revision}.draft").write_text("half a text")
    raw.unlink()
    fw(devices).edit("host-6", "10.6.0.7")
    fw(devices).edit("host-6", "10.6.0.6")
    again = Copies(tmp_path, devices)
    assert await again.miner.round()
    assert again.miner.backups["fw1"].changes[0] == latest
    assert raw.read_bytes().endswith(b"end\n")
    fw(devices).edit("host-6", "10.6.0.8")
    assert await again.miner.round()
    assert len(again.miner.backups["fw1"].changes) == 3


async def test_two_processes_that_copy_at_once_make_one_revision(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    both = [Copies(tmp_path, devices) for _ in range(2)]
    assert await asyncio.gather(*(copies.miner.round() for copies in both)) == [True, True]
    fw(devices).edit("host-7", "10.7.0.7")
    assert await asyncio.gather(*(copies.miner.round() for copies in both)) == [True, True]
    assert both[0].commits() == 3


async def test_a_folder_that_cannot_be_used_is_told_and_nothing_ends(
    tmp_path: Path, devices: dict[str, Device], log: list[str]
) -> None:
    copies = Copies(tmp_path, devices)
    copies.folder.write_text("a file, where a folder ought to be")
    assert not await copies.miner.round()
    assert not await copies.miner.round()
    assert len([line for line in log if "cannot use" in line and str(copies.folder) in line]) == 2
    errors = copies.figures.by("config_backup_errors_total", "device", "reason")
    assert set(errors) == {("fw1", "storage"), ("nexus1", "storage")}
    copies.folder.unlink()
    assert await copies.miner.round()
    assert len([line for line in log if "can be copied again" in line]) == 2


async def test_so_many_devices_are_copied_at_once_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most = 0, 0

    async def take(*_: object) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        raise BackupError(Reason.INCOMPLETE, "it is a test")

    monkeypatch.setattr(configs, "take", take)
    many = {f"fw{number}": Device(Firewall()) for number in range(AT_ONCE + 4)}
    for device in many.values():
        device.port = 1
    await Copies(tmp_path, many).miner.round()
    assert most == AT_ONCE


async def test_the_miner_copies_at_once_and_ends_at_once_even_within_a_round(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    copies = Copies(tmp_path, devices)
    stop = asyncio.Event()
    running = asyncio.create_task(copies.miner.run(stop))
    await until(lambda: len(copies.stored()) == 4)
    stop.set()
    await asyncio.wait_for(running, 2)
    devices["fw1"].faults.silent_after = 10
    stop = asyncio.Event()
    running = asyncio.create_task(copies.miner.run(stop))
    await until(lambda: devices["fw1"].logins == 2)
    begun = time.monotonic()
    stop.set()
    await asyncio.wait_for(running, 5)
    assert time.monotonic() - begun < 3


async def test_a_private_key_lets_in_and_the_password_file_is_read_again_each_round(
    tmp_path: Path, devices: dict[str, Device]
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "key").write_bytes(key.export_private_key())
    devices["fw1"].client_key = key.convert_to_public()
    devices["fw1"].password = "nobody knows"
    known = settings(tmp_path, devices)
    only_key = known.logins["backup"].model_copy(
        update={"private_key_file": tmp_path / "key", "password_file": None}
    )
    copies = Copies(tmp_path, devices)
    with_key = known.model_copy(
        update={"logins": {"backup": only_key}, "devices": {"fw1": known.devices["fw1"]}}
    )
    assert await ConfigurationMiner(with_key, CollectorRegistry()).round()
    devices["fw1"].password = "let me in"
    assert await copies.miner.round()
    devices["nexus1"].password = "renewed"
    assert not await copies.miner.round()
    (tmp_path / "password").write_text("renewed")
    devices["fw1"].password = "renewed"
    assert await copies.miner.round()
    (tmp_path / "password").unlink()
    assert not await copies.miner.round()
    assert copies.miner.backups["fw1"].fault.startswith("logins.backup.password_file: cannot read")


def test_settings_that_cannot_be_copied_with_are_refused_each_with_its_mend(tmp_path: Path) -> None:
    odd = {"fw1": Device(Firewall()), "a/b": Device(Firewall()), "nexus1": Device(Switch())}
    for device in odd.values():
        device.port = 22
    known = settings(tmp_path, odd)
    wrong = known.model_copy(
        update={
            "devices": {
                **known.devices,
                "server1": known.devices["fw1"].model_copy(update={"kind": "idrac"}),
            }
        }
    )
    (tmp_path / "password").write_text("")
    with pytest.raises(SettingsError) as error:
        ConfigurationMiner(wrong, CollectorRegistry())
    first, second, third = str(error.value).split("\n")
    assert first.startswith("devices.a/b: its copies are files of this name")
    assert second == (
        "devices.server1.login: a idrac cannot be copied, only fortigate and nexus; remove the login"
    )
    assert third.startswith("logins.backup.password_file: ")
    assert os.fspath(tmp_path / "password") in third
