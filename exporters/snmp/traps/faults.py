"""Faults of those who send traps: each is logged once until it is mended."""

import time
from typing import Final

from loguru import logger

from exporters.snmp.traps.telemetry import NOBODY

MENDED_SECONDS: Final = 600.0
"""A fault that has not been seen for so long is mended."""

_WORDS: Final = {
    "rate": "sends more traps than traps.per_second; what is more is dropped",
    "load": "sends traps while all senders together send more than can be looked at; they are dropped",
    "size": "sends larger datagrams to the trap port than a trap ever is; they are dropped",
    "credentials": "sends traps with a community, user or key that snmp.credentials does not have; set both "
    "alike",
    "engine": "sends traps of an SNMP v3 engine that is not known; docs/traps.md tells how it is learnt",
    "malformed": "sends datagrams that are no traps to the trap port; look at what it is set to send there",
}
"""Reason of dropping, or malformed -> what a device does, and the mend."""


class Faults:
    """Which device has which fault."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def tell(self, device: str, reason: str) -> None:
        """Logs a fault, unless it stands already."""
        if (device, reason) not in self._seen:
            sender = device if device != NOBODY else "a sender that is none of the devices"
            logger.warning("traps: {} {}", sender, _WORDS[reason])
        self._seen[device, reason] = time.monotonic()

    def forget_mended(self) -> None:
        """Ends the faults that have not been seen for MENDED_SECONDS."""
        limit = time.monotonic() - MENDED_SECONDS
        self._seen = {fault: last for fault, last in self._seen.items() if last > limit}
