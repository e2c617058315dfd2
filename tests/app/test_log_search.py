"""`vdx logs search`, `call` and `follow`: what they print, and that each look is written down first."""

import asyncio
import json
import os
import signal
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import log_search
from app.log_lines import plain, visible
from app.log_search import Wanted
from app.log_times import read_time
from tests.system.commands import VDX, environment, run_vdx
from tests.vdx.log_lines import HOUR, line, numbered, write
from vdx.logs.access import note, user
from vdx.logs.closing import ArchiveError, close
from vdx.logs.query import Query
from vdx.logs.search import search
from vdx.settings import Settings, SettingsError, SyslogSettings

DENMARK = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SINCE = "2026-03-01"


def settings_of(folder: Path) -> Settings:
    return Settings(syslog=SyslogSettings(directory=folder))


async def searched(folder: Path, **wanted: object) -> int:
    return await log_search.search(settings_of(folder), Wanted(**{"since": SINCE, **wanted}))  # type: ignore[arg-type]


def accesses(folder: Path) -> list[dict[str, object]]:
    """What was written down of this user."""
    text = (folder / "access" / f"{os.getuid()}.jsonl").read_text(encoding="utf-8")
    return [json.loads(record) for record in text.splitlines()]


async def test_in_a_pipe_lines_are_plain_text_in_danish_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, [line(HOUR, "one\ttwo\x1b[2J\n", severity=3)])
    assert await searched(tmp_path) == 0
    out = capsys.readouterr().out
    assert out == "2026-03-04 09:00:00.000\tconf01\tpexip\terror\tone\\ttwo\\x1b[2J\\n\n"


async def test_json_has_the_line_as_it_was_and_the_kind_of_its_sender(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = line(HOUR, 'devid="x" logid="1" \x1b ø', host="fw1")
    write(tmp_path, [written])
    assert await searched(tmp_path, json=True) == 0
    assert json.loads(capsys.readouterr().out) == {**json.loads(written), "source": "fortigate"}


@pytest.mark.parametrize(("limit", "more"), [(2, True), (3, False)])
async def test_it_is_told_whether_there_are_more_lines_than_the_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: int, more: bool
) -> None:
    write(tmp_path, numbered(3))
    assert await searched(tmp_path, limit=limit) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == limit
    assert ("more than 2 lines" in told.err) is more


async def test_no_line_is_told_and_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await searched(tmp_path, text="x") == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "no line was found" in told.err


async def test_a_file_that_cannot_be_read_is_told_and_the_command_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, numbered(1))
    (tmp_path / "2026-03-04T07.parquet").write_bytes(b"broken")
    assert await searched(tmp_path) == 1
    told = capsys.readouterr()
    assert "line 0" in told.out
    assert "2026-03-04T07.parquet" in told.err


async def test_lines_are_written_into_a_file_that_only_its_owner_may_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    close(write(tmp_path, numbered(3)))
    output = tmp_path / "found.txt"
    output.write_text("old")
    output.chmod(0o644)
    assert await searched(tmp_path, output=output) == 0
    assert [row.split("\t")[-1] for row in output.read_text().splitlines()] == ["line 2", "line 1", "line 0"]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert capsys.readouterr().out == ""
    assert await searched(tmp_path, output=tmp_path / "none" / "x") == 1
    assert "--output" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"regex": "("}, "regex"),
        ({"severity": "bad"}, "--severity bad"),
        ({"since": "soon"}, "soon: it is no time"),
        ({"since": "-1h", "until": "-2h"}, "since is not before until"),
        ({"fields": ("nothing=",)}, None),
        ({"fields": ("=x",)}, "key=value"),
    ],
    ids=str,
)
async def test_wrong_arguments_end_with_2_and_a_line_that_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: dict[str, object], words: str | None
) -> None:
    write(tmp_path, numbered(1))
    assert await searched(tmp_path, **wanted) == (0 if words is None else 2)
    assert (words or "no line") in capsys.readouterr().err


