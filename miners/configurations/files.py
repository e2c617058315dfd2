"""Files of which others may know nothing, written whole or not at all."""

import asyncio
import fcntl
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from miners.configurations.errors import BackupError, Reason

WAIT: Final = 30.0
"""Seconds that another process may hold the folder."""
_PAUSE: Final = 0.05


def make_folder(path: Path) -> None:
    """Makes a folder for this user alone, or makes it so. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)


def write(path: Path, content: bytes) -> None:
    """Writes a file for this user alone, by renaming it into its place. Raises OSError."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def key(path: Path) -> bytes:
    """The key in a file, which is made where there is none. Raises OSError."""
    if not path.exists():
        write(path, secrets.token_hex(32).encode())
    return path.read_bytes().strip()


@asynccontextmanager
async def held(path: Path) -> AsyncIterator[None]:
    """Holds a lock among processes while the block runs. Raises BackupError where another one keeps it."""
    end = asyncio.get_running_loop().time() + WAIT
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() > end:
                    raise BackupError(
                        Reason.STORAGE, f"another process has held {path} for {WAIT:g} seconds"
                    ) from None
                await asyncio.sleep(_PAUSE)
            else:
                break
        yield
    finally:
        os.close(descriptor)
