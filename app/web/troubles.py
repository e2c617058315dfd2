"""What is wrong on the platform: pure functions from a snapshot and its figures to a list, worst first."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from app.web import texts
from app.web.state import NEARLY_FULL, RANK, State
from vdx.capacity import BAD_QUALITIES, CONNECTIVITY_LOST, ConferenceUse, NodeUse, Ports, Usage
from vdx.pexip.records import Alarm, WorkerVM
from vdx.settings import Settings
from vdx.snapshot import ESSENTIAL, Snapshot

BAD_SHARE: Final = 0.1
"""Share of a location's participants in bad quality from which the location is in trouble."""

FEWEST: Final = 20
"""Participants below which a share of bad quality tells little about a location."""

FEWEST_BAD: Final = 5
"""Calls in bad quality below which it is some people's network, not the location's."""

MANY_CONFERENCES: Final = 0.05
"""Share of the conferences in trouble from which it is more than the usual few."""

SYNCHRONISED: Final = frozenset({"", "SYNCED", "SYNCING"})

ALARM_STATES: Final[Mapping[str, State]] = {
    "critical": "critical",
    "error": "critical",
    "warning": "warning",
    "info": "notice",
}


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong, or worth knowing. `key` stays the same while it lasts.

    `part` is the section of the page that tells more.
    """

    key: str
    state: State
    text: str
    part: str
    since: datetime | None = None


def is_troubled(bad: int, participants: int) -> bool:
    """True for a conference where two participants and at least half of them have bad quality."""
    return bad >= 2 and bad * 2 >= participants


def is_unsynchronised(node: WorkerVM) -> bool:
    """True for a node whose configuration is not that of the Management Node; syncing is no trouble."""
    return node.sync_status.upper() not in SYNCHRONISED


def troubles(
    snapshot: Snapshot, usage: Usage, settings: Settings, uses: Mapping[str, ConferenceUse] | None
) -> tuple[Trouble, ...]:
    """All that is wrong, the worst first; what rests on unread resources is left out, but said.

    `uses` are those of the conferences, None where they could not be read.
    """
    found = [
        *_reading(snapshot),
        *_nodes(usage.nodes or ()),
        *_synchronisation(snapshot.nodes or (), usage.nodes or ()),
        *_licences(usage),
        *_telephony(usage),
        *_hardware(usage),
        *_alarms(snapshot),
        *_quality(usage),
        *_conferences(uses or {}, settings),
    ]
    return tuple(sorted(found, key=lambda trouble: -RANK[trouble.state]))


def _reading(snapshot: Snapshot) -> Iterator[Trouble]:
    failed = [snapshot.failures[resource] for resource in ESSENTIAL if resource in snapshot.failures]
    if len(failed) == len(ESSENTIAL):
        yield Trouble("poll", "critical", texts.unreachable(failed[0].reason), "figures")
        return
    for resource, failure in snapshot.failures.items():
        state: State = "critical" if resource in ESSENTIAL else "warning"
        yield Trouble(f"read:{resource}", state, texts.unreadable(resource, failure.reason), "figures")
    for resource, rows in snapshot.rejected.items():
        if rows:
            yield Trouble(f"rejected:{resource}", "notice", texts.rejected(resource, rows), "figures")


def _nodes(nodes: Iterable[NodeUse]) -> Iterator[Trouble]:
    by_location: dict[str, list[NodeUse]] = defaultdict(list)
    for node in nodes:
        by_location[node.location].append(node)
    for location, members in sorted(by_location.items()):
        lost = sorted(node.name for node in members if not node.up)
        resting = sorted(node.name for node in members if node.up and node.maintenance)
        if lost:
            state: State = "critical" if len(lost) == len(members) else "warning"
            yield Trouble(f"lost:{location}", state, texts.nodes_lost(location, lost, len(members)), "nodes")
        if resting:
            text = texts.nodes_in_maintenance(location, resting)
            yield Trouble(f"maintenance:{location}", "notice", text, "nodes")
        if len(lost) < len(members) == len(lost) + len(resting):
            yield Trouble(f"idle:{location}", "warning", texts.no_node_left(location), "locations")


def _synchronisation(nodes: Iterable[WorkerVM], uses: Iterable[NodeUse]) -> Iterator[Trouble]:
    lost = {node.name for node in uses if not node.up}
    names = sorted(node.name for node in nodes if is_unsynchronised(node) and node.name not in lost)
    if names:
        yield Trouble("unsynchronised", "warning", texts.nodes_unsynchronised(names), "nodes")


def _licences(usage: Usage) -> Iterator[Trouble]:
    used, limit = usage.license_ports, usage.license_limit
    if used is None:
        return
    if used > limit:
        yield Trouble("licences", "warning", texts.licences_over(used, limit), "licences")
    elif used >= limit * NEARLY_FULL:
        yield Trouble("licences", "notice", texts.licences_close(used, limit), "licences")


def _telephony(usage: Usage) -> Iterator[Trouble]:
    used, limit = usage.pstn_lines, usage.pstn_limit
    if used and used >= limit * NEARLY_FULL:
        state: State = "critical" if used >= limit else "warning"
        yield Trouble("telephony", state, texts.pstn_full(used, limit), "hardware")


def _hardware(usage: Usage) -> Iterator[Trouble]:
    def by_ratio(item: tuple[str, Ports]) -> float:
        return -item[1].ratio

    for name, left in sorted((usage.headroom_without or {}).items()):
        if left < 0:
            yield Trouble(f"without:{name}", "warning", texts.data_centre_short(name, -left), "hardware")
    for location, ports in sorted((usage.hardware_by_location or {}).items(), key=by_ratio):
        if ports.ratio >= NEARLY_FULL:
            state: State = "critical" if ports.ratio >= 1 else "warning"
            text = texts.location_full(location, ports.ratio)
            yield Trouble(f"full:{location}", state, text, "locations")


def _alarms(snapshot: Snapshot) -> Iterator[Trouble]:
    """Alarms by name and level. Lost contact is told by `_nodes`, with what it means."""
    names = snapshot.configuration.node_names
    groups: dict[tuple[str, str, bool], list[Alarm]] = defaultdict(list)
    for alarm in snapshot.alarms or ():
        if alarm.name.lower() != CONNECTIVITY_LOST:
            groups[alarm.name, alarm.level.lower(), alarm.acknowledged].append(alarm)
    for (name, level, acknowledged), group in sorted(groups.items()):
        nodes = sorted({names[alarm.node] for alarm in group if alarm.node in names})
        state: State = "notice" if acknowledged else ALARM_STATES.get(level, "warning")
        since = min((alarm.time_raised for alarm in group if alarm.time_raised), default=None)
        text = texts.alarms(name, len(group), nodes)
        yield Trouble(f"alarm:{name}:{level}:{acknowledged}", state, text, "nodes", since)


def _quality(usage: Usage) -> Iterator[Trouble]:
    totals: dict[str, int] = defaultdict(int)
    bad: dict[str, int] = defaultdict(int)
    for (location, quality), amount in (usage.quality or {}).items():
        totals[location] += amount
        bad[location] += amount if quality in BAD_QUALITIES else 0
    for location, total in sorted(totals.items(), key=lambda item: -bad[item[0]] / max(1, item[1])):
        if is_location_troubled(bad[location], total):
            text = texts.location_quality(location, bad[location], total)
            yield Trouble(f"quality:{location}", "warning", text, "locations")


def is_location_troubled(bad: int, total: int) -> bool:
    """True where so many participants of a location have bad quality that the location may be why."""
    return total >= FEWEST and bad >= max(FEWEST_BAD, total * BAD_SHARE)


def _conferences(uses: Mapping[str, ConferenceUse], settings: Settings) -> Iterator[Trouble]:
    troubled = sorted(
        (name for name, use in uses.items() if is_troubled(use.bad, use.participants)),
        key=lambda name: -uses[name].bad,
    )
    if troubled:
        names = [conference_name(name, uses[name].id, settings) for name in troubled]
        state: State = "warning" if len(troubled) >= max(3, len(uses) * MANY_CONFERENCES) else "notice"
        yield Trouble("quality", state, texts.conferences_quality(names), "conferences")


def conference_name(name: str, identity: str, settings: Settings) -> str:
    """What the page calls a conference: its name, or a short id where names are not shown."""
    return name if settings.web.conference_names and name else identity[:8]


def things(found: Sequence[Trouble]) -> int:
    """How many of the troubles need a look; a notice does not."""
    return sum(trouble.state in ("warning", "critical") for trouble in found)
