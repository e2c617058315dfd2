"""The tree of organisations over time: who stands below whom, and since when."""

import difflib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple


class Organisation(NamedTuple):
    """An organisation or a unit of one. `key` is what its source calls it."""

    id: int
    key: str
    name: str
    kind: str


class Place(NamedTuple):
    """Where an organisation stands, from `valid_from` to before `valid_to`, None while it does.

    `parent_id` is None at the top. Times are UTC.
    """

    organisation_id: int
    parent_id: int | None
    valid_from: datetime
    valid_to: datetime | None = None


EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
"""Stands for the beginning of time."""


class OrganisationError(Exception):
    """An organisation cannot be told by what was said; the message is one line that ends with the mend."""


_NEAR: Final = 5


class Tree:
    """Organisations and their places. Immutable; a place that is wrong never makes it loop.

    Before the first place of an organisation its first place holds, so that calls from before it was first
    read are not lost to its parents. Times are aware.
    """

    def __init__(self, organisations: Iterable[Organisation] = (), places: Iterable[Place] = ()) -> None:
        self.organisations: Mapping[int, Organisation] = {one.id: one for one in organisations}
        listed: defaultdict[int, list[Place]] = defaultdict(list)
        for place in sorted(places, key=lambda place: place.valid_from):
            listed[place.organisation_id].append(place)
        self._places = dict(listed)
        self._starts = {
            key: [place.valid_from for place in organised] for key, organised in self._places.items()
        }
        self._below: tuple[datetime, Mapping[int | None, tuple[int, ...]]] | None = None

    @property
    def parts(self) -> tuple[Mapping[int, Organisation], Mapping[int, Sequence[Place]]]:
        """The organisations and their places by number: trees with the same are the same."""
        return self.organisations, self._places

    def places(self, organisation_id: int) -> Sequence[Place]:
        """All places of an organisation, the earliest first."""
        return self._places.get(organisation_id, ())

    def place(self, organisation_id: int, at: datetime) -> Place | None:
        """The place that holds at a time; None where it has none then, or is unknown."""
        starts = self._starts.get(organisation_id)
        if not starts:
            return None
        found = self._places[organisation_id][max(0, bisect_right(starts, at) - 1)]
        return found if found.valid_to is None or at < found.valid_to else None

    def stands(self, organisation_id: int, at: datetime) -> bool:
        """True where it has a place at a time: it has not vanished from the source by then."""
        return self.place(organisation_id, at) is not None

    def vanished(self, since: datetime, at: datetime) -> tuple[int, ...]:
        """Those that have no place at a time, and had their last one after `since`."""
        return tuple(
            number
            for number, places in self._places.items()
            if not self.stands(number, at) and places[-1].valid_to is not None and places[-1].valid_to > since
        )

    def parent(self, organisation_id: int, at: datetime) -> int | None:
        """The organisation that it stands directly below; None at the top, and where it has no place."""
        place = self.place(organisation_id, at)
        return None if place is None else place.parent_id

    def ancestors(self, organisation_id: int, at: datetime) -> tuple[int, ...]:
        """The organisation, its parent, and so on upwards. Itself alone where it has no place then."""
        chain = {organisation_id: None}
        parent = self.parent(organisation_id, at)
        while parent is not None and parent not in chain:
            chain[parent] = None
            parent = self.parent(parent, at)
        return tuple(chain)

    def top(self, organisation_id: int, at: datetime) -> int:
        """The uppermost organisation above it, or itself."""
        return self.ancestors(organisation_id, at)[-1]

    def children(self, organisation_id: int | None, at: datetime) -> tuple[int, ...]:
        """Those directly below it, by name; None gives those at the top."""
        return self._children(at).get(organisation_id, ())

    def subtree(self, organisation_id: int, at: datetime) -> tuple[int, ...]:
        """The organisation with all below it, each after the one that it stands below."""
        below = self._children(at)
        found: dict[int, None] = {}
        waiting = [organisation_id]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found[current] = None
                waiting.extend(reversed(below.get(current, ())))
        return tuple(found)

    def find(self, text: str) -> Organisation:
        """The organisation with this key, else with this name, whatever its case.

        Raises OrganisationError where there is none, or where the name is that of several.
        """
        wanted = text.strip()
        named = []
        for organisation in self.organisations.values():
            if organisation.key == wanted:
                return organisation
            if organisation.name.casefold() == wanted.casefold():
                named.append(organisation)
        if len(named) == 1:
            return named[0]
        if named:
            keys = ", ".join(sorted(organisation.key for organisation in named))
            raise OrganisationError(
                f"{len(named)} organisations have the name {wanted!r}; name one by its key: {keys}"
            )
        near = ", ".join(self._near(wanted))
        mend = f"did you mean one of: {near}?" if near else "vdx organisations show lists all"
        raise OrganisationError(f"there is no organisation {wanted!r}; {mend}")

    def _near(self, text: str) -> Iterator[str]:
        names = {
            organisation.name.casefold(): organisation.name for organisation in self.organisations.values()
        }
        sought = text.casefold()
        for name in difflib.get_close_matches(sought, names, n=_NEAR, cutoff=0.5):
            yield names.pop(name)
        if sought:
            yield from [names[name] for name in sorted(names) if sought in name][:_NEAR]

    def _children(self, at: datetime) -> Mapping[int | None, tuple[int, ...]]:
        remembered = self._below
        if remembered is not None and remembered[0] == at:
            return remembered[1]
        below: defaultdict[int | None, list[int]] = defaultdict(list)
        ordered = sorted(self.organisations.values(), key=lambda one: (one.name.casefold(), one.key))
        for organisation in ordered:
            place = self.place(organisation.id, at)
            if place is not None:
                below[place.parent_id].append(organisation.id)
        built = {parent: tuple(listed) for parent, listed in below.items()}
        self._below = at, built
        return built


def placed(
    places: Sequence[Place], organisation_id: int, parent_id: int | None, since: datetime
) -> tuple[Place, ...]:
    """The places of an organisation, the earliest first, once it is known to stand below `parent_id` from
    `since` on. What was thought of the time after is forgotten."""
    kept = [place for place in places if place.valid_from < since]
    if kept and (kept[-1].valid_to is None or kept[-1].valid_to >= since):
        if kept[-1].parent_id == parent_id:
            return (*kept[:-1], kept[-1]._replace(valid_to=None))
        kept[-1] = kept[-1]._replace(valid_to=since)
    return (*kept, Place(organisation_id, parent_id, since))


def ended(places: Sequence[Place], at: datetime) -> tuple[Place, ...]:
    """The places of an organisation that is no more from a time on."""
    kept = [place for place in places if place.valid_from < at]
    if kept and (kept[-1].valid_to is None or kept[-1].valid_to > at):
        kept[-1] = kept[-1]._replace(valid_to=at)
    return tuple(kept)


def changed_since(old: Sequence[Place], new: Sequence[Place]) -> datetime | None:
    """From when on an organisation had another parent than was known; None where it never had, and for one
    that is new. `EARLIEST` where that is so before its first place, too."""
    if not old or not new:
        return None
    before, after = Tree((), old), Tree((), new)
    edges = sorted({edge for place in (*old, *new) for edge in (place.valid_from, place.valid_to) if edge})
    number = old[0].organisation_id
    if before.parent(number, edges[0] - timedelta(seconds=1)) != after.parent(
        number, edges[0] - timedelta(seconds=1)
    ):
        return EARLIEST
    return next((edge for edge in edges if before.parent(number, edge) != after.parent(number, edge)), None)
