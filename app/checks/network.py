"""The steps that concern the network kit: is each device read, is its login good."""

import asyncio
from collections.abc import AsyncIterator

from app.checks.step import Step, advice, fault, good
from exporters.snmp.device import Device
from exporters.snmp.exporter import devices, modules
from miners.configurations import targets
from vdx.settings import Settings

AT_ONCE = 8
"""Logins that are tried at a time."""


async def steps(settings: Settings) -> AsyncIterator[Step]:
    """A step for each device that is polled and for each that is logged in to; SettingsError."""
    polled = devices(settings, modules(settings))
    for polling in [asyncio.create_task(_polled(device)) for device in polled]:
        yield await polling
    alone = asyncio.Semaphore(AT_ONCE)
    logins = [name for name, device in settings.devices.items() if device.login]
    for login in [asyncio.create_task(_login(settings, name, alone)) for name in logins]:
        yield await login
    unwatched = [name for name, device in settings.devices.items() if not device.snmp and not device.login]
    if unwatched:
        yield advice("devices", f"{', '.join(unwatched)}: neither polled nor copied; set snmp or login")


async def _polled(device: Device) -> Step:
    await device.poll()
    state = device.state
    name = f"SNMP of {state.name}"
    if not state.up or state.last is None:
        return fault(name, state.words)
    told = state.last.told
    if state.words:
        return advice(name, f"read in part; {state.words}")
    if told.rejected:
        return advice(
            name, f"{told.rejected} values are of the wrong type and left out; see snmp_values_rejected_total"
        )
    series = sum(len(samples) for _, samples in told.families)
    if not series:
        return advice(
            name, "it answers, but has nothing of what its kind should; check kind, and the agent's view"
        )
    who = " ".join(filter(None, (told.identity.model, *told.identity.serials)))
    return good(name, f"{series:,} series in {state.duration_seconds or 0:.1f} s{': ' if who else ''}{who}")


async def _login(settings: Settings, device: str, alone: asyncio.Semaphore) -> Step:
    async with alone:
        contact = await targets.check(settings, device)
    return (good if contact.good else fault)(f"login of {device}", contact.words)
