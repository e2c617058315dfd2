"""Takes the configuration of one device over SSH."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import msgspec

from miners.configurations.errors import BackupError, Reason
from miners.configurations.host_keys import HostKeys, PinnedClient
from miners.configurations.kind import Kind
from miners.configurations.shell import Shell
from vdx.settings import LoginSettings, SettingsError, read_secret


class Login(msgspec.Struct, frozen=True):
    """An account with its secrets, read."""

    username: str
    password: str | None
    key: asyncssh.SSHKey | None


class Target(msgspec.Struct, frozen=True):
    """A device to copy."""

    name: str
    address: str
    port: int
    kind: Kind


class Capture(msgspec.Struct, frozen=True):
    """What a device has shown, whole."""

    running: str
    startup: str | None
    """None where the kind has none; empty where the device has nothing to start with."""


def read_login(name: str, settings: LoginSettings) -> Login:
    """The account with its password and key from their files. Raises SettingsError."""
    setting = f"logins.{name}"
    password = key = None
    if settings.password_file is not None:
        password = read_secret(f"{setting}.password_file", settings.password_file)
    if settings.private_key_file is not None:
        text = read_secret(f"{setting}.private_key_file", settings.private_key_file)
        try:
            key = asyncssh.import_private_key(f"{text}\n")
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
            raise SettingsError(
                f"{setting}.private_key_file: {settings.private_key_file} is not a private key without a "
                "pass phrase; write it there as OpenSSH or PEM"
            ) from None
    return Login(settings.username, password, key)


async def take(target: Target, login: Login, keys: HostKeys, quiet: float) -> Capture:
    """The device's configuration as it shows it. Raises BackupError where it is not whole.

    `quiet` is how many seconds the device may be silent.
    """
    kind = target.kind
    async with _connected(target, login, keys, quiet, pins=True) as (connection, _):
        shell = await _shell(connection, kind, quiet)
        running = _whole(kind, kind.configuration, await shell.run(kind.configuration))
        startup = None
        if kind.startup:
            startup = await shell.run(kind.startup)
            if kind.no_startup is not None and kind.no_startup.search(startup):
                startup = ""
            else:
                _whole(kind, kind.startup, startup)
        await shell.leave()
    return Capture(running, startup)


async def contact(target: Target, login: Login, keys: HostKeys, quiet: float) -> str:
    """Logs in and out, and pins nothing; tells of the host key. Raises BackupError."""
    async with _connected(target, login, keys, quiet, pins=False) as (connection, client):
        shell = await _shell(connection, target.kind, quiet)
        await shell.leave()
        key = connection.get_server_host_key()
        shown = "none" if key is None else key.get_fingerprint()
    if client.first:
        return f"the login works; the host key {shown} will be pinned by the first copy, so compare it before"
    return f"the login works, and the host key is the one that is pinned, {shown}"


def _whole(kind: Kind, command: str, text: str) -> str:
    if not text.strip():
        raise BackupError(Reason.INCOMPLETE, f"{command}: the answer is empty; may the account read it?")
    if missing := kind.missing(text):
        lines = text.count("\n")
        raise BackupError(
            Reason.INCOMPLETE,
            f"{command}: the answer is not a whole configuration: its {lines} lines lack {missing}; may the "
            "account read all of it?",
        )
    return text


async def _shell(connection: asyncssh.SSHClientConnection, kind: Kind, quiet: float) -> Shell:
    try:
        async with asyncio.timeout(quiet):
            process = await connection.create_process(
                term_type="vt100", term_size=(511, 24), encoding="utf-8", errors="surrogateescape"
            )
    except (OSError, TimeoutError, asyncssh.Error):
        raise BackupError(
            Reason.UNREACHABLE, "the login works, and the device opens no shell", passing=True
        ) from None
    shell = Shell(process, kind, quiet)
    await shell.greet()
    for command in kind.prepare:
        await shell.run(command)
    return shell


@asynccontextmanager
async def _connected(
    target: Target, login: Login, keys: HostKeys, quiet: float, *, pins: bool
) -> AsyncIterator[tuple[asyncssh.SSHClientConnection, PinnedClient]]:
    client = PinnedClient(keys, target.name, target.address, target.port, pins=pins)
    where = f"{target.address} port {target.port}"
    try:
        connection = await asyncssh.connect(
            target.address,
            target.port,
            username=login.username,
            password=login.password,
            client_keys=[login.key] if login.key else None,
            known_hosts=([], [], []),
            server_host_key_algs=client.algorithms(),
            client_factory=lambda: client,
            config=None,
            agent_path=None,
            gss_host=None,
            connect_timeout=quiet,
            login_timeout=quiet,
        )
    except (OSError, TimeoutError, asyncssh.Error, asyncssh.PasswordChangeRequired) as error:
        raise client.fault or _refused(error, where) from None
    try:
        yield connection, client
        connection.close()
        with contextlib.suppress(TimeoutError, OSError, asyncssh.Error):
            async with asyncio.timeout(1):
                await connection.wait_closed()
    finally:
        connection.abort()


def _refused(error: Exception, where: str) -> BackupError:
    """What went wrong with a connection. The library's own texts are left out: they may hold the account."""
    match error:
        case asyncssh.PermissionDenied() | asyncssh.PasswordChangeRequired() | asyncssh.IllegalUserName():
            return BackupError(
                Reason.LOGIN,
                f"{where} refuses the account; check the user name, the password or key of [logins], and "
                "that the device lets it in from here",
            )
        case asyncssh.KeyExchangeFailed():
            return BackupError(
                Reason.UNREACHABLE,
                f"{where} and this program have no SSH algorithm in common; renew the device's software",
            )
        case TimeoutError():
            words = "does not answer; check the address, and that a firewall lets SSH through"
        case OSError():
            code = error.errno or 0
            known = os.strerror(code) if code > 0 else error.strerror
            words = f"cannot be reached ({known or 'no such host'}); check address, port and SSH"
        case _:
            words = "ended the connection before the login was done"
    return BackupError(Reason.UNREACHABLE, f"{where} {words}", passing=True)
