"""What a cycle of the status miner costs: `python -m benchmarks.cycle`.

At three sizes of the stand-in VDX, whose clock moves on 30 s before each cycle. A cycle reads all
resources, measures, renders /metrics and writes to SQLite. The floor only downloads the same pages and
decodes them to the same records, with plain httpx and msgspec. Both run in processes of their own, in turn;
CPU is that of the whole process over a cycle, the median of several. Peak memory is the whole process's.
"""

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from pydantic import SecretStr

from exporters.pexip import ParticipantSeconds, PexipExporter
from miners.connection import management_node
from miners.status import CONFIGURATION_FIELDS, STATUS_FIELDS, StatusMiner
from simulator.estate import CENTRAL_LOCATIONS, DATA_CENTRES, PSTN_ADDRESSES
from vdx.pexip.resources import Resource
from vdx.settings import DataSettings, LocationSettings, PexipSettings, PSTNSettings, Settings
from vdx.store import Store, upgrade
from vdx.telemetry import Telemetry

SCALES: Final = (1.001, 10, 66)
"""Of the stand-in: about 1,500, 15,000 and 100,000 call legs."""
CYCLES: Final = {1.001: 30, 10: 10, 66: 5}
PAGE_SIZE: Final = 5000
PASSWORD: Final = "benchmark"
FLOOR: Final = "floor: download and decode"
METRICS: Final = "a cycle up to /metrics"
WHOLE: Final = "a whole cycle, stored"


class Report(msgspec.Struct):
    """What one process measured."""

    cpu_seconds: list[float]
    peak_megabytes: float
    requests: float
    participants: int


def settings(url: str, directory: Path) -> Settings:
    """As an operator has them, with the stand-in's names."""
    return Settings(
        pexip=PexipSettings(url=url, username="admin", password=SecretStr(PASSWORD), interval_seconds=300),
        locations=LocationSettings(central=CENTRAL_LOCATIONS, data_centres=DATA_CENTRES),
        pstn=PSTNSettings(addresses=PSTN_ADDRESSES),
        data=DataSettings(directory=directory),
    )


class Floor:
    """Downloads and decodes, and forgets."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            auth=("admin", PASSWORD),
            trust_env=False,
            timeout=60,
            limits=httpx.Limits(max_connections=5),
            headers={"Accept-Encoding": "identity"},
        )
        self._decoders: dict[Resource[Any], msgspec.json.Decoder[Any]] = {}
        self._slots = asyncio.Semaphore(5)
        self._cycle = 0
        self.requests = 0
        self.participants = 0

    def _decoder(self, resource: Resource[Any]) -> msgspec.json.Decoder[Any]:
        if resource not in self._decoders:
            page = msgspec.defstruct("Page", [("meta", dict[str, Any]), ("objects", list[resource.record])])  # type: ignore[name-defined]
            self._decoders[resource] = msgspec.json.Decoder(page)
        return self._decoders[resource]

    async def _read(self, resource: Resource[Any]) -> list[Any]:
        rows: list[Any] = []
        offset = 0
        while True:
            async with self._slots:
                answer = await self._client.get(resource.path, params={"limit": PAGE_SIZE, "offset": offset})
            self.requests += 1
            page = self._decoder(resource).decode(answer.content)
            rows += page.objects
            if page.meta["next"] is None:
                return rows
            offset += PAGE_SIZE - PAGE_SIZE // 100

    async def cycle(self, _: datetime) -> None:
        """Reads everything once."""
        configuration = list(CONFIGURATION_FIELDS)
        due = [configuration[self._cycle]] if self._cycle < len(configuration) else []
        self._cycle += 1
        answers = await asyncio.gather(*(self._read(resource) for resource in (*STATUS_FIELDS, *due)))
        self.participants = len(answers[0])


class Miner:
    """The status miner as `vdx status-miner` runs it, but for the grid; without a `store` up to /metrics."""

    def __init__(self, url: str, directory: Path, *, stores: bool) -> None:
        here = settings(url, directory)
        telemetry = Telemetry()
        self._store: Store | None = None
        if stores:
            upgrade(here)
            self._store = Store(here, telemetry)
            self._store.start()
        self._telemetry = telemetry
        node = management_node(here.pexip, telemetry)
        exporter = PexipExporter(here, telemetry)
        seconds = ParticipantSeconds(here, telemetry)
        self._miner = StatusMiner(node, here, telemetry, [exporter.publish, seconds.count])
        self.participants = 0

    @property
    def requests(self) -> float:
        """Requests sent so far."""
        families = self._telemetry.api_requests.collect()
        samples = (sample for family in families for sample in family.samples)
        return sum(float(sample.value) for sample in samples if sample.name.endswith("_total"))

    async def cycle(self, beat: datetime) -> None:
        """Polls, publishes, and waits until it is written."""
        snapshot, usage = await self._miner.poll(beat)
        if not snapshot.up:
            raise RuntimeError(f"the poll failed: {snapshot.failures}")
        self.participants = len(snapshot.participants or ())
        if self._store is not None:
            await asyncio.to_thread(self._store.write_now, snapshot, usage)

    def close(self) -> None:
        """Ends the store's thread."""
        if self._store is not None:
            self._store.stop()


