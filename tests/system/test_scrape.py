"""A real Prometheus scrapes the miner over several cycles."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.testing import RunningSimulator, running
from tests.system.commands import running_vdx, until
from tests.system.watching import Exposition
from vdx.metrics import METRICS


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running(manual=False, activity="tue 10:10") as simulator:
        yield simulator


def query(prometheus: str, expression: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": expression}, trust_env=False)
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return result


def test_prometheus_keeps_what_the_miner_shows(tmp_path: Path, simulator: RunningSimulator) -> None:
    password = tmp_path / "password"
    password.write_text("geheim\n")
    variables = {
        "VDX_PEXIP__URL": simulator.url,
        "VDX_PEXIP__USERNAME": simulator.username,
        "VDX_PEXIP__PASSWORD": simulator.password,
        "VDX_PEXIP__INTERVAL_SECONDS": "5",
        "VDX_SERVER__USERNAME": "prometheus",
        "VDX_SERVER__PASSWORD_FILE": str(password),
    }
    with running_vdx("up", folder=tmp_path, variables=variables) as vdx:
        metrics = vdx.wait_for(r"metrics: (\S+)")
        prometheus = vdx.wait_for(r"curves: (http://[^/]+)")
        until(
            f"{prometheus}/api/v1/query?query=count_over_time(pexip_up[5m])", r'"value":\[[\d.]+,"[4-9]', 60
        )
        assert httpx.get(metrics, trust_env=False).status_code == 401
        text = httpx.get(metrics, auth=("prometheus", "geheim"), trust_env=False).content
        simulator.fault("server_error")
        # The poll that the fault broke into may have read some resources; the one after it has none.
        for name in ("pexip_license_ports_used", "pexip_node_up"):
            until(f"{prometheus}/api/v1/query?query=absent({name})", r'"value":\[[\d.]+,"1"')
        assert [sample["value"][1] for sample in query(prometheus, "pexip_up")] == ["0"]
        simulator.clear()
        until(f"{prometheus}/api/v1/query?query=pexip_up", r'"value":\[[\d.]+,"1"')
        assert len(query(prometheus, "pexip_node_up")) == 81
        assert vdx.stop() == 0
    exposition = Exposition(text)
    histogram_parts = ("_bucket", "_count", "_sum")
    families = {
        name
        if name in METRICS
        else next(name.removesuffix(part) for part in histogram_parts if name.endswith(part))
        for name in exposition.names()
        if not name.startswith("process_")
    }
    assert families <= METRICS.keys()
    linted = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr
