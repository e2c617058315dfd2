"""Writes history: the records of one page with how far it was read, in one transaction.

A record that is there already is left as it is, since history never changes; what a call leg did not know
when it ended, its conference, is added when that is told. So a page may be written twice, or half of it be
known, and a process may end at any moment: the rows and the watermark are there together or not at all.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import compress
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Table, Update, bindparam, delete, func, select, update

from vdx.pexip import resources
from vdx.pexip.records import Record
from vdx.pexip.resources import Resource
from vdx.store import history_rows, partitions
from vdx.store.bulk import put
from vdx.store.errors import is_data_fault
from vdx.store.history_progress import LONGEST_SPAN, advance, mark_pending
from vdx.store.history_rows import Columns, Context, Numbers, Odd, Span, Texts, key_of, span_of
from vdx.store.history_tables import (
    HISTORY,
    history_alarm,
    history_backplane,
    history_conference,
    history_media_stream,
    history_node_event,
    history_participant,
    history_unlinked,
)
from vdx.store.identities import identifier
from vdx.store.tables import location, node
from vdx.store.texts import Identities, Terms, batches
from vdx.store.writing import Names

EARLIEST: Final = date(2010, 1, 1)
"""No partition is made for a month before; a clock that stands wrong makes records of any year."""
YEARS: Final = range(1900, 9000)
"""Of a record that ended in another year no usage is computed: its clock was wrong, and calendars end."""
LONGEST_SECONDS: Final = int(LONGEST_SPAN.total_seconds())
LONGEST_CONFERENCE: Final = timedelta(days=1)
"""How long before its conference's end a backplane is looked for."""


class Written(msgspec.Struct, frozen=True):
    """What became of a page: records that were added or known, those that the database refused, rows by
    table, legs that were linked to their conference, and what was set right."""

    added: int = 0
    known: int = 0
    refused: int = 0
    linked: int = 0
    rows: Mapping[str, int] = {}
    odd: Mapping[Odd, int] = {}


def plus(one: Written, other: Written) -> Written:
    """Both together."""
    return Written(
        one.added + other.added,
        one.known + other.known,
        one.refused + other.refused,
        one.linked + other.linked,
        Counter(one.rows) + Counter(other.rows),
        Counter(one.odd) + Counter(other.odd),
    )


_TABLES: Final[Mapping[Resource[Any], Table]] = {
    resources.HISTORY_PARTICIPANT: history_participant,
    resources.HISTORY_CONFERENCE: history_conference,
    resources.HISTORY_BACKPLANE: history_backplane,
    resources.HISTORY_ALARM: history_alarm,
    resources.HISTORY_WORKERVM_STATUS_EVENT: history_node_event,
}

Key = tuple[datetime, bytes | int]


class Fresh(NamedTuple):
    """Records that the table does not have yet, with their keys and times."""

    keys: list[Any]
    records: list[Any]
    spans: list[Span]


