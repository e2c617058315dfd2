"""The organisations as their source gives them, examined; and what each of them uses at present."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from vdx.capacity import has_licence_port
from vdx.claims import (
    ALIAS,
    CLAIM_KINDS,
    DOMAIN,
    PATTERN,
    TAG,
    Alias,
    Claims,
    Decision,
    Rule,
    domain_of,
    is_pattern,
    normalised,
)
from vdx.devices import room_name
from vdx.pexip.records import Participant
from vdx.tree import Organisation, OrganisationError, Place, Tree

__all__ = [
    "Alias",
    "Claim",
    "Claims",
    "Decision",
    "Examined",
    "Fault",
    "FaultKind",
    "Listed",
    "Organisation",
    "OrganisationError",
    "Place",
    "Rule",
    "Source",
    "Tree",
    "domain_of",
    "examine",
    "license_ports",
    "normalised",
]

KEY_LENGTH: Final = 100
NAME_LENGTH: Final = 250
KIND_LENGTH: Final = 32
"""Characters that the database keeps (`vdx.store.history_tables`)."""

NOBODYS: Final = "(unassigned)"
"""Stands for the name of an organisation where there is none."""

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COPENHAGEN: Final = ZoneInfo("Europe/Copenhagen")


class Source(msgspec.Struct, frozen=True):
    """What a source gives, as it came: its values may be of any type, and of any length a row.

    A row of `organisations` is key, parent's key, name, kind and, if any, since when it stands there; one of
    `claims` is kind, value and the organisation's key.
    """

    organisations: Sequence[Sequence[Any]] = ()
    claims: Sequence[Sequence[Any]] = ()


class Listed(msgspec.Struct, frozen=True):
    """An organisation of the source; `parent` is the key of another one, or None at the top.

    `valid_from` is since when it stands there (UTC), None where the source does not tell.
    """

    key: str
    parent: str | None
    name: str
    kind: str
    valid_from: datetime | None = None


class Claim(NamedTuple):
    """A claim of the source in its normal form. `value` may be an alias: it is not for a log."""

    kind: str
    value: str
    key: str


class FaultKind(StrEnum):
    """What can be wrong with a source. Each has a rule, so that the rest of it counts all the same."""

    MALFORMED_ROW = "malformed_row"
    """A row without a key or a value, of an unknown kind, or too long: it is left out."""
    DUPLICATE_KEY = "duplicate_key"
    """Two organisations with one key: the first counts."""
    EMPTY_NAME = "empty_name"
    """An organisation without a name: its key is shown."""
    UNREADABLE_DATE = "unreadable_date"
    """Since when an organisation stands where it does is no date: it counts from when it is read."""
    UNKNOWN_PARENT = "unknown_parent"
    """The parent is not there: the organisation stands at the top."""
    CYCLE = "cycle"
    """Organisations that stand below each other: the one with the smallest key stands at the top."""
    UNKNOWN_ORGANISATION = "unknown_organisation"
    """A claim of an organisation that is not there: it is left out."""
    CONTESTED_CLAIM = "contested_claim"
    """Two organisations claim the same: nobody has it until that is mended."""
    VANISHED = "vanished"
    """An organisation that the source has no more: it claims nothing, and keeps its past."""


class Fault(NamedTuple):
    """A fault of the source, in one line that names keys, tags and domains but no alias and no room."""

    kind: FaultKind
    words: str


class Examined(msgspec.Struct, frozen=True):
    """A source of which every part can be used: its parents are there and stand in no cycle."""

    organisations: Sequence[Listed] = ()
    claims: Sequence[Claim] = ()
    faults: Sequence[Fault] = ()


def examine(source: Source, zone: ZoneInfo = _COPENHAGEN) -> Examined:
    """The source with its faults set right, each by its rule (`FaultKind`).

    A date begins at midnight in `zone`. Never raises, and the same source gives the same result.
    """
    faults: list[Fault] = []
    listed = _listed(source.organisations, zone, faults)
    tops = _misplaced(listed, faults)
    organisations = [
        msgspec.structs.replace(one, parent=None) if one.key in tops else one for one in listed.values()
    ]
    return Examined(organisations, _claims(source.claims, listed.keys(), faults), faults)


def _text(value: Any) -> str:
    """A value of a source as text; MySQL gives text of a binary column as bytes."""
    if value is None:
        return ""
    return (value.decode(errors="replace") if isinstance(value, bytes) else str(value)).strip()


def _moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """A date or a time as UTC; None for none. Raises an exception where it is neither."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        value = datetime.fromisoformat(value.strip())
    found: datetime = (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    return max(found.replace(microsecond=0), _EARLIEST)


def _listed(rows: Iterable[Sequence[Any]], zone: ZoneInfo, faults: list[Fault]) -> dict[str, Listed]:
    """The organisations by key, in the order of the source."""
    found: dict[str, Listed] = {}
    for number, row in enumerate(rows, 1):
        key, parent, name, kind = map(_text, (*row, "", "", "", "")[:4])
        if not key or len(key) > KEY_LENGTH or len(row) < 3:
            faults.append(
                Fault(
                    FaultKind.MALFORMED_ROW,
                    f"organisation number {number} is left out: it needs a key of at most {KEY_LENGTH} "
                    "characters, the key of its parent or nothing, and a name",
                )
            )
            continue
        if key in found:
            words = f"two organisations have the key {key!r}; the first counts"
            faults.append(Fault(FaultKind.DUPLICATE_KEY, words))
            continue
        if not name:
            words = f"organisation {key!r} has no name; its key is shown"
            faults.append(Fault(FaultKind.EMPTY_NAME, words))
        since = None
        try:
            since = _moment(row[4], zone) if len(row) > 4 else None
        except (ValueError, TypeError, AttributeError, OverflowError):
            words = f"since when organisation {key!r} stands there is no date; write 2026-01-31"
            faults.append(Fault(FaultKind.UNREADABLE_DATE, words))
        found[key] = Listed(key, parent or None, (name or key)[:NAME_LENGTH], kind[:KIND_LENGTH], since)
    return found


def _misplaced(listed: Mapping[str, Listed], faults: list[Fault]) -> set[str]:
    """The keys of those that stand at the top though they name a parent."""
    tops = set()
    for one in listed.values():
        if one.parent is not None and one.parent not in listed:
            tops.add(one.key)
            words = (
                f"the parent {one.parent[:KEY_LENGTH]!r} of organisation {one.key!r} is not there; "
                "it stands at the top"
            )
            faults.append(Fault(FaultKind.UNKNOWN_PARENT, words))
    walked: dict[str, str] = {}
    for start in listed:
        current: str | None = start
        path = []
        while current is not None and current not in walked and current not in tops:
            walked[current] = start
            path.append(current)
            current = listed[current].parent
        if current is not None and current not in tops and walked[current] == start:
            cycle = path[path.index(current) :]
            tops.add(top := min(cycle))
            words = (
                f"{len(cycle)} organisations stand below each other; of them {top!r} stands at the top"
                if len(cycle) > 1
                else f"organisation {top!r} stands below itself; it stands at the top"
            )
            faults.append(Fault(FaultKind.CYCLE, words))
    return tops


def _claimed(kind: str, value: str) -> tuple[str, str] | None:
    """Kind and value in their normal form; None where they claim nothing.

    A domain with a wildcard is a pattern, and a pattern without one an alias: of it only the hash is stored.
    """
    if kind == TAG:
        return (TAG, value.lower()) if value else None
    if kind == DOMAIN and not is_pattern(value):
        domain = normalised(value.removeprefix("@")).rstrip(".")
        return (DOMAIN, domain) if domain and not any(c in "@/" or c.isspace() for c in domain) else None
    plain = normalised(value)
    if not plain or kind not in CLAIM_KINDS:
        return None
    if kind in (DOMAIN, PATTERN):
        return (PATTERN if is_pattern(plain) else ALIAS), plain
    return kind, plain


def _named(kind: str, value: str) -> str:
    """A claim in words that hold no alias and no room."""
    if kind in (TAG, DOMAIN):
        return f"the {'service tag' if kind == TAG else DOMAIN} {value!r}"
    return f"{'an' if kind == ALIAS else 'a'} {kind}"


def _claims(rows: Iterable[Sequence[Any]], keys: Iterable[str], faults: list[Fault]) -> list[Claim]:
    known = set(keys)
    claimants: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for number, row in enumerate(rows, 1):
        kind, value, key = map(_text, (*row, "", "", "")[:3])
        kind = kind.lower()
        claimed = _claimed(kind, value)
        if claimed is None or not key or len(claimed[1]) > NAME_LENGTH:
            words = (
                f"claim number {number} is left out: it needs a kind ({', '.join(CLAIM_KINDS)}), a value of "
                f"that kind of at most {NAME_LENGTH} characters, and the key of an organisation"
            )
            faults.append(Fault(FaultKind.MALFORMED_ROW, words))
        elif key not in known:
            words = (
                f"{_named(*claimed)} is claimed by {key[:KEY_LENGTH]!r}, which is not there; it is left out"
            )
            faults.append(Fault(FaultKind.UNKNOWN_ORGANISATION, words))
        else:
            claimants[claimed][key] = None
    found = []
    for (kind, value), those in claimants.items():
        if len(those) == 1:
            found.append(Claim(kind, value, *those))
        else:
            several = ", ".join(map(repr, sorted(those)))
            words = (
                f"{_named(kind, value)} is claimed by {several}; nobody has it until one of them alone does"
            )
            faults.append(Fault(FaultKind.CONTESTED_CLAIM, words))
    return found


_TAG = attrgetter("service_tag", "license_type", "license_count")


def license_ports(
    participants: Iterable[Participant],
    claims: Claims,
    tree: Tree,
    pseudonym: Callable[[str], bytes],
    at: datetime,
) -> Mapping[str, int]:
    """Licence ports in use by the name of each organisation at the top of the tree, and `(unassigned)`.

    An organisation that uses none has 0. `pseudonym` is the keyed hash of an alias. It is asked about those
    legs alone whose service tag nobody claims; one that remembers what it was asked saves most of the work.
    """
    ports: Counter[str] = Counter()
    ports[NOBODYS] = 0
    for top in tree.children(None, at):
        ports[tree.organisations[top].name] += 0
    for owner, count in _ports_by_owner(participants, claims, pseudonym).items():
        found = tree.organisations.get(tree.top(owner, at))
        ports[NOBODYS if found is None else found.name] += count
    return ports


def _ports_by_owner(
    participants: Iterable[Participant], claims: Claims, pseudonym: Callable[[str], bytes]
) -> Counter[int]:
    """Organisation -> licence ports; by service tag first, since few tags decide most of the legs."""
    legs = list(participants)
    ports: Counter[int] = Counter()
    undecided = set()
    for (tag, license_type, licenses), number in Counter(map(_TAG, legs)).items():
        if not licenses or not has_licence_port(license_type):
            continue
        decision = claims.decide_by_tag(tag)
        if decision is None:
            undecided.add((tag, license_type, licenses))
        else:
            ports[decision.organisation_id] += licenses * number
    if not undecided:
        return ports
    described: dict[str, Alias] = {}

    def describe(text: str) -> Alias:
        found = described.get(text)
        if found is None:
            found = described[text] = claims.describe(text, pseudonym)
        return found

    for leg in legs:
        if _TAG(leg) not in undecided:
            continue
        own = leg.participant_alias or leg.source_alias
        dialled = leg.source_alias if leg.call_direction == "out" else leg.destination_alias
        room = room_name(leg.conference)
        decision = claims.decide(
            leg.service_tag,
            [describe(text) for text in (own, dialled) if text],
            describe(room) if room else None,
        )
        ports[decision.organisation_id] += leg.license_count
    return ports