async def _measure(url: str, cycle: Callable[[datetime], Awaitable[None]], cycles: int) -> list[float]:
    used = []
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as clock:
        for number in range(cycles + 1):
            answer = await clock.post("/simulator/clock", json={"advance": 30})
            beat = datetime.fromtimestamp(answer.json()["timestamp"], UTC)
            begun = time.process_time()
            await cycle(beat)
            if number:  # the first opens connections and learns the addresses
                used.append(time.process_time() - begun)
    return used


async def _work(kind: str, url: str, cycles: int) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        subject = Floor(url) if kind == FLOOR else Miner(url, Path(folder), stores=kind == WHOLE)
        used = await _measure(url, subject.cycle, cycles)
        if isinstance(subject, Miner):
            subject.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Report(used, peak, subject.requests / (cycles + 1), subject.participants)


def _child(kind: str, url: str, cycles: int) -> Report:
    command = [sys.executable, "-m", "benchmarks.cycle", kind, url, str(cycles)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(answer.stdout, type=Report)


def compare(scale: float, rounds: int = 2) -> tuple[int, float]:
    """Prints one size's figures; gives its participants and the CPU seconds of a cycle."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--manual", "--rate-limit", "0"]
    command += ["--activity", "tue 10:10", "--scale", str(scale)]
    environment = {**os.environ, "VDX_SIMULATOR_PASSWORD": PASSWORD}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as simulator:
        try:
            url = (simulator.stdout.readline() if simulator.stdout else "").strip().partition(" at ")[2]
            reports: dict[str, list[Report]] = {kind: [] for kind in (FLOOR, METRICS, WHOLE)}
            for _ in range(rounds):
                for kind, found in reports.items():
                    found.append(_child(kind, url, CYCLES[scale]))
        finally:
            simulator.terminate()
    cpu = {
        kind: statistics.median(seconds for report in found for seconds in report.cpu_seconds)
        for kind, found in reports.items()
    }
    latest = reports[WHOLE][-1]
    peak = max(report.peak_megabytes for report in reports[WHOLE])
    print(f"{latest.participants:,} call legs, {latest.requests:.1f} requests a cycle")
    for kind, seconds in cpu.items():
        print(f"  {kind:30} {seconds * 1000:8.1f} ms CPU   ratio {seconds / cpu[FLOOR]:.2f}")
    print(f"  {'peak memory':30} {peak:8.0f} MB")
    return latest.participants, cpu[WHOLE]


def main() -> None:
    """Prints all sizes, and how CPU grows from one to the next."""
    figures = [compare(scale) for scale in SCALES]
    for (fewer, less), (more, greater) in pairwise(figures):
        print(f"{more / fewer:.1f} times the legs cost {greater / less:.1f} times the CPU")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        report = asyncio.run(_work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
        sys.stdout.buffer.write(msgspec.json.encode(report))
    else:
        main()
