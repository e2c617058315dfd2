"""An hour of the archive is closed without loss and without doubles, and the oldest hours go."""

import asyncio
import contextlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loguru import logger
from prometheus_client import CollectorRegistry

from tests.vdx.log_lines import HOUR, line, numbered, write
from vdx.logs.archive import IDLE, ArchiveKeeper
from vdx.logs.checkpoint import FileCheckpoint
from vdx.logs.closing import ArchiveError, close
from vdx.logs.files import open_file
from vdx.logs.passed import by_all, passed
from vdx.logs.query import Query
from vdx.logs.retention import Hour, dropped
from vdx.logs.search import search
from vdx.logs.tail import Tail
from vdx.settings import Settings, SyslogSettings


def messages(folder: Path) -> list[str]:
    """All messages of an archive, the oldest first; any fault of a file fails."""
    return [hit.line.message for hit in search(folder, Query(limit=1_000_000), pytest.fail)][::-1]


def later(path: Path, when: datetime) -> None:
    """Says that a file was last written at a moment."""
    os.utime(path, (when.timestamp(), when.timestamp()))


class Kept:
    """A keeper of a folder, with its metrics."""

    def __init__(self, folder: Path, **more: object) -> None:
        self.folder = folder
        self.registry = CollectorRegistry()
        self.all_passed = True
        self.keeper = ArchiveKeeper(
            Settings(syslog=SyslogSettings(directory=folder, **more)),  # type: ignore[arg-type]
            self.registry,
            lambda _: self.all_passed,
        )

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"log_archive_{name}", labels)


def test_a_closed_hour_has_the_lines_in_order_of_receipt_and_every_value_of_them(tmp_path: Path) -> None:
    text = 'Grüße "\\ \n\t\x00 Call-Id="AB-1"'
    odd = line(HOUR, text, host="h/x", address="::1", facility=23, severity=0, app="a b", transport="relp")
    path = write(tmp_path, [*numbered(3, first=1), odd])
    before = list(search(tmp_path, Query(), pytest.fail))
    assert close(path).lines == 4
    assert not path.exists()
    assert list(search(tmp_path, Query(), pytest.fail)) == before
    assert messages(tmp_path) == [text, "line 1", "line 2", "line 3"]


def test_what_is_no_line_is_kept_as_it_came_with_the_host_unparsed(tmp_path: Path) -> None:
    path = write(tmp_path, numbered(1))
    wrong = line(HOUR, "x", severity=99).encode()
    when = wrong.replace(b"2026-03-04T08", b"once", 1)
    with path.open("ab") as file:
        file.write(b"garbage \xff\x00\n\n{}\n" + wrong + when + b"no end")
    counts = close(path)
    assert (counts.lines, counts.rejected) == (6, 5)
    found = list(search(tmp_path, Query(host="unparsed"), pytest.fail))[::-1]
    raw = [hit.line.message for hit in found]
    assert raw[:3] == ["garbage \ufffd\x00", "{}", wrong.decode().strip()]
    assert raw[-1] == "no end"
    assert messages(tmp_path)[0] == "line 0"


def test_a_huge_line_is_kept_in_pieces(tmp_path: Path) -> None:
    path = write(tmp_path, [line(HOUR, "x" * 64_000), "y" * 2_500_000 + "\n", *numbered(1, first=1)])
    assert close(path).rejected == 3
    found = messages(tmp_path)
    assert found[0] == "x" * 64_000
    assert "".join(found[1:4]) == "y" * 2_500_000
    assert found[4] == "line 1"


def test_lines_that_come_late_are_merged_into_the_closed_hour(tmp_path: Path) -> None:
    close(write(tmp_path, [*numbered(2), *numbered(2, first=5)]))
    write(tmp_path, numbered(3, first=2))
    assert messages(tmp_path) == [f"line {number}" for number in (0, 1, 2, 3, 4, 5, 6)]
    close(open_file(tmp_path, HOUR))
    assert messages(tmp_path) == [f"line {number}" for number in range(7)]


def test_a_crash_before_the_open_file_is_removed_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, numbered(100))

    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            close(path)
    assert path.exists()
    assert path.with_suffix(".parquet").exists()
    assert len(messages(tmp_path)) == 100
    write(tmp_path, numbered(1, first=100))
    assert len(messages(tmp_path)) == 101
    assert close(path).lines == 1
    assert messages(tmp_path) == [f"line {number}" for number in range(101)]


KILLED = """
import os, sys
from pathlib import Path
from vdx.logs import closing
closing._to_disk = lambda _: os._exit(9)
closing.close(Path(sys.argv[1]))
"""
FULL = """
import resource, sys
from pathlib import Path
from vdx.logs import closing
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
closing.close(Path(sys.argv[1]))
"""


