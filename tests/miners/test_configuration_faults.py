"""What devices and networks do wrong: nothing crashes, nothing false is kept, and the words say it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from miners import configs
from miners.configurations import shell
from miners.configurations.archive import Archive
from miners.configurations.targets import check
from simulator.device_configurations import Configuration, Firewall, Switch
from simulator.ssh_devices import Device, ssh_devices
from tests.databases import free_port
from tests.miners.copying import Copies


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configs, "FIRST_PAUSE", 0.02)


def configuration(kind: str) -> Configuration:
    return Firewall(policies=5) if kind == "fortigate" else Switch(interfaces=4)


@pytest.fixture(params=["fortigate", "nexus"])
async def device(request: pytest.FixtureRequest) -> AsyncIterator[Device]:
    """A device of each kind, which runs."""
    async with ssh_devices(Device(configuration(request.param), banner=request.param == "fortigate")) as (
        one,
    ):
        yield one


def cut(device: Device) -> None:
    device.faults.cut_after = 40


def cut_in_the_first_line(device: Device) -> None:
    device.faults.cut_after = 0


def empty(device: Device) -> None:
    device.faults.empty = True


def half(device: Device) -> None:
    # The first half of a Nexus's configuration looks like all of it; without its first lines it does not.
    device.faults.half = isinstance(device.configuration, Firewall)
    device.faults.headless = isinstance(device.configuration, Switch)


def wrong_password(device: Device) -> None:
    device.password = "another"


def no_shell(device: Device) -> None:
    device.faults.no_shell = True


def no_right(device: Device) -> None:
    device.faults.no_right = True


FAULTS: list[tuple[Callable[[Device], None], str, str]] = [
    (cut, "unreachable", "the connection was cut after"),
    (cut_in_the_first_line, "unreachable", "the connection was cut after"),
    (empty, "incomplete", "the answer is empty; may the account read it?"),
    (half, "incomplete", "the answer is not a whole configuration"),
    (no_right, "incomplete", "the answer is not a whole configuration"),
    (wrong_password, "login", "refuses the account; check the user name, the password"),
    (no_shell, "unreachable", "after the login no prompt came: the connection was cut"),
]


@pytest.mark.parametrize(("break_it", "reason", "words"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
async def test_a_fault_keeps_the_last_good_copy_and_is_told_once_until_it_is_mended(
    tmp_path: Path,
    device: Device,
    log: list[str],
    break_it: Callable[[Device], None],
    reason: str,
    words: str,
) -> None:
    copies = Copies(tmp_path, {"one": device})
    assert await copies.miner.round()
    good = copies.stored()
    break_it(device)
    device.configuration.edit("120", "changed")
    assert not await copies.miner.round()
    assert not await copies.miner.round()
    backup = copies.miner.backups["one"]
    assert words in backup.fault
    assert copies.stored() == good
    errors = copies.figures.by("config_backup_errors_total", "device", "site", "reason")
    assert errors == {("one", "north", reason): 2}
    assert len([line for line in log if words in line]) == 1
    device.password = "let me in"
    device.faults = type(device.faults)()
    assert await copies.miner.round()
    assert len(copies.miner.backups["one"].changes) == 2
    assert log[-1] == "configuration of one: it can be copied again"


@pytest.mark.parametrize("break_it", [fault[0] for fault in FAULTS])
async def test_of_a_first_contact_with_a_fault_nothing_is_kept(
    tmp_path: Path, device: Device, break_it: Callable[[Device], None]
) -> None:
    break_it(device)
    copies = Copies(tmp_path, {"one": device})
    assert not await copies.miner.round()
    assert copies.stored() == {}
    assert copies.miner.backups["one"].succeeded is None


async def test_an_account_that_is_refused_is_tried_once_a_round(tmp_path: Path, device: Device) -> None:
    device.password = "another"
    await Copies(tmp_path, {"one": device}).miner.round()
    assert device.tries == 1


async def test_a_connection_that_is_cut_once_is_tried_again(tmp_path: Path, device: Device) -> None:
    device.faults.cut_after, device.faults.cuts = 30, 1
    copies = Copies(tmp_path, {"one": device})
    assert await copies.miner.round()
    assert device.logins == 2


@pytest.mark.parametrize("chunk", [5, 1000])
async def test_a_slow_connection_gives_the_same_text_whatever_comes_at_once(
    tmp_path: Path, device: Device, chunk: int
) -> None:
    copies = Copies(tmp_path, {"one": device})
    await copies.miner.round()
    before = copies.miner.backups["one"]
    device.faults.chunk = chunk
    device.faults.delay = 0.0001
    assert await copies.miner.round()
    assert copies.miner.backups["one"].changes == before.changes


async def test_a_device_that_falls_silent_is_given_up_in_time(tmp_path: Path) -> None:
    async with ssh_devices(Device(Switch(interfaces=4))) as (device,):
        device.faults.silent_after = 30
        copies = Copies(tmp_path, {"one": device}, timeout_seconds=2.4)
        assert not await copies.miner.round()
    backup = copies.miner.backups["one"]
    assert "the device was silent for 0.8 s" in backup.fault
    assert backup.seconds is not None
    assert backup.seconds < 4
    assert copies.stored() == {}


async def test_a_pager_that_nobody_knows_is_told_from_silence(tmp_path: Path) -> None:
    async with ssh_devices(Device(Firewall(policies=5))) as (device,):
        device.faults.odd_pager = True
        copies = Copies(tmp_path, {"one": device}, timeout_seconds=4)
        assert not await copies.miner.round()
        fault = copies.miner.backups["one"].fault
        assert (
            "after 24 lines the device asks something that is not known, in a line of 31 characters" in fault
        )
        assert copies.stored() == {}
        assert device.logins == 1


async def test_very_long_lines_and_letters_of_no_encoding_are_kept_as_they_are(tmp_path: Path) -> None:
    async with ssh_devices(Device(Firewall(policies=5))) as (device,):
        device.configuration.edit("long", "x" * 2_000_000)
        device.configuration.edit("latin", "Ærø".encode("latin-1").decode(errors="surrogateescape"))
        copies = Copies(tmp_path, {"one": device})
        assert await copies.miner.round()
        raw = Archive(copies.folder).raw("one", copies.miner.backups["one"].changes[0].revision)
        assert b"        set subnet " + b"x" * 2_000_000 + b" 255.255.255.255\n" in raw
        assert "Ærø".encode("latin-1") in raw
        assert await copies.miner.round()
        assert len(copies.miner.backups["one"].changes) == 1


async def test_an_answer_without_end_is_given_up(
    tmp_path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "MOST", 1000)
    copies = Copies(tmp_path, {"one": device})
    assert not await copies.miner.round()
    assert "it is longer than 1,000 characters" in copies.miner.backups["one"].fault
    assert copies.stored() == {}


async def test_another_host_key_is_refused_before_the_password_is_sent_and_can_be_taken(
    tmp_path: Path, device: Device
) -> None:
    copies = Copies(tmp_path, {"one": device})
    await copies.miner.round()
    good, tries = copies.stored(), device.tries
    known_hosts = copies.folder / "known_hosts"
    pinned = device.host_key.get_fingerprint()
    await device.replace_host_key()
    assert not await copies.miner.round()
    fault = copies.miner.backups["one"].fault
    for words in (pinned, device.host_key.get_fingerprint(), f"[127.0.0.1]:{device.port}", str(known_hosts)):
        assert words in fault
    assert (copies.stored(), device.tries) == (good, tries)
    assert not (await check(copies.settings, "one")).good
    (line,) = known_hosts.read_text().splitlines()
    # The second of a pair has a line of its own; then the first one is taken as before.
    known_hosts.write_text("")
    assert await copies.miner.round()
    known_hosts.write_text(f"{line}\n{known_hosts.read_text()}")
    assert await copies.miner.round()


async def test_a_device_with_an_old_rsa_key_is_copied_and_stays_pinned(tmp_path: Path) -> None:
    async with ssh_devices(Device(Firewall(policies=2), host_key_algorithm="ssh-rsa")) as (device,):
        copies = Copies(tmp_path, {"one": device})
        assert await copies.miner.round()
        assert await copies.miner.round()
        assert " ssh-rsa " in (copies.folder / "known_hosts").read_text()


async def test_a_known_hosts_file_that_is_none_is_told(tmp_path: Path, device: Device) -> None:
    copies = Copies(tmp_path, {"one": device})
    await copies.miner.round()
    (copies.folder / "known_hosts").write_text("[127.0.0.1 nonsense\n\x00\n")
    assert not await copies.miner.round()
    assert str(copies.folder / "known_hosts") in copies.miner.backups["one"].fault


async def test_nobody_at_the_address_and_one_who_says_nothing_are_told(tmp_path: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    nobody, silent, unknown = (Device(Firewall()) for _ in range(3))
    nobody.port, silent.port = free_port(), server.sockets[0].getsockname()[1]
    unknown.port = 22
    devices = {"nobody": nobody, "silent": silent, "unknown": unknown}
    copies = Copies(tmp_path, devices, timeout_seconds=2)
    named = copies.settings.devices["unknown"].model_copy(update={"address": "no-such-host.invalid"})
    copies.settings.devices["unknown"] = named
    copies.miner = configs.ConfigurationMiner(copies.settings, CollectorRegistry())
    async with server:
        assert not await copies.miner.round()
    found = {name: backup.fault for name, backup in copies.miner.backups.items()}
    assert found["nobody"].startswith(f"127.0.0.1 port {nobody.port} cannot be reached (Connection refused)")
    assert found["silent"].startswith(f"127.0.0.1 port {silent.port} does not answer; check the address")
    assert found["unknown"].startswith("no-such-host.invalid port 22 cannot be reached (")
    assert copies.stored() == {}


async def test_a_check_logs_in_tells_of_the_host_key_and_pins_nothing(tmp_path: Path, device: Device) -> None:
    copies = Copies(tmp_path, {"one": device})
    first = await check(copies.settings, "one")
    assert first.good
    assert device.host_key.get_fingerprint() in first.words
    assert "will be pinned" in first.words
    assert not copies.folder.exists()
    await copies.miner.round()
    assert "is the one that is pinned" in (await check(copies.settings, "one")).words
    device.password = "another"
    refused = await check(copies.settings, "one")
    assert not refused.good
    assert "refuses the account" in refused.words
