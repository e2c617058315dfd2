"""The database: samples, intervals, configuration changes and polls, on SQLite or MySQL."""

from vdx.store.database import Schema, SchemaCheck, check
from vdx.store.errors import StoreError
from vdx.store.migrate import upgrade
from vdx.store.store import Store

__all__ = ["Schema", "SchemaCheck", "Store", "StoreError", "check", "upgrade"]
