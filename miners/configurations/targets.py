"""Which devices are copied, and whether one lets us in."""

import asyncio
from typing import Final

import msgspec

from miners.configurations import kinds
from miners.configurations.archive import NAME, Archive, directory
from miners.configurations.capture import Target, contact, read_login
from miners.configurations.errors import BackupError
from miners.configurations.host_keys import HostKeys
from vdx.settings import Settings, SettingsError

LONGEST_QUIET: Final = 30.0


class Contact(msgspec.Struct, frozen=True):
    """How a short login to a device went."""

    device: str
    good: bool
    words: str


def targets(settings: Settings) -> dict[str, Target]:
    """The devices to copy, by name: those with a login. Raises SettingsError, a line for each fault."""
    found, faults = {}, []
    known = " and ".join(kinds.names())
    for name, device in settings.devices.items():
        if not device.login:
            continue
        if device.kind not in kinds.names():
            faults.append(
                f"devices.{name}.login: a {device.kind} cannot be copied, only {known}; remove the login"
            )
        elif not NAME.fullmatch(name):
            faults.append(
                f"devices.{name}: its copies are files of this name; write it with letters, digits, dots, "
                "dashes and underscores"
            )
        else:
            found[name] = Target(name, device.address, device.ssh_port, kinds.kind(device.kind))
    for name in sorted({device.login for device in settings.devices.values() if device.login}):
        try:
            read_login(name, settings.logins[name])
        except SettingsError as error:
            faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(faults))
    return found


async def check(settings: Settings, device: str) -> Contact:
    """Logs in to a device and out again, and pins nothing; `device` is one of `targets(settings)`.

    Takes seconds at most. Raises SettingsError.
    """
    target = targets(settings)[device]
    name = settings.devices[device].login
    keys = HostKeys(Archive(directory(settings)).known_hosts)
    limit = min(quiet(settings), 10.0)
    try:
        async with asyncio.timeout(2 * limit):
            words = await contact(target, read_login(name, settings.logins[name]), keys, limit)
    except BackupError as error:
        return Contact(device, False, str(error))
    except TimeoutError:
        return Contact(device, False, f"the login was not done after {2 * limit:g} seconds")
    return Contact(device, True, words)


def quiet(settings: Settings) -> float:
    """Seconds that a device may be silent: 30, or a third of the time that it may take where that is less."""
    return min(LONGEST_QUIET, settings.config_backup.timeout_seconds / 3)
