"""Licence ports and hardware ports: pure functions from a snapshot to figures.

Two limits are kept apart. A *licence port* is what is bought: a leg with media holds one
(`license_count` of `license_type` port), a gateway call two, backplanes and control-only legs none.
A *hardware port* is what a node can carry: one 720p (HD) call; a node's use is its share of media
tokens times its HD calls. Use above a limit is real and is never clamped.
"""

import ipaddress
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Final

import msgspec

from vdx.pexip.records import Alarm, Participant, WorkerVM
from vdx.settings import LocationSettings, PSTNSettings, Settings
from vdx.snapshot import Configuration, Snapshot

TIERS: Final = ("central", "decentral")
QUALITIES: Final = ("unknown", "good", "ok", "bad", "terrible")
BAD_QUALITIES: Final = frozenset({"bad", "terrible"})
SIZES: Final = ((1, "1"), (2, "2"), (5, "3-5"), (10, "6-10"), (20, "11-20"), (50, "21-50"), (100, "51-100"))
LARGEST_SIZE: Final = "101+"
CONNECTIVITY_LOST: Final = "connectivity_lost"
_ADDRESS_PAIR: Final = re.compile(r"(\w+)=([^,\s]+)")


class Ports(msgspec.Struct, frozen=True):
    """Ports in use and ports that there are."""

    used: float = 0.0
    limit: float = 0.0

    @property
    def ratio(self) -> float:
        """Use as a share of the limit, above 1 where it is exceeded; 0 where there are no ports at all."""
        return self.used / self.limit if self.limit else 0.0

    def __add__(self, other: "Ports") -> "Ports":
        return Ports(self.used + other.used, self.limit + other.limit)


class NodeUse(msgspec.Struct, frozen=True):
    """One Conferencing Node: where it is, whether it can take calls, and what it carries."""

    name: str
    location: str
    tier: str
    up: bool
    maintenance: bool
    media_load: float
    """0 to 1, as the node reports it."""
    hardware: Ports
    conferences: int = 0
    participants: int = 0


class ConferenceUse(msgspec.Struct, frozen=True):
    """One conference: its participants with media, licence ports, worst qualities and spread."""

    id: str
    participants: int
    control_only: int
    license_ports: int
    bad: int
    """Participants whose call quality is bad or terrible."""
    locations: tuple[str, ...]
    nodes: int


class Usage(msgspec.Struct, frozen=True):
    """The figures of one snapshot.

    What rests on a resource that could not be read is None: `license_ports` and all that counts
    participants on `participant`, hardware and nodes on `worker_vm`, conferences on `conference`.
    """

    license_limit: int
    pstn_limit: int
    license_ports: int | None = None
    licenses_by_type: Mapping[str, int] | None = None
    license_ports_by_location: Mapping[str, int] | None = None
    license_ports_by_service: Mapping[str, int] | None = None
    license_ports_by_tag: Mapping[str, int] | None = None
    pstn_lines: int | None = None
    participants: Mapping[tuple[str, str], int] | None = None
    """(location, protocol) -> participants with media."""
    control_only: Mapping[str, int] | None = None
    """location -> legs without media."""
    quality: Mapping[tuple[str, str], int] | None = None
    """(location, quality) -> participants with media."""
    presenting: int | None = None
    streaming: int | None = None
    conferences: Mapping[str, int] | None = None
    """service type -> conferences."""
    sizes: Mapping[str, int] | None = None
    """size class -> conferences, by participants with media."""
    nodes: Sequence[NodeUse] | None = None
    hardware_by_location: Mapping[str, Ports] | None = None
    hardware_by_tier: Mapping[str, Ports] | None = None
    hardware_by_data_centre: Mapping[str, Ports] | None = None
    hardware: Ports | None = None
    headroom_without: Mapping[str, float] | None = None
    """data centre -> ports left on the whole platform with it out, when the rest carries the present
    use; negative when it cannot."""
    busiest_node: NodeUse | None = None

    @property
    def participants_total(self) -> int | None:
        """Participants with media on the whole platform."""
        return None if self.participants is None else sum(self.participants.values())

    @property
    def conferences_total(self) -> int | None:
        """Conferences of all service types."""
        return None if self.conferences is None else sum(self.conferences.values())


