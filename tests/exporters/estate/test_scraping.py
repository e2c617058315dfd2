"""A real Prometheus scrapes what the settings name, by the configuration that is made of them."""

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app.scrape_configuration import write
from exporters.estate.configuration import configuration, files
from exporters.estate.kind import kinds
from exporters.estate.looking import look
from exporters.estate.target import Job, jobs, own_jobs
from tests.certificates import self_signed
from tests.databases import MariaDB, free_port
from tests.exporters.estate.servers import (
    PASSWORD,
    TOKEN,
    USERNAME,
    debian_exporters,
    documented,
    nginx,
    running,
    serving,
)
from tests.system.commands import run_vdx
from vdx.settings import EstateJob, Settings


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory, mariadb: MariaDB) -> Iterator[list[Job]]:
    """Jobs of every kind, and the exporters behind them."""
    folder = tmp_path_factory.mktemp("estate")
    (folder / "token").write_text(TOKEN)
    (folder / "password").write_text(PASSWORD)
    certificate = self_signed(folder, "kubelet", datetime.now(UTC) + timedelta(days=30))
    with (
        nginx(folder) as web,
        debian_exporters(folder, mariadb, web) as real,
        serving(documented) as texts,
        serving(documented, certificate) as kubelet,
    ):
        probes: dict[str, Any] = {"kind": "blackbox", "exporter": real["blackbox"]}
        sections: dict[str, dict[str, Any]] = {
            "hosts": {"kind": "node", "targets": (real["node"],), "site": "Viborg"},
            "database": {"kind": "mysqld", "targets": (real["mysqld"],)},
            "proxies": {"kind": "nginx", "targets": (real["nginx"],)},
            "pages": probes | {"targets": (f"http://{web}/",)},
            "ports": probes | {"targets": (web,), "module": "tcp_connect"},
            "sts": {"kind": "mongodb", "targets": (texts,), "path": "/mongodb"},
            "login": {
                "kind": "keycloak",
                "targets": (texts,),
                "path": "/keycloak",
                "username": USERNAME,
                "password_file": folder / "password",
            },
            "cluster": {"kind": "kube-state-metrics", "targets": (texts,), "path": "/kube-state-metrics"},
            "nodes": {
                "kind": "kubelet",
                "targets": (kubelet,),
                "path": "/kubelet",
                "ca_file": certificate,
                "token_file": folder / "token",
            },
            "esx": {
                "kind": "vmware",
                "targets": ("vcenter.example.org",),
                "exporter": texts,
                "path": "/vmware",
            },
        }
        yield jobs(Settings(estate={name: EstateJob(**section) for name, section in sections.items()}))


def ask(address: str, path: str, **parameters: str) -> Any:
    answer = httpx.get(f"http://{address}/api/v1/{path}", params=parameters, trust_env=False, timeout=10)
    assert answer.status_code == 200, f"{parameters}: {answer.text}"
    return answer.json()["data"]


