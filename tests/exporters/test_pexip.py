"""The text of /metrics over the life of the exporter."""

import gzip
import subprocess
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.pexip import ParticipantSeconds, PexipExporter, credited_seconds
from tests.exporters.examples import (
    SETTINGS,
    TIME,
    node,
    participant,
    publish,
    snapshot,
    unreadable,
    usage_of,
)
from vdx.history_telemetry import HistoryTelemetry
from vdx.metrics import METRICS
from vdx.telemetry import Telemetry

SOON = TIME + timedelta(seconds=5)

HEADLINES = """\
# HELP pexip_up 1 when the last poll of the Management Node succeeded, else 0.
# TYPE pexip_up gauge
pexip_up 1.0
# HELP pexip_poll_timestamp_seconds When the snapshot was taken, in Unix time.
# TYPE pexip_poll_timestamp_seconds gauge
pexip_poll_timestamp_seconds 1772442000.0
# HELP pexip_poll_duration_seconds How long the poll of the snapshot took.
# TYPE pexip_poll_duration_seconds gauge
pexip_poll_duration_seconds 0.5
"""

LINES = """\
pexip_license_ports_used 5.0
pexip_license_ports_limit 1500.0
pexip_license_reported_used{license="port"} 5.0
pexip_license_reported_limit{license="port"} 1500.0
pexip_location_license_ports_used{location="Aarhus",tier="central"} 3.0
pexip_hardware_ports_used{location="Aarhus",tier="central"} 10.0
pexip_hardware_ports_limit{location="Aarhus",tier="central"} 20.0
pexip_pstn_lines_used 1.0
pexip_pstn_lines_limit 40.0
pexip_node_up{node="ode-conf01",location="Odense",tier="central"} 0.0
pexip_node_maintenance_mode{node="ran-conf01",location="Randers",tier="decentral"} 1.0
pexip_node_media_load_ratio{node="aar-conf01",location="Aarhus",tier="central"} 0.5
pexip_location_media_load_ratio{location="Odense",tier="central"} 0.25
pexip_conferences{service_type="conference"} 1.0
pexip_participants{location="Aarhus",tier="central",protocol="WebRTC"} 2.0
pexip_participants_by_quality{location="Aarhus",tier="central",quality="bad"} 1.0
pexip_alarms{name="connectivity_lost",level="error"} 1.0
pexip_registrations{protocol="SIP"} 1.0
pexip_licence_expiration_timestamp_seconds{product="port"} 1827619200.0
"""


@pytest.fixture
def telemetry() -> Telemetry:
    """All of the suite's own metrics, with a value each."""
    telemetry = Telemetry()
    telemetry.api_requests.labels("participant", "200").inc()
    telemetry.api_request_duration.labels("participant").observe(0.1)
    telemetry.api_retries.labels("participant").inc()
    telemetry.rows_rejected.labels("participant").inc()
    telemetry.store_rows.labels("samples").inc()
    telemetry.organisation_faults.labels("cycle").set(0)
    telemetry.organisation_license_ports.labels("Region").set(1)
    history = HistoryTelemetry(telemetry.registry)
    history.records.labels("history/participant", "added").inc()
    history.odd.labels("no_end").inc()
    history.late.labels("history/participant").inc()
    history.up = True
    history.oldest = history.watermark = history.current_until["history/participant"] = TIME
    history.ring_conferences = history.unlinked = history.pending_days = history.peak_difference = 1
    history.interval = history.unassigned = 1.0
    return telemetry


@pytest.fixture
def exporter(telemetry: Telemetry) -> PexipExporter:
    return PexipExporter(SETTINGS, telemetry)


def series(exporter: PexipExporter, now: datetime = SOON) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    return [
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in text_string_to_metric_families(exporter.metrics(now).decode())
        for sample in family.samples
    ]


def of_platform(exporter: PexipExporter, now: datetime) -> str:
    """The part of the text that is not telemetry's."""
    return exporter.metrics(now).decode().partition("# HELP process_")[0]


def test_the_text_is_the_expected_one(exporter: PexipExporter) -> None:
    publish(exporter, snapshot())
    text = exporter.metrics(SOON).decode()
    assert text.startswith(HEADLINES)
    assert not set(LINES.splitlines()) - set(text.splitlines())


OF_OTHERS = ("asset", "certificate_", "config_backup_", "humio_", "log_", "rsyslog_", "snmp_")
"""Metrics of other exporters begin so."""


def test_every_declared_metric_is_published_and_no_other(
    exporter: PexipExporter, telemetry: Telemetry
) -> None:
    taken = snapshot()
    ParticipantSeconds(SETTINGS, telemetry).count(taken, usage_of(taken))
    publish(exporter, taken)
    families = [
        family
        for family in text_string_to_metric_families(exporter.metrics(SOON).decode())
        if not family.name.startswith("process_")
    ]
    published = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert published == {name for name in METRICS if not name.startswith(OF_OTHERS)}
    for family in families:
        metric = METRICS[f"{family.name}_total" if family.type == "counter" else family.name]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        assert family.samples, metric.name
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == set(metric.labels)


def test_no_series_comes_twice(exporter: PexipExporter) -> None:
    publish(exporter, snapshot())
    found = series(exporter)
    assert len(found) == len(set(found))


