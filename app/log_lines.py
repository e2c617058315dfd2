"""Lines of the archive as they are shown: in colours, as plain text, or as JSON."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from rich.table import Table
from rich.text import Text

from vdx.logs.fields import moment
from vdx.logs.line import SEVERITIES
from vdx.logs.search import Hit

COLUMNS: Final = ("time", "host", "app", "severity", "message")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_STYLES: Final = ("bold red", "bold red", "bold red", "red", "yellow", "", "", "dim")


def visible(text: str) -> str:
    """A text without characters that would steer a terminal: they are shown as escapes."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def cells(hit: Hit, zone: ZoneInfo, time: datetime | None = None) -> tuple[str, ...]:
    """A line by COLUMNS, at `time` or when it was received."""
    line = hit.line
    when = time or moment(line.received)
    shown = "?" if when is None else f"{when.astimezone(zone):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    return (
        shown,
        visible(line.host),
        visible(line.app),
        SEVERITIES[line.severity],
        visible(line.message),
    )


def styled(hit: Hit, zone: ZoneInfo) -> Text:
    """A line for a terminal, for a stream of them."""
    return Text("  ").join(Text(cell, style=_STYLES[hit.line.severity]) for cell in cells(hit, zone))


def table(rows: Iterable[tuple[Hit, datetime | None]], zone: ZoneInfo) -> Table:
    """Lines for a terminal, each with the time that is shown."""
    shown = Table(*COLUMNS, box=None, pad_edge=False)
    for column in shown.columns[:-1]:
        column.no_wrap = True
    shown.columns[-1].overflow = "fold"
    for hit, time in rows:
        shown.add_row(*map(Text, cells(hit, zone, time)), style=_STYLES[hit.line.severity])
    return shown


def plain(hit: Hit, zone: ZoneInfo, time: datetime | None = None) -> str:
    """A line with tabs between its columns, for a pipe or a file."""
    return "\t".join(cells(hit, zone, time))


def as_json(hit: Hit) -> str:
    """A line as a JSON object, as the archive has it, with the kind of its sender."""
    return msgspec.json.encode({**msgspec.structs.asdict(hit.line), "source": hit.source}).decode()
