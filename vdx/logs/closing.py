"""Closing an hour: its open file becomes zstd Parquet beside it, sorted by receipt, and is removed."""

import os
import tempfile
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final

import duckdb
import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from vdx.logs.columns import SCHEMA, Batches, lines_of
from vdx.logs.files import CLOSED_SUFFIX, hour_of

PART_SUFFIX: Final = ".part"
"""Of a file that is being written; whoever finds one that nobody writes may remove it."""
MODE: Final = 0o640
_GROUP_ROWS: Final = 60_000
_HEAD_BYTES: Final = 4096
_KEY: Final = b"vdx_closed"
_WORDS: Final = ("time", "host", "address", "facility", "severity", "app", "transport", "source")
_MEMORY: Final = "256MB"


class ArchiveError(Exception):
    """A file of the archive cannot be read or written; the words name it and the mend."""


class Closed(msgspec.Struct, frozen=True):
    """What became of an hour."""

    lines: int
    """Lines that were added to the closed file."""
    rejected: int
    """Those of them that were no lines of the archive, and are kept as they came."""


class Part(msgspec.Struct, frozen=True):
    """How much of an open file is in the closed one: its first bytes, known again by a hash of their head.

    Another file of the hour has another head, since lines tell when they were received to the microsecond.
    """

    bytes: int
    head: str


def connection(**more: str) -> duckdb.DuckDBPyConnection:
    """DuckDB in bounded memory, which reads local files only and fetches nothing from elsewhere."""
    return duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": _MEMORY,
            "threads": 2,
            **more,
        }
    )


def closed_bytes(closed: Path, file: BinaryIO) -> int:
    """How many of the first bytes of an open file its closed one has: 0, unless its removal was cut short.

    Leaves the place in `file` behind them. Raises ArchiveError where the closed one cannot be read.
    """
    count = 0
    if closed.exists():
        metadata = _metadata(closed).metadata or {}
        if (text := metadata.get(_KEY)) is not None:
            part = msgspec.json.decode(text, type=Part)
            same = os.fstat(file.fileno()).st_size >= part.bytes and _head(file, part.bytes) == part.head
            count = part.bytes if same else 0
    file.seek(count)
    return count


def close(path: Path) -> Closed:
    """Closes the hour of an open file; its lines are merged into those of the hour that are closed already.

    The open file is removed when the closed one has been read back, and not before. Raises ArchiveError.
    """
    closed = path.with_suffix(CLOSED_SUFFIX)
    try:
        with path.open("rb") as file:
            begin = closed_bytes(closed, file)
            end = os.fstat(file.fileno()).st_size
            counts = Closed(0, 0)
            if end > begin:
                counts = _write(path, file, end, closed)
            path.unlink()
            _rescue(path, file, end)
    except (OSError, pa.ArrowException, duckdb.Error) as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArchiveError(
            f"{path} cannot be closed: {words}; check the disk and the rights of the folder"
        ) from None
    return counts


def _write(path: Path, file: BinaryIO, end: int, closed: Path) -> Closed:
    hour = hour_of(path)
    if hour is None:
        raise ArchiveError(f"{path} is no file of the archive")
    before = _metadata(closed).num_rows if closed.exists() else 0
    batches = Batches(hour, first=before)
    part = Part(end, _head(file, end))
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", suffix=PART_SUFFIX, dir=path.parent) as name:
        folder = Path(name)
        came, whole = folder / "came", folder / "whole"
        with pq.ParquetWriter(came, SCHEMA, compression="zstd", compression_level=1) as writer:
            for batch in batches.of(lines_of(file, end)):
                writer.write_batch(batch)
        _sort([came, closed] if before else [came], whole, part, folder)
        rows = _rows(whole)
        if rows != before + batches.lines:
            raise ArchiveError(
                f"{path}: {before + batches.lines:,} lines became {rows:,} rows, so it stays open; "
                "check the disk and the memory"
            )
        whole.chmod(MODE)
        _to_disk(whole)
        whole.replace(closed)
        _to_disk(closed.parent)
    return Closed(batches.lines, batches.rejected)


def _sort(files: list[Path], target: Path, part: Part, folder: Path) -> None:
    schema = SCHEMA.with_metadata({_KEY: msgspec.json.encode(part)})
    with connection(temp_directory=str(folder)) as database:
        names = [str(file) for file in files]
        found = database.sql("SELECT * FROM read_parquet(?) ORDER BY received, number", params=[names])
        with pq.ParquetWriter(
            target,
            schema,
            compression="zstd",
            use_dictionary=[*_WORDS, "call_ids.list.element"],
            write_page_checksum=True,
            column_encoding={"received": "DELTA_BINARY_PACKED", "number": "DELTA_BINARY_PACKED"},
        ) as writer:
            for batch in _groups(found):
                writer.write_table(batch.cast(schema))


def _groups(found: Any) -> Iterator[Any]:
    for batch in found.to_arrow_reader(_GROUP_ROWS):
        yield pa.Table.from_batches([batch])


def _rows(path: Path) -> int:
    """The rows of a file, all of which are read, with their checksums."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return sum(batch.num_rows for batch in file.iter_batches())


def _rescue(path: Path, file: BinaryIO, end: int) -> None:
    """Keeps what was written between the last look at a file and its removal, as lines that came late."""
    file.seek(end)
    if late := file.read():
        with path.open("ab") as again:
            again.write(late)


def _metadata(path: Path) -> Any:
    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        words = str(error).splitlines()[0]
        raise ArchiveError(f"{path} cannot be read: {words}; restore it, or move it away") from None


def _head(file: BinaryIO, end: int) -> str:
    place = file.tell()
    file.seek(0)
    head = file.read(min(end, _HEAD_BYTES))
    file.seek(place)
    return blake2b(head, digest_size=16).hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
