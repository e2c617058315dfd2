"""What the page shows, from one snapshot and its figures. Pure: no clock, no network, no markup."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from app.web import texts
from app.web.changes import Change
from app.web.curve import Curve, Point, curve
from app.web.state import RANK, State, of_ratio, worst
from app.web.troubles import (
    Trouble,
    conference_name,
    is_location_troubled,
    is_troubled,
    is_unsynchronised,
    things,
    troubles,
)
from vdx.capacity import BAD_QUALITIES, TIERS, ConferenceUse, NodeUse, Ports, Usage, conference_uses
from vdx.pexip.records import Conference, WorkerVM
from vdx.settings import Settings
from vdx.snapshot import ESSENTIAL, Snapshot

MOST_CONFERENCES: Final = 200
"""Rows of the table of conferences; the rest is counted."""

NodeState = Literal["up", "lost", "maintenance", "unsynchronised"]
NODE_RANK: Final[Mapping[NodeState, State]] = {
    "up": "good",
    "maintenance": "notice",
    "unsynchronised": "warning",
    "lost": "critical",
}


class Gauge(msgspec.Struct, frozen=True):
    """A use against its limit, in ports or lines; `ratio` may exceed 1. None is not known."""

    used: float | None
    limit: float | None
    ratio: float | None
    state: State


class Licences(msgspec.Struct, frozen=True):
    """Licence ports against the pool, and what Pexip itself reports."""

    gauge: Gauge
    over: int
    """Ports in use beyond the pool."""
    left: int
    reported_used: int | None = None
    reported_limit: int | None = None


class Tier(msgspec.Struct, frozen=True):
    """720p ports of the central or the decentral nodes."""

    name: str
    gauge: Gauge


class DataCentre(msgspec.Struct, frozen=True):
    """720p ports left on the rest of the platform with a data centre out; negative: short."""

    name: str
    left: float
    state: State


class Quality(msgspec.Struct, frozen=True):
    """Participants with media by the quality of their call. `good` counts good and ok."""

    total: int = 0
    good: int = 0
    bad: int = 0

    @property
    def good_share(self) -> float | None:
        """Share of the participants in good or ok quality, or None without participants."""
        return self.good / self.total if self.total else None

    @property
    def bad_share(self) -> float | None:
        """Share of the participants in bad or terrible quality, or None without participants."""
        return self.bad / self.total if self.total else None


class LocationRow(msgspec.Struct, frozen=True):
    """A location: its nodes, 720p ports, licence ports and participants."""

    name: str
    tier: str
    state: State
    nodes_up: int | None
    nodes: int | None
    hardware: Gauge
    license_ports: int | None
    quality: Quality | None


class NodeRow(msgspec.Struct, frozen=True):
    """A Conferencing Node."""

    id: int
    name: str
    location: str
    tier: str
    node_state: NodeState
    state: State
    hardware: Gauge
    conferences: int
    participants: int
    version: str


class ConferenceRow(msgspec.Struct, frozen=True):
    """A conference; `name` is a short id where names are not shown. Counts are None when not read."""

    id: str
    name: str
    service_type: str
    state: State
    participants: int | None
    license_ports: int | None
    bad: int | None
    locations: tuple[str, ...]
    nodes: int | None
    start: datetime | None


class View(msgspec.Struct, frozen=True):
    """Everything that the page shows. Times are UTC."""

    time: datetime
    """The beat that the figures belong to."""
    now: datetime
    up: bool
    state: State
    status: str
    things: int
    troubles: tuple[Trouble, ...]
    licences: Licences
    tiers: tuple[Tier, ...]
    data_centres: tuple[DataCentre, ...]
    participants: int | None
    quality: Quality | None
    conferences: int | None
    conferences_troubled: int | None
    pstn: Gauge | None
    """None where no rule tells telephony apart."""
    curve: Curve
    locations: tuple[LocationRow, ...] | None
    nodes: tuple[NodeRow, ...] | None
    conference_rows: tuple[ConferenceRow, ...] | None
    conferences_more: int
    """Conferences beyond the rows."""
    changes: tuple[Change, ...] = ()


def view(
    snapshot: Snapshot, usage: Usage, settings: Settings, history: Sequence[Point], now: datetime
) -> View:
    """What the page shows at `now`. `history` is licence ports over time, this poll's included."""
    uses = conference_uses(snapshot)
    found = troubles(snapshot, usage, settings, uses)
    rows, more, troubled = _conferences(snapshot, uses, settings)
    quality = None if usage.quality is None else _quality(usage.quality.items())
    state, status = _status(snapshot, found, history, ZoneInfo(settings.sla.time_zone), now)
    return View(
        time=snapshot.time,
        now=now,
        up=snapshot.up,
        state=state,
        status=status,
        things=things(found),
        troubles=found,
        licences=_licences(snapshot, usage),
        tiers=_tiers(usage),
        data_centres=tuple(
            DataCentre(name, left, "warning" if left < 0 else "good")
            for name, left in sorted((usage.headroom_without or {}).items())
        ),
        participants=usage.participants_total,
        quality=quality,
        conferences=usage.conferences_total,
        conferences_troubled=troubled,
        pstn=_pstn(usage, settings),
        curve=curve(history, usage.license_limit, now),
        locations=_locations(snapshot, usage, settings),
        nodes=_nodes(snapshot.nodes, usage.nodes),
        conference_rows=rows,
        conferences_more=more,
    )


