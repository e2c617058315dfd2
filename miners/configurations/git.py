"""Git as a child process, untouched by what the machine or the user has configured."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from miners.configurations.errors import BackupError, Reason

SECONDS: Final = 60.0
"""How long one command may take."""
_OPTIONS: Final = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsync=committed"),
    *("-c", "core.quotePath=false"),
    *("-c", "commit.gpgSign=false"),
    *("-c", "gc.autoDetach=false"),
)


class Git:
    """The repository of a folder. Its commands raise BackupError, with the first line that git says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def make(self) -> None:
        """Makes the repository where there is none, and forgets what a killed git has left in its way."""
        if not (self.folder / ".git" / "HEAD").exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            await self.run("init", "--quiet", "--template=", "--initial-branch=main")
        attributes = self.folder / ".git" / "info" / "attributes"
        attributes.parent.mkdir(exist_ok=True)
        if not attributes.exists():
            attributes.write_text("* -text diff\n", encoding="ascii")
        (self.folder / ".git" / "index.lock").unlink(missing_ok=True)

    async def run(
        self, *arguments: str, entered: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> bytes:
        """What a command writes. `variables` and `entered` are seen by nobody else, as arguments are."""
        code, out, error = await self._finished(arguments, entered, variables or {})
        if code != 0:
            said = error.decode(errors="replace").strip().partition("\n")[0]
            raise BackupError(
                Reason.STORAGE, f"git {arguments[0]} in {self.folder}: {said or f'ended {code}'}"
            )
        return out

    async def finds(self, *arguments: str) -> str:
        """The line that a command writes; empty where it finds nothing and says nothing, and ends with 1."""
        code, out, error = await self._finished(arguments, b"", {})
        if code not in (0, 1) or error:
            said = error.decode(errors="replace").strip().partition("\n")[0]
            raise BackupError(
                Reason.STORAGE, f"git {arguments[0]} in {self.folder}: {said or f'ended {code}'}"
            )
        return out.decode().strip()

    async def _finished(
        self, arguments: tuple[str, ...], entered: bytes, variables: Mapping[str, str]
    ) -> tuple[int, bytes, bytes]:
        """A command that has begun ends by itself, also where whoever asked for it is cancelled."""
        work = asyncio.create_task(self._run(arguments, entered, variables))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            raise

    async def _run(
        self, arguments: tuple[str, ...], entered: bytes, variables: Mapping[str, str]
    ) -> tuple[int, bytes, bytes]:
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                *(f"--git-dir={self.folder / '.git'}", f"--work-tree={self.folder}"),
                *_OPTIONS,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**_environment(), **variables},
                umask=0o077,
            )
        except FileNotFoundError:
            raise BackupError(
                Reason.STORAGE, "git is not installed; install the Debian package git"
            ) from None
        except OSError as error:
            raise BackupError(Reason.STORAGE, f"git cannot be started: {error.strerror}") from None
        try:
            async with asyncio.timeout(SECONDS):
                out, said = await process.communicate(entered)
        except TimeoutError:
            raise BackupError(
                Reason.STORAGE, f"git {arguments[0]} in {self.folder} took longer than {SECONDS:g} s"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, out, said


def _environment() -> dict[str, str]:
    """Nothing of the user's, GIT_* variables least of all, but where programs are."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_COMMITTER_NAME": "VDX Watch",
        "GIT_COMMITTER_EMAIL": "",
    }
