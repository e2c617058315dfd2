"""Organisations over time in the database."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, func, insert, select

from vdx.organisations import Claim, Examined, Listed
from vdx.settings import Settings
from vdx.store import organisations
from vdx.store.database import connect, open_engine
from vdx.store.history_tables import (
    history_participant,
    organisation,
    organisation_claim,
    organisation_place,
    usage_day,
    usage_pending,
)
from vdx.store.identities import Pseudonyms
from vdx.store.organisations import Saved, first_whole_day, last_read, load, note_read
from vdx.tree import Place

ZONE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 11, 24, 9, 0, 0, 123, tzinfo=UTC)
SECOND = NOW.replace(microsecond=0)
DAY = timedelta(days=1)
KEYS = (Pseudonyms(b"new"), Pseudonyms(b"old"))


@pytest.fixture
def writer(settings: Settings) -> Iterator[Connection]:
    """A connection that may write."""
    engine = open_engine(settings, writes=True)
    with connect(engine) as connected:
        yield connected
    engine.dispose()


def unit(key: str, parent: str | None = None, **fields: Any) -> Listed:
    return Listed(**{"key": key, "parent": parent, "name": key.title(), "kind": "unit"} | fields)


def save(writer: Connection, *listed: Listed, claims: Sequence[Claim] = (), now: datetime = NOW) -> Saved:
    with writer.begin():
        return organisations.save(writer, Examined(listed, claims), KEYS, now, ZONE)


def places(writer: Connection, key: str) -> list[tuple[str, datetime, datetime | None]]:
    """(key of the parent, from, to) of each place of an organisation."""
    with writer.begin():
        tree, _ = load(writer)
    return [
        (
            "" if place.parent_id is None else tree.organisations[place.parent_id].key,
            place.valid_from,
            place.valid_to,
        )
        for place in tree.places(tree.find(key).id)
    ]


def contents(writer: Connection) -> list[Any]:
    with writer.begin():
        tables = (organisation, organisation_place, organisation_claim, usage_pending)
        return [sorted(map(repr, writer.execute(select(table)).all())) for table in tables]


def pending(writer: Connection) -> list[date]:
    with writer.begin():
        return list(writer.scalars(select(usage_pending.c.day).order_by(usage_pending.c.day)))


def put_leg(writer: Connection, ended: datetime, **fields: Any) -> None:
    """A call leg with nothing but its end."""
    values = {
        column.name: (b"\1" * 16 if column.name == "id" else 0)
        for column in history_participant.c
        if not column.nullable
    }
    with writer.begin():
        writer.execute(insert(history_participant).values(**values | {"ended": ended} | fields))


def test_what_is_saved_is_loaded(writer: Connection) -> None:
    saved = save(
        writer,
        unit("unit", "region", name="Enhed Ø"),
        unit("region"),
        claims=[
            Claim("tag", "nord", "region"),
            Claim("domain", "nord.dk", "unit"),
            Claim("room", "rum", "unit"),
        ],
    )
    assert saved == Saved(added=2, claims=4)
    with writer.begin():
        tree, claims = load(writer)
    region, enhed = tree.find("region"), tree.find("enhed ø")
    assert tree.ancestors(enhed.id, NOW) == (enhed.id, region.id)
    assert claims.counts() == {region.id: {"tag": 1}, enhed.id: {"domain": 1, "room": 2}}
    for key in KEYS:
        room = claims.describe("Rum", key.of)
        assert claims.decide("", (), room).organisation_id == enhed.id, "known under each key"
    stored = repr(contents(writer))
    assert "rum" not in stored.lower()


def test_an_empty_database_has_an_empty_tree(writer: Connection) -> None:
    with writer.begin():
        tree, claims = load(writer)
        assert last_read(writer) is None
    assert not tree.organisations
    assert not claims.counts()
    assert save(writer) == Saved()


def test_saving_twice_writes_nothing(writer: Connection) -> None:
    claims = [Claim("alias", "a@b", "unit"), Claim("tag", "t", "region")]
    listed = (
        unit("region"),
        unit("unit", "region", valid_from=SECOND - 9 * DAY),
        unit("later", "region", valid_from=SECOND + DAY),
    )
    assert save(writer, *listed, claims=claims).changed
    before = contents(writer)
    for now in (NOW, NOW + DAY, NOW + 2 * DAY):
        assert not save(writer, *listed, claims=claims, now=now).changed
    assert contents(writer) == before


def test_a_unit_that_moves_keeps_its_number_and_its_past(writer: Connection) -> None:
    save(writer, unit("a"), unit("b"), unit("x", "a"))
    saved = save(writer, unit("a"), unit("b"), unit("x", "b", name="Renamed"), now=NOW + DAY)
    assert saved == Saved(renamed=1, moved=1)
    assert places(writer, "x") == [("a", SECOND, SECOND + DAY), ("b", SECOND + DAY, None)]
    save(writer, unit("a"), unit("b"), unit("x", "a"), now=NOW + DAY)
    assert places(writer, "x") == [("a", SECOND, None)], "a mistake of the same second leaves no trace"


def test_who_vanishes_keeps_its_row_and_who_returns_its_number(writer: Connection) -> None:
    claims = [Claim("tag", "x", "x")]
    save(writer, unit("a"), unit("x", "a"), claims=claims)
    assert save(writer, unit("a"), now=NOW + DAY) == Saved(vanished=("x",), claims=1)
    assert places(writer, "x") == [("a", SECOND, SECOND + DAY)]
    assert not save(writer, unit("a"), now=NOW + 2 * DAY).changed
    saved = save(writer, unit("a"), unit("x", "a"), claims=claims, now=NOW + 3 * DAY)
    assert saved == Saved(returned=("x",), claims=1)
    assert places(writer, "x") == [("a", SECOND, SECOND + DAY), ("a", SECOND + 3 * DAY, None)]


def test_a_claim_goes_to_another(writer: Connection) -> None:
    save(writer, unit("a"), unit("b"), claims=[Claim("tag", "t", "a"), Claim("tag", "u", "a")])
    assert (
        save(writer, unit("a"), unit("b"), claims=[Claim("tag", "t", "b"), Claim("tag", "u", "a")]).claims
        == 1
    )
    with writer.begin():
        tree, claims = load(writer)
    assert claims.decide("t", (), None).organisation_id == tree.find("b").id


def test_a_date_in_the_past_has_the_days_since_computed_again(writer: Connection) -> None:
    put_leg(writer, SECOND - 30 * DAY)
    save(writer, unit("a"), unit("b"), unit("x", "a", valid_from=SECOND - 20 * DAY))
    assert pending(writer) == [], "nobody's past changed"
    since = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    saved = save(writer, unit("a"), unit("b"), unit("x", "b", valid_from=since), now=NOW + DAY)
    assert (saved.moved, saved.days) == (1, 5)
    assert pending(writer) == [date(2026, 11, day) for day in range(21, 26)], "in Danish days"
    assert places(writer, "x") == [("a", SECOND - 20 * DAY, since), ("b", since, None)]


def test_a_past_without_calls_is_not_computed(writer: Connection) -> None:
    save(writer, unit("a"), unit("b"), unit("x", "a"))
    assert save(writer, unit("a"), unit("b"), unit("x", "b", valid_from=SECOND - DAY)).days == 0


def test_a_first_place_that_was_wrong_changes_all_of_the_past(writer: Connection) -> None:
    put_leg(writer, SECOND - 3 * DAY)
    save(writer, unit("a"), unit("b"), unit("x", "a"))
    save(writer, unit("a"), unit("b"), unit("x", "b", valid_from=SECOND - DAY))
    assert pending(writer) == [date(2026, 11, day) for day in range(21, 25)]


def test_a_move_of_today_leaves_the_past(writer: Connection) -> None:
    put_leg(writer, SECOND - 3 * DAY)
    save(writer, unit("a"), unit("b"), unit("x", "a"))
    assert save(writer, unit("a"), unit("b"), unit("x", "b"), now=NOW + DAY).days == 0


def test_a_place_of_the_future_waits(writer: Connection) -> None:
    save(writer, unit("a"), unit("b"), unit("x", "a"))
    later = unit("x", "b", valid_from=SECOND + 5 * DAY)
    assert save(writer, unit("a"), unit("b"), later, now=NOW + DAY) == Saved(moved=1)
    assert places(writer, "x") == [("a", SECOND, SECOND + 5 * DAY), ("b", SECOND + 5 * DAY, None)]
    save(writer, unit("a"), unit("b"), unit("x", "a"), now=NOW + 2 * DAY)
    assert places(writer, "x") == [("a", SECOND, None)], "the plan was given up"


def test_usage_whose_calls_are_gone_is_not_computed_again(writer: Connection) -> None:
    assert first_whole_day(writer, ZONE) is None
    writer.rollback()
    put_leg(writer, SECOND - 3 * DAY)
    assert first_whole_day(writer, ZONE) == date(2026, 11, 21)
    writer.rollback()
    values: dict[str, Any] = {column.name: 0 for column in usage_day.c if not column.nullable}
    values |= {"begin": SECOND - 9 * DAY, "peak_at": SECOND}
    with writer.begin():
        writer.execute(insert(usage_day).values(values))
    assert first_whole_day(writer, ZONE) == date(2026, 11, 22)


def test_when_it_was_last_read(writer: Connection) -> None:
    for now in (NOW, NOW - DAY):
        with writer.begin():
            note_read(writer, now)
    assert last_read(writer) == NOW


def test_nothing_is_kept_of_what_is_rolled_back(writer: Connection) -> None:
    transaction = writer.begin()
    organisations.save(writer, Examined([unit("a")]), KEYS, NOW, ZONE)
    transaction.rollback()
    assert writer.scalar(select(func.count()).select_from(organisation)) == 0


def test_ten_thousand_units(writer: Connection) -> None:
    listed = [unit(str(number), str(number // 10) if number else None) for number in range(10_000)]
    claims = [Claim("alias", f"{number}@x.dk", str(number)) for number in range(10_000)]
    assert save(writer, *listed, claims=claims) == Saved(added=10_000, claims=20_000)
    assert not save(writer, *listed, claims=claims, now=NOW + DAY).changed
    with writer.begin():
        tree, _ = load(writer)
    assert len(tree.subtree(tree.find("0").id, NOW)) == 10_000
    assert isinstance(tree.places(1)[0], Place)
