"""A reader of the archive reads each line once, whatever happens to the files."""

import json
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdx.logs.checkpoint import CheckpointError, DatabaseCheckpoint, FileCheckpoint, committed
from vdx.logs.passed import passed
from vdx.logs.position import FINGERPRINT_BYTES, MOST_PLACES
from vdx.logs.tail import MOST_LINE_BYTES, Tail, decoded

FIRST, SECOND, THIRD = (f"2026-11-24T{hour}.jsonl" for hour in ("10", "11", "12"))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> FileCheckpoint:
    return FileCheckpoint(tmp_path / "position")


def write(archive: Path, name: str, *lines: str) -> None:
    with (archive / name).open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def drain(tail: Tail) -> list[str]:
    lines: list[str] = []
    while batch := tail.read():
        lines.extend(line.decode() for line in batch.lines)
    return lines


def again(tail: Tail, checkpoint: FileCheckpoint, archive: Path) -> Tail:
    """The reader after a restart."""
    checkpoint.commit(tail.position)
    tail.close()
    return Tail(archive, checkpoint)


def test_files_are_read_in_the_order_of_their_hours(archive: Path, checkpoint: FileCheckpoint) -> None:
    write(archive, SECOND, "c")
    write(archive, FIRST, "a", "b")
    with Tail(archive, checkpoint) as tail:
        assert drain(tail) == ["a", "b", "c"]


def test_a_line_that_comes_late_into_an_earlier_hour_is_read(
    archive: Path, checkpoint: FileCheckpoint
) -> None:
    write(archive, FIRST, "a")
    write(archive, SECOND, "b")
    with Tail(archive, checkpoint) as tail:
        drain(tail)
        write(archive, FIRST, "late")
        write(archive, SECOND, "c")
        assert drain(tail) == ["late", "c"]


def test_a_line_without_its_end_waits_for_it(archive: Path, checkpoint: FileCheckpoint) -> None:
    with Tail(archive, checkpoint) as tail, (archive / FIRST).open("a") as file:
        file.write("a\nhal")
        file.flush()
        assert drain(tail) == ["a"]
        file.write("f\n")
        file.flush()
        assert drain(tail) == ["half"]


def test_a_first_run_can_begin_at_the_end(archive: Path, checkpoint: FileCheckpoint) -> None:
    write(archive, FIRST, "a")
    with (archive / FIRST).open("a") as file:
        file.write("b")
    with Tail(archive, checkpoint, from_end=True) as tail:
        assert drain(tail) == []
        write(archive, FIRST, "")
        write(archive, SECOND, "c")
        assert drain(tail) == ["b", "c"]


def test_files_that_are_none_of_the_archive_are_left_alone(archive: Path, checkpoint: FileCheckpoint) -> None:
    write(archive, "notes.jsonl", "a")
    write(archive, "2026-11-24T10.parquet", "b")
    with Tail(archive, checkpoint) as tail:
        assert drain(tail) == []


def test_a_file_that_is_deleted_is_read_to_its_end(archive: Path, checkpoint: FileCheckpoint) -> None:
    write(archive, FIRST, "a")
    write(archive, SECOND, "x")
    with Tail(archive, checkpoint) as tail:
        drain(tail)
        write(archive, FIRST, "b")
        (archive / FIRST).unlink()
        assert drain(tail) == ["b"]
        assert tail.faults["deleted"] == 0


def test_a_file_that_is_gone_after_a_restart_is_counted(archive: Path, checkpoint: FileCheckpoint) -> None:
    write(archive, FIRST, "a")
    write(archive, SECOND, "b")
    tail = Tail(archive, checkpoint)
    drain(tail)
    (archive / FIRST).unlink()
    write(archive, SECOND, "c")
    with again(tail, checkpoint, archive) as tail:
        assert drain(tail) == ["c"]
        assert tail.faults["deleted"] == 1


def test_a_file_that_is_renamed_is_read_to_its_end_after_a_restart(
    archive: Path, checkpoint: FileCheckpoint
) -> None:
    write(archive, FIRST, "a")
    write(archive, SECOND, "x")
    tail = Tail(archive, checkpoint)
    drain(tail)
    write(archive, FIRST, "b")
    (archive / FIRST).rename(archive / f"{FIRST}.1")
    with again(tail, checkpoint, archive) as tail:
        assert drain(tail) == ["b"]
        assert tail.faults["deleted"] == 0


