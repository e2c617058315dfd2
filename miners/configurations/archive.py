"""Where copies are kept: their history in git, and the raw text of each revision, for this user alone.

known_hosts          the host keys that are pinned
secrets.key          the key of the hashes that stand for secrets in the history
history/             a git repository: the normalised text of each device in NAME.conf
raw/NAME/REVISION    what the device showed, with its secrets: the latest copy of that revision
state/NAME.json      how the last try went
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from miners.configurations import files
from miners.configurations.errors import BackupError, Reason
from miners.configurations.git import Git
from miners.configurations.kind import Told
from vdx.configurations import Backup, Change, Window
from vdx.settings import Settings

NAME: Final = re.compile(r"\w[\w.-]*")
"""What a device may be called, since files are named after it."""
NOBODY: Final = "unknown"
"""The author of a change where the device does not tell."""
_LOG: Final = "--format=%x01%H %at %ct %(trailers:key=Lines,valueonly,separator=) " + (
    "%(trailers:key=Window,valueonly,separator=)"
)


class State(msgspec.Struct, frozen=True):
    """What history does not tell of a device: these fields of `vdx.configurations.Backup`."""

    tried: datetime | None = None
    succeeded: datetime | None = None
    fault: str = ""
    seconds: float | None = None
    startup_differs: bool | None = None


def directory(settings: Settings) -> Path:
    """The folder of the copies."""
    return settings.config_backup.directory or settings.data.directory / "configurations"


class Archive:
    """The folder of the copies. Whatever it cannot do raises BackupError.

    Several processes may use one folder; each writes while no other does.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known_hosts = folder / "known_hosts"
        self._git = Git(folder / "history")
        self._turn = asyncio.Lock()

    async def prepare(self) -> bytes:
        """Makes what is missing; gives the key of the hashes that stand for secrets."""
        try:
            for path in (self.folder, self.folder / "raw", self.folder / "state"):
                files.make_folder(path)
        except OSError as error:
            raise _storage(error, self.folder) from None
        async with self._writing():
            await self._git.make()
            return files.key(self.folder / "secrets.key")

    async def keep(
        self, device: str, text: str, raw: str, *, told: Told, found: datetime, window: Window
    ) -> tuple[Change, ...]:
        """Keeps a good copy: a revision where the normalised `text` has changed, and its raw text always.

        `window` is where a change would lie. Gives all revisions, the latest first.
        """
        async with self._writing():
            before = await self._blob(device)
            if before != _blob_of(_bytes(text)):
                files.write(self._git.folder / f"{device}.conf", _bytes(text))
                await self._commit(device, text, told, found, window if before else None)
            changes = await self._log(device)
            folder = self.folder / "raw" / device
            files.make_folder(folder)
            files.write(folder / changes[0].revision, _bytes(raw))
            return changes

    async def note(self, backup: Backup) -> None:
        """Keeps how the last try went."""
        state = State(backup.tried, backup.succeeded, backup.fault, backup.seconds, backup.startup_differs)
        async with self._writing():
            files.write(self.folder / "state" / f"{backup.device}.json", msgspec.json.encode(state))

    async def backup(self, device: str, site: str) -> Backup:
        """All that is known of a device's copies; nothing of a device that was never tried."""
        state = await asyncio.to_thread(self._state, device)
        changes = await self.changes(device)
        succeeded = state.succeeded or (changes[0].found if changes else None)
        return Backup(
            device, site, state.tried, succeeded, state.fault, state.seconds, state.startup_differs, changes
        )

    async def changes(self, device: str) -> tuple[Change, ...]:
        """The revisions of a device, the latest first."""
        if (
            not NAME.fullmatch(device)
            or not (self._git.folder / ".git" / "HEAD").exists()
            or not await self._blob(device)
        ):
            return ()
        return await self._log(device)

    async def shown(self, device: str, revision: str) -> tuple[str, bytes]:
        """Who made a revision, and how it differs from the one before."""
        out = await self._git.run(
            *("show", "--format=%an%x00", "--no-color", "--no-ext-diff", "--no-textconv"),
            *(revision, "--", f"{device}.conf"),
        )
        who, _, difference = out.partition(b"\x00")
        return who.decode(errors="replace"), difference.lstrip(b"\n")

    def raw(self, device: str, revision: str) -> bytes:
        """The text that the device showed."""
        path = self.folder / "raw" / device / revision
        try:
            return path.read_bytes()
        except OSError as error:
            raise _storage(error, path) from None

    def _state(self, device: str) -> State:
        path = self.folder / "state" / f"{device}.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except OSError as error:
            raise _storage(error, path) from None
        except msgspec.DecodeError:
            raise BackupError(Reason.STORAGE, f"{path} is malformed; remove it, it is made again") from None

    async def _blob(self, device: str) -> str:
        return await self._git.finds("rev-parse", "--verify", "--quiet", f"HEAD:{device}.conf")

    async def _log(self, device: str) -> tuple[Change, ...]:
        log = await self._git.run("log", _LOG, "--numstat", "HEAD", "--", f"{device}.conf")
        return tuple(_change(entry) for entry in log.decode().split("\x01")[1:])

    async def _commit(
        self, device: str, text: str, told: Told, found: datetime, window: Window | None
    ) -> None:
        lines = text.count("\n")
        first = "first copy" if window is None else "changed"
        message = f"{device}: {first}\n\nLines: {lines}\nWindow: {window or 'first'}\n"
        await self._git.run("add", "--", f"{device}.conf")
        await self._git.run(
            *("commit", "--quiet", "--file=-", "--cleanup=verbatim", "--", f"{device}.conf"),
            entered=message.encode(),
            variables={
                "GIT_AUTHOR_NAME": "".join(filter(str.isprintable, told.who)).strip("<>., ") or NOBODY,
                "GIT_AUTHOR_EMAIL": "",
                "GIT_AUTHOR_DATE": f"@{int((told.when or found).timestamp())} +0000",
                "GIT_COMMITTER_DATE": f"@{int(found.timestamp())} +0000",
            },
        )

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        try:
            async with self._turn, files.held(self.folder / "lock"):
                yield
        except OSError as error:
            raise _storage(error, self.folder) from None


def _storage(error: OSError, folder: Path) -> BackupError:
    path = error.filename or folder
    return BackupError(
        Reason.STORAGE, f"cannot use {path}: {error.strerror}; check config_backup.directory, disk and rights"
    )


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _blob_of(content: bytes) -> str:
    """The name that git gives to a content: the SHA-1 of it behind its kind and size."""
    head = f"blob {len(content)}".encode() + b"\0"
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def _change(entry: str) -> Change:
    """From what `git log` writes of a commit."""
    head, _, counts = entry.strip().partition("\n")
    revision, authored, committed, lines, window = head.split()
    added, removed, *_ = counts.split() or ("0", "0")
    return Change(
        revision,
        datetime.fromtimestamp(int(authored), UTC),
        datetime.fromtimestamp(int(committed), UTC),
        int(added),
        int(removed),
        int(lines),
        None if window == "first" else msgspec.convert(window, Window),
    )
