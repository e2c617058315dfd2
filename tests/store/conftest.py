"""A migrated database for each test of the store, and a store that writes to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.store import worlds
from vdx.settings import Settings
from vdx.store import Store, upgrade
from vdx.store import store as store_module
from vdx.store.database import open_engine
from vdx.telemetry import Telemetry


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with a migrated database, of each kind."""
    found = worlds.settings(database_url, tmp_path)
    upgrade(found)
    return found


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    """A reader's connection to the settings' database."""
    engine = open_engine(settings)
    with engine.connect() as connected:
        yield connected.execution_options(isolation_level="AUTOCOMMIT")
    engine.dispose()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away is tried again at once."""
    monkeypatch.setattr(store_module, "FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(store_module, "LAST_RETRY_SECONDS", 0.05)


@pytest.fixture
def start_store(settings: Settings) -> Iterator[Callable[..., Store]]:
    """Starts stores, of the test's settings or others, that are stopped at the end."""
    stores = []

    def start(chosen: Settings = settings, telemetry: Telemetry | None = None) -> Store:
        store = Store(chosen, telemetry or Telemetry())
        store.start()
        stores.append(store)
        return store

    yield start
    for store in stores:
        store.stop(10)


@pytest.fixture
def store(start_store: Callable[..., Store]) -> Store:
    """A running store."""
    return start_store()
