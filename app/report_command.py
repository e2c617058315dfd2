"""`vdx report`: what was used, by whom and in which quality, as a table, a file or a picture."""
# ruff: noqa: PLC0415 - a command imports what it runs, so that --help is quick

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from app import log
from app.command import WORK_FAILED, SettingsFile, Verbose, fail, read_settings
from app.reports.catalogue import Language
from app.reports.request import MINUTE_DAYS, By, Format, Request, check, form_of, rows_of
from vdx.settings import SettingsError

report = typer.Typer(help="Reports of what was used.", no_args_is_help=True)


@report.callback()
def _group() -> None:
    """Reports of what was used."""


@report.command(
    epilog="Examples: [bold]vdx report usage --month 2026-10 --compare[/] the whole platform; "
    "[bold]vdx report usage --organisation 'Region North' --year 2026 --by month --output north.csv[/]; "
    "[bold]vdx report usage --organisation 'Region North' --records --output calls.parquet[/]",
)
def usage(
    *,
    organisation: Annotated[
        str | None,
        typer.Option(metavar="NAME|KEY", help="An organisation with all its units; else the whole platform."),
    ] = None,
    project: Annotated[str | None, typer.Option(metavar="TAG", help="A project by its service tag.")] = None,
    location: Annotated[str | None, typer.Option(metavar="NAME", help="A system location.")] = None,
    month: Annotated[
        str | None, typer.Option(metavar="2026-10", help="A month; without a period, the last full month.")
    ] = None,
    year: Annotated[str | None, typer.Option(metavar="2026", help="A year.")] = None,
    week: Annotated[str | None, typer.Option(metavar="2026-W41", help="An ISO week, from Monday.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="The first day.")] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="The last day, which is in the report.")
    ] = None,
    by: Annotated[
        By | None,
        typer.Option(help=f"A row for each; minute: peak ports alone, of up to {MINUTE_DAYS} days."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="With the month, year, week or days before.")
    ] = False,
    units: Annotated[
        bool, typer.Option("--units", help="A row for each unit directly below, with all its units.")
    ] = False,
    projects: Annotated[bool, typer.Option("--projects", help="A row for each project.")] = False,
    locations: Annotated[bool, typer.Option("--locations", help="A row for each location.")] = False,
    records: Annotated[
        bool, typer.Option("--records", help="Each call that ended in the period instead of figures.")
    ] = False,
    identities: Annotated[
        bool,
        typer.Option("--identities", help="With --records: names of people and rooms where they are stored."),
    ] = False,
    form: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="By default by the ending of FILE, else table."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A file instead of the terminal.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="CSV with 0,5 instead of 0.5.")
    ] = False,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="A picture too: .png or .svg.")] = None,
    language: Annotated[
        Language, typer.Option(help="Of headings and notes; JSON and Parquet have the same names in both.")
    ] = Language.DANISH,
    settings_file: SettingsFile = None,
    verbose: Verbose = False,
) -> None:
    """What was used: meetings, participants, licence ports and quality, of any period, by whom you like."""
    from app.reports.making import make
    from app.reports.output import OutputError
    from app.reports.period import read_period
    from vdx.store import StoreError

    log.configure(verbose=verbose)
    settings = read_settings(settings_file)
    now = datetime.now(UTC)
    today = now.astimezone(ZoneInfo(settings.sla.time_zone)).date()
    try:
        request = Request(
            period=read_period(today, month=month, year=year, week=week, first=first, last=last),
            organisation=organisation,
            project=project,
            location=location,
            by=by,
            rows=rows_of(units=units, projects=projects, locations=locations, records=records),
            compare=compare,
            identities=identities,
            form=form_of(form, output),
            output=output,
            force=force,
            decimal_comma=decimal_comma,
            picture=picture,
            language=language,
        )
        check(request, settings)
        make(request, settings, now)
    except SettingsError as error:
        raise fail(error) from None
    except (StoreError, OutputError) as error:
        raise fail(error, WORK_FAILED) from None
