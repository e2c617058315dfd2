"""Who read lines of the archive: each search is written down before it is made.

Lines hold personal data, so reading them leaves a trace: who, when and what was looked for, not what was
found. Each user has a file of its own in the folder `access`, which only that user and root may read; the
folder lets members of the archive's group make their file, but neither list nor remove those of others.
"""

import os
import pwd
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from vdx.logs.closing import ArchiveError

FOLDER: Final = "access"
FOLDER_MODE: Final = 0o1730
FILE_MODE: Final = 0o600


def prepare(folder: Path) -> None:
    """Makes the folder for the files, where there is none. Raises OSError."""
    path = folder / FOLDER
    if not path.exists():
        path.mkdir()
        path.chmod(FOLDER_MODE)


def user() -> str:
    """The name of the user of the operating system that this process runs as; its number without a name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def note(folder: Path, command: str, filters: Mapping[str, Any]) -> None:
    """Writes down that somebody reads. Raises ArchiveError where that cannot be: then nothing may be read."""
    record = {"time": datetime.now(UTC), "user": user(), "command": command, "filters": filters}
    if os.getuid() == 0 and (behind := os.environ.get("SUDO_USER")):
        record["sudo_user"] = behind
    path = folder / FOLDER / f"{os.getuid()}.jsonl"
    try:
        prepare(folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        descriptor = os.open(path, flags, FILE_MODE)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(msgspec.json.encode(record) + b"\n")
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be written: {error.strerror}; each search is written down there, so none is "
            f"made. Check that {folder} exists and that you belong to its group"
        ) from None
