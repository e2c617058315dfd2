"""Reads the organisations as their source gives them: a CSV or JSON file, or VDX API's own database."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from vdx.claims import ALIAS, DOMAIN, ROOM, TAG
from vdx.organisations import Source
from vdx.settings import OrganisationSettings, SettingsError, read_secret
from vdx.store.database import ANSWER_SECONDS, CONNECT_SECONDS
from vdx.store.errors import reason

ORGANISATION: Final = "organisation"
HEADING: Final = "kind"
COMMENT: Final = "#"

_FIELDS: Final = ("key", "parent", "name", "type", "valid_from")
_CLAIM_FIELDS: Final = ("kind", "value", "organisation")
_QUERIES: Final = ((TAG, "tag_query"), (ALIAS, "alias_query"), (DOMAIN, "domain_query"), (ROOM, "room_query"))
_MYSQL: Final = frozenset({"mysql", "mariadb"})
_READ_ONLY: Final = "SET SESSION TRANSACTION READ ONLY"
_WORDS: Final = {
    1054: "it names a column that is not there",
    1064: "it is not valid SQL",
    1146: "it names a table that is not there",
}
"""Faults of a query (https://dev.mysql.com/doc/mysql-errors/5.7/en/server-error-reference.html)."""


class SourceError(Exception):
    """The organisations cannot be read; the message is one line that ends with the mend."""


def read_source(settings: OrganisationSettings) -> Source:
    """The organisations as they are in the source that is set. Blocks for up to half a minute a query.

    Raises SourceError where it cannot be read, SettingsError where no retry can mend that.
    """
    if settings.file is not None:
        return read_file(settings.file)
    if settings.url is not None:
        return _read_database(settings, source_url(settings))
    raise SettingsError(
        "organisations.file is not set; name a CSV or JSON file there, or VDX API's database in "
        "organisations.url"
    )


def read_file(path: Path) -> Source:
    """The organisations of a CSV or JSON file, which docs/history.md describes. Raises SourceError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"organisations.file: cannot read {path}: {error.strerror}; check the path and that this user "
            "may read it"
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError(
            f"organisations.file: line {line} of {path} is not UTF-8 text; save the file with the encoding "
            "UTF-8"
        ) from None
    if path.suffix.lower() == ".json" or text.lstrip().startswith("{"):
        return _parse_json(path, text)
    return _parse_csv(path, text)


def _parse_json(path: Path, text: str) -> Source:
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise SourceError(
            f"organisations.file: {path} is not valid JSON: {error}; write the whole file again"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("organisations"), list):
        raise SourceError(
            f"organisations.file: {path} has no list named organisations; write it as docs/history.md shows"
        )
    claims = document.get("claims", [])
    if not isinstance(claims, list):
        raise SourceError(
            f"organisations.file: claims of {path} is no list; write it as docs/history.md shows"
        )
    return Source(
        [_values(row, _FIELDS) for row in document["organisations"]],
        [_values(row, _CLAIM_FIELDS) for row in claims],
    )


def _values(row: Any, fields: Sequence[str]) -> tuple[Any, ...]:
    """The fields of a JSON object that are text or whole numbers, in order; nothing where it is no object."""
    if not isinstance(row, dict):
        return ()
    values = [row.get(field) for field in fields]
    return tuple(value if type(value) in (str, int) else None for value in values)


def _parse_csv(path: Path, text: str) -> Source:
    organisations: list[Sequence[str]] = []
    claims: list[Sequence[str]] = []
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_separator(text), strict=True, skipinitialspace=True)
    try:
        for row in _rows(reader):
            if row[0] == ORGANISATION:
                organisations.append(row[1:])
            else:
                claims.append(row)
    except csv.Error as error:
        raise SourceError(
            f"organisations.file: line {reader.line_num} of {path} is not valid CSV: {error}; check the "
            "quotation marks there"
        ) from None
    return Source(organisations, claims)


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows with their kind in lower case, without the empty ones, comments and the heading."""
    first = True
    for row in reader:
        kind = row[0].strip().lower() if row else ""
        if not any(map(str.strip, row)) or kind.startswith(COMMENT):
            continue
        if not (first and kind == HEADING):
            yield [kind, *row[1:]]
        first = False


def _separator(text: str) -> str:
    """Semicolon or comma, whichever the first row has more of: Excel writes semicolons in Denmark."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith(COMMENT):
            return ";" if line.count(";") >= line.count(",") else ","
    return ";"


def source_url(settings: OrganisationSettings) -> URL:
    """The address of VDX API's database, with its password. Raises SettingsError."""
    secret = "" if settings.url is None else settings.url.get_secret_value()
    try:
        url = make_url(secret)
        right = url.get_backend_name() in _MYSQL and bool(url.database)
    except Exception:  # whatever cannot be read may hold the password, so its text is not passed on
        right = False
    if not right:
        raise SettingsError(
            "organisations.url: name a MySQL or MariaDB database; write it as mysql://user@host:3306/database"
        )
    if settings.password_file is not None:
        url = url.set(password=read_secret("organisations.password_file", settings.password_file))
    return url.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})


def _read_database(settings: OrganisationSettings, url: URL) -> Source:
    """What the queries give; a row of NULL claims nothing."""
    engine = create_engine(
        url,
        poolclass=NullPool,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": ANSWER_SECONDS,
            "write_timeout": ANSWER_SECONDS,
            "init_command": _READ_ONLY,
        },
    )
    try:
        with engine.connect() as connection:
            organisations = _query(connection, "query", settings.query, 3)
            claims = [
                (kind, *row[:2])
                for kind, name in _QUERIES
                if getattr(settings, name)
                for row in _query(connection, name, getattr(settings, name), 2)
                if row[0] is not None
            ]
    except (SQLAlchemyError, OSError) as error:
        raise SourceError(
            f"VDX API's database cannot be reached: {reason(error)}; check organisations.url, "
            "organisations.password_file and that the server runs"
        ) from None
    finally:
        engine.dispose()
    return Source(organisations, claims)


def _query(connection: Connection, name: str, query: str, columns: int) -> list[Sequence[Any]]:
    """The rows of a query of the settings, which is sent as it stands there."""
    try:
        result = connection.execution_options(no_parameters=True).exec_driver_sql(query)
        found = len(result.keys()) if result.returns_rows else 0
        if found < columns:
            raise SourceError(
                f"organisations.{name}: gives {found} columns and needs {columns}; see docs/settings.md"
            )
        return [tuple(row) for row in result]
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        code = error.orig.args[0] if error.orig is not None and error.orig.args else 0
        words = _WORDS.get(code) or reason(error)
        raise SourceError(
            f"organisations.{name}: VDX API's database refuses the query: {words}; check it against the "
            "tables there"
        ) from None
