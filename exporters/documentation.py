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
    metrics.BUILD_INFO: "VDX Watch itself",
}
"""The first metric of each chapter, in the order of the table."""

_LABELS: Final = {
    "code": "HTTP status, or the kind of network fault",
    "cpu_model": "processor of a node",
    "data_centre": "data centre, by the setting locations.data_centres; empty for a location in none",
    "fault": "what is wrong with the source of the organisations; docs/history.md tells the rule for each",
    "hypervisor": "what the node's machine runs on",
    "instance_name": "name of a Teams Connector instance",
    "level": "level of an alarm, in lower case",
    "license": "kind of licence: port, audio, vmr, teams, ghm, otj, scheduling, system or telehealth",
    "location": "name of the system location",
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
    "resource": "resource of the Management Node's API",
    "rule": "how a record was set right; docs/history.md tells each",
    "service_tag": "service tag of the organisation; none without one, other for the rest",
    "service_type": "kind of service, such as conference, lecture or gateway",
    "size": "number of participants: 0, 1, 2, 3-5, 6-10, 11-20, 21-50, 51-100 or 101+",
    "table": "table of the database",
    "tier": "central or decentral, by the setting locations.central",
    "version": "version of the software",
}

_INTRODUCTION: Final = """# Metrics

<!-- Written by `python -m exporters.documentation`; change vdx/metrics.py instead. -->

The status miner serves these on `/metrics`, in the Prometheus text format. A name does not change after
a release. No label holds a person, an alias, an address or the name of a conference.

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
