"""The steps that concern the rest of the estate, hardware life and certificates."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from prometheus_client import CollectorRegistry

from app.checks.step import Step, advice, fault, good
from exporters.assets import read as read_register
from exporters.certificates import Certificates
from exporters.estate.looking import look
from exporters.estate.target import jobs
from vdx.asset_register import RegisterError
from vdx.settings import Settings

CERTIFICATE_DAYS: Final = 20
"""Days left of a certificate from which on it is to be renewed; as alerts/rules/hardware_life.yml."""


async def targets(settings: Settings) -> list[Step]:
    """A step for each target of the estate: are the metrics there that rules need. Raises SettingsError."""
    return [
        fault(f"{seen.job} {seen.target}", seen.words)
        if seen.words
        else good(f"{seen.job} {seen.target}", "its metrics are there")
        for seen in await look(jobs(settings))
    ]


async def lifetimes(settings: Settings) -> list[Step]:
    """The register of hardware, and the certificate of each server. Raises SettingsError."""
    steps = []
    if settings.assets.file is not None:
        try:
            register = await asyncio.to_thread(read_register, settings.assets.file, _sites(settings))
        except RegisterError as error:
            steps.append(fault("assets", str(error)))
        else:
            steps += [advice("assets", words) for words in register.faults]
            steps.append(good("assets", f"{len(register.assets)} rows"))
    for seen in await Certificates(settings, CollectorRegistry()).check():
        name = f"certificate {seen.address}"
        if seen.not_after is None:
            steps.append(fault(name, seen.words))
            continue
        days = (seen.not_after - datetime.now(UTC)).days
        words = f"ends {seen.not_after:%Y-%m-%d}, in {days} days"
        steps.append((good if days > CERTIFICATE_DAYS else advice if days >= 0 else fault)(name, words))
    return steps


def _sites(settings: Settings) -> dict[str, str]:
    return {name: device.site for name, device in settings.devices.items()}
