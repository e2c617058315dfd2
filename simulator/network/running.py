"""Agents for a list of devices on one event loop."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from simulator.network.agent import Agent
from simulator.network.device import Device


@asynccontextmanager
async def agents(devices: Iterable[Device]) -> AsyncIterator[tuple[Agent, ...]]:
    """An agent for each device, on a free loopback port of its own, until the end of the block."""
    started = tuple(Agent(device) for device in devices)
    try:
        for agent in started:
            await agent.start()
        yield started
    finally:
        for agent in started:
            agent.stop()