class HistoryWriter:
    """Writes pages of history over a connection; it keeps only the numbers of texts in memory."""

    def __init__(self, identities: Identities, zone: ZoneInfo) -> None:
        self._terms = Terms()
        self._identities = identities
        self._locations = Names(location)
        self._nodes = Names(node)
        self._zone = zone
        self._months: dict[str, set[date]] = {}

    def forget(self) -> None:
        """Reads the numbers of texts again: after a transaction was rolled back, or claims changed."""
        for texts in (self._terms, self._identities, self._locations, self._nodes):
            texts.forget()

    def write(
        self,
        connection: Connection,
        resource: Resource[Any],
        records: Sequence[Record],
        *,
        watermark: datetime | None,
        context: Context,
        longest: int = 0,
    ) -> Written:
        """Writes a page's records, and that all up to `watermark` has been read (UTC; None: as before).

        All or nothing where it raises, but for a record that the database refuses: it alone is left out,
        and counted. `longest` is the length of a record besides these, in seconds.
        """
        try:
            return self._write(connection, resource, records, context, watermark=watermark, longest=longest)
        except BaseException as error:
            self.forget()
            if not isinstance(error, Exception) or not is_data_fault(error):
                raise
            connection.rollback()
            if not records:
                raise
        if len(records) == 1:
            empty = self.write(
                connection, resource, (), watermark=watermark, context=context, longest=longest
            )
            return plus(empty, Written(refused=1))
        # The longest of all is noted with the second half, whose watermark tells that both are there.
        half = len(records) // 2
        first = self.write(connection, resource, records[:half], watermark=None, context=context)
        longest = _longest(filter(None, map(span_of, records)), longest)
        rest = self.write(
            connection, resource, records[half:], watermark=watermark, context=context, longest=longest
        )
        return plus(first, rest)

    def _write(
        self,
        connection: Connection,
        resource: Resource[Any],
        records: Sequence[Record],
        context: Context,
        *,
        watermark: datetime | None,
        longest: int,
    ) -> Written:
        table = _TABLES[resource]
        spanned: dict[Key, tuple[Any, Span]] = {}
        endless = 0
        for record in records:
            span = span_of(record)
            if span is None:
                endless += 1
            else:
                spanned[span.ended, key_of(record)] = record, span
        self._make_partitions(connection, table, spanned.values(), context.today)
        with connection.begin():
            known = _known(connection, table, spanned.keys())
            fresh = Fresh(
                [key for end, key in spanned if (end, key) not in known],
                [record for key, (record, _) in spanned.items() if key not in known],
                [span for key, (_, span) in spanned.items() if key not in known],
            )
            odd = Counter(span.odd for span in fresh.spans if span.odd is not None)
            odd[Odd.NO_END] += endless
            rows = self._put(connection, resource, fresh, context, odd)
            again = [record for key, (record, _) in spanned.items() if key in known]
            linked = self._link(connection, resource, fresh.records, again)
            if resource is resources.HISTORY_PARTICIPANT:
                _make_stale(connection, fresh.spans, self._zone)
            spans = (span for _, span in spanned.values())
            advance(connection, resource.name, watermark, _longest(spans, longest))
        return Written(len(fresh.keys), len(known), 0, linked, rows, +odd)

    def _put(
        self,
        connection: Connection,
        resource: Resource[Any],
        fresh: Fresh,
        context: Context,
        odd: Counter[Odd],
    ) -> dict[str, int]:
        """Inserts the rows of these records, and returns how many by table."""
        keys, records, spans = fresh
        found: dict[Table, Columns] = {}
        if resource is resources.HISTORY_PARTICIPANT:
            participants = history_rows.Participants(records, context)
            numbers = self._learn(connection, participants.texts, context, odd)
            legs, streams = participants.rows(keys, spans, numbers, odd)
            waits = [record.start_time is not None and not record.conference for record in records]
            unlinked = _unlinked(fresh, waits, backplane=False)
            found = {history_participant: legs, history_media_stream: streams, history_unlinked: unlinked}
        elif resource is resources.HISTORY_CONFERENCE:
            numbers = self._learn(connection, history_rows.conference_texts(records), context, odd)
            rows = history_rows.conference_rows(records, keys, spans, numbers, context)
            found = {history_conference: rows}
        elif resource is resources.HISTORY_BACKPLANE:
            numbers = self._learn(connection, history_rows.backplane_texts(records, context), context, odd)
            rows = history_rows.backplane_rows(records, keys, spans, numbers, context)
            unlinked = _unlinked(fresh, [not record.conference for record in records], backplane=True)
            found = {history_backplane: rows, history_unlinked: unlinked}
        elif resource is resources.HISTORY_ALARM:
            found = {history_alarm: history_rows.alarm_rows(records, keys, spans, context)}
        else:
            found = {history_node_event: history_rows.node_event_rows(records, keys, spans)}
        return {table.name: put(connection, table, columns) for table, columns in found.items()}

    def _learn(self, connection: Connection, texts: Texts, context: Context, odd: Counter[Odd]) -> Numbers:
        terms = {kind: self._terms.learn(connection, kind, names) for kind, names in texts.terms.items()}
        for kind, names in texts.terms.items():
            odd[Odd.TOO_MANY_TEXTS] += sum(1 for name in names if name and not terms[kind][name])
        return Numbers(
            terms,
            self._identities.learn(connection, self._terms, texts.identities, context.today),
            self._locations.learn(connection, texts.locations),
            self._nodes.learn(connection, texts.nodes),
        )

    def _make_partitions(
        self, connection: Connection, table: Table, spanned: Iterable[tuple[Any, Span]], today: date
    ) -> None:
        """Month partitions for these records, which on MySQL must be made outside of the transaction."""
        if connection.dialect.name != "mysql" or table not in HISTORY:
            return
        latest = partitions.next_month(today)
        months = {
            span.ended.date().replace(day=1) for _, span in spanned if EARLIEST <= span.ended.date() <= latest
        } | {today.replace(day=1), latest}
        tables = [table, history_media_stream] if table is history_participant else [table]
        for one in tables:
            if months - self._months.get(one.name, set()):
                partitions.make_months(connection, one, months)
                self._months[one.name] = set(partitions.partition_months(connection, one))
                connection.commit()

    def _link(
        self, connection: Connection, resource: Resource[Any], fresh: Sequence[Any], again: Sequence[Any]
    ) -> int:
        """Tells legs and backplanes that ended before their conference which it was.

        The conference's record lists its legs, and a record that is read `again` names its conference.
        """
        conferences: dict[bytes, bytes] = {}
        if resource is resources.HISTORY_CONFERENCE:
            for record in (*fresh, *again):
                conference = identifier(record.id)
                conferences |= dict.fromkeys(map(identifier, record.participant_ids), conference)
        elif resource in (resources.HISTORY_PARTICIPANT, resources.HISTORY_BACKPLANE):
            conferences = {
                identifier(record.id): identifier(record.conference_id)
                for record in again
                if record.conference_id
            }
        linked = 0
        for some in batches(conferences):
            waiting = connection.execute(
                select(history_unlinked).where(history_unlinked.c.id.in_(some)).with_for_update()
            ).all()
            if not waiting:
                continue
            connection.execute(delete(history_unlinked).where(history_unlinked.c.id.in_(some)))
            for backplane in (False, True):
                rows = [
                    {"key": row.id, "at": row.ended, "conference": conferences[row.id]}
                    for row in waiting
                    if row.backplane is backplane
                ]
                if rows:
                    connection.execute(_LINK[backplane], rows)
            legs = [row for row in waiting if not row.backplane]
            _make_stale(connection, _spans(connection, legs), self._zone)
            linked += len(legs)
        return linked


