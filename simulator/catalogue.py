"""All resources of the Management Node, over the platform that they are drawn from."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from simulator import configuration_rows as configuration
from simulator import history_rows as history
from simulator import status_rows as status
from simulator.background import KEPT, Alarm, Registration, registrations, standing_alarms
from simulator.capacity import NodeState
from simulator.estate import LOCATIONS, rooms
from simulator.rows import HIDDEN, Row, View
from simulator.tastypie import Encoded, Resource, encode, of_rows
from simulator.timing import api_time
from simulator.world import Call, Conference, NodeEvent

EMPTY: Final[dict[str, list[str]]] = {
    "status": [
        "backup_request",
        "cloud_monitored_location",
        "cloud_node",
        "cloud_overflow_location",
        "conference_sync",
        "exchange_scheduler",
        "mjx_endpoint",
        "mjx_meeting",
        "scheduling_operation",
        "snapshot_request",
        "teamsnode_call",
        "teamsnodedsc",
    ],
    "configuration": ["automatic_participant", "device", "ivr_theme", "syslog_server"],
}
"""Resources that VDX has nothing in."""

EVENTS_KEPT: Final = 86400.0
"""Seconds for which changes of nodes, and alarms that faults raised, are listed in history."""

Catalogue = dict[str, dict[str, Resource[Any]]]
"""API (status, history, configuration) -> resource name -> resource."""


class _Empty(Row):
    """A row of a resource that is empty here."""

    id: int
    resource_uri: str


def live_alarms(view: View) -> list[Alarm]:
    """The alarms that are raised at the moment."""
    now = view.now
    return [*standing_alarms(view.world.seed, now, now), *view.world.alarms.values()]


def past_alarms(view: View) -> list[Alarm]:
    """The alarms that have been lowered lately."""
    now = view.now
    standing = [
        alarm
        for alarm in standing_alarms(view.world.seed, now - 7 * KEPT, now)
        if alarm.lowered is not None and alarm.lowered <= now
    ]
    return sorted([*standing, *_lowered(view)], key=lambda alarm: alarm.lowered or 0.0)


def _lowered(view: View) -> list[Alarm]:
    since = view.now - EVENTS_KEPT
    return [alarm for alarm in view.world.lowered_alarms if (alarm.lowered or 0.0) > since]


def past_node_events(view: View, remembered: Callable[[], object]) -> list[NodeEvent]:
    """The changes of nodes of the last day."""
    remembered()
    return [event for event in view.world.node_events if event.at > view.now - EVENTS_KEPT]


def live_registrations(view: View) -> list[Registration]:
    """The devices that are registered at the moment."""
    return registrations(view.world.seed, view.now, view.now)


def _past_registrations(view: View) -> list[Registration]:
    found = registrations(view.world.seed, view.now - KEPT, view.now)
    return [registration for registration in found if registration.span.end <= view.now]


def _draw_participant(view: Callable[[], View], hidden: frozenset[str]) -> Callable[[Call], Encoded]:
    def draw(call: Call) -> Encoded:
        moment = view()
        if call.row is None or call.row_until <= moment.now:
            row, call.row_until = status.participant(call, moment)
            call.row = encode(row, hidden)
        encoded: Encoded = call.row
        return encoded

    return draw


def _draw_once(
    attribute: str, view: Callable[[], View], draw_row: Callable[[Any, View], Row], hidden: frozenset[str]
) -> Callable[[Any], Encoded]:
    """Draw a record's row when its attribute holds none; whoever changes the record clears the attribute."""

    def draw(record: Any) -> Encoded:
        encoded: Encoded | None = getattr(record, attribute)
        if encoded is None:
            encoded = encode(draw_row(record, view()), hidden)
            setattr(record, attribute, encoded)
        return encoded

    return draw


