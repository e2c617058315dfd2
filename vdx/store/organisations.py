"""Keeps the organisations: their rows, their places over time, and what they claim."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from vdx.claims import ALIAS, ROOM
from vdx.days import midnight
from vdx.organisations import Claim, Claims, Examined, Listed, Organisation, Place, Tree
from vdx.store.history_progress import advance, mark_pending
from vdx.store.history_tables import (
    history_participant,
    history_progress,
    organisation,
    organisation_claim,
    organisation_place,
    usage_day,
)
from vdx.store.identities import Pseudonyms
from vdx.tree import EARLIEST, changed_since, ended, placed

_AT_ONCE: Final = 1000
_HASHED: Final = (ALIAS, ROOM)
_RESOURCE: Final = "organisation"

Row = dict[str, Any]


class Saved(msgspec.Struct, frozen=True):
    """What saving a source changed: organisations by what became of them, claims, and the Danish days whose
    usage is to be computed again. `vanished` and `returned` are keys."""

    added: int = 0
    renamed: int = 0
    moved: int = 0
    vanished: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    claims: int = 0
    days: int = 0

    @property
    def changed(self) -> bool:
        """True where anything was written."""
        return any(msgspec.structs.astuple(self))


def load(connection: Connection) -> tuple[Tree, Claims]:
    """The tree and the claims as they were last saved; empty ones where they never were."""
    claims = connection.execute(
        select(organisation_claim.c.kind, organisation_claim.c.value, organisation_claim.c.organisation_id)
    )
    return _load_tree(connection), Claims((kind, value, owner) for kind, value, owner in claims)


def _load_tree(connection: Connection) -> Tree:
    rows = connection.execute(
        select(organisation.c.id, organisation.c.source_key, organisation.c.name, organisation.c.kind)
    )
    columns = organisation_place.c
    places = connection.execute(
        select(columns.organisation_id, columns.parent_id, columns.valid_from, columns.valid_to)
    )
    return Tree((Organisation(*row) for row in rows), (Place(*row) for row in places))


def save(
    connection: Connection,
    examined: Examined,
    pseudonyms: Sequence[Pseudonyms],
    now: datetime,
    zone: ZoneInfo,
) -> Saved:
    """Makes the database's organisations those of the source, in the caller's transaction.

    A key that is known keeps its number. Who stands below another one than before gets a place from now on,
    or from when the source says; who has vanished keeps its row and its past. Aliases and rooms that are
    claimed are stored under each of the `pseudonyms`, so that they are known in what is stored under an older
    key. Saving the same again writes nothing.
    """
    now = now.replace(microsecond=0)
    known = {one.key: one for one in _load_tree(connection).organisations.values()}
    listed = {one.key: one for one in examined.organisations}
    added = [one for one in listed.values() if one.key not in known]
    _insert(
        connection,
        organisation,
        [{"source_key": one.key, "name": one.name, "kind": one.kind} for one in added],
    )
    renamed = [
        {"number": known[key].id, "name": one.name, "kind": one.kind}
        for key, one in listed.items()
        if key in known and (known[key].name, known[key].kind) != (one.name, one.kind)
    ]
    if renamed:
        connection.execute(update(organisation).where(organisation.c.id == bindparam("number")), renamed)
    tree = _load_tree(connection)
    numbers = {one.key: one.id for one in tree.organisations.values()}
    moves = _moves(tree, numbers, listed, now)
    _save_places(connection, moves)
    since = min((begin for move in moves if (begin := move.since) is not None), default=now)
    days = _days_between(connection, since, now, zone) if since < now else []
    mark_pending(connection, days)
    return Saved(
        added=len(added),
        renamed=len(renamed),
        moved=sum(move.fate == _Fate.MOVED for move in moves),
        vanished=tuple(move.key for move in moves if move.fate == _Fate.VANISHED),
        returned=tuple(move.key for move in moves if move.fate == _Fate.RETURNED),
        claims=_save_claims(connection, examined.claims, numbers, pseudonyms),
        days=len(days),
    )


def note_read(connection: Connection, now: datetime) -> None:
    """Notes that the source was read and kept, in the caller's transaction."""
    advance(connection, _RESOURCE, now)


