"""Fixtures that more than one folder of tests uses."""

from collections.abc import Iterator

import pytest
from loguru import logger

from tests.databases import database_url, mariadb, mariadb_url

__all__ = ["database_url", "log", "mariadb", "mariadb_url"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: item.path.parent.name != "system")


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The lines of the log, as the test goes on."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    yield lines
    logger.remove(sink)