def catalogue(view: Callable[[], View], version: str, remembered: Callable[[], Any]) -> Catalogue:
    """The resources; `view` gives the present moment, `remembered` the history, filled when first asked
    for."""
    hidden = HIDDEN[version]

    def not_shown(path: str) -> frozenset[str]:
        return hidden.get(path, frozenset())

    nodes: Callable[[], Mapping[str, NodeState]] = lambda: {  # noqa: E731
        str(node.installed.id): node for node in view().world.placement.nodes
    }
    services = {str(room.id): room for room in rooms(view().world.seed)}
    locations = {str(location.id): location for location in LOCATIONS}
    worker_hidden = not_shown("status/worker_vm")
    call_hidden = not_shown("history/participant")

    resources: list[Resource[Any]] = [
        Resource(
            "status",
            "conference",
            status.ConferenceRow,
            lambda: view().world.conferences,
            _draw_once("row", view, status.conference, not_shown("status/conference")),
            hidden=not_shown("status/conference"),
        ),
        of_rows(
            "status",
            "conference_shard",
            status.ConferenceShardRow,
            lambda: [
                row
                for conference in view().world.conferences.values()
                for row in status.conference_shards(conference, view())
            ],
            not_shown("status/conference_shard"),
        ),
        Resource(
            "status",
            "participant",
            status.ParticipantRow,
            lambda: view().world.calls,
            _draw_participant(view, not_shown("status/participant")),
            quick=_quick_participant(),
            children={
                "media_stream": (status.MediaStreamRow, lambda call: status.participant_streams(call, view()))
            },
            hidden=not_shown("status/participant"),
        ),
        Resource(
            "status",
            "backplane",
            status.BackplaneRow,
            lambda: view().world.backplanes,
            _draw_once("row", view, status.backplane, frozenset()),
            children={
                "media_stream": (status.MediaStreamRow, lambda one: status.backplane_streams(one, view()))
            },
        ),
        Resource(
            "status",
            "worker_vm",
            status.WorkerVmRow,
            nodes,
            lambda node: encode(status.worker_vm(node, view()), worker_hidden),
            children={
                "statistics": (status.StatisticsRow, lambda node: status.worker_vm_statistics(node, view()))
            },
            hidden=worker_hidden,
        ),
        Resource(
            "status",
            "system_location",
            status.SystemLocationRow,
            lambda: locations,
            lambda location: encode(status.system_location(location, view())),
            children={
                "statistics": (
                    status.StatisticsRow,
                    lambda one: status.system_location_statistics(one, view()),
                )
            },
        ),
        of_rows("status", "management_vm", status.ManagementVmRow, lambda: [status.management_vm(view())]),
        of_rows(
            "status",
            "licensing",
            status.LicensingRow,
            lambda: [status.licensing(view())],
            not_shown("status/licensing"),
        ),
        of_rows(
            "status",
            "alarm",
            status.AlarmRow,
            lambda: [status.alarm(alarm, view()) for alarm in live_alarms(view())],
        ),
        of_rows(
            "status",
            "registration_alias",
            status.RegistrationAliasRow,
            lambda: [status.registration_alias(one, view()) for one in live_registrations(view())],
        ),
        of_rows("status", "teamsnode", status.TeamsNodeRow, lambda: status.teamsnodes(view())),
        Resource(
            "history",
            "conference",
            history.ConferenceRow,
            lambda: remembered().conferences,
            _draw_once("row", view, history.conference, not_shown("history/conference")),
            quick=_quick_past_conference(),
            hidden=not_shown("history/conference"),
            detail_methods=("get", "delete"),
        ),
        Resource(
            "history",
            "participant",
            history.ParticipantRow,
            lambda: remembered().participants,
            _draw_once("history_row", view, history.participant, call_hidden),
            quick=_quick_past_participant(),
            children={
                "media_stream": (
                    history.MediaStreamRow,
                    lambda call: history.participant_streams(call, view()),
                )
            },
            hidden=call_hidden,
        ),
        Resource(
            "history",
            "media_stream",
            history.MediaStreamRow,
            lambda: {
                str(history.stream_id(call, number)): (call, number)
                for call in remembered().participants.values()
                for number in history.past_stream_numbers(call)
            },
            lambda one: encode(
                history.participant_stream(one[0], one[1], history.call_quality(one[0]), view())
            ),
            quick={
                "end_time": lambda one: api_time(one[0].ended),
                "start_time": lambda one: api_time(one[0].joined),
            },
        ),
        Resource(
            "history",
            "backplane",
            history.BackplaneRow,
            lambda: remembered().backplanes,
            _draw_once("history_row", view, history.backplane, frozenset()),
            quick={
                "end_time": lambda one: api_time(one.ended),
                "start_time": lambda one: api_time(one.started),
            },
            children={
                "media_stream": (
                    history.BackplaneMediaStreamRow,
                    lambda one: history.backplane_streams(one, view()),
                )
            },
        ),
        Resource(
            "history",
            "backplane_media_stream",
            history.BackplaneMediaStreamRow,
            lambda: {
                str(int(one.id[:8], 16) * 2 + number): (one, number)
                for one in remembered().backplanes.values()
                for number in range(2)
            },
            lambda one: encode(history.backplane_stream(one[0], one[1], view())),
        ),
        of_rows(
            "history",
            "alarm",
            history.AlarmRow,
            lambda: [history.alarm(alarm, view()) for alarm in past_alarms(view())],
        ),
        of_rows(
            "history",
            "workervm_status_event",
            history.WorkerVmStatusEventRow,
            lambda: [
                history.workervm_status_event(event, view()) for event in past_node_events(view(), remembered)
            ],
        ),
        of_rows(
            "history",
            "registration_alias",
            history.RegistrationAliasRow,
            lambda: [history.registration_alias(one, view()) for one in _past_registrations(view())],
        ),
        Resource(
            "configuration",
            "system_location",
            configuration.SystemLocationRow,
            lambda: locations,
            lambda location: encode(configuration.system_location(location, view())),
        ),
        Resource(
            "configuration",
            "worker_vm",
            configuration.WorkerVmRow,
            nodes,
            lambda node: encode(configuration.worker_vm(node, view())),
        ),
        of_rows(
            "configuration",
            "management_vm",
            configuration.ManagementVmRow,
            lambda: [configuration.management_vm(view())],
        ),
        of_rows("configuration", "licence", configuration.LicenceRow, lambda: configuration.licences(view())),
        of_rows(
            "configuration",
            "event_sink",
            configuration.EventSinkRow,
            lambda: configuration.event_sinks(view()),
        ),
        Resource(
            "configuration",
            "conference",
            configuration.ConferenceRow,
            lambda: services,
            cache(lambda room: encode(configuration.conference(room, view()))),
            quick={"id": lambda room: room.id, "name": lambda room: room.name, "tag": lambda room: room.tag},
        ),
        Resource(
            "configuration",
            "conference_alias",
            configuration.ConferenceAliasRow,
            lambda: services,
            lambda room: encode(configuration.conference_alias(room, view())),
            quick={"id": lambda room: room.id, "alias": lambda room: room.alias},
        ),
    ]
    resources += [of_rows(api, name, _Empty, list) for api, names in EMPTY.items() for name in names]
    found: Catalogue = {}
    for resource in sorted(resources, key=lambda resource: resource.name):
        found.setdefault(resource.api, {})[resource.name] = resource
    return found


def _quick_participant() -> Mapping[str, Callable[[Call], object]]:
    return {
        "id": lambda call: call.leg.id,
        "conference": lambda call: call.meeting.conference,
        "protocol": lambda call: call.leg.protocol,
        "has_media": lambda call: call.leg.has_media,
        "system_location": lambda call: call.location,
    }


def _quick_past_conference() -> Mapping[str, Callable[[Conference], object]]:
    return {
        "id": lambda conference: conference.id,
        "name": lambda conference: conference.name,
        "start_time": lambda conference: api_time(conference.started),
        "end_time": lambda conference: api_time(conference.ended or conference.started),
    }


def _quick_past_participant() -> Mapping[str, Callable[[Call], object]]:
    return {
        "id": lambda call: call.leg.id,
        "has_media": lambda call: call.leg.has_media,
        "conference_name": lambda call: call.meeting.conference,
        "start_time": lambda call: None if call.joined is None else api_time(call.joined),
        "end_time": lambda call: api_time(call.ended or 0.0),
    }
