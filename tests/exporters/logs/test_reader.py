"""What was counted is exact, whatever ends the reader, and bounded, whatever comes."""

import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from exporters.logs import state
from exporters.logs.kinds import MOST
from exporters.logs.reader import LogReader
from exporters.logs.rule import OTHER, SHIPPED, load, parse
from tests.exporters.logs.lines import (
    BGP_DOWN,
    DENIED,
    PEXIP_ATTEMPT,
    SIP_FAILURE,
    SLOW_CALL,
    encoded,
    line,
    pexip,
    write,
)
from vdx.logs.checkpoint import CheckpointError

RULES = load(SHIPPED)


def reader(folder: Path, *, most_hosts: int = 500, expected: tuple[str, ...] = ()) -> LogReader:
    return LogReader(
        folder / "logs", folder / "counts.sqlite3", RULES, most_hosts=most_hosts, expected=lambda: expected
    )


def drained(folder: Path, **options: int) -> LogReader:
    one = reader(folder, **options)  # type: ignore[arg-type]
    while one.step():
        pass
    one.close()
    return one


CHILD = """
import sys
from pathlib import Path
import vdx.logs.tail
vdx.logs.tail.BATCH_BYTES = 150_000
from exporters.logs.reader import LogReader
from exporters.logs.rule import SHIPPED, load
folder = Path(sys.argv[1])
reader = LogReader(folder / "logs", folder / "counts.sqlite3", load(SHIPPED), most_hosts=500)
while reader.step():
    print("x", flush=True)
"""


