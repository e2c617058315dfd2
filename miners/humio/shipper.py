"""Hands the archive's lines on to Humio, as long as it takes. The archive is the backlog."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from loguru import logger

from miners.humio.client import Answer, HumioClient, Verdict
from miners.humio.dead_letters import DeadLetters
from miners.humio.events import MAKERS, Event, Tags, batches, body, unparsed
from miners.humio.progress import within
from miners.humio.telemetry import HumioTelemetry
from vdx.logs.checkpoint import CheckpointError, FileCheckpoint
from vdx.logs.position import Position
from vdx.logs.tail import FAULTS, Batch, Lag, Tail, decoded
from vdx.settings import Settings, SettingsError

IDLE: Final = 1.0
"""Seconds from look to look when all has been handed on."""
GRACE: Final = 5.0
"""Seconds that a request gets when the process is to end."""
ATTEMPTS: Final = 5
"""Attempts of a request where the shipper is to end by itself."""

_random: Final = secrets.SystemRandom()


class Pauses(msgspec.Struct, frozen=True):
    """Seconds between attempts: random in 0 … min(`most`, `first` · 2ⁿ); `refused` when the token is."""

    first: float = 0.5
    most: float = 60.0
    refused: float = 30.0

    def after(self, answer: Answer, attempt: int) -> float:
        """Seconds to wait after the failed `attempt` (from 1); never less than Humio asks for, within
        `most`."""
        if answer.verdict is Verdict.REFUSED:
            return self.refused * _random.uniform(0.8, 1.2)
        backoff = _random.uniform(0, min(self.most, self.first * 2.0 ** min(attempt - 1, 30)))
        return max(backoff, min(self.most, answer.retry_after or 0.0))


class _EndedError(Exception):
    """The process is to end, or the attempts are over; what was not handed on stays."""


class Shipper:
    """Reads the archive on from the checkpoint, and commits what Humio has taken or will never take."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        checkpoint: FileCheckpoint,
        client: HumioClient,
        letters: DeadLetters,
        telemetry: HumioTelemetry,
        attempts: int | None = None,
        pauses: Pauses = Pauses(),  # noqa: B008 - it is immutable
    ) -> None:
        """`folder` is the archive. `attempts` bounds those of a request; without it they go on until Humio
        answers."""
        self._settings = settings.humio
        self._make = MAKERS[settings.humio.endpoint]
        self._tags = Tags(settings.logs.most_hosts)
        self._checkpoint = checkpoint
        self._folder = folder
        self._tail = Tail(folder, checkpoint)
        self._measured = Tail(folder, checkpoint)
        self._client = client
        self._letters = letters
        self._telemetry = telemetry
        self._attempts = attempts
        self._pauses = pauses
        self._stop = asyncio.Event()
        self._faults: dict[str, str] = {}
        self._burying = self._buried = False
        telemetry.lag_bytes.set_function(lambda: self._lag().bytes)
        telemetry.lag_seconds.set_function(lambda: self._lag().seconds)
        telemetry.dead_letter_bytes.set_function(lambda: letters.size)
        for fault in FAULTS:
            telemetry.archive_faults.labels(fault=fault).set_function(
                partial(self._tail.faults.__getitem__, fault)
            )

    @property
    def fault(self) -> str:
        """What keeps lines from being handed on, in a sentence; empty when nothing does."""
        return "; ".join(self._faults.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Hands on what there is and what comes, until `stop` is set."""
        self._stop = stop
        with contextlib.suppress(_EndedError):
            while not stop.is_set():
                if not await self._round():
                    await self._wait(IDLE)

    async def catch_up(self, stop: asyncio.Event) -> bool:
        """Hands on what there is; True when that was all of it."""
        self._stop = stop
        try:
            while not stop.is_set():
                if not await self._round():
                    return True
        except _EndedError:
            return False
        return False

    async def close(self) -> None:
        """Lets go of the files and the connections."""
        self._tail.close()
        self._measured.close()
        await self._client.close()

    async def _round(self) -> bool:
        """Hands on the next lines; False where there are none at present."""
        before = self._tail.position
        batch = await asyncio.to_thread(self._tail.read)
        if batch is None:
            return False
        events = await asyncio.to_thread(self._events, batch)
        done = 0
        self._buried = False
        for part in batches(events, self._settings.batch_events, self._settings.batch_bytes):
            done = await self._deliver(part, before, batch, done)
        if done == 0:
            await self._commit(batch.position)
        self._burying = self._buried
        return True

    def _events(self, batch: Batch) -> list[Event]:
        """An event for each line."""
        events = []
        for raw, line in zip(batch.lines, decoded(batch.lines), strict=True):
            try:
                if line is not None:
                    events.append(self._make(line, self._tags))
                    continue
            except ValueError:
                pass
            self._telemetry.unparsed.inc()
            events.append(self._make(unparsed(raw, datetime.now(UTC)), self._tags))
        return events

    async def _deliver(self, part: Sequence[Event], before: Position, batch: Batch, done: int) -> int:
        """Sends a part, halved for as long as Humio refuses it; `done` lines of the batch are behind us.

        Commits what is taken, or a dead letter, piece by piece in order. Gives `done` behind the part.
        """
        pieces = [part]
        while pieces:
            piece = pieces.pop()
            answer = await self._sent(piece)
            if answer.verdict is Verdict.POISON and len(piece) > 1:
                middle = len(piece) // 2
                pieces += (piece[middle:], piece[:middle])
                continue
            if answer.verdict is Verdict.POISON:
                await self._bury(batch.lines[done], answer)
            done += len(piece)
            position = within(before, batch, done)
            if position is not None:
                await self._commit(position)
        return done

    async def _sent(self, events: Sequence[Event]) -> Answer:
        """The answer of Humio, TAKEN or POISON, whenever it comes."""
        content = body(events)
        if len(content) > self._settings.batch_bytes:
            return Answer(Verdict.POISON, "size", f"it is larger than {self._settings.batch_bytes:,} bytes")
        for attempt in range(1, 1 + (self._attempts or 2**63)):
            answer = await self._asked(content)
            self._telemetry.requests.labels(code=answer.code).inc()
            self._telemetry.sent_bytes.inc(answer.sent_bytes)
            good = answer.verdict in (Verdict.TAKEN, Verdict.POISON)
            self._telemetry.up.set(good)
            self._telemetry.paused.set(answer.verdict is Verdict.REFUSED)
            if good:
                self._mend("humio", "Humio takes events again")
                if answer.verdict is Verdict.TAKEN:
                    self._count(events, content)
                return answer
            self._report("humio", answer.words)
            if self._attempts is not None and (
                answer.verdict is Verdict.REFUSED or attempt == self._attempts
            ):
                break
            self._telemetry.retries.inc()
            await self._wait(self._pauses.after(answer, attempt))
            self._renew_token()
        raise _EndedError

    async def _asked(self, content: bytes) -> Answer:
        """One request. When the process is to end it gets GRACE seconds."""
        if self._stop.is_set():
            raise _EndedError
        request = asyncio.create_task(self._client.send(content))
        ending = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({request, ending}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({request}, timeout=GRACE)
            if not request.done():
                raise _EndedError
            return request.result()
        finally:
            for task in (request, ending):
                task.cancel()

    def _count(self, events: Sequence[Event], content: bytes) -> None:
        self._telemetry.batches.inc()
        self._telemetry.events.inc(len(events))
        self._telemetry.bytes.inc(len(content))
        self._telemetry.last_success.set_to_current_time()

    def _renew_token(self) -> None:
        try:
            self._client.read_token()
        except SettingsError as error:
            self._report("token", f"{error}; the last one is used")
        else:
            self._mend("token", "the token can be read again")

    async def _bury(self, line: bytes, answer: Answer) -> None:
        reason = "size" if answer.code == "size" else "refused"

        def write() -> None:
            if not self._letters.add(line, reason, answer.words, datetime.now(UTC)):
                logger.warning("humio: the file of dead letters is full; the oldest were dropped")

        await self._kept("letters", write)
        self._telemetry.dead_letters.labels(reason=reason).inc()
        self._buried = True
        if not self._burying:
            self._burying = True
            logger.warning("humio: lines become dead letters; the first: {}", answer.words)

    async def _commit(self, position: Position) -> None:
        await self._kept("checkpoint", lambda: self._checkpoint.commit(position))

    async def _kept(self, about: str, write: Callable[[], None]) -> None:
        """Writes to the disk, again and again while that fails."""
        while True:
            try:
                await asyncio.to_thread(write)
            except (OSError, CheckpointError) as error:
                words = str(error) if isinstance(error, CheckpointError) else f"{error.strerror}"
                self._report(about, f"the {about} cannot be written: {words}; check data.directory")
                if self._attempts is not None:
                    raise _EndedError from None
                await self._wait(self._pauses.most * _random.uniform(0.1, 0.2))
                if self._stop.is_set():
                    raise _EndedError from None
            else:
                self._mend(about, f"the {about} can be written again")
                return

    def _lag(self) -> Lag:
        if not self._folder.is_dir():
            return Lag(0, 0.0)
        self._measured.position = self._checkpoint.position or Position()
        return self._measured.lag()

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _report(self, about: str, words: str) -> None:
        """Logs a fault once until it is mended or is another one."""
        if self._faults.get(about) != words:
            logger.error("humio: {}", words)
        self._faults[about] = words

    def _mend(self, about: str, words: str) -> None:
        if self._faults.pop(about, None) is not None:
            logger.info("humio: {}", words)
