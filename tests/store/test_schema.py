"""Migrations, what `check` says, and that no error shows the password."""

import concurrent.futures
import contextlib
import fcntl
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Connection, inspect, text
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.databases import MariaDB, free_port
from tests.store import worlds
from tests.store.worlds import eventually, poll
from vdx.settings import Settings, SettingsError
from vdx.store import Schema, Store, StoreError, check, queries, upgrade
from vdx.store.database import REVISIONS, database_url, open_engine
from vdx.store.history_tables import usage_hour
from vdx.store.migrate import SCRIPTS
from vdx.telemetry import Telemetry

metadata = usage_hour.metadata


def test_migrations_make_the_tables(settings: Settings, connection: Connection) -> None:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert compare_metadata(context, metadata) == []


def test_revisions_are_those_of_the_scripts() -> None:
    script = ScriptDirectory.from_config(
        Config(config_args={"script_location": str(SCRIPTS), "path_separator": "os"})
    )
    assert tuple(revision.revision for revision in script.walk_revisions())[::-1] == REVISIONS


def test_mysql_tables_keep_to_the_subset_of_5_7() -> None:
    dialect = mysql.dialect()
    statements = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    statements += [
        str(CreateIndex(index).compile(dialect=dialect))
        for table in metadata.sorted_tables
        for index in table.indexes
    ]
    for statement in statements:
        assert not re.search(r"\b(CHECK|JSON|DESC|INVISIBLE|DEFAULT \()\b", statement), statement
        assert "CREATE INDEX" in statement or "utf8mb4_bin" in statement
    for table in metadata.sorted_tables:
        for columns in (table.primary_key.columns, *(index.columns for index in table.indexes)):
            length = sum(4 * (getattr(column.type, "length", 0) or 4) for column in columns)
            assert length < 3072


def test_text_is_utf8mb4_whatever_the_database_has(mariadb_url: str, tmp_path: Path) -> None:
    settings = worlds.settings(mariadb_url, tmp_path)
    engine = open_engine(settings)
    with engine.connect() as connection:
        connection.execute(text("ALTER DATABASE CHARACTER SET latin1"))
    upgrade(settings)
    with engine.connect() as connection:
        collations = connection.scalars(
            text(
                "SELECT DISTINCT collation_name FROM information_schema.columns WHERE "
                "table_schema = DATABASE() AND collation_name IS NOT NULL AND table_name <> 'alembic_version'"
            )
        ).all()
    engine.dispose()
    assert collations == ["utf8mb4_bin"]


def test_upgrade_twice_and_at_once(database_url: str, tmp_path: Path) -> None:
    settings = worlds.settings(database_url, tmp_path)
    assert check(settings).schema is Schema.NOT_MIGRATED
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(upgrade, [settings] * 3))
    upgrade(settings)
    assert check(settings).good


def test_many_first_upgrades_of_a_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """SQLite gives up at once, whatever its time-out, where two change a file's journal together."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for attempt in range(8):
            folder = tmp_path / str(attempt)
            settings = worlds.settings(f"sqlite:///{folder}/vdx.sqlite3", folder)
            list(pool.map(upgrade, [settings] * 4))
            assert check(settings).good
            with contextlib.closing(sqlite3.connect(folder / "vdx.sqlite3")) as connection:
                assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_upgrade_that_waits_too_long_says_who_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vdx.store.migrate._LOCK_SECONDS", 0.1)
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another process upgrades the database"):
            upgrade(worlds.settings(f"sqlite:///{tmp_path}/vdx.sqlite3", tmp_path))
    finally:
        os.close(held)
    upgrade(worlds.settings(f"sqlite:///{tmp_path}/vdx.sqlite3", tmp_path))


def test_an_upgrade_that_was_cut_off_goes_on(database_url: str, tmp_path: Path) -> None:
    settings = worlds.settings(database_url, tmp_path)
    upgrade(settings)
    engine = open_engine(settings, writes=True)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        for table in ("participant", "configuration_change", "node_hour"):
            connection.execute(text(f"DROP TABLE {table}"))
    upgrade(settings)
    assert check(settings).good
    assert inspect(engine).has_table("participant")
    engine.dispose()


def test_check_of_an_older_and_a_newer_schema(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(settings).good
    with monkeypatch.context() as patch:
        patch.setattr("vdx.store.database.REVISIONS", (*REVISIONS, "9999"))
        older = check(settings)
    assert older.schema is Schema.OLDER
    assert "vdx db upgrade" in older.words
    connection.execute(text("UPDATE alembic_version SET version_num = 'f00d'"))
    newer = check(settings)
    assert newer.schema is Schema.NEWER
    assert "newer version" in newer.words
    with pytest.raises(StoreError, match="newer version") as raised:
        upgrade(settings)
    assert "\n" not in str(raised.value)


def test_a_store_on_a_newer_schema_spools_until_it_fits(
    settings: Settings, connection: Connection, start_store: Callable[..., Store]
) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = 'f00d'"))
    store = start_store()
    with pytest.raises(StoreError, match="newer version"):
        store.write_now(*poll(0))
    connection.execute(text(f"UPDATE alembic_version SET version_num = '{REVISIONS[-1]}'"))
    store.submit(*poll(1))
    eventually(lambda: len(queries.latest_polls(connection, 9)) == 2)


def test_unreachable_and_wrong_password(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> None:
    wrong = mariadb_url.replace(mariadb.password, "not-the-password")
    away = f"mysql://vdx:not-the-password@127.0.0.1:{free_port()}/vdx"
    store = Store(worlds.settings(wrong, tmp_path), Telemetry())
    store.start()
    try:
        messages = []
        for url in (wrong, away):
            settings = worlds.settings(url, tmp_path)
            found = check(settings)
            assert found.schema is Schema.UNREACHABLE
            with pytest.raises(StoreError) as raised:
                upgrade(settings)
            messages += [found.words, str(raised.value), repr(settings)]
        with pytest.raises(StoreError) as raised:
            store.write_now(*poll(0))
        messages.append(str(raised.value))
    finally:
        store.stop()
    for message in messages:
        assert "not-the-password" not in message
        assert "\n" not in message
    assert "Access denied" in messages[0]


@pytest.mark.parametrize(
    "url",
    ["nonsense hunter2", "postgresql://vdx:hunter2@host/vdx", "mysql://vdx:hunter2@host", "sqlite://"],
)
def test_an_address_of_no_use_is_a_wrong_setting(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^database\.url: ") as raised:
        database_url(worlds.settings(url, tmp_path))
    assert "hunter2" not in str(raised.value)


def test_the_default_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    settings = worlds.settings(None, tmp_path)
    assert not check(settings).good
    assert not settings.data.directory.exists()
    upgrade(settings)
    assert (settings.data.directory / "vdx.sqlite3").exists()


def test_password_file(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(mariadb.password + "\n")
    url = SecretStr(mariadb_url.replace(f":{mariadb.password}", ""))
    settings = worlds.settings(None, tmp_path)
    database = settings.database.model_copy(update={"url": url, "password_file": file})
    upgrade(settings.model_copy(update={"database": database}))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "vdx.sqlite3"
    file.write_bytes(b"not a database, but long enough to be looked at" * 100)
    settings = worlds.settings(f"sqlite:///{file}", tmp_path)
    assert check(settings).schema is Schema.UNREACHABLE
    with pytest.raises(StoreError, match="not a database"):
        upgrade(settings)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="name a folder"):
        upgrade(worlds.settings(f"sqlite:///{tmp_path}/file/vdx.sqlite3", tmp_path))


def test_a_miner_does_not_load_alembic() -> None:
    program = "import sys, vdx.store; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
