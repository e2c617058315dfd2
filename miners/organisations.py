"""The organisation miner: keeps the tree of organisations, and what they claim, as their source has them."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from loguru import logger
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from miners.organisation_source import SourceError, read_source
from vdx.claims import Claims
from vdx.organisations import Examined, Fault, FaultKind, examine
from vdx.settings import Settings, SettingsError
from vdx.store import organisations
from vdx.store.database import connect, open_engine, unreachable
from vdx.store.errors import StoreError
from vdx.store.identities import all_pseudonyms, pseudonyms
from vdx.store.organisations import Saved
from vdx.telemetry import Telemetry
from vdx.tree import Tree

FIRST_RETRY: Final = timedelta(minutes=1)
JITTER: Final = 0.1
"""Share of the interval by which readings are moved, so that several miners do not read at once."""
VANISHED_FOR: Final = timedelta(days=7)
"""How long an organisation that has vanished is counted as a fault: time enough to see and to mend it."""
_NAMED: Final = 10


def read(settings: Settings) -> Examined:
    """What the source has, with its faults set right.

    Raises SourceError where it cannot be read or has no organisation at all, SettingsError where no retry can
    mend that.
    """
    examined = examine(read_source(settings.organisations), ZoneInfo(settings.sla.time_zone))
    if not examined.organisations:
        raise SourceError(
            "the source has no organisation that can be read, so the last ones stay; check "
            "organisations.file or organisations.query"
        )
    return examined


def keep(connection: Connection, settings: Settings, examined: Examined, now: datetime) -> Saved:
    """Makes the database's organisations those of the source, in a transaction."""
    with connection.begin():
        keys = all_pseudonyms(settings)
        saved = organisations.save(connection, examined, keys, now, ZoneInfo(settings.sla.time_zone))
        organisations.note_read(connection, now)
    return saved


class OrganisationMiner:
    """Reads the source now and then. While it cannot be read the last good tree stays, with its age.

    Its methods may be called from several threads; what is read is put in place at once.
    """

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._keys = pseudonyms(settings)
        self._current = Tree(), Claims()
        self._loaded = False
        self._good_at: datetime | None = None
        self._reported: dict[str, str] = {}
        self._faults: set[FaultKind] = set()

    @property
    def current(self) -> tuple[Tree, Claims]:
        """The tree and the claims that hold; empty until any could be read."""
        return self._current

    def pseudonym(self, alias: str) -> bytes:
        """The keyed hash that stands for an alias."""
        return self._keys.of(alias)

    async def run(self, stop: asyncio.Event) -> None:
        """Reads at once, unless that has just been done, and then at each interval until `stop` is set."""
        interval = timedelta(minutes=self._settings.organisations.interval_minutes)
        delay = timedelta()
        just_done = self._good_at is not None and datetime.now(UTC) - self._good_at < FIRST_RETRY
        while not stop.is_set():
            if just_done or await asyncio.to_thread(self.refresh):
                just_done = False
                delay, wait = timedelta(), interval
            else:
                delay = min(interval, 2 * delay or FIRST_RETRY)
                wait = delay
            seconds = wait.total_seconds() * random.uniform(1 - JITTER, 1)  # noqa: S311 - jitter
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)

    def refresh(self, now: datetime | None = None) -> bool:
        """Reads the source and keeps what it has; True when that was done. Blocks; never raises.

        Without a source the database's organisations hold, which another process may keep.
        """
        try:
            return self._refresh(now or datetime.now(UTC))
        except Exception as error:
            # Its text may hold an alias.
            self._report("fault", f"a fault of the program, {type(error).__name__}; the last ones stay")
            return False

    def _refresh(self, now: datetime) -> bool:
        examined = self._read() if self._settings.organisations.has_source else None
        failed = examined is None and self._settings.organisations.has_source
        if failed and self._loaded:
            return False
        engine = open_engine(self._settings, writes=examined is not None)
        try:
            with contextlib.closing(connect(engine)) as connection:
                if examined is not None:
                    self._tell_changes(keep(connection, self._settings, examined, now))
                with connection.begin():
                    tree, claims = organisations.load(connection)
                    read_at = organisations.last_read(connection)
        except (StoreError, SQLAlchemyError, OSError) as error:
            words = str(error) if isinstance(error, StoreError) else unreachable(error)
            self._report("database", f"{words}. The last ones stay")
            return False
        finally:
            engine.dispose()
        self._mend("database", "the database can be used again")
        self._reported.pop("fault", None)
        self._put_in_place(tree, claims, read_at, now)
        if examined is not None:
            self._tell_faults(examined.faults, tree, now)
            self._good_at = now
        return not failed

    def _read(self) -> Examined | None:
        try:
            examined = read(self._settings)
        except (SourceError, SettingsError) as error:
            self._telemetry.organisation_source_up.set(0)
            self._report("source", str(error))
            return None
        self._telemetry.organisation_source_up.set(1)
        self._mend("source", "the source can be read again")
        return examined

    def _put_in_place(self, tree: Tree, claims: Claims, read_at: datetime | None, now: datetime) -> None:
        """Keeps the objects there are where nothing changed: others remember by them what they found."""
        known_tree, known_claims = self._current
        self._current = (
            known_tree if known_tree.parts == tree.parts else tree,
            known_claims if known_claims.rows == claims.rows else claims,
        )
        self._loaded = True
        standing = sum(tree.stands(number, now) for number in tree.organisations)
        self._telemetry.organisations.set(standing)
        if read_at is not None:
            self._telemetry.organisation_tree_timestamp.set(read_at.timestamp())

    def _tell_changes(self, saved: Saved) -> None:
        if saved.changed:
            logger.info("organisations: {}", changes(saved))
        if saved.vanished:
            logger.warning(
                "organisations: {} vanished from the source and keep their past: {}",
                len(saved.vanished),
                ", ".join(map(repr, saved.vanished[:_NAMED])),
            )

    def _tell_faults(self, faults: Sequence[Fault], tree: Tree, now: datetime) -> None:
        """Counts the faults of the source, and logs the first of a kind until there is none of it."""
        counted = Counter(fault.kind for fault in faults)
        for kind in counted.keys() - self._faults:
            first = next(fault.words for fault in faults if fault.kind is kind)
            logger.warning("organisations: {} of {}; the first: {}", counted[kind], kind, first)
        for kind in self._faults - counted.keys():
            logger.info("organisations: no more of {}", kind)
        self._faults = set(counted)
        counted[FaultKind.VANISHED] = len(tree.vanished(now - VANISHED_FOR, now))
        for kind in FaultKind:
            self._telemetry.organisation_faults.labels(fault=kind).set(counted[kind])

    def _report(self, about: str, words: str) -> None:
        """Logs a fault once until it is mended or is another one."""
        if self._reported.get(about) != words:
            logger.error("organisations: {}", words)
        self._reported[about] = words

    def _mend(self, about: str, words: str) -> None:
        if self._reported.pop(about, None) is not None:
            logger.info("organisations: {}", words)


def changes(saved: Saved) -> str:
    """What saving changed, in words."""
    parts = [
        f"{number} {words}"
        for words, number in (
            ("added", saved.added),
            ("renamed", saved.renamed),
            ("moved", saved.moved),
            ("vanished", len(saved.vanished)),
            ("returned", len(saved.returned)),
        )
        if number
    ]
    if saved.claims:
        parts.append(f"{count(saved.claims, 'claim')} changed")
    if saved.days:
        parts.append(f"{count(saved.days, 'day')} to compute again")
    return ", ".join(parts) or "nothing changed"


def count(number: int, noun: str) -> str:
    """`1 day`, `2,000 days`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
