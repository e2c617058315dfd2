"""The way to the database: its address, its connections, and whether its tables fit this version."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from vdx.settings import Settings, SettingsError, read_secret
from vdx.store.errors import StoreError, reason

REVISIONS: Final = ("0001", "0002")
"""The revisions of migrations/versions, oldest first; known here so that a miner need not load Alembic."""

SQLITE_FILE: Final = "vdx.sqlite3"
CONNECT_SECONDS: Final = 3
ANSWER_SECONDS: Final = 20
LOCK_SECONDS: Final = 10

_SESSION: Final = (
    "SET time_zone = '+00:00', "
    "sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION', "
    f"innodb_lock_wait_timeout = {LOCK_SECONDS}, lock_wait_timeout = {LOCK_SECONDS}"
)
_MYSQL: Final = frozenset({"mysql", "mariadb"})


class Schema(StrEnum):
    """How the database stands to this version."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    NOT_MIGRATED = "not migrated"
    OLDER = "older"
    NEWER = "newer"


class SchemaCheck(msgspec.Struct, frozen=True):
    """What was found, in one line that ends with the mend."""

    schema: Schema
    words: str

    @property
    def good(self) -> bool:
        """True where the database can be written."""
        return self.schema is Schema.OK


def database_url(settings: Settings) -> URL:
    """The address with its password; the embedded SQLite file where database.url is not set.

    Raises SettingsError.
    """
    if settings.database.url is None:
        return URL.create("sqlite", database=str(settings.data.directory / SQLITE_FILE))
    try:
        url = make_url(settings.database.url.get_secret_value())
        backend = url.get_backend_name()
    except Exception:  # whatever cannot be read may hold the password, so its text is not passed on
        raise SettingsError(
            "database.url: cannot be read; write it as mysql://user@host:3306/database "
            "or sqlite:////var/lib/vdx/vdx.sqlite3"
        ) from None
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    if backend not in _MYSQL or not url.database:
        raise SettingsError(
            "database.url: name a MySQL or MariaDB database (mysql://user@host:3306/database) "
            "or an SQLite file (sqlite:////var/lib/vdx/vdx.sqlite3)"
        )
    if settings.database.password_file is not None:
        url = url.set(password=read_secret("database.password_file", settings.database.password_file))
    return url.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite address, else None."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def open_engine(settings: Settings, *, writes: bool = False, loads: bool = False) -> Engine:
    """An engine for the settings' database; it connects when it is first used.

    On SQLite a transaction of an engine that `writes` takes the write lock as it begins. Readers see the
    database as it was when theirs began, and do not hold the writer up. On MySQL an engine that `loads` may
    send rows by LOAD DATA LOCAL; the server then names the file, so others do not allow it. Raises
    SettingsError.
    """
    url = database_url(settings)
    if sqlite_file(url) is None:
        return create_engine(
            url,
            poolclass=NullPool if writes else None,
            pool_recycle=3600,
            pool_pre_ping=not writes,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "read_timeout": ANSWER_SECONDS,
                "write_timeout": ANSWER_SECONDS,
                "init_command": _SESSION,
                "local_infile": loads,
            },
        )
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_to_write if writes else _begin_to_read)
    return engine


def _begin_to_write(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_to_read(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Transactions begin where SQLAlchemy begins them, not where sqlite3 guesses."""
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = NORMAL")


def check(settings: Settings) -> SchemaCheck:
    """Whether the database can be reached and fits this version. Raises SettingsError."""
    file = sqlite_file(database_url(settings))
    if file is not None and not file.exists():
        return _NOT_MIGRATED
    engine = open_engine(settings)
    try:
        with engine.connect() as connection:
            return check_connection(connection)
    except (SQLAlchemyError, OSError) as error:
        return SchemaCheck(Schema.UNREACHABLE, unreachable(error))
    finally:
        engine.dispose()


_NOT_MIGRATED: Final = SchemaCheck(
    Schema.NOT_MIGRATED, "the database has no tables of VDX Watch yet; run: vdx db upgrade"
)


def unreachable(error: Exception) -> str:
    """One line for a database that cannot be reached."""
    return (
        f"the database cannot be reached: {reason(error)}; check database.url, database.password_file "
        "and that the server runs"
    )


def check_connection(connection: Connection) -> SchemaCheck:
    """Whether the tables fit this version."""
    revision = _revision(connection)
    head = REVISIONS[-1]
    if revision is None:
        return _NOT_MIGRATED
    if revision == head:
        return SchemaCheck(Schema.OK, f"the database has the schema of this version ({head})")
    if revision in REVISIONS:
        return SchemaCheck(
            Schema.OLDER,
            f"the database has schema {revision} and this version needs {head}; run: vdx db upgrade",
        )
    return SchemaCheck(
        Schema.NEWER,
        f"the database has schema {revision[:32]!r} of a newer version than this one ({head}); "
        "install that version of VDX Watch, or name another database in database.url",
    )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def connect(engine: Engine) -> Connection:
    """A connection to a database whose tables fit.

    Raises StoreError where they do not, and SQLAlchemyError where it cannot be reached.
    """
    file = sqlite_file(engine.url)
    if file is not None and not file.exists():
        raise StoreError(_NOT_MIGRATED.words)
    connection = engine.connect()
    try:
        found = check_connection(connection)
        connection.rollback()
    except BaseException:
        connection.close()
        raise
    if not found.good:
        connection.close()
        raise StoreError(found.words)
    return connection
