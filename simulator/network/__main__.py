"""`python -m simulator.network`: the network kit as a process; prints one line of JSON when ready."""

import asyncio
import json
import signal
from typing import Annotated

import typer

from simulator.clock import Clock
from simulator.network.device import ADDRESS, Device
from simulator.network.estate import SERVERS, estate, liven, model_of, serial_of
from simulator.network.running import agents


def network(
    idracs: Annotated[int, typer.Option(help="How many servers there are.", min=0, max=999)] = SERVERS,
    community: Annotated[str, typer.Option(help="The community that the agents answer to.")] = "public",
    speed: Annotated[float, typer.Option(help="Seconds that pass in a real second.", min=0.01)] = 1.0,
    lively: Annotated[
        bool, typer.Option("--lively", help="A power supply failed, a link down, another that flaps.")
    ] = False,
) -> None:
    """Answer SNMP v2c on loopback as VDX's network kit does, until SIGINT or SIGTERM."""
    devices = estate(Clock(speed=speed).now, servers=idracs, community=community)
    if lively:
        liven(devices)
    try:
        asyncio.run(_serve(devices))
    except OSError as wrong:
        typer.echo(f"cannot listen on {ADDRESS}: {wrong.strerror}", err=True)
        raise typer.Exit(1) from None


async def _serve(devices: tuple[Device, ...]) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    async with agents(devices) as started:
        listed = [
            {
                "name": agent.device.name,
                "kind": agent.device.kind,
                "site": agent.device.site,
                "address": ADDRESS,
                "port": agent.port,
                "community": agent.device.community,
                "model": model_of(agent.device),
                "serial": serial_of(agent.device),
            }
            for agent in started
        ]
        print(json.dumps({"devices": listed}), flush=True)
        await over.wait()


if __name__ == "__main__":
    typer.run(network)
