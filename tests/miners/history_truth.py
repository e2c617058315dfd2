"""What the stand-in VDX knows of its ended calls, as the rows that the history miner should have."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from simulator.virtual_platform import VirtualPlatform
from vdx.store.history_tables import (
    history_backplane,
    history_conference,
    history_media_stream,
    history_participant,
    term,
)
from vdx.store.identities import identifier
from vdx.store.tables import location

_EPOCH = datetime.fromtimestamp(0, UTC)


def moment(seconds: float) -> datetime:
    """Unix seconds as a time, to the microsecond as the API writes it."""
    return _EPOCH + timedelta(seconds=seconds)


class Leg(NamedTuple):
    """A call leg as it is compared."""

    started: datetime | None
    ended: datetime
    conference: bytes | None
    location: str
    ports: int
    protocol: str
    has_media: bool
    streams: int


class Truth:
    """All that ended on a platform since this began to look; `look` often enough that nothing is forgotten.

    A conference is known to a leg once it has ended too and been written.
    """

    def __init__(self) -> None:
        self.legs: dict[bytes, Leg] = {}
        self.conferences: dict[bytes, tuple[datetime, datetime, int]] = {}
        self.backplanes: dict[bytes, tuple[datetime, datetime, bytes]] = {}
        self.ports: list[tuple[float, int]] = []
        """The platform's own count of licence ports: Unix seconds, and ports from then on."""
        self._done: set[str] = set()

    def look(self, platform: VirtualPlatform) -> None:
        """Takes up what history has by now."""
        history = platform.history()
        since = self.ports[-1][0] if self.ports else platform.now - 86400
        self.ports += [change for change in platform.license_series(since) if change[0] > since]
        for identity, call in history.participants.items():
            if identity in self._done:
                continue
            written = call.conference is not None and call.conference.written
            if written or call.conference is None:
                self._done.add(identity)
            self.legs[identifier(identity)] = Leg(
                None if call.joined is None else moment(call.joined),
                moment(call.ended or 0.0),
                identifier(call.conference.id) if written and call.conference else None,
                call.location,
                call.leg.license_count if call.joined is not None else 0,
                call.leg.protocol,
                call.leg.has_media,
                _streams(call),
            )
        for identity, conference in history.conferences.items():
            ended = moment(conference.ended or 0.0)
            self.conferences[identifier(identity)] = (
                moment(conference.started),
                ended,
                len(conference.calls),
            )
        for identity, backplane in history.backplanes.items():
            self.backplanes[identifier(identity)] = (
                moment(backplane.started),
                moment(backplane.ended or 0.0),
                identifier(backplane.conference.id),
            )


def _streams(call: Any) -> int:
    from simulator.history_rows import past_stream_numbers

    return len(past_stream_numbers(call))


def stored_legs(connection: Connection) -> Mapping[bytes, Leg]:
    """The call legs in the database, each once; a leg that is there twice is an error."""
    protocols = dict(
        connection.execute(select(term.c.id, term.c.name).where(term.c.kind == "protocol")).all()
    )
    licenses = dict(
        connection.execute(select(term.c.id, term.c.name).where(term.c.kind == "license_type")).all()
    )
    places = dict(connection.execute(select(location.c.id, location.c.name)).all())
    streams: dict[bytes, int] = {}
    for (key,) in connection.execute(select(history_media_stream.c.participant_id)):
        streams[key] = streams.get(key, 0) + 1
    table = history_participant
    found: dict[bytes, Leg] = {}
    columns = (
        table.c.id,
        table.c.started,
        table.c.ended,
        table.c.conference_id,
        table.c.location_id,
        table.c.license_count,
        table.c.license_type_id,
        table.c.protocol_id,
        table.c.has_media,
    )
    for row in connection.execute(select(*columns)):
        assert row.id not in found, "a call leg is there twice"
        found[row.id] = Leg(
            row.started,
            row.ended,
            row.conference_id,
            places[row.location_id],
            row.license_count if licenses[row.license_type_id] == "port" else 0,
            protocols[row.protocol_id],
            row.has_media,
            streams.get(row.id, 0),
        )
    return found


def stored_conferences(connection: Connection) -> Mapping[bytes, tuple[datetime, datetime, int]]:
    """The conferences in the database."""
    table = history_conference
    rows = connection.execute(select(table.c.id, table.c.started, table.c.ended, table.c.participants)).all()
    assert len({row.id for row in rows}) == len(rows), "a conference is there twice"
    return {row.id: (row.started, row.ended, row.participants) for row in rows}


def stored_backplanes(connection: Connection) -> Mapping[bytes, tuple[datetime, datetime, bytes]]:
    """The backplanes in the database."""
    table = history_backplane
    rows = connection.execute(select(table.c.id, table.c.started, table.c.ended, table.c.conference_id)).all()
    assert len({row.id for row in rows}) == len(rows), "a backplane is there twice"
    return {row.id: (row.started, row.ended, row.conference_id) for row in rows}


def differences(truth: Truth, connection: Connection) -> list[str]:
    """In words where the database differs from the truth; none where they agree exactly."""
    found: list[str] = []
    for name, expected, stored in (
        ("legs", truth.legs, stored_legs(connection)),
        ("conferences", truth.conferences, stored_conferences(connection)),
        ("backplanes", truth.backplanes, stored_backplanes(connection)),
    ):
        missing, surplus = expected.keys() - stored.keys(), stored.keys() - expected.keys()
        other = [key for key in expected.keys() & stored.keys() if expected[key] != stored[key]]
        found += [f"{len(missing)} {name} are missing"] if missing else []
        found += [f"{len(surplus)} {name} are too many"] if surplus else []
        found += [f"{name} {key.hex()}: {expected[key]} is {stored[key]}" for key in other[:3]]
        found += [f"{len(other)} {name} differ"] if other else []
    return found
