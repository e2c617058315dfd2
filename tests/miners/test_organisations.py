"""The source of the organisations, and the miner that keeps what it has."""

import asyncio
import contextlib
import json
import math
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from miners import organisations
from miners.organisation_source import SourceError, read_file, read_source
from miners.organisations import OrganisationMiner
from tests.databases import free_port
from tests.store import worlds
from vdx.organisations import FaultKind, examine
from vdx.settings import OrganisationSettings, Settings, SettingsError
from vdx.store import upgrade
from vdx.telemetry import Telemetry

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

CSV = """\
# The organisations of the test
kind;key;parent;name;type;valid_from
organisation;r;;Region, Nord;region;2026-01-01

ORGANISATION ; u ; r ;"Enhed ""Ø""; 2";unit
tag;nord;r
domain;@nord.dk;r;;;
pattern;6*@vdx.example;u
alias;sip:1@vdx.example;u
room;MDT Lunge;u
"""
JSON = {
    "organisations": [
        {"key": "r", "parent": None, "name": "Region, Nord", "type": "region", "valid_from": "2026-01-01"},
        {"key": "u", "parent": "r", "name": 'Enhed "Ø"; 2', "type": "unit"},
    ],
    "claims": [
        {"kind": "tag", "value": "nord", "organisation": "r"},
        {"kind": "domain", "value": "nord.dk", "organisation": "r"},
        {"kind": "pattern", "value": "6*@vdx.example", "organisation": "u"},
        {"kind": "alias", "value": "1@vdx.example", "organisation": "u"},
        {"kind": "room", "value": "MDT Lunge", "organisation": "u"},
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "organisations.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        CSV.replace("\n", "\r\n"),
        "\ufeff" + CSV,
        CSV.replace("Region, Nord", '"Region, Nord"').replace(";", ",").replace('""Ø"", 2', '""Ø""; 2'),
        json.dumps(JSON),
        "\ufeff" + json.dumps(JSON, ensure_ascii=False),
    ],
    ids=["semicolons", "windows", "mark", "commas", "json", "json-mark"],
)
def test_every_form_of_a_file_gives_the_same(write: Callable[..., Path], content: str) -> None:
    examined = examine(read_file(write(content)))
    assert not examined.faults
    assert [(one.key, one.parent, one.name, one.kind) for one in examined.organisations] == [
        ("r", None, "Region, Nord", "region"),
        ("u", "r", 'Enhed "Ø"; 2', "unit"),
    ]
    assert examined.organisations[0].valid_from == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert {tuple(claim) for claim in examined.claims} == {
        ("tag", "nord", "r"),
        ("domain", "nord.dk", "r"),
        ("pattern", "6*@vdx.example", "u"),
        ("alias", "1@vdx.example", "u"),
        ("room", "mdt lunge", "u"),
    }


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (
            "organisation;r;;Sjælland\n".encode("cp1252"),
            "o.csv",
            "line 1 of .* is not UTF-8 .* save the file",
        ),
        (b"organisation;r;;R\n\xff\xfe", "o.csv", "line 2 of .* is not UTF-8"),
        (
            'organisation;r;;"Region\n',
            "o.csv",
            "line 1 of .* is not valid CSV: .*; check the quotation marks",
        ),
        ('organisation;r;;"Reg"ion\n', "o.csv", "is not valid CSV"),
        ('{"organisations": [}', "o.json", "is not valid JSON: .*; write the whole file"),
        ("", "o.json", "is not valid JSON"),
        ("[]", "o.json", "has no list named organisations"),
        ('{"organisations": {}}', "o.txt", "has no list named organisations"),
        ('{"organisations": [], "claims": 7}', "o.json", "claims of .* is no list"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_mend(
    write: Callable[..., Path], content: str | bytes, name: str, words: str
) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        read_file(write(content, name))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(
            SourceError, match=r"cannot read .*; check the path and that this user may read it"
        ):
            read_file(path)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n;;;\n#\n", os.urandom(2000).hex().encode(), b"\x00\x01;\x02", b"a" * 200_000]
)
def test_garbage_has_no_organisation(write: Callable[..., Path], content: bytes) -> None:
    with contextlib.suppress(SourceError):
        assert not examine(read_file(write(content))).organisations


