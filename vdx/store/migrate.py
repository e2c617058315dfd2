"""Brings the database's tables to this version."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from vdx.settings import Settings
from vdx.store.database import (
    LOCK_SECONDS,
    Schema,
    check_connection,
    database_url,
    open_engine,
    sqlite_file,
)
from vdx.store.errors import StoreError, reason

SCRIPTS: Final = Path(__file__).with_name("migrations")
_LOCK: Final = "vdx_watch_upgrade"
_LOCK_SECONDS: Final = 60
_BUSY: Final = "another process upgrades the database and has not ended; wait for it, then try again"


def upgrade(settings: Settings) -> None:
    """Creates or changes the tables, all or, on MySQL, up to where it failed; run again it goes on.

    Of several processes that do so at once, one works and the others wait for it. Raises StoreError
    where the database cannot be reached or is of a newer version, and SettingsError.
    """
    file = sqlite_file(database_url(settings))
    engine = open_engine(settings, writes=True)
    try:
        with _file_made(file), engine.connect() as connection, _alone(connection):
            found = check_connection(connection)
            if found.schema is Schema.NEWER:
                raise StoreError(found.words)
            if not found.good:
                _run(connection)
            connection.commit()
    except OSError as error:
        raise StoreError(
            f"{file} cannot be made: {error.strerror}; name a folder that this user may write "
            "in data.directory or database.url"
        ) from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(
            f"the tables cannot be made: {reason(error)}; check database.url, database.password_file, "
            "that the server runs and that the account may create tables"
        ) from None
    finally:
        engine.dispose()


@contextmanager
def _file_made(file: Path | None) -> Iterator[None]:
    """Makes an SQLite file that may hold identities, with a write-ahead log; other upgrades wait.

    SQLite does not wait for a lock when it changes to the write-ahead log, so the folder is locked.
    """
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(folder)
        if not file.exists():
            file.touch(mode=0o600)
        with closing(sqlite3.connect(file, timeout=LOCK_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        yield
    finally:
        os.close(folder)


def _lock(folder: int) -> None:
    ends = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise StoreError(_BUSY) from None
            time.sleep(0.05)
        else:
            return


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Holds other upgrades off. On SQLite the folder's lock does so."""
    if connection.dialect.name == "sqlite":
        yield
        return
    lock = {"name": _LOCK, "seconds": _LOCK_SECONDS}
    if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), lock) != 1:
        raise StoreError(_BUSY)
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.scalar(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK})


def _run(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a miner checks the schema and never loads Alembic
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
