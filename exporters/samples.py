"""What a snapshot of the platform gives to Prometheus: pure functions from records to samples.

One function for each group of metrics; its docstring shows a line of its output. What rests on a
resource that could not be read has no series. Sets of labels that are known are there with 0, so
that a rise from nothing is seen.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from exporters.exposition import Family, Samples
from vdx import metrics
from vdx.capacity import LARGEST_SIZE, QUALITIES, SIZES, NodeUse, Ports, Usage
from vdx.pexip import resources
from vdx.pexip.records import Licensing, WorkerVM
from vdx.settings import Settings
from vdx.snapshot import Snapshot

RESOURCES: Final = tuple(
    resource.name
    for resource in (
        *resources.STATUS,
        resources.SYSTEM_LOCATION_CONFIGURATION,
        resources.WORKER_VM_CONFIGURATION,
        resources.MANAGEMENT_VM_CONFIGURATION,
        resources.LICENCE_CONFIGURATION,
    )
)
LICENSES: Final = tuple(
    field.removesuffix("_count") for field in Licensing.__struct_fields__ if field.endswith("_count")
)
CONFERENCE_TYPES: Final = (
    "conference",
    "gateway",
    "lecture",
    "media_playback",
    "test_call",
    "two_stage_dialing",
)
SERVICE_TYPES: Final = (*CONFERENCE_TYPES, "connecting", "ivr", "waiting_room")
"""Types of a participant's service; the last three are passed through on the way into a conference."""

PROTOCOLS: Final = ("GMS", "H323", "MSSIP", "RTMP", "SIP", "TEAMS", "WebRTC")
REGISTRATION_PROTOCOLS: Final = ("H323", "SIP", "WebRTC")
SIZE_CLASSES: Final = ("0", *(name for _, name in SIZES), LARGEST_SIZE)
_SPELLINGS: Final = {protocol.upper(): protocol for protocol in PROTOCOLS}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class _Poll(NamedTuple):
    """What the groups read. `tiers` has every location that the snapshot names."""

    snapshot: Snapshot
    usage: Usage
    settings: Settings
    tiers: Mapping[str, str]


def samples(snapshot: Snapshot, usage: Usage, settings: Settings) -> list[Family]:
    """All families of a snapshot, each at most once. `usage` is what was measured of this snapshot."""
    names = sorted(_locations(snapshot, usage))
    tiers = {name: settings.locations.tier(name) for name in names}
    poll = _Poll(snapshot, usage, settings, tiers)
    return [family for group in _GROUPS for family in group(poll)]


def _locations(snapshot: Snapshot, usage: Usage) -> set[str]:
    return {
        *(location.name for location in snapshot.locations or ()),
        *(node.system_location for node in snapshot.nodes or ()),
        *(backplane.system_location for backplane in snapshot.backplanes or ()),
        *(location for location, _ in usage.participants or ()),
        *(usage.control_only or ()),
        *(usage.license_ports_by_location or ()),
    }


def _single(value: float) -> Samples:
    return {(): value}


def _named(values: Mapping[str, float]) -> Samples:
    return {(name,): value for name, value in values.items()}


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _counted(names: Iterable[str], known: Iterable[str] = ()) -> Samples:
    """How often each name comes; the known ones at least 0 times."""
    return _named(dict.fromkeys(known, 0) | Counter(names))


def _by_location(poll: _Poll, values: Mapping[str, float]) -> Samples:
    return {(name, tier): values.get(name, 0) for name, tier in poll.tiers.items()}


def _by_location_and(poll: _Poll, values: Mapping[tuple[str, str], int], known: Iterable[str]) -> Samples:
    """(location, x) -> value, as (location, tier, x); every location has the known x."""
    totals: dict[tuple[str, ...], float] = {
        (name, tier, other): 0 for name, tier in poll.tiers.items() for other in known
    }
    return totals | {(name, poll.tiers[name], other): value for (name, other), value in values.items()}