def test_rows_of_the_wrong_shape_are_left_out(write: Callable[..., Path]) -> None:
    document = {
        "organisations": [
            7,
            None,
            {},
            {"key": {"a": 1}, "name": "A"},
            {"key": 5, "parent": True, "name": "Five"},
        ],
        "claims": ["x", {"kind": "tag", "value": ["x"], "organisation": 5}],
    }
    examined = examine(read_file(write(json.dumps(document), "o.json")))
    assert [(one.key, one.parent) for one in examined.organisations] == [("5", None)]
    assert {fault.kind for fault in examined.faults} == {FaultKind.MALFORMED_ROW}
    assert len(examined.faults) == 6


TABLES = """\
CREATE TABLE enhed (nr INT PRIMARY KEY, overenhed INT, navn VARCHAR(80), art VARBINARY(20), fra DATE);
INSERT INTO enhed VALUES (1, NULL, 'Region Nørre', 'region', NULL), (2, 1, '50% enhed', 'unit', '2026-03-01');
CREATE TABLE krav (enhed INT, tag VARCHAR(80), alias VARCHAR(80), omraade VARCHAR(80), rum VARCHAR(80));
INSERT INTO krav VALUES (1, 'nord', '1@vdx.example', '@nord.dk', 'MDT: Lunge'),
  (2, NULL, NULL, '6*@nord.dk', NULL);
"""


def database(url: str, **queries: str) -> OrganisationSettings:
    known: dict[str, Any] = {
        "query": "SELECT nr, overenhed, navn, art, fra FROM enhed WHERE navn LIKE '%e%'",
        "tag_query": "SELECT tag, enhed FROM krav WHERE tag <> ':none'",
        "alias_query": "SELECT alias, enhed FROM krav",
        "domain_query": "SELECT omraade, enhed FROM krav",
        "room_query": "SELECT rum, enhed FROM krav WHERE rum LIKE 'MDT%'",
    }
    return OrganisationSettings(url=SecretStr(url), **known | queries)


@pytest.fixture
def vdx_api(mariadb_url: str) -> str:
    """The address of a database with tables of its own names."""
    engine = create_engine(mariadb_url.replace("mysql://", "mysql+pymysql://"))
    with engine.begin() as connection:
        for statement in filter(str.strip, TABLES.split(";\n")):
            connection.execute(text(statement.replace(":", "\\:")))
    engine.dispose()
    return mariadb_url


def test_a_database_is_read_by_the_queries_of_the_settings(vdx_api: str) -> None:
    examined = examine(read_source(database(vdx_api)))
    assert not examined.faults
    assert [(one.key, one.parent, one.name, one.kind) for one in examined.organisations] == [
        ("1", None, "Region Nørre", "region"),
        ("2", "1", "50% enhed", "unit"),
    ]
    assert examined.organisations[1].valid_from == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert {tuple(claim) for claim in examined.claims} == {
        ("tag", "nord", "1"),
        ("alias", "1@vdx.example", "1"),
        ("domain", "nord.dk", "1"),
        ("pattern", "6*@nord.dk", "2"),
        ("room", "mdt: lunge", "1"),
    }
    alone = database(vdx_api, tag_query="", alias_query="", domain_query="", room_query="")
    assert not examine(read_source(alone)).claims


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        (
            {"tag_query": "SELECT x FROM nowhere"},
            "organisations.tag_query: .* names a table that is not there; check",
        ),
        (
            {"room_query": "SELECT nothing FROM krav"},
            "organisations.room_query: .* a column that is not there",
        ),
        ({"query": "SELEKT 1"}, "organisations.query: .* not valid SQL"),
        ({"query": "SELECT nr, navn FROM enhed"}, "organisations.query: gives 2 columns and needs 3"),
        ({"alias_query": "DELETE FROM krav"}, "organisations.alias_query: .* refuses the query"),
        ({"alias_query": "SET @a = 1"}, "organisations.alias_query: gives 0 columns"),
    ],
)
def test_a_query_that_fails_is_named(vdx_api: str, queries: dict[str, str], words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        read_source(database(vdx_api, **queries))
    assert "\n" not in str(caught.value)
    assert len(read_source(database(vdx_api)).claims) == 5, "nothing was deleted"


def test_a_password_that_is_wrong_is_not_told(vdx_api: str, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("quite-wrong")
    settings = database(vdx_api).model_copy(update={"password_file": secret})
    with pytest.raises(SourceError, match="cannot be reached: Access denied") as caught:
        read_source(settings)
    assert "quite-wrong" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "sqlite:///x.db", "mysql://host", "no address", "mysql://u:p@h:port/x"])
