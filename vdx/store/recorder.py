"""From a snapshot to a cycle: pure, but for the memory of what is open."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Final

import msgspec

from vdx.capacity import QUALITIES, Usage, quality_name
from vdx.pexip import records
from vdx.snapshot import Configuration, Snapshot
from vdx.store.cycle import (
    Changes,
    ConferenceRow,
    ConfigurationRecord,
    Cycle,
    LocationFigures,
    NodeFigures,
    ParticipantRow,
    PlatformFigures,
    PollFailure,
)
from vdx.store.identities import Pseudonyms, identifier
from vdx.store.tables import NAME_LENGTH, comparable

_KINDS: Final = tuple(Configuration.__struct_fields__)
_NOT_KEPT: Final = frozenset({"entitlement_id"})
"""The key with which a licence is activated."""

_ACCOUNTED_CONFERENCE: Final = attrgetter("name", "service_type", "tag")
_ACCOUNTED: Final = (
    "conference",
    "system_location",
    "media_node",
    "service_type",
    "service_tag",
    "license_type",
    "license_count",
    "has_media",
)
_ACCOUNTED_LEG: Final = attrgetter(*_ACCOUNTED)
"""What a segment of a leg has in common: what licence ports, participants and nodes are counted by."""

_STATE: Final = attrgetter(*_ACCOUNTED, "call_quality")
_ID: Final = attrgetter("id")
_NAME: Final = attrgetter("name")
_CONFERENCE: Final = attrgetter("conference")


class _Open:
    """What the memory holds of an open interval."""

    __slots__ = ("accounted", "identifier", "quality", "worst")

    def __init__(self, key: bytes, accounted: int, quality: int = 0, worst: int = 0) -> None:
        self.identifier = key
        self.accounted = accounted
        self.quality = quality
        self.worst = worst


class Recorder:
    """Turns each snapshot into the cycle that brings the database from the snapshot before to this one.

    The first cycle is full, since what the database has open is not known here; so is every cycle that
    is asked for as full. Snapshots must come in the order of their time.
    """

    def __init__(self, pseudonyms: Pseudonyms, *, store_identities: bool = False) -> None:
        self._pseudonyms = pseudonyms
        self._store_identities = store_identities
        self._conferences: dict[str, _Open] | None = None
        self._conferences_seen: datetime | None = None
        self._participants: dict[str, _Open] | None = None
        self._participants_seen: datetime | None = None
        self._states: dict[str, int] = {}
        self._conference_ids: dict[str, str] = {}
        self._configuration: dict[str, Sequence[object]] = {}

    def record(self, snapshot: Snapshot, usage: Usage, *, full: bool = False) -> Cycle:
        """The cycle of `snapshot`; with `full` it stands on its own."""
        if full:
            self._configuration.clear()
        time = snapshot.time.replace(microsecond=0)
        return Cycle(
            time=time,
            duration_seconds=snapshot.duration_seconds,
            up=snapshot.up,
            rejected=sum(snapshot.rejected.values()),
            failures=[
                PollFailure(resource[:64], failure.reason[:500], failure.code)
                for resource, failure in snapshot.failures.items()
            ],
            platform=platform_figures(snapshot, usage),
            locations=location_figures(snapshot, usage),
            nodes=node_figures(snapshot, usage),
            conferences=self._record_conferences(snapshot, time, full=full),
            participants=self._record_participants(snapshot, time, full=full),
            configuration=self._record_configuration(snapshot.configuration),
        )

    def _record_conferences(
        self, snapshot: Snapshot, time: datetime, *, full: bool
    ) -> Changes[ConferenceRow] | None:
        if snapshot.conferences is None:
            if full:
                self._conferences = None
            return None
        known = {} if full or self._conferences is None else self._conferences
        full = full or self._conferences is None
        present: dict[str, _Open] = {}
        opened = []
        closed: dict[int, list[bytes]] = defaultdict(list)
        for conference in snapshot.conferences:
            accounted = hash(_ACCOUNTED_CONFERENCE(conference))
            before = known.pop(conference.id, None)
            if before is not None and before.accounted == accounted:
                present[conference.id] = before
                continue
            if before is not None:
                closed[0].append(before.identifier)
            if conference.id not in present:
                present[conference.id] = _Open(identifier(conference.id), accounted)
                opened.append(self._conference_row(conference))
        closed[0].extend(gone.identifier for gone in known.values())
        seen, self._conferences_seen = self._conferences_seen, time
        self._conferences = present
        return Changes(full, opened, {} if full else _without_empty(closed), {}, seen)

    def _conference_row(self, conference: records.Conference) -> ConferenceRow:
        return ConferenceRow(
            id=identifier(conference.id),
            started=conference.start_time,
            name_hash=self._pseudonyms.of(conference.name),
            name=conference.name[:NAME_LENGTH] if self._store_identities else None,
            service_type=conference.service_type[:32],
            service_tag=conference.tag[:NAME_LENGTH],
        )

    def _record_participants(
        self, snapshot: Snapshot, time: datetime, *, full: bool
    ) -> Changes[ParticipantRow] | None:
        renamed = self._learn_conferences(snapshot)
        if snapshot.participants is None:
            if full:
                self._participants = None
            return None
        full = full or self._participants is None
        memory = self._participants or {}
        # Legs are compared by hashes made in C: of thousands, a few dozen differ from the poll before, and
        # neither this poll's strings nor the last one's need to stay in memory.
        states = list(map(hash, map(_STATE, snapshot.participants)))
        before = {} if full else self._states
        self._states = dict(zip(map(_ID, snapshot.participants), states, strict=True))
        changed = [
            leg
            for leg, state in zip(snapshot.participants, states, strict=True)
            if before.get(leg.id) != state or leg.conference in renamed
        ]
        opened: list[ParticipantRow] = []
        closed: dict[int, list[bytes]] = defaultdict(list)
        worse: dict[int, list[bytes]] = defaultdict(list)
        for leg in changed:
            conference = self._conference_ids.get(leg.conference)
            accounted = hash((conference, _ACCOUNTED_LEG(leg)))
            quality = _quality(leg.call_quality)
            known = memory.get(leg.id)
            goes_on = known is not None and known.accounted == accounted
            if known is None or not goes_on:
                if known is not None:
                    closed[known.quality].append(known.identifier)
                known = memory[leg.id] = _Open(identifier(leg.id), accounted, quality, quality)
            known.quality = quality
            if quality > known.worst:
                known.worst = quality
                worse[quality].append(known.identifier)
            if full or not goes_on:
                opened.append(self._participant_row(leg, conference, known, snapshot))
        for key in memory.keys() - self._states.keys():
            gone = memory.pop(key)
            closed[gone.quality].append(gone.identifier)
        seen, self._participants_seen = self._participants_seen, time
        self._participants = memory
        if full:
            return Changes(True, opened)
        return Changes(False, opened, dict(closed), dict(worse), seen)

    def _participant_row(
        self, leg: records.Participant, conference: str | None, now: _Open, snapshot: Snapshot
    ) -> ParticipantRow:
        alias = leg.participant_alias
        return ParticipantRow(
            id=now.identifier,
            started=leg.connect_time,
            conference_id=None if conference is None else identifier(conference),
            location=_name(leg.system_location),
            node=_name(snapshot.configuration.node_names.get(leg.media_node, "")) or None,
            protocol=leg.protocol[:32],
            direction=leg.call_direction[:16],
            service_type=leg.service_type[:32],
            service_tag=leg.service_tag[:NAME_LENGTH],
            license_type=leg.license_type[:32],
            license_count=leg.license_count,
            has_media=leg.has_media,
            encrypted=leg.encryption.lower() == "on",
            alias_hash=self._pseudonyms.of(alias) if alias else None,
            alias=alias[:NAME_LENGTH] if alias and self._store_identities else None,
            quality=now.quality,
            worst_quality=now.worst,
        )

    def _learn_conferences(self, snapshot: Snapshot) -> set[str]:
        """Learns name -> identifier, and gives the names whose identifier is another than before.

        The two lists are read a moment apart, so names of the last poll count too.
        """
        if snapshot.conferences is None:
            return set()
        before = self._conference_ids
        named = set(map(_CONFERENCE, snapshot.participants or ()))
        present = dict(zip(map(_NAME, snapshot.conferences), map(_ID, snapshot.conferences), strict=True))
        self._conference_ids = {name: before[name] for name in before.keys() & named} | present
        return {name for name, key in present.items() if before.get(name) != key}

    def _record_configuration(self, configuration: Configuration) -> dict[str, Sequence[ConfigurationRecord]]:
        """The kinds that changed since they were last told. An empty kind has not been read yet."""
        changed: dict[str, Sequence[ConfigurationRecord]] = {}
        for kind in _KINDS:
            rows: Sequence[object] = getattr(configuration, kind)
            if rows and rows is not self._configuration.get(kind) and rows != self._configuration.get(kind):
                changed[kind] = [_configuration_record(row) for row in rows]
            if rows:
                self._configuration[kind] = rows
        return changed


def platform_figures(snapshot: Snapshot, usage: Usage) -> PlatformFigures:
    """The platform's row of a cycle."""
    licensing = snapshot.licensing
    return PlatformFigures(
        license_ports=usage.license_ports,
        license_limit=usage.license_limit,
        license_reported_used=licensing.port_count if licensing else None,
        license_reported_limit=licensing.port_total if licensing else None,
        pstn_lines=usage.pstn_lines,
        pstn_limit=usage.pstn_limit,
        participants=usage.participants_total,
        control_only=None if usage.control_only is None else sum(usage.control_only.values()),
        presenting=usage.presenting,
        streaming=usage.streaming,
        conferences=usage.conferences_total,
        backplanes=_count(snapshot.backplanes),
        registrations=_count(snapshot.registrations),
        alarms=_count(snapshot.alarms),
        hardware_used=usage.hardware.used if usage.hardware else None,
        hardware_limit=usage.hardware.limit if usage.hardware else None,
    )