def _status(
    snapshot: Snapshot, found: Sequence[Trouble], history: Sequence[Point], zone: ZoneInfo, now: datetime
) -> tuple[State, str]:
    missing = [resource for resource in ESSENTIAL if resource in snapshot.failures]
    if len(missing) == len(ESSENTIAL):
        seen = [time for time, value in history if value is not None and time < snapshot.time]
        last = max(seen, default=None)
        return "unknown", texts.out_of_sight(_last_answer(last, zone, now) if last else None)
    if missing:
        return "unknown", texts.partly_out_of_sight(missing)
    state = worst(trouble.state for trouble in found)
    return ("good" if state == "notice" else state), texts.status(things(found))


def _last_answer(time: datetime, zone: ZoneInfo, now: datetime) -> str:
    same_day = time.astimezone(zone).date() == now.astimezone(zone).date()
    return texts.clock(time, zone) if same_day else texts.moment(time, zone, now)


def gauge(used: float | None, limit: float | None, full: State = "critical") -> Gauge:
    """A use against its limit; `full` is the state of a use beyond it."""
    ratio = None if used is None or not limit else used / limit
    return Gauge(used, limit, ratio, "unknown" if used is None else of_ratio(ratio or 0.0, full))


def _ports(ports: Ports | None) -> Gauge:
    return gauge(None, None) if ports is None else gauge(ports.used, ports.limit)


def _licences(snapshot: Snapshot, usage: Usage) -> Licences:
    used, limit = usage.license_ports, usage.license_limit
    reported = snapshot.licensing
    return Licences(
        gauge=gauge(used, limit, "warning"),
        over=max(0, (used or 0) - limit),
        left=max(0, limit - (used or 0)),
        reported_used=reported.port_count if reported else None,
        reported_limit=reported.port_total if reported else None,
    )


def _tiers(usage: Usage) -> tuple[Tier, ...]:
    by_tier = usage.hardware_by_tier or {}
    return tuple(Tier(name, _ports(by_tier.get(name))) for name in TIERS)


def _pstn(usage: Usage, settings: Settings) -> Gauge | None:
    if not settings.pstn.has_rule:
        return None
    return gauge(usage.pstn_lines, usage.pstn_limit)


def _quality(counts: Iterable[tuple[tuple[str, str], int]]) -> Quality:
    by_quality: Counter[str] = Counter()
    for (_, quality), amount in counts:
        by_quality[quality] += amount
    return Quality(
        total=by_quality.total(),
        good=by_quality["good"] + by_quality["ok"],
        bad=sum(by_quality[name] for name in BAD_QUALITIES),
    )


def _qualities(usage: Usage) -> dict[str, Quality] | None:
    if usage.quality is None:
        return None
    by_location: dict[str, list[tuple[tuple[str, str], int]]] = defaultdict(list)
    for key, amount in usage.quality.items():
        by_location[key[0]].append((key, amount))
    return {location: _quality(counts) for location, counts in by_location.items()}


def _locations(snapshot: Snapshot, usage: Usage, settings: Settings) -> tuple[LocationRow, ...] | None:
    if snapshot.locations is None and usage.nodes is None:
        return None
    qualities = _qualities(usage)
    members: dict[str, list[NodeUse]] = defaultdict(list)
    for node in usage.nodes or ():
        members[node.location].append(node)
    names = (
        {location.name for location in snapshot.locations or ()} | members.keys() | (qualities or {}).keys()
    )
    ports, licences = usage.hardware_by_location, usage.license_ports_by_location
    rows = [
        _location(
            name,
            settings.locations.tier(name),
            nodes=None if usage.nodes is None else members.get(name, []),
            hardware=None if ports is None else ports.get(name, Ports()),
            license_ports=None if licences is None else licences.get(name, 0),
            quality=None if qualities is None else qualities.get(name, Quality()),
        )
        for name in names
        if name
    ]
    return tuple(sorted(rows, key=lambda row: (-RANK[row.state], -(row.hardware.ratio or 0), row.name)))