def test_promtool_finds_nothing_to_say(exporter: PexipExporter, telemetry: Telemetry) -> None:
    taken = snapshot()
    ParticipantSeconds(SETTINGS, telemetry).count(taken, usage_of(taken))
    publish(exporter, taken)
    check = subprocess.run(
        ["promtool", "check", "metrics"], input=exporter.metrics(SOON), capture_output=True, check=False
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, b"", b"")


def test_nobody_is_named(exporter: PexipExporter) -> None:
    publish(exporter, snapshot())
    text = exporter.metrics(SOON).decode()
    for secret in ("patient", "example.org", "198.51.100.7", "192.0.2.40", "10.0.0.1", "Consultation"):
        assert secret not in text


def test_the_compressed_text_is_the_same(exporter: PexipExporter) -> None:
    publish(exporter, snapshot())
    text = gzip.decompress(exporter.compressed_metrics(SOON))
    assert text.startswith(of_platform(exporter, SOON).encode())
    assert b"vdx_build_info" in text


def test_before_the_first_poll_the_platform_is_down(exporter: PexipExporter) -> None:
    assert [line for line in of_platform(exporter, SOON).splitlines() if line[0] != "#"] == ["pexip_up 0.0"]
    assert exporter.fault(SOON) == "no poll of the Management Node has ended yet"


def test_a_node_that_is_gone_is_gone_from_the_next_text(exporter: PexipExporter) -> None:
    publish(exporter, snapshot())
    assert 'node="ran-conf01"' in of_platform(exporter, SOON)
    publish(exporter, snapshot(nodes=[node(1, "aar-conf01", "Aarhus")]))
    assert 'node="ran-conf01"' not in of_platform(exporter, SOON)
    assert 'node="aar-conf01"' in of_platform(exporter, SOON)


def test_nothing_is_shown_after_three_intervals(exporter: PexipExporter) -> None:
    publish(exporter, snapshot())
    assert "pexip_up 1.0\n" in of_platform(exporter, TIME + timedelta(seconds=90))
    late = TIME + timedelta(seconds=91)
    assert [line for line in of_platform(exporter, late).splitlines() if line[0] != "#"] == ["pexip_up 0.0"]
    assert gzip.decompress(exporter.compressed_metrics(late)).startswith(b"# HELP pexip_up")
    assert b"pexip_node" not in gzip.decompress(exporter.compressed_metrics(late))
    assert b"vdx_build_info" in exporter.metrics(late)
    assert exporter.fault(late) == "the last poll of the Management Node was 91 s ago"


def test_a_failed_poll_replaces_the_good_one(exporter: PexipExporter) -> None:
    publish(exporter, snapshot())
    assert exporter.fault(SOON) == ""
    publish(exporter, unreadable("participant", "worker_vm"))
    text = of_platform(exporter, SOON)
    assert "pexip_up 0.0\n" in text
    assert "pexip_license_ports" not in text
    assert "pexip_node_" not in text
    assert "pexip_conferences{" in text
    assert exporter.fault(SOON) == (
        "the last poll of the Management Node failed: it could not read participant, worker_vm"
    )


def test_the_budget_is_that_of_the_scrape(exporter: PexipExporter, telemetry: Telemetry) -> None:
    used = iter((3.0, 5.0))
    telemetry.api_budget_used.set_function(lambda: next(used))
    assert b"\npexip_api_budget_requests_used 3.0\n" in exporter.metrics(SOON)
    assert b"\npexip_api_budget_requests_used 5.0\n" in exporter.metrics(SOON)


def test_garbage_of_the_platform_is_published_in_a_valid_form(exporter: PexipExporter) -> None:
    odd = 'a"b\\c\nd'
    publish(
        exporter,
        snapshot(
            nodes=[node(1, odd, odd, max_media_tokens=10**400, media_tokens_used=0)],
            participants=[
                participant(1, call_quality=odd, protocol=odd, service_tag=odd, system_location=odd)
            ],
        ),
    )
    found = series(exporter)
    assert len(found) == len(set(found))
    assert ("pexip_tag_license_ports_used", (("service_tag", odd),)) in found


@pytest.mark.parametrize(
    ("since", "seconds"),
    [(None, 30), (30, 30), (29.5, 29.5), (45, 45), (45.1, 30), (3600, 30), (0, 30), (-5, 30)],
)
def test_a_gap_is_credited_with_one_interval(since: float | None, seconds: float) -> None:
    assert credited_seconds(since, 30) == seconds


def test_participant_seconds_add_up(telemetry: Telemetry) -> None:
    counter = ParticipantSeconds(SETTINGS, telemetry)

    def counted(quality: str) -> float | None:
        labels = {"location": "Aarhus", "tier": "central", "quality": quality}
        return telemetry.registry.get_sample_value("pexip_participant_seconds_total", labels)

    def count(seconds: float, *failed: str) -> None:
        time = TIME + timedelta(seconds=seconds)
        taken = unreadable(*failed, time=time) if failed else snapshot(time=time)
        counter.count(taken, usage_of(taken))

    count(0)
    assert (counted("good"), counted("bad"), counted("terrible")) == (60, 30, 0)
    count(40)
    assert (counted("good"), counted("bad")) == (140, 70)
    count(70, "participant")
    assert counted("good") == 140
    count(100)
    assert counted("good") == 200
