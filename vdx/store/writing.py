"""Writes a cycle in one transaction."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, func, insert, select

from vdx.store import configuration, intervals
from vdx.store.cycle import Cycle, ParticipantRow
from vdx.store.errors import StoreError
from vdx.store.rollups import roll_up
from vdx.store.tables import (
    LOCATION,
    NODE,
    PLATFORM,
    RAW,
    Samples,
    comparable,
    conference,
    configuration_change,
    location,
    node,
    participant,
    poll,
    poll_failure,
)

_COUNTED_CONFERENCE: Final = ("name_hash", "service_type", "service_tag")
_COUNTED_PARTICIPANT: Final = (
    "conference_id",
    "location_id",
    "node_id",
    "service_type",
    "service_tag",
    "license_type",
    "license_count",
    "has_media",
)


class LateCycleError(StoreError):
    """The database has a later poll; the cycle cannot be written after it."""


class Names:
    """Name -> key of a table of names, in memory. `forget` it when a transaction is rolled back."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._keys: dict[str, int] = {}

    def learn(self, connection: Connection, names: Collection[str]) -> Mapping[str, int]:
        """The keys of all names; those that the table lacks are added."""
        if set(names) - self._keys.keys():
            wanted = {comparable(name) for name in names}
            self._read(connection)
            missing = wanted - self._keys.keys()
            if missing:
                connection.execute(insert(self._table), [{"name": name} for name in sorted(missing)])
                self._read(connection)
            self._keys |= {name: self._keys[comparable(name)] for name in names}
        return self._keys

    def _read(self, connection: Connection) -> None:
        rows = connection.execute(select(self._table.c.name, self._table.c.id))
        self._keys = {row.name: row.id for row in rows}

    def forget(self) -> None:
        """Reads them again the next time."""
        self._keys = {}


class CycleWriter:
    """Writes cycles over a connection; it keeps only the keys of names in memory."""

    def __init__(self) -> None:
        self._locations = Names(location)
        self._nodes = Names(node)

    def write(self, connection: Connection, cycle: Cycle) -> Counter[str]:
        """Writes the cycle and rolls up what it finished: all, or nothing where it raises.

        A cycle whose poll the database has is left out, since it was written whole, which makes writing
        again harmless. Returns the rows written by table. Raises LateCycleError where the database
        has a later poll but not this one.
        """
        try:
            with connection.begin():
                return self._write(connection, cycle)
        except BaseException:
            self._locations.forget()
            self._nodes.forget()
            raise

    def _write(self, connection: Connection, cycle: Cycle) -> Counter[str]:
        newest: datetime | None = connection.scalar(select(func.max(poll.c.time)))
        written: Counter[str] = Counter()
        if newest is not None and cycle.time <= newest:
            if not connection.scalar(select(func.count()).where(poll.c.time == cycle.time)):
                raise LateCycleError(
                    f"a poll of {newest:%Y-%m-%d %H:%M:%S} UTC is in the database already; "
                    "check this machine's clock, and that one miner alone writes to the database"
                )
            return written
        self._write_poll(connection, cycle, written)
        self._write_samples(connection, cycle, written)
        if cycle.conferences is not None:
            written["conference"] = intervals.apply(
                connection,
                conference,
                cycle.time,
                cycle.conferences,
                values=msgspec.structs.asdict,
                counted=_COUNTED_CONFERENCE,
            )
        if cycle.participants is not None:
            values = self._participant_values(connection, cycle.participants.opened)
            written["participant"] = intervals.apply(
                connection,
                participant,
                cycle.time,
                cycle.participants,
                values=values,
                counted=_COUNTED_PARTICIPANT,
            )
        if cycle.configuration:
            written[configuration_change.name] = configuration.apply(
                connection, cycle.time, cycle.configuration
            )
        if newest is not None:
            written.update(roll_up(connection, newest, cycle.time))
        return written

    def _write_poll(self, connection: Connection, cycle: Cycle, written: Counter[str]) -> None:
        connection.execute(
            insert(poll).values(
                time=cycle.time,
                duration_seconds=cycle.duration_seconds,
                up=cycle.up,
                rejected=cycle.rejected,
                conferences=None if cycle.conferences is None else cycle.platform.conferences,
                participants=None if cycle.participants is None else cycle.platform.participants,
            )
        )
        written["poll"] = 1
        if cycle.failures:
            connection.execute(
                insert(poll_failure),
                [{"time": cycle.time} | msgspec.structs.asdict(failure) for failure in cycle.failures],
            )
            written["poll_failure"] = len(cycle.failures)

    def _write_samples(self, connection: Connection, cycle: Cycle, written: Counter[str]) -> None:
        _insert_samples(connection, PLATFORM, [{"time": cycle.time} | _values(cycle.platform)], written)
        keys = self._locations.learn(connection, cycle.locations)
        rows = [
            {"time": cycle.time, "location_id": keys[name]} | _values(figures)
            for name, figures in cycle.locations.items()
        ]
        _insert_samples(connection, LOCATION, rows, written)
        keys = self._nodes.learn(connection, cycle.nodes)
        rows = [
            {"time": cycle.time, "node_id": keys[name]} | _values(figures)
            for name, figures in cycle.nodes.items()
        ]
        _insert_samples(connection, NODE, rows, written)

    def _participant_values(
        self, connection: Connection, rows: Sequence[ParticipantRow]
    ) -> Callable[[ParticipantRow], dict[str, Any]]:
        locations = self._locations.learn(connection, {row.location for row in rows})
        nodes = self._nodes.learn(connection, {row.node for row in rows if row.node is not None})

        def values(row: ParticipantRow) -> dict[str, Any]:
            columns = msgspec.structs.asdict(row)
            columns["location_id"] = locations[columns.pop("location")]
            name = columns.pop("node")
            columns["node_id"] = None if name is None else nodes[name]
            return columns

        return values


def _values(figures: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(figures)


def _insert_samples(
    connection: Connection, samples: Samples, rows: list[dict[str, Any]], written: Counter[str]
) -> None:
    table = samples.tables[RAW]
    if rows:
        connection.execute(insert(table), rows)
        written[table.name] = len(rows)
