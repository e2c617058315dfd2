"""Makes a report that is asked for: finds what it is about, reads, and hands out."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import typer
from loguru import logger
from rich.console import Console
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.reports.catalogue import Language, number, word
from app.reports.columns import RECORD, Sheet
from app.reports.formats import print_table, write_csv, write_json, write_json_lines
from app.reports.notes import Note, missing
from app.reports.output import COMMON, PRIVATE, Progress, new_file
from app.reports.record_lines import record_lines
from app.reports.request import PICTURES, By, Format, Request, Rows
from app.reports.selection import PLATFORM, Selection, find_location, find_organisation, find_project
from app.terminal import console
from vdx.organisations import Tree
from vdx.settings import Settings, SettingsError
from vdx.store import StoreError, usage_queries
from vdx.store.call_records import CallRecord, records
from vdx.store.database import connect, open_engine, unreachable
from vdx.store.organisations import load

Write = Callable[[BinaryIO], None]


def make(request: Request, settings: Settings, now: datetime) -> None:
    """Makes the report and hands it out.

    Raises SettingsError where what it is about is not there, StoreError where the database cannot be read,
    and OutputError where a file cannot be written.
    """
    engine = open_engine(settings)
    try:
        with connect(engine) as connection:
            reader = connection.execution_options(isolation_level="AUTOCOMMIT")
            tree, _ = load(reader)
            making = _Making(request, settings, now, reader, tree)
            if request.rows is Rows.RECORDS:
                making.records()
            else:
                making.figures()
    except SQLAlchemyError as error:
        raise StoreError(unreachable(error)) from None
    finally:
        engine.dispose()


def _module(name: str) -> Any:
    """A module that needs libraries which the base install has not. Raises SettingsError without them."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"this report needs {error.name}; install the extra reports: pip install 'vdx-watch[reports]'"
        ) from None


