"""`vdx report usage`: what is asked, what comes out, in every form."""

import csv
import io
import json
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner, Result

from app import log as log_module
from app import report_command
from app.report_command import report
from app.reports import figures, making, output
from app.reports.catalogue import WORDS, Language, heading, number
from app.reports.columns import RECORD, Column, Kind, Sheet
from app.reports.formats import harmless, print_table, write_csv
from app.reports.period import Kind as Called
from app.reports.period import Period, read_period
from app.reports.picture import granularity
from tests.store import worlds
from tests.store.filling import (
    MINUTES,
    ended_call,
    put,
    put_calls,
    put_days,
    put_names,
    put_progress,
    used,
    writing,
)
from vdx.days import midnight
from vdx.pexip.resources import HISTORY_PARTICIPANT
from vdx.settings import Settings, SettingsError
from vdx.store import call_records, upgrade
from vdx.store.history_tables import history_gap, usage_pending
from vdx.store.usage_queries import ADDED, NOTHING, Usage
from vdx.usage import Scope

ZONE = ZoneInfo("Europe/Copenhagen")
TODAY = date(2026, 11, 24)


class Frozen(datetime):
    """A clock that stands."""

    @classmethod
    def now(cls, tz: Any = None) -> "Frozen":
        return cls(2026, 11, 24, 9, tzinfo=UTC).astimezone(tz)


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_command, "datetime", Frozen)
    monkeypatch.setattr(log_module, "configure", lambda **_: None)


