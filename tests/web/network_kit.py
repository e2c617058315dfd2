"""The stand-in network kit, polled in the test's process, for the pages that show it."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from exporters.snmp.device import Device, State
from exporters.snmp.exporter import devices, modules
from simulator.network.testing import RunningNetwork, running
from vdx.settings import DeviceSettings, Settings, SNMPCredentials, SNMPSettings


class Polled:
    """Devices of a running kit that are polled when told to."""

    def __init__(self, kit: RunningNetwork, settings: Settings) -> None:
        self.kit = kit
        self.settings = settings
        self._devices: Sequence[Device] = devices(settings, modules(settings))

    @property
    def states(self) -> list[State]:
        """What is known of each device."""
        return [device.state for device in self._devices]

    def poll(self, seconds: float = 0) -> list[State]:
        """Moves the kit's clock, polls all devices, and gives what is known."""
        self.kit.clock.advance(seconds)

        async def work() -> None:
            for device in self._devices:
                await device.poll()

        asyncio.run(work())
        return self.states

    def state(self, name: str) -> State:
        """What is known of one device."""
        return next(state for state in self.states if state.name == name)


@contextmanager
def polled(*names: str) -> Iterator[Polled]:
    """Some devices of the kit, all by default, with a clock that stands until it is told to move."""
    with running(servers=2, time=1_760_000_000, speed=0) as kit:
        chosen = names or tuple(kit.devices)
        settings = Settings(
            snmp=SNMPSettings(
                timeout_seconds=0.5,
                retries=0,
                credentials={"kit": SNMPCredentials.model_validate({"community": "public"})},
            ),
            devices={
                name: DeviceSettings(
                    address=kit[name].address,
                    kind=kit[name].kind,
                    site=kit[name].site,
                    snmp="kit",
                    snmp_port=kit[name].port,
                )
                for name in chosen
            },
        )
        yield Polled(kit, settings)