def _outcome(poll: _Poll) -> Iterator[Family]:
    """pexip_resource_up{resource="participant"} 1"""
    snapshot = poll.snapshot
    names = dict.fromkeys((*RESOURCES, *snapshot.failures))
    yield metrics.UP, _single(snapshot.up)
    yield metrics.POLL_TIMESTAMP, _single(snapshot.time.timestamp())
    yield metrics.POLL_DURATION, _single(snapshot.duration_seconds)
    yield metrics.RESOURCE_UP, _named({name: name not in snapshot.failures for name in names})


def _licenses(poll: _Poll) -> Iterator[Family]:
    """pexip_location_license_ports_used{location="Aarhus",tier="central"} 412"""
    usage = poll.usage
    if usage.license_ports is not None:
        yield metrics.LICENSE_PORTS_USED, _single(usage.license_ports)
        yield metrics.LICENSE_PORTS_LIMIT, _single(usage.license_limit)
    if usage.license_ports_by_location is not None:
        yield metrics.LOCATION_LICENSE_PORTS_USED, _by_location(poll, usage.license_ports_by_location)
    if usage.license_ports_by_service is not None:
        services = dict.fromkeys(SERVICE_TYPES, 0) | dict(usage.license_ports_by_service)
        yield metrics.SERVICE_LICENSE_PORTS_USED, _named(services)
    if usage.license_ports_by_tag is not None:
        tags = largest_tags(usage.license_ports_by_tag, poll.settings.metrics.service_tags)
        yield metrics.TAG_LICENSE_PORTS_USED, _named(tags)


def largest_tags(tags: Mapping[str, int], bound: int) -> dict[str, int]:
    """The `bound` service tags with the largest use; the rest is summed as `other`, no tag is `none`."""
    totals: Counter[str] = Counter()
    for tag, ports in tags.items():
        totals[tag or "none"] += ports
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    kept, rest = dict(ranked[:bound]), ranked[bound:]
    if rest:
        kept["other"] = kept.get("other", 0) + sum(ports for _, ports in rest)
    return kept


def _reported_licenses(poll: _Poll) -> Iterator[Family]:
    """pexip_license_reported_used{license="port"} 1042"""
    licensing = poll.snapshot.licensing
    if licensing is not None:
        used = _known({name: getattr(licensing, f"{name}_count") for name in LICENSES})
        limit = _known({name: getattr(licensing, f"{name}_total") for name in LICENSES})
        yield metrics.LICENSE_REPORTED_USED, _named(used)
        yield metrics.LICENSE_REPORTED_LIMIT, _named(limit)


def expiration(date: str) -> datetime | None:
    """The start (UTC) of the day dd-Mon-yyyy, with English months whatever the locale.

    None for `permanent`, and for what is no date.
    """
    try:
        day, month, year = date.strip().lower().split("-")
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _licence_expiry(poll: _Poll) -> Iterator[Family]:
    """pexip_licence_expiration_timestamp_seconds{product="PEX-PORT"} 1830384000

    The configuration is read less often than status, so a failed poll cannot vouch for it.
    """
    if not poll.snapshot.up:
        return
    first: dict[str, float] = {}
    for licence in poll.snapshot.configuration.licences:
        if ends := expiration(licence.expiration_date):
            first[licence.product_id] = min(ends.timestamp(), first.get(licence.product_id, float("inf")))
    yield metrics.LICENCE_EXPIRY, _named(first)


def _hardware(poll: _Poll) -> Iterator[Family]:
    """pexip_hardware_ports_used{location="Aarhus",tier="central"} 387.5"""
    usage = poll.usage
    if usage.hardware_by_location is not None:
        ports = usage.hardware_by_location
        none = Ports()
        used = {name: ports.get(name, none).used for name in poll.tiers}
        limit = {name: ports.get(name, none).limit for name in poll.tiers}
        yield metrics.HARDWARE_PORTS_USED, _by_location(poll, used)
        yield metrics.HARDWARE_PORTS_LIMIT, _by_location(poll, limit)
        yield metrics.HARDWARE_PORTS_NOMINAL, _single(poll.settings.hardware.ports)
    if usage.hardware_by_data_centre is not None:
        centres = usage.hardware_by_data_centre
        used = {name: ports.used for name, ports in centres.items()}
        limit = {name: ports.limit for name, ports in centres.items()}
        yield metrics.DATA_CENTRE_HARDWARE_PORTS_USED, _named(used)
        yield metrics.DATA_CENTRE_HARDWARE_PORTS_LIMIT, _named(limit)
    if usage.headroom_without is not None:
        yield metrics.DATA_CENTRE_OUT_HEADROOM, _named(usage.headroom_without)


