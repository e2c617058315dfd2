"""What is true on the platform at a moment, counted from the calls themselves and not from the API's rows."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from simulator.capacity import NodeState, lent
from simulator.catalogue import live_alarms, live_registrations
from simulator.estate import DATA_CENTRES, LICENSE_PORTS, LOCATIONS, PSTN_LINES
from simulator.rows import QUALITIES, View
from simulator.timing import api_time
from simulator.world import Call


class Hardware(msgspec.Struct):
    """720p ports in use, and those of nodes that can take calls."""

    used: float
    limit: int


class Truth(msgspec.Struct):
    """The platform at `time` (UTC; `timestamp` is the same in Unix seconds).

    Licences are held by legs with media; `participants` counts these, `control_only` the others.
    Dictionaries are keyed by location, license type, node name, service type, protocol or call quality, as
    their names say.
    """

    time: str
    timestamp: float
    license_ports: int
    license_ports_limit: int
    licenses_by_location: dict[str, int]
    licenses_by_type: dict[str, int]
    hardware: Hardware
    hardware_by_location: dict[str, Hardware]
    hardware_by_node: dict[str, Hardware]
    nodes_up: int
    nodes_in_maintenance: list[str]
    nodes_lost: list[str]
    participants: int
    participants_by_location: dict[str, int]
    participants_by_protocol: dict[str, int]
    participants_by_quality: dict[str, int]
    participants_by_location_and_protocol: dict[str, dict[str, int]]
    participants_by_location_and_quality: dict[str, dict[str, int]]
    control_only: int
    legs: int
    conferences: int
    conferences_by_service_type: dict[str, int]
    backplanes: int
    pstn_lines: int
    pstn_lines_limit: int
    registrations: int
    alarms: int
    alarms_by_name: dict[str, int]
    refused_calls: int


def _hardware(nodes: Iterable[NodeState]) -> Hardware:
    listed = list(nodes)
    return Hardware(sum(node.hardware_ports_used for node in listed), lent(listed))


def _nested(calls: list[Call], inner: Callable[[Call], str]) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = {location.name: Counter() for location in LOCATIONS}
    for call in calls:
        counted[call.location][inner(call)] += 1
    return {location: dict(counts) for location, counts in counted.items()}


def truth_of(view: View) -> Truth:
    """Count everything."""
    world, now = view.world, view.now
    placement = world.placement
    calls = list(world.calls.values())
    with_media = [call for call in calls if call.leg.has_media]
    by_location = Counter({location.name: 0 for location in LOCATIONS})
    by_location.update(call.location for call in with_media)
    alarms = live_alarms(view)

    def quality(call: Call) -> str:
        return QUALITIES[call.quality(now)[0]]

    def protocol(call: Call) -> str:
        return call.leg.protocol

    held = sum(call.leg.license_count for call in calls)
    return Truth(
        time=api_time(now),
        timestamp=now,
        license_ports=held,
        license_ports_limit=int(LICENSE_PORTS * world.scale),
        licenses_by_location=dict(by_location),
        licenses_by_type={"port": held, "audio": 0},
        hardware=_hardware(placement.nodes),
        hardware_by_location={name: _hardware(nodes) for name, nodes in placement.by_location.items()},
        hardware_by_node={node.installed.name: _hardware([node]) for node in placement.nodes},
        nodes_up=sum(node.lost_since is None for node in placement.nodes),
        nodes_in_maintenance=[node.installed.name for node in placement.nodes if node.maintenance],
        nodes_lost=[node.installed.name for node in placement.nodes if node.lost_since is not None],
        participants=len(with_media),
        participants_by_location=dict(by_location),
        participants_by_protocol=dict(Counter(map(protocol, with_media))),
        participants_by_quality=dict(Counter(map(quality, with_media))),
        participants_by_location_and_protocol=_nested(with_media, protocol),
        participants_by_location_and_quality=_nested(with_media, quality),
        control_only=len(calls) - len(with_media),
        legs=len(calls),
        conferences=len(world.conferences),
        conferences_by_service_type=dict(Counter(one.service_type for one in world.conferences.values())),
        backplanes=len(world.backplanes),
        pstn_lines=sum(call.leg.telephone for call in calls),
        pstn_lines_limit=PSTN_LINES,
        registrations=len(live_registrations(view)),
        alarms=len(alarms),
        alarms_by_name=dict(Counter(alarm.name for alarm in alarms)),
        refused_calls=world.refused,
    )


def data_centre_nodes(view: View, name: str) -> list[NodeState]:
    """The nodes of a data centre."""
    return [node for location in DATA_CENTRES[name] for node in view.world.placement.by_location[location]]


def as_json(value: Any) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(value)
