"""The configuration exporter: what is known of the copies, where their miner runs by itself."""

import gzip
from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest

from vdx.configurations import Backup


class ConfigurationExporter:
    """The configuration miner's metrics as text. `backups` are those of the miner, as they are at present."""

    title = "Configuration backup"
    description = (
        "Copies of the configuration of the network devices of VDX: how old they are, what has changed."
    )

    def __init__(self, registry: CollectorRegistry, backups: Mapping[str, Backup]) -> None:
        self._registry = registry
        self._backups = backups

    def metrics(self, now: datetime) -> bytes:  # noqa: ARG002 - the figures are times, not ages
        """The text of /metrics."""
        return generate_latest(self._registry)

    def compressed_metrics(self, now: datetime) -> bytes:
        """The same as a gzip file."""
        return gzip.compress(self.metrics(now), compresslevel=1)

    def fault(self, now: datetime) -> str:  # noqa: ARG002
        """Which devices could not be copied the last time, in a sentence; empty when all could."""
        backups = list(self._backups.values())
        if not backups or any(backup.up is None for backup in backups):
            return "not every configuration has been copied yet"
        failed = ", ".join(backup.device for backup in backups if not backup.up)
        return f"could not be copied: {failed}; the log says why" if failed else ""