def test_an_address_that_is_none_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match=r"organisations\.url: name a MySQL or MariaDB database"):
        read_source(database(url))


def test_without_a_source_the_setting_is_named() -> None:
    with pytest.raises(SettingsError, match=r"organisations\.file is not set"):
        read_source(OrganisationSettings())


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(f"vdx_organisation{name}", labels)


@pytest.fixture
def settings(tmp_path: Path, write: Callable[..., Path]) -> Settings:
    """A migrated SQLite database, and a file as source."""
    found = worlds.settings(None, tmp_path).model_copy(
        update={"organisations": OrganisationSettings(file=write(CSV))}
    )
    upgrade(found)
    return found


def test_the_miner_keeps_what_the_source_has(
    settings: Settings, telemetry: Telemetry, log: list[str]
) -> None:
    miner = OrganisationMiner(settings, telemetry)
    assert not miner.current[0].organisations
    assert math.isnan(value(telemetry, "_source_up") or 0)
    assert miner.refresh(NOW)
    tree, claims = miner.current
    assert tree.ancestors(tree.find("u").id, NOW) == (tree.find("u").id, tree.find("r").id)
    assert claims.decide("nord", (), None).organisation_id == tree.find("r").id
    assert claims.decide("", [claims.describe("1@vdx.example", miner.pseudonym)], None).organisation_id
    assert value(telemetry, "_source_up") == 1
    assert value(telemetry, "s") == 2
    assert value(telemetry, "_tree_timestamp_seconds") == NOW.timestamp()
    assert {value(telemetry, "_faults", fault=kind) for kind in FaultKind} == {0}
    assert log == ["organisations: 2 added, 5 claims changed"]
    assert miner.refresh(NOW + timedelta(hours=1))
    assert miner.current[0] is tree, "what did not change stays the same object"
    assert miner.current[1] is claims
    assert value(telemetry, "_tree_timestamp_seconds") == NOW.timestamp() + 3600
    assert len(log) == 1


def test_while_the_source_is_away_the_last_tree_stays_and_ages(
    settings: Settings, telemetry: Telemetry, write: Callable[..., Path], log: list[str]
) -> None:
    miner = OrganisationMiner(settings, telemetry)
    miner.refresh(NOW)
    kept = miner.current
    log.clear()
    for number, content in enumerate([b"\xff", b"\xff", b"", b""], 1):
        write(content)
        assert not miner.refresh(NOW + timedelta(hours=number))
        assert miner.current == kept
        assert value(telemetry, "_source_up") == 0
        assert value(telemetry, "_tree_timestamp_seconds") == NOW.timestamp()
    assert len(log) == 2, "each change of state once"
    assert "is not UTF-8" in log[0]
    assert "has no organisation" in log[1]
    restarted = OrganisationMiner(settings, fresh := Telemetry())
    assert not restarted.refresh(NOW + timedelta(hours=5))
    assert restarted.current[0].parts == kept[0].parts, "from the database after a restart"
    assert restarted.current[1].rows == kept[1].rows
    assert value(fresh, "_tree_timestamp_seconds") == NOW.timestamp()
    log.clear()
    write(CSV)
    assert miner.refresh(NOW + timedelta(hours=6))
    assert value(telemetry, "_source_up") == 1
    assert log == ["organisations: the source can be read again"]


def test_an_unreachable_database_of_the_source_is_told_once(
    settings: Settings, telemetry: Telemetry, log: list[str]
) -> None:
    away = OrganisationSettings(url=SecretStr(f"mysql://vdx:secret@127.0.0.1:{free_port()}/api"))
    miner = OrganisationMiner(settings.model_copy(update={"organisations": away}), telemetry)
    assert not miner.refresh(NOW)
    assert not miner.refresh(NOW)
    assert len(log) == 1
    assert "VDX API's database cannot be reached" in log[0]
    assert "secret" not in log[0]