def location_figures(snapshot: Snapshot, usage: Usage) -> dict[str, LocationFigures]:
    """A row for each location that anything names."""
    loads = {location.name: location.media_load / 100 for location in snapshot.locations or ()}
    ports = usage.license_ports_by_location
    hardware = usage.hardware_by_location or {}
    participants = None if usage.participants is None else _by_location(usage.participants)
    qualities = usage.quality or {}
    names = {*loads, *(ports or ()), *hardware, *(participants or ()), *(usage.control_only or ())}

    def quality(location: str, name: str) -> int | None:
        return None if usage.quality is None else qualities.get((location, name), 0)

    return {
        _name(name): LocationFigures(
            media_load=loads.get(name),
            license_ports=None if ports is None else ports.get(name, 0),
            participants=None if participants is None else participants.get(name, 0),
            control_only=None if usage.control_only is None else usage.control_only.get(name, 0),
            quality_unknown=quality(name, "unknown"),
            quality_good=quality(name, "good"),
            quality_ok=quality(name, "ok"),
            quality_bad=quality(name, "bad"),
            quality_terrible=quality(name, "terrible"),
            hardware_used=hardware[name].used if name in hardware else None,
            hardware_limit=hardware[name].limit if name in hardware else None,
        )
        for name in sorted(names)
    }


