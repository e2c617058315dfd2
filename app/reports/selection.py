"""What a report is about: the platform, an organisation, a project or a location, found by its name."""

import difflib
from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, select

from app.reports.catalogue import Language, word
from vdx.organisations import OrganisationError, Tree
from vdx.settings import SettingsError
from vdx.store.history_tables import term
from vdx.store.tables import location
from vdx.usage import Scope


class Selection(msgspec.Struct, frozen=True):
    """A scope of `vdx.usage` with the id and the name of what it is about; the platform has neither."""

    scope: Scope
    id: int = 0
    name: str = ""

    def words(self, language: Language) -> str:
        """What it is about, in words."""
        if self.scope is Scope.SUBTREE:
            return word("and_units", language, self.name)
        if self.scope is Scope.TAG:
            return word("project", language, self.name)
        if self.scope is Scope.LOCATION:
            return word("at_location", language, self.name)
        return word("platform", language)


PLATFORM = Selection(Scope.PLATFORM)


def find_organisation(tree: Tree, text: str) -> Selection:
    """An organisation with all its units, by its key or its name. Raises SettingsError."""
    try:
        found = tree.find(text)
    except OrganisationError as error:
        raise SettingsError(f"--organisation: {error}") from None
    return Selection(Scope.SUBTREE, found.id, found.name)


def find_project(connection: Connection, text: str) -> Selection:
    """A project by its service tag. Raises SettingsError."""
    tags = select(term.c.id).where(term.c.kind == "tag")
    found = connection.scalar(tags.where(term.c.name == text))
    if found is None:
        known = connection.scalars(select(term.c.name).where(term.c.kind == "tag")).all()
        raise _unknown("--project", "project", text, known)
    return Selection(Scope.TAG, found, text)


def find_location(connection: Connection, text: str) -> Selection:
    """A location by its name. Raises SettingsError."""
    found = connection.scalar(select(location.c.id).where(location.c.name == text))
    if found is None:
        known = connection.scalars(select(location.c.name)).all()
        raise _unknown("--location", "location", text, known)
    return Selection(Scope.LOCATION, found, text)


def _unknown(option: str, what: str, text: str, known: Collection[str]) -> SettingsError:
    by_case = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(text.casefold(), by_case, n=5, cutoff=0.5)
    if near:
        names = ", ".join(by_case[name] for name in near)
        return SettingsError(f"{option}: there is no {what} {text!r}; did you mean one of: {names}?")
    mend = f"there are {len(known)} with calls" if known else "there are no calls of any yet"
    return SettingsError(
        f"{option}: there is no {what} {text!r}; {mend}; upper and lower case are told apart"
    )
