"""The platform at work: who is in which conference, on which nodes, from one event to the next.

Everything follows from the seed and the time. The platform is empty at 03:00 Danish time, so a world may
begin at any such morning and be the same as one that has run for weeks. Faults are outside influence: they
change the world from then until the next quiet morning.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from heapq import heappop, heappush
from typing import Any, Final

from simulator.background import Alarm, MaintenanceWindow, derived, maintenance_windows, mixed
from simulator.capacity import BACKPLANE_COST, COSTS, NodeState, Placement
from simulator.estate import LICENSE_PORTS, MANAGER_ADDRESS, PSTN_LINES, rooms
from simulator.history import History
from simulator.plan import EARLY, Leg, Meeting, crowd, identifier, plan_hour
from simulator.timing import day_of, start_of

UNKNOWN_SECONDS: Final = 20.0
"""A call's quality is unknown for its first 20 seconds, one window of measurement."""

SERIES_SECONDS: Final = 26 * 3600.0
"""How far back the exact licence series is kept."""

_LEAVE, _WRITE, _MAINTENANCE, _DAY, _HOUR, _JOIN, _CROWD = range(7)
_AGAIN: Final = 1 << 33
_TROUBLED: Final = (1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4)
_USUAL: Final = (1,) * 60 + (2, 2, 2, 3)


class Conference:
    """A conference instance: running until its last call leaves, then a record of history."""

    __slots__ = (
        "alias", "backplanes", "calls", "ended", "hosting", "id", "is_started", "live", "name",
        "past_backplanes", "reserved", "row", "service_type", "started", "tag", "written",
    )  # fmt: skip

    def __init__(self, identity: str, meeting: Meeting, started: float) -> None:
        self.id = identity
        self.name = meeting.conference
        self.service_type = meeting.service_type
        self.tag = meeting.tag
        self.alias = meeting.alias
        self.started = started
        self.ended: float | None = None
        self.written = False
        self.is_started = meeting.service_type not in {"conference", "lecture"}
        self.calls: list[Call] = []
        self.live = 0
        self.hosting: dict[NodeState, int] = {}
        self.reserved: set[NodeState] = set()
        self.backplanes: dict[NodeState, Backplane] = {}
        self.past_backplanes: list[Backplane] = []
        self.row: Any = None


