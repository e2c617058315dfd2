"""What is sent to the collector's socket is told by the rules: rsyslogd, archive and reader together."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.logs.reader import LogReader
from exporters.logs.rule import SHIPPED, load
from tests.syslog.collector import Collector

SENT = (
    (
        '<134>1 2026-11-24T08:00:01.120Z conf01 pexip - - - 2026-11-24 08:00:01,118 Level="INFO" '
        'Name="administrator.conference" Message="Participant attempting to join conference." Protocol="SIP"',
        ("pexip_join_attempted", "sip"),
    ),
    (
        '<132>Nov 24 08:05:00 mgr01 pexip: 2026-11-24 08:05:00,511 Level="WARNING" '
        'Name="administrator.system.connectivity" Message="Connectivity lost to node." Node="10.0.2.11"',
        ("pexip_connectivity_lost", "10.0.2.11"),
    ),
    (
        '<185>date=2026-11-24 time=08:10:01 devname="fw-01" devid="FGVM1" logid="0108037892" type="event" '
        'subtype="ha" level="alert" vd="root" logdesc="HA member lost" msg="lost heartbeat"',
        ("fortigate_ha", "member_lost"),
    ),
    (
        "<189>: 2026 Nov 24 08:11:23 UTC: %BGP-5-ADJCHANGE: bgp-65000 [2210] neighbor 10.9.0.2 Down",
        ("nxos_bgp", "down"),
    ),
    (
        '<131>1 2026-11-24T08:12:00Z k8s-1 vdx-booking - - - {"@timestamp":"2026-11-24T08:12:00Z",'
        '"message":"Booking failed","logger_name":"dk.vdx.Booking","level":"ERROR","app":"vdx-booking"}',
        ("vdx_api_error", "vdx-booking"),
    ),
    (
        "<86>Nov 24 08:09:00 mgr01 audispd: type=USER_LOGIN msg=audit(1741075740.123:4411): pid=2210 "
        "msg='op=login acct=\"admin\" res=failed'",
        ("audit_login", "failed"),
    ),
)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    one = Collector(tmp_path / "rsyslog", "tcp")
    one.start()
    yield one
    one.stop()


def test_what_is_sent_to_the_collector_is_told_by_its_rule(collector: Collector, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", collector.ports["tcp"])) as sender:
        sender.sendall("".join(f"{text}\n" for text, _ in SENT).encode())
    collector.wait_for(len(SENT))
    reader = LogReader(collector.archive, tmp_path / "counts.sqlite3", load(SHIPPED), most_hosts=50)
    while reader.step():
        pass
    reader.close()
    found = {(rule, name) for rule, name, _ in reader.totals.events}
    assert found >= {expected for _, expected in SENT}
    assert {host for host, _, _ in reader.totals.lines} == {"conf01", "mgr01", "k8s-1", "127.0.0.1"}
    assert reader.totals.counts.get("rejected", 0) == 0
    assert all(one.time is None or one.time > 0 for one in reader.totals.events.values())
