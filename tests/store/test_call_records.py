"""Ended calls at record level: every field, the pages of the stream, who may see names."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from tests.store.filling import (
    ended_call,
    number_of,
    put,
    put_calls,
    put_names,
    writing,
)
from vdx.settings import Settings
from vdx.store.call_records import COLUMNS, CallRecord, records, uuid_text, who
from vdx.store.history_tables import organisation_place
from vdx.store.organisations import load

ZONE = ZoneInfo("Europe/Copenhagen")
START = datetime(2026, 10, 24, 22, tzinfo=UTC)
"""The begin of the Danish day that has 25 hours."""
END = datetime(2026, 10, 25, 23, tzinfo=UTC)


def read(
    connection: Connection, start: datetime = START, end: datetime = END, **wanted: Any
) -> list[CallRecord]:
    tree, _ = load(connection)
    return [record for batch in records(connection, tree, ZONE, start, end, **wanted) for record in batch]


def test_every_field_has_a_meaning() -> None:
    assert list(COLUMNS) == list(CallRecord._fields) == list(get_type_hints(CallRecord))


def test_a_record(settings: Settings, connection: Connection) -> None:
    ended = datetime(2026, 10, 25, 1, 5, 0, 250_000, tzinfo=UTC)
    with writing(settings) as writer:
        put_names(writer)
        put_calls(writer, ended_call(ended, organisation_id=2, service_tag_id=2))
    (record,) = read(connection)
    assert record == CallRecord(
        date=date(2026, 10, 25),
        started=(ended - timedelta(minutes=10)).astimezone(ZONE),
        ended=ended.astimezone(ZONE),
        seconds=600.0,
        call=str(uuid.UUID(bytes=number_of(0))),
        meeting="00000000-0000-0000-0000-000000000007",
        organisation="Afdeling",
        organisation_path="Nord / Afdeling",
        rule="tag",
        service_tag="=SUM(A1)",
        service_type="conference",
        room=number_of("identity", 1).hex()[:12],
        participant=number_of("identity", 2).hex()[:12],
        dialled=number_of("identity", 3).hex()[:12],
        direction="in",
        host=True,
        protocol="WebRTC",
        device="browser/Chrome",
        location="Aarhus",
        media_node="aarhus-1",
        network="192.0.2.0/24",
        licence_ports=1,
        has_media=True,
        encrypted=True,
        outcome="completed",
        disconnect_reason="Call disconnected",
        quality="good",
        bad_windows_percent=10,
        received_loss_percent=1.23,
        sent_loss_percent=0.0,
        received_bandwidth=1200,
        sent_bandwidth=900,
        audio_codec="opus",
        video_codec="VP8",
        height=720,
    )
    assert record.ended.isoformat() == "2026-10-25T02:05:00.250000+01:00"
    assert record.started is not None
    assert record.started.isoformat() == "2026-10-25T02:55:00.250000+02:00"


def test_a_call_that_never_connected_and_knows_nothing(settings: Settings, connection: Connection) -> None:
    numbers = ("room", "remote", "local", "service_tag", "network", "device", "disconnect_reason")
    unknown = {f"{name}_id": 0 for name in (*numbers, "audio_codec", "video_codec", "organisation")}
    with writing(settings) as writer:
        put_names(writer)
        put_calls(
            writer,
            ended_call(
                START,
                started=None,
                conference_id=None,
                media_node_id=None,
                location_id=99,
                protocol_id=99,
                outcome=2,
                rule=0,
                quality=0,
                bad_percent=None,
                height=0,
                license_type_id=2,
                outgoing=True,
                **unknown,
            ),
        )
    (record,) = read(connection)
    assert (record.started, record.seconds) == (None, None)
    assert (record.bad_windows_percent, record.height) == (None, None)
    assert record.outcome == "refused_license"
    assert (record.quality, record.direction, record.licence_ports) == ("unknown", "out", 0)
    assert record.rule == "unassigned"
    texts = [name for name, kind in get_type_hints(CallRecord).items() if kind is str]
    empty = {name for name in texts if not getattr(record, name)}
    assert set(texts) - empty == {"call", "rule", "service_type", "direction", "outcome", "quality"}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("apart", [timedelta(), timedelta(seconds=1), timedelta(hours=6)])
def test_pages(settings: Settings, connection: Connection, count: int, apart: timedelta) -> None:
    with writing(settings) as writer:
        put_names(writer)
        put_calls(writer, *(ended_call(START + number * apart, number) for number in range(count)))
    tree, _ = load(connection)
    batches = list(records(connection, tree, ZONE, START, START + timedelta(days=3), page=3))
    found = [record for batch in batches for record in batch]
    assert len({record.call for record in found}) == len(found) == count
    assert [record.ended for record in found] == sorted(record.ended for record in found)
    assert all(1 <= len(batch) <= 3 for batch in batches)


def test_a_call_belongs_to_the_period_in_which_it_ended(settings: Settings, connection: Connection) -> None:
    moment = timedelta(microseconds=1)
    with writing(settings) as writer:
        put_names(writer)
        put_calls(
            writer,
            *(
                ended_call(ended, number)
                for number, ended in enumerate((START - moment, START, END - moment, END))
            ),
        )
    days = [
        read(connection, START - timedelta(days=1), START),
        read(connection),
        read(connection, END, END + timedelta(days=1)),
    ]
    assert [[record.date.day for record in day] for day in days] == [[24], [25, 25], [26]]
    assert days[1][0].started is not None
    assert days[1][0].started.astimezone(ZONE).day == 24
    assert len(read(connection, START - timedelta(days=1), END + timedelta(days=1))) == 4


def test_filters(settings: Settings, connection: Connection) -> None:
    with writing(settings) as writer:
        put_names(writer)
        put_calls(
            writer,
            *(
                ended_call(
                    START + timedelta(minutes=number),
                    number,
                    organisation_id=number % 5,
                    service_tag_id=number % 3,
                    location_id=1 + number % 2,
                )
                for number in range(60)
            ),
        )
    assert len(read(connection, page=7)) == 60
    assert len(read(connection, organisations=frozenset())) == 0
    assert len(read(connection, organisations=frozenset(range(2, 40_000)), page=7)) == 36
    assert len(read(connection, organisations=frozenset({1}), tag=1, place=2)) == 2
    assert {record.location for record in read(connection, place=2)} == {"Odense"}


def test_names_are_given_to_those_who_may_where_they_are_stored(
    settings: Settings, connection: Connection
) -> None:
    with writing(settings) as writer:
        put_names(writer, identities=True)
        put_calls(writer, ended_call(START), ended_call(START, 1, room_id=0, remote_id=99))
    named = read(connection, identities=True)
    assert {record.room for record in named} == {"Jyttes rum", ""}
    assert {record.participant for record in named} == {"+4512345678", ""}
    hidden = str(read(connection))
    assert "Jytte" not in hidden
    assert "12345678" not in hidden


def test_the_path_is_that_of_the_day(settings: Settings, connection: Connection) -> None:
    moved = START + timedelta(hours=2)
    with writing(settings) as writer:
        put_names(writer)
        writer.execute(
            organisation_place.update()
            .where(organisation_place.c.organisation_id == 3)
            .values(valid_to=moved)
        )
        place = {"organisation_id": 3, "valid_from": moved, "valid_to": None, "parent_id": 4}
        put(writer, organisation_place, [place])
        put_calls(
            writer,
            *(ended_call(START + timedelta(hours=hours), hours, organisation_id=3) for hours in (1, 3, 26)),
        )
    found = read(connection, START, START + timedelta(days=3))
    assert [record.organisation_path for record in found] == ["Nord / Klinik"] * 2 + ["Syd / Klinik"]


def test_pseudonyms_and_ids() -> None:
    assert who(bytes(range(16)), None) == "000102030405"
    assert who(bytes(16), "Jytte") == "Jytte"
    assert who(None, None) == uuid_text(None) == ""
    assert uuid_text(uuid.UUID(int=77).bytes) == str(uuid.UUID(int=77))