def quality_name(call_quality: str) -> str:
    """`3_bad` -> `bad`; what is not known yet passes through."""
    _, _, name = call_quality.rpartition("_")
    return name or "unknown"


def has_licence_port(license_type: str) -> bool:
    """True for the licence type that counts against the pool."""
    return license_type.lower() == "port"


@lru_cache(maxsize=256)
def _is_sip(protocol: str) -> bool:
    return protocol.upper() == "SIP"


@lru_cache(maxsize=256)
def _is_backplane(protocol: str) -> bool:
    return protocol.upper() == "BACKPLANE"


def size_class(participants: int) -> str:
    """The class of a conference by its participants; an empty one has none and gives `0`."""
    if participants == 0:
        return "0"
    return next((name for bound, name in SIZES if participants <= bound), LARGEST_SIZE)


class TelephonyRule:
    """Tells telephony legs from others, by alias or by the address of the trunk's peer."""

    def __init__(self, settings: PSTNSettings) -> None:
        self._pattern = re.compile(settings.pattern) if settings.pattern else None
        networks = [ipaddress.ip_network(address, strict=False) for address in settings.addresses]
        self._networks = networks
        self._known: dict[str, bool] = {}

    def _is_trunk(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def matches(self, participant: Participant) -> bool:
        """True for a SIP leg of the telephony trunk."""
        if not _is_sip(participant.protocol):
            return False
        aliases = (participant.source_alias, participant.destination_alias, participant.participant_alias)
        return self.is_telephony(participant.protocol, participant.remote_address, aliases)

    def is_telephony(self, protocol: str, address: str, aliases: Iterable[str]) -> bool:
        """True for a leg of that protocol, peer and those aliases that came over the trunk."""
        if not _is_sip(protocol):
            return False
        known = self._known.get(address)
        if known is None:
            if len(self._known) > 10_000:
                self._known.clear()
            known = self._known[address] = self._is_trunk(address)
        if known:
            return True
        search = self._pattern.search if self._pattern else None
        return search is not None and any(map(search, aliases))

    def count(self, participants: Iterable[Participant]) -> int | None:
        """How many legs are telephony; None where no rule is set, since then nobody knows."""
        if not (self._pattern or self._networks):
            return None
        return sum(map(self.matches, [leg for leg in participants if _is_sip(leg.protocol)]))


def lost_nodes(alarms: Iterable[Alarm], configuration: Configuration) -> frozenset[str]:
    """Names of the nodes that the platform has lost contact with, by its connectivity alarms.

    A pair alarm (`Source=…, Destination=…` in `instance`) tells that the source lost the destination.
    The Management Node's word is believed; among themselves, two nodes that are not lost must agree,
    since a single pair may be a fault of the path between them. An alarm without a pair names the
    lost node in `instance`.
    """
    names = configuration.node_names
    managers = configuration.manager_addresses
    reports: dict[str, set[str]] = defaultdict(set)
    lost: set[str] = set()
    for alarm in alarms:
        if alarm.name.lower() != CONNECTIVITY_LOST:
            continue
        pair = {key.lower(): value for key, value in _ADDRESS_PAIR.findall(alarm.instance)}
        if "destination" not in pair:
            target = alarm.instance.strip()
            lost.add(names.get(target, target))
            continue
        source, destination = pair.get("source", ""), names.get(pair["destination"], pair["destination"])
        if source in managers or not source:
            lost.add(destination)
        else:
            reports[destination].add(names.get(source, source))
    lost |= {node for node, sources in reports.items() if len(sources - lost) >= 2}
    return frozenset(lost & set(names.values()))


def can_take_calls(node: WorkerVM, lost: frozenset[str]) -> bool:
    """A node in maintenance, unreachable, or that only proxies lends no hardware ports."""
    return not node.maintenance_mode and node.name not in lost and node.node_type.upper() != "PROXYING"


def node_ports(node: WorkerVM, *, available: bool) -> Ports:
    """720p ports of one node: its share of media tokens times its HD calls.

    The share is taken of the tokens, which are exact, and of the rounded `media_load` where a version
    reports no tokens. `media_load` of a node in maintenance is 100 whatever it carries.
    """
    if node.node_type.upper() == "PROXYING":
        return Ports()
    if node.max_media_tokens:
        share = node.media_tokens_used / node.max_media_tokens
    else:
        share = 0.0 if node.maintenance_mode else node.media_load / 100
    return Ports(share * node.max_hd_calls, float(node.max_hd_calls) if available else 0.0)


def _node_uses(
    nodes: Iterable[WorkerVM],
    lost: frozenset[str],
    locations: LocationSettings,
    conferences: Mapping[str, int],
    participants: Mapping[str, int],
) -> list[NodeUse]:
    return [
        NodeUse(
            name=node.name,
            location=node.system_location,
            tier=locations.tier(node.system_location),
            up=node.name not in lost,
            maintenance=node.maintenance_mode,
            media_load=node.media_load / 100,
            hardware=node_ports(node, available=can_take_calls(node, lost)),
            conferences=conferences.get(node.name, 0),
            participants=participants.get(node.name, 0),
        )
        for node in nodes
    ]


def _sum_ports(nodes: Iterable[tuple[str, Ports]], names: Iterable[str] = ()) -> dict[str, Ports]:
    totals = dict.fromkeys(names, Ports())
    for name, ports in nodes:
        totals[name] = totals.get(name, Ports()) + ports
    return totals


def headroom_without(total: Ports, data_centre: Ports) -> float:
    """720p ports left when a data centre is out and the rest carries the present use of the whole."""
    return total.limit - data_centre.limit - total.used


_LEG = attrgetter(
    "system_location",
    "protocol",
    "call_quality",
    "service_type",
    "license_type",
    "license_count",
    "has_media",
    "is_presenting",
    "is_streaming",
)
_TAG = attrgetter("service_tag", "license_type", "license_count")
_CONFERENCE = attrgetter("conference")
_MEDIA_NODE = attrgetter("media_node")
_SERVICE_TYPE = attrgetter("service_type")


def _is_counted(protocol: str, has_media: bool) -> bool:
    """True for a leg that is people's: neither control-only nor a backplane."""
    return has_media and not _is_backplane(protocol)


def _counted(participants: Iterable[Participant]) -> list[Participant]:
    return [leg for leg in participants if leg.has_media and not _is_backplane(leg.protocol)]


def _leg_figures(participants: Sequence[Participant]) -> dict[str, object]:
    """The fields of `Usage` that are counted by what legs have in common; at VDX some 200 kinds of leg."""
    by_type: Counter[str] = Counter()
    by_location: Counter[str] = Counter()
    by_service: Counter[str] = Counter()
    by_tag: Counter[str] = Counter()
    people: Counter[tuple[str, str]] = Counter()
    quality: Counter[tuple[str, str]] = Counter()
    control_only: Counter[str] = Counter()
    presenting = streaming = 0
    for kind, legs in Counter(map(_LEG, participants)).items():
        location, protocol, call_quality, service, license_type, licenses, has_media, presents, streams = kind
        presenting += legs * presents
        streaming += legs * streams
        if licenses:
            by_type[license_type.lower()] += licenses * legs
            if has_licence_port(license_type):
                by_location[location] += licenses * legs
                by_service[service] += licenses * legs
        if _is_counted(protocol, has_media):
            people[location, protocol] += legs
            quality[location, quality_name(call_quality)] += legs
        elif not has_media:
            control_only[location] += legs
    for (tag, license_type, licenses), legs in Counter(map(_TAG, participants)).items():
        if licenses and has_licence_port(license_type):
            by_tag[tag] += licenses * legs
    return {
        "license_ports": by_type["port"],
        "licenses_by_type": by_type,
        "license_ports_by_location": by_location,
        "license_ports_by_service": by_service,
        "license_ports_by_tag": by_tag,
        "participants": people,
        "quality": quality,
        "control_only": control_only,
        "presenting": presenting,
        "streaming": streaming,
    }


def conference_uses(snapshot: Snapshot) -> dict[str, ConferenceUse] | None:
    """Conference name -> its use, for the conferences that the platform lists; None where conferences or
    participants could not be read."""
    if snapshot.conferences is None or snapshot.participants is None:
        return None
    legs: dict[str, list[Participant]] = defaultdict(list)
    for leg in snapshot.participants:
        legs[leg.conference].append(leg)
    return {
        conference.name: _conference_use(conference.id, legs.get(conference.name, ()))
        for conference in snapshot.conferences
    }


def _conference_use(identity: str, legs: Sequence[Participant]) -> ConferenceUse:
    counted = _counted(legs)
    return ConferenceUse(
        id=identity,
        participants=len(counted),
        control_only=sum(not leg.has_media and not _is_backplane(leg.protocol) for leg in legs),
        license_ports=sum(leg.license_count for leg in legs if has_licence_port(leg.license_type)),
        bad=sum(quality_name(leg.call_quality) in BAD_QUALITIES for leg in counted),
        locations=tuple(sorted({leg.system_location for leg in counted})),
        nodes=len({leg.media_node for leg in counted}),
    )


def _used_by_node(snapshot: Snapshot, counted: Iterable[Participant]) -> tuple[Counter[str], Counter[str]]:
    """Node name -> conferences that it hosts a part of, and participants whose media it handles."""
    names = snapshot.configuration.node_names
    conferences = Counter(
        names[shard.node] for shard in snapshot.conference_shards or () if shard.node in names
    )
    participants: Counter[str] = Counter()
    for address, people in Counter(map(_MEDIA_NODE, counted)).items():
        if address in names:
            participants[names[address]] += people
    return conferences, participants


def measure(snapshot: Snapshot, settings: Settings, telephony: TelephonyRule) -> Usage:
    """The figures of a snapshot. Pure: the same snapshot gives the same figures.

    `telephony` is built once from `settings.pstn`, since it compiles the pattern and the networks. Legs are
    counted by Counter over attrgetter, which does not enter Python per leg.
    """
    fields: dict[str, object] = {}
    counted = _counted(snapshot.participants or ())
    if snapshot.participants is not None:
        fields |= _leg_figures(snapshot.participants)
        fields["pstn_lines"] = telephony.count(snapshot.participants)
    if snapshot.conferences is not None:
        fields["conferences"] = Counter(map(_SERVICE_TYPE, snapshot.conferences))
        if snapshot.participants is not None:
            people = Counter(map(_CONFERENCE, counted))
            sizes = Counter(people.get(conference.name, 0) for conference in snapshot.conferences)
            fields["sizes"] = _size_classes(sizes)
    if snapshot.nodes is not None:
        lost = lost_nodes(snapshot.alarms or (), snapshot.configuration)
        used = _used_by_node(snapshot, counted)
        nodes = _node_uses(snapshot.nodes, lost, settings.locations, *used)
        fields |= _hardware(nodes, settings.locations)
    return msgspec.structs.replace(
        Usage(license_limit=settings.licenses.ports, pstn_limit=settings.pstn.lines), **fields
    )


def _size_classes(sizes: Mapping[int, int]) -> Counter[str]:
    classes: Counter[str] = Counter()
    for participants, conferences in sizes.items():
        classes[size_class(participants)] += conferences
    return classes


def _hardware(nodes: Sequence[NodeUse], locations: LocationSettings) -> dict[str, object]:
    """The hardware fields of `Usage`, from its nodes."""
    total = sum((node.hardware for node in nodes), Ports())
    by_data_centre = _sum_ports(
        (
            (data_centre, node.hardware)
            for node in nodes
            if (data_centre := locations.data_centre(node.location))
        ),
        locations.data_centres,
    )
    return {
        "nodes": nodes,
        "hardware_by_location": _sum_ports((node.location, node.hardware) for node in nodes),
        "hardware_by_tier": _sum_ports(((node.tier, node.hardware) for node in nodes), TIERS),
        "hardware_by_data_centre": by_data_centre,
        "hardware": total,
        "headroom_without": {name: headroom_without(total, ports) for name, ports in by_data_centre.items()},
        "busiest_node": max(
            (node for node in nodes if node.hardware.limit),
            key=lambda node: node.hardware.ratio,
            default=None,
        ),
    }
