"""An archive of numbered lines, and a shipper to the stand-in of Humio, for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry

from miners.humio.client import HumioClient
from miners.humio.dead_letters import DeadLetters
from miners.humio.shipper import Pauses, Shipper
from miners.humio.telemetry import HumioTelemetry
from simulator.humio import StandIn
from vdx.logs.checkpoint import FileCheckpoint
from vdx.logs.files import open_file
from vdx.logs.line import Line
from vdx.settings import HumioSettings, Settings

NOON: Final = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)
QUICK: Final = Pauses(first=0.01, most=0.05, refused=0.05)


def line(text: str, *, host: str = "node-1", time: datetime = NOON, told: datetime | None = None) -> Line:
    """A line of the archive."""
    return Line(
        received=time.isoformat(),
        time=(told or time).isoformat(),
        host=host,
        address="192.0.2.1",
        facility=16,
        severity=6,
        app="pexip",
        transport="tcp",
        message=text,
    )


def write(folder: Path, lines: Iterable[Line], hours: int = 0) -> Path:
    """Adds lines to the file of NOON or hours later."""
    folder.mkdir(parents=True, exist_ok=True)
    path = open_file(folder, NOON + timedelta(hours=hours))
    with path.open("ab") as file:
        file.write(b"".join(msgspec.json.encode(one) + b"\n" for one in lines))
    return path


def numbered(first: int, last: int) -> list[Line]:
    """Lines `line 0`, `line 1` …, the last not included."""
    return [line(f"line {number}") for number in range(first, last)]


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.01)


class Shipping:
    """A shipper with its registry and files."""

    def __init__(self, folder: Path, humio: StandIn, token: str | None = None, **settings: Any) -> None:
        self.archive = folder / "logs"
        self.token_file = folder / "token"
        self.token_file.write_text(humio.token if token is None else token)
        self.registry = CollectorRegistry()
        self.letters_file = folder / "letters.jsonl"
        self.checkpoint = FileCheckpoint(folder / "position.json")
        self.settings = Settings(humio=HumioSettings(url=humio.url, token_file=self.token_file, **settings))
        self.shipper = Shipper(
            self.settings,
            self.archive,
            checkpoint=self.checkpoint,
            client=HumioClient(self.settings.humio),
            letters=DeadLetters(self.letters_file),
            telemetry=HumioTelemetry(self.registry),
            pauses=QUICK,
        )

    def value(self, name: str, **labels: str) -> float | None:
        """A figure of the registry."""
        return self.registry.get_sample_value(name, labels)

    def letters(self) -> list[str]:
        """The messages of the dead letters."""
        texts = self.letters_file.read_bytes().splitlines() if self.letters_file.exists() else []
        return [
            msgspec.json.decode(msgspec.json.decode(text)["line"].encode(), type=Line).message
            for text in texts
        ]


@asynccontextmanager
async def shipping(
    folder: Path, humio: StandIn, token: str | None = None, **settings: Any
) -> AsyncIterator[Shipping]:
    """A shipper that ends with the block."""
    one = Shipping(folder, humio, token, **settings)
    try:
        yield one
    finally:
        await one.shipper.close()
        one.checkpoint.close()
