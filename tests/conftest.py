"""Fixtures that more than one folder of tests uses."""

from tests.databases import database_url, mariadb, mariadb_url

__all__ = ["database_url", "mariadb", "mariadb_url"]
