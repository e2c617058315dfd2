"""What ends when: the register of hardware and the certificates of servers, watched beside the rest."""

import asyncio

from prometheus_client import CollectorRegistry

from exporters.assets import HardwareLife, Serials
from exporters.certificates import Certificates
from vdx.settings import Settings


class Lifetimes:
    """The register of hardware, beside the serial numbers that devices tell, and certificates."""

    def __init__(self, settings: Settings, registry: CollectorRegistry, serials: Serials = dict) -> None:
        """`serials` gives the serial numbers that devices told. Raises SettingsError."""
        self.hardware = HardwareLife(settings, registry, serials)
        self.certificates = Certificates(settings, registry)

    async def run(self, stop: asyncio.Event) -> None:
        """Watches until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.hardware.run(stop), name="hardware life")
            group.create_task(self.certificates.run(stop), name="certificates")
