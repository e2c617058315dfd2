"""A child process of the demonstration that prints a line when it is ready."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

STOP_SECONDS: Final = 5.0


@asynccontextmanager
async def child(
    command: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """Runs it while the block runs; gives the first line that it prints, empty if none within `seconds`."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        line = b""
        if process.stdout is not None:
            with suppress(TimeoutError):
                line = await asyncio.wait_for(process.stdout.readline(), seconds)
        yield line.decode(errors="replace").strip()
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
