"""`vdx log-exporter` as its users meet it."""

import signal
from pathlib import Path

import httpx

from tests.exporters.logs.lines import PEXIP_ATTEMPT, SIP_FAILURE, line, pexip, write
from tests.system.commands import run_vdx, running_vdx, until


def test_once_counts_what_there_is_and_prints_it(tmp_path: Path) -> None:
    write(tmp_path / "data" / "logs", line(PEXIP_ATTEMPT), line(SIP_FAILURE))
    for _ in range(2):
        done = run_vdx("log-exporter", "--once", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "event pexip_sip_failure tls conf01 1" in done.stdout
        assert "lines pexip error conf01 1" in done.stdout
        assert "rejected 0" in done.stdout


def test_once_fails_where_there_is_no_archive(tmp_path: Path) -> None:
    done = run_vdx("log-exporter", "--once", folder=tmp_path)
    assert done.returncode == 1
    assert "cannot read the log archive data/logs: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_rule_ends_it_with_a_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[[rules]]\nname = 1\n")
    done = run_vdx("log-exporter", folder=tmp_path, variables={"VDX_LOGS__RULES_DIRECTORY": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr.startswith("vdx: logs.rules_directory: ")
    assert "mine.toml: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_it_serves_what_comes_and_ends_in_good_order(tmp_path: Path) -> None:
    archive = tmp_path / "data" / "logs"
    write(archive, line(PEXIP_ATTEMPT))
    with running_vdx(
        "log-exporter", folder=tmp_path, variables={"VDX_LOGS__LISTEN": "127.0.0.1:0"}
    ) as running:
        url = running.wait_for(r"(http://\S+)/metrics")
        write(archive, line(pexip("Odd thing happened", "ERROR", "support.odd")))
        text = until(f"{url}/metrics", "^log_unknown_templates 1.0")
        assert 'rule="pexip_join_attempted"' in text
        assert httpx.get(f"{url}/readyz").status_code == 200
        assert "support.odd Odd thing happened" in httpx.get(f"{url}/kinds").text
        assert running.stop(signal.SIGTERM) == 0
    assert "Traceback" not in running.said