def last_read(connection: Connection) -> datetime | None:
    """When the source was last read and kept; None where it never was."""
    table = history_progress
    found: datetime | None = connection.scalar(select(table.c.watermark).where(table.c.resource == _RESOURCE))
    return found


def _insert(connection: Connection, table: Any, rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(table), rows[start : start + _AT_ONCE])


class _Fate(StrEnum):
    ADDED = "added"
    MOVED = "moved"
    VANISHED = "vanished"
    RETURNED = "returned"


class _Move(NamedTuple):
    """An organisation whose places change; `since` is from when on it stood elsewhere than was known."""

    id: int
    key: str
    fate: _Fate
    places: Sequence[Place]
    since: datetime | None


def _moves(
    tree: Tree, numbers: Mapping[str, int], listed: Mapping[str, Listed], now: datetime
) -> list[_Move]:
    moves = []
    for one in tree.organisations.values():
        old = tree.places(one.id)
        present = tree.place(one.id, now)
        wanted = listed.get(one.key)
        if wanted is None:
            new, fate = ended(old, now), _Fate.VANISHED
        else:
            parent = None if wanted.parent is None else numbers[wanted.parent]
            is_last = present is not None and present == old[-1]
            if wanted.valid_from is None and is_last and old[-1].parent_id == parent:
                continue
            new = placed(old, one.id, parent, wanted.valid_from or now)
            fate = _Fate.ADDED if not old else _Fate.MOVED if present else _Fate.RETURNED
        if new != tuple(old):
            moves.append(_Move(one.id, one.key, fate, new, changed_since(old, new)))
    return moves


def _save_places(connection: Connection, moves: Sequence[_Move]) -> None:
    table = organisation_place
    for start in range(0, len(moves), _AT_ONCE):
        numbers = [move.id for move in moves[start : start + _AT_ONCE]]
        connection.execute(delete(table).where(table.c.organisation_id.in_(numbers)))
    _insert(connection, table, [place._asdict() for move in moves for place in move.places])


def _save_claims(
    connection: Connection,
    claims: Iterable[Claim],
    numbers: Mapping[str, int],
    pseudonyms: Sequence[Pseudonyms],
) -> int:
    """Makes the claims those of the source; the number of rows that changed."""
    wanted: dict[tuple[str, str], int] = {}
    for kind, value, key in claims:
        stored = [one.of(value).hex() for one in pseudonyms] if kind in _HASHED else [value]
        wanted |= {(kind, text): numbers[key] for text in stored}
    table = organisation_claim
    known = {(kind, value): owner for kind, value, owner in connection.execute(select(table))}
    gone = [pair for pair, owner in known.items() if wanted.get(pair) != owner]
    fresh = [pair for pair, owner in wanted.items() if known.get(pair) != owner]
    if gone:
        statement = delete(table).where(table.c.kind == bindparam("of"), table.c.value == bindparam("text"))
        connection.execute(statement, [{"of": kind, "text": value} for kind, value in gone])
    rows = [{"kind": kind, "value": value, "organisation_id": wanted[kind, value]} for kind, value in fresh]
    _insert(connection, table, rows)
    return len({*gone, *fresh})


def first_whole_day(connection: Connection, zone: ZoneInfo) -> date | None:
    """The first Danish day of which all call legs are there; None where there are none at all.

    Usage of a day outlives its legs. Computed again of a part of them, it would be less than it was.
    """
    earliest: datetime | None = connection.scalar(select(func.min(history_participant.c.ended)))
    if earliest is None:
        return None
    day = earliest.astimezone(zone).date()
    before = usage_day.c.begin < midnight(day, zone)
    earlier = connection.scalar(select(func.min(usage_day.c.begin)).where(before))
    return day if earlier is None else day + timedelta(days=1)


def _days_between(connection: Connection, since: datetime, now: datetime, zone: ZoneInfo) -> list[date]:
    """The Danish days from one time to another of which there are call legs to compute usage from."""
    first = first_whole_day(connection, zone)
    if first is None:
        return []
    if since > EARLIEST:
        first = max(first, since.astimezone(zone).date())
    today = now.astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((today - first).days + 1)]