def test_while_our_own_database_is_away_the_tree_in_memory_stays(
    settings: Settings, telemetry: Telemetry, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    miner = OrganisationMiner(settings, telemetry)
    miner.refresh(NOW)
    kept = miner.current
    log.clear()
    file = settings.data.directory / "vdx.sqlite3"
    file.rename(file.with_suffix(".away"))
    for _ in range(2):
        assert not miner.refresh(NOW + timedelta(hours=1))
    assert miner.current == kept
    assert value(telemetry, "_source_up") == 1, "the source is not at fault"
    assert value(telemetry, "_tree_timestamp_seconds") == NOW.timestamp()
    assert len(log) == 1
    file.with_suffix(".away").rename(file)
    assert miner.refresh(NOW + timedelta(hours=2))
    assert log[1:] == ["organisations: the database can be used again"]

    def fail(*_: object) -> None:
        raise ValueError("jens@x.dk")

    monkeypatch.setattr(organisations, "keep", fail)
    assert not miner.refresh(NOW + timedelta(hours=3))
    assert "ValueError" in log[-1]
    assert "jens" not in "".join(log)


def test_without_a_source_the_organisations_of_the_database_hold(
    settings: Settings, telemetry: Telemetry
) -> None:
    OrganisationMiner(settings, Telemetry()).refresh(NOW)
    miner = OrganisationMiner(
        settings.model_copy(update={"organisations": OrganisationSettings()}), telemetry
    )
    assert miner.refresh(NOW)
    assert len(miner.current[0].organisations) == 2
    assert math.isnan(value(telemetry, "_source_up") or 0)


def test_faults_are_counted_and_logged_once_by_kind(
    settings: Settings, telemetry: Telemetry, write: Callable[..., Path], log: list[str]
) -> None:
    faulty = CSV + "organisation;x;gone;X\norganisation;y;gone;Y\ntag;nord;x\nalias;jens@x.dk;nobody\n"
    write(faulty)
    miner = OrganisationMiner(settings, telemetry)
    miner.refresh(NOW)
    assert value(telemetry, "_faults", fault="unknown_parent") == 2
    assert value(telemetry, "_faults", fault="contested_claim") == 1
    assert value(telemetry, "_faults", fault="unknown_organisation") == 1
    assert sum("the parent 'gone'" in line for line in log) == 1
    lines = len(log)
    miner.refresh(NOW)
    assert len(log) == lines
    write(CSV)
    miner.refresh(NOW + timedelta(hours=1))
    assert value(telemetry, "_faults", fault="unknown_parent") == 0
    assert value(telemetry, "_faults", fault="vanished") == 2
    assert "organisations: 2 vanished from the source and keep their past: 'x', 'y'" in log
    assert "organisations: no more of unknown_parent" in log
    miner.refresh(NOW + timedelta(days=8))
    assert value(telemetry, "_faults", fault="vanished") == 0
    assert "jens" not in "".join(log)


async def test_it_reads_at_once_and_again_until_it_is_stopped(
    settings: Settings, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    miner = OrganisationMiner(settings, telemetry)
    stop = asyncio.Event()
    answers = iter([False, True, False])
    reads = []

    def refresh(now: datetime | None = None) -> bool:
        reads.append(now)
        good = next(answers, None)
        if good is None:
            loop.call_soon_threadsafe(stop.set)
        return bool(good)

    waits: list[float] = []

    async def wait_for(awaited: Any, seconds: float) -> None:
        waits.append(seconds)
        awaited.close()
        await asyncio.sleep(0)
        raise TimeoutError

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(miner, "refresh", refresh)
    monkeypatch.setattr(asyncio, "wait_for", wait_for)
    await miner.run(stop)
    assert len(reads) == 4
    minutes = [wait / 60 for wait in waits]
    assert 0.9 <= minutes[0] <= 1, "soon after a fault"
    assert 54 <= minutes[1] <= 60
    assert 0.9 <= minutes[2] <= 1
    assert 1.8 <= minutes[3] <= 2


async def test_what_has_just_been_read_is_not_read_again(settings: Settings, telemetry: Telemetry) -> None:
    miner = OrganisationMiner(settings, telemetry)
    await asyncio.to_thread(miner.refresh)
    read_at = value(telemetry, "_tree_timestamp_seconds")
    stop = asyncio.Event()
    task = asyncio.create_task(miner.run(stop))
    await asyncio.sleep(0.2)
    stop.set()
    await asyncio.wait_for(task, 5)
    assert value(telemetry, "_tree_timestamp_seconds") == read_at


def test_mariadb_keeps_them_too(
    mariadb_url: str, tmp_path: Path, write: Callable[..., Path], telemetry: Telemetry
) -> None:
    settings = worlds.settings(mariadb_url, tmp_path).model_copy(
        update={"organisations": OrganisationSettings(file=write(json.dumps(JSON), "o.json"))}
    )
    upgrade(settings)
    miner = OrganisationMiner(settings, telemetry)
    assert miner.refresh(NOW)
    assert miner.refresh(NOW + timedelta(hours=1))
    assert len(miner.current[0].organisations) == 2
