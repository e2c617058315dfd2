"""`vdx organisations`: read the source, show the tree, list what belongs to nobody, decide the past again."""

from datetime import datetime
from typing import Annotated

import typer

from app import log
from app.command import SettingsFile, Verbose, read_settings

organisations = typer.Typer(
    help="The organisations: who they are, and whose a call is.", no_args_is_help=True
)

_DATE = ["%Y-%m-%d"]


@organisations.command(
    epilog="Example: [bold]vdx organisations read[/] after a change, without waiting for the miner."
)
def read(settings_file: SettingsFile = None, verbose: Verbose = False) -> None:
    """Read the source now, and tell what changed and what is wrong with it."""
    from app import organisation_work  # noqa: PLC0415 - so that --help is quick

    log.configure(verbose=verbose)
    organisation_work.read(read_settings(settings_file))


@organisations.command(
    epilog="Example: [bold]vdx organisations show --organisation 'Region Midtjylland'[/] shows its units."
)
def show(
    settings_file: SettingsFile = None,
    organisation: Annotated[
        str,
        typer.Option("--organisation", "-o", metavar="NAME", help="Only this one and all below; or its key."),
    ] = "",
) -> None:
    """Show the tree as it is now, and how much each organisation claims."""
    from app import organisation_work  # noqa: PLC0415

    log.configure()
    organisation_work.show(read_settings(settings_file), organisation)


@organisations.command(
    epilog="Example: [bold]vdx organisations unassigned --days 7[/] lists what somebody ought to claim."
)
def unassigned(
    settings_file: SettingsFile = None,
    days: Annotated[int, typer.Option(min=1, help="Days back from now.")] = 30,
    most: Annotated[int, typer.Option(min=1, help="Rows at most; the rest is counted.")] = 100,
) -> None:
    """List the call legs that belong to no organisation, by service tag and domains."""
    from app import organisation_work  # noqa: PLC0415

    log.configure()
    organisation_work.unassigned(read_settings(settings_file), days, most)


@organisations.command(
    epilog="Example: [bold]vdx organisations reassign --since 2026-01-01[/] after a claim was set right."
)
def reassign(
    since: Annotated[datetime, typer.Option(formats=_DATE, help="The first day, in Danish time.")],
    until: Annotated[
        datetime | None, typer.Option(formats=_DATE, help="The last day; today by default.")
    ] = None,
    settings_file: SettingsFile = None,
    verbose: Verbose = False,
) -> None:
    """Decide again whose past calls are, by the claims as they are now. A second time it changes nothing."""
    from app import organisation_work  # noqa: PLC0415

    log.configure(verbose=verbose)
    organisation_work.reassign(
        read_settings(settings_file), since.date(), None if until is None else until.date()
    )
