"""The past is decided again after claims were set right."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Table, func, insert, select, update

from vdx.claims import Claims, Rule, domain_of, normalised
from vdx.settings import Settings
from vdx.store.assignment import Reassigned, Unassigned, reassign, unassigned
from vdx.store.database import connect, open_engine
from vdx.store.history_tables import (
    history_conference,
    history_participant,
    identity,
    term,
    usage_pending,
)
from vdx.store.identities import Pseudonyms

ZONE = ZoneInfo("Europe/Copenhagen")
KEYS = Pseudonyms(b"key")
NOON = datetime(2026, 10, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SINCE, UNTIL = NOON - 400 * DAY, NOON + 400 * DAY


@pytest.fixture
def writer(settings: Settings) -> Iterator[Connection]:
    """A connection that may write."""
    engine = open_engine(settings, writes=True)
    with connect(engine) as connected:
        yield connected
    engine.dispose()


def claims(*rows: tuple[str, str, int]) -> Claims:
    return Claims(
        (kind, KEYS.of(normalised(value)).hex() if kind in ("alias", "room") else value, owner)
        for kind, value, owner in rows
    )


class World:
    """Writes calls as the history miner does, each decided by no claim."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._terms: dict[tuple[str, str], int] = {}
        self._identities: dict[str, int] = {"": 0}
        self._rows = 0

    def term(self, kind: str, name: str) -> int:
        if name and (kind, name) not in self._terms:
            self._terms[kind, name] = number = len(self._terms) + 1
            self.connection.execute(insert(term).values(kind=kind, id=number, name=name))
        return self._terms.get((kind, name), 0)

    def identity(self, text: str, *, named: bool = False, pattern: str = "") -> int:
        if text not in self._identities:
            plain = normalised(text)
            self._identities[text] = number = len(self._identities)
            self.connection.execute(
                insert(identity).values(
                    id=number,
                    hash=KEYS.of(plain),
                    domain_id=self.term("domain", domain_of(plain)),
                    pattern_id=self.term("pattern", pattern),
                    seen=date(2026, 10, 1),
                    name=text if named else None,
                )
            )
        return self._identities[text]

    def leg(
        self,
        remote: str = "",
        local: str = "",
        room: str = "",
        tag: str = "",
        *,
        ended: datetime = NOON,
        started: datetime | None = NOON - HOUR,
        named: bool = False,
        pattern: str = "",
    ) -> bytes:
        return self._put(
            history_participant,
            ended=ended,
            started=started,
            remote_id=self.identity(remote, named=named, pattern=pattern),
            local_id=self.identity(local, named=named),
            room_id=self.identity(room, named=named),
            service_tag_id=self.term("tag", tag),
        )

    def conference(self, room: str, tag: str = "", *, ended: datetime = NOON, named: bool = False) -> bytes:
        return self._put(
            history_conference,
            ended=ended,
            started=ended - HOUR,
            room_id=self.identity(room, named=named),
            service_tag_id=self.term("tag", tag),
        )

    def _put(self, table: Table, **fields: Any) -> bytes:
        self._rows += 1
        key = self._rows.to_bytes(16, "big")
        nothing = {column.name: 0 for column in table.c if not column.nullable}
        self.connection.execute(insert(table).values(**nothing | fields | {"id": key}))
        return key


@pytest.fixture
def world(writer: Connection) -> World:
    return World(writer)


def decided(connection: Connection, key: bytes, table: Table = history_participant) -> tuple[int, int]:
    with connection.begin():
        row = connection.execute(select(table.c.organisation_id, table.c.rule).where(table.c.id == key)).one()
    return row[0], row[1]


def pending(connection: Connection) -> list[date]:
    with connection.begin():
        return list(connection.scalars(select(usage_pending.c.day).order_by(usage_pending.c.day)))


def test_each_rule_decides_the_past(writer: Connection, world: World) -> None:
    with writer.begin():
        legs = {
            Rule.TAG: world.leg("a@x.dk", tag="Nord"),
            Rule.ALIAS: world.leg("b@elsewhere.org", "6001@vdx.example"),
            Rule.DOMAIN: world.leg("c@sub.x.dk"),
            Rule.PATTERN: world.leg("7002@vdx.example", pattern="7*@vdx.example"),
            Rule.ROOM: world.leg("d@elsewhere.org", room="MDT Lunge"),
            Rule.UNASSIGNED: world.leg("d@elsewhere.org"),
        }
        conferences = {Rule.ROOM: world.conference("MDT Lunge"), Rule.TAG: world.conference("Other", "Nord")}
    claimed = claims(
        ("tag", "nord", 1),
        ("alias", "6001@vdx.example", 2),
        ("domain", "x.dk", 3),
        ("pattern", "7*@vdx.example", 4),
        ("room", "MDT Lunge", 5),
    )
    changed = reassign(writer, claimed, SINCE, UNTIL, ZONE)
    assert (changed.participants, changed.conferences, changed.days) == (5, 2, 1)
    for rule, key in legs.items():
        assert decided(writer, key) == (int(rule), rule)
    assert decided(writer, conferences[Rule.ROOM], history_conference) == (5, Rule.ROOM)
    assert decided(writer, conferences[Rule.TAG], history_conference) == (1, Rule.TAG)


