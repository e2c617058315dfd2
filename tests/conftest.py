"""Fixtures that more than one folder of tests uses."""

from collections.abc import Iterator

import pytest
from loguru import logger

from tests.databases import database_url, mariadb, mariadb_url

__all__ = ["database_url", "log", "mariadb", "mariadb_url"]


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The lines of the log, as the test goes on."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    yield lines
    logger.remove(sink)
