"""Takes each poll to the database, or keeps it until the database is back."""

import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import msgspec
from loguru import logger
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from vdx.capacity import Usage
from vdx.settings import Settings
from vdx.snapshot import Snapshot
from vdx.store.cycle import Cycle, decode, encode
from vdx.store.database import connect, open_engine, unreachable
from vdx.store.errors import StoreError, is_data_fault, origin, reason
from vdx.store.identities import pseudonyms
from vdx.store.recorder import Recorder
from vdx.store.retention import prune
from vdx.store.spool import Spool
from vdx.store.writing import CycleWriter, LateCycleError
from vdx.telemetry import Telemetry

FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 60.0
PRUNE_INTERVAL: Final = timedelta(hours=1)
SPOOL_FOLDER: Final = "spool"


class _Work(NamedTuple):
    snapshot: Snapshot
    usage: Usage
    written: Future[None] | None = None


class Store:
    """Writes polls in the background, in order, each once.

    A thread of its own takes them from a bounded queue. While the database is away, or does not fit this
    version, they go to the spool, and from there to the database before anything later. What neither
    could take is counted in `vdx_store_cycles_dropped_total`. Each change of state is logged once.
    """

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._telemetry = telemetry
        limit = settings.database.spool_megabytes * 1_000_000
        self._queue: queue.Queue[_Work | None] = queue.Queue(settings.database.queue_cycles)
        self._spool = Spool(settings.data.directory / SPOOL_FOLDER, limit)
        self._thread = threading.Thread(target=self._run, name="store")
        self._writer = CycleWriter()
        self._awaited: dict[datetime, Future[None]] = {}
        self._reported: dict[str, str] = {}
        self._delay = 0.0
        self._retry_at = 0.0
        self._gap = True
        self._pruned: datetime | None = None
        self._connection: Connection | None = None
        self._engine: Engine
        self._recorder: Recorder
        telemetry.store_queue_limit.set(settings.database.queue_cycles)
        telemetry.store_spool_limit.set(limit)

    def start(self) -> None:
        """Opens the spool and starts writing; the database need not be there. Raises SettingsError."""
        self._engine = open_engine(self._settings, writes=True)
        self._recorder = Recorder(
            pseudonyms(self._settings), store_identities=self._settings.privacy.store_identities
        )
        self._spool.open()
        self._thread.start()

    def submit(self, snapshot: Snapshot, usage: Usage) -> None:
        """Hands over a poll, good or failed, and returns at once. Never raises."""
        self._put(_Work(snapshot, usage))

    def write_now(self, snapshot: Snapshot, usage: Usage, timeout: float = 60.0) -> None:
        """Hands over a poll and waits until it is in the database.

        Raises StoreError where it is not within `timeout` seconds; it is then in the spool or dropped.
        """
        written: Future[None] = Future()
        self._put(_Work(snapshot, usage, written))
        try:
            written.result(timeout)
        except FutureTimeout:
            raise StoreError(
                f"the poll was not written within {timeout:g} seconds; check the load of the database"
            ) from None

    def stop(self, timeout: float = 30.0) -> None:
        """Writes or spools what is queued, then ends, within about `timeout` seconds."""
        if not self._thread.is_alive():
            return
        try:
            self._queue.put(None, timeout=timeout)
        except queue.Full:
            logger.error("the store does not stop: the database or the disk does not answer")
            return
        self._thread.join(timeout)

    def _put(self, work: _Work) -> None:
        try:
            self._queue.put_nowait(work)
        except queue.Full:
            self._telemetry.store_dropped.inc()
            self._report("queue", "polls are dropped: the database and the disk are slower than the polls")
            if work.written is not None:
                work.written.set_exception(StoreError("the queue is full; check the load of the database"))
        self._telemetry.store_queue.set(self._queue.qsize())

    def _run(self) -> None:
        while True:
            try:
                work = self._queue.get(timeout=self._patience())
                self._telemetry.store_queue.set(self._queue.qsize())
                if self._queue.empty():
                    self._mend("queue", "the queue has room again")
                if work is None:
                    break
                self._guard(partial(self._take, work))
                del work  # a snapshot is large, and the next is on its way
            except queue.Empty:
                self._guard(self._catch_up)
            self._tell_spool()
        self._disconnect()
        self._engine.dispose()

    def _guard(self, step: Callable[[], None]) -> None:
        """Goes on after a fault of the program, which costs a cycle; its text may hold a person's name."""
        try:
            step()
        except Exception as error:
            self._gap = True
            self._telemetry.store_dropped.inc()
            self._report("fault", f"a poll could not be stored: {type(error).__name__} {origin(error)}")

    def _patience(self) -> float | None:
        """Seconds to wait for a poll before the spool is looked at; None waits for ever."""
        if not self._spool.cycles:
            return None
        return max(0.001, self._retry_at - time.monotonic())

    def _take(self, work: _Work) -> None:
        straight = not self._spool.cycles and time.monotonic() >= self._retry_at
        full = self._gap or (not straight and self._spool.wants_full)
        cycle = self._recorder.record(work.snapshot, work.usage, full=full)
        self._gap = False
        if work.written is not None:
            self._awaited[cycle.time] = work.written
        if straight and self._write(cycle, lambda: encode(cycle)):
            return
        try:
            self._spool.append(encode(cycle))
        except OSError as error:
            self._gap = True
            self._telemetry.store_dropped.inc()
            self._report("spool", f"polls are dropped: the spool cannot be written: {error.strerror}")
            self._refuse(cycle, f"the spool cannot be written: {error.strerror}; check the disk")
        else:
            self._mend("spool", "the spool can be written again")
            if "database" in self._reported and time.monotonic() < self._retry_at:
                self._refuse(cycle, f"{self._reported['database']}. The poll is kept in the spool")

    def _catch_up(self) -> None:
        """Writes the oldest cycle of the spool."""
        data = self._spool.first()
        if data is None:
            return
        try:
            cycle = decode(data)
        except msgspec.DecodeError:
            self._set_aside(data)
            self._report("spooled", "a cycle of the spool is of another version and was set aside")
            self._spool.remove_first()
            return
        if self._write(cycle, lambda: data):
            self._spool.remove_first()
            if not self._spool.cycles:
                self._reported.pop("lost", None)
                logger.info("store: the database has caught up")

    def _write(self, cycle: Cycle, encoded: Callable[[], bytes]) -> bool:
        """True when the cycle is dealt with; False when the database is away."""
        fault: Exception
        reached = False
        for attempt in (1, 2):
            connected = self._connection is not None
            try:
                self._write_once(cycle)
            except LateCycleError as error:
                self._gap = True
                self._telemetry.store_dropped.inc()
                self._report("late", f"polls are dropped: {error}")
                self._refuse(cycle, str(error))
                return True
            except Exception as error:
                reached = self._connection is not None
                self._disconnect()
                fault = error
                if attempt == 1 and (connected or is_data_fault(error)):
                    continue
                break
            else:
                self._is_there()
                self._settle(cycle)
                return True
        if is_data_fault(fault):
            self._gap = True
            self._set_aside(encoded())
            self._report(
                "rejected",
                f"a poll was set aside: the database refuses its rows: {reason(fault)} {origin(fault)}",
            )
            self._refuse(cycle, f"the database refuses the rows of this poll: {reason(fault)}")
            return True
        if isinstance(fault, StoreError):
            self._is_away(str(fault))
        elif reached:
            self._is_away(f"the database cannot be written: {reason(fault)}; check its log and its disk")
        else:
            self._is_away(unreachable(fault))
        return False

    def _write_once(self, cycle: Cycle) -> None:
        started = time.perf_counter()
        if self._connection is None:
            self._connection = connect(self._engine)
        written = self._writer.write(self._connection, cycle)
        if not written:
            self._gap = True
            return
        self._telemetry.store_write_duration.observe(time.perf_counter() - started)
        for table, rows in written.items():
            self._telemetry.store_rows.labels(table=table).inc(rows)
        self._prune(cycle.time)

    def _prune(self, newest: datetime) -> None:
        """Once an hour at most. What cannot be pruned stays; it does not stand in the way of writing."""
        if self._connection is None or (self._pruned and newest - self._pruned < PRUNE_INTERVAL):
            return
        self._pruned = newest
        try:
            prune(self._connection, self._settings.database, newest)
        except Exception as error:
            self._disconnect()
            self._report(
                "retention", f"old rows are not dropped: {reason(error)}; check the account's rights"
            )
        else:
            self._mend("retention", "old rows can be dropped again")

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError, OSError):
                connection.close()

    def _is_there(self) -> None:
        self._telemetry.store_up.set(1)
        self._delay = self._retry_at = 0.0
        for passing in ("late", "rejected", "fault"):
            self._reported.pop(passing, None)
        waiting = self._spool.cycles
        self._mend("database", f"the database is there again; {waiting} cycles wait in the spool")

    def _is_away(self, words: str) -> None:
        self._telemetry.store_up.set(0)
        self._delay = min(LAST_RETRY_SECONDS, 2 * self._delay or FIRST_RETRY_SECONDS)
        self._retry_at = time.monotonic() + self._delay * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._report("database", words)
        for written in self._awaited.values():
            written.set_exception(StoreError(f"{words}. The poll is kept in the spool"))
        self._awaited.clear()

    def _settle(self, cycle: Cycle) -> None:
        written = self._awaited.pop(cycle.time, None)
        if written is not None:
            written.set_result(None)

    def _refuse(self, cycle: Cycle, words: str) -> None:
        written = self._awaited.pop(cycle.time, None)
        if written is not None:
            written.set_exception(StoreError(words))

    def _set_aside(self, data: bytes) -> None:
        self._telemetry.store_dropped.inc()
        try:
            self._spool.set_aside(data)
        except OSError as error:
            self._report("spool", f"a refused cycle cannot be set aside: {error.strerror}")

    def _tell_spool(self) -> None:
        lost, self._spool.lost = self._spool.lost, 0
        if lost:
            self._telemetry.store_dropped.inc(lost)
            self._report("lost", "cycles of the spool were dropped: it was full, or damaged by a kill")
        self._telemetry.store_spool_bytes.set(self._spool.size)
        self._telemetry.store_spool_cycles.set(self._spool.cycles)

    def _report(self, about: str, words: str) -> None:
        """Logs a fault once until it is mended."""
        if about not in self._reported:
            kept = "; polls are kept in the spool until then" if about == "database" else ""
            logger.error("store: {}{}", words, kept)
        self._reported[about] = words

    def _mend(self, about: str, words: str) -> None:
        if self._reported.pop(about, None) is not None:
            logger.info("store: {}", words)