class Call:
    """A call leg that came in: connected until it leaves, then a record of history."""

    __slots__ = (
        "conference", "ended", "history_row", "joined", "leg", "media", "meeting", "reason", "row",
        "row_until", "signalling", "waiting",
    )  # fmt: skip

    def __init__(
        self, meeting: Meeting, leg: Leg, conference: Conference | None, joined: float | None
    ) -> None:
        self.meeting = meeting
        self.leg = leg
        self.conference = conference
        self.joined = joined
        self.media: NodeState | None = None
        self.signalling: NodeState | None = None
        self.ended: float | None = None
        self.reason = ""
        self.waiting = False
        self.row: Any = None
        self.row_until = 0.0
        self.history_row: Any = None

    @property
    def location(self) -> str:
        """The location that the call came in by, that of the node which signals it."""
        return self.signalling.installed.location if self.signalling else self.leg.location

    def quality_windows(self, until: float) -> list[int]:
        """The quality of each 20-second window (0 unknown, 1 good .. 4 terrible): trouble lasts for
        minutes."""
        if self.joined is None or not self.leg.has_media:
            return []
        count = int((until - self.joined) // UNKNOWN_SECONDS)
        step = self._windows_alike
        blocks = [self._quality(number) for number in range(0, count, step)]
        return [quality for quality in blocks for _ in range(step)][:count] or [0]

    @property
    def _windows_alike(self) -> int:
        """How many windows in a row have the same quality."""
        return 3 if self.leg.troubled else 9

    def _quality(self, window: int) -> int:
        leg = self.leg
        if leg.protocol == "RTMP":
            return 1
        if leg.troubled:
            return _TROUBLED[mixed(leg.bits, window // 3) & 15]
        return _USUAL[mixed(leg.bits, window // 9) & 63]

    def quality(self, now: float) -> tuple[int, float]:
        """The live quality, and until when it stays."""
        joined = self.joined or 0.0
        if not self.leg.has_media:
            return 0, float("inf")
        if now - joined < UNKNOWN_SECONDS:
            return 0, joined + UNKNOWN_SECONDS
        step = self._windows_alike
        window = int((now - joined) // UNKNOWN_SECONDS) - 1
        return self._quality(window), joined + (window // step * step + step + 1) * UNKNOWN_SECONDS


class Backplane:
    """The connection of one node's part of a conference to the node that the conference began on."""

    __slots__ = ("conference", "ended", "history_row", "id", "media", "remote", "row", "started")

    def __init__(
        self, identity: str, conference: Conference, media: NodeState, remote: NodeState, at: float
    ) -> None:
        self.id = identity
        self.conference = conference
        self.media = media
        self.remote = remote
        self.started = at
        self.ended: float | None = None
        self.row: Any = None
        self.history_row: Any = None

    @property
    def type(self) -> str:
        """`local` within a location, `geo` between two."""
        same = self.media.installed.location == self.remote.installed.location
        return "local" if same else "geo"


class NodeEvent:
    """A change of a node's state, for history's workervm_status_event."""

    __slots__ = ("at", "details", "event_type", "id", "node", "state")

    def __init__(self, at: float, node: NodeState, event_type: str, state: str, details: str) -> None:
        self.at = at
        self.node = node
        self.event_type = event_type
        self.state = state
        self.details = details
        self.id = derived(f"{at} {node.installed.id} {event_type}") % (1 << 31)


class World:
    """The platform from one quiet morning on.

    `offset` is added to the clock to get the time that people live by; `scale` multiplies the nodes'
    capacity.
    """

    def __init__(self, seed: int, day: date, *, offset: float = 0.0, scale: float = 1) -> None:
        self.seed = seed
        self.offset = offset
        self.scale = scale
        self.started = start_of(day) - offset
        self.now = self.started
        self.placement = Placement()
        self.calls: dict[str, Call] = {}
        self.conferences: dict[str, Conference] = {}
        self.backplanes: dict[str, Backplane] = {}
        self.alarms: dict[tuple[str, str], Alarm] = {}
        self.lowered_alarms: deque[Alarm] = deque(maxlen=5000)
        self.node_events: deque[NodeEvent] = deque(maxlen=5000)
        self.history = History()
        self.license_ports = 0
        self.license_changes: deque[tuple[float, int]] = deque([(self.started, 0)])
        self.pstn_lines = 0
        self.refused = 0
        self._by_name: dict[str, Conference] = {}
        self._by_node: dict[NodeState, dict[str, Call]] = {node: {} for node in self.placement.nodes}
        self._events: list[tuple[float, int, int, Any]] = []
        self._crowd: dict[str, float] = {}
        self._crowd_due = False
        self._crowd_ordinal = _AGAIN >> 1
        self._crowd_calls: dict[str, Call] = {}
        self.set_scale(scale)
        self._push(self.started, _DAY, 0, day)

    def _push(self, at: float, kind: int, order: int, subject: object) -> None:
        heappush(self._events, (at, kind, order, subject))

    def advance(self, until: float) -> None:
        """Let everything happen that is due until then."""
        events = self._events
        while events and events[0][0] <= until:
            at, kind, _, subject = heappop(events)
            self.now = at
            if kind == _JOIN:
                self._join(*subject)
            elif kind == _LEAVE:
                if subject.ended is None:
                    self._leave(subject, _usual_reason(subject))
            elif kind == _WRITE:
                self.history.write(subject)
            elif kind == _HOUR:
                self._plan(subject)
            elif kind == _DAY:
                self._begin_day(subject)
            elif kind == _MAINTENANCE:
                self._maintain(*subject)
            else:
                self._fill_crowd()
        self.now = max(self.now, until)

    def _begin_day(self, day: date) -> None:
        begin, following = start_of(day), day_of(start_of(day) + 26 * 3600)
        end = start_of(following)
        for hour in range(int(begin // 3600), int(end // 3600)):
            at = max(begin, hour * 3600 - EARLY)
            self._push(at - self.offset, _HOUR, hour, hour)
        for number, window in enumerate(maintenance_windows(day)):
            self._push(window.start - self.offset, _MAINTENANCE, number, (window, True))
            self._push(window.end - self.offset, _MAINTENANCE, number, (window, False))
        self._push(end - self.offset, _DAY, 0, following)
        while len(self.license_changes) > 1 and self.license_changes[1][0] < self.now - SERIES_SECONDS:
            self.license_changes.popleft()

    def _plan(self, hour: int) -> None:
        for meeting in plan_hour(self.seed, hour):
            for leg in meeting.legs:
                self._push(
                    leg.join - self.offset, _JOIN, leg.ordinal, (meeting, leg, leg.leave - self.offset)
                )

    def _maintain(self, window: MaintenanceWindow, begins: bool) -> None:
        node = self.placement.nodes[window.node]
        node.maintenance = window.reason if begins else ""
        state = "maintenance" if begins else "active"
        self.node_events.append(NodeEvent(self.now, node, "maintenance_mode", state, window.reason))

    # Calls

    def _join(self, meeting: Meeting, leg: Leg, leaves: float) -> None:
        now = self.now
        conference = self._by_name.get(meeting.conference)
        call = Call(meeting, leg, conference, now)
        call.signalling = self.placement.signalling(leg.location, leg.bits)
        if leg.telephone and self.pstn_lines >= PSTN_LINES:
            self._refuse(call, "All lines are busy")
            return
        hosting = conference.hosting if conference else {}
        node = (
            self.placement.choose(leg.location, hosting, COSTS[leg.kind])
            if leg.has_media
            else call.signalling
        )
        if node is None or not call.signalling.available:
            self._refuse(call, "Insufficient capacity")
            return
        if conference is None:
            identity = identifier(derived(f"{self.seed} {meeting.conference} {now}"))
            conference = Conference(identity, meeting, now)
            self.conferences[identity] = self._by_name[meeting.conference] = conference
            call.conference = conference
        call.media = node
        node.used += COSTS[leg.kind]
        call.signalling.signalled += 1
        self.calls[leg.id] = call
        self._by_node[node][leg.id] = call
        conference.calls.append(call)
        conference.live += 1
        if leg.has_media:
            held = conference.hosting.get(node, 0)
            conference.hosting[node] = held + 1
            if not held and len(conference.hosting) > 1:
                self._cascade(conference)
            self.license_ports += leg.license_count
            self._note_licenses()
            self.pstn_lines += leg.telephone
        if not conference.is_started:
            if leg.chair:
                conference.is_started = True
                conference.row = None
                for other in conference.calls:
                    if other.ended is None:
                        other.waiting, other.row = False, None
            else:
                call.waiting = True
        self._push(max(leaves, now + 1), _LEAVE, leg.ordinal, call)

    def _leave(self, call: Call, reason: str) -> None:
        now, leg, conference, node = self.now, call.leg, call.conference, call.media
        if conference is None or node is None or call.signalling is None:
            return
        call.ended, call.reason = now, reason
        call.row = None
        del self.calls[leg.id], self._by_node[node][leg.id]
        self._crowd_calls.pop(leg.id, None)
        node.used -= COSTS[leg.kind]
        call.signalling.signalled -= 1
        conference.live -= 1
        if leg.has_media:
            left = conference.hosting[node] - 1
            if left:
                conference.hosting[node] = left
            else:
                del conference.hosting[node]
                self._cascade(conference)
            self.license_ports -= leg.license_count
            self._note_licenses()
            self.pstn_lines -= leg.telephone
        self._push(now + 2 + leg.bits % 6000 / 1000, _WRITE, leg.ordinal, call)
        if not conference.live:
            conference.ended, conference.row = now, None
            del self.conferences[conference.id], self._by_name[conference.name]
            self._push(now + 9, _WRITE, -leg.ordinal, conference)

    def _refuse(self, call: Call, reason: str) -> None:
        call.joined, call.ended, call.reason, call.conference = None, self.now, reason, None
        call.media = None
        self.refused += 1
        self._push(self.now + 2, _WRITE, call.leg.ordinal, call)
        if reason == "Insufficient capacity":
            location = call.leg.location
            self.raise_alarm(9, "capacity_exhausted", "warning", reason, location, MANAGER_ADDRESS)

    def _cascade(self, conference: Conference) -> None:
        hosting = conference.hosting
        wanted = set(hosting) if len(hosting) > 1 else set()
        for node in conference.reserved - wanted:
            node.used -= BACKPLANE_COST
        for node in wanted - conference.reserved:
            node.used += BACKPLANE_COST
        conference.reserved = wanted
        first = next(iter(hosting), None)
        for node, backplane in list(conference.backplanes.items()):
            if node not in wanted or backplane.remote is not first:
                backplane.ended, backplane.row = self.now, None
                del conference.backplanes[node], self.backplanes[backplane.id]
                conference.past_backplanes.append(backplane)
        if first is None or not wanted:
            return
        for node in hosting:
            if node is not first and node not in conference.backplanes:
                text = f"{conference.id} {node.installed.address} {self.now}"
                backplane = Backplane(identifier(derived(text)), conference, node, first, self.now)
                conference.backplanes[node] = self.backplanes[backplane.id] = backplane

    def _note_licenses(self) -> None:
        changes = self.license_changes
        if changes[-1][0] == self.now:
            changes[-1] = (self.now, self.license_ports)
        else:
            changes.append((self.now, self.license_ports))
        limit = LICENSE_PORTS * self.scale
        if self.license_ports > limit:
            self.raise_alarm(
                8, "licenses_exhausted", "error", "All port licenses are in use", "port", MANAGER_ADDRESS
            )
        elif self.alarms and self.license_ports < limit * 0.99:
            self.lower_alarm("licenses_exhausted", "port")

    # Alarms

    def raise_alarm(  # noqa: PLR0917
        self, identifier: int, name: str, level: str, details: str, instance: str, node: str
    ) -> None:
        """Raise an alarm, unless it is raised already."""
        if (name, instance) not in self.alarms:
            number = derived(f"{name} {instance} {self.now}") % (1 << 31)
            alarm = Alarm(number, identifier, name, level, details, instance, node, self.now)
            self.alarms[name, instance] = alarm

    def lower_alarm(self, name: str, instance: str) -> None:
        """Lower an alarm; it moves to history."""
        alarm = self.alarms.pop((name, instance), None)
        if alarm:
            self.lowered_alarms.append(replace(alarm, lowered=self.now))

    # Faults

    def lose_nodes(self, nodes: Iterable[NodeState]) -> None:
        """Cut nodes off: their calls drop and dial again within half a minute, the manager and peers raise
        alarms."""
        lost = [node for node in nodes if node.lost_since is None]
        for node in lost:
            node.lost_since = self.now
        for node in lost:
            address = node.installed.address
            peers = self.placement.peers(node)
            for source in (MANAGER_ADDRESS, *(peer.installed.address for peer in peers)):
                instance = f"Source={source}, Destination={address}"
                details = "Connectivity lost between nodes"
                self.raise_alarm(3, "connectivity_lost", "error", details, instance, source)
            self.node_events.append(NodeEvent(self.now, node, "connectivity", "lost", "Node does not answer"))
            dropped = list(self._by_node[node].values())
            dropped += [
                call for call in self.calls.values() if call.signalling is node and call.media is not node
            ]
            for call in dropped:
                self._drop(call)

    def _drop(self, call: Call) -> None:
        self._leave(call, "Call disconnected")
        leg = call.leg
        back = self.now + 3 + leg.bits % 25
        leaves = leg.leave - self.offset
        if leaves > back + 10:
            again = replace(
                leg,
                id=identifier(derived(f"{leg.id} again {self.now}")),
                ordinal=leg.ordinal + _AGAIN,
                bits=mixed(leg.bits, 1) << 32 | mixed(leg.bits, 2),
            )
            self._push(back, _JOIN, again.ordinal, (call.meeting, again, leaves))

    def restore_nodes(self, nodes: Iterable[NodeState]) -> None:
        """Bring lost nodes back; their alarms are lowered."""
        for node in nodes:
            if node.lost_since is None:
                continue
            node.lost_since, node.restored = None, self.now
            self.node_events.append(NodeEvent(self.now, node, "connectivity", "active", "Node answers again"))
            ending = f"Destination={node.installed.address}"
            for name, instance in list(self.alarms):
                if name == "connectivity_lost" and instance.endswith(ending):
                    self.lower_alarm(name, instance)

    def set_scale(self, factor: float) -> None:
        """Make the platform so many times its size: nodes and licences, not yet the calls."""
        self.scale = factor
        for node in self.placement.nodes:
            node.scale(factor)

    def set_crowd(self, measure: str, target: float | None) -> None:
        """Hold a measure (`licenses` or `participants`) at the target or above by extra calls; None ends
        them."""
        if target is None:
            self._crowd.pop(measure, None)
            if not self._crowd:
                for call in list(self._crowd_calls.values()):
                    self._leave(call, "Call disconnected")
            return
        self._crowd[measure] = target
        if not self._crowd_due:
            self._fill_crowd()

    def _fill_crowd(self) -> None:
        self._crowd_due = False
        missing = max(
            (
                int(target) - (self.license_ports if measure == "licenses" else len(self.calls))
                for measure, target in self._crowd.items()
            ),
            default=None,
        )
        if missing is None:
            return
        if missing > 0:
            lived = self.now + self.offset
            meetings = crowd(f"{self.seed}", lived, missing, self._crowd_ordinal, rooms(self.seed))
            for meeting in meetings:
                for leg in meeting.legs:
                    self._crowd_ordinal = max(self._crowd_ordinal, leg.ordinal)
                    self._join(meeting, leg, leg.leave - self.offset)
                    call = self.calls.get(leg.id)
                    if call:
                        self._crowd_calls[leg.id] = call
        self._crowd_due = True
        self._push(self.now + 5, _CROWD, 0, None)


def _usual_reason(call: Call) -> str:
    """A disconnect reason from Pexip's documented list; most people just leave."""
    roll = call.leg.bits >> 8 & 0xFF
    if call.leg.protocol == "API" and roll < 40:
        return "Timer expired awaiting token refresh"
    if call.waiting and roll < 200:
        return "Timeout waiting for conference host to join or permit access to locked conference"
    if roll < 40:
        return "Conference terminated by a Host participant"
    if roll < 46:
        return "Disconnected by another participant"
    return "Call disconnected"
