"""What was counted since the first line, kept with the reader's position so that a kill changes nothing."""

import re
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from exporters.logs.rule import OTHER, Compiled
from exporters.logs.tally import Event, Lines, Tally

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS lines (host TEXT, source TEXT, severity TEXT, count INTEGER,
    PRIMARY KEY (host, source, severity)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (rule TEXT, class TEXT, host TEXT, count INTEGER, value REAL, time REAL,
    PRIMARY KEY (rule, class, host)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosts (host TEXT, source TEXT, time REAL,
    PRIMARY KEY (host, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS addresses (address TEXT PRIMARY KEY, time REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kinds (number INTEGER PRIMARY KEY, text TEXT, source TEXT, first REAL, last REAL,
    count INTEGER);
"""
MOST_EVENTS: Final = 20_000
"""Series of events; hosts of more are counted as `other`."""
COUNTS: Final = ("rejected", "unknown", "sampled")
"""Lines that were none of the archive; warnings and errors that no rule knows; those of them looked at."""
Key = TypeVar("Key")
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class Occurrence(msgspec.Struct, frozen=True):
    """What is known of an event in a class of a host."""

    count: int = 0
    value: float | None = None
    """The last value of a gauge."""
    time: float | None = None
    """When the last was received, in Unix time, of a rule of the kind event."""


class Totals(msgspec.Struct, frozen=True):
    """The counts, or those of them that a batch changes."""

    lines: dict[Lines, int] = {}
    events: dict[Event, Occurrence] = {}
    hosts: dict[tuple[str, str], float] = {}
    """Host and source -> when the last line was received, in Unix time."""
    addresses: dict[str, float] = {}
    counts: dict[str, int] = {}

    def updated(self, changed: "Totals") -> None:
        """Has the changes hold from here on."""
        self.lines.update(changed.lines)
        self.events.update(changed.events)
        self.hosts.update(changed.hosts)
        self.addresses.update(changed.addresses)
        self.counts.update(changed.counts)


class Labels:
    """Keeps hosts and classes within their bounds: what is beyond them is `other`."""

    def __init__(
        self, totals: Totals, rules: Mapping[str, Compiled], most_hosts: int, expected: Collection[str]
    ) -> None:
        """`expected` are names and addresses, in lower case, that have series whatever the bound."""
        self._hosts = {host for host, _, _ in totals.lines}
        self._addresses = set(totals.addresses)
        self._most_hosts = most_hosts
        self._expected = expected
        self._rules = rules
        self._events = set(totals.events)
        self._classes: dict[str, set[str]] = {}
        for rule, name, _ in self._events:
            self._classes.setdefault(rule, set()).add(name)

    def host(self, host: str) -> str:
        """The host in lower case; `other` for what is no name and no address, or one too many."""
        name = host.lower()
        if name in self._hosts:
            return name
        if not _HOST.fullmatch(host) or (len(self._hosts) >= self._most_hosts and name not in self._expected):
            return OTHER
        self._hosts.add(name)
        return name

    def admits(self, address: str) -> bool:
        """Whether the last line of an address is remembered."""
        if address not in self._addresses:
            if len(self._addresses) >= self._most_hosts and address not in self._expected:
                return False
            self._addresses.add(address)
        return True

    def event(self, key: Event) -> Event:
        """The labels of an event."""
        rule, name, host = key
        known = self._classes.setdefault(rule, set())
        if name not in known:
            classes = self._rules[rule].rule.classes
            fixed = {one.name for one in classes.values} if classes else {""}
            if name not in fixed and len(known - fixed) >= (classes.most if classes else 1):
                name = OTHER
            known.add(name)
        found = rule, name, self.host(host)
        if found not in self._events and len(self._events) >= MOST_EVENTS:
            found = rule, name, OTHER
        self._events.add(found)
        return found


def added(totals: Totals, tally: Tally, labels: Labels) -> Totals:
    """The totals that a tally changes, as they are with it."""
    changed = Totals()
    for (host, source, severity), number in tally.lines.items():
        line = labels.host(host), source, severity
        before = changed.lines.get(line, totals.lines.get(line, 0))
        changed.lines[line] = before + number
    for (host, source), received in tally.hosts.items():
        sender = labels.host(host), source
        changed.hosts[sender] = _latest(sender, _unix(received), changed.hosts, totals.hosts)
    for address, received in tally.addresses.items():
        if labels.admits(address):
            changed.addresses[address] = _latest(address, _unix(received), totals.addresses)
    for key, number in tally.events.items():
        event = labels.event(key)
        known = changed.events.get(event) or totals.events.get(event) or Occurrence()
        moment = _unix(tally.times[key]) if key in tally.times else None
        changed.events[event] = Occurrence(
            known.count + number,
            tally.values.get(key, known.value),
            known.time if moment is None else max(moment, known.time or 0.0),
        )
    new = {"rejected": tally.rejected, "unknown": tally.unknown_lines, "sampled": len(tally.unknown)}
    changed.counts.update({name: totals.counts.get(name, 0) + more for name, more in new.items() if more})
    return changed


def _latest(key: Key, moment: float, *known: Mapping[Key, float]) -> float:
    return max(moment, *(times.get(key, 0.0) for times in known))


def _unix(received: str) -> float:
    """The time of receipt; 0 where it is none."""
    try:
        return datetime.fromisoformat(received).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def load(connection: sqlite3.Connection, rules: Collection[str]) -> Totals:
    """What is stored, of rules that there are."""
    rows = connection.execute
    return Totals(
        {(host, source, severity): count for host, source, severity, count in rows("SELECT * FROM lines")},
        {
            (rule, name, host): Occurrence(count, value, moment)
            for rule, name, host, count, value, moment in rows("SELECT * FROM events")
            if rule in rules
        },
        {(host, source): moment for host, source, moment in rows("SELECT * FROM hosts")},
        dict(rows("SELECT * FROM addresses")),
        dict(rows("SELECT * FROM counts")),
    )


def store(connection: sqlite3.Connection, changed: Totals) -> None:
    """Stores totals that have changed, within the caller's transaction."""
    many = connection.executemany
    many("REPLACE INTO lines VALUES (?, ?, ?, ?)", [(*key, count) for key, count in changed.lines.items()])
    many(
        "REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?)",
        [(*key, one.count, one.value, one.time) for key, one in changed.events.items()],
    )
    many("REPLACE INTO hosts VALUES (?, ?, ?)", [(*key, moment) for key, moment in changed.hosts.items()])
    many("REPLACE INTO addresses VALUES (?, ?)", list(changed.addresses.items()))
    many("REPLACE INTO counts VALUES (?, ?)", list(changed.counts.items()))
