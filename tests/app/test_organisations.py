"""`vdx organisations` on an embedded database."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import insert, select
from typer.testing import CliRunner, Result

from app import organisation_work
from app.cli import cli
from miners import organisations
from vdx.claims import Rule
from vdx.settings import Settings, load
from vdx.store import upgrade
from vdx.store.database import connect, open_engine
from vdx.store.history_tables import history_participant, identity, term
from vdx.store.identities import pseudonyms

SOURCE: dict[str, list[dict[str, Any]]] = {
    "organisations": [
        {"key": "nord", "parent": "", "name": "Region Nord", "type": "region"},
        {"key": "lunge", "parent": "nord", "name": "Lungeklinik", "type": "department"},
        {"key": "by", "parent": "", "name": "Byens Kommune", "type": "municipality"},
    ],
    "claims": [
        {"kind": "tag", "value": "nord", "organisation": "nord"},
        {"kind": "alias", "value": "1@vdx.example", "organisation": "lunge"},
        {"kind": "alias", "value": "2@vdx.example", "organisation": "lunge"},
    ],
}


class Place:
    """A settings file with a source and a database beside it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "vdx.toml"
        self.source = folder / "organisations.json"
        self.file.write_text(
            f'[data]\ndirectory = "{folder / "data"}"\n[organisations]\nfile = "{self.source}"\n',
            encoding="utf-8",
        )
        self.write(SOURCE)

    @property
    def settings(self) -> Settings:
        return load(self.file)

    def write(self, source: Any) -> None:
        self.source.write_text(json.dumps(source), encoding="utf-8")

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["organisations", *arguments, "--settings", str(self.file)])

    def read_before(self, age: timedelta) -> None:
        """The source as it was read some time ago."""
        upgrade(self.settings)
        engine = open_engine(self.settings, writes=True)
        with connect(engine) as connection:
            organisations.keep(
                connection, self.settings, organisations.read(self.settings), datetime.now(UTC) - age
            )
        engine.dispose()

    def put_leg(self, ended: datetime, alias: str = "", tag: str = "") -> None:
        """A call leg that nobody has claimed yet."""
        nothing = {column.name: 0 for column in history_participant.c if not column.nullable}
        keys = pseudonyms(self.settings)
        engine = open_engine(self.settings, writes=True)
        with engine.begin() as connection:
            domain = insert(term).prefix_with("OR IGNORE")
            connection.execute(domain.values(kind="domain", id=1, name=alias.rpartition("@")[2] or "-"))
            connection.execute(domain.values(kind="tag", id=1, name=tag or "-"))
            known = {
                "id": 1,
                "hash": keys.of(alias),
                "domain_id": 1,
                "pattern_id": 0,
                "seen": date(2026, 1, 1),
            }
            connection.execute(insert(identity).prefix_with("OR IGNORE").values(known))
            row = nothing | {
                "ended": ended,
                "id": b"\1" * 16,
                "remote_id": 1,
                "service_tag_id": 1 if tag else 0,
            }
            connection.execute(insert(history_participant).values(row))
        engine.dispose()

    def decided(self) -> list[tuple[int, int]]:
        engine = open_engine(self.settings)
        with engine.connect() as connection:
            columns = history_participant.c
            rows = connection.execute(select(columns.organisation_id, columns.rule)).all()
        engine.dispose()
        return [(row[0], row[1]) for row in rows]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_reading_tells_what_changed(place: Place) -> None:
    first = place.run("read")
    assert (first.exit_code, first.output) == (0, "3 organisations, 3 claims: 3 added, 3 claims changed\n")
    assert place.run("read").output == "3 organisations, 3 claims: nothing changed\n"


def test_reading_tells_each_fault_and_who_went_and_came(place: Place) -> None:
    place.read_before(timedelta(days=1))
    lost = {**SOURCE, "organisations": [SOURCE["organisations"][1]]}
    place.write(lost)
    result = place.run("read")
    assert result.exit_code == 0, "faults are set right, each by its rule"
    lines = result.output.splitlines()
    assert lines[0] == "1 organisation, 2 claims: 1 moved, 2 vanished, 1 claim changed"
    assert lines[1:3] == ["vanished: nord", "vanished: by"]
    assert lines[3].startswith("unknown_parent: the parent 'nord' of organisation 'lunge' is not there")
    assert lines[4].startswith("unknown_organisation: the service tag 'nord' is claimed by 'nord'")
    place.write(SOURCE)
    assert "returned: nord" in place.run("read").output


def test_a_source_that_cannot_be_read_is_a_failure_of_the_work(place: Place) -> None:
    place.source.write_bytes(b"\xff")
    result = place.run("read")
    assert result.exit_code == 1
    assert result.output.startswith("vdx: organisations.file: line 1 of")
    assert result.output.count("\n") == 1
    place.write({"organisations": []})
    assert place.run("read").exit_code == 1