@pytest.mark.parametrize("restart", [False, True])
def test_a_file_that_is_truncated_is_read_from_its_beginning(
    archive: Path, checkpoint: FileCheckpoint, restart: bool
) -> None:
    write(archive, FIRST, "a", "b", "c")
    tail = Tail(archive, checkpoint)
    drain(tail)
    os.truncate(archive / FIRST, 0)
    write(archive, FIRST, "d")
    if restart:
        tail = again(tail, checkpoint, archive)
    with tail:
        assert drain(tail) == ["d"]
        assert tail.faults["truncated"] == 1


@pytest.mark.parametrize("restart", [False, True])
def test_a_file_that_is_replaced_is_read_from_its_beginning(
    archive: Path, checkpoint: FileCheckpoint, restart: bool
) -> None:
    write(archive, FIRST, "a")
    tail = Tail(archive, checkpoint)
    drain(tail)
    write(archive, FIRST, "b")
    (archive / FIRST).rename(archive / "elsewhere")
    write(archive, FIRST, "one", "two", "three")
    if restart:
        tail = again(tail, checkpoint, archive)
    with tail:
        # What the running reader has open it reads to its end.
        assert drain(tail) == ([] if restart else ["b"]) + ["one", "two", "three"]
        assert tail.faults["replaced"] == 1


def test_a_file_that_is_copied_back_goes_on_where_it_was(archive: Path, checkpoint: FileCheckpoint) -> None:
    write(archive, FIRST, "a" * FINGERPRINT_BYTES)
    tail = Tail(archive, checkpoint)
    drain(tail)
    content = (archive / FIRST).read_bytes()
    (archive / FIRST).rename(archive.parent / "moved")
    (archive / FIRST).write_bytes(content + b"b\n")
    with again(tail, checkpoint, archive) as tail:
        assert drain(tail) == ["b"]


def test_a_folder_that_is_away_for_a_while_is_not_read_twice(
    archive: Path, checkpoint: FileCheckpoint
) -> None:
    write(archive, FIRST, "a")
    tail = Tail(archive, checkpoint)
    drain(tail)
    archive.rename(archive.with_name("away"))
    with again(tail, checkpoint, archive) as tail:
        assert drain(tail) == []
        archive.mkdir()
        assert drain(tail) == []
        archive.rmdir()
        archive.with_name("away").rename(archive)
        write(archive, FIRST, "b")
        assert drain(tail) == ["b"]


@pytest.mark.parametrize("length", [MOST_LINE_BYTES + 1, 5 * MOST_LINE_BYTES])
def test_a_line_that_is_too_long_is_skipped_and_counted(
    archive: Path, checkpoint: FileCheckpoint, length: int
) -> None:
    write(archive, FIRST, "a", "x" * length, "b")
    with Tail(archive, checkpoint) as tail:
        assert drain(tail) == ["a", "b"]
        assert tail.faults["too long"] == 1


def test_a_line_that_grows_without_end_is_skipped_once_it_has_one(
    archive: Path, checkpoint: FileCheckpoint
) -> None:
    tail = Tail(archive, checkpoint)
    with (archive / FIRST).open("a") as file:
        for _ in range(3):
            file.write("x" * MOST_LINE_BYTES)
            file.flush()
            assert drain(tail) == []
        tail = again(tail, checkpoint, archive)
        file.write("\nb\n")
    with tail:
        assert drain(tail) == ["b"]
        assert tail.faults["too long"] == 1


def test_the_longest_line_that_is_allowed_is_read(archive: Path, checkpoint: FileCheckpoint) -> None:
    write(archive, FIRST, "x" * MOST_LINE_BYTES)
    with Tail(archive, checkpoint) as tail:
        assert list(map(len, drain(tail))) == [MOST_LINE_BYTES]


def test_the_lag_is_what_was_not_read(archive: Path, checkpoint: FileCheckpoint) -> None:
    line = json.dumps({"received": "2026-11-24T10:00:00Z", "message": "x"})
    write(archive, FIRST, line, line)
    now = 1_795_514_400.0 + 90
    with Tail(archive, checkpoint) as tail:
        behind = tail.lag(now)
        assert (behind.bytes, behind.seconds) == (2 * len(line) + 2, 90)
        drain(tail)
        assert tail.lag(now).bytes == 0
        assert tail.lag(now).seconds == 0


