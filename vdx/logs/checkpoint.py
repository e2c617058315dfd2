"""Where a reader keeps its position, so that a reader that is killed loses nothing and doubles nothing."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from vdx.logs.position import Position


class CheckpointError(Exception):
    """It cannot be used; the text is one line with the mend."""


class Checkpoint(Protocol):
    """What a Tail needs of it."""

    @property
    def position(self) -> Position | None:
        """The position that was committed last; None before the first."""


class _Lock:
    """Held while a reader lives, and let go by the system when it is killed."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CheckpointError(
                f"cannot write {path}: {error.strerror}; check the folder and its rights"
            ) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise CheckpointError(f"{path} is in use by another reader; stop that one first") from None

    def release(self) -> None:
        os.close(self._descriptor)


def _decode(path: Path, text: bytes | str) -> Position:
    try:
        return msgspec.json.decode(text, type=Position)
    except msgspec.DecodeError:
        raise CheckpointError(f"{path} holds no position; move it away, and reading begins afresh") from None


def committed(path: Path) -> Position | None:
    """The position in a checkpoint of either kind, whoever has it; None where there is none yet.

    Raises CheckpointError.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as file:
            head = file.read(16)
            if head != b"SQLite format 3\x00":
                return _decode(path, head + file.read())
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT place FROM position").fetchone()
    except (OSError, sqlite3.Error) as error:
        raise CheckpointError(f"cannot read {path}: {error}; check its rights") from None
    return _decode(path, row[0]) if row else None


class DatabaseCheckpoint:
    """A position in an SQLite database, together with the results of what was read.

    One reader has it at a time. Raises CheckpointError.
    """

    def __init__(self, path: Path, schema: str = "") -> None:
        """`schema` are statements that make the tables of the results, where they are not there."""
        self._path = path
        self._lock = _Lock(path)
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self.connection.executescript(
                "CREATE TABLE IF NOT EXISTS position "
                "(id INTEGER PRIMARY KEY CHECK (id = 1), place TEXT NOT NULL);" + schema
            )
            row = self.connection.execute("SELECT place FROM position").fetchone()
            self._position = _decode(path, row[0]) if row else None
        except sqlite3.Error as error:
            self.close()
            raise CheckpointError(
                f"{path} cannot be used: {error}; mend it, or move it away, and reading begins afresh"
            ) from None
        except CheckpointError:
            self.close()
            raise

    @property
    def position(self) -> Position | None:
        """The position that was committed last; None before the first."""
        return self._position

    def commit(self, position: Position, work: Callable[[sqlite3.Connection], None] = lambda _: None) -> None:
        """Keeps the position and what `work` writes, both or none. Raises CheckpointError."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                work(self.connection)
                self.connection.execute(
                    "INSERT OR REPLACE INTO position VALUES (1, ?)",
                    (msgspec.json.encode(position).decode(),),
                )
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise CheckpointError(
                f"cannot write {self._path}: {error}; check the disk and its rights"
            ) from None
        self._position = position

    def close(self) -> None:
        """Lets another reader have it."""
        self.connection.close()
        self._lock.release()


class FileCheckpoint:
    """A position in a file, for a reader whose results are elsewhere: commit when they are there.

    One reader has it at a time. Raises CheckpointError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = _Lock(path)
        try:
            self._position = _decode(path, path.read_bytes()) if path.exists() else None
        except OSError as error:
            self._lock.release()
            raise CheckpointError(f"cannot read {path}: {error.strerror}; check its rights") from None
        except CheckpointError:
            self._lock.release()
            raise

    @property
    def position(self) -> Position | None:
        """The position that was committed last; None before the first."""
        return self._position

    def commit(self, position: Position) -> None:
        """Keeps the position; after a crash the file holds it or the one before. Raises CheckpointError."""
        beside = self._path.with_name(f"{self._path.name}.part")
        try:
            with beside.open("wb") as file:
                file.write(msgspec.json.encode(position))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise CheckpointError(
                f"cannot write {self._path}: {error.strerror}; check the disk and its rights"
            ) from None
        self._position = position

    def close(self) -> None:
        """Lets another reader have it."""
        self._lock.release()
