"""A stand-in VDX for those who have none at hand: a child process, and settings that point at it."""

import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from loguru import logger
from pydantic import SecretStr

from simulator import organisations
from simulator.estate import CENTRAL_LOCATIONS, DATA_CENTRES, LICENSE_PORTS, PSTN_ADDRESSES, PSTN_LINES
from vdx.settings import (
    FILE_NAME,
    DataSettings,
    LicenseSettings,
    LocationSettings,
    OrganisationSettings,
    PexipSettings,
    PSTNSettings,
    Settings,
    SettingsError,
)

BUSY_MORNING: Final = "tue 09:40"
"""What the platform looks like when a demonstration begins, whatever the time of day."""
ORGANISATIONS_FILE: Final = "organisations.json"
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 5.0


def wanted(settings: Settings, file: Path | None) -> bool:
    """True when nobody has said which platform to watch: no settings file, and no URL in a variable."""
    return file is None and not settings.pexip.url and not Path(FILE_NAME).exists()


@asynccontextmanager
async def demonstration(settings: Settings) -> AsyncIterator[Settings]:
    """Runs the stand-in while the block runs; gives the settings that watch it.

    Addresses, intervals and the like stay as they are set. The database, and all else that is written,
    is in a temporary folder that goes with the demonstration. Raises SettingsError when the stand-in
    does not start.
    """
    password = secrets.token_urlsafe()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--port", "0", "--activity", BUSY_MORNING),
        env={**os.environ, "VDX_SIMULATOR_PASSWORD": password},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        url = await _url(process)
        logger.info("the stand-in VDX plays a Tuesday from 09:40; its calls are made up")
        with tempfile.TemporaryDirectory(prefix="vdx-demo-") as folder:
            organisations.write(Path(folder) / ORGANISATIONS_FILE)
            yield _settings(settings, url, password, Path(folder))
    finally:
        await _end(process)


async def _url(process: asyncio.subprocess.Process) -> str:
    """The address that the stand-in prints when it is ready."""
    line = b""
    if process.stdout is not None:
        with suppress(TimeoutError):
            line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    _, found, url = line.decode(errors="replace").strip().partition(" at ")
    if not found:
        raise SettingsError("the stand-in VDX did not start; try it alone to see why: vdx simulate")
    return url


def _settings(settings: Settings, url: str, password: str, folder: Path) -> Settings:
    pexip = PexipSettings(
        url=url,
        username="admin",
        password=SecretStr(password),
        interval_seconds=settings.pexip.interval_seconds,
        page_size=settings.pexip.page_size,
    )
    return settings.model_copy(
        update={
            "pexip": pexip,
            "licenses": LicenseSettings(ports=LICENSE_PORTS),
            "locations": LocationSettings(central=CENTRAL_LOCATIONS, data_centres=DATA_CENTRES),
            "pstn": PSTNSettings(addresses=PSTN_ADDRESSES, lines=PSTN_LINES),
            "organisations": OrganisationSettings(file=folder / ORGANISATIONS_FILE),
            "data": DataSettings(directory=folder),
            "database": settings.database.model_copy(update={"url": None, "password_file": None}),
        }
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
