"""docs/metrics.md from the table of declared metrics: `python -m exporters.documentation`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from vdx import metrics
from vdx.metrics import METRICS, Metric

FILE: Final = Path(__file__).parents[1] / "docs" / "metrics.md"

_CHAPTERS: Final = {
    metrics.UP: "The poll",
    metrics.LICENSE_PORTS_USED: "Licences",
    metrics.HARDWARE_PORTS_USED: "Hardware and telephony",
    metrics.NODE_UP: "Nodes and locations",
    metrics.CONFERENCES: "Conferences, participants and devices",
    metrics.API_REQUESTS: "VDX Watch itself",
    metrics.HISTORY_UP: "History and usage",
    metrics.ORGANISATION_SOURCE_UP: "Organisations",
    metrics.CONFIG_BACKUP_UP: "Configuration backup",
    metrics.TRAP_LISTENER_UP: "Traps",
    metrics.ASSET_SERVICE_END: "Hardware life",
    metrics.HUMIO_UP: "Humio",
    metrics.LOG_ARCHIVE_BYTES: "Log archive",
    metrics.LOG_EXPORTER_UP: "Logs",
    metrics.RSYSLOG_STATISTICS_TIMESTAMP: "Log collector",
    metrics.BUILD_INFO: "VDX Watch itself",
    metrics.SNMP_UP: "Network kit",
    metrics.SNMP_SCRAPE_WALK: "Network kit, in the answers of /snmp",
}
"""The first metric of each chapter, in the order of the table."""

_LABELS: Final = {
    "action": "what rsyslog does with a message: utf8, archive, humio or statistics, or one of its own",
    "address": "server whose certificate is watched, as host:port in the settings",
    "asset": "name of a piece of hardware in its register",
    "class": "kind of an event, by the rule for log lines; other for what the rule does not name, empty "
    "where it has none",
    "code": "HTTP status, or the kind of network fault",
    "component": "kind of part, such as power supply, fan, disk, tunnel or cluster member",
    "cpu_model": "processor of a node",
    "data_centre": "data centre, by the setting locations.data_centres; empty for a location in none",
    "device": "name of the device in the settings",
    "fault": "what is wrong with the source of the organisations: docs/history.md tells the rule for each; "
    "or with a file of the log archive",
    "host": "host that wrote a log line, by its header, else its address; or that should write some, by the "
    "settings or Pexip",
    "hypervisor": "what the node's machine runs on",
    "instance_name": "name of a Teams Connector instance",
    "kind": "kind of device, such as fortigate, nexus or idrac",
    "level": "level of an alarm, in lower case; of a trap or a rule for log lines info, warning or critical",
    "license": "kind of licence: port, audio, vmr, teams, ghm, otj, scheduling, system or telehealth",
    "location": "name of the system location",
    "model": "model of a device",
    "name": "name of an alarm, as the platform gives it",
    "node": "name of the Conferencing Node or Management Node",
    "node_type": "CONFERENCING or PROXYING",
    "outcome": "what became of a record: added, known (read before), rejected (malformed) or refused by the "
    "database",
    "organisation": "name of an organisation at the top of the tree; (unassigned) for calls of none, (other) "
    "for the smallest",
    "product": "product of a licence",
    "protocol": "protocol of a call leg or a registration, such as WebRTC, SIP or H323",
    "quality": "unknown, good, ok, bad or terrible",
    "queue": "queue of rsyslog: vdx_udp, humio queue, or one of its own",
    "reason": "why a copy failed: unreachable, login, host-key, pager, incomplete, timeout, too-long, "
    "settings, storage or program; or why traps were dropped: rate, load, size, credentials or engine; "
    "or why a line is not handed on to Humio: refused or size; or why an hour of logs was dropped: age or "
    "disk",
    "resource": "resource of the Management Node's API",
    "rule": "how a record was set right, by docs/history.md; or rule for log lines, by docs/log-rules.md",
    "sensor": "name of a sensor, as the device gives it",
    "serial": "serial number",
    "service_tag": "service tag of the organisation; none without one, other for the rest",
    "service_type": "kind of service, such as conference, lecture or gateway",
    "site": "where the device stands, by the setting devices.NAME.site",
    "severity": "severity of a line: emergency, alert, critical, error, warning, notice, info or debug",
    "size": "number of participants: 0, 1, 2, 3-5, 6-10, 11-20, 21-50, 51-100 or 101+",
    "source": "what wrote a line: pexip, fortigate, nxos, vdx-api, audit, nginx or other",
    "table": "table of the database",
    "tier": "central or decentral, by the setting locations.central",
    "transport": "how log lines come: udp, tcp, tls or relp",
    "trap": "name of a trap by its MIB, or unknown",
    "version": "version of the software",
    "window": "whether a change lay inside or outside the change windows; none where none are set",
}

_INTRODUCTION: Final = """# Metrics

<!-- Written by `python -m exporters.documentation`; change vdx/metrics.py instead. -->

The status miner serves these on `/metrics`, in the Prometheus text format. A name does not change after
a release. No label holds a person, an alias, a caller's address or the name of a conference.

- The text is made once, when a poll ends. What is gone from the platform is gone from the next text.
- A resource that could not be read has no series; `pexip_resource_up` tells which.
- Without a snapshot that is at most 3 poll intervals old, `pexip_up 0` is the only series of the platform.
- Use above a limit is real and shown as it is.
- `pexip_node_up` rests on the platform's alarms, and is absent while they cannot be read.
- The process's own `process_*` metrics are those of every Prometheus client.
"""


def _chapters(table: Iterable[Metric]) -> dict[str, list[Metric]]:
    chapters: dict[str, list[Metric]] = {}
    title = ""
    for metric in table:
        title = _CHAPTERS.get(metric, title)
        chapters.setdefault(title, []).append(metric)
    return chapters


def _rows(table: Iterable[Metric]) -> Iterator[str]:
    yield "| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n"
    for metric in table:
        labels = ", ".join(metric.labels) or "–"
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |\n"


def markdown() -> str:
    """The whole of docs/metrics.md."""
    used = sorted({label for metric in METRICS.values() for label in metric.labels})
    chapters = _chapters(METRICS.values())
    return "".join(
        (
            _INTRODUCTION,
            *(part for title, table in chapters.items() for part in (f"\n## {title}\n\n", *_rows(table))),
            "\n## Labels\n\n| Label | Meaning |\n|---|---|\n",
            *(f"| {label} | {_LABELS[label]} |\n" for label in used),
        )
    )


def main() -> None:
    """Write docs/metrics.md."""
    FILE.write_text(markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
