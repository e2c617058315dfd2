"""`python -m simulator` as a process, and its clock over HTTP."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from simulator.testing import RunningSimulator, running


def test_the_command_prints_its_address_answers_and_ends_cleanly() -> None:
    environment = os.environ | {"VDX_SIMULATOR_PASSWORD": "another"}
    command = [
        sys.executable,
        "-m",
        "simulator",
        "--time",
        "2026-11-17T03:00:00",
        "--manual",
        "--username",
        "vdx",
    ]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=root) as process:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        path = f"{found[0]}/api/admin/status/v1/management_vm/"
        for password, status in (("another", 200), ("vdx-simulator", 401)):
            answer = httpx.get(path, auth=("vdx", password), trust_env=False)
            assert answer.status_code == status
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_wrong_option_is_named() -> None:
    command = [sys.executable, "-m", "simulator", "--version", "v1"]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert ended.returncode == 2
    assert "--version" in ended.stderr


def test_the_clock_stands_steps_and_runs(fresh: RunningSimulator) -> None:
    begun = fresh.truth().timestamp
    assert fresh.truth().timestamp == begun
    assert fresh.step(30) == begun + 30
    assert fresh.clock(mode="manual", time="2026-11-17T06:00:00") == begun - 1200
    assert fresh.clock(speed=1000) >= begun - 1200
    assert fresh.http.get("/simulator/clock").json()["mode"] == "real"
    assert fresh.http.post("/simulator/clock", json={"hands": 3}).status_code == 400


def test_a_fast_clock_moves_the_world() -> None:
    with running(time="2026-11-17T06:00:00", manual=False, speed=600) as simulator:
        assert simulator.truth().timestamp < simulator.truth().timestamp


def test_the_simulator_imports_nothing_of_the_suite() -> None:
    folder = Path(__file__).parents[2] / "simulator"
    suite = re.compile(r"^\s*(?:from|import) (?:vdx|miners|exporters|app)\b", re.MULTILINE)
    assert not [path.name for path in folder.glob("*.py") if suite.search(path.read_text())]
