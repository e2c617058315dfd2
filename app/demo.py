"""A stand-in VDX for those who have none at hand: a child process, and settings that point at it."""

import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from loguru import logger
from pydantic import SecretStr

from app.demo_network import network_kit
from app.demo_process import child
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
    async with AsyncExitStack() as stack:
        command = (sys.executable, "-m", "simulator", "--port", "0", "--activity", BUSY_MORNING)
        environment = {**os.environ, "VDX_SIMULATOR_PASSWORD": password}
        line = await stack.enter_async_context(child(command, START_SECONDS, environment))
        _, found, url = line.partition(" at ")
        if not found:
            raise SettingsError("the stand-in VDX did not start; try it alone to see why: vdx simulate")
        logger.info("the stand-in VDX plays a Tuesday from 09:40; its calls are made up")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vdx-demo-")))
        organisations.write(folder / ORGANISATIONS_FILE)
        kit = await stack.enter_async_context(network_kit(settings, folder))
        yield _settings(settings, url, password, folder).model_copy(update=kit)


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
