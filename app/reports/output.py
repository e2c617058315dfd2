"""Where a report goes: standard output, or a file that is there whole or not at all; and how far it is."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from vdx.settings import SettingsError

PRIVATE: Final = 0o600
"""Call records are for whoever asked for them."""
COMMON: Final = 0o666
"""As the user's umask says."""


class OutputError(Exception):
    """A file cannot be written; the message is one line that ends with the mend."""


def refuse_to_overwrite(option: str, path: Path, *, force: bool) -> None:
    """Raises SettingsError where a file is in the way."""
    if path.is_dir():
        raise SettingsError(f"{option}: {path} is a folder; name a file in it")
    if path.exists() and not force:
        raise SettingsError(f"{option}: {path} is there already; name another file, or add --force")


@contextlib.contextmanager
def new_file(option: str, path: Path, mode: int) -> Iterator[BinaryIO]:
    """A file to write to that takes its name when the block ends well, in the place of one that has it.

    Raises SettingsError where none can be made there, and OutputError where writing fails.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise SettingsError(
            f"{option}: cannot write in {path.parent}: {error.strerror}; name a folder that you may write in"
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}; check the space that is left there"
        ) from None
    finally:
        draft.unlink(missing_ok=True)


class Progress:
    """How far it is, on standard error, in a terminal and where it takes longer than some seconds."""

    def __init__(self, *, after: float = 2.0, every: float = 0.2) -> None:
        self._next = time.monotonic() + after
        self._every = every
        self._shown = False

    def show(self, text: str) -> None:
        """Puts a line in the place of the one before."""
        now = time.monotonic()
        if now < self._next or not sys.stderr.isatty():
            return
        self._next = now + self._every
        self._shown = True
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def end(self) -> None:
        """Takes the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