def test_a_setting_that_is_wrong_is_told_apart(place: Place) -> None:
    place.file.write_text("[organisations]\n", encoding="utf-8")
    result = place.run("read")
    assert (result.exit_code, result.output[:40]) == (2, "vdx: organisations.file is not set; name")
    place.file.write_text("[organisations]\nfil = 'x'\n", encoding="utf-8")
    assert place.run("show").exit_code == 2


def test_a_database_that_is_not_there_is_a_failure_of_the_work(place: Place) -> None:
    for command in (["show"], ["unassigned"], ["reassign", "--since", "2026-01-01"]):
        result = place.run(*command)
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert "run: vdx db upgrade" in result.output


def test_the_tree_is_indented_in_a_pipe(place: Place) -> None:
    place.run("read")
    assert place.run("show").output == (
        "Byens Kommune  by  municipality\n"
        "Region Nord  nord  region  claims 1 tag\n"
        "  Lungeklinik  lunge  department  claims 2 aliases\n"
    )
    assert (
        place.run("show", "--organisation", "LUNGEKLINIK").output
        == "Lungeklinik  lunge  department  claims 2 aliases\n"
    )
    unknown = place.run("show", "--organisation", "Lunge klinik")
    assert unknown.exit_code == 1
    assert "did you mean one of: Lungeklinik?" in unknown.output


def test_the_tree_has_branches_in_a_terminal(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.run("read")
    screen = Console(force_terminal=True, record=True, width=100, color_system=None)
    monkeypatch.setattr(organisation_work, "console", lambda: screen)
    assert place.run("show").exit_code == 0
    assert "└── Lungeklinik  lunge  department  claims 2 aliases" in screen.export_text()


def test_before_the_first_reading_it_says_what_to_do(place: Place) -> None:
    place.write({"organisations": [{"key": "x", "name": "X"}]})
    place.run("read")
    engine = open_engine(place.settings, writes=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM organisation")
    engine.dispose()
    assert place.run("show").output == "no organisations are known yet; run: vdx organisations read\n"
    result = place.run("reassign", "--since", "2026-01-01")
    assert (result.exit_code, result.output) == (
        1,
        "vdx: no organisations are known yet; run: vdx organisations read\n",
    )


def test_what_belongs_to_nobody_is_listed(place: Place) -> None:
    place.run("read")
    assert place.run("unassigned").output == "no call leg without an organisation in the last 30 days\n"
    now = datetime.now(UTC)
    place.put_leg(now - timedelta(days=10), "jens@syd.example", "syd")
    place.put_leg(now - timedelta(days=1), "jens@syd.example")
    output = place.run("unassigned").output
    assert "2 call legs without an organisation in the last 30 days" in output
    assert "syd.example" in output
    assert "jens" not in output
    assert (
        "1 call leg without an organisation in the last 5 days"
        in place.run("unassigned", "--days", "5").output
    )
    assert "and 1 leg in 1 row more" in place.run("unassigned", "--most", "1").output
    assert place.run("unassigned", "--days", "0").exit_code == 2


def test_the_past_is_decided_again_once(place: Place) -> None:
    place.run("read")
    ended = datetime(2026, 6, 30, 21, 59, tzinfo=UTC)
    place.put_leg(ended, tag="nord")
    changed = "{} and 0 conferences have another organisation than before, or have it by another rule"
    before = place.run("reassign", "--since", "2026-07-01")
    assert before.output.splitlines() == [changed.format("0 call legs")], "the day is Danish"
    result = place.run("reassign", "--since", "2026-06-30", "--until", "2026-06-30")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        changed.format("1 call leg"),
        "the history miner computes the usage of 1 day again",
    ]
    assert place.decided() == [(1, Rule.TAG)]
    assert place.run("reassign", "--since", "2026-01-01").output.splitlines() == [
        changed.format("0 call legs")
    ]


def test_days_that_are_wrong_are_refused(place: Place) -> None:
    wrong = place.run("reassign", "--since", "2026-02-01", "--until", "2026-01-01")
    assert (wrong.exit_code, wrong.output.count("\n")) == (2, 1)
    assert "--until 2026-01-01 lies before --since 2026-02-01" in wrong.output
    assert place.run("reassign", "--since", "soon").exit_code == 2
    assert place.run("reassign").exit_code == 2


@pytest.mark.parametrize("command", ["read", "show", "unassigned", "reassign"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(cli, ["organisations", command, "--help"])
    assert result.exit_code == 0
    assert f"Example: vdx organisations {command}" in result.output
