"""The history exporter: what the history miner counts and knows, where it runs by itself."""

import gzip
from datetime import datetime

from prometheus_client import generate_latest

from vdx.history_telemetry import HistoryTelemetry
from vdx.telemetry import Telemetry


class HistoryExporter:
    """The history miner's metrics as text."""

    title = "History exporter"
    description = "How far the history of the VDX video platform has been read, and what was found."

    def __init__(self, telemetry: Telemetry, figures: HistoryTelemetry) -> None:
        self._telemetry = telemetry
        self._figures = figures

    def metrics(self, now: datetime) -> bytes:  # noqa: ARG002 - the gauges reckon their ages themselves
        """The text of /metrics."""
        return generate_latest(self._telemetry.registry)

    def compressed_metrics(self, now: datetime) -> bytes:
        """The same as a gzip file."""
        return gzip.compress(self.metrics(now), compresslevel=1)

    def fault(self, now: datetime) -> str:  # noqa: ARG002
        """Why history cannot be relied on, in a sentence; empty when the last round was good."""
        if self._figures.up is None:
            return "history has not been read yet"
        return "" if self._figures.up else "history could not be read; the log says why"
