"""What is asked for on the command line, and which of it does not go together."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from app.reports.catalogue import Language
from app.reports.output import refuse_to_overwrite
from vdx.settings import Settings, SettingsError

if TYPE_CHECKING:  # it loads the database's library, for which `vdx --help` should not wait
    from app.reports.period import Period

MINUTE_DAYS: Final = 7
"""The longest period that is shown by the minute: 10,080 rows."""


class Format(StrEnum):
    """The form of a report."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class By(StrEnum):
    """The length of the rows of a report."""

    TOTAL = "total"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    HOUR = "hour"
    MINUTE = "minute"


class Rows(StrEnum):
    """What the rows of a report are, where they are not periods."""

    UNITS = "units"
    PROJECTS = "projects"
    LOCATIONS = "locations"
    RECORDS = "records"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A report of usage as it is asked for."""

    period: "Period"
    organisation: str | None = None
    project: str | None = None
    location: str | None = None
    by: By | None = None
    rows: Rows | None = None
    compare: bool = False
    identities: bool = False
    form: Format = Format.TABLE
    output: Path | None = None
    force: bool = False
    decimal_comma: bool = False
    picture: Path | None = None
    language: Language = Language.DANISH


_ENDINGS: Final = {
    ".txt": Format.TABLE,
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSON,
    ".ndjson": Format.JSON,
    ".parquet": Format.PARQUET,
}
PICTURES: Final = {".png": "png", ".svg": "svg"}


def form_of(form: Format | None, output: Path | None) -> Format:
    """The form that is asked for, or that the ending of the file tells. Raises SettingsError."""
    if form is not None:
        return form
    if output is None:
        return Format.TABLE
    found = _ENDINGS.get(output.suffix.lower())
    if found is None:
        endings = ", ".join(_ENDINGS)
        raise SettingsError(
            f"--output: {output} does not tell the form; end it with {endings}, or add --format"
        )
    return found


def rows_of(**wanted: bool) -> Rows | None:
    """The one of --units, --projects, --locations and --records that is asked for. Raises SettingsError."""
    given = [Rows(name) for name, asked in wanted.items() if asked]
    if len(given) > 1:
        names = " and ".join(f"--{rows}" for rows in given)
        raise SettingsError(f"{names} are reports of their own; ask for one of them")
    return given[0] if given else None


def check(request: Request, settings: Settings) -> None:
    """Raises SettingsError where options do not go together, before anything is read."""
    _check_rows(request)
    _check_form(request)
    if request.identities and request.rows is not Rows.RECORDS:
        raise SettingsError("--identities: figures name nobody; add --records, or leave it out")
    if request.identities and not settings.privacy.store_identities:
        raise SettingsError(
            "--identities: names are not stored here; leave it out to have pseudonyms, or set "
            "privacy.store_identities for the calls to come"
        )
    for option, path in (("--output", request.output), ("--picture", request.picture)):
        if path is not None:
            refuse_to_overwrite(option, path, force=request.force)


def _check_rows(request: Request) -> None:
    figures = {"--by": request.by, "--compare": request.compare or None, "--picture": request.picture}
    for option, given in figures.items():
        if request.rows is Rows.RECORDS and given is not None:
            raise SettingsError(f"{option}: for figures, and --records gives none; leave one of them out")
    if request.rows is not None and request.by is not None:
        raise SettingsError(f"--by: --{request.rows} has rows of its own; leave one of them out")
    chosen = [request.organisation, request.project, request.location]
    if request.rows is not Rows.RECORDS and sum(one is not None for one in chosen) > 1:
        raise SettingsError(
            "--organisation, --project and --location: figures are of one of them; add --records for the "
            "calls of several"
        )
    if request.rows is Rows.UNITS and (request.project, request.location) != (None, None):
        raise SettingsError("--units: projects and locations have none; name an organisation, or nothing")
    if request.rows in (Rows.PROJECTS, Rows.LOCATIONS) and chosen != [None, None, None]:
        raise SettingsError(f"--{request.rows}: for the whole platform; leave out what it is about")
    if request.by is By.MINUTE and request.period.days > MINUTE_DAYS:
        raise SettingsError(
            f"--by minute: {request.period} has {request.period.days} days; ask for {MINUTE_DAYS} at most"
        )


def _check_form(request: Request) -> None:
    if request.decimal_comma and request.form is not Format.CSV:
        raise SettingsError("--decimal-comma: for CSV alone; add --format csv, or leave it out")
    if request.form is Format.PARQUET and request.output is None:
        raise SettingsError("--format parquet: name a file with --output, since no terminal shows it")
    if request.picture is not None and request.picture.suffix.lower() not in PICTURES:
        raise SettingsError(f"--picture: {request.picture} does not tell the form; end it with .png or .svg")
