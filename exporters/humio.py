"""The exporter of the Humio shipper."""

import gzip
from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest


class HumioExporter:
    """The shipper's metrics as text. `fault` tells what keeps lines from being handed on."""

    title = "Log shipping"
    description = "Log lines of VDX on their way to Humio: what was taken, how far behind it is."

    def __init__(self, registry: CollectorRegistry, fault: Callable[[], str]) -> None:
        self._registry = registry
        self._fault = fault

    def metrics(self, now: datetime) -> bytes:  # noqa: ARG002 - the figures are as they are at present
        """The text of /metrics."""
        return generate_latest(self._registry)

    def compressed_metrics(self, now: datetime) -> bytes:
        """The same as a gzip file."""
        return gzip.compress(self.metrics(now), compresslevel=1)

    def fault(self, now: datetime) -> str:  # noqa: ARG002
        """Why lines are not handed on, in a sentence; empty when they are."""
        return self._fault()