class Site:
    """A settings file with a database, and the command that reads it."""

    def __init__(self, directory: Path, url: str, *, store_identities: bool = False) -> None:
        self.directory = directory
        self.settings: Settings = worlds.settings(url, directory, store_identities=store_identities)
        self.file = directory / "vdx.toml"
        self.file.write_text(
            f'[database]\nurl = "{url}"\n[data]\ndirectory = "{directory / "data"}"\n'
            f"[privacy]\nstore_identities = {str(store_identities).lower()}\n"
        )
        upgrade(self.settings)

    def run(self, *arguments: str | Path) -> Result:
        """The outcome of `vdx report usage`."""
        words = ["usage", "--settings", str(self.file), *map(str, arguments)]
        return CliRunner().invoke(report, words, catch_exceptions=False)

    def good(self, *arguments: str | Path) -> str:
        """The standard output of one that goes well."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def refused(self, *arguments: str | Path) -> str:
        """The one line of one whose arguments are wrong."""
        result = self.run(*arguments)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith("vdx: ")
        return line

    def rows(self, *arguments: str | Path) -> list[dict[str, str]]:
        """The rows of CSV in English."""
        text = self.good("--format", "csv", "--language", "en", *arguments)
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))


@pytest.fixture
def empty(tmp_path: Path) -> Site:
    """A site without calls."""
    return Site(tmp_path, f"sqlite:///{tmp_path / 'vdx.sqlite3'}")


def fill(settings: Settings) -> None:
    """Two years of weekdays, of Nord with its units, and six calls of October 2026."""
    with writing(settings) as writer:
        put_names(writer, identities=settings.privacy.store_identities)
        put_progress(writer, datetime(2026, 11, 24, 9, tzinfo=UTC))
        day = date(2025, 9, 1)
        while day < TODAY:
            begin = midnight(day, ZONE)
            grown = 20 if day.year == 2026 else 10
            shared = {
                "participant_microseconds": 60 * MINUTES * grown,
                "port_microseconds": 30 * MINUTES * grown,
                "completed": grown,
                "quality_good": grown - 5,
                "quality_bad": 5,
                "peak_at": begin + timedelta(hours=9, minutes=5),
            }
            rows = (
                (Scope.PLATFORM, 0, 3),
                (Scope.SUBTREE, 1, 2),
                (Scope.ORGANISATION, 1, 1),
                (Scope.SUBTREE, 2, 1),
                (Scope.ORGANISATION, 0, 1),
                (Scope.TAG, 1, 1),
                (Scope.LOCATION, 2, 1),
            )
            put_days(
                writer,
                *(
                    used(
                        scope,
                        key,
                        begin,
                        legs=share * grown,
                        meetings=share,
                        peak_ports=share * day.day,
                        **shared,
                    )
                    for scope, key, share in (rows if day.weekday() < 5 else ())
                ),
            )
            day += timedelta(days=1)
        start = datetime(2026, 10, 5, 7, 30, tzinfo=UTC)
        put_calls(
            writer,
            *(
                ended_call(
                    start + timedelta(minutes=number),
                    number,
                    organisation_id=1 + number % 2,
                    service_tag_id=1 + number % 2,
                )
                for number in range(6)
            ),
        )


@pytest.fixture
def site(empty: Site) -> Site:
    """A site with two years of usage."""
    fill(empty.settings)
    return empty


@pytest.fixture
def open_site(tmp_path: Path) -> Site:
    """A site that stores names."""
    found = Site(tmp_path, f"sqlite:///{tmp_path / 'vdx.sqlite3'}", store_identities=True)
    fill(found.settings)
    return found


@pytest.mark.parametrize(
    ("asked", "shown", "days", "before"),
    [
        ({}, "2026-10", 31, "2026-09"),
        ({"month": "2026-3"}, "2026-03", 31, "2026-02"),
        ({"month": "2026-01"}, "2026-01", 31, "2025-12"),
        ({"year": "2026"}, "2026", 365, "2025"),
        ({"year": "2025"}, "2025", 365, "2024"),
        ({"week": "2026-W01"}, "2026-W01", 7, "2025-W52"),
        ({"week": "2020-w53"}, "2020-W53", 7, "2020-W52"),
        (
            {"first": "2026-10-01", "last": "2026-10-10"},
            "2026-10-01 – 2026-10-10",
            10,
            "2026-09-21 – 2026-09-30",
        ),
        ({"first": "2026-11-24", "last": "2026-11-24"}, "2026-11-24", 1, "2026-11-23"),
    ],
)
def test_period(asked: dict[str, str], shown: str, days: int, before: str) -> None:
    period = read_period(TODAY, **asked)
    assert (str(period), period.days, str(period.before)) == (shown, days, before)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"month": "2026-13"}, "--month: '2026-13' is no month; write it as 2026-10"),
        ({"month": "oktober"}, "--month: 'oktober' is no month; write it as 2026-10"),
        ({"year": "26"}, "--year: '26' is no year; write it as 2026"),
        ({"week": "2026-W54"}, "--week: '2026-W54' is no week; write it as 2026-W41"),
        ({"first": "1/10"}, "--to is missing; --from and --to go together"),
        ({"first": "1/10", "last": "x"}, "--from: '1/10' is no date; write it as 2026-10-31"),
        ({"first": "2026-10-02", "last": "2026-10-01"}, "--to: 2026-10-01 lies before --from 2026-10-02"),
        ({"month": "2026-12"}, "2026-12 has not begun"),
        ({"month": "1066-10"}, "1066-10 lies before there were video calls"),
        ({"month": "2026-10", "last": "2026-10-01"}, "--month and --from are two periods; give one of them"),
    ],
)
def test_a_period_that_cannot_be_read(asked: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_period(TODAY, **asked)
    assert str(raised.value).startswith(words)


def test_instants_of_a_period_are_danish() -> None:
    october = read_period(TODAY, month="2026-10")
    assert october.start(ZONE) == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert october.end(ZONE) == datetime(2026, 10, 31, 23, tzinfo=UTC)


def test_every_column_has_words() -> None:
    names = [column.name for column in (*RECORD, *figures.columns(compared=True))]
    headings = {language: [heading(name, language) for name in names] for language in Language}
    assert all(len(set(words)) == len(words) for words in headings.values())
    assert set(figures.MEANINGS) == {column.name for column in figures.columns(compared=False)}
    assert {name for name in ADDED if not name.endswith("_microseconds")} <= set(figures.MEANINGS)
    assert all(danish.count("{") == english.count("{") for danish, english in WORDS.values())


def test_numbers_as_people_write_them() -> None:
    assert number(1234567.891, Language.DANISH, 1) == "1.234.567,9"
    assert number(1234567.891, Language.ENGLISH, 1) == "1,234,567.9"
    assert number(None, Language.DANISH) == ""


def test_figures_of_a_period() -> None:
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    one = Usage(
        begin,
        begin + timedelta(hours=2),
        {
            **NOTHING,
            "completed": 8,
            "quality_good": 6,
            "quality_unknown": 2,
            "port_microseconds": 90 * MINUTES,
        },
        3,
        begin,
    )
    nothing = Usage(begin, begin + timedelta(hours=2), NOTHING)
    found = figures.frame([one, nothing], [7200, 0], ZONE)
    wanted = [column for column in figures.columns(compared=False) if column.name in _DERIVED]
    assert figures.rows(found, wanted) == [
        (90.0, 0.75, 3, begin.astimezone(ZONE), None, 75.0, 0.0, 0.0, 0.0, 25.0),
        (0.0, None, 0, None, None, None, None, None, None, None),
    ]


_DERIVED = {
    "port_minutes",
    "average_ports",
    "peak_ports",
    "peak_at",
    "sampled_ports",
    *(name for name in figures.MEANINGS if name.startswith("quality") and name.endswith("percent")),
}


def test_statistics_as_csv_for_danish_excel(site: Site) -> None:
    path = site.directory / "brug.csv"
    site.good("--month", "2026-10", "--by", "week", "--decimal-comma", "-o", path)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfFra;Timer;M\xc3\xb8der;Deltagelser;")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert "\n" not in "".join(lines)
    assert lines[-1] == ""
    assert [line.split(";")[:4] for line in lines[1:-1]] == [
        ["2026-10-01", "96,0", "6", "120"],
        ["2026-10-05", "168,0", "15", "300"],
        ["2026-10-12", "168,0", "15", "300"],
        ["2026-10-19", "169,0", "15", "300"],
        ["2026-10-26", "144,0", "15", "300"],
    ]
    assert stat.S_IMODE(path.stat().st_mode) & 0o400
    assert list(site.directory.glob(".brug*")) == []


def test_a_week_over_new_year(site: Site) -> None:
    (week,) = site.rows("--week", "2026-W01", "--by", "week")
    assert (week["From"], week["Meetings"], week["Call legs"]) == ("2025-12-29", "15", str(3 * 30 + 2 * 60))
    assert [row["From"] for row in site.rows("--week", "2026-W01", "--by", "month")] == [
        "2025-12-29",
        "2026-01-01",
    ]


def test_days_of_23_and_25_hours(site: Site) -> None:
    spring = site.rows("--from", "2026-03-28", "--to", "2026-03-30", "--by", "day")
    assert [row["Hours"] for row in spring] == ["24.0", "23.0", "24.0"]
    autumn = site.rows("--from", "2026-10-25", "--to", "2026-10-25", "--by", "hour")
    assert len(autumn) == 25
    assert [row["From"][11:] for row in autumn[2:4]] == ["02:00:00+02:00", "02:00:00+01:00"]


def test_comparison_with_the_month_before(site: Site) -> None:
    document = json.loads(site.good("--month", "2026-01", "--compare", "--format", "json"))
    total = document["total"]
    assert (total["legs_before"], total["legs"], total["legs_change_percent"]) == (690, 1320, 91.3)
    assert total["peak_ports_before"] == 93
    assert document["before"] == {"kind": "month", "first": "2025-12-01", "last": "2025-12-31"}
    assert document["rows"][0]["begin"] == "2026-01-01"


def test_comparison_with_nothing_before(site: Site) -> None:
    document = json.loads(site.good("--month", "2025-09", "--compare", "--format", "json"))
    assert document["total"]["legs"] > 0
    assert document["total"]["legs_before"] is None
    assert document["total"]["legs_change_percent"] is None


def test_comparison_of_days_by_their_place_in_the_month(site: Site) -> None:
    rows = site.rows("--month", "2026-10", "--by", "day", "--compare")
    assert len(rows) == 31
    assert (rows[0]["Call legs"], rows[0]["Call legs, before"], rows[0]["Call legs, change %"]) == (
        "60",
        "60",
        "0.0",
    )
    assert (rows[30]["Call legs, before"], rows[30]["Call legs, change %"]) == ("", "")


def test_units_add_up_to_the_organisation(site: Site) -> None:
    rows = site.rows("--organisation", "nord", "--month", "2026-10", "--units", "--compare")
    assert [(row["Unit"], row["Call legs"]) for row in rows] == [
        ("Nord itself", "440"),
        ("Afdeling", "440"),
        ("Klinik", "0"),
    ]
    document = json.loads(
        site.good("--organisation", "key-1", "--month", "2026-10", "--units", "--format", "json")
    )
    assert document["total"]["legs"] == 880
    assert document["scope"] == {"kind": "subtree", "id": 1, "name": "Nord"}
    platform = site.rows("--month", "2026-10", "--units")
    assert [row["Unit"] for row in platform] == ["Nord", "Syd", "No organisation"]


def test_projects_and_locations(site: Site) -> None:
    assert [row["Unit"] for row in site.rows("--projects")] == ["hjerterehab"]
    assert [row["Unit"] for row in site.rows("--locations")] == ["Odense"]
    assert site.rows("--project", "hjerterehab")[0]["Call legs"] == "440"
    assert site.rows("--location", "Odense")[0]["Call legs"] == "440"


def test_statistics_as_parquet(site: Site) -> None:
    path = site.directory / "usage.parquet"
    site.good("--month", "2026-10", "--by", "day", "--compare", "-o", path)
    found = pd.read_parquet(path)
    assert len(found) == 31
    assert found["legs"].sum() == 1320
    assert str(found["peak_at"].dtype) == "datetime64[us, Europe/Copenhagen]"


def test_a_table_in_a_pipe_is_aligned(site: Site) -> None:
    lines = site.good("--year", "2026", "--by", "month", "--compare").splitlines()
    assert lines[0] == "Brug af VDX: hele platformen, 2026"
    assert lines[1].startswith("Fra      Møder  Deltagelser")
    assert lines[11].split()[:3] == ["2026-10", "66", "1.320"]
    assert lines[13].split()[:2] == ["I", "alt"]
    assert "Perioden er ikke slut, men sammenlignes med en hel." in lines
    whole = site.good("--language", "en", "--compare")
    assert "Usage of VDX: the whole platform, 2026-10" in whole
    assert [line.split()[-3:] for line in whole.splitlines() if line.startswith("Call legs   ")] == [
        ["1,320", "1,320", "0.0"]
    ]


def test_a_table_in_a_terminal() -> None:
    text = io.StringIO()
    terminal = Console(file=text, force_terminal=True, width=60)
    print_table(terminal, "Title", ["Unit", "Calls"], [["[bold]Nord[/]", "1"]])
    assert "[bold]Nord[/]" in text.getvalue()


def test_a_table_in_a_file(site: Site) -> None:
    path = site.directory / "usage.txt"
    site.good("-o", path)
    assert path.read_text().startswith("Brug af VDX: hele platformen, 2026-10\n")


def test_an_empty_period(empty: Site) -> None:
    assert "Der er ingen historik endnu; start vdx history-miner." in empty.good()
    result = empty.run("--month", "2026-10", "--records", "--format", "csv")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1
    assert "vdx history-miner" in result.stderr
    with writing(empty.settings) as writer:
        put_progress(writer, datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert "Der er ingen opkald i perioden." in empty.good()
    picture = empty.directory / "empty.png"
    empty.good("--picture", picture)
    assert picture.stat().st_size > 1000
    assert json.loads(empty.good("--units", "--format", "json"))["rows"][0]["quality_good_percent"] is None


def test_what_is_missing_is_told(site: Site) -> None:
    begins = datetime(2026, 10, 3, 8, tzinfo=UTC)
    with writing(site.settings) as writer:
        put(writer, usage_pending, [{"day": date(2026, 10, number)} for number in (3, 5)])
        gap = {"resource": HISTORY_PARTICIPANT.name, "begins": begins, "found": begins}
        put(writer, history_gap, [gap | {"ends": begins + timedelta(minutes=90)}])
    told = site.run("--month", "2026-10", "--format", "csv", "--language", "en").stderr
    assert "Figures of 2 days are being computed: 2026-10-03 – 2026-10-05." in told
    assert "History lacks the calls of 1 stretches of time, 90 minutes in all" in told
    assert "still connected" not in told
    assert "still connected" in site.run("--month", "2026-11", "--format", "csv", "--language", "en").stderr


def test_records_as_csv(site: Site) -> None:
    path = site.directory / "opkald.csv"
    site.good("--month", "2026-10", "--records", "-o", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfDato;Start;Slut;Sekunder;")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(rows) == 7
    assert rows[1][:4] == ["2026-10-05", "2026-10-05T09:20:00+02:00", "2026-10-05T09:30:00+02:00", "600.0"]
    assert {row[9] for row in rows[1:]} == {"hjerterehab", "'=SUM(A1)"}
    assert b"1,23" not in content
    site.good("--month", "2026-10", "--records", "-o", path, "--decimal-comma", "--force")
    assert b";10;1,23;0,0;" in path.read_bytes()


def test_records_as_json_lines_and_parquet(site: Site) -> None:
    lines = site.good("--month", "2026-10", "--records", "--format", "json").splitlines()
    assert len(lines) == 6
    first = json.loads(lines[0])
    assert list(first) == [column.name for column in RECORD]
    assert (first["ended"], first["host"], first["organisation"]) == (
        "2026-10-05T09:30:00+02:00",
        True,
        "Nord",
    )
    path = site.directory / "calls.parquet"
    site.good("--month", "2026-10", "--records", "-o", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    table = pq.read_table(path)
    assert table.column_names == list(first)
    assert table["call"].to_pylist() == [json.loads(line)["call"] for line in lines]
    assert str(table.schema.field("ended").type) == "timestamp[us, tz=Europe/Copenhagen]"


def test_records_for_a_terminal_and_of_a_part(site: Site) -> None:
    lines = site.good("--records", "--language", "en").splitlines()
    assert len(lines) == 7
    assert lines[1].startswith("2026-10-05 09:30:00  600       Nord")
    assert len(site.rows("--records", "--organisation", "Afdeling")) == 3
    assert len(site.rows("--records", "--organisation", "Nord")) == 6
    assert len(site.rows("--records", "--organisation", "Nord", "--project", "hjerterehab")) == 3
    assert len(site.rows("--records", "--location", "Odense")) == 0


@pytest.mark.parametrize("count", [1, 4, 5])
def test_records_in_pages(empty: Site, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 10, 5, 7, 30, tzinfo=UTC)
    with writing(empty.settings) as writer:
        put_names(writer)
        put_calls(writer, *(ended_call(start, number) for number in range(count)))
    whole = call_records.records
    monkeypatch.setattr(making, "records", lambda *a, **k: whole(*a, **k, page=4))
    monkeypatch.setattr("app.reports.parquet.ROW_GROUP", 4)
    assert len(empty.rows("--records")) == count
    path = empty.directory / "calls.parquet"
    empty.good("--records", "-o", path)
    found = pq.ParquetFile(path).metadata
    assert (found.num_rows, found.num_row_groups) == (count, -(-count // 4))


def test_names_are_refused_where_they_are_not_stored(site: Site) -> None:
    line = site.refused("--records", "--identities", "--format", "csv")
    assert "privacy.store_identities" in line


def test_reading_names_is_logged_without_them(open_site: Site, log: list[str]) -> None:
    text = open_site.good("--records", "--identities", "--organisation", "Nord", "--format", "csv")
    assert ";Jyttes rum;'+4512345678;rum@example.org;" in text
    assert log == ["call records with names are read: Nord with all units, 2026-10"]
    assert "Jyttes" not in open_site.good("--records", "--format", "csv")
    assert len(log) == 1


def test_by_the_minute(site: Site) -> None:
    day = ("--from", "2026-10-05", "--to", "2026-10-05", "--by", "minute")
    rows = site.rows(*day)
    assert len(rows) == 24 * 60
    assert list(rows[0]) == ["From", "Ports, peak", "Peak at"]
    found = {row["From"][11:16]: row["Ports, peak"] for row in rows}
    assert [found[time] for time in ("09:19", "09:20", "09:21", "09:25", "09:30", "09:34", "09:35")] == [
        "0",
        "1",
        "2",
        "6",
        "5",
        "1",
        "0",
    ]
    part = site.rows(
        "--from", "2026-10-05", "--to", "2026-10-05", "--by", "minute", "--organisation", "Afdeling"
    )
    assert max(int(row["Ports, peak"]) for row in part) == 3
    today = site.rows("--from", "2026-11-24", "--to", "2026-11-24", "--by", "minute")
    assert len(today) == 10 * 60
    assert "2026-10-05 09:25 +0200" in site.good(
        "--from", "2026-10-05", "--to", "2026-10-05", "--by", "minute"
    )


@pytest.mark.parametrize(("by", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_minutes_of_days_of_23_and_25_hours(site: Site, by: tuple[int, int, int], hours: int) -> None:
    day = str(date(*by))
    assert len(site.rows("--from", day, "--to", day, "--by", "minute")) == 60 * hours


@pytest.mark.parametrize("period", [("--month", "2026-10"), ("--year", "2026"), ("--week", "2026-W41")])
def test_picture(site: Site, period: tuple[str, str]) -> None:
    path = site.directory / "usage.png"
    site.good(*period, "--picture", path)
    with Image.open(path) as picture:
        assert picture.size == (1440, 1080)
        assert len(picture.convert("RGB").getcolors(1_000_000) or ()) > 20
    first = path.read_bytes()
    site.good(*period, "--picture", path, "--force")
    assert path.read_bytes() == first


def test_a_drawing_is_reproducible_and_speaks_the_language(site: Site) -> None:
    drawn = []
    for name in ("a.svg", "b.svg"):
        site.good("--organisation", "Nord", "--picture", site.directory / name)
        drawn.append((site.directory / name).read_text())
    assert drawn[0] == drawn[1]
    assert "<dc:date>" not in drawn[0]
    assert "Deltagertimer pr. dag" in drawn[0]


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1, "hour"), (3, "hour"), (4, "day"), (93, "day"), (94, "week"), (800, "week"), (801, "month")],
)
def test_a_picture_has_a_readable_number_of_bars(days: int, expected: str) -> None:
    first = date(2024, 1, 1)
    assert granularity(Period(Called.DAYS, first, first + timedelta(days=days - 1))) == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--organisation", "nrd"], "there is no organisation 'nrd'; did you mean one of: Nord?"),
        (
            ["--project", "hjerterehap"],
            "there is no project 'hjerterehap'; did you mean one of: hjerterehab?",
        ),
        (["--location", "ODENSE"], "there is no location 'ODENSE'; did you mean one of: Odense?"),
        (["--location", "xyz"], "upper and lower case are told apart"),
        (["--month", "2026-10", "--year", "2026"], "--month and --year are two periods; give one of them"),
        (["--by", "minute"], "--by minute: 2026-10 has 31 days; ask for 7 at most"),
        (["--records", "--compare"], "--compare: for figures, and --records gives none"),
        (["--records", "--by", "day"], "--by: for figures"),
        (["--units", "--by", "day"], "--by: --units has rows of its own"),
        (["--units", "--records"], "--units and --records are reports of their own"),
        (["--units", "--project", "x"], "--units: projects and locations have none"),
        (["--projects", "--organisation", "Nord"], "--projects: for the whole platform"),
        (["--organisation", "Nord", "--project", "x"], "figures are of one of them"),
        (["--decimal-comma"], "--decimal-comma: for CSV alone"),
        (["--format", "parquet"], "name a file with --output"),
        (["--output", "usage.xlsx"], "--output: usage.xlsx does not tell the form; end it with .txt, .csv"),
        (["--picture", "usage.gif"], "end it with .png or .svg"),
        (["--identities"], "--identities: figures name nobody"),
        (["--output", "missing/usage.csv"], "--output: cannot write in missing: No such file or directory"),
        (["--output", "."], "--output: . does not tell the form"),
    ],
)
def test_what_does_not_go_together_is_told(empty: Site, arguments: list[str], words: str) -> None:
    with writing(empty.settings) as writer:
        put_names(writer)
    assert words in empty.refused(*arguments)


def test_a_file_that_is_there_is_kept(site: Site) -> None:
    path = site.directory / "usage.csv"
    path.write_text("mine")
    assert f"--output: {path} is there already; name another file, or add --force" in site.refused("-o", path)
    assert path.read_text() == "mine"
    folder = site.directory / "usage.png"
    folder.mkdir()
    assert "is a folder" in site.refused("--picture", folder, "--force")


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(28, "No space left on device"), output.OutputError), (KeyError(), KeyError)],
)
def test_a_file_is_there_whole_or_not_at_all(
    tmp_path: Path, error: Exception, raised: type[Exception]
) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("before")

    def write() -> None:
        with output.new_file("--output", path, output.PRIVATE) as file:
            file.write(b"half")
            raise error

    with pytest.raises(raised):
        write()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_that_is_away_is_exit_1(tmp_path: Path) -> None:
    file = tmp_path / "vdx.toml"
    file.write_text(f'[database]\nurl = "sqlite:///{tmp_path / "none.sqlite3"}"\n')
    result = CliRunner().invoke(report, ["usage", "--settings", str(file)], catch_exceptions=False)
    assert result.exit_code == 1
    assert result.stderr == "vdx: the database has no tables of VDX Watch yet; run: vdx db upgrade\n"
    file.write_text('[database]\nurl = "mysql://vdx:secret@127.0.0.1:1/vdx"\n')
    result = CliRunner().invoke(report, ["usage", "--settings", str(file)], catch_exceptions=False)
    assert result.exit_code == 1
    assert "the database cannot be reached" in result.stderr
    assert "secret" not in result.output
    assert len(result.stderr.splitlines()) == 1


def test_a_missing_extra_is_one_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name}", name="pandas")

    monkeypatch.setattr(making, "import_module", away)
    assert (
        "this report needs pandas; install the extra reports: pip install 'vdx-watch[reports]'"
        in site.refused()
    )
    assert len(site.rows("--records")) == 6


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+45", "'+45"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_no_text_is_a_formula(text: str, written: str) -> None:
    assert harmless(text) == written


def test_csv_cells() -> None:
    columns = [
        Column(name, kind)
        for name, kind in zip(
            ("room", "height", "sent_loss_percent", "host", "date", "ended"), Kind, strict=True
        )
    ]
    moment = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).astimezone(ZONE)
    rows = [('a;b "c"\nd', -3, -0.5, True, date(2026, 10, 25), moment), ("", None, None, None, None, None)]
    file = io.BytesIO()
    write_csv(file, Sheet(columns, [rows]), Language.DANISH, decimal_comma=True)
    assert file.getvalue().decode("utf-8-sig").split("\r\n") == [
        "Møderum;Billedhøjde, linjer;Pakketab sendt, %;Vært;Dato;Slut",
        '"a;b ""c""\nd";-3;-0,5;1;2026-10-25;2026-10-25T02:30:00+02:00',
        ";;;;;",
        "",
    ]
    assert not file.closed


def test_progress_is_for_a_terminal_and_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    progress = output.Progress(after=0, every=60)
    progress.show("5.000 opkald, 10%")
    progress.show("not yet")
    progress.end()
    progress.end()
    assert shown.getvalue() == "\r\x1b[K5.000 opkald, 10%\r\x1b[K"
    later = output.Progress()
    later.show("soon")
    later.end()
    assert shown.getvalue().count("\r") == 2


def test_on_mariadb(tmp_path: Path, mariadb_url: str) -> None:
    site = Site(tmp_path, mariadb_url)
    fill(site.settings)
    rows = site.rows("--organisation", "Nord", "--month", "2026-10", "--units", "--compare")
    assert [(row["Unit"], row["Call legs"], row["Ports, peak"]) for row in rows] == [
        ("Nord itself", "440", "30"),
        ("Afdeling", "440", "30"),
        ("Klinik", "0", "0"),
    ]
    assert len(site.rows("--organisation", "Nord", "--records")) == 6
    peaks = site.rows("--from", "2026-10-05", "--to", "2026-10-05", "--by", "minute")
    assert max(int(row["Ports, peak"]) for row in peaks) == 6