class _Making:
    """A request on its way, with what it is made from."""

    def __init__(
        self, request: Request, settings: Settings, now: datetime, connection: Connection, tree: Tree
    ) -> None:
        self.request = request
        self.settings = settings
        self.now = now
        self.connection = connection
        self.tree = tree
        self.zone = ZoneInfo(settings.sla.time_zone)
        self.start = request.period.start(self.zone)
        self.end = request.period.end(self.zone)
        self.organisation: Selection | None = None
        self.project: Selection | None = None
        self.location: Selection | None = None
        if request.organisation is not None:
            self.organisation = find_organisation(tree, request.organisation)
        if request.project is not None:
            self.project = find_project(connection, request.project)
        if request.location is not None:
            self.location = find_location(connection, request.location)

    @property
    def selections(self) -> list[Selection]:
        """What the report is about."""
        chosen = (self.organisation, self.project, self.location)
        return [one for one in chosen if one is not None] or [PLATFORM]

    def records(self) -> None:
        """Each call that ended in the period."""
        request = self.request
        if request.identities:
            scope = " and ".join(one.words(Language.ENGLISH) for one in self.selections)
            logger.info("call records with names are read: {}, {}", scope, request.period)
        progress = Progress()
        found = self._watched(self._batches(), progress)
        if request.form is Format.TABLE:
            work = _lines(found, request.language)
        else:
            work = self._written(Sheet(RECORD, found))
        try:
            self._hand_out(work, PRIVATE)
        finally:
            progress.end()
        reach = usage_queries.reach(self.connection, self.start, self.end, zone=self.zone)
        self._tell(missing(reach, request.period, self.now, self.zone))

    def _batches(self) -> Iterator[list[CallRecord]]:
        """The records of the organisation by the tree as each day began."""
        stretches: Iterator[tuple[datetime, datetime, frozenset[int] | None]]
        if self.organisation is None:
            stretches = iter([(self.start, self.end, None)])
        else:
            top = self.organisation.id
            stretches = usage_queries.stretches(
                self.tree, self.start, self.end, self.zone, lambda at: frozenset(self.tree.subtree(top, at))
            )
        for start, end, organisations in stretches:
            yield from records(
                self.connection,
                self.tree,
                self.zone,
                start,
                end,
                organisations=organisations,
                tag=None if self.project is None else self.project.id,
                place=None if self.location is None else self.location.id,
                identities=self.request.identities,
            )

    def _watched(self, found: Iterator[list[CallRecord]], progress: Progress) -> Iterator[list[CallRecord]]:
        count = 0
        for batch in found:
            count += len(batch)
            share = (batch[-1].ended - self.start) / (self.end - self.start)
            told = word("records", self.request.language, number(count, self.request.language))
            progress.show(f"{told}, {share:.0%}")
            yield batch

    def figures(self) -> None:
        """Figures from the usage tables, and a picture of them."""
        request = self.request
        usage = _module("app.reports.usage")
        context = usage.Context(
            connection=self.connection,
            tree=self.tree,
            zone=self.zone,
            now=self.now,
            hour_days=self.settings.history.usage_hour_days,
            language=Language.ENGLISH if request.form is Format.JSON else request.language,
        )
        picture = None if request.picture is None else _module("app.reports.picture")
        report = self._report(usage, context)
        if request.form is Format.JSON:
            document = usage.document(report, self.settings.sla.time_zone)
            self._hand_out(lambda file: write_json(file, document), COMMON)
        elif request.form is Format.TABLE:
            self._show(report)
        else:
            self._hand_out(self._written(report.sheet()), COMMON)
            self._tell(report.notes)
        if picture is not None:
            self._draw(picture, usage, context)

    def _report(self, usage: Any, context: Any) -> Any:
        request, selection = self.request, self.selections[0]
        if request.rows is not None:
            return usage.by_unit(context, selection, request.period, self._shares, compared=request.compare)
        if request.by is By.MINUTE:
            _module("numpy")
            return usage.by_minute(context, selection, request.period, compared=request.compare)
        by = request.by or By.TOTAL
        return usage.over_time(context, selection, request.period, by, compared=request.compare)

    def _shares(self, start: datetime, end: datetime) -> list[usage_queries.Share]:
        if self.request.rows is Rows.PROJECTS:
            return usage_queries.tags(self.connection, start, end)
        if self.request.rows is Rows.LOCATIONS:
            return usage_queries.locations(self.connection, start, end)
        if self.organisation is None:
            return usage_queries.top_organisations(self.connection, self.tree, start, end, zone=self.zone)
        return usage_queries.units(
            self.connection, self.tree, self.organisation.id, start, end, zone=self.zone
        )

    def _show(self, report: Any) -> None:
        """A table at a terminal, in a pipe or in a file."""
        table = _module("app.reports.table")
        vertical = report.by == By.TOTAL
        headings, cells = (table.one if vertical else table.many)(report, self.request.language)

        def show(out: Console) -> None:
            print_table(out, report.title(self.request.language), headings, cells)
            for sentence in report.words(self.request.language):
                out.print(sentence, style="yellow", markup=False)

        if self.request.output is None:
            show(console())
        else:
            text = io.StringIO()
            show(Console(file=text, highlight=False, soft_wrap=True))
            self._hand_out(lambda file: _write_text(file, [text.getvalue()]), COMMON)

    def _draw(self, picture: Any, usage: Any, context: Any) -> None:
        """The picture shows the period in parts, whatever the report does."""
        request = self.request
        path = request.picture
        if path is None:
            return
        by = picture.granularity(request.period)
        if request.by not in (None, By.TOTAL, By.MINUTE):
            by = request.by
        drawn = usage.over_time(context, self.selections[0], request.period, by, compared=False)
        with new_file("--picture", path, COMMON) as file:
            picture.draw(
                file,
                PICTURES[path.suffix.lower()],
                drawn,
                pool=self.settings.licenses.ports,
                language=request.language,
            )

    def _written(self, sheet: Sheet) -> Write:
        """Writes a sheet in the form that is asked for; JSON in lines."""
        request, time_zone = self.request, self.settings.sla.time_zone
        if request.form is Format.PARQUET:
            parquet = _module("app.reports.parquet")
            return lambda file: parquet.write_parquet(file, sheet, time_zone)
        if request.form is Format.JSON:
            return lambda file: write_json_lines(file, sheet)
        return lambda file: write_csv(file, sheet, request.language, decimal_comma=request.decimal_comma)

    def _hand_out(self, work: Write, mode: int) -> None:
        """To the file that is asked for, or to standard output."""
        if self.request.output is None:
            work(sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        with new_file("--output", self.request.output, mode) as file:
            work(file)

    def _tell(self, notes: Sequence[Note]) -> None:
        """Notes go beside what a machine reads."""
        for note in notes:
            typer.echo(note.words(self.request.language), err=True)


def _lines(found: Iterator[list[CallRecord]], language: Language) -> Write:
    return lambda file: _write_text(file, (f"{line}\n" for line in record_lines(found, language)))


def _write_text(file: BinaryIO, parts: Iterable[str]) -> None:
    for part in parts:
        file.write(part.encode("utf-8", "replace"))