def _telephony(poll: _Poll) -> Iterator[Family]:
    """pexip_pstn_lines_used 12"""
    if poll.usage.pstn_lines is not None:
        yield metrics.PSTN_LINES_USED, _single(poll.usage.pstn_lines)
        yield metrics.PSTN_LINES_LIMIT, _single(poll.usage.pstn_limit)


def _nodes(poll: _Poll) -> Iterator[Family]:
    """pexip_node_media_load_ratio{node="aar-conf01",location="Aarhus",tier="central"} 0.42"""
    snapshot = poll.snapshot
    if snapshot.nodes is None or poll.usage.nodes is None:
        return
    # Keyed by its labels: of two nodes that have all of them in common, the last one is shown.
    nodes: dict[tuple[str, ...], tuple[WorkerVM, NodeUse]] = {
        (use.name, use.location, use.tier): (node, use)
        for node, use in zip(snapshot.nodes, poll.usage.nodes, strict=True)
    }
    records = {labels: node for labels, (node, _) in nodes.items()}
    uses = {labels: use for labels, (_, use) in nodes.items()}
    # A lost node is known by its alarm alone, so that without alarms nothing can be said.
    if snapshot.alarms is not None:
        yield metrics.NODE_UP, {labels: use.up for labels, use in uses.items()}
    yield metrics.NODE_MAINTENANCE, {labels: use.maintenance for labels, use in uses.items()}
    yield metrics.NODE_MEDIA_LOAD, {labels: use.media_load for labels, use in uses.items()}
    yield metrics.NODE_TOKENS_USED, {labels: node.media_tokens_used for labels, node in records.items()}
    yield metrics.NODE_TOKENS_LIMIT, {labels: node.max_media_tokens for labels, node in records.items()}
    yield metrics.NODE_HARDWARE_PORTS_USED, {labels: use.hardware.used for labels, use in uses.items()}
    yield metrics.NODE_HARDWARE_PORTS_LIMIT, {labels: use.hardware.limit for labels, use in uses.items()}
    yield metrics.NODE_SIGNALLED_CALLS, {labels: node.signaling_count for labels, node in records.items()}
    # Status names nodes by address here; only the configuration tells whose they are.
    if snapshot.conference_shards is not None and snapshot.configuration.node_names:
        yield metrics.NODE_CONFERENCES, {labels: use.conferences for labels, use in uses.items()}
    if snapshot.participants is not None and snapshot.configuration.node_names:
        yield metrics.NODE_PARTICIPANTS, {labels: use.participants for labels, use in uses.items()}
    yield (
        metrics.NODE_SYNCED,
        {labels: node.sync_status.upper() == "SYNCED" for labels, node in records.items()},
    )
    yield (
        metrics.NODE_BOOT_TIME,
        {labels: node.boot_time.timestamp() for labels, node in records.items() if node.boot_time},
    )
    yield (
        metrics.NODE_INFO,
        {
            (*labels, node.version, node.node_type, node.hypervisor, node.cpu_model): 1
            for labels, node in records.items()
        },
    )


def _managers(poll: _Poll) -> Iterator[Family]:
    """pexip_management_node_info{node="manager",version="37 (80240.0.0)"} 1"""
    if poll.snapshot.managers is not None:
        versions = {manager.name: manager.version for manager in poll.snapshot.managers}
        yield metrics.MANAGER_INFO, dict.fromkeys(versions.items(), 1)


def _location_status(poll: _Poll) -> Iterator[Family]:
    """pexip_location_info{location="Aarhus",tier="central",data_centre="West"} 1"""
    if poll.snapshot.locations is None:
        return
    loads = {location.name: location.media_load / 100 for location in poll.snapshot.locations}
    data_centre = poll.settings.locations.data_centre
    yield (
        metrics.LOCATION_MEDIA_LOAD,
        {(name, poll.tiers[name]): load for name, load in loads.items()},
    )
    yield metrics.LOCATION_INFO, {(name, poll.tiers[name], data_centre(name)): 1 for name in loads}