def test_a_second_time_nothing_changes(writer: Connection, world: World) -> None:
    with writer.begin():
        for number in range(50):
            ended = NOON + number * DAY
            world.leg(f"{number}@x.dk", ended=ended, started=ended - HOUR)
            world.conference(f"room {number}", ended=ended)
    claimed = claims(("domain", "x.dk", 1), ("room", "room 7", 2))
    assert reassign(writer, claimed, SINCE, UNTIL, ZONE) == Reassigned(50, 1, 50)
    with writer.begin():
        writer.execute(usage_pending.delete())
    assert reassign(writer, claimed, SINCE, UNTIL, ZONE) == Reassigned()
    assert pending(writer) == []
    assert reassign(writer, Claims(), SINCE, UNTIL, ZONE) == Reassigned(50, 1, 50)


def test_only_what_ended_in_the_time_is_decided(writer: Connection, world: World) -> None:
    with writer.begin():
        ends = [NOON - timedelta(microseconds=1), NOON, NOON + DAY - timedelta(microseconds=1), NOON + DAY]
        keys = [world.leg("a@x.dk", ended=end) for end in ends]
    assert reassign(writer, claims(("domain", "x.dk", 1)), NOON, NOON + DAY, ZONE).participants == 2
    assert [decided(writer, key)[0] for key in keys] == [0, 1, 1, 0]
    nothing = [(UNTIL, SINCE), (NOON, NOON), (NOON + 300 * DAY, UNTIL), (SINCE, SINCE + DAY)]
    assert {reassign(writer, Claims(), *span, ZONE) for span in nothing} == {Reassigned()}


def test_an_empty_history_has_nothing_to_decide(writer: Connection) -> None:
    assert reassign(writer, claims(("tag", "x", 1)), SINCE, UNTIL, ZONE) == Reassigned()
    assert unassigned(writer, SINCE) == []


def test_every_danish_day_of_a_changed_leg_is_computed_again(writer: Connection, world: World) -> None:
    with writer.begin():
        world.leg(
            "a@x.dk",
            ended=datetime(2026, 10, 9, 22, 30, tzinfo=UTC),
            started=datetime(2026, 10, 7, 21, tzinfo=UTC),
        )
        world.leg("a@x.dk", ended=NOON + 5 * DAY, started=None)
        world.leg("unchanged@y.dk", ended=NOON + 9 * DAY)
    with writer.begin():
        # An earlier leg, so that none of these days is the first that there is.
        world.leg("unchanged@y.dk", ended=NOON - 90 * DAY)
    assert reassign(writer, claims(("domain", "x.dk", 1)), SINCE, UNTIL, ZONE).days == 5
    assert pending(writer) == [date(2026, 10, day) for day in (7, 8, 9, 10, 15)]


def test_a_leg_of_a_clock_that_stood_wrong_makes_no_more_than_a_month_stale(
    writer: Connection, world: World
) -> None:
    with writer.begin():
        world.leg("unchanged@y.dk", ended=NOON - 300 * DAY)
        world.leg("a@x.dk", ended=NOON, started=NOON - 200 * DAY)
    assert reassign(writer, claims(("domain", "x.dk", 1)), SINCE, UNTIL, ZONE).days == 32


def test_a_changed_rule_alone_is_stored_too(writer: Connection, world: World) -> None:
    with writer.begin():
        key = world.leg("a@x.dk", tag="nord")
    reassign(writer, claims(("domain", "x.dk", 1)), SINCE, UNTIL, ZONE)
    assert decided(writer, key) == (1, Rule.DOMAIN)
    assert (
        reassign(writer, claims(("domain", "x.dk", 1), ("tag", "nord", 1)), SINCE, UNTIL, ZONE).participants
        == 1
    )
    assert decided(writer, key) == (1, Rule.TAG)


