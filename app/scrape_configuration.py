"""`vdx scrape-configuration`: the Prometheus configuration for the suite and the rest of the estate."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import typer

from app.command import WORK_FAILED, fail
from exporters.estate.configuration import configuration, files
from exporters.estate.target import jobs, own_jobs
from vdx.settings import Settings, SettingsError


def run(settings: Settings, directory: Path | None) -> None:
    """Prints the configuration, or writes it with its files of targets. Ends the command where it fails."""
    try:
        wanted = [*own_jobs(settings), *jobs(settings)]
    except SettingsError as error:
        raise fail(error) from None
    if directory is None:
        typer.echo(configuration(wanted), nl=False)
        return
    try:
        write(directory, files(wanted))
    except OSError as error:
        place, reason = error.filename or directory, error.strerror
        raise fail(
            Exception(f"cannot write {place}: {reason}; name a folder that this user may write"), WORK_FAILED
        ) from None
    for job in wanted:
        typer.echo(f"{job.name}: {len(job.targets)} of {job.kind}")
    typer.echo(f"written into {directory}")


def write(directory: Path, texts: Mapping[PurePosixPath, str]) -> None:
    """Writes files in their order below a folder, each whole or not at all. Raises OSError.

    They hold no secret, and Prometheus reads them as another user.
    """
    for name, text in texts.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        try:
            draft.write_text(text, encoding="utf-8")
            draft.chmod(0o644)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
