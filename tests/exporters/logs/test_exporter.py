"""The log exporter tells what was counted, who is silent, and that it cannot tell."""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from exporters.logs.exporter import CHECKPOINT, LogExporter
from exporters.logs.silence import silent
from tests.exporters.logs.lines import BGP_DOWN, PEXIP_ATTEMPT, SIP_FAILURE, SLOW_CALL, line, pexip, write
from vdx.logs.checkpoint import DatabaseCheckpoint
from vdx.metrics import METRICS
from vdx.settings import Settings, SettingsError

START = datetime(2026, 11, 24, 10, tzinfo=UTC)


class World:
    """An exporter over a folder, at a time that the test sets."""

    def __init__(self, folder: Path, nodes: Mapping[str, str] | None = None, **sections: object) -> None:
        self.now = START
        self.archive = folder / "logs"
        self.archive.mkdir(exist_ok=True)
        settings = Settings.model_validate({"data": {"directory": folder}, **sections})
        self.exporter = LogExporter(settings, CollectorRegistry(), lambda: nodes or {}, lambda: self.now)

    def read(self) -> None:
        while self.exporter.step():
            pass

    def series(self) -> dict[tuple[str, tuple[str, ...]], float]:
        text = self.exporter.metrics(self.now).decode()
        return {
            (sample.name, tuple(sample.labels[name] for name in METRICS[sample.name].labels)): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def send(self, message: str, host: str, address: str = "10.9.9.9", *, ago: float = 0) -> None:
        received = (self.now - timedelta(seconds=ago)).isoformat()
        write(self.archive, line(message, host, address=address, received=received))


def test_every_metric_is_declared_and_published(tmp_path: Path) -> None:
    world = World(tmp_path, {"conf01": ""})
    for message in (PEXIP_ATTEMPT, SIP_FAILURE, SLOW_CALL, BGP_DOWN):
        world.send(message, "conf01")
    world.read()
    names = {name for name, _ in world.series()}
    others = ("log_archive_", "log_collector_")
    expected = {name for name in METRICS if name.startswith("log_") and not name.startswith(others)}
    assert names == expected
    compressed = gzip.decompress(world.exporter.compressed_metrics(world.now))
    assert compressed == world.exporter.metrics(world.now)
    world.exporter.reader.close()


def test_figures_have_their_labels(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.send(SIP_FAILURE, "conf01")
    world.send(SLOW_CALL, "k8s-1")
    world.read()
    series = world.series()
    event = ("pexip_sip_failure", "pexip", "warning", "tls", "conf01")
    assert series["log_lines_total", ("conf01", "pexip", "error")] == 1
    assert series["log_events_total", event] == 1
    assert series["log_event_last_timestamp_seconds", event] == START.timestamp()
    value = ("vdx_api_slow_call_milliseconds", "vdx-api", "vdx-directory", "k8s-1")
    assert series["log_value", value] == 1840
    assert series["log_host_last_timestamp_seconds", ("conf01", "pexip")] == START.timestamp()
    world.exporter.reader.close()


def test_nothing_of_a_person_is_in_the_text(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.send(PEXIP_ATTEMPT, "conf01")
    world.send(
        pexip("Participant has disconnected.", more='Detail="Kari Nordmann hung up" Participant="Kari"'),
        "conf01",
    )
    world.send(pexip("Odd thing for Kari Nordmann", "ERROR", "support.odd"), "conf01")
    world.read()
    text = world.exporter.metrics(world.now).decode() + "".join(world.exporter.kinds_as_text())
    for private in ("Kari", "Nordmann", "192.0.2.10", "room.0042"):
        assert private not in text
    assert "support.odd Odd thing for" in text
    world.exporter.reader.close()


def test_a_host_that_should_send_is_silent_after_the_minutes_of_the_settings(tmp_path: Path) -> None:
    devices = {
        "fw1": {"address": "10.1.1.1", "kind": "fortigate"},
        "sw1": {"address": "10.1.1.2", "kind": "nexus"},
        "idrac1": {"address": "10.1.1.3", "kind": "idrac"},
    }
    world = World(tmp_path, {"conf01": "10.0.2.1", "conf02": "10.0.2.2"}, devices=devices)
    world.read()
    world.now += timedelta(minutes=14)
    world.read()
    assert {labels[0]: value for (name, labels), value in world.series().items() if "silent" in name} == {
        "fw1": 0,
        "sw1": 0,
        "conf01": 0,
        "conf02": 0,
    }
    world.now += timedelta(minutes=2)
    world.send("date=x", "FW1.example.org")
    world.send(BGP_DOWN, "10.1.1.2", "10.1.1.2")
    world.send(PEXIP_ATTEMPT, "strange", "10.0.2.1", ago=14 * 60)
    world.send(PEXIP_ATTEMPT, "conf02", ago=16 * 60)
    world.read()
    assert world.exporter.silent() == {"fw1": False, "sw1": False, "conf01": False, "conf02": True}
    world.exporter.reader.close()


def test_nobody_is_called_silent_while_the_reader_is_behind(tmp_path: Path) -> None:
    world = World(tmp_path, {"conf01": ""})
    world.read()
    world.now += timedelta(hours=1)
    assert world.exporter.silent() == {"conf01": True}
    lock = tmp_path / CHECKPOINT
    world.exporter.reader.close()
    other = DatabaseCheckpoint(lock)
    world.read()
    assert world.exporter.silent() == {}
    other.close()
    world.exporter.reader.close()


def test_a_host_is_known_by_its_name_without_a_domain_or_by_its_address() -> None:
    expected = {"Conf01": "10.0.0.1", "conf02.vdx.example": "", "conf03": "10.0.0.3", "conf04": "2001:db8::4"}
    hosts = {"conf01.vdx.example": 100.0, "conf02": 100.0, "10.0.0.30": 100.0}
    found = silent(expected, hosts, {"2001:db8::4": 100.0}, before=50)
    assert found == {"Conf01": False, "conf02.vdx.example": False, "conf03": True, "conf04": False}
    assert all(silent(expected, hosts, {"2001:db8::4": 100.0}, before=101).values())


def test_kinds_are_new_on_the_danish_day_that_they_are_first_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 22:30 UTC is 23:30 in Denmark, an hour later is the next day there.
    world = World(tmp_path)
    world.now = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)

    def _at() -> float:
        return world.now.timestamp()

    monkeypatch.setattr("exporters.logs.reader.time.time", _at)
    world.send(pexip("odd thing", "ERROR", "support.odd"), "conf01")
    world.read()
    assert world.series()["log_new_templates_today", ()] == 1
    world.now += timedelta(hours=1)
    world.read()
    assert world.series()["log_new_templates_today", ()] == 0
    assert world.series()["log_unknown_templates", ()] == 1
    world.exporter.reader.close()


def test_counts_that_are_in_use_are_told_and_waited_for(tmp_path: Path) -> None:
    other = DatabaseCheckpoint(tmp_path / CHECKPOINT)
    world = World(tmp_path)
    world.send(SIP_FAILURE, "conf01")
    world.read()
    assert world.series()["log_exporter_up", ()] == 0
    assert "in use by another reader" in world.exporter.fault(world.now)
    other.close()
    world.read()
    assert world.series()["log_exporter_up", ()] == 1
    assert world.exporter.fault(world.now) == ""
    assert world.series()["log_lines_total", ("conf01", "pexip", "error")] == 1
    world.exporter.reader.close()


def test_a_wrong_rule_is_told_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"logs\.rules_directory: .* is no folder; name one"):
        World(tmp_path, logs={"rules_directory": tmp_path / "none"})


def test_an_archive_that_is_not_there_is_told_and_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.archive.rmdir()
    world.read()
    assert world.series()["log_exporter_up", ()] == 0
    assert world.exporter.fault(world.now).endswith("cannot be read: No such file or directory")
    world.send(SIP_FAILURE, "conf01")
    world.read()
    assert world.series()["log_exporter_up", ()] == 1
    assert world.series()["log_lines_total", ("conf01", "pexip", "error")] == 1
    world.exporter.reader.close()
