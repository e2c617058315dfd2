"""Events that Humio will never take, kept in a file for whoever looks into them."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

FILE_NAME: Final = "humio-dead-letters.jsonl"
MOST_BYTES: Final = 10_000_000
"""Size of the file at which it becomes `….1`, and the `….1` before it is dropped."""


class DeadLetter(msgspec.Struct, frozen=True):
    """A line of the file."""

    time: str
    """When it was refused: RFC 3339, UTC."""
    reason: str
    """refused or size."""
    words: str
    line: str
    """The line of the archive."""


class DeadLetters:
    """The file and the one before it: together at most twice MOST_BYTES, readable by their owner alone."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._most = most_bytes

    @property
    def before(self) -> Path:
        """The file that was full."""
        return self._path.with_name(f"{self._path.name}.1")

    @property
    def size(self) -> int:
        """Bytes of both."""
        return sum(path.stat().st_size for path in (self._path, self.before) if path.exists())

    def add(self, line: bytes, reason: str, words: str, now: datetime) -> bool:
        """Writes a line; False where letters of earlier were dropped for it. Raises OSError."""
        letter = DeadLetter(now.isoformat(), reason, words, line.decode("utf-8", "backslashreplace"))
        content = msgspec.json.encode(letter) + b"\n"
        kept = True
        if self._path.exists() and self._path.stat().st_size + len(content) > self._most:
            kept = not self.before.exists()
            self._path.replace(self.before)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return kept