def test_a_position_does_not_grow_with_the_archive(archive: Path, checkpoint: FileCheckpoint) -> None:
    names = [f"2026-11-{day:02}T{hour:02}.jsonl" for day in range(1, 5) for hour in range(24)]
    for name in names:
        write(archive, name, name)
    tail = Tail(archive, checkpoint)
    assert drain(tail) == names
    assert len(tail.position.places) == MOST_PLACES
    with again(tail, checkpoint, archive) as tail:
        assert drain(tail) == []


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from((FIRST, SECOND, THIRD)), st.integers(1, 5), st.booleans(), st.booleans()),
        max_size=12,
    )
)
def test_each_line_is_read_once_with_restarts_anywhere(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, bool, bool]]
) -> None:
    archive = tmp_path_factory.mktemp("archive")
    checkpoint = FileCheckpoint(tmp_path_factory.mktemp("state") / "position")
    tail, written, read = Tail(archive, checkpoint), 0, []
    for name, count, reads, restarts in steps:
        write(archive, name, *(str(number) for number in range(written, written + count)))
        written += count
        if reads:
            read += drain(tail)
        if restarts:
            tail = again(tail, checkpoint, archive)
    read += drain(tail)
    tail.close()
    checkpoint.close()
    assert sorted(map(int, read)) == list(range(written))


def test_garbage_is_told_apart_and_wrong_bytes_are_replaced() -> None:
    good = (
        b'{"received":"r","time":"t","host":"h","address":"a","facility":1,"severity":6,"app":"p",'
        b'"transport":"udp","message":"caf\xe9"}'
    )
    lines = list(decoded([b"", b"\x00\xff", b"[]", b'{"host":1}', good]))
    assert lines[:4] == [None] * 4
    assert lines[4] is not None
    assert lines[4].message == "caf\ufffd"


def test_a_position_and_its_result_are_kept_together_or_not_at_all(archive: Path, tmp_path: Path) -> None:
    def add(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO counts VALUES (1)")

    def fail(connection: sqlite3.Connection) -> None:
        add(connection)
        raise ValueError

    checkpoint = DatabaseCheckpoint(tmp_path / "state.sqlite3", "CREATE TABLE IF NOT EXISTS counts (n);")
    write(archive, FIRST, "a")
    with Tail(archive, checkpoint) as tail:
        drain(tail)
        checkpoint.commit(tail.position, add)
        kept = checkpoint.position
        write(archive, FIRST, "b")
        drain(tail)
        with pytest.raises(ValueError):  # noqa: PT011 - it is the one above
            checkpoint.commit(tail.position, fail)
    checkpoint.close()
    checkpoint = DatabaseCheckpoint(tmp_path / "state.sqlite3")
    assert checkpoint.position == kept
    assert checkpoint.connection.execute("SELECT count(*) FROM counts").fetchone() == (1,)
    checkpoint.close()


@pytest.mark.parametrize("kind", [FileCheckpoint, DatabaseCheckpoint])
def test_a_second_reader_is_refused_while_the_first_lives(
    tmp_path: Path, kind: type[FileCheckpoint | DatabaseCheckpoint]
) -> None:
    first = kind(tmp_path / "state")
    with pytest.raises(CheckpointError, match="in use by another reader; stop that one first"):
        kind(tmp_path / "state")
    first.close()
    kind(tmp_path / "state").close()


@pytest.mark.parametrize("kind", [FileCheckpoint, DatabaseCheckpoint])
def test_a_broken_checkpoint_tells_what_to_do(
    tmp_path: Path, kind: type[FileCheckpoint | DatabaseCheckpoint]
) -> None:
    (tmp_path / "state").write_bytes(b"garbage" * 1000)
    with pytest.raises(CheckpointError, match="move it away, and reading begins afresh"):
        kind(tmp_path / "state")
    (tmp_path / "state").unlink()
    kind(tmp_path / "state").close()


@pytest.mark.parametrize("kind", [FileCheckpoint, DatabaseCheckpoint])
def test_others_can_tell_which_files_a_reader_has_read(
    archive: Path, tmp_path: Path, kind: type[FileCheckpoint | DatabaseCheckpoint]
) -> None:
    state = tmp_path / "state"
    assert committed(state) is None
    checkpoint = kind(state)
    write(archive, FIRST, "a")
    write(archive, SECOND, "b")
    with Tail(archive, checkpoint) as tail:
        drain(tail)
        checkpoint.commit(tail.position)
    write(archive, SECOND, "c")
    write(archive, THIRD, "d")
    position = committed(state)
    assert position is not None
    assert [passed(position, archive / name) for name in (FIRST, SECOND, THIRD)] == [True, False, False]
    checkpoint.close()
