"""What the commands have in common: their exit statuses, and how a wrong setting is told."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app import log
from vdx.settings import FILE_NAME, Settings, SettingsError, load

GOOD: Final = 0
WORK_FAILED: Final = 1
SETTINGS_WRONG: Final = 2

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", "-s", metavar="FILE", help=f"The settings file; {FILE_NAME} here by default."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")]


def fail(error: Exception, code: int = SETTINGS_WRONG) -> typer.Exit:
    """Tells what is wrong, a line for each fault; raise what it returns."""
    for line in str(error).splitlines():
        typer.echo(f"vdx: {line}", err=True)
    return typer.Exit(code)


def read_settings(file: Path | None) -> Settings:
    """The settings; the log goes where they say. Ends the command where they are wrong."""
    try:
        settings = load(file)
    except SettingsError as error:
        raise fail(error) from None
    log.send(settings.log)
    return settings


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Runs to the end and leaves with the work's exit status."""
    try:
        code = asyncio.run(work())
    except SettingsError as error:
        raise fail(error) from None
    except KeyboardInterrupt:
        code = GOOD
    raise typer.Exit(code)


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Around the import of what needs an extra of the package: ends the command where that is missing."""
    try:
        yield
    except ModuleNotFoundError as missing:
        install = f"install the extra {name}: pip install 'vdx-watch[{name}]'"
        raise fail(SettingsError(f"{what} needs {missing.name}; {install}")) from None
