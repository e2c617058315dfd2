"""Brings the database's tables to this version."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from vdx.settings import Settings
from vdx.store.database import (
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


def upgrade(settings: Settings) -> None:
    """Creates or changes the tables, all or, on MySQL, up to where it failed; run again it goes on.

    Of several processes that do so at once, one works and the others wait for it. Raises StoreError
    where the database cannot be reached or is of a newer version, and SettingsError.
    """
    file = sqlite_file(database_url(settings))
    engine = open_engine(settings, writes=True)
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)  # it may hold identities
        with engine.connect() as connection, _alone(connection):
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
    except SQLAlchemyError as error:
        raise StoreError(
            f"the tables cannot be made: {reason(error)}; check database.url, database.password_file, "
            "that the server runs and that the account may create tables"
        ) from None
    finally:
        engine.dispose()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Holds other upgrades off. On SQLite the transaction's own write lock does so."""
    if connection.dialect.name == "sqlite":
        yield
        return
    lock = {"name": _LOCK, "seconds": _LOCK_SECONDS}
    if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), lock) != 1:
        raise StoreError(
            "another process upgrades the database and has not ended; wait for it, then try again"
        )
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
