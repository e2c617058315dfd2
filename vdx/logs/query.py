"""What is searched for in the archive, as a condition of SQL whose values are all bound as parameters."""

import re
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import msgspec

from vdx.logs.line import SEVERITIES

SOURCES: Final = ("pexip", "fortigate", "nxos", "vdx-api", "audit", "nginx", "other")
_KEY: Final = re.compile(r"[A-Za-z@_][\w.@-]{0,99}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9 ._:@=+-]+")
UNPARSED: Final = "unparsed"
"""The host of what is no line of the archive: it is kept as the message, as it came."""
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class QueryError(Exception):
    """What is searched for makes no sense; the words name it and the mend."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A search. Each part that is given must hold for a line; what is left out holds for all."""

    text: str = ""
    """Part of the message, whatever its case."""
    regex: str = ""
    """A regular expression (RE2) that is found in the message."""
    source: str = ""
    """One of SOURCES."""
    host: str = ""
    """The sender's name or address, whatever its case."""
    severity: int = len(SEVERITIES) - 1
    """This severity and those that are worse, by number: 0 is an emergency, 7 debug."""
    app: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """Keys and values within the message: key="value", key=value or "key":"value", whatever their case."""
    call_id: str = ""
    """The id of a call, a participant or a conversation."""
    since: datetime = _FIRST
    """The first moment of receipt."""
    until: datetime = _LAST
    """The moment of receipt before which lines are looked for."""
    limit: int = 100
    """Lines at most."""


def check(query: Query) -> None:
    """Raises QueryError where a query can be no search."""
    if query.source and query.source not in SOURCES:
        raise QueryError(
            f"source {query.source}: there is none of that name; it is one of {', '.join(SOURCES)}"
        )
    if not 0 <= query.severity < len(SEVERITIES):
        raise QueryError(f"severity {query.severity}: it is 0 to 7, or one of {', '.join(SEVERITIES)}")
    if query.since >= query.until:
        raise QueryError("since is not before until, so no line can be between them; change one of them")
    if query.limit < 0:
        raise QueryError(f"limit {query.limit}: it must be 0 or more")
    for key, _ in query.fields:
        if not _KEY.fullmatch(key):
            raise QueryError(f"field {key[:40]}: write it as key=value, such as Protocol=SIP")
    if query.regex:
        try:
            duckdb.execute("SELECT regexp_matches('', ?)", [query.regex]).fetchall()
        except duckdb.Error as error:
            words = str(error).splitlines()[0].partition("Error: ")[2]
            raise QueryError(f"regex: it is no regular expression of RE2: {words}") from None


def condition(query: Query) -> tuple[str, list[Any]]:
    """The condition over the columns of the archive, and its parameters in order."""
    parts: list[str] = []
    parameters: list[Any] = []

    def add(part: str, *values: Any) -> None:
        parts.append(part)
        parameters.extend(values)

    if query.since > _FIRST:
        add("received >= ?", query.since)
    if query.until < _LAST:
        add("received < ?", query.until)
    if query.severity < len(SEVERITIES) - 1:
        add("severity <= ?", query.severity)
    if query.source:
        add("source = ?", query.source)
    if query.host:
        add("(lower(host) = lower(?) OR address = ?)", query.host, query.host)
    if query.app:
        add("lower(app) = lower(?)", query.app)
    if query.call_id:
        add("list_contains(call_ids, ?)", query.call_id.lower())
    if query.text:
        add("contains(lower(message), lower(?))", query.text)
    for key, value in query.fields:
        add("regexp_matches(message, ?)", field_pattern(key, value))
    if query.regex:
        add("regexp_matches(message, ?)", query.regex)
    return " AND ".join(parts) or "true", parameters


def needles(query: Query) -> list[bytes]:
    """Texts in lower case that a line of JSON must hold, whatever its case, for a query to find it.

    They are made of characters that JSON leaves as they are, so most lines need not be decoded.
    """
    texts = [query.text, query.call_id, query.app, *(part for pair in query.fields for part in pair)]
    if query.host.lower() != UNPARSED:
        texts.append(query.host)
    return [run.lower().encode() for text in texts for run in _PLAIN.findall(text)]


def field_pattern(key: str, value: str) -> str:
    """The expression (RE2) that finds a key with a value in a message."""
    name, text = re.escape(key), re.escape(value)
    return rf'(?i)(?:^|[^\w.-])"?{name}"?\s*[=:]\s*(?:"{text}"|{text}(?:[\s,}}]|$))'
