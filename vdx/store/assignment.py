"""Whose past calls are: what belongs to nobody, and deciding the past again after claims were set right."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from vdx.claims import Alias, Claims, Decision, Rule, domain_of
from vdx.days import bounds
from vdx.store.columns import tiny
from vdx.store.history_progress import LONGEST_SPAN, mark_pending
from vdx.store.history_tables import history_conference, history_participant, identity, term
from vdx.store.organisations import first_whole_day
from vdx.store.texts import batches

_AT_ONCE: Final = 1000
_DAY: Final = timedelta(days=1)

Progress = Callable[[date, int, int], None]
"""Told which day has been decided again, how many have been, and how many there are."""


class Unassigned(NamedTuple):
    """Call legs that matched no claim, by what could be claimed. The last of them ended at `last_seen`."""

    service_tag: str
    remote_domain: str
    local_domain: str
    legs: int
    last_seen: datetime


class Reassigned(msgspec.Struct, frozen=True):
    """What deciding again changed: call legs, conferences, and Danish days whose usage is computed again.

    `untested` counts aliases whose text is not stored and that nothing but a pattern could have decided: a
    pattern that was claimed after they were stored is not known of them.
    """

    participants: int = 0
    conferences: int = 0
    days: int = 0
    untested: int = 0


def unassigned(connection: Connection, since: datetime) -> list[Unassigned]:
    """The call legs of organisation 0 that ended since then, the most frequent first."""
    legs = history_participant.c
    grouped = (
        select(
            legs.service_tag_id,
            legs.remote_id,
            legs.local_id,
            func.count().label("legs"),
            func.max(legs.ended).label("last_seen"),
        )
        .where(legs.ended >= since, legs.organisation_id == 0)
        .group_by(legs.service_tag_id, legs.remote_id, legs.local_id)
        .subquery()
    )
    remote, local = identity.alias("remote"), identity.alias("local")
    tag, remote_domain, local_domain = (term.alias(name) for name in ("tag", "remote_domain", "local_domain"))
    count = func.sum(grouped.c.legs)
    names = [func.coalesce(one.c.name, "") for one in (tag, remote_domain, local_domain)]
    rows = connection.execute(
        select(*names, count, func.max(grouped.c.last_seen))
        .select_from(grouped)
        .outerjoin(remote, remote.c.id == grouped.c.remote_id)
        .outerjoin(local, local.c.id == grouped.c.local_id)
        .outerjoin(tag, and_(tag.c.kind == "tag", tag.c.id == grouped.c.service_tag_id))
        .outerjoin(
            remote_domain, and_(remote_domain.c.kind == "domain", remote_domain.c.id == remote.c.domain_id)
        )
        .outerjoin(
            local_domain, and_(local_domain.c.kind == "domain", local_domain.c.id == local.c.domain_id)
        )
        .group_by(*names)
        .order_by(count.desc(), *names)
    )
    return [Unassigned(row[0], row[1], row[2], int(row[3]), row[4]) for row in rows]


def reassign(
    connection: Connection,
    claims: Claims,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    *,
    progress: Progress | None = None,
) -> Reassigned:
    """Decides again whose the calls are that ended from `since` to before `until`, by these claims.

    Each month is a transaction of its own: cut off, it keeps the months before, and a second run goes over
    those without changing anything. The connection must be in no transaction.
    """
    if connection.dialect.name == "mysql":
        # Rows that stay as they are must not be locked, since the history miner goes on writing.
        connection.execution_options(isolation_level="READ COMMITTED")
    with connection.begin():
        days = _days(connection, since, until, zone)
        first_whole = first_whole_day(connection, zone)
        for work in (_LEGS, _CONFERENCES):
            connection.execute(CreateTable(work.changes, if_not_exists=True))
    deciding = _Deciding(claims)
    participants = conferences = done = 0
    pending: set[date] = set()
    for _, month in groupby(days, key=lambda day: (day.year, day.month)):
        deciding.forget()
        with connection.begin():
            for day in month:
                begin, end = bounds(day, zone)
                span = max(begin, since), min(end, until)
                legs, earliest = deciding.apply(connection, _LEGS, span)
                if legs:
                    stale = [one for one in _stale(day, earliest, zone) if one >= (first_whole or day)]
                    mark_pending(connection, stale)
                    pending.update(stale)
                participants += legs
                conferences += deciding.apply(connection, _CONFERENCES, span)[0]
                done += 1
                if progress is not None:
                    progress(day, done, len(days))
    return Reassigned(participants, conferences, len(pending), len(deciding.untested))


def _days(connection: Connection, since: datetime, until: datetime, zone: ZoneInfo) -> list[date]:
    """The Danish days of that time, from the first to the last in which anything ended."""
    ends = [
        end
        for table in (history_participant, history_conference)
        for end in connection.execute(select(func.min(table.c.ended), func.max(table.c.ended))).one()
        if end is not None
    ]
    if not ends:
        return []
    first = max(since, min(ends)).astimezone(zone).date()
    last = min(until - timedelta(microseconds=1), max(ends)).astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _stale(day: date, earliest: datetime | None, zone: ZoneInfo) -> list[date]:
    """The days in which legs that ended on a day were connected; the first of them began at `earliest`."""
    first = day
    if earliest is not None:
        first = min(day, max(earliest.astimezone(zone).date(), day - LONGEST_SPAN))
    return [first + timedelta(days=number) for number in range((day - first).days + 1)]


class _Work(NamedTuple):
    """A table of history whose rows are decided, and the temporary table of what changes.

    `keys` are what a decision rests on. The temporary table has them with the decision that was stored, and
    with the one that takes its place.
    """

    table: Table
    keys: Sequence[str]
    changes: Table


def _work(table: Table, *keys: str) -> _Work:
    stored = (*keys, "organisation_id", "rule")
    changes = Table(
        f"changed_{table.name}",
        MetaData(),
        *(Column(name, Integer, primary_key=True, autoincrement=False) for name in stored),
        Column("new_organisation_id", Integer, nullable=False),
        Column("new_rule", tiny(), nullable=False),
        prefixes=["TEMPORARY"],
    )
    return _Work(table, keys, changes)


_LEGS: Final = _work(history_participant, "service_tag_id", "remote_id", "local_id", "room_id")
_CONFERENCES: Final = _work(history_conference, "service_tag_id", "room_id")

_NOBODY: Final = Alias(b"", "", "")


class _Deciding:
    """Decides rows of history again, and remembers the texts of a month. `untested` are identities."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self.untested: set[int] = set()
        self.forget()

    def forget(self) -> None:
        """Reads the texts again the next time."""
        self._tags: dict[int, str] = {0: ""}
        self._aliases: dict[int, Alias] = {0: _NOBODY}
        self._nameless: set[int] = set()
        self._decided: dict[tuple[int, ...], Decision] = {}

    def apply(
        self, connection: Connection, work: _Work, span: tuple[datetime, datetime]
    ) -> tuple[int, datetime | None]:
        """Decides the rows that ended in a time, in the caller's transaction.

        Returns how many changed, and when the first of these began, None where none ever did.
        """
        columns = work.table.c
        ended = [columns.ended >= span[0], columns.ended < span[1]]
        stored = [columns[name] for name in (*work.keys, "organisation_id", "rule")]
        changes = self._changes(
            connection, work, connection.execute(select(*stored).distinct().where(*ended))
        )
        if not changes:
            return 0, None
        connection.execute(delete(work.changes))
        for start in range(0, len(changes), _AT_ONCE):
            connection.execute(insert(work.changes), changes[start : start + _AT_ONCE])
        same = [*ended, *(column == work.changes.c[column.name] for column in stored)]
        earliest: datetime | None = connection.scalar(select(func.min(columns.started)).where(*same))
        changed = connection.execute(
            update(work.table)
            .where(*same)
            .values(
                organisation_id=work.changes.c.new_organisation_id,
                rule=work.changes.c.new_rule,
            )
        )
        return changed.rowcount, earliest

    def _changes(
        self, connection: Connection, work: _Work, rows: Iterable[Sequence[int]]
    ) -> list[dict[str, int]]:
        changes = []
        for some in batches(rows, _AT_ONCE):
            keys = {key for row in some if (key := tuple(row[:-2])) not in self._decided}
            self._learn(connection, keys)
            for key in keys:
                self._decided[key] = self._decide(key)
            for row in some:
                key, stored = tuple(row[:-2]), tuple(row[-2:])
                decision = self._decided[key]
                if stored != decision:
                    changes.append(
                        dict(zip(work.keys, key, strict=True))
                        | {"organisation_id": stored[0], "rule": stored[1]}
                        | {"new_organisation_id": decision.organisation_id, "new_rule": int(decision.rule)}
                    )
        return changes

    def _decide(self, key: tuple[int, ...]) -> Decision:
        tag, *aliases, room = key
        known = [self._aliases[number] for number in aliases or (room,)]
        decision = self._claims.decide(self._tags[tag], known, self._aliases[room])
        if self._claims.has_patterns and decision.rule not in (Rule.TAG, Rule.ALIAS):
            self.untested |= self._nameless.intersection(aliases or (room,))
        return decision

    def _learn(self, connection: Connection, keys: Iterable[tuple[int, ...]]) -> None:
        """Reads the service tags and the identities of these keys; of one that is gone nothing is known."""
        tags = {key[0] for key in keys if key[0] not in self._tags}
        numbers = {number for key in keys for number in key[1:] if number not in self._aliases}
        self._tags |= dict.fromkeys(tags, "")
        for some in batches(tags):
            query = select(term.c.id, term.c.name).where(term.c.kind == "tag", term.c.id.in_(some))
            self._tags |= {row.id: row.name for row in connection.execute(query)}
        self._aliases |= dict.fromkeys(numbers, _NOBODY)
        for some in batches(numbers):
            for row in connection.execute(_identities(some)):
                if row.name is None:
                    self._nameless.add(row.id)
                    self._aliases[row.id] = Alias(row.hash, row.domain, row.pattern)
                else:
                    domain = row.domain or domain_of(row.name)
                    self._aliases[row.id] = Alias(row.hash, domain, self._claims.best_pattern(row.name))


def _identities(numbers: Sequence[int]) -> Select[Any]:
    domain, pattern = term.alias("domain"), term.alias("pattern")
    return (
        select(
            identity.c.id,
            identity.c.hash,
            identity.c.name,
            func.coalesce(domain.c.name, "").label("domain"),
            func.coalesce(pattern.c.name, "").label("pattern"),
        )
        .outerjoin(domain, and_(domain.c.kind == "domain", domain.c.id == identity.c.domain_id))
        .outerjoin(pattern, and_(pattern.c.kind == "pattern", pattern.c.id == identity.c.pattern_id))
        .where(identity.c.id.in_(numbers))
    )
