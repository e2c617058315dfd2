"""What the archive of log lines costs: `python -m benchmarks.logs [hours] [lines an hour]`.

Synthetic lines of the mix of VDX (half Pexip, a quarter Logback, a fifth FortiGate, the rest NX-OS), with a
call for each hundred lines, are written as the collector writes them and closed, hour by hour. Then searches
of the last hour, of all and of an hour that is open, each the median of some; files are in the page cache.
"""

import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from vdx.logs.closing import close
from vdx.logs.files import open_file
from vdx.logs.query import Query
from vdx.logs.search import search

HOURS = 8
LINES = 500_000
"""Lines of an hour."""
BEGIN = datetime(2026, 3, 4, tzinfo=UTC)
ROUNDS = 5
RARE = "5e1d-needle"


def uuid(world: random.Random) -> str:
    """Digits in the form of a UUID."""
    text = f"{world.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def message(world: random.Random, number: int, when: datetime, calls: list[str]) -> tuple[str, str, str, int]:
    """Host, app, message and severity of a line."""
    inner = f"{when:%Y-%m-%d %H:%M:%S},{when.microsecond // 1000:03}"
    share = number % 20
    if share < 10:
        name, text, severity = world.choice(
            (
                ("administrator.conference", "Participant has joined.", 6),
                ("administrator.conference", "Participant has disconnected.", 6),
                ("support.media", "Stable call quality changed", 6),
                ("support.sip", "Sending SIP request", 6),
                ("support.ice", "ICE failed", 4),
            )
        )
        return (
            f"conf{world.randrange(81):02}",
            "pexip",
            f'{inner} Level="{"WARNING" if severity == 4 else "INFO"}" Name="{name}" Message="{text}" '
            f'Conference="room.{world.randrange(4000):04}" Participant="Person {world.randrange(100_000)}" '
            f'Protocol="{world.choice(("WebRTC", "SIP", "H323"))}" Call-Id="{world.choice(calls)}" '
            f'Remote-Address="10.{world.randrange(256)}.{world.randrange(256)}.{world.randrange(256)}" '
            f'Duration="{world.randrange(9000)}"',
            severity,
        )
    if share < 15:
        text = f"Slow call to directory {world.randrange(5000)} ms"
        record = {
            "@timestamp": f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z",
            "message": text,
            "logger_name": f"no.vdx.{world.choice(('booking', 'dir', 'sts'))}.Client",
            "thread_name": f"pool-2-thread-{world.randrange(40)}",
            "level": "INFO",
            "traceId": f"{world.getrandbits(64):016x}",
        }
        return f"api{world.randrange(6)}", "vdx-api", json.dumps(record), 6
    if share < 19:
        return (
            "fw-01",
            "",
            f'date={when:%Y-%m-%d} time={when:%H:%M:%S} devname="fw-01" devid="FG1" logid="0000000013" '
            f'type="traffic" subtype="forward" level="notice" vd="root" '
            f"srcip=10.{world.randrange(256)}.{world.randrange(256)}.5 srcport={world.randrange(65536)} "
            f'dstip=192.0.2.{world.randrange(256)} dstport=443 proto=6 action="deny" policyid=0 '
            f"sentbyte={world.randrange(100_000)} rcvdbyte=0",
            5,
        )
    return (
        "192.0.2.9",
        "",
        f": {when:%Y %b %d %H:%M:%S} UTC: %ETHPORT-5-IF_UP: Interface Ethernet1/{world.randrange(48)} is up",
        5,
    )


def lines(hour: datetime, count: int, world: random.Random) -> Iterator[str]:
    """The lines of an hour; one of them holds RARE."""
    calls = [uuid(world) for _ in range(max(1, count // 100))]
    for number in range(count):
        when = hour + timedelta(seconds=3600 * number / count)
        host, app, text, severity = message(world, number, when, calls)
        stamp = f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"
        record = {
            "received": stamp,
            "time": stamp,
            "host": host,
            "address": f"10.9.0.{len(host)}",
            "facility": 16,
            "severity": severity,
            "app": app,
            "transport": "tcp",
            "message": f"{text} {RARE}" if number == count // 2 else text,
        }
        yield json.dumps(record, separators=(",", ":")) + "\n"


def write(folder: Path, hour: datetime, count: int) -> Path:
    """The open file of an hour."""
    path = open_file(folder, hour)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines(hour, count, random.Random(hour.hour)))
    return path


def seconds(folder: Path, query: Query) -> tuple[float, int]:
    """Median time of a search, and the lines that it found."""
    times: list[float] = []
    found = 0
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        found = len(list(search(folder, query, pytest.fail)))
        times.append(time.perf_counter() - begun)
    return statistics.median(times), found


def main(hours: int = HOURS, count: int = LINES) -> None:
    """Print all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = closed = 0
        spent = 0.0
        for number in range(hours):
            path = write(folder, BEGIN + timedelta(hours=number), count)
            raw += path.stat().st_size
            begun = time.perf_counter()
            close(path)
            spent += time.perf_counter() - begun
            closed += path.with_suffix(".parquet").stat().st_size
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{hours} hours of {count:,} lines, {raw / hours / count:.0f} bytes each, {raw / 1e9:.2f} GB raw"
        )
        print(f"  closed: {closed / raw:.3f} of the raw size (wanted: at most 0.16)")
        print(f"  closing: {hours * count / spent:,.0f} lines/s, {memory:,.0f} MB of memory at most")
        end = BEGIN + timedelta(hours=hours)
        last = end - timedelta(hours=1)
        parts = {
            "the newest 100": Query(),
            "a word of many lines": Query(text="ice FAILED"),
            "a word of one line": Query(text=RARE),
            "a word and a host": Query(text="ice failed", host="conf01"),
            "a field": Query(fields=(("Conference", "room.0042"),)),
            "a regular expression": Query(regex=r"Duration=\"8\d{3}\""),
            "a call": Query(call_id="none-of-them"),
            "severity": Query(severity=4),
        }
        for label, since in (("the last hour", last), (f"all {hours} hours", BEGIN)):
            print(f"search of {label}")
            for what, query in parts.items():
                took, found = seconds(folder, structs.replace(query, since=since))
                print(f"  {what:24} {took * 1000:8.1f} ms  {found:4} lines")
        write(folder, end, count)
        print("search of an hour that is open")
        for what, query in parts.items():
            took, found = seconds(folder, structs.replace(query, since=end))
            print(f"  {what:24} {took * 1000:8.1f} ms  {found:4} lines")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