def run(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_crash_before_the_closed_file_stands_loses_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, numbered(10))
    assert run(KILLED, path).returncode == 9
    assert len(list(tmp_path.iterdir())) == 2, "the part that was being written is left"
    kept = Kept(tmp_path, retention_days=36500)
    assert kept.keeper.round(now=datetime.now(UTC) + timedelta(days=1))
    assert {entry.name for entry in tmp_path.iterdir()} == {"access", "2026-03-04T08.parquet"}
    assert len(messages(tmp_path)) == 10


def test_a_disk_without_room_for_the_closed_file_leaves_the_open_one(tmp_path: Path) -> None:
    noise = (line(HOUR + timedelta(milliseconds=n), os.urandom(500).hex()) for n in range(500))
    path = write(tmp_path, noise)
    done = run(FULL, path)
    assert "ArchiveError" in done.stderr.splitlines()[-1], done.stderr
    assert "2026-03-04T08.jsonl cannot be closed" in done.stderr.splitlines()[-1]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert len(messages(tmp_path)) == 500


def test_what_is_written_while_the_file_is_removed_comes_late_but_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, numbered(2))
    unlink = Path.unlink

    def unlink_late(self: Path) -> None:
        write(tmp_path, numbered(1, first=2))
        unlink(self)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink_late)
        close(path)
    assert messages(tmp_path) == ["line 0", "line 1", "line 2"]


