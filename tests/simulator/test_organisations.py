"""The organisations of the stand-in VDX fit its estate."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from miners.organisation_source import read_file
from simulator.estate import ORGANISATIONS, rooms
from simulator.organisations import (
    BY_ALIASES,
    BY_DOMAIN,
    BY_ROOMS,
    INTERPRETERS,
    LARGE,
    OWNERS,
    UNCLAIMED,
    organisations,
    write,
)
from vdx.organisations import examine


def test_every_organisation_of_the_estate_stands_below_an_owner() -> None:
    rows = organisations()["organisations"]
    parents = {row["key"]: row["parent"] for row in rows}
    assert len(parents) == len(rows)
    assert [key for key, parent in parents.items() if not parent] == list(OWNERS.values())
    assert {key for key, parent in parents.items() if parent in OWNERS.values()} == {
        tag for tag, _ in ORGANISATIONS
    }
    departments = Counter(row["parent"] for row in rows if row["type"] == "department")
    assert departments.keys() == {*LARGE, *(tag for tag, _ in ORGANISATIONS[:5])}
    assert all(3 <= number <= 6 for number in departments.values())
    assert any(row["type"] == "unit" for row in rows)
    assert (
        len({row["name"] for row in rows if row["type"] not in ("department", "unit")})
        == len(ORGANISATIONS) + 3
    )


def test_claims_are_of_every_kind_of_rule_and_some_organisation_has_none() -> None:
    source = organisations()
    by_kind: dict[str, set[str]] = {}
    for claim in source["claims"]:
        by_kind.setdefault(claim["kind"], set()).add(claim["organisation"])
    assert by_kind["tag"] == {tag for tag, _ in ORGANISATIONS} - {*BY_DOMAIN, *BY_ROOMS, *UNCLAIMED}
    assert by_kind["domain"] == set(BY_DOMAIN)
    assert by_kind["room"] == set(BY_ROOMS)
    assert by_kind["alias"] == {f"{BY_ALIASES}/{INTERPRETERS.lower()}"}
    tags = {room.alias: room.tag for room in rooms(1)}
    claimed = [claim["value"] for claim in source["claims"] if claim["kind"] == "alias"]
    assert claimed
    assert {tags[alias] for alias in claimed} <= set(BY_DOMAIN), "a claimed tag would decide first"


def test_the_file_is_read_without_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "organisations.json"
    write(path, 7)
    examined = examine(read_file(path))
    assert not examined.faults
    assert len(examined.claims) == len(organisations(7)["claims"])
    assert json.loads(path.read_text(encoding="utf-8")) == organisations(7)
    assert organisations(7) == organisations(7) != organisations(8)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "organisations.json"
    ended = subprocess.run(
        [sys.executable, "-m", "simulator", "--organisations", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == 1
    assert f"cannot write {path}: No such file or directory" in ended.stderr