def test_a_reader_that_is_killed_twenty_times_counts_each_line_once(tmp_path: Path) -> None:
    chance, total = random.Random(5), 100_000
    samples = [encoded(line(text)) for text in (PEXIP_ATTEMPT, SIP_FAILURE, SLOW_CALL, DENIED, BGP_DOWN)]
    (tmp_path / "logs").mkdir()
    with (tmp_path / "logs" / "2026-11-24T10.jsonl").open("wb") as file:
        file.writelines(samples[number % 5] for number in range(total))
    kills = 0
    while kills < 20:
        command = [sys.executable, "-c", CHILD, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(chance.randint(1, 4)):
                assert child.stdout.readline() == b"x\n", "it came to the end before it was killed"
            # Somewhere within the next batch, most often.
            child.stdout.read(chance.randint(0, 1))
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
        kills += 1
    totals = drained(tmp_path).totals
    each = total // 5
    assert sum(totals.lines.values()) == total
    assert Counter({rule: one.count for (rule, _, _), one in totals.events.items()}) == {
        "pexip_join_attempted": each,
        "pexip_sip_failure": each,
        "vdx_api_lines": each,
        "vdx_api_slow_call": each,
        "vdx_api_slow_call_milliseconds": each,
        "fortigate_denied": each,
        "nxos_bgp": each,
    }


def test_counts_go_on_after_a_restart(tmp_path: Path) -> None:
    write(tmp_path / "logs", line(SIP_FAILURE), line("garbage"))
    drained(tmp_path)
    write(tmp_path / "logs", line(SIP_FAILURE))
    totals = drained(tmp_path).totals
    assert totals.events["pexip_sip_failure", "tls", "conf01"].count == 2
    assert totals.lines["conf01", "pexip", "error"] == 2
    assert totals.lines["conf01", "other", "info"] == 1


def test_what_is_no_line_is_counted_and_reading_goes_on(tmp_path: Path) -> None:
    write(tmp_path / "logs", line(DENIED))
    with (tmp_path / "logs" / "2026-11-24T10.jsonl").open("ab") as file:
        file.write(b"\x00\xff\n{}\n\n[1]\n" + encoded(line(DENIED))[:-20] + b"\n")
    write(tmp_path / "logs", line(DENIED))
    totals = drained(tmp_path).totals
    assert totals.counts["rejected"] == 5
    assert sum(totals.lines.values()) == 2


@pytest.mark.parametrize("received", ["", "yesterday", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z"])
def test_a_wrong_time_stops_nothing(tmp_path: Path, received: str) -> None:
    write(tmp_path / "logs", line(BGP_DOWN, received=received), line("\x00" * 60_000, severity=99))
    assert sum(drained(tmp_path).totals.lines.values()) == 2


def test_hosts_beyond_the_bound_are_summed_but_for_those_that_are_expected(tmp_path: Path) -> None:
    strangers = [line(DENIED, host=f"host{number}") for number in range(50)]
    write(tmp_path / "logs", *strangers, line(DENIED, host="FW-01"), line(DENIED, host="../a b"))
    one = reader(tmp_path, most_hosts=10, expected=("fw-01",))
    while one.step():
        pass
    hosts = Counter({host: count for (host, _, _), count in one.totals.lines.items()})
    one.close()
    assert len(hosts) == 12
    assert hosts["fw-01"] == 1
    assert hosts[OTHER] == 41


def test_names_of_a_class_beyond_the_bound_are_other(tmp_path: Path) -> None:
    services = [f"vdx-{'a' * number}" for number in range(1, 80)]
    write(tmp_path / "logs", *(line(f'{{"level":"ERROR","app":"{name}"}}') for name in services))
    events = drained(tmp_path).totals.events
    found = {name: one.count for (rule, name, _), one in events.items() if rule == "vdx_api_error"}
    assert len(found) == 51
    assert found[OTHER] == 79 - 50


def test_series_of_events_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_EVENTS", 5)
    write(tmp_path / "logs", *(line(DENIED, host=f"host{number}") for number in range(20)))
    events = drained(tmp_path).totals.events
    assert events["fortigate_denied", "", OTHER].count == 15
    assert len(events) == 6


def test_counts_of_a_rule_that_is_gone_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "logs", line(SIP_FAILURE))
    drained(tmp_path)
    text = (
        'source="other"\n[[rules]]\nname="own"\nmeaning="m"\nkind="counter"\nlevel="info"\ncontains="zzz"\n'
    )
    own = LogReader(tmp_path / "logs", tmp_path / "counts.sqlite3", parse(text, "own"), most_hosts=5)
    own.step()
    own.close()
    assert own.totals.events == {}
    assert sum(own.totals.lines.values()) == 1


def test_lines_are_read_again_when_their_counts_could_not_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    write(tmp_path / "logs", line(DENIED))
    one = reader(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(state, "store", full)
        with pytest.raises(CheckpointError, match="database or disk is full; check the disk"):
            one.step()
    assert one.step()
    one.close()
    assert sum(one.totals.lines.values()) == 1


def test_unknown_warnings_are_sorted_into_kinds_without_names(tmp_path: Path) -> None:
    messages = [
        pexip(f"Could not reach mail server for {name}", "WARNING", "support.mail", f'Participant="{name}"')
        for name in ("Kari Nordmann", "ola@example.test", "+45 12345678", "192.0.2.7")
    ]
    write(tmp_path / "logs", *map(line, messages), line("Kari Nordmann fell off", severity=3))
    drained(tmp_path)
    kinds = drained(tmp_path).kinds.values()
    assert len(kinds) >= 2
    assert sum(kind.count for kind in kinds) == 5
    text = " ".join(kind.text for kind in kinds)
    assert "support.mail Could not reach mail server for" in text
    for private in ("Kari", "Nordmann", "ola", "12345678", "192"):
        assert private not in text


def test_what_a_rule_knows_is_no_unknown_kind(tmp_path: Path) -> None:
    error = '{"level":"ERROR","app":"vdx-booking","message":"It broke","logger_name":"dk.vdx.App"}'
    write(tmp_path / "logs", line(SIP_FAILURE), line(error))
    one = drained(tmp_path)
    assert [kind.text for kind in one.kinds.values()] == ["dk.vdx.App It broke"]
    assert one.totals.counts["unknown"] == 1


def test_kinds_have_a_bound(tmp_path: Path) -> None:
    letters = "abcdefghij"
    words = [f"{a}{b}{c}" for a in letters for b in letters for c in letters]
    for begin in range(0, 1000, 100):
        some = words[begin : begin + 100]
        write(tmp_path / "logs", *(line(f"{word} {word} {word}", app=word, severity=4) for word in some))
        drained(tmp_path)
    assert len(drained(tmp_path).kinds) == MOST


def test_the_lag_and_the_faults_of_files_are_told(tmp_path: Path) -> None:
    write(tmp_path / "logs", line(DENIED), line(DENIED))
    one = reader(tmp_path)
    while one.step():
        pass
    (tmp_path / "logs" / "2026-11-24T10.jsonl").write_bytes(b"")
    write(tmp_path / "logs", line(DENIED))
    while one.step():
        pass
    one.close()
    assert one.lag is not None
    assert one.lag.bytes == 0
    assert one.faults["truncated"] == 1