@pytest.fixture(scope="module")
def prometheus(estate: list[Job], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with the configuration of the estate, though it scrapes each second; its host:port."""
    folder = tmp_path_factory.mktemp("prometheus")
    hurried = [msgspec.structs.replace(job, interval_seconds=1, timeout_seconds=1) for job in estate]
    write(folder, files(hurried))
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with running(command, f"http://{address}/-/ready", folder):
        yield address


def targets(prometheus: str, number: int) -> list[dict[str, Any]]:
    """The targets, once all were scraped."""
    end = time.monotonic() + 20
    while True:
        found: list[dict[str, Any]] = ask(prometheus, "targets", state="active")["activeTargets"]
        if len(found) == number and all(target["health"] != "unknown" for target in found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.1)


def test_prometheus_finds_every_target_up_under_the_name_of_its_kind(
    prometheus: str, estate: list[Job]
) -> None:
    found = targets(prometheus, len(estate))
    assert {
        target["labels"]["instance"]: target["lastError"] for target in found if target["lastError"]
    } == {}
    assert {(target["scrapePool"], target["labels"]["job"]) for target in found} == {
        (job.name, job.kind) for job in estate
    }
    assert {target["labels"]["job"] for target in found} == set(kinds())
    (host,) = [target for target in found if target["scrapePool"] == "hosts"]
    assert host["labels"]["site"] == "Viborg"
    (page,) = [target for target in found if target["scrapePool"] == "pages"]
    assert page["labels"]["instance"].startswith("http://")


def test_prometheus_has_every_metric_that_alerts_and_dashboards_need(
    prometheus: str, estate: list[Job]
) -> None:
    targets(prometheus, len(estate))
    absent = [
        name
        for kind, known in kinds().items()
        for name, needed in known.metrics.items()
        if not needed.when and not ask(prometheus, "query", query=f'{name}{{job="{kind}"}}')["result"]
    ]
    assert absent == []
    for known in kinds().values():
        for needed in known.metrics.values():
            ask(prometheus, "query", query=needed.use)
    assert ask(prometheus, "query", query="min(probe_success)")["result"][0]["value"][1] == "1"
    assert ask(prometheus, "query", query="mysql_up")["result"][0]["value"][1] == "1"


async def test_each_exporter_lacks_nothing_when_it_is_asked_once(estate: list[Job]) -> None:
    found = await look(estate)
    assert len(found) == len(estate)
    assert {item.job: item.words for item in found if item.words} == {}


async def test_an_exporter_whose_database_is_not_there_is_told(tmp_path: Path) -> None:
    account = tmp_path / "my.cnf"
    account.write_text(f"[client]\nuser=x\npassword=x\nhost=127.0.0.1\nport={free_port()}\n")
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus-mysqld-exporter",
        f"--config.my-cnf={account}",
        f"--web.listen-address={address}",
    ]
    with running(command, f"http://{address}/", tmp_path):
        (found,) = await look(jobs(Settings(estate={"db": EstateJob(kind="mysqld", targets=(address,))})))
    assert "cannot reach it (mysql_up is 0)" in found.words


SETTINGS = """
[estate.hosts]
kind = "node"
targets = ["host1", "host2:9101"]
[estate.login]
kind = "keycloak"
targets = ["login1"]
scheme = "https"
ca_file = "ca.pem"
username = "prometheus"
password_file = "password"
"""


def test_the_command_prints_and_writes_what_promtool_accepts(tmp_path: Path) -> None:
    (tmp_path / "vdx.toml").write_text(SETTINGS)
    (tmp_path / "password").write_text("hemmelig")
    (tmp_path / "ca.pem").touch()
    printed = run_vdx("scrape-configuration", folder=tmp_path)
    written = run_vdx("scrape-configuration", "--directory", "out/vdx", folder=tmp_path)
    assert (printed.returncode, written.returncode) == (0, 0), printed.stderr + written.stderr
    (tmp_path / "printed.yml").write_text(printed.stdout)
    for file in ("printed.yml", "out/vdx/prometheus.yml"):
        checked = subprocess.run(
            ["promtool", "check", "config", tmp_path / file], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "hemmelig" not in (tmp_path / file).read_text()
    assert json.loads((tmp_path / "out/vdx/targets/hosts.json").read_text()) == [
        {"targets": ["host1:9100", "host2:9101"], "labels": {"job": "node"}}
    ]
    assert sorted(path.name for path in (tmp_path / "out/vdx/targets").iterdir()) == [
        "hosts.json",
        "login.json",
        "vdx.json",
    ]


def test_the_command_helps_with_an_example(tmp_path: Path) -> None:
    result = run_vdx("scrape-configuration", "--help", folder=tmp_path)
    assert result.returncode == 0
    assert "Example: vdx scrape-configuration" in result.stdout


def test_a_wrong_section_ends_the_command_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "vdx.toml").write_text(SETTINGS.replace('"node"', '"nodes"'))
    result = run_vdx("scrape-configuration", "--directory", "out", folder=tmp_path)
    assert result.returncode == 2
    assert result.stderr == "vdx: estate.hosts.kind: there is no kind 'nodes'; did you mean node?\n"
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_fails_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "vdx.toml").write_text(SETTINGS)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "targets").touch()
    result = run_vdx("scrape-configuration", "--directory", "out", folder=tmp_path)
    assert result.returncode == 1
    assert "cannot write out/targets: File exists; name a folder" in result.stderr
    assert "Traceback" not in result.stderr


def test_files_of_before_are_whole_while_others_are_written(tmp_path: Path) -> None:
    before = files(own_jobs(Settings()))
    write(tmp_path, before)
    after = files(
        [*own_jobs(Settings()), *jobs(Settings(estate={"hosts": EstateJob(kind="node", targets=("a",))}))]
    )
    names = list(after)
    assert str(names[-1]) == "prometheus.yml"
    write(tmp_path, {name: after[name] for name in names[:-1]})
    assert (tmp_path / "prometheus.yml").read_text() == before[names[-1]]
    assert not list(tmp_path.rglob("*.draft"))


def test_printed_and_written_scrape_the_same() -> None:
    wanted = jobs(Settings(estate={"hosts": EstateJob(kind="node", targets=("a", "b"), site="Viborg")}))
    (printed,) = json.loads(configuration(wanted).partition("\n")[2])["scrape_configs"]
    texts = {str(path): text for path, text in files(wanted).items()}
    (written,) = json.loads(texts["prometheus.yml"].partition("\n")[2])["scrape_configs"]
    (source,) = written.pop("file_sd_configs")
    assert printed.pop("static_configs") == json.loads(texts[source["files"][0]])
    assert printed == written
