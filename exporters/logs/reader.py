"""Reads the archive and counts, a batch at a time; what was counted is kept together with the position."""

import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from exporters.logs import kinds, state
from exporters.logs.kinds import Kind, Kinds
from exporters.logs.rule import Compiled
from exporters.logs.state import Labels, Totals
from exporters.logs.tally import Matcher
from vdx.logs.checkpoint import CheckpointError, DatabaseCheckpoint
from vdx.logs.tail import FAULTS, Lag, Tail, decoded

_LAG_SECONDS: Final = 1.0


class LogReader:
    """What was counted so far, and the next batch. Use it from one thread at a time; figures may be read
    from any."""

    def __init__(
        self,
        archive: Path,
        checkpoint: Path,
        rules: Collection[Compiled],
        *,
        most_hosts: int,
        expected: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`expected` gives names and addresses, in lower case, that have series beyond `most_hosts`."""
        self._archive = archive
        self._file = checkpoint
        self.rules = {rule.rule.name: rule for rule in rules}
        """The rules by name."""
        self._matcher = Matcher(tuple(rules))
        self._most_hosts = most_hosts
        self._expected = expected
        self._checkpoint: DatabaseCheckpoint | None = None
        self._tail: Tail | None = None
        self._kinds: Kinds | None = None
        self._looked = 0.0
        self.totals = Totals()
        """All that was counted."""
        self.lag: Lag | None = None
        """How far it is behind; None before the first look."""
        self.faults: Mapping[str, int] = dict.fromkeys(FAULTS, 0)
        """How often a file had a fault since the start, by FAULTS."""

    @property
    def fault(self) -> str:
        """Why the archive cannot be read, in a line; empty while it can."""
        return self._tail.fault if self._tail else ""

    @property
    def kinds(self) -> Mapping[int, Kind]:
        """Kinds of message that no rule knows."""
        return self._kinds.known if self._kinds else {}

    def step(self) -> bool:
        """Counts the next lines; False where there are none at present. Blocks.

        Raises CheckpointError where what was counted cannot be kept; the lines are then read again.
        """
        checkpoint, tail, known = self._opened()
        batch = tail.read()
        if batch is not None:
            tally = self._matcher.tally(decoded(batch.lines))
            labels = Labels(self.totals, self.rules, self._most_hosts, self._expected())
            changed = state.added(self.totals, tally, labels)
            new = known.changes(tally.unknown, time.time())
            gone = known.surplus(new)

            def work(connection: sqlite3.Connection) -> None:
                state.store(connection, changed)
                kinds.store(connection, new, gone)

            try:
                checkpoint.commit(batch.position, work)
            except CheckpointError:
                self.close()
                raise
            self.totals.updated(changed)
            known.take(new, gone)
        self._look(tail, at_once=batch is None)
        return batch is not None

    def close(self) -> None:
        """Lets go of the files; the next step opens them again."""
        if self._tail is not None:
            self._tail.close()
        if self._checkpoint is not None:
            self._checkpoint.close()
        self._tail = self._checkpoint = None

    def _opened(self) -> tuple[DatabaseCheckpoint, Tail, Kinds]:
        if self._checkpoint is None or self._tail is None or self._kinds is None:
            checkpoint = DatabaseCheckpoint(self._file, state.SCHEMA)
            try:
                self.totals = state.load(checkpoint.connection, self.rules)
                self._kinds = Kinds(kinds.load(checkpoint.connection))
            except (sqlite3.Error, TypeError, ValueError) as error:
                checkpoint.close()
                raise CheckpointError(
                    f"{self._file} does not hold counts of log lines: {error}; move it away"
                ) from None
            self._checkpoint, self._tail = checkpoint, Tail(self._archive, checkpoint)
        return self._checkpoint, self._tail, self._kinds

    def _look(self, tail: Tail, *, at_once: bool) -> None:
        if at_once or time.monotonic() - self._looked > _LAG_SECONDS:
            self.lag, self._looked = tail.lag(), time.monotonic()
            self.faults = dict(tail.faults)
