"""The suite's own log goes through the real collector into the archive, and from there to Humio."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.humio import running
from tests.syslog.collector import collecting
from tests.system.commands import run_vdx
from vdx.own_log.message import message
from vdx.own_log.sender import Sender


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_line_of_the_suite_reaches_the_archive_and_humio_as_it_was_written(
    tmp_path: Path, transport: str
) -> None:
    time = datetime.now(UTC)
    with running() as humio, collecting(tmp_path / "collector", transport) as collector:
        sender = Sender(f"127.0.0.1:{collector.ports[transport]}", "udp" if transport == "udp" else "tcp")
        for text in ("møde: the first", "two\nlines [x]"):
            sender.put(
                message(text, level=30, time=time, app="watcher", process=1, module="app.up", event="run")
            )
        sender.stop()
        lines = collector.wait_for(2)
        (tmp_path / "token").write_text(humio.token)
        (tmp_path / "vdx.toml").write_text(
            f'[humio]\nurl = "{humio.url}"\ntoken_file = "token"\n'
            f'[syslog]\ndirectory = "{collector.archive}"\n'
        )
        done = run_vdx("logs", "ship", "--once", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {(line.app, line.severity, line.facility, line.transport) for line in lines} == {
        ("watcher", 4, 16, transport)
    }
    data = '[vdx@32473 module="app.up" event="run"]'
    wanted = [f"{data} møde: the first", f"{data} two | lines [x]"]
    assert [line.message for line in lines] == wanted
    assert sorted(event.text for event in humio.events) == wanted
    assert {event.timestamp for event in humio.events} == {time.timestamp()}
