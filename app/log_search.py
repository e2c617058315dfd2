"""What `vdx logs search`, `call` and `follow` do. Each gives its exit status."""

import asyncio
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, TextIO
from zoneinfo import ZoneInfo

import msgspec
import typer
from msgspec import structs

from app.command import GOOD, SETTINGS_WRONG, WORK_FAILED
from app.log_lines import as_json, plain, styled, table
from app.log_times import read_time
from app.signals import signals
from app.terminal import console
from vdx.logs.access import note
from vdx.logs.closing import ArchiveError
from vdx.logs.files import directory
from vdx.logs.follow import Follower
from vdx.logs.line import SEVERITIES
from vdx.logs.query import Query, QueryError, check
from vdx.logs.search import Hit
from vdx.logs.search import search as search_archive
from vdx.logs.timeline import timeline
from vdx.settings import Settings, SettingsError

PAUSE: Final = 0.5
"""Seconds between two looks at what has come."""

Row = tuple[Hit, datetime | None]
"""A line, and the time to show where it is not that of receipt."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for, as it is written at a terminal."""

    text: str = ""
    regex: str = ""
    source: str = ""
    host: str = ""
    severity: str = ""
    app: str = ""
    fields: tuple[str, ...] = ()
    call: str = ""
    since: str = ""
    until: str = ""
    limit: int = 100
    json: bool = False
    output: Path | None = None


def query_of(wanted: Wanted, zone: ZoneInfo, now: datetime) -> Query:
    """The query of what somebody asks for. Raises SettingsError and QueryError."""
    pairs = tuple((key, value) for key, _, value in (field.partition("=") for field in wanted.fields))
    query = Query(
        text=wanted.text,
        regex=wanted.regex,
        source=wanted.source,
        host=wanted.host,
        severity=_severity(wanted.severity),
        app=wanted.app,
        fields=pairs,
        call_id=wanted.call,
        limit=wanted.limit,
    )
    if wanted.since:
        query = structs.replace(query, since=read_time(wanted.since, now, zone))
    if wanted.until:
        query = structs.replace(query, until=read_time(wanted.until, now, zone, latest=True))
    check(query)
    return query


async def search(settings: Settings, wanted: Wanted) -> int:
    """Prints the lines that are found, the newest first."""
    with _told() as status:
        zone = ZoneInfo(settings.sla.time_zone)
        query = _begin(settings, "search", wanted)
        more = structs.replace(query, limit=query.limit + 1)
        found = search_archive(directory(settings), more, status.tell)
        _show(((hit, None) for hit in islice(found, query.limit)), wanted, zone, status)
        if next(found, None) is not None:
            _aside(f"there are more than {query.limit} lines; raise --limit, or narrow the search")
    return status.code


async def call(settings: Settings, wanted: Wanted) -> int:
    """Prints all lines of a call in the order in which they were written."""
    with _told() as status:
        zone = ZoneInfo(settings.sla.time_zone)
        query = _begin(settings, "call", wanted)
        steps = timeline(directory(settings), query, status.tell)
        _show(((step.hit, step.time) for step in steps), wanted, zone, status)
        if len(steps) >= query.limit:
            _aside(f"there may be more than {query.limit} lines; raise --limit")
    return status.code


async def follow(settings: Settings, wanted: Wanted) -> int:
    """Prints lines as they come, until a signal comes."""
    with _told() as status:
        zone = ZoneInfo(settings.sla.time_zone)
        follower = Follower(directory(settings), _begin(settings, "follow", wanted))
        out = console()
        stop = asyncio.Event()
        told = ""
        with signals(stop):
            while not stop.is_set():
                try:
                    hits, fault = await asyncio.to_thread(follower.poll), ""
                except OSError as error:
                    hits, fault = [], f"{error.filename}: {error.strerror}; waiting for it"
                if fault and fault != told:
                    _aside(fault)
                told = fault
                for hit in hits:
                    if out.is_terminal and not wanted.json:
                        out.print(styled(hit, zone))
                    else:
                        print(as_json(hit) if wanted.json else plain(hit, zone), flush=True)
                waiting = asyncio.create_task(stop.wait())
                await asyncio.wait({waiting}, timeout=PAUSE)
                waiting.cancel()
    return status.code


class _Status:
    """How it went, and a way to tell what was left out."""

    def __init__(self) -> None:
        self.code = GOOD
        self.lines = 0

    def tell(self, words: str) -> None:
        self.code = WORK_FAILED
        _aside(words)


@contextmanager
def _told() -> Iterator[_Status]:
    status = _Status()
    try:
        yield status
    except (QueryError, SettingsError) as error:
        _aside(str(error))
        status.code = SETTINGS_WRONG
    except ArchiveError as error:
        status.tell(str(error))


def _begin(settings: Settings, command: str, wanted: Wanted) -> Query:
    """The query, which is written down before anything is read."""
    query = query_of(wanted, ZoneInfo(settings.sla.time_zone), datetime.now(UTC))
    filters = {key: value for key, value in structs.asdict(wanted).items() if value}
    if wanted.output is not None:
        filters["output"] = str(wanted.output)
    note(directory(settings), command, filters)
    return query


def _show(rows: Iterable[Row], wanted: Wanted, zone: ZoneInfo, status: _Status) -> None:
    out = console()
    if out.is_terminal and wanted.output is None and not wanted.json:
        kept = list(rows)
        status.lines = len(kept)
        if kept:
            out.print(table(kept, zone))
    else:
        with _target(wanted.output) as file:
            for hit, time in rows:
                status.lines += 1
                print(as_json(hit) if wanted.json else plain(hit, zone, time), file=file)
    if status.lines == 0:
        _aside("no line was found; widen --since and --until, or leave a filter out")
    elif wanted.output is not None:
        _aside(f"{status.lines:,} lines are in {wanted.output}; they may hold personal data")


@contextmanager
def _target(path: Path | None) -> Iterator[TextIO | None]:
    """The file, which only its owner may read; None for standard output."""
    if path is None:
        yield None
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be written: {error.strerror}; check --output") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        yield file


def _severity(text: str) -> int:
    if not text:
        return len(SEVERITIES) - 1
    if text.lower() not in SEVERITIES:
        raise SettingsError(f"--severity {text[:20]}: it is none of {', '.join(SEVERITIES)}")
    return SEVERITIES.index(text.lower())


def _aside(words: str) -> None:
    typer.echo(f"vdx: {words}", err=True)
