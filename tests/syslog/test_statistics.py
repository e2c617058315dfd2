"""rsyslog's own counters, as metrics: from a real rsyslogd, and from files that are not as they should be."""

import json
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from exporters.collector_statistics import CollectorStatistics, records, socket_drops
from tests.syslog.collector import collecting, rfc5424
from tests.syslog.senders import send_tcp, send_udp
from vdx.logs.collector import STATISTICS_FILE, UDP_QUEUE


def test_what_was_sent_to_rsyslog_is_counted_by_transport_queue_and_action(tmp_path: Path) -> None:
    with collecting(tmp_path, "udp", "tcp") as collector:
        send_udp(collector.ports["udp"], map(rfc5424, range(30)))
        send_tcp(collector.ports["tcp"], map(rfc5424, range(12)))
        collector.wait_for(42)
        registry = CollectorRegistry()
        CollectorStatistics(collector.archive, collector.settings.udp, registry)
        assert registry.get_sample_value("rsyslog_udp_socket_drops_total") == 0
        # rsyslog writes its counters when it ends, too.
        collector.stop()
        text = (collector.archive / STATISTICS_FILE).read_bytes()
        assert text.endswith(b"\n")
        wanted = {
            ("rsyslog_input_submitted_total", "transport", "udp"): 30,
            ("rsyslog_input_submitted_total", "transport", "tcp"): 12,
            ("rsyslog_action_processed_total", "action", "archive"): 42,
            ("rsyslog_action_failed_total", "action", "archive"): 0,
            ("rsyslog_queue_enqueued_total", "queue", "vdx_udp"): 30,
            ("rsyslog_queue_discarded_total", "queue", "vdx_udp"): 0,
            ("rsyslog_queue_limit", "queue", "vdx_udp"): UDP_QUEUE,
        }
        for (name, label, value), expected in wanted.items():
            assert registry.get_sample_value(name, {label: value}) == expected, (name, value)
        written = (collector.archive / STATISTICS_FILE).stat().st_mtime
        assert registry.get_sample_value("rsyslog_statistics_timestamp_seconds") == written


def test_without_a_file_only_the_time_is_told(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    CollectorStatistics(tmp_path, "", registry)
    samples = [sample for family in registry.collect() for sample in family.samples]
    assert [(sample.name, sample.value) for sample in samples] == [
        ("rsyslog_statistics_timestamp_seconds", 0)
    ]


def test_the_last_whole_record_counts_and_what_is_far_back_is_not_read(tmp_path: Path) -> None:
    record = {"name": "archive", "origin": "core.action", "processed": 1, "failed": 0}
    whole = b"".join(json.dumps(record | {"processed": number}).encode() + b"\n" for number in range(5000))
    (tmp_path / STATISTICS_FILE).write_bytes(whole + b'{"name": "archive", "origin": "core.act')
    os.utime(tmp_path / STATISTICS_FILE, (1000, 1000))
    registry = CollectorRegistry()
    CollectorStatistics(tmp_path, "127.0.0.1:1", registry)
    assert registry.get_sample_value("rsyslog_action_processed_total", {"action": "archive"}) == 4999
    assert registry.get_sample_value("rsyslog_statistics_timestamp_seconds") == 1000


@given(st.binary(max_size=200))
def test_no_text_breaks_the_reader(text: bytes) -> None:
    good = b'{"name": "q", "origin": "core.queue", "size": 3}'
    assert records(text.replace(b'"', b"") + b"\n" + good) == {("core.queue", "q"): {"size": 3}}


def test_drops_are_those_of_the_port() -> None:
    table = (
        "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode "
        "ref pointer drops\n"
        "  481: 0100007F:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 1 2 0 17\n"
        "  482: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 2 2 0 5\n"
        "  483: 0100007F:0203 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 3 2 0 900\n"
    )
    assert socket_drops(table, 514) == 22
    assert socket_drops(table, 99) is None
