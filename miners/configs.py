"""The configuration miner: copies the configuration of network devices, and tells what has changed."""

import asyncio
import random
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from loguru import logger
from msgspec import structs
from prometheus_client import CollectorRegistry

from miners.configurations.archive import Archive, directory
from miners.configurations.capture import Capture, Target, read_login, take
from miners.configurations.errors import BackupError, Reason
from miners.configurations.host_keys import HostKeys
from miners.configurations.kind import Told
from miners.configurations.normal import normalised
from miners.configurations.targets import quiet, targets
from vdx.change_windows import ChangeWindow, contains, overlap
from vdx.configuration_telemetry import ConfigurationTelemetry
from vdx.configurations import Backup, Change, Window
from vdx.settings import Settings, SettingsError

AT_ONCE: Final = 8
"""Devices that are copied at the same time."""
ATTEMPTS: Final = 3
"""Tries of a device in a round."""
FIRST_PAUSE: Final = 1.0
"""Seconds before the second try at most; twice that before the third."""
JITTER: Final = 0.1
"""Share of the interval by which rounds are moved, so that several miners do not log in at once."""


def credible(told: Told, previous: datetime | None, found: datetime) -> Told:
    """What a device tells, without a time that cannot be: after it was found, or before the last copy."""
    when = told.when
    if when is None or when > found or (previous is not None and when <= previous):
        return Told(told.who)
    return told


def window_of(
    windows: Iterable[ChangeWindow], when: datetime | None, since: datetime, found: datetime, zone: ZoneInfo
) -> Window:
    """Where a change lies that was made at `when`; where nobody tells that, between `since` and `found`.

    It is outside only where it can have been at no moment inside.
    """
    windows = tuple(windows)
    if not windows:
        return "none"
    inside = overlap(windows, since, found, zone) if when is None else contains(windows, when, zone)
    return "inside" if inside else "outside"


