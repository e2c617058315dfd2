"""Numbers that stand for texts: terms as they are, and identities by their keyed hash."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection, bindparam, func, select, update

from vdx.claims import Alias
from vdx.store.bulk import Columns, put
from vdx.store.history_tables import identity, term
from vdx.store.tables import NAME_LENGTH, comparable

LIMITS: Final[Mapping[str, int]] = {
    "protocol": 250,
    "service_type": 250,
    "license_type": 250,
    "codec": 250,
    "stream_type": 250,
    "backplane_type": 250,
    "device": 250,
    "resolution": 2000,
    "reason": 2000,
    "tag": 65_000,
    "domain": 1_000_000,
    "pattern": 10_000,
    "network": 1_000_000,
}
"""Kind of term -> how many are kept. Some texts come from devices, which may send anything; what comes
beyond the limit is stored as no text. The small ones fit the column that they are used in."""

_AT_ONCE: Final = 500
_REMEMBERED: Final = 100_000
"""Texts in memory, some 60 MB of identities."""

Item = TypeVar("Item")


def batches(items: Iterable[Item], size: int = _AT_ONCE) -> Iterator[list[Item]]:
    """The items, so many at a time; SQLite takes 999 parameters in its oldest versions."""
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some


class Terms:
    """Text -> number of each kind of term, in memory. `forget` it when a transaction is rolled back."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, int]] = {}

    def learn(self, connection: Connection, kind: str, names: Collection[str]) -> Mapping[str, int]:
        """The numbers of all names; those that are not known yet are stored. No text has 0."""
        known = self._ids.get(kind, {})
        if not known or len(known) > _REMEMBERED:
            known = self._ids[kind] = {"": 0}
        kept = {name: comparable(name[:NAME_LENGTH]) for name in names if name not in known}
        if kept:
            known |= self._find(connection, kind, set(kept.values()) - known.keys())
            known |= {name: known[text] for name, text in kept.items()}
        return known

    def _find(self, connection: Connection, kind: str, names: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for some in batches(names):
            query = select(term.c.name, term.c.id).where(term.c.kind == kind, term.c.name.in_(some))
            found |= {row.name: row.id for row in connection.execute(query)}
        missing = sorted(set(names) - found.keys())
        if missing:
            last = connection.scalar(select(func.max(term.c.id)).where(term.c.kind == kind)) or 0
            kept = missing[: max(0, LIMITS[kind] - last)]
            ids = range(last + 1, last + 1 + len(kept))
            put(connection, term, {"kind": [kind] * len(kept), "id": ids, "name": kept})
            found |= zip(kept, ids, strict=True)
            found |= dict.fromkeys(missing[len(kept) :], 0)
        return found

    def forget(self) -> None:
        """Reads them again the next time."""
        self._ids.clear()


class Identified(NamedTuple):
    """The number of an identity, and what is known of its alias."""

    id: int
    alias: Alias


NOBODY: Final = Identified(0, Alias(b"", "", ""))
"""Stands where the platform names nobody."""


_RENEW: Final = (
    update(identity)
    .where(identity.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in ("pattern_id", "seen", "name")})
)


class Identities:
    """Text -> identity, in memory. `forget` it when a transaction is rolled back or claims change.

    `describe` gives what is kept of a text. With `names` the text itself is stored too.
    """

    def __init__(self, describe: Callable[[str], Alias], *, names: bool = False) -> None:
        self._describe = describe
        self._names = names
        self._known: dict[str, Identified] = {}
        self._month = date.min

    def learn(
        self, connection: Connection, terms: Terms, texts: Collection[str], today: date
    ) -> Mapping[str, Identified]:
        """The identities of all texts; those that are not known yet are stored."""
        month = today.replace(day=1)
        if month != self._month or len(self._known) > _REMEMBERED:
            self._known = {"": NOBODY}
            self._month = month
        unknown = {text: self._describe(text) for text in set(texts) - self._known.keys()}
        if unknown:
            found = self._find(connection, terms, unknown, month)
            for text, alias in unknown.items():
                self._known[text] = Identified(found[alias.hash], alias)
        return self._known

    def _find(
        self, connection: Connection, terms: Terms, described: Mapping[str, Alias], month: date
    ) -> dict[bytes, int]:
        """The numbers by hash; stores those that are missing, and renews what changed of the others."""
        by_hash = {alias.hash: (text, alias) for text, alias in described.items()}
        domains = terms.learn(connection, "domain", {alias.domain for alias in described.values()})
        patterns = terms.learn(connection, "pattern", {alias.pattern for alias in described.values()})
        found: dict[bytes, int] = {}
        outdated: list[dict[str, Any]] = []
        for row in _identities(connection, list(by_hash)):
            found[row.hash] = row.id
            text, alias = by_hash[row.hash]
            pattern = patterns[alias.pattern]
            unnamed = self._names and row.name is None
            if unnamed or row.seen < month or row.pattern_id != pattern:
                name = text[:NAME_LENGTH] if self._names else row.name
                renewed = {"pattern_id": pattern, "seen": max(month, row.seen), "name": name}
                outdated.append({"key": row.id} | renewed)
        missing = [key for key in by_hash if key not in found]
        if missing:
            last = connection.scalar(select(func.max(identity.c.id))) or 0
            ids = range(last + 1, last + 1 + len(missing))
            rows = [by_hash[key] for key in missing]
            columns: Columns = {
                "id": ids,
                "hash": missing,
                "domain_id": [domains[alias.domain] for _, alias in rows],
                "pattern_id": [patterns[alias.pattern] for _, alias in rows],
                "seen": [month] * len(missing),
                "name": [text[:NAME_LENGTH] if self._names else None for text, _ in rows],
            }
            put(connection, identity, columns)
            found |= zip(missing, ids, strict=True)
        if outdated:
            connection.execute(_RENEW, outdated)
        return found

    def forget(self) -> None:
        """Reads them again the next time."""
        self._known = {"": NOBODY}


def _identities(connection: Connection, hashes: Sequence[bytes]) -> Iterator[Any]:
    columns = (identity.c.id, identity.c.hash, identity.c.seen, identity.c.pattern_id, identity.c.name)
    for some in batches(hashes):
        yield from connection.execute(select(*columns).where(identity.c.hash.in_(some)))