def node_figures(snapshot: Snapshot, usage: Usage) -> dict[str, NodeFigures]:
    """A row for each Conferencing Node."""
    nodes = {node.name: node for node in snapshot.nodes or ()}
    return {
        _name(use.name): NodeFigures(
            media_load=use.media_load,
            media_tokens_used=nodes[use.name].media_tokens_used,
            media_tokens_limit=nodes[use.name].max_media_tokens,
            hardware_used=use.hardware.used,
            hardware_limit=use.hardware.limit,
            signalled_calls=nodes[use.name].signaling_count,
            conferences=None if snapshot.conference_shards is None else use.conferences,
            participants=None if snapshot.participants is None else use.participants,
            up=int(use.up),
            maintenance=int(use.maintenance),
        )
        for use in usage.nodes or ()
    }


def _name(name: str) -> str:
    """A name as the database keeps it."""
    return comparable(name[:NAME_LENGTH])


def _count(rows: Sequence[object] | None) -> int | None:
    return None if rows is None else len(rows)


def _by_location(participants: Mapping[tuple[str, str], int]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for (location, _), count in participants.items():
        totals[location] += count
    return totals


@lru_cache(maxsize=256)
def _quality(call_quality: str) -> int:
    name = quality_name(call_quality)
    return QUALITIES.index(name) if name in QUALITIES else 0


def _without_empty(groups: Mapping[int, list[bytes]]) -> dict[int, list[bytes]]:
    return {quality: ids for quality, ids in groups.items() if ids}


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _configuration_record(row: object) -> ConfigurationRecord:
    fields: dict[str, object] = msgspec.to_builtins(row)
    key = fields.get("id", fields.get("fulfillment_id"))
    return ConfigurationRecord(
        key=_text(key)[:100],
        name=_text(fields.get("name") or fields.get("product_id") or "")[:NAME_LENGTH],
        content={name: _text(value) for name, value in fields.items() if name not in _NOT_KEPT},
    )
