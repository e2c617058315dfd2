"""`vdx logs ship` as a child process: killed, stopped, without a token, without an archive."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import httpx
import pytest

from app.log_exporter import readers
from simulator.humio import StandIn, running
from tests.databases import free_port
from tests.miners.humio.shipping import line, numbered, write
from tests.system.commands import run_vdx, running_vdx, until
from vdx.logs.passed import by_all
from vdx.settings import DataSettings, HumioSettings, Settings

KILLS = 3
LINES = 6_000
BATCH = 200


@pytest.fixture
def humio() -> Iterator[StandIn]:
    with running("ingest-token-of-the-test") as stand_in:
        yield stand_in


@pytest.fixture
def folder(tmp_path: Path, humio: StandIn) -> Path:
    (tmp_path / "token").write_text(f"{humio.token}\n")
    (tmp_path / "vdx.toml").write_text(
        f'[humio]\nurl = "{humio.url}"\ntoken_file = "token"\nbatch_events = {BATCH}\ntimeout_seconds = 0.3\n'
        f'[logs]\nlisten = "127.0.0.1:{free_port()}"\n'
    )
    return tmp_path


def test_killed_again_and_again_it_loses_nothing_and_doubles_only_what_it_could_not_know(
    humio: StandIn, folder: Path
) -> None:
    archive = folder / "data" / "logs"
    doubtful = 0
    for kill in range(KILLS):
        humio.fail("503", "", "timeout", "", "reset", "", "429", "", "half")
        share = LINES // KILLS
        write(archive, numbered(kill * share, (kill + 1) * share), hours=kill // 2)
        wanted = len(humio.events) + share // 2
        with running_vdx("logs", "ship", folder=folder) as vdx:
            end = time.monotonic() + 20
            while len(humio.events) < wanted and time.monotonic() < end:
                time.sleep(0.001)
            vdx.stop(SIGKILL)
        doubtful += BATCH
    humio.script.clear()
    done = run_vdx("logs", "ship", "--once", folder=folder)
    assert done.returncode == 0, done.stderr
    texts = humio.texts()
    assert texts.keys() == {f"line {number}" for number in range(LINES)}
    unanswered = {event.text for event in humio.unanswered}
    doubled = {text for text, count in texts.items() if count > 1}
    # One request of each process can have been taken when the process was killed.
    assert len(doubled - unanswered) <= doubtful
    assert doubled & unanswered


def test_an_hour_may_be_closed_when_it_was_counted_and_handed_on_and_no_sooner(
    humio: StandIn, folder: Path
) -> None:
    path = write(folder / "data" / "logs", numbered(0, 10))
    configured = Settings(data=DataSettings(directory=folder / "data"), humio=HumioSettings(url=humio.url))
    may_be_closed = by_all(readers(configured))
    assert not may_be_closed(path)
    assert run_vdx("logs", "ship", "--once", folder=folder).returncode == 0
    assert not may_be_closed(path), "its lines were not counted yet"
    assert run_vdx("log-exporter", "--once", folder=folder).returncode == 0
    assert may_be_closed(path)
    later = write(folder / "data" / "logs", numbered(10, 20), hours=1)
    assert not may_be_closed(later)
    assert run_vdx("log-exporter", "--once", folder=folder).returncode == 0
    assert not may_be_closed(later)
    assert by_all(readers(Settings(data=configured.data)))(later), "nothing is handed on without an address"


def test_it_serves_metrics_and_ends_in_good_order(humio: StandIn, folder: Path) -> None:
    humio.poison = "poison"
    write(folder / "data" / "logs", [*numbered(0, 10), line("poison")])
    with running_vdx("logs", "ship", folder=folder) as vdx:
        url = vdx.wait_for(r"metrics: (http://\S+)/metrics")
        text = until(f"{url}/metrics", r"^humio_dead_letters_total\{reason=\"refused\"\} 1\.0$")
        assert re.search(r"^humio_events_total 10\.0$", text, re.MULTILINE)
        assert re.search(r"^humio_lag_bytes 0\.0$", text, re.MULTILINE)
        assert httpx.get(f"{url}/readyz", trust_env=False).text == "ready\n"
        assert vdx.stop() == 0
    assert humio.token not in vdx.said


def test_a_wrong_token_is_told_and_waited_with_and_once_ends_with_1(humio: StandIn, folder: Path) -> None:
    (folder / "token").write_text("the-token-of-somebody-else")
    write(folder / "data" / "logs", numbered(0, 10))
    done = run_vdx("logs", "ship", "--once", folder=folder)
    assert done.returncode == 1
    assert "Humio refused the ingest token (403)" in done.stderr
    with running_vdx("logs", "ship", folder=folder) as vdx:
        url = vdx.wait_for(r"metrics: (http://\S+)/metrics")
        text = until(f"{url}/metrics", r"^humio_paused 1\.0$")
        assert "somebody-else" not in text + vdx.said + done.stderr
        assert "refused the ingest token" in httpx.get(f"{url}/readyz", trust_env=False).text
        assert vdx.stop() == 0
    assert not humio.events


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("", "vdx: humio.url is not set"),
        ('[humio]\nurl = "https://humio.example.org"', "vdx: humio.token_file is not set"),
    ],
)
def test_settings_that_do_not_suffice_end_it_with_2(tmp_path: Path, section: str, words: str) -> None:
    (tmp_path / "vdx.toml").write_text(section)
    done = run_vdx("logs", "ship", folder=tmp_path)
    assert (done.returncode, done.stderr.startswith(words)) == (2, True), done.stderr
