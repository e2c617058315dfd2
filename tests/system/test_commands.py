"""The `vdx` command as its users meet it: what it prints, how it fails, how it stops."""

import contextlib
import json
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from simulator.testing import RunningSimulator, running
from tests.system.commands import run_vdx, running_vdx, until

TRACEBACK = "Traceback"


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running(manual=False, activity="tue 10:10") as simulator:
        yield simulator


@pytest.fixture
def variables(simulator: RunningSimulator) -> dict[str, str]:
    return {
        "VDX_PEXIP__URL": simulator.url,
        "VDX_PEXIP__USERNAME": simulator.username,
        "VDX_PEXIP__PASSWORD": simulator.password,
        "VDX_PEXIP__INTERVAL_SECONDS": "5",
        "VDX_LOCATIONS__CENTRAL": "Central Vest,Central Øst",
        "VDX_LOCATIONS__DATA_CENTRES": "Vest=Central Vest;Øst=Central Øst",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("up",),
        ("check",),
        ("status-miner",),
        ("simulate",),
        ("db",),
        ("db", "upgrade"),
    ],
)
def test_every_command_helps_with_an_example(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = run_vdx(*arguments, "--help", folder=tmp_path)
    assert result.returncode == 0
    assert "Usage: vdx" in result.stdout
    if arguments and arguments != ("db",):
        assert "Example:" in result.stdout


def test_once_prints_tables_that_name_what_the_planner_asks(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    result = run_vdx("status-miner", "--once", folder=tmp_path, variables=variables)
    assert result.returncode == 0, result.stderr
    for text in (
        "licences, calculated",
        "1,500",
        "hardware, central",
        "3,888",
        "Region Nordjylland",
        "with Vest out",
    ):
        assert text in result.stdout
    assert "\x1b" not in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_once_as_json_is_one_object_without_names_of_conferences(
    tmp_path: Path, variables: dict[str, str], simulator: RunningSimulator
) -> None:
    result = run_vdx("status-miner", "--once", "--json", folder=tmp_path, variables=variables)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["up"] is True
    assert figures["license_limit"] == 1500
    assert figures["license_ports"] == sum(figures["license_ports_by_location"].values())
    names = [row["name"] for row in simulator.get("status/v1/conference/", limit=5)["objects"]]
    assert not any(name in result.stdout for name in names)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"VDX_PEXIP__PASSWORD": "wrong-one"}, 1, "refused the login (401): check pexip.username"),
        ({"VDX_PEXIP__URL": "http://127.0.0.1:9"}, 1, "no connection to 127.0.0.1: check pexip.url"),
        ({"VDX_PEXIP__URL": "http://manager.example.org"}, 2, "https"),
        ({"VDX_PEXIP__URL": "manager"}, 2, "pexip.url"),
        ({"VDX_PEXIP__URL": ""}, 2, "pexip.url is not set"),
        ({"VDX_PEXIP__URLL": "x"}, 2, "pexip.urll: there is no such setting; did you mean pexip.url?"),
        ({"VDX_PEXIP__PASSWORD_FILE": "/nowhere"}, 2, "pexip.password_file: cannot read /nowhere"),
        ({"VDX_PEXIP__USERNAME": ""}, 2, "pexip.username is not set"),
        ({"VDX_PEXIP__CLIENT_ID": "client"}, 2, "pexip.private_key_file is not set"),
        ({"VDX_PEXIP__CA_FILE": "/nowhere", "VDX_PEXIP__URL": "https://127.0.0.1"}, 2, "pexip.ca_file"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_with_the_mend(
    changes: dict[str, str], code: int, words: str, tmp_path: Path, variables: dict[str, str]
) -> None:
    result = run_vdx("status-miner", "--once", folder=tmp_path, variables=variables | changes)
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert TRACEBACK not in result.stderr
    assert "wrong-one" not in result.stderr + result.stdout


def test_json_without_once_is_refused(tmp_path: Path, variables: dict[str, str]) -> None:
    result = run_vdx("status-miner", "--json", folder=tmp_path, variables=variables)
    assert result.returncode == 2
    assert "--json goes with --once" in result.stderr


def test_check_goes_through_everything_and_finds_it_good(tmp_path: Path, variables: dict[str, str]) -> None:
    result = run_vdx("check", folder=tmp_path, variables=variables)
    assert result.returncode == 0, result.stdout + result.stderr
    for step in (
        "settings",
        "reachable",
        "right to participant",
        "right to configuration/worker_vm",
        "clock",
    ):
        assert step in result.stdout
    assert "0 faults" in result.stdout


def test_check_names_each_fault_and_ends_with_1(
    tmp_path: Path, variables: dict[str, str], simulator: RunningSimulator
) -> None:
    simulator.fault("forbidden", resource="conference")
    simulator.fault("not_found", resource="teamsnode")
    try:
        changes = {"VDX_LOCATIONS__CENTRAL": "Central Vest,Atlantis"}
        result = run_vdx("check", folder=tmp_path, variables=variables | changes)
    finally:
        simulator.clear()
    assert result.returncode == 1
    assert "may not read this resource (403)" in result.stdout
    assert "no such location: Atlantis" in result.stdout
    assert "which vdx makes ready when it starts" in result.stdout
    assert "the rest works without it" in result.stdout
    assert TRACEBACK not in result.stderr


def test_check_without_a_management_node_ends_with_2(tmp_path: Path) -> None:
    result = run_vdx("check", folder=tmp_path)
    assert result.returncode == 2
    assert "pexip.url is not set" in result.stderr
    assert "ok" not in result.stdout


def test_check_stops_at_the_login_when_it_is_refused(tmp_path: Path, variables: dict[str, str]) -> None:
    result = run_vdx("check", folder=tmp_path, variables=variables | {"VDX_PEXIP__PASSWORD": "wrong-one"})
    assert result.returncode == 1
    assert "login" in result.stdout
    assert "right to participant" not in result.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_miner_serves_and_stops_cleanly_on_a_signal(
    number: signal.Signals, tmp_path: Path, variables: dict[str, str]
) -> None:
    with running_vdx("status-miner", folder=tmp_path, variables=variables) as vdx:
        url = vdx.wait_for(r"metrics: (\S+)/metrics")
        until(f"{url}/metrics", r"^pexip_up 1")
        assert httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
        vdx.wait_for(r"licences [\d,]+ of 1,500")
        assert vdx.stop(number) == 0
    assert TRACEBACK not in vdx.said


def test_a_wrong_password_does_not_end_the_miner(tmp_path: Path, variables: dict[str, str]) -> None:
    changes = {"VDX_PEXIP__PASSWORD": "wrong-one"}
    with running_vdx("status-miner", folder=tmp_path, variables=variables | changes) as vdx:
        url = vdx.wait_for(r"metrics: (\S+)/metrics")
        vdx.wait_for(r"cannot read the Management Node: .*\(401\)")
        text = until(f"{url}/metrics", r"^pexip_polls_total [2-9]")
        assert "\npexip_up 0" in text
        assert httpx.get(f"{url}/readyz", trust_env=False).status_code == 503
        assert vdx.stop() == 0
    assert vdx.said.count("cannot read the Management Node") == 1
    assert "wrong-one" not in vdx.said


def test_a_port_in_use_is_told_and_ends_with_2(tmp_path: Path, variables: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        result = run_vdx(
            "status-miner", folder=tmp_path, variables=variables | {"VDX_SERVER__LISTEN": listen}
        )
    assert result.returncode == 2
    assert f"server.listen: {listen} is in use by another program" in result.stderr
    assert TRACEBACK not in result.stderr


def test_a_database_that_is_away_does_not_end_the_miner(tmp_path: Path, variables: dict[str, str]) -> None:
    changes = {"VDX_DATABASE__URL": "mysql+pymysql://vdx:geheim@127.0.0.1:9/vdx"}
    with running_vdx("status-miner", folder=tmp_path, variables=variables | changes) as vdx:
        url = vdx.wait_for(r"metrics: (\S+)/metrics")
        text = until(f"{url}/metrics", r"^vdx_store_spool_cycles [1-9]")
        assert "\npexip_up 1" in text
        assert "\nvdx_store_up 0" in text
        assert vdx.stop() == 0
    assert "geheim" not in vdx.said
    assert TRACEBACK not in vdx.said


def test_up_without_settings_starts_the_stand_in_and_says_so(tmp_path: Path) -> None:
    started = time.monotonic()
    with running_vdx("up", folder=tmp_path, variables={"VDX_PEXIP__INTERVAL_SECONDS": "5"}) as vdx:
        metrics = vdx.wait_for(r"metrics: (\S+)/metrics")
        until(f"{metrics}/metrics", r"^pexip_up 1")
        print(f"first metrics after {time.monotonic() - started:.1f} s")
        assert "there is no vdx.toml and no VDX_PEXIP__URL, so this is the stand-in VDX" in vdx.said
        page = vdx.wait_for(r"live page: (\S+)/")
        assert "Region Nordjylland" in until(page, "Region Nordjylland")
        curves = vdx.wait_for(r"curves: (http://[^/]+)")
        until(f"{curves}/api/v1/query?query=pexip_license_ports_used", r'"value":\[[\d.]+,"[1-9]')
        assert vdx.stop() == 0
    assert TRACEBACK not in vdx.said
    assert list(tmp_path.iterdir()) == []


def test_a_mariadb_is_made_ready_and_found_good(
    tmp_path: Path, variables: dict[str, str], mariadb_url: str
) -> None:
    changes = variables | {"VDX_DATABASE__URL": mariadb_url}
    assert "vdx db upgrade" in run_vdx("check", folder=tmp_path, variables=changes).stdout
    upgraded = run_vdx("db", "upgrade", folder=tmp_path, variables=changes)
    assert upgraded.returncode == 0, upgraded.stderr
    assert run_vdx("check", folder=tmp_path, variables=changes).returncode == 0
    with running_vdx("status-miner", folder=tmp_path, variables=changes) as vdx:
        url = vdx.wait_for(r"metrics: (\S+)/metrics")
        until(f"{url}/metrics", r'^vdx_store_rows_written_total\{table="node_sample"\} (81|162)')
        assert vdx.stop() == 0


def test_a_wrong_database_password_is_told_without_it(tmp_path: Path, mariadb_url: str) -> None:
    account, _, rest = mariadb_url.rpartition("@")
    url = f"{account.rpartition(':')[0]}:not-the-password@{rest}"
    result = run_vdx("db", "upgrade", folder=tmp_path, variables={"VDX_DATABASE__URL": url})
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "not-the-password" not in result.stderr
    assert TRACEBACK not in result.stderr


def test_a_database_of_a_newer_version_is_told_and_the_miner_goes_on(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    assert run_vdx("db", "upgrade", folder=tmp_path).returncode == 0
    (file,) = (tmp_path / "data").glob("*.sqlite*")
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    upgraded = run_vdx("db", "upgrade", folder=tmp_path)
    assert upgraded.returncode == 1
    assert "newer" in upgraded.stderr
    assert TRACEBACK not in upgraded.stderr
    assert "newer" in run_vdx("check", folder=tmp_path, variables=variables).stdout
    with running_vdx("status-miner", folder=tmp_path, variables=variables) as vdx:
        url = vdx.wait_for(r"metrics: (\S+)/metrics")
        text = until(f"{url}/metrics", r"^vdx_store_spool_cycles [1-9]")
        assert "\npexip_up 1" in text
        assert vdx.stop() == 0
    assert TRACEBACK not in vdx.said