def _linking(table: Table) -> Update:
    return (
        update(table)
        .where(table.c.ended == bindparam("at"), table.c.id == bindparam("key"))
        .values(conference_id=bindparam("conference"))
    )


_LINK: Final = {False: _linking(history_participant), True: _linking(history_backplane)}


def _unlinked(fresh: Fresh, waits: Sequence[bool], *, backplane: bool) -> Columns:
    """Rows of history_unlinked for those that wait for their conference."""
    keys = list(compress(fresh.keys, waits))
    ended = [span.ended for span in compress(fresh.spans, waits)]
    return {"id": keys, "ended": ended, "backplane": [backplane] * len(keys)}


def _known(connection: Connection, table: Table, keys: Collection[Key]) -> set[Key]:
    """Those of the keys that the table has; the ends of the keys are about one page's."""
    if not keys:
        return set()
    ended, key = list(table.primary_key.columns)[:2]
    times = [time for time, _ in keys]
    rows = connection.execute(select(ended, key).where(ended >= min(times), ended <= max(times)))
    return {(row[0], row[1]) for row in rows} & set(keys)


def _spans(connection: Connection, legs: Sequence[Any]) -> list[Span]:
    """When these legs of `history_unlinked` were connected."""
    if not legs:
        return []
    table = history_participant
    ends = [leg.ended for leg in legs]
    query = select(table.c.started, table.c.ended).where(
        table.c.ended >= min(ends), table.c.ended <= max(ends), table.c.id.in_([leg.id for leg in legs])
    )
    return [Span(row.started, row.ended) for row in connection.execute(query)]


def _longest(spans: Iterable[Span], other: int) -> int:
    """The length of the longest that usage is computed of, in whole seconds; `other` where that is longer."""
    connected = (span for span in spans if span.started is not None)
    return max(other, *(min(_seconds(span), LONGEST_SECONDS) for span in connected), 0)


def _seconds(span: Span) -> int:
    return 0 if span.started is None else int((span.ended - span.started).total_seconds())


def stale_days(spans: Iterable[Span], zone: ZoneInfo) -> set[date]:
    """The Danish days in which these calls were connected, or in which they failed."""
    days: set[date] = set()
    for span in spans:
        if not YEARS.start <= span.ended.year < YEARS.stop:
            continue
        last = span.ended.astimezone(zone).date()
        first = max(span.started or span.ended, span.ended - LONGEST_SPAN).astimezone(zone).date()
        days.add(last)
        while first < last:
            days.add(first)
            first += timedelta(days=1)
    return days


def _make_stale(connection: Connection, spans: Iterable[Span], zone: ZoneInfo) -> None:
    """Has the usage of the days of these calls computed again."""
    mark_pending(connection, stale_days(spans, zone))


def count_between(connection: Connection, resource: Resource[Any], start: datetime, end: datetime) -> int:
    """Records of a resource that ended from `start` to before `end`."""
    table = _TABLES[resource]
    ended = next(iter(table.primary_key.columns))
    query = select(func.count()).select_from(table).where(ended >= start, ended < end)
    return int(connection.scalar(query) or 0)


def earliest_start(connection: Connection, since: datetime) -> datetime:
    """When the first of the conferences began that ended at `since` or later; `since` where none did."""
    table = history_conference
    began = connection.scalar(
        select(func.min(table.c.started)).where(
            table.c.ended >= since, table.c.started > since - LONGEST_CONFERENCE
        )
    )
    return since if began is None else min(began, since)