class ConfigurationMiner:
    """Copies the configuration of each device now and then, and keeps what is known of the copies.

    Raises SettingsError where the settings are wrong; afterwards nothing ends it.
    """

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._targets = targets(settings)
        self._archive = Archive(directory(settings))
        self._keys = HostKeys(self._archive.known_hosts)
        self._zone = ZoneInfo(settings.sla.time_zone)
        self._telemetry = ConfigurationTelemetry(registry)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._loaded = False
        self._reported: dict[str, Reason] = {}

    @property
    def backups(self) -> Mapping[str, Backup]:
        """What is known of each device's copies, by its name; from the first round on also of the past."""
        return self._telemetry.backups

    async def run(self, stop: asyncio.Event) -> None:
        """Copies at once, and then at each interval until `stop` is set, which also ends a round."""
        interval = timedelta(minutes=self._settings.config_backup.interval_minutes)
        ending = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                begun = time.monotonic()
                work = asyncio.create_task(self.round())
                try:
                    await asyncio.wait({work, ending}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    work.cancel()
                    await asyncio.wait({work})
                seconds = interval.total_seconds() * random.uniform(1 - JITTER, 1)  # noqa: S311 - jitter
                await asyncio.wait({ending}, timeout=max(0.0, begun + seconds - time.monotonic()))
        finally:
            ending.cancel()

    async def load(self) -> None:
        """Reads what earlier processes left of each device. Never raises: what cannot be read is told."""
        self._loaded = True
        for name in self._targets:
            backup = Backup(name, self._site(name))
            try:
                backup = await self._archive.backup(name, self._site(name))
            except BackupError as error:
                self._loaded = False
                self._fail(backup, error)
            self._telemetry.backups[name] = backup

    async def round(self) -> bool:
        """Copies every device; True when all went well. Never raises."""
        if not self._loaded:
            await self.load()
        return all(await asyncio.gather(*(self._copied(target) for target in self._targets.values())))

    async def _copied(self, target: Target) -> bool:
        async with self._slots:
            before = self._telemetry.backups[target.name]
            begun = time.monotonic()
            fault: BackupError | None = None
            kept = before
            try:
                key = await self._archive.prepare()
                kept = await self._kept(target, await self._take(target), before, key)
            except BackupError as error:
                fault = error
            except Exception as error:
                # Its text may hold a part of the configuration.
                fault = BackupError(Reason.PROGRAM, f"a fault of the program, {type(error).__name__}")
            seconds = time.monotonic() - begun
            words = str(fault or "")
            backup = structs.replace(kept, tried=datetime.now(UTC), fault=words, seconds=seconds)
            return await self._note(backup, fault)

    async def _take(self, target: Target) -> Capture:
        limit = self._settings.config_backup.timeout_seconds
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        login = self._settings.devices[target.name].login
        fault = BackupError(
            Reason.TIMEOUT, f"it was not done after {limit:g} s (config_backup.timeout_seconds)"
        )
        for attempt in range(ATTEMPTS):
            try:
                async with asyncio.timeout_at(deadline):
                    account = read_login(login, self._settings.logins[login])
                    return await take(target, account, self._keys, quiet(self._settings))
            except TimeoutError:
                break
            except SettingsError as error:
                raise BackupError(Reason.SETTINGS, str(error)) from None
            except BackupError as error:
                fault = error
            pause = FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - jitter
            if not fault.passing or loop.time() + pause > deadline:
                break
            await asyncio.sleep(pause)
        raise fault

    async def _kept(self, target: Target, capture: Capture, before: Backup, key: bytes) -> Backup:
        """Keeps a capture, and tells a change."""
        kind, name = target.kind, target.name
        found = datetime.now(UTC).replace(microsecond=0)
        account = self._settings.logins[self._settings.devices[name].login].username
        told = credible(kind.told(capture.running, found, account), before.succeeded, found)
        windows = self._settings.config_backup.windows
        window = window_of(windows, told.when, before.succeeded or found, found, self._zone)
        text = normalised(capture.running, kind, key)
        changes = await self._archive.keep(name, text, capture.running, told=told, found=found, window=window)
        if before.changes[:1] != changes[:1]:
            self._tell(name, changes[0])
        differs = None
        if capture.startup is not None:
            differs = not capture.startup or normalised(capture.startup, kind, key) != text
        return structs.replace(before, succeeded=found, startup_differs=differs, changes=changes)

    def _tell(self, name: str, change: Change) -> None:
        if change.window is None:
            logger.info("configuration of {}: the first copy, {} lines", name, change.lines)
        else:
            where = "" if change.window == "none" else f", {change.window} the change windows"
            logger.info(
                "configuration of {}: changed, +{} -{} lines{}; see: vdx config-backup diff {}",
                *(name, change.added, change.removed, where, name),
            )

    async def _note(self, backup: Backup, fault: BackupError | None) -> bool:
        """Shows how a try went, and keeps it for the next process; True when there is no fault."""
        try:
            await self._archive.note(backup)
        except BackupError as error:
            fault = fault or error
            backup = structs.replace(backup, fault=str(fault))
        self._telemetry.backups[backup.device] = backup
        if fault is not None:
            self._fail(backup, fault)
        elif self._reported.pop(backup.device, None) is not None:
            logger.info("configuration of {}: it can be copied again", backup.device)
        return fault is None

    def _fail(self, backup: Backup, fault: BackupError) -> None:
        """Counts a fault, and logs it once until it is mended or is another one."""
        self._telemetry.errors.labels(device=backup.device, site=backup.site, reason=fault.reason).inc()
        if self._reported.get(backup.device) is not fault.reason:
            last = backup.succeeded
            kept = f"the last good copy is of {last:%Y-%m-%d %H:%M} UTC" if last else "there is no copy yet"
            logger.error("configuration of {}: {}; {}", backup.device, fault, kept)
        self._reported[backup.device] = fault.reason

    def _site(self, name: str) -> str:
        return self._settings.devices[name].site
