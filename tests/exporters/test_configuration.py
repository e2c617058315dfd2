"""The configuration exporter: ready when every device has been copied, and says which have not."""

import gzip
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from exporters.configuration import ConfigurationExporter
from tests.system.watching import Exposition
from vdx.configuration_telemetry import ConfigurationTelemetry
from vdx.configurations import Backup, Change

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def change(**fields: object) -> Change:
    known = {
        "revision": "a" * 40,
        "time": NOW,
        "found": NOW,
        "added": 1,
        "removed": 0,
        "lines": 7,
        "window": None,
    }
    return Change(**{**known, **fields})  # type: ignore[arg-type]


def test_it_is_ready_when_all_have_been_copied() -> None:
    telemetry = ConfigurationTelemetry(CollectorRegistry())
    exporter = ConfigurationExporter(CollectorRegistry(), telemetry.backups)
    assert "not every configuration" in exporter.fault(NOW)
    telemetry.backups["fw1"] = Backup("fw1", tried=NOW, succeeded=NOW)
    telemetry.backups["fw2"] = Backup("fw2")
    assert "not every configuration" in exporter.fault(NOW)
    telemetry.backups["fw2"] = Backup("fw2", tried=NOW, fault="it does not answer")
    assert exporter.fault(NOW) == "could not be copied: fw2; the log says why"
    telemetry.backups["fw2"] = Backup("fw2", tried=NOW)
    assert exporter.fault(NOW) == ""


def test_what_is_known_of_a_device_is_shown_and_the_rest_has_no_series() -> None:
    registry = CollectorRegistry()
    telemetry = ConfigurationTelemetry(registry)
    exporter = ConfigurationExporter(registry, telemetry.backups)
    telemetry.backups["fw1"] = Backup("fw1", "north")
    assert Exposition(exporter.metrics(NOW)).names() == {"config_backup_changes_total"}
    earlier = NOW - timedelta(hours=1)
    telemetry.backups["fw1"] = Backup(
        "fw1",
        "north",
        tried=NOW,
        succeeded=NOW,
        seconds=1.5,
        startup_differs=False,
        changes=(change(window="outside", time=earlier), change(window="inside"), change()),
    )
    found = Exposition(exporter.metrics(NOW))
    label = {"device": "fw1", "site": "north"}
    assert found.value("config_backup_up", **label) == 1
    assert found.value("config_backup_last_success_timestamp_seconds", **label) == NOW.timestamp()
    assert found.value("config_backup_last_change_timestamp_seconds", **label) == earlier.timestamp()
    assert found.value("config_backup_duration_seconds", **label) == 1.5
    assert found.value("config_backup_lines", **label) == 7
    assert found.value("config_backup_startup_differs", **label) == 0
    assert found.by("config_backup_changes_total", "window") == {
        ("inside",): 1,
        ("outside",): 1,
        ("none",): 0,
    }
    assert gzip.decompress(exporter.compressed_metrics(NOW)) == exporter.metrics(NOW)


def test_the_first_copy_is_a_change_only_where_the_device_tells_of_one() -> None:
    assert Backup("fw1", changes=(change(),)).last_change is None
    earlier = NOW - timedelta(days=3)
    assert Backup("fw1", changes=(change(time=earlier),)).last_change == earlier
    assert Backup("fw1", changes=(change(window="none"),)).last_change == NOW