def test_a_new_pattern_is_tried_on_stored_texts_and_the_others_are_counted(
    writer: Connection, world: World
) -> None:
    with writer.begin():
        named = world.leg("7001@vdx.example", named=True)
        nameless = world.leg("7002@vdx.example")
        tagged = world.leg("7003@vdx.example", tag="t")
        withdrawn = world.leg("8001@vdx.example", pattern="8*@vdx.example")
        conference = world.conference("7004@vdx.example", named=True)
    claimed = claims(("pattern", "7*@vdx.example", 4), ("tag", "t", 1))
    assert reassign(writer, claimed, SINCE, UNTIL, ZONE) == Reassigned(2, 1, 1, untested=2)
    assert decided(writer, named) == (4, Rule.PATTERN)
    assert decided(writer, nameless) == (0, Rule.UNASSIGNED)
    assert decided(writer, tagged) == (1, Rule.TAG)
    assert decided(writer, withdrawn) == (0, Rule.UNASSIGNED)
    assert decided(writer, conference, history_conference) == (4, Rule.PATTERN)


def test_an_identity_that_is_forgotten_matches_nothing(writer: Connection, world: World) -> None:
    with writer.begin():
        key = world.leg("a@x.dk", "b@x.dk", "room")
        writer.execute(identity.delete())
        writer.execute(update(history_participant).values(organisation_id=9, rule=Rule.DOMAIN))
    assert reassign(writer, claims(("domain", "x.dk", 1)), SINCE, UNTIL, ZONE).participants == 1
    assert decided(writer, key) == (0, Rule.UNASSIGNED)


def test_a_month_is_kept_although_the_next_one_fails(writer: Connection, world: World) -> None:
    with writer.begin():
        first = world.leg("a@x.dk", ended=NOON)
        second = world.leg("a@x.dk", ended=NOON + 31 * DAY)
    claimed = claims(("domain", "x.dk", 1))

    def stop(day: date, done: int, total: int) -> None:
        if day.month == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reassign(writer, claimed, SINCE, UNTIL, ZONE, progress=stop)
    assert [decided(writer, key)[0] for key in (first, second)] == [1, 0]
    assert pending(writer) == [date(2026, 10, 10)]
    assert reassign(writer, claimed, SINCE, UNTIL, ZONE).participants == 1


def test_progress_goes_from_the_first_to_the_last_day(writer: Connection, world: World) -> None:
    with writer.begin():
        world.leg("a@x.dk", ended=NOON)
        world.conference("room", ended=NOON + 2 * DAY)
    told: list[tuple[date, int, int]] = []
    reassign(writer, Claims(), SINCE, UNTIL, ZONE, progress=lambda *progress: told.append(progress))
    assert told == [(date(2026, 10, 10 + number), number + 1, 3) for number in range(3)]


def test_many_legs_of_a_day(writer: Connection, world: World) -> None:
    with writer.begin():
        first = world.identity("0@x.dk")
        domain = world.term("domain", "x.dk")
        people = range(first + 1, first + 5000)
        for start in range(0, len(people), 1000):
            some = people[start : start + 1000]
            writer.execute(
                insert(identity),
                [
                    {"id": number, "hash": number.to_bytes(16, "big"), "domain_id": domain, "pattern_id": 0}
                    | {"seen": date(2026, 10, 1), "name": None}
                    for number in some
                ],
            )
            nothing = {column.name: 0 for column in history_participant.c if not column.nullable}
            legs = [
                nothing
                | {
                    "ended": NOON,
                    "started": NOON - HOUR,
                    "id": number.to_bytes(16, "big"),
                    "remote_id": number,
                }
                for number in some
            ]
            writer.execute(insert(history_participant), legs)
    changed = reassign(writer, claims(("domain", "x.dk", 3)), SINCE, UNTIL, ZONE)
    assert changed.participants == len(people)
    with writer.begin():
        query = select(func.count()).where(history_participant.c.organisation_id == 3)
        assert writer.scalar(query) == len(people)


def test_what_belongs_to_nobody_is_grouped_by_what_could_be_claimed(writer: Connection, world: World) -> None:
    with writer.begin():
        for number in range(3):
            world.leg(f"{number}@x.dk", "6001@vdx.example", ended=NOON + number * HOUR)
        world.leg("a@x.dk", "6002@vdx.example", tag="nord", ended=NOON)
        world.leg("", "", ended=NOON)
        claimed = world.leg("b@x.dk", ended=NOON)
        world.leg("c@x.dk", "6001@vdx.example", ended=NOON - DAY)
        writer.execute(
            update(history_participant).where(history_participant.c.id == claimed).values(organisation_id=1)
        )
    assert unassigned(writer, NOON) == [
        Unassigned("", "x.dk", "vdx.example", 3, NOON + 2 * HOUR),
        Unassigned("", "", "", 1, NOON),
        Unassigned("nord", "x.dk", "vdx.example", 1, NOON),
    ]
