"""The SNMP engines of the devices: a v3 trap is signed with keys that depend on its sender's engine id."""

import time
from collections.abc import Mapping
from typing import Final

from exporters.snmp.traps.gate import Bucket
from exporters.snmp.traps.header import Header, MalformedError
from exporters.snmp.traps.reading import Varbind
from exporters.snmp.traps.receiver import Address, Receiver, RefusedError
from vdx.settings import DeviceSettings

MOST_ENGINES: Final = 4
"""Engine ids that a device is known by at most; the two firewalls of a pair have one each."""

_LENGTHS: Final = range(5, 33)
_TRY_SECONDS: Final = 5.0
"""Seconds between two engine ids that are tried for a device because a trap names them."""


class Engines:
    """The engine ids of each device, a few at most, the latest kept."""

    def __init__(
        self, receiver: Receiver, devices: Mapping[str, DeviceSettings], credentials: tuple[str, ...]
    ) -> None:
        now = time.monotonic()
        self._receiver = receiver
        self._credentials = {
            name: (each.snmp,) if each.snmp else credentials for name, each in devices.items()
        }
        self._tries = {name: Bucket(1 / _TRY_SECONDS, 2, now) for name in devices}
        self._known: dict[str, list[bytes]] = {name: [] for name in devices}

    def learn(self, device: str, engine_id: bytes) -> None:
        """Takes note of an engine id; what is none, or of no device, is ignored."""
        known = self._known.get(device)
        if known is None or len(engine_id) not in _LENGTHS:
            return
        if engine_id in known or engine_id == self._receiver.engine_id:
            return
        self._receiver.learn(engine_id, self._credentials[device])
        known.append(engine_id)
        if len(known) > MOST_ENGINES:
            oldest = known.pop(0)
            if self.owner(oldest) is None:
                self._receiver.forget(oldest, self._credentials[device])

    def owner(self, engine_id: bytes) -> str | None:
        """The device that an engine id is of."""
        return next((device for device, known in self._known.items() if engine_id in known), None)

    def receive(self, datagram: bytes, address: Address, header: Header, device: str) -> list[Varbind] | None:
        """As Receiver.receive; an engine id that is not known is learnt from the trap itself.

        Only the keys prove who sent it, and they are hashed with the id that it names, so a stranger gains
        nothing by naming another. Thus traps come through before the first poll and right after a
        fail-over.
        """
        self._receiver.check(header)
        if header.version != "v3" or header.is_discovery or self._receiver.knows(header.engine_id):
            return self._receiver.receive(datagram, address, header)
        if len(header.engine_id) not in _LENGTHS:
            raise MalformedError("it names no engine")
        bucket = self._tries.get(device)
        if bucket is None or bucket.tokens(time.monotonic()) < 1:
            raise RefusedError("engine")
        bucket.take(1)
        self._receiver.learn(header.engine_id, self._credentials[device])
        try:
            varbinds = self._receiver.receive(datagram, address, header)
        except (RefusedError, MalformedError):
            self._receiver.forget(header.engine_id, self._credentials[device])
            raise
        self.learn(device, header.engine_id)
        return varbinds
