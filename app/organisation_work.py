"""What the commands of `vdx organisations` do."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree as Branches
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.command import WORK_FAILED, fail
from app.database import prepare_embedded
from app.terminal import console, number
from miners import organisations as miner
from miners.organisation_source import SourceError
from miners.organisations import count
from vdx.days import midnight
from vdx.settings import Settings, SettingsError
from vdx.store import assignment, organisations
from vdx.store.database import connect, open_engine, unreachable
from vdx.store.errors import StoreError
from vdx.tree import OrganisationError, Tree

_NOBODY_KNOWN = "no organisations are known yet; run: vdx organisations read"


@contextlib.contextmanager
def _database(settings: Settings, *, writes: bool = False) -> Iterator[Connection]:
    """A connection. Ends the command with one line where the database is away or does not fit."""
    try:
        engine = open_engine(settings, writes=writes)
        try:
            with contextlib.closing(connect(engine)) as connection:
                yield connection
        finally:
            engine.dispose()
    except SettingsError as error:
        raise fail(error) from None
    except StoreError as error:
        raise fail(error, WORK_FAILED) from None
    except (SQLAlchemyError, OSError) as error:
        raise fail(StoreError(unreachable(error)), WORK_FAILED) from None


def read(settings: Settings) -> None:
    """Reads the source and keeps it; prints what changed, and each fault."""
    try:
        examined = miner.read(settings)
        prepare_embedded(settings)
        with _database(settings, writes=True) as connection:
            saved = miner.keep(connection, settings, examined, datetime.now(UTC))
    except SourceError as error:
        raise fail(error, WORK_FAILED) from None
    except SettingsError as error:
        raise fail(error) from None
    out = console()
    out.print(
        f"{count(len(examined.organisations), 'organisation')}, {count(len(examined.claims), 'claim')}: "
        f"{miner.changes(saved)}"
    )
    for change, keys in (("vanished", saved.vanished), ("returned", saved.returned)):
        for key in keys:
            out.print(f"{change}: {key}", markup=False)
    for fault in examined.faults:
        out.print(f"{fault.kind}: {fault.words}", markup=False)


def show(settings: Settings, organisation: str) -> None:
    """Prints the tree as it is now; branches in a terminal, indented lines in a pipe."""
    with _database(settings) as connection, connection.begin():
        tree, claims = organisations.load(connection)
    now = datetime.now(UTC)
    out = console()
    if not tree.organisations:
        out.print(_NOBODY_KNOWN)
        return
    try:
        tops = (tree.find(organisation).id,) if organisation else tree.children(None, now)
    except OrganisationError as error:
        raise fail(error, WORK_FAILED) from None
    counts = claims.counts()
    if out.is_terminal:
        for top in tops:
            out.print(_branches(tree, counts, top, now))
        return
    for top in tops:
        depth = len(tree.ancestors(top, now))
        for one in tree.subtree(top, now):
            indent = "  " * (len(tree.ancestors(one, now)) - depth)
            out.print(indent, _label(tree, counts, one), sep="")


def _branches(tree: Tree, counts: Mapping[int, Mapping[str, int]], top: int, now: datetime) -> Branches:
    """The organisation and all below it; without recursion, since a tree may be deep."""
    root = Branches(_label(tree, counts, top))
    branches = {top: root}
    for one in tree.subtree(top, now)[1:]:
        parent = tree.parent(one, now)
        if parent is not None:
            branches[one] = branches[parent].add(_label(tree, counts, one))
    return root


def _label(tree: Tree, counts: Mapping[int, Mapping[str, int]], organisation_id: int) -> Text:
    one = tree.organisations[organisation_id]
    text = Text(one.name, style="bold")
    text.append(f"  {one.key}" if one.key != one.name else "", style="not bold")
    text.append(f"  {one.kind}" if one.kind else "", style="not bold dim")
    claimed = [
        f"{many} {kind}{'' if many == 1 else 'es' if kind.endswith('s') else 's'}"
        for kind, many in counts.get(organisation_id, {}).items()
    ]
    return text.append(f"  claims {', '.join(claimed)}" if claimed else "", style="not bold")


def unassigned(settings: Settings, days: int, most: int) -> None:
    """Prints the legs of the last days that belong to nobody, the most frequent first."""
    with _database(settings) as connection, connection.begin():
        rows = assignment.unassigned(connection, datetime.now(UTC) - timedelta(days=days))
    out = console()
    total = sum(row.legs for row in rows)
    if not rows:
        out.print(f"no call leg without an organisation in the last {count(days, 'day')}")
        return
    zone = ZoneInfo(settings.sla.time_zone)
    table = Table(box=None, pad_edge=False)
    for heading in ("service tag", "domain of the caller", "domain dialled", "last seen"):
        table.add_column(heading)
    table.add_column("legs", justify="right")
    for row in rows[:most]:
        texts = [Text(text or "-") for text in (row.service_tag, row.remote_domain, row.local_domain)]
        seen = f"{row.last_seen.astimezone(zone):%Y-%m-%d %H:%M}"
        table.add_row(*texts, seen, number(row.legs))
    out.print(f"{count(total, 'call leg')} without an organisation in the last {count(days, 'day')}\n")
    out.print(table)
    rest = rows[most:]
    if rest:
        legs = sum(row.legs for row in rest)
        out.print(f"\nand {count(legs, 'leg')} in {count(len(rest), 'row')} more")


def reassign(settings: Settings, since: date, until: date | None) -> None:
    """Decides again whose the calls are that ended from one day to another, both included."""
    zone = ZoneInfo(settings.sla.time_zone)
    last = until or datetime.now(zone).date()
    if last < since:
        raise fail(
            SettingsError(f"--until {last} lies before --since {since}; give the later day to --until")
        )
    begin, end = midnight(since, zone), midnight(last + timedelta(days=1), zone)
    with _database(settings, writes=True) as connection:
        with connection.begin():
            tree, claims = organisations.load(connection)
        if not tree.organisations:
            raise fail(StoreError(_NOBODY_KNOWN), WORK_FAILED)
        with _bar() as progress:
            changed = assignment.reassign(connection, claims, begin, end, zone, progress=progress)
    out = console()
    out.print(
        f"{count(changed.participants, 'call leg')} and {count(changed.conferences, 'conference')} have "
        "another organisation than before, or have it by another rule"
    )
    if changed.days:
        out.print(f"the history miner computes the usage of {count(changed.days, 'day')} again")
    if changed.untested:
        out.print(
            f"{number(changed.untested)} aliases and rooms are stored without their text: of them only the "
            "pattern is known that they matched when they were stored"
        )


@contextlib.contextmanager
def _bar() -> Iterator[assignment.Progress]:
    """A bar on standard error, in a terminal alone."""
    out = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, disable=not out.is_terminal) as bars:
        task = bars.add_task("days", total=None)
        yield lambda day, done, total: bars.update(task, description=f"{day}", completed=done, total=total)
