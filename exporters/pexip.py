"""The Pexip exporter: keeps the text of the newest snapshot and hands it to any number of scrapes.

The text is rendered when a poll ends, never when one scrapes, and holds the series of that snapshot
alone: a node that is gone is gone from the next text. A scrape only adds the suite's own metrics.
"""

from datetime import datetime, timedelta
from typing import Final

from prometheus_client import generate_latest

from exporters.compression import Text
from exporters.exposition import Renderer
from exporters.samples import samples
from vdx import metrics
from vdx.capacity import QUALITIES, Usage
from vdx.settings import Settings
from vdx.snapshot import ESSENTIAL, Snapshot
from vdx.telemetry import Telemetry

STALE_INTERVALS: Final = 3
"""A snapshot older than this many poll intervals is shown no more, so that its series go stale."""

LONGEST_INTERVALS: Final = 1.5
"""A gap between two good polls that is longer than this many intervals counts as one interval."""


def credited_seconds(since: float | None, interval: float) -> float:
    """The time that the participants of one poll are taken to have been connected.

    `since` is the seconds since the previous good poll, None for the first one. After a gap nothing is
    known of the time before, so one interval is credited.
    """
    return since if since is not None and 0 < since <= LONGEST_INTERVALS * interval else interval


class ParticipantSeconds:
    """Adds up how long participants were connected, by the quality of their call."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._counter = telemetry.participant_seconds
        self._previous: datetime | None = None

    def count(self, snapshot: Snapshot, usage: Usage) -> None:
        """Add one poll; call it once for each. A poll that could not read participants adds nothing.

        `pexip_participant_seconds_total{location="Aarhus",tier="central",quality="good"} 8700`
        """
        if usage.quality is None:
            return
        since = (snapshot.time - self._previous).total_seconds() if self._previous else None
        self._previous = snapshot.time
        seconds = credited_seconds(since, self._settings.pexip.interval_seconds)
        locations = {location for location, _ in usage.quality}
        known = {(location, quality): 0 for location in locations for quality in QUALITIES}
        for (location, quality), participants in (known | dict(usage.quality)).items():
            tier = self._settings.locations.tier(location)
            self._counter.labels(location, tier, quality).inc(participants * seconds)


class PexipExporter:
    """The newest snapshot as text for /metrics, and whether it can be relied on."""

    title = "Pexip exporter"
    description = "Use, capacity and health of the VDX video platform, read from its Management Node."

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._renderer = Renderer()
        self._lifetime = timedelta(seconds=STALE_INTERVALS * settings.pexip.interval_seconds)
        self._down = Text(Renderer().render([(metrics.UP, {(): 0})]))
        self._text = self._down
        # Of the snapshot itself nothing is kept: the next one needs the memory.
        self._time: datetime | None = None
        self._missing: tuple[str, ...] = ()

    def publish(self, snapshot: Snapshot, usage: Usage) -> None:
        """Show this snapshot from now on. `usage` is what was measured of it."""
        self._text = Text(self._renderer.render(samples(snapshot, usage, self._settings)))
        self._time = snapshot.time
        self._missing = tuple(name for name in ESSENTIAL if name in snapshot.failures)

    def _is_fresh(self, now: datetime) -> bool:
        return self._time is not None and now - self._time <= self._lifetime

    def _present(self, now: datetime) -> Text:
        return self._text if self._is_fresh(now) else self._down

    def _own(self) -> bytes:
        return generate_latest(self._telemetry.registry)

    def metrics(self, now: datetime) -> bytes:
        """The text of /metrics: the newest snapshot, or `pexip_up 0` alone, then the suite's own metrics."""
        return self._present(now).plain + self._own()

    def compressed_metrics(self, now: datetime) -> bytes:
        """The text of /metrics as a gzip file; the snapshot's part is compressed once per poll."""
        return self._present(now).gzip(self._own())

    def fault(self, now: datetime) -> str:
        """Why the figures cannot be relied on, in a sentence; empty after a good poll that is fresh."""
        if self._time is None:
            return "no poll of the Management Node has ended yet"
        if not self._is_fresh(now):
            seconds = (now - self._time).total_seconds()
            return f"the last poll of the Management Node was {seconds:.0f} s ago"
        if self._missing:
            missing = ", ".join(self._missing)
            return f"the last poll of the Management Node failed: it could not read {missing}"
        return ""
