"""History's way to the database: one connection, which is made again after a fault.

Its methods block; call them in a thread of their own, one at a time.
"""

import contextlib
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Engine, case, func, select
from sqlalchemy.exc import SQLAlchemyError

from vdx.claims import Claims
from vdx.pexip.records import Record
from vdx.pexip.resources import Resource
from vdx.settings import Settings
from vdx.store import history, history_progress, usage
from vdx.store.database import connect, open_engine, unreachable
from vdx.store.errors import StoreError, reason
from vdx.store.history_retention import prune
from vdx.store.history_rows import Context
from vdx.store.history_tables import history_participant, history_unlinked, usage_hour
from vdx.store.identities import pseudonyms
from vdx.store.tables import participant
from vdx.store.texts import Identities
from vdx.telemetry import Telemetry
from vdx.tree import Tree
from vdx.usage import Scope

SETTLING: Final = timedelta(minutes=5)
"""How long after a call's end its record may take to come, in ordinary times."""

Answer = TypeVar("Answer")


class Figures(msgspec.Struct, frozen=True):
    """What the history in the database says of itself. None is unknown."""

    unassigned_ratio: float | None
    """Share of the call legs of the last 24 hours that belong to no organisation."""
    peak_difference: int | None
    """Exact less sampled licence ports in the latest hour of which all calls have ended."""
    pending_days: int
    unlinked: int


class HistoryStore:
    """Writes history and computes usage. Every method raises StoreError where the database is away."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._zone = ZoneInfo(settings.sla.time_zone)
        self._keys = pseudonyms(settings)
        self._engine: Engine = open_engine(settings, writes=True, loads=True)
        self._connection: Connection | None = None
        self._claims: Claims | None = None
        self._writer: history.HistoryWriter | None = None

    def close(self) -> None:
        """Gives the connection back."""
        self._disconnect()
        self._engine.dispose()

    def watermarks(self) -> dict[str, datetime]:
        """Resource -> up to where it has been read."""
        return self._transact(history_progress.watermarks)

    def write(
        self, resource: Resource[Any], records: Sequence[Record], watermark: datetime | None, context: Context
    ) -> history.Written:
        """Writes a page, as `HistoryWriter.write`."""
        writer = self._writer_for(context.claims)

        def work(connection: Connection) -> history.Written:
            return writer.write(connection, resource, records, watermark=watermark, context=context)

        written = self._do(work)
        for table, rows in written.rows.items():
            self._telemetry.store_rows.labels(table=table).inc(rows)
        return written

    def note_gap(self, resource: str, begins: datetime, ends: datetime, found: datetime) -> bool:
        """Keeps a gap, and tells whether it was not known yet."""

        return self._transact(
            lambda connection: history_progress.note_gap(connection, resource, begins, ends, found)
        )

    def count_between(self, resource: Resource[Any], start: datetime, end: datetime) -> int:
        """Records of a resource that ended from `start` to before `end`."""
        return self._transact(lambda connection: history.count_between(connection, resource, start, end))

    def earliest_start(self, since: datetime) -> datetime:
        """When the first of the conferences began that ended at `since` or later; `since` where none did.

        Backplanes can be written as late as with the end of their conference.
        """
        return self._transact(lambda connection: history.earliest_start(connection, since))

    def pending_days(self) -> list[date]:
        """The days whose usage is to be computed, the earliest first."""
        return self._transact(usage.pending_days)

    def mark_pending(self, day: date) -> None:
        """Has the usage of a day computed again."""
        self._transact(lambda connection: history_progress.mark_pending(connection, [day]))

    def compute_day(self, day: date, tree: Tree) -> int:
        """Computes a day's usage, as `usage.compute_day`."""
        return self._do(lambda connection: usage.compute_day(connection, day, self._zone, tree))

    def prune(self, now: datetime) -> None:
        """Drops what is older than the settings keep."""
        self._do(lambda connection: prune(connection, self._settings.history, now))

    def figures(self, now: datetime) -> Figures:
        """What the history in the database says of itself."""
        return self._transact(lambda connection: read_figures(connection, now))

    def _writer_for(self, claims: Claims) -> history.HistoryWriter:
        """The writer; another one where the claims are others, since they decide what is kept of a text."""
        if self._writer is None or claims is not self._claims:
            names = self._settings.privacy.store_identities
            identities = Identities(lambda text: claims.describe(text, self._keys.of), names=names)
            self._writer = history.HistoryWriter(identities, self._zone)
            self._claims = claims
        return self._writer

    def _transact(self, work: Callable[[Connection], Answer]) -> Answer:
        """Works in one transaction."""

        def whole(connection: Connection) -> Answer:
            with connection.begin():
                return work(connection)

        return self._do(whole)

    def _do(self, work: Callable[[Connection], Answer]) -> Answer:
        """Works over the connection, which is given up after any fault."""
        try:
            if self._connection is None:
                self._connection = connect(self._engine)
            return work(self._connection)
        except StoreError:
            self._disconnect()
            raise
        except (SQLAlchemyError, OSError) as error:
            reached = self._connection is not None
            self._disconnect()
            if reached:
                words = f"history cannot be written: {reason(error)}; check the database's log and its disk"
                raise StoreError(words) from None
            raise StoreError(unreachable(error)) from None
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if self._writer is not None:
            self._writer.forget()
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError, OSError):
                connection.invalidate()
            with contextlib.suppress(SQLAlchemyError, OSError):
                connection.close()


def read_figures(connection: Connection, now: datetime) -> Figures:
    """What the history in the database says of itself at `now`."""
    table = history_participant
    since = now - timedelta(hours=24)
    legs, unassigned = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((table.c.organisation_id == 0, 1), else_=0)), 0),
        ).where(table.c.ended >= since)
    ).one()
    pending = len(usage.pending_days(connection))
    unlinked = connection.scalar(select(func.count()).select_from(history_unlinked)) or 0
    return Figures(
        int(unassigned) / legs if legs else None,
        _peak_difference(connection, now),
        pending,
        int(unlinked),
    )


def _peak_difference(connection: Connection, now: datetime) -> int | None:
    """Exact less sampled ports in the latest hour whose calls have all ended and been read."""
    still_open = connection.scalar(
        select(func.min(participant.c.started)).where(participant.c.ended.is_(None))
    )
    settled = min(now - SETTLING, still_open or now)
    table = usage_hour
    row = connection.execute(
        select(table.c.peak_ports, table.c.sampled_ports)
        .where(
            table.c.scope == Scope.PLATFORM,
            table.c.scope_id == 0,
            table.c.begin <= settled - timedelta(hours=1),
            table.c.begin > now - timedelta(days=7),
            table.c.sampled_ports.is_not(None),
        )
        .order_by(table.c.begin.desc())
        .limit(1)
    ).first()
    return None if row is None else int(row.peak_ports) - int(row.sampled_ports)
