"""Keeps the platform's configuration, and each change of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from vdx.store.cycle import ConfigurationRecord
from vdx.store.tables import configuration_change, configuration_record


def apply(
    connection: Connection, time: datetime, configuration: Mapping[str, Sequence[ConfigurationRecord]]
) -> int:
    """Compares each kind with what the database has, keeps it, and returns how many changes were written.

    The first reading of a kind is where comparing begins, and no change.
    """
    return sum(_apply_kind(connection, time, kind, rows) for kind, rows in configuration.items())


def _apply_kind(
    connection: Connection, time: datetime, kind: str, rows: Sequence[ConfigurationRecord]
) -> int:
    table = configuration_record
    known = {
        key: ConfigurationRecord(key, name, msgspec.json.decode(content))
        for key, name, content in connection.execute(
            select(table.c.record_key, table.c.name, table.c.content).where(table.c.kind == kind)
        )
    }
    found = {row.key: row for row in rows}
    if known == found:
        return 0
    connection.execute(table.delete().where(table.c.kind == kind))
    connection.execute(
        insert(table),
        [
            {
                "kind": kind,
                "record_key": row.key,
                "name": row.name,
                "content": msgspec.json.encode(row.content).decode(),
            }
            for row in found.values()
        ],
    )
    differences = changes(known, found) if known else []
    if differences:
        connection.execute(
            insert(configuration_change), [{"time": time, "kind": kind} | change for change in differences]
        )
    return len(differences)


def changes(
    before: Mapping[str, ConfigurationRecord], after: Mapping[str, ConfigurationRecord]
) -> list[dict[str, Any]]:
    """What was added, removed and changed, as rows of configuration_change without time and kind."""
    rows: list[dict[str, Any]] = []

    def tell(record: ConfigurationRecord, action: str, field: str, old: str | None, new: str | None) -> None:
        rows.append(
            {
                "record_key": record.key,
                "name": record.name,
                "action": action,
                "field": field,
                "old": old,
                "new": new,
            }
        )

    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if new is None and old is not None:
            tell(old, "removed", "", old.name, None)
        elif old is None and new is not None:
            tell(new, "added", "", None, new.name)
        elif old is not None and new is not None:
            for field in sorted(old.content.keys() & new.content.keys()):
                if old.content[field] != new.content[field]:
                    tell(new, "changed", field[:64], old.content[field], new.content[field])
    return rows
