"""The files of the archive: one for each hour (UTC) of receipt, `YYYY-MM-DDTHH.jsonl`, in one folder.

The collector writes the current one; when its hour is over and nothing more comes, it is closed and becomes
`YYYY-MM-DDTHH.parquet` beside it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from vdx.settings import Settings

OPEN_SUFFIX: Final = ".jsonl"
CLOSED_SUFFIX: Final = ".parquet"
_FORM: Final = "%Y-%m-%dT%H"


def directory(settings: Settings) -> Path:
    """The folder of the archive."""
    return settings.syslog.directory or settings.data.directory / "logs"


def open_file(folder: Path, moment: datetime) -> Path:
    """The file for lines that are received at a moment."""
    return folder / f"{moment.astimezone(UTC):{_FORM}}{OPEN_SUFFIX}"


def hour_of(path: Path) -> datetime | None:
    """The hour whose lines a file holds, UTC; None for a file that is none of the archive."""
    if path.suffix not in (OPEN_SUFFIX, CLOSED_SUFFIX):
        return None
    try:
        return datetime.strptime(path.stem, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def open_files(folder: Path) -> Iterator[Path]:
    """The files that are not closed, oldest first."""
    yield from sorted(path for path in folder.glob(f"*{OPEN_SUFFIX}") if hour_of(path) is not None)