def _conferences(poll: _Poll) -> Iterator[Family]:
    """pexip_conferences{service_type="conference"} 231"""
    snapshot, usage = poll.snapshot, poll.usage
    if usage.conferences is not None:
        types = dict.fromkeys(CONFERENCE_TYPES, 0) | dict(usage.conferences)
        yield metrics.CONFERENCES, _named(types)
    if usage.sizes is not None:
        sizes = dict.fromkeys(SIZE_CLASSES, 0) | dict(usage.sizes)
        yield metrics.CONFERENCES_BY_SIZE, _named(sizes)
    if snapshot.conference_shards is not None:
        places = {(shard.conference, shard.node) for shard in snapshot.conference_shards}
        nodes = Counter(conference for conference, _ in places)
        yield metrics.CASCADED_CONFERENCES, _single(sum(count > 1 for count in nodes.values()))
    if snapshot.backplanes is not None:
        backplanes = Counter(backplane.system_location for backplane in snapshot.backplanes)
        yield metrics.BACKPLANES, _by_location(poll, backplanes)


def _participants(poll: _Poll) -> Iterator[Family]:
    """pexip_participants{location="Aarhus",tier="central",protocol="WebRTC"} 290"""
    usage = poll.usage
    if usage.participants is not None:
        protocols: Counter[tuple[str, str]] = Counter()
        for (location, protocol), count in usage.participants.items():
            protocols[location, _SPELLINGS.get(protocol.upper(), protocol)] += count
        yield metrics.PARTICIPANTS, _by_location_and(poll, protocols, PROTOCOLS)
    if usage.control_only is not None:
        yield metrics.CONTROL_ONLY_LEGS, _by_location(poll, usage.control_only)
    if usage.quality is not None:
        yield metrics.PARTICIPANTS_BY_QUALITY, _by_location_and(poll, usage.quality, QUALITIES)
    if usage.presenting is not None:
        yield metrics.PARTICIPANTS_PRESENTING, _single(usage.presenting)
    if usage.streaming is not None:
        yield metrics.PARTICIPANTS_STREAMING, _single(usage.streaming)


def _registrations(poll: _Poll) -> Iterator[Family]:
    """pexip_registrations{protocol="SIP"} 210; a device counts once, whatever its number of aliases"""
    if poll.snapshot.registrations is not None:
        devices = {
            (alias.registration_id or str(alias.id), _SPELLINGS.get(alias.protocol.upper(), alias.protocol))
            for alias in poll.snapshot.registrations
        }
        protocols = (protocol for _, protocol in devices)
        yield metrics.REGISTRATIONS, _counted(protocols, REGISTRATION_PROTOCOLS)


def _alarms(poll: _Poll) -> Iterator[Family]:
    """pexip_alarms{name="connectivity_lost",level="error"} 2"""
    if poll.snapshot.alarms is not None:
        yield metrics.ALARMS, Counter((alarm.name, alarm.level.lower()) for alarm in poll.snapshot.alarms)


def _teams(poll: _Poll) -> Iterator[Family]:
    """pexip_teams_connector_calls{instance_name="teams-0"} 7

    Instances of one name are summed, and up while one of them is Active.
    """
    if poll.snapshot.teams_nodes is None:
        return
    calls: Counter[str] = Counter()
    limit: Counter[str] = Counter()
    up: dict[str, bool] = {}
    for node in poll.snapshot.teams_nodes:
        calls[node.name] += node.call_count
        limit[node.name] += node.max_calls
        state = node.state or node.instance_status
        up[node.name] = up.get(node.name, False) or state.lower() == "active"
    yield metrics.TEAMS_NODE_CALLS, _named(calls)
    yield metrics.TEAMS_NODE_CALLS_LIMIT, _named(limit)
    yield metrics.TEAMS_NODE_UP, _named(up)


_GROUPS: Final = (
    _outcome,
    _licenses,
    _reported_licenses,
    _licence_expiry,
    _hardware,
    _telephony,
    _nodes,
    _managers,
    _location_status,
    _conferences,
    _participants,
    _registrations,
    _alarms,
    _teams,
)
