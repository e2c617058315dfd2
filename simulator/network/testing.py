"""The network kit in a thread of the test's process, with a clock to steer and faults to set."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from typing import Final, TypeVar

from simulator.clock import Clock
from simulator.network.agent import Agent
from simulator.network.device import ADDRESS, Device
from simulator.network.estate import SERVERS, estate
from simulator.network.running import agents

START_SECONDS: Final = 20.0

DeviceType = TypeVar("DeviceType", bound=Device)


@dataclass(frozen=True, slots=True)
class RunningDevice:
    """A device whose agent runs; faults are fields and methods of `device`, see docs/simulator.md."""

    device: Device
    agent: Agent

    @property
    def name(self) -> str:
        """Its name, such as nexus-north-1."""
        return self.device.name

    @property
    def kind(self) -> str:
        """fortigate, nexus, idrac or generic."""
        return self.device.kind

    @property
    def site(self) -> str:
        """north or south."""
        return self.device.site

    @property
    def address(self) -> str:
        """The agent's address."""
        return ADDRESS

    @property
    def port(self) -> int:
        """The agent's UDP port."""
        return self.agent.port

    @property
    def community(self) -> str:
        """The community that it answers to."""
        return self.device.community

    @property
    def requests(self) -> int:
        """Requests with the right community so far."""
        return self.agent.requests


@dataclass(frozen=True, slots=True)
class RunningNetwork:
    """Devices by name, and the clock by which they live."""

    devices: Mapping[str, RunningDevice]
    clock: Clock

    def __getitem__(self, name: str) -> RunningDevice:
        """The device of this name."""
        return self.devices[name]

    def device(self, name: str, kind: type[DeviceType]) -> DeviceType:
        """The device of this name, to set faults on; raises TypeError when it is of another kind."""
        device = self.devices[name].device
        if not isinstance(device, kind):
            raise TypeError(f"{name} is a {type(device).__name__}, no {kind.__name__}")
        return device


@contextmanager
def running(
    devices: Callable[[Callable[[], float]], tuple[Device, ...]] | None = None,
    *,
    servers: int = SERVERS,
    community: str = "public",
    time: float | None = None,
    speed: float = 1.0,
) -> Iterator[RunningNetwork]:
    """Run the agents of VDX's kit, or of the devices that `devices` makes with a clock.

    The clock begins at `time` in Unix seconds, the present by default; with speed 0 it moves only when told
    to. Raises RuntimeError when the agents do not start.
    """
    clock = Clock(time, speed)
    made = devices(clock.now) if devices else estate(clock.now, servers=servers, community=community)
    ready: Queue[tuple[tuple[Agent, ...], asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def serve() -> None:
        over = asyncio.Event()
        async with agents(made) as started:
            ready.put((started, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="network kit", daemon=True)
    thread.start()
    started, loop, over = ready.get(timeout=START_SECONDS)
    try:
        yield RunningNetwork(
            {agent.device.name: RunningDevice(agent.device, agent) for agent in started}, clock
        )
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(START_SECONDS)