def _location(
    name: str,
    tier: str,
    *,
    nodes: Sequence[NodeUse] | None,
    hardware: Ports | None,
    license_ports: int | None,
    quality: Quality | None,
) -> LocationRow:
    gauge = _ports(hardware)
    states = [gauge.state]
    working = None if nodes is None else sum(node.up and not node.maintenance for node in nodes)
    if nodes:
        lost = sum(not node.up for node in nodes)
        if working == 0:
            states.append("critical" if lost == len(nodes) else "warning")
        elif lost:
            states.append("warning")
    if quality and is_location_troubled(quality.bad, quality.total):
        states.append("warning")
    return LocationRow(
        name=name,
        tier=tier,
        state=worst(states),
        nodes_up=working,
        nodes=None if nodes is None else len(nodes),
        hardware=gauge,
        license_ports=license_ports,
        quality=quality,
    )


def _node_state(node: NodeUse, record: WorkerVM) -> NodeState:
    if not node.up:
        return "lost"
    if node.maintenance:
        return "maintenance"
    return "unsynchronised" if is_unsynchronised(record) else "up"


def _nodes(records: Sequence[WorkerVM] | None, uses: Sequence[NodeUse] | None) -> tuple[NodeRow, ...] | None:
    if records is None or uses is None:
        return None
    rows = []
    for record, use in zip(records, uses, strict=True):
        node_state = _node_state(use, record)
        hardware = _ports(use.hardware if use.hardware.limit else None)
        states = [NODE_RANK[node_state]] + ([hardware.state] if hardware.ratio is not None else [])
        rows.append(
            NodeRow(
                id=record.id,
                name=use.name,
                location=use.location,
                tier=use.tier,
                node_state=node_state,
                state=worst(states),
                hardware=hardware,
                conferences=use.conferences,
                participants=use.participants,
                version=record.version,
            )
        )
    return tuple(sorted(rows, key=lambda row: (-RANK[row.state], -(row.hardware.ratio or 0), row.name)))


def _conference_state(use: ConferenceUse) -> State:
    if is_troubled(use.bad, use.participants):
        return "warning"
    return "notice" if use.bad else "good"


def _conferences(
    snapshot: Snapshot, uses: Mapping[str, ConferenceUse] | None, settings: Settings
) -> tuple[tuple[ConferenceRow, ...] | None, int, int | None]:
    """The rows, how many conferences are beyond them, and how many are in trouble."""
    if snapshot.conferences is None:
        return None, 0, None
    if uses is None:
        rows = [_unread_conference(conference, settings) for conference in snapshot.conferences]
        return tuple(rows[:MOST_CONFERENCES]), max(0, len(rows) - MOST_CONFERENCES), None
    known = [(conference, uses[conference.name]) for conference in snapshot.conferences]
    shown = heapq.nsmallest(
        MOST_CONFERENCES,
        known,
        key=lambda pair: (
            -RANK[_conference_state(pair[1])],
            -pair[1].participants,
            -pair[1].license_ports,
            pair[0].name,
        ),
    )
    troubled = sum(_conference_state(use) == "warning" for _, use in known)
    return tuple(_conference(*pair, settings) for pair in shown), len(known) - len(shown), troubled


def _conference(conference: Conference, use: ConferenceUse, settings: Settings) -> ConferenceRow:
    return ConferenceRow(
        id=conference.id,
        name=conference_name(conference.name, conference.id, settings),
        service_type=conference.service_type,
        state=_conference_state(use),
        participants=use.participants,
        license_ports=use.license_ports,
        bad=use.bad,
        locations=use.locations,
        nodes=use.nodes,
        start=conference.start_time,
    )


def _unread_conference(conference: Conference, settings: Settings) -> ConferenceRow:
    return ConferenceRow(
        id=conference.id,
        name=conference_name(conference.name, conference.id, settings),
        service_type=conference.service_type,
        state="unknown",
        participants=None,
        license_ports=None,
        bad=None,
        locations=(),
        nodes=None,
        start=conference.start_time,
    )
