"""Whose a call is: what organisations claim, and the rule that decides.

Of an alias only a keyed hash, its domain and the pattern that it matched are known here, so that what was
stored without a name is decided as a live call is.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from fnmatch import translate
from typing import Final, NamedTuple

TAG: Final = "tag"
ALIAS: Final = "alias"
DOMAIN: Final = "domain"
PATTERN: Final = "pattern"
ROOM: Final = "room"
CLAIM_KINDS: Final = (TAG, ALIAS, DOMAIN, PATTERN, ROOM)

_REMEMBERED: Final = 100_000
_SCHEMES: Final = re.compile(r"(?:(?:sips?|h323|tel|mailto):(?://)?\s*)+")
_PORT: Final = re.compile(r"((?:[^@]*@)?(?:\[[^]]*]|[^:@]*)):\d{1,5}")
_ADDRESS: Final = re.compile(r"[@.\]]")
_WILDCARDS: Final = re.compile(r"\[[^]]+]|[*?]")


class Rule(IntEnum):
    """What decided whose a call is; stored with it."""

    UNASSIGNED = 0
    """Nothing matched: it belongs to no organisation."""
    TAG = 1
    """The service tag."""
    ALIAS = 2
    """An alias, exactly."""
    DOMAIN = 3
    """The domain of an alias, or one above it."""
    PATTERN = 4
    """A pattern that an alias matches."""
    ROOM = 5
    """The owner of the room."""


class Decision(NamedTuple):
    """Whose a call is, and why. Organisation 0 is none."""

    organisation_id: int
    rule: Rule


UNASSIGNED: Final = Decision(0, Rule.UNASSIGNED)


class Alias(NamedTuple):
    """What is known of an alias, or of the name of a room, once its text is gone.

    `hash` is the keyed hash of the normalised text (16 bytes), `domain` its domain, and `pattern` the longest
    claimed pattern that it matched; empty where there is none.
    """

    hash: bytes
    domain: str
    pattern: str


def _has_space(text: str) -> bool:
    return len(text.split(None, 1)) > 1


def normalised(alias: str) -> str:
    """The alias in the one form in which it is compared: `SIP:Room@Example.dk:5061;a=b` is `room@example.dk`.

    Without the space around it, in lower case, and without scheme, parameters and port. What has white space
    inside is a name and keeps all but scheme and case.
    """
    text = alias.strip().lower()
    scheme = _SCHEMES.match(text) if ":" in text else None
    if scheme:
        text = text[scheme.end() :]
    if _has_space(text):
        return text
    text = text.partition(";")[0]
    port = _PORT.fullmatch(text) if ":" in text and _ADDRESS.search(text) else None
    return port[1] if port else text


def domain_of(alias: str) -> str:
    """The domain of an alias, in lower case; empty where it has none, or where it is a name with spaces."""
    return _domain(normalised(alias)) if "@" in alias else ""


def _domain(plain: str) -> str:
    return plain.rpartition("@")[2].rstrip(".") if "@" in plain and not _has_space(plain) else ""


def is_pattern(text: str) -> bool:
    """True where the text has a wildcard of a shell pattern."""
    return _WILDCARDS.search(text) is not None


def weight(kind: str, value: str) -> int:
    """The length by which claims of domains and patterns are compared: characters that are no wildcards."""
    return len(_WILDCARDS.sub("", value)) if kind == PATTERN else len(value)


class Claims:
    """Who claims what. Immutable; build another when the claims change."""

    def __init__(self, rows: Iterable[tuple[str, str, int]] = ()) -> None:
        """From rows of kind, value and organisation; an alias or a room is its hash in hexadecimal."""
        self._owners: dict[str, dict[str, int]] = {kind: {} for kind in CLAIM_KINDS}
        for kind, value, organisation_id in rows:
            self._owners[kind][value.lower()] = organisation_id
        self._tags = self._owners[TAG]
        self._aliases = {bytes.fromhex(value): owner for value, owner in self._owners[ALIAS].items()}
        self._rooms = {bytes.fromhex(value): owner for value, owner in self._owners[ROOM].items()}
        longest_first = sorted(self._owners[PATTERN], key=lambda value: (-weight(PATTERN, value), value))
        self._patterns = [(re.compile(translate(value)).match, value) for value in longest_first]
        self._known: dict[tuple[str, str], _Candidate] = {}

    @property
    def rows(self) -> Mapping[str, Mapping[str, int]]:
        """Kind -> value -> organisation."""
        return self._owners

    def counts(self) -> Mapping[int, Mapping[str, int]]:
        """Organisation -> kind -> how many claims of it that it has."""
        counted: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for kind, owners in self._owners.items():
            for organisation_id in owners.values():
                counted[organisation_id][kind] += 1
        return dict(counted)

    @property
    def has_patterns(self) -> bool:
        """True where anybody claims a pattern."""
        return bool(self._patterns)

    def best_pattern(self, text: str) -> str:
        """The longest claimed pattern that the text matches, of equal ones the first; else empty."""
        return self._best(normalised(text)) if self._patterns else ""

    def _best(self, plain: str) -> str:
        return next((value for match, value in self._patterns if match(plain)), "")

    def describe(self, text: str, pseudonym: Callable[[str], bytes]) -> Alias:
        """What is known of an alias or of the name of a room; `pseudonym` is the keyed hash."""
        plain = normalised(text)
        return Alias(pseudonym(plain), _domain(plain), self._best(plain))

    def decide_by_tag(self, tag: str) -> Decision | None:
        """The decision by the service tag alone; None where nobody claims it."""
        owner = self._tags.get(tag.strip().lower()) if tag else None
        return None if owner is None else Decision(owner, Rule.TAG)

    def decide(self, tag: str, aliases: Sequence[Alias], room: Alias | None) -> Decision:
        """Whose a call is.

        `aliases` are those of the call, the one that counts most first: who calls, then what was dialled.
        The first that matches decides: the service tag; an alias exactly; the longest domain or pattern of
        any alias, of equal ones the domain; the room's owner, by the room's own name, then by the aliases.
        """
        tagged = self.decide_by_tag(tag)
        if tagged is not None:
            return tagged
        for alias in aliases:
            owner = self._aliases.get(alias.hash)
            if owner is not None:
                return Decision(owner, Rule.ALIAS)
        best = _NOTHING
        for _, domain, pattern in aliases:
            key = domain, pattern
            found = self._known.get(key) or self._remember(key)
            if found[0] < best[0]:
                best = found
        if best is not _NOTHING:
            return best[1]
        for alias in aliases if room is None else (room, *aliases):
            owner = self._rooms.get(alias.hash)
            if owner is not None:
                return Decision(owner, Rule.ROOM)
        return UNASSIGNED

    def _remember(self, key: tuple[str, str]) -> "_Candidate":
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        found = self._known[key] = self._longest(*key)
        return found

    def _longest(self, domain: str, pattern: str) -> "_Candidate":
        """The claim on a domain or one above it, or on the pattern, whichever is the longest."""
        candidates = [_NOTHING]
        labels = domain
        while labels:
            owner = self._owners[DOMAIN].get(labels)
            if owner is not None:
                order = (-weight(DOMAIN, labels), False, labels)
                candidates.append((order, Decision(owner, Rule.DOMAIN)))
                break
            labels = labels.partition(".")[2]
        owner = self._owners[PATTERN].get(pattern) if pattern else None
        if owner is not None:
            candidates.append(((-weight(PATTERN, pattern), True, pattern), Decision(owner, Rule.PATTERN)))
        return min(candidates)


_Order = tuple[int, bool, str]
"""By which claims are compared, the least first: its length downwards, whether it is a pattern, its text."""
_Candidate = tuple[_Order, Decision]
_NOTHING: Final[_Candidate] = (1, True, ""), UNASSIGNED
"""Comes after every claim, even one without a character that is no wildcard."""
