"""Cycles on disk while the database is away: written in order, read in order, bounded.

The spool is a folder of files of records; a record is its length, its CRC-32 and its bytes. Each file
begins with a full cycle, so that a file that is dropped, or a tail that was cut off, leaves the ones
after it whole; the first of an outage may begin with what follows on the database instead. A file is
deleted when all of it is in the database. How far the first one has been read is not kept on disk: after
a restart it is written again, which the writer knows to leave out.
"""

import errno
import os
import struct
import zlib
from collections import deque
from pathlib import Path
from typing import Final

from vdx.settings import SettingsError

_HEAD: Final = struct.Struct("<II")
_FILES: Final = 8
"""The oldest of this many parts is dropped when the spool is full."""
REJECTED_FILE: Final = "spool.rejected"
SUFFIX: Final = ".cycles"


class _File:
    """One file, and what of it has not been read yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.position = 0
        self.end = 0
        self.records = 0

    def scan(self) -> None:
        """Counts the records up to the end or to where it was cut off."""
        self.size = self.path.stat().st_size
        with self.path.open("rb") as file:
            position = 0
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                position += _HEAD.size + _HEAD.unpack(head)[0]
                if position > self.size:
                    break
                file.seek(position)
                self.records += 1

    def read(self) -> bytes | None:
        """The record at the position, or None where it is damaged or gone. `end` is where it ends."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.position)
                length, checksum = _HEAD.unpack(file.read(_HEAD.size))
                data = file.read(length)
        except (OSError, struct.error):
            return None
        self.end = self.position + _HEAD.size + length
        return data if len(data) == length and zlib.crc32(data) == checksum else None


class Spool:
    """The spool of one process. `lost` counts the cycles that it could not keep since it was opened."""

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._limit = limit
        self._files: deque[_File] = deque()
        self._current: _File | None = None
        self._number = 0
        self.lost = 0

    def open(self) -> None:
        """Makes the folder, and finds what an earlier process left. Raises SettingsError."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in sorted(self._directory.glob(f"*{SUFFIX}")):
                file = _File(path)
                file.scan()
                self._number = int(path.stem)
                if file.records:
                    self._files.append(file)
                else:
                    path.unlink()
                if not file.records and file.size:
                    self.lost += 1
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else "it holds a file of another name"
            raise SettingsError(
                f"data.directory: cannot use {self._directory}: {words}; "
                "name a folder that this user may write"
            ) from None

    @property
    def cycles(self) -> int:
        """How many wait."""
        return sum(file.records for file in self._files)

    @property
    def size(self) -> int:
        """The size of the files."""
        return sum(file.size for file in self._files)

    @property
    def wants_full(self) -> bool:
        """True when the next cycle begins a file, and so must be full where others wait before it."""
        return self._current is None or self._current.size >= self._limit // _FILES

    def append(self, data: bytes) -> None:
        """Keeps a cycle, and drops the oldest files where there is no room. Raises OSError."""
        record = _HEAD.pack(len(data), zlib.crc32(data)) + data
        if len(record) > self._limit // 2:
            raise OSError(errno.EFBIG, "the cycle is larger than half of database.spool_megabytes")
        beginning = self.wants_full
        if beginning or self._current is None:
            self._number += 1
            self._current = _File(self._directory / f"{self._number:012d}{SUFFIX}")
        file = self._current
        self._make_room(len(record))
        try:
            _append(file.path, record, file.size)
        except OSError:
            self._current = None
            if beginning:
                file.path.unlink(missing_ok=True)
            raise
        if beginning:
            self._files.append(file)
        file.size += len(record)
        file.records += 1

    def _make_room(self, size: int) -> None:
        while self.size + size > self._limit and self._files and self._files[0] is not self._current:
            oldest = self._files.popleft()
            oldest.path.unlink(missing_ok=True)
            self.lost += oldest.records

    def first(self) -> bytes | None:
        """The oldest cycle that waits, or None. Skips what is damaged, with the rest of its file."""
        while self._files:
            file = self._files[0]
            data = file.read() if file.records else None
            if data is not None:
                return data
            self.lost += file.records
            self._leave(file)
        return None

    def remove_first(self) -> None:
        """The cycle that `first` gave is in the database, or was set aside."""
        file = self._files[0]
        file.position = file.end
        file.records -= 1
        if not file.records:
            if file.position < file.size:
                self.lost += 1
            self._leave(file)

    def _leave(self, file: _File) -> None:
        self._files.remove(file)
        if file is self._current:
            self._current = None
        file.path.unlink(missing_ok=True)

    def set_aside(self, data: bytes) -> None:
        """Keeps a cycle that the database refuses, to be looked at; up to the same limit. Raises OSError."""
        path = self._directory / REJECTED_FILE
        record = _HEAD.pack(len(data), zlib.crc32(data)) + data
        size = path.stat().st_size if path.exists() else 0
        if size + len(record) <= self._limit:
            _append(path, record, size)


def _append(path: Path, record: bytes, size: int) -> None:
    """Adds a record to a file of `size` bytes and waits until it is on the disk; all of it or nothing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        while record:
            record = record[os.write(descriptor, record) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise
    finally:
        os.close(descriptor)
