"""Drops history that is older than the settings keep."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, select

from vdx.settings import HistorySettings
from vdx.store import partitions
from vdx.store.history_tables import (
    HISTORY,
    history_alarm,
    history_backplane,
    history_conference,
    history_media_stream,
    history_node_event,
    history_participant,
    history_unlinked,
    identity,
    usage_hour,
)
from vdx.store.retention import delete_before

UNLINKED_DAYS: Final = 31
"""How long a leg waits for its conference; no conference lasts so long."""


def prune(connection: Connection, settings: HistorySettings, now: datetime) -> None:
    """Drops what is too old at `now`: month by month on MySQL's partitions, else by the day.

    A month's partition goes when all of it is too old, so up to a month more is kept there. How long legs
    have waited for their conference is told by the latest of them, since history may be read late.
    """
    with connection.begin():
        latest = connection.scalar(select(func.max(history_unlinked.c.ended)))
    if latest is not None:
        cutoff = latest - timedelta(days=UNLINKED_DAYS)
        delete_before(connection, history_unlinked, "ended", cutoff, timedelta(days=1))
    for table, name, days in (
        (history_conference, "ended", settings.conference_days),
        (history_participant, "ended", settings.conference_days),
        (history_media_stream, "ended", settings.stream_days),
        (history_backplane, "ended", settings.backplane_days),
        (history_alarm, "lowered", settings.event_days),
        (history_node_event, "time", settings.event_days),
        (usage_hour, "begin", settings.usage_hour_days),
    ):
        cutoff = now - timedelta(days=days)
        if connection.dialect.name == "mysql" and table in HISTORY:
            partitions.drop_months(connection, table, cutoff.date())
            connection.commit()
        else:
            delete_before(connection, table, name, cutoff, timedelta(days=1))
    forgotten = (now - timedelta(days=settings.conference_days)).date().replace(day=1)
    _forget_identities(connection, forgotten)


def _forget_identities(connection: Connection, before: date) -> None:
    """Drops who was not seen since: no call of theirs is left."""
    with connection.begin():
        connection.execute(delete(identity).where(identity.c.seen < before))
