"""Reads the archive's open files on from where a reader was, whatever happens to them meanwhile."""

import contextlib
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import msgspec
from loguru import logger

from vdx.logs.checkpoint import Checkpoint
from vdx.logs.files import OPEN_SUFFIX, hour_of
from vdx.logs.line import Line, decoder
from vdx.logs.position import Place, Position

MOST_LINE_BYTES: Final = 1_000_000
"""A line that is longer is skipped."""
BATCH_BYTES: Final = 2_000_000
FAULTS: Final = ("deleted", "replaced", "truncated", "too long", "unreadable")
"""What can be wrong with the files."""
_MOST_HANDLES: Final = 16
_RECEIVED: Final = re.compile(rb'"received":\s*"([^"]{10,40})"')


class Batch(msgspec.Struct, frozen=True):
    """Lines, each without its end, and the position behind them."""

    lines: Sequence[bytes]
    position: Position


class Lag(msgspec.Struct, frozen=True):
    """How far a reader is behind."""

    bytes: int
    seconds: float
    """The age of the oldest line that was not read; 0 where all were."""


class Tail:
    """Reads the archive's files, the oldest first, and goes on with what is written to any of them.

    A file that is deleted or renamed is read to its end while this object lives. A file that is truncated or
    replaced is read from its beginning. Each is counted in `faults` and logged once. Use it from one thread
    at a time, and close it.
    """

    def __init__(self, folder: Path, checkpoint: Checkpoint, *, from_end: bool = False) -> None:
        """Goes on from the checkpoint's position. Where it has none, `from_end` begins with what comes next,
        otherwise with the oldest file."""
        self._folder = folder
        self._handles: dict[str, int] = {}
        self._scanned: dict[str, int] = {}
        self._told: set[tuple[str, str]] = set()
        self.faults: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))
        """How often each of FAULTS was met."""
        self.fault = ""
        """Why the folder cannot be read, in a line; empty while it can."""
        self.position = checkpoint.position or Position()
        """The position behind the last batch."""
        if checkpoint.position is None and from_end:
            self._skip_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the files."""
        while self._handles:
            os.close(self._handles.popitem()[1])

    def read(self) -> Batch | None:
        """The next complete lines, about BATCH_BYTES of them; None where there are none at present.

        A batch without lines has a position to commit all the same.
        """
        before = self.position
        for name in self._names():
            try:
                lines = self._read(name)
            except OSError as error:
                self._fault(
                    "unreadable", name, f"cannot be read: {error.strerror}; check the disk and its rights"
                )
                continue
            if lines:
                return Batch(lines, self.position)
        return None if self.position == before else Batch((), self.position)

    def lag(self, now: float | None = None) -> Lag:
        """How far this reader is behind, at a Unix time."""
        behind, oldest = 0, None
        for name in self._names():
            with contextlib.suppress(OSError):
                found = (self._folder / name).stat()
                place = self.position.places.get(name)
                unread = found.st_size - (place.offset if place else 0)
                if unread > 0:
                    behind += unread
                    oldest = oldest or self._received(name, place.offset if place else 0) or found.st_mtime
        age = 0.0 if oldest is None else max(0.0, (time.time() if now is None else now) - oldest)
        return Lag(behind, age)

    def _received(self, name: str, offset: int) -> float | None:
        with (self._folder / name).open("rb") as file:
            file.seek(offset)
            found = _RECEIVED.search(file.read(4096))
        try:
            return datetime.fromisoformat(found[1].decode()).timestamp() if found else None
        except ValueError:
            return None

    def _names(self) -> list[str]:
        """The files that are or were there, oldest first."""
        try:
            listed, fault = os.listdir(self._folder), "it is empty"
        except OSError as error:
            listed, fault = [], str(error.strerror)
        if not listed and (self.position.places or fault != "it is empty"):
            # A folder that is not mounted looks so; its files' places are kept.
            if not self.fault:
                logger.error("cannot read the log archive {}: {}; waiting for it", self._folder, fault)
            self.fault = f"the log archive {self._folder} cannot be read: {fault}"
            return []
        self.fault = ""
        found = {
            name
            for name in listed
            if name.endswith(OPEN_SUFFIX) and name > self.position.floor and hour_of(Path(name)) is not None
        }
        return sorted(found | self.position.places.keys())

    def _read(self, name: str) -> list[bytes]:
        """The next lines of a file, having moved the position."""
        handle = self._handle(name)
        if handle is None:
            return []
        place = self.position.places.get(name) or Place.start(handle)
        size = os.fstat(handle).st_size
        if size != place.offset:
            place = self._checked(name, handle, place, size)
        lines, offset = self._lines(name, handle, place.offset, size)
        if offset != place.offset:
            place = place.moved(handle, offset)
        if self.position.places.get(name) != place:
            self.position = self.position.at(name, place).bounded()
        if not lines and self._is_gone(name, handle):
            self._forget(name, size > offset)
        return lines

    def _checked(self, name: str, handle: int, place: Place, size: int) -> Place:
        """The place, or the file's beginning where it is not what was read."""
        if size < place.offset:
            self._fault("truncated", name, "has become shorter; it is read from its beginning")
        elif not place.fits(handle):
            self._fault("replaced", name, "is another file than before; it is read from its beginning")
        else:
            return place
        self._scanned.pop(name, None)
        return Place.start(handle)

    def _lines(self, name: str, handle: int, offset: int, size: int) -> tuple[list[bytes], int]:
        """Complete lines from an offset on, and the offset behind them."""
        if name in self._scanned:
            return [], self._skip(name, handle, offset)
        if size <= offset:
            return [], offset
        chunk = os.pread(handle, BATCH_BYTES, offset)
        end = chunk.rfind(b"\n") + 1
        if not end:
            return [], self._skip(name, handle, offset) if len(chunk) > MOST_LINE_BYTES else offset
        lines = chunk[: end - 1].split(b"\n")
        good = [line for line in lines if len(line) <= MOST_LINE_BYTES]
        for _ in range(len(lines) - len(good)):
            self._too_long(name)
        return good, offset + end

    def _skip(self, name: str, handle: int, offset: int) -> int:
        """The offset behind a line that is too long; the same offset while it has no end."""
        at = self._scanned.get(name, offset)
        while chunk := os.pread(handle, BATCH_BYTES, at):
            end = chunk.find(b"\n")
            if end >= 0:
                self._scanned.pop(name, None)
                self._too_long(name)
                return at + end + 1
            at += len(chunk)
        self._scanned[name] = at
        return offset

    def _too_long(self, name: str) -> None:
        self._fault("too long", name, f"has a line of more than {MOST_LINE_BYTES:,} bytes, which is skipped")

    def _handle(self, name: str) -> int | None:
        """The open file; None where it is gone and was not open here."""
        if name in self._handles:
            return self._handles[name]
        try:
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            renamed = self._renamed(name)
            if renamed is None:
                self._forget(name, True)
                return None
            handle = os.open(renamed, os.O_RDONLY | os.O_CLOEXEC)
        while len(self._handles) >= _MOST_HANDLES:
            os.close(self._handles.pop(min(self._handles)))
        self._handles[name] = handle
        return handle

    def _renamed(self, name: str) -> Path | None:
        """The file under another name in the same folder."""
        place = self.position.places.get(name)
        if place is None:
            return None
        with os.scandir(self._folder) as entries:
            found = (entry for entry in entries if entry.inode() == place.inode)
            return next((Path(entry.path) for entry in found if entry.name not in self.position.places), None)

    def _is_gone(self, name: str, handle: int) -> bool:
        """Whether the name stands for another file than the open one, or for none."""
        try:
            return (self._folder / name).stat().st_ino != os.fstat(handle).st_ino
        except FileNotFoundError:
            return True

    def _forget(self, name: str, has_rest: bool) -> None:
        """Lets go of a file that is gone; `has_rest`: whether it may hold something that was not read."""
        if name in self._handles:
            os.close(self._handles.pop(name))
        self._scanned.pop(name, None)
        if (self._folder / name).exists():
            self._fault("replaced", name, "is another file than before; it is read from its beginning")
        elif has_rest:
            self._fault(
                "deleted", name, "was closed or deleted; what this reader had not read of it is left out"
            )
        self.position = self.position.without(name)

    def _fault(self, kind: str, name: str, words: str) -> None:
        self.faults[kind] += 1
        if (kind, name) not in self._told:
            self._told.add((kind, name))
            logger.warning("log archive: {} {}", self._folder / name, words)

    def _skip_all(self) -> None:
        for name in self._names():
            with contextlib.suppress(OSError):
                handle = self._handle(name)
                if handle is not None:
                    end = _line_end(handle)
                    self.position = self.position.at(name, Place.start(handle).moved(handle, end)).bounded()


def _line_end(handle: int) -> int:
    """The offset behind the last complete line."""
    at = os.fstat(handle).st_size
    while at > 0:
        begin = max(0, at - 65_536)
        end = os.pread(handle, at - begin, begin).rfind(b"\n")
        if end >= 0:
            return begin + end + 1
        at = begin
    return 0


def decoded(lines: Sequence[bytes]) -> Iterator[Line | None]:
    """The lines of a batch; None for each that is none of the archive.

    Bytes that are no UTF-8 become U+FFFD.
    """
    for line in lines:
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            try:
                yield decoder.decode(line.decode("utf-8", "replace"))
            except msgspec.DecodeError:
                yield None