def test_a_closed_file_that_is_broken_is_not_written_over(tmp_path: Path) -> None:
    path = write(tmp_path, numbered(1))
    closed = path.with_suffix(".parquet")
    closed.write_bytes(b"PAR1 broken")
    with pytest.raises(ArchiveError, match=r"2026-03-04T08\.parquet cannot be read.*move it away"):
        close(path)
    assert closed.read_bytes() == b"PAR1 broken"
    assert path.exists()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.binary(max_size=40).map(lambda raw: raw.translate(None, b"\r\n")),
                st.tuples(st.text(max_size=30), st.integers(0, 3_599)).map(
                    lambda told: line(HOUR + timedelta(seconds=told[1]), told[0]).strip().encode()
                ),
            ),
            max_size=8,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_every_line_that_is_written_is_in_the_archive_once(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    path = open_file(folder, HOUR)
    for number, part in enumerate(parts):
        # The collector receives no two files in the same microsecond.
        first = line(HOUR + timedelta(microseconds=number), "first").encode()
        path.write_bytes(first + b"".join(raw + b"\n" for raw in part))
        close(path)
    assert len(messages(folder)) == sum(1 + sum(map(bool, part)) for part in parts)


class TestKeeper:
    def test_an_hour_is_closed_when_it_is_over_idle_and_read_by_all(self, tmp_path: Path) -> None:
        kept = Kept(tmp_path)
        path = write(tmp_path, numbered(2))
        end = HOUR + timedelta(hours=1)
        later(path, end)
        kept.all_passed = False
        kept.keeper.round(now=end + IDLE)
        assert path.exists()
        assert kept.metric("waiting_hours") == 1
        kept.all_passed = True
        kept.keeper.round(now=end + IDLE - timedelta(seconds=1))
        assert path.exists()
        kept.keeper.round(now=end + IDLE)
        assert not path.exists()
        assert kept.metric("waiting_hours") == 0
        assert kept.metric("closed_total") == 1
        assert kept.metric("hours") == 1
        assert kept.metric("oldest_timestamp_seconds") == HOUR.timestamp()
        assert kept.metric("bytes") == path.with_suffix(".parquet").stat().st_size

    def test_the_hour_that_is_written_stays_open_however_idle(self, tmp_path: Path) -> None:
        path = write(tmp_path, numbered(1))
        later(path, HOUR)
        assert Kept(tmp_path).keeper.round(now=HOUR + timedelta(minutes=59))
        assert path.exists()

    def test_an_empty_archive_is_well_and_has_no_oldest_hour(self, tmp_path: Path) -> None:
        kept = Kept(tmp_path / "none" / "yet")
        assert kept.metric("hours") is None
        assert kept.keeper.round()
        assert kept.metric("hours") == 0
        assert kept.metric("oldest_timestamp_seconds") is None
        assert (tmp_path / "none" / "yet").stat().st_mode & 0o027 == 0

    def test_a_fault_is_counted_each_round_and_told_once(self, tmp_path: Path) -> None:
        kept = Kept(tmp_path, retention_days=36500)
        path = write(tmp_path, numbered(1))
        path.with_suffix(".parquet").write_bytes(b"PAR1 broken")
        told: list[str] = []
        handler = logger.add(told.append, level="INFO", format="{message}")
        now = datetime.now(UTC) + timedelta(days=1)
        try:
            assert not kept.keeper.round(now=now)
            assert not kept.keeper.round(now=now)
            path.with_suffix(".parquet").unlink()
            assert kept.keeper.round(now=now)
        finally:
            logger.remove(handler)
        assert kept.metric("failures_total") == 2
        assert len(told) == 2
        assert "2026-03-04T08.parquet" in told[0]
        assert "well again" in told[1]

    async def test_it_works_until_it_is_stopped(self, tmp_path: Path) -> None:
        kept = Kept(tmp_path)
        stop = asyncio.Event()
        work = asyncio.create_task(kept.keeper.run(stop))
        await asyncio.sleep(0)
        stop.set()
        await asyncio.wait_for(work, 5)
        assert kept.metric("hours") == 0

    def test_old_hours_are_dropped_open_or_closed_and_counted(self, tmp_path: Path) -> None:
        kept = Kept(tmp_path, retention_days=1)
        close(write(tmp_path, numbered(1)))
        write(tmp_path, numbered(1))
        following = HOUR + timedelta(hours=1)
        write(tmp_path, numbered(1, following), following)
        now = HOUR + timedelta(days=1, hours=1)
        assert kept.keeper.round(now=now)
        assert messages(tmp_path) == ["line 0"]
        assert kept.metric("dropped_total", reason="age") == 1
        assert kept.metric("dropped_total", reason="disk") == 0

    def test_the_oldest_hours_are_dropped_when_the_disk_is_used_up_and_it_is_told(
        self, tmp_path: Path
    ) -> None:
        kept = Kept(tmp_path, disk_gigabytes=1)
        for number in range(3):
            hour = HOUR + timedelta(hours=number)
            os.truncate(write(tmp_path, [], hour), 400_000_000)
        kept.all_passed = False
        told: list[str] = []
        handler = logger.add(told.append, level="WARNING", format="{message}")
        try:
            kept.keeper.round(now=HOUR + timedelta(hours=3))
        finally:
            logger.remove(handler)
        assert sorted(path.name for path in tmp_path.glob("2026*")) == [
            "2026-03-04T09.jsonl",
            "2026-03-04T10.jsonl",
        ]
        assert kept.metric("dropped_total", reason="disk") == 1
        assert kept.metric("bytes") == 800_000_000
        assert len(told) == 1
        assert "2026-03-04 08 UTC is dropped" in told[0]
        assert "syslog.disk_gigabytes" in told[0]


@given(
    st.dictionaries(st.integers(0, 200), st.integers(0, 50), max_size=40),
    st.integers(1, 100),
    st.integers(0, 500),
)
def test_retention_drops_the_oldest_alone_and_only_what_it_must(
    sizes: dict[int, int], keep: int, most: int
) -> None:
    hours = [Hour(HOUR + timedelta(hours=number), size) for number, size in sizes.items()]
    now = HOUR + timedelta(hours=150, minutes=30)
    gone = list(dropped(hours, now, timedelta(hours=keep), most))
    ordered = sorted(hours, key=lambda hour: hour.begin)
    assert [hour for hour, _ in gone] == ordered[: len(gone)]
    left = ordered[len(gone) :]
    over = [hour for hour in left if hour.begin + timedelta(hours=1) <= now]
    assert all(hour.begin + timedelta(hours=1) > now - timedelta(hours=keep) for hour in over)
    assert not over or sum(hour.bytes for hour in left) <= most
    for hour, reason in gone:
        assert hour.begin + timedelta(hours=1) <= now
        if reason == "disk":
            since = [one for one in ordered if one.begin >= hour.begin]
            assert sum(one.bytes for one in since) > most


def test_a_reader_has_passed_a_file_when_it_has_read_its_complete_lines(tmp_path: Path) -> None:
    path = write(tmp_path, numbered(2))
    following = HOUR + timedelta(hours=1)
    later_path = write(tmp_path, numbered(1, following), following)
    checkpoint = FileCheckpoint(tmp_path / "reader.json")
    with contextlib.closing(checkpoint), Tail(tmp_path, checkpoint) as tail:
        assert not passed(tail.position, path)
        while tail.read() is not None:
            pass
        assert passed(tail.position, path)
        assert passed(tail.position, later_path)
        with path.open("a") as file:
            file.write("without an end")
        assert passed(tail.position, path)
        with path.open("a") as file:
            file.write("\n")
        assert not passed(tail.position, path)
        path.write_text("".join(numbered(2, first=5)))
        assert not passed(tail.position, path), "another file of the same name"


def test_a_file_may_go_when_every_reader_has_passed_it(tmp_path: Path) -> None:
    path = write(tmp_path, numbered(2))
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert by_all(())(path)
    assert not by_all((first,))(path), "it has read nothing yet"
    for state in (first, second):
        assert not by_all((first, second))(path)
        with contextlib.closing(FileCheckpoint(state)) as checkpoint, Tail(tmp_path, checkpoint) as tail:
            while batch := tail.read():
                checkpoint.commit(batch.position)
    assert by_all((first, second))(path)
    second.write_text("no position")
    assert not by_all((first, second))(path)
