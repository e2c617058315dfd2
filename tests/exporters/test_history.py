"""The history miner's metrics: what is not known has no series, and ages grow while it stands still."""

import gzip
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from exporters.history import HistoryExporter
from tests.system.watching import Exposition
from vdx.history_telemetry import HistoryTelemetry
from vdx.telemetry import Telemetry

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The present, in Unix seconds, as its only item."""
    now = [NOW.timestamp()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def exposed(registry: CollectorRegistry) -> Exposition:
    return Exposition(generate_latest(registry))


def test_what_is_not_known_has_no_series() -> None:
    telemetry = Telemetry()
    HistoryTelemetry(telemetry.registry)
    text = generate_latest(telemetry.registry).decode()
    gauges = re.findall(r"^# TYPE (vdx_history\w+|vdx_usage\w+|vdx_peak\w+) gauge", text, re.MULTILINE)
    assert gauges == []
    assert "vdx_history_gaps_total 0.0" in text


def test_lag_and_ring_grow_with_the_clock(clock: list[float]) -> None:
    registry = CollectorRegistry()
    figures = HistoryTelemetry(registry)
    figures.oldest = NOW - timedelta(hours=40)
    figures.watermark = NOW - timedelta(minutes=1)
    figures.current_until["history/participant"] = NOW - timedelta(seconds=30)
    clock[0] += 60
    found = exposed(registry)
    assert found.value("vdx_history_lag_seconds", resource="history/participant") == 90
    assert found.value("vdx_history_ring_seconds") == 40 * 3600 + 60
    assert found.value("vdx_history_ring_headroom_seconds") == 40 * 3600 - 60


def test_a_ring_that_has_overtaken_the_miner_is_shown_below_nought(clock: list[float]) -> None:
    registry = CollectorRegistry()
    figures = HistoryTelemetry(registry)
    figures.oldest, figures.watermark = NOW, NOW - timedelta(minutes=5)
    assert exposed(registry).value("vdx_history_ring_headroom_seconds") == -300


def test_a_clock_that_is_behind_gives_no_lag_below_nought(clock: list[float]) -> None:
    registry = CollectorRegistry()
    HistoryTelemetry(registry).current_until["history/alarm"] = NOW + timedelta(seconds=3)
    assert exposed(registry).value("vdx_history_lag_seconds", resource="history/alarm") == 0


def test_the_exporter_is_ready_after_a_good_round_and_says_why_not() -> None:
    telemetry = Telemetry()
    figures = HistoryTelemetry(telemetry.registry)
    exporter = HistoryExporter(telemetry, figures)
    assert "not been read yet" in exporter.fault(NOW)
    figures.up = False
    assert "could not be read" in exporter.fault(NOW)
    figures.up = True
    assert exporter.fault(NOW) == ""
    assert b"vdx_history_up 1.0" in gzip.decompress(exporter.compressed_metrics(NOW))
    assert b"vdx_history_up 1.0" in exporter.metrics(NOW)
