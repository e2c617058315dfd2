"""Which device an address is. Host names are looked up now and then, never while a trap waits."""

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import Final

from loguru import logger

from exporters.snmp.traps.telemetry import NOBODY
from vdx.settings import DeviceSettings

_LOOK_UP_SECONDS: Final = 300.0
_TIMEOUT_SECONDS: Final = 5.0


class Sources:
    """The devices of the settings by address. Of two devices with one address the first counts."""

    def __init__(self, devices: Mapping[str, DeviceSettings]) -> None:
        self._names = {name: each.address for name, each in devices.items() if not _is_address(each.address)}
        self._numbers: dict[str, str] = {}
        for name, each in devices.items():
            if name not in self._names:
                self._numbers.setdefault(plain_address(each.address), name)
        self._devices = self._numbers

    def device(self, address: str) -> str:
        """The device at a plain address, or NOBODY."""
        return self._devices.get(address, NOBODY)

    async def keep(self) -> None:
        """Looks host names up until it is cancelled. What cannot be looked up stays as it was."""
        found: dict[str, set[str]] = {}
        missing: set[str] = set()
        while self._names:
            for name, host in self._names.items():
                try:
                    found[name] = await _look_up(host)
                    missing.discard(name)
                except (OSError, UnicodeError):
                    if name not in missing:
                        logger.warning(
                            "traps: the host name in devices.{}.address cannot be looked up, so its traps "
                            "count as unknown; write an address, or mend the name server",
                            name,
                        )
                    missing.add(name)
            self._devices = {each: name for name, places in found.items() for each in places} | self._numbers
            await asyncio.sleep(_LOOK_UP_SECONDS)


async def _look_up(host: str) -> set[str]:
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        answers = await asyncio.get_running_loop().getaddrinfo(host, None)
    return {plain_address(str(answer[4][0])) for answer in answers}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def plain_address(text: str) -> str:
    """An IP address in its one usual form: IPv4 as such where it came over IPv6, and without a zone."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)
