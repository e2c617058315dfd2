"""The history miner's metrics: what is not known has no series, and ages grow while it stands still."""

import gzip
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from exporters.history import HistoryExporter
from tests.system.watching import Exposition
from vdx import metrics
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


def gauges(registry: CollectorRegistry) -> set[str]:
    """The gauges that are shown; the library may add when a counter began (`_created`)."""
    text = generate_latest(registry).decode()
    return set(re.findall(r"^# TYPE (\S+)(?<!_created) gauge$", text, re.MULTILINE))


FIGURES = {
    "up": "vdx_history_up",
    "oldest": "vdx_history_ring_seconds",
    "ring_conferences": "vdx_history_ring_conferences",
    "interval": metrics.HISTORY_INTERVAL.name,
    "unassigned": metrics.HISTORY_UNASSIGNED.name,
    "unlinked": metrics.HISTORY_UNLINKED.name,
    "pending_days": "vdx_usage_pending",
    "peak_difference": metrics.PEAK_DIFFERENCE.name,
}
"""What is known -> the series that tells it."""


def test_what_is_not_known_has_no_series() -> None:
    registry = CollectorRegistry()
    HistoryTelemetry(registry)
    assert gauges(registry) == set()
    assert not exposed(registry).names() & {*FIGURES.values(), "vdx_history_lag_seconds"}
    assert exposed(registry).value("vdx_history_gaps_total") == 0  # what is counted begins at none


@pytest.mark.parametrize(("figure", "name"), FIGURES.items())
def test_one_figure_that_is_known_has_the_only_series(clock: list[float], figure: str, name: str) -> None:
    registry = CollectorRegistry()
    figures = HistoryTelemetry(registry)
    setattr(figures, figure, NOW if figure == "oldest" else 0)
    assert gauges(registry) == {name}
    assert exposed(registry).value(name) == 0


def test_a_watermark_alone_tells_nothing_of_the_ring() -> None:
    registry = CollectorRegistry()
    HistoryTelemetry(registry).watermark = NOW
    assert gauges(registry) == set()


def test_a_figure_that_is_not_known_any_more_is_gone() -> None:
    registry = CollectorRegistry()
    figures = HistoryTelemetry(registry)
    figures.up, figures.unlinked = True, 7
    assert gauges(registry) == {FIGURES["up"], FIGURES["unlinked"]}
    figures.unlinked = None
    assert gauges(registry) == {FIGURES["up"]}


def test_lag_and_ring_grow_with_the_clock(clock: list[float]) -> None:
    registry = CollectorRegistry()
    figures = HistoryTelemetry(registry)
    figures.oldest = NOW - timedelta(hours=40)
    figures.watermark = NOW - timedelta(minutes=1)
    figures.current_until["history/participant"] = NOW - timedelta(seconds=30)
    figures.current_until["history/alarm"] = NOW - timedelta(days=400)
    for passed in (0, 60, 86_400):
        clock[0] = NOW.timestamp() + passed
        found = exposed(registry)
        assert found.by("vdx_history_lag_seconds", "resource") == {
            ("history/participant",): 30 + passed,
            ("history/alarm",): 400 * 86_400 + passed,
        }
        assert found.value("vdx_history_ring_seconds") == 40 * 3600 + passed
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


@pytest.mark.parametrize(
    ("up", "fault"), [(None, "history has not been read yet"), (False, "could not be read"), (True, None)]
)
def test_the_exporter_is_ready_after_a_good_round_and_says_why_not(
    up: bool | None, fault: str | None
) -> None:
    telemetry = Telemetry()
    figures = HistoryTelemetry(telemetry.registry)
    figures.up = up
    found = HistoryExporter(telemetry, figures).fault(NOW)
    assert found == "" if fault is None else fault in found


def test_the_compressed_text_is_the_text(clock: list[float]) -> None:
    registry = CollectorRegistry()
    telemetry = Telemetry()
    telemetry.registry = registry  # without the process's own figures, which change from time to time
    figures = HistoryTelemetry(registry)
    figures.up = True
    figures.current_until["history/participant"] = NOW
    figures.records.labels(*("x" for _ in metrics.HISTORY_RECORDS.labels)).inc(3)
    exporter = HistoryExporter(telemetry, figures)
    assert gzip.decompress(exporter.compressed_metrics(NOW)) == exporter.metrics(NOW)
    assert b"vdx_history_up 1.0" in exporter.metrics(NOW)


def test_the_figures_of_the_process_are_told_too() -> None:
    telemetry = Telemetry()
    text = HistoryExporter(telemetry, HistoryTelemetry(telemetry.registry)).metrics(NOW)
    assert b"process_resident_memory_bytes" in text
    assert b"vdx_history_round_duration_seconds_bucket" in text