class TestAccess:
    async def test_who_looked_for_what_is_written_down_and_not_what_was_found(self, tmp_path: Path) -> None:
        write(tmp_path, [line(HOUR, "Kari was here")])
        before = datetime.now(UTC)
        await searched(tmp_path, text="kari", severity="info")
        await log_search.call(settings_of(tmp_path), Wanted(call="AB-1", since=SINCE))
        first, second = accesses(tmp_path)
        assert (first["user"], first["command"], second["command"]) == (user(), "search", "call")
        assert first["filters"] == {"text": "kari", "severity": "info", "since": SINCE, "limit": 100}
        assert before <= datetime.fromisoformat(str(first["time"])) <= datetime.now(UTC)
        assert "was here" not in (tmp_path / "access" / f"{os.getuid()}.jsonl").read_text()

    def test_only_the_user_may_read_it_and_others_of_the_group_may_add_their_own(
        self, tmp_path: Path
    ) -> None:
        note(tmp_path, "search", {})
        folder = tmp_path / "access"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o1730
        assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]

    async def test_what_cannot_be_written_down_is_not_searched(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write(tmp_path, numbered(1))
        (tmp_path / "access").write_text("in the way")
        assert await searched(tmp_path) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert "each search is written down there" in told.err

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        note(tmp_path, "search", {})
        file = tmp_path / "access" / f"{os.getuid()}.jsonl"
        file.unlink()
        file.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ArchiveError):
            note(tmp_path, "search", {})
        assert not (tmp_path / "elsewhere").exists()


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("-1h", datetime(2026, 3, 4, 11, tzinfo=UTC)),
            ("-90m", datetime(2026, 3, 4, 10, 30, tzinfo=UTC)),
            ("-2d", datetime(2026, 3, 2, 12, tzinfo=UTC)),
            ("09:05", datetime(2026, 3, 4, 8, 5, tzinfo=UTC)),
            ("2026-03-04", datetime(2026, 3, 3, 23, tzinfo=UTC)),
            ("2026-07-04 14:05", datetime(2026, 7, 4, 12, 5, tzinfo=UTC)),
            ("2026-03-04T14:05:06Z", datetime(2026, 3, 4, 14, 5, 6, tzinfo=UTC)),
        ],
    )
    def test_times_are_danish_or_so_long_ago(self, text: str, expected: datetime) -> None:
        assert read_time(text, NOW, DENMARK) == expected

    def test_an_hour_that_comes_twice_is_taken_whole(self) -> None:
        twice = "2026-10-25 02:30"
        assert read_time(twice, NOW, DENMARK) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        assert read_time(twice, NOW, DENMARK, latest=True) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text", ["2026-03-29 02:30", "25:00", "-1y", "yesterday", "", "-999999d", "0001-01-01"]
    )
    def test_what_is_no_time_is_told(self, text: str) -> None:
        with pytest.raises(SettingsError):
            read_time(text, NOW, DENMARK)


@given(st.text())
def test_nothing_that_steers_a_terminal_is_shown(text: str) -> None:
    shown = visible(text)
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    assert visible(shown) == shown


def test_a_table_is_shown_in_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    write(tmp_path, [line(HOUR, "[bold]bad\x1b", severity=2)])
    assert asyncio.run(searched(tmp_path)) == 0
    out = capsys.readouterr().out
    assert "severity" in out
    assert "[bold]bad\\x1b" in out
    assert "\x1b[1;31m" in out


def test_the_commands_work_from_the_settings_file(tmp_path: Path) -> None:
    archive = tmp_path / "data" / "logs"
    archive.mkdir(parents=True)
    now = datetime.now(UTC)
    message = f'{now:%Y-%m-%d %H:%M:%S},000 Level="INFO" Name="x" Call-Id="AB-1"'
    write(archive, [line(now - timedelta(seconds=2), message)], now - timedelta(seconds=2))
    done = run_vdx("logs", "search", "call-id", "--since", "-1h", "-f", "level=info", folder=tmp_path)
    assert (done.returncode, done.stdout.count("AB-1")) == (0, 1), done.stderr
    done = run_vdx("logs", "call", "ab-1", "--json", folder=tmp_path)
    assert json.loads(done.stdout)["message"] == message
    assert [record["command"] for record in accesses(archive)] == ["search", "call"]
    done = run_vdx("logs", "search", "-e", "[", folder=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


async def test_following_shows_what_comes_until_a_signal(tmp_path: Path) -> None:
    archive = tmp_path / "data" / "logs"
    archive.mkdir(parents=True)
    now = datetime.now(UTC)
    write(archive, [line(now, "before", severity=4)], now)
    program = str(VDX)
    child = await asyncio.create_subprocess_exec(
        *(program, "logs", "follow", "--severity", "warning"),
        cwd=tmp_path,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        async with asyncio.timeout(20):
            while not (archive / "access").exists():  # noqa: ASYNC110 - a file of another process
                await asyncio.sleep(0.05)
            reading = asyncio.create_task(child.stdout.readline())
            while not reading.done():
                write(archive, [line(now, "calm"), line(now, "bad", severity=4)], now)
                await asyncio.wait({reading}, timeout=0.5)
            assert (await reading).decode().rstrip().split("\t")[1:] == [
                *("conf01", "pexip", "warning", "bad")
            ]
            child.send_signal(signal.SIGINT)
            assert await child.wait() == 0
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def test_a_line_whose_receipt_cannot_be_read_is_shown_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    path.write_text("garbage\n")
    [hit] = search(tmp_path, Query(), pytest.fail)
    assert plain(hit, DENMARK) == "2026-03-04 09:00:00.000\tunparsed\t\tnotice\tgarbage"
