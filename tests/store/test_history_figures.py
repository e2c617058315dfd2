"""What history says of itself: whose calls are nobody's, and how far the polls were from the truth."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert

from tests.store.filling import ended_call, number_of, put, put_names, used
from vdx.settings import Settings
from vdx.store.database import connect, open_engine
from vdx.store.history_store import Figures, read_figures
from vdx.store.history_tables import history_participant, usage_hour
from vdx.store.tables import participant
from vdx.usage import Scope

NOW = datetime(2026, 11, 18, 12, 20, tzinfo=UTC)
TEN = datetime(2026, 11, 18, 10, tzinfo=UTC)


@pytest.fixture
def writing(settings: Settings) -> Iterator[Connection]:
    engine = open_engine(settings, writes=True)
    with connect(engine) as connection:
        with connection.begin():
            put_names(connection)
        yield connection
    engine.dispose()


def figures(connection: Connection) -> Figures:
    with connection.begin():
        return read_figures(connection, NOW)


def hour(begin: datetime, peak: int, sampled: int | None, scope: Scope = Scope.PLATFORM) -> dict[str, object]:
    return used(scope, 0, begin, peak_ports=peak, sampled_ports=sampled)


def test_nothing_is_said_of_nothing(writing: Connection) -> None:
    assert figures(writing) == Figures(None, None, 0, 0)


def test_the_difference_is_that_of_the_latest_hour_whose_calls_have_all_ended(writing: Connection) -> None:
    with writing.begin():
        rows = [hour(TEN, 9, 7), hour(TEN + timedelta(hours=1), 8, 8), hour(TEN + timedelta(hours=2), 1, 5)]
        put(writing, usage_hour, [*rows, hour(TEN, 99, 1, Scope.SUBTREE)])
    assert figures(writing).peak_difference == 0  # the hour from 11 is over, that from 12 is not
    with writing.begin():
        row = {
            "first_seen": TEN,
            "id": number_of(1),
            "started": TEN + timedelta(minutes=70),
            "location_id": 1,
        }
        row |= dict.fromkeys(("protocol", "direction", "service_type", "service_tag", "license_type"), "")
        row |= {"license_count": 1, "has_media": True, "encrypted": True, "quality": 1, "worst_quality": 1}
        writing.execute(insert(participant).values(row))
    assert figures(writing).peak_difference == 2  # a call of the hour from 11 still runs


def test_an_hour_without_polls_is_not_compared(writing: Connection) -> None:
    with writing.begin():
        put(writing, usage_hour, [hour(TEN, 9, 7), hour(TEN + timedelta(hours=1), 8, None)])
    assert figures(writing).peak_difference == 2


def test_the_share_of_nobodys_calls_is_of_the_last_day(writing: Connection) -> None:
    with writing.begin():
        for number, (hours, owner) in enumerate([(1, 0), (2, 1), (3, 1), (4, 1), (30, 0)]):
            call = ended_call(NOW - timedelta(hours=hours), number)
            call |= {"id": number_of(number), "organisation_id": owner}
            put(writing, history_participant, [call])
    assert figures(writing).unassigned_ratio == 0.25
