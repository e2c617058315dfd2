"""What polling the network kit costs: `python -m benchmarks.snmp`.

/snmp of `vdx snmp-exporter` beside Debian's prometheus-snmp-exporter 0.21, asked in turn for the interface
tables of the same agents: net-snmp's snmpd and the stand-in Nexus with 59 interfaces. Then all of the kit,
2 FortiGates, 4 Nexus and 24 iDRACs, polled as in operation. CPU is that of the serving process alone.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from simulator.network.estate import estate
from simulator.network.testing import RunningNetwork, running
from tests.databases import free_port
from tests.exporters.snmp.agents import COMMUNITY, LOOPBACK, Snmpd, running_snmpd
from tests.exporters.snmp.serving import running_program, running_snmp_exporter

SCRAPES = 100
SECONDS = 125
"""Two intervals of the kit, and a little."""
SERVERS = 24

SETTINGS = """
[snmp]
listen = "{listen}"
targets = ["127.0.0.0/8"]
[snmp.credentials.tests]
community_file = "{folder}/community"
{devices}
"""
DEVICE = """
[devices.{name}]
address = "{address}"
snmp_port = {port}
kind = "{kind}"
site = "{site}"
snmp = "tests"
"""


@contextmanager
def running_ours(folder: Path, devices: str = "") -> Iterator[tuple[str, psutil.Process]]:
    """`vdx snmp-exporter`: its address, and the process."""
    listen = f"{LOOPBACK}:{free_port()}"
    (folder / "community").write_text(COMMUNITY)
    settings = folder / "vdx.toml"
    settings.write_text(SETTINGS.format(listen=listen, folder=folder, devices=devices))
    program = str(Path(sys.executable).with_name("vdx"))
    arguments = ("snmp-exporter", "--settings", str(settings))
    with running_program(program, *arguments, ready=f"http://{listen}/healthz") as process:
        yield f"http://{listen}", psutil.Process(process.pid)


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def scrape(client: httpx.Client, url: str, query: dict[str, str]) -> tuple[float, int]:
    """Seconds that a scrape took, and the number of samples of interfaces in it."""
    started = time.perf_counter()
    answer = client.get(url, params=query)
    seconds = time.perf_counter() - started
    answer.raise_for_status()
    return seconds, sum(line.startswith("if") for line in answer.text.splitlines())


def compare(name: str, port: int, sides: dict[str, tuple[str, psutil.Process, dict[str, str]]]) -> None:
    """Print wall and CPU of a scrape on each side, and ours as a share of the others."""
    walls: dict[str, list[float]] = {side: [] for side in sides}
    used = dict.fromkeys(sides, 0.0)
    samples = dict.fromkeys(sides, 0)
    with httpx.Client(trust_env=False, timeout=30) as client:
        for round_number in range(-3, SCRAPES):
            for side, (url, process, query) in sides.items():
                before = cpu_seconds(process)
                seconds, samples[side] = scrape(client, url, {"target": f"{LOOPBACK}:{port}", **query})
                if round_number >= 0:
                    walls[side].append(seconds)
                    used[side] += cpu_seconds(process) - before
    print(f"{name}, {SCRAPES} scrapes of each in turn")
    own_wall, own_cpu = statistics.median(walls["ours"]), used["ours"]
    for side in sides:
        wall = statistics.median(walls[side])
        print(
            f"  {side:32} {wall * 1000:7.1f} ms  CPU {used[side] / SCRAPES * 1000:6.1f} ms  "
            f"{samples[side]:5,} samples  ours is {own_wall / wall:4.2f} of its time, "
            f"{own_cpu / used[side]:4.2f} of its CPU"
        )


def interfaces(folder: Path, snmpd: Snmpd, kit: RunningNetwork) -> None:
    """Print the comparison for the two agents."""
    with running_ours(folder) as (url, own), running_snmp_exporter() as (other_url, other):
        theirs = psutil.Process(other.pid)
        sides = {
            "ours": (f"{url}/snmp", own, {"module": "if_mib", "auth": "tests"}),
            "snmp_exporter, same columns": (other_url, theirs, {"module": "if_mib_columns"}),
            "snmp_exporter, published if_mib": (other_url, theirs, {"module": "if_mib"}),
        }
        compare("snmpd", snmpd.port, sides)
        compare("stand-in Nexus, 59 interfaces", kit["nexus-north-1"].port, sides)


def whole_kit(folder: Path, kit: RunningNetwork) -> None:
    """Print what polling all of the kit takes of one core."""
    names = [name for name, device in kit.devices.items() if device.kind != "generic"]
    devices = "".join(
        DEVICE.format(
            name=name,
            address=kit[name].address,
            port=kit[name].port,
            kind=kit[name].kind,
            site=kit[name].site,
        )
        for name in names
    )
    with (
        running_ours(folder, devices) as (url, process),
        httpx.Client(trust_env=False, timeout=30) as client,
    ):
        while client.get(f"{url}/readyz").status_code != 200:
            time.sleep(0.2)
        before, started = cpu_seconds(process), time.monotonic()
        time.sleep(SECONDS)
        used, elapsed = cpu_seconds(process) - before, time.monotonic() - started
        text = client.get(f"{url}/metrics").text
    up = sum(line.startswith("snmp_up{") and line.endswith(" 1.0") for line in text.splitlines())
    series = sum(not line.startswith("#") for line in text.splitlines())
    print(f"the kit: {len(names)} devices, {up} up, {series:,} series, every 60 s")
    print(f"  CPU {used / elapsed * 60:.2f} s in a minute: {used / elapsed:.1%} of one core")


def main() -> None:
    """Print all."""
    with (
        tempfile.TemporaryDirectory() as name,
        running(lambda clock: estate(clock, servers=SERVERS, community=COMMUNITY)) as kit,
    ):
        folder = Path(name)
        with running_snmpd(folder / "snmpd") as snmpd:
            interfaces(folder, snmpd, kit)
        whole_kit(folder, kit)


if __name__ == "__main__":
    main()
