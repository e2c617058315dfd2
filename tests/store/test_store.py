"""What the store writes of good, empty and failed polls."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from tests.store.worlds import BEAT, CONFIGURATION, beat, conference, key, leg, poll
from vdx.pexip.records import WorkerVMConfiguration
from vdx.settings import Settings
from vdx.snapshot import Configuration
from vdx.store import Store, StoreError, queries
from vdx.store.tables import metadata, participant
from vdx.telemetry import Telemetry


def rows(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(participant)) or 0


def test_empty_platform(store: Store, connection: Connection) -> None:
    store.write_now(*poll(0, nodes=[], locations=[]))
    (point,) = queries.platform_samples(connection, beat(0), beat(1))
    assert point.average.license_ports == 0
    assert point.average.backplanes is None
    assert queries.participants_open(connection, beat(0)) == []
    assert queries.node_samples(connection, beat(0), beat(1)) == []


def test_samples_of_a_poll(store: Store, connection: Connection) -> None:
    store.write_now(*poll(0, [leg("a"), leg("b", call_quality="3_bad", license_count=2)]))
    (point,) = queries.platform_samples(connection, beat(0), beat(1))
    assert (point.average.license_ports, point.average.participants, point.average.conferences) == (3, 2, 1)
    aarhus, aalborg = queries.location_samples(connection, beat(0), beat(1))
    assert (aarhus.name, aarhus.average.quality_bad, aarhus.average.quality_good) == ("Aarhus", 1, 1)
    assert aarhus.average.media_load == pytest.approx(0.2)
    assert (aalborg.name, aalborg.average.participants) == ("Ålborg", 0)
    node, in_maintenance = queries.node_samples(connection, beat(0), beat(1))
    assert (node.average.hardware_used, node.average.hardware_limit) == (16, 80)
    assert (in_maintenance.name, in_maintenance.average.maintenance) == ("ålborg-1", 1)
    assert queries.node_samples(connection, beat(0), beat(1), name="ålborg-1") == [in_maintenance]


def test_failed_poll_leaves_intervals_open_and_is_told(store: Store, connection: Connection) -> None:
    store.write_now(*poll(0, [leg("a")]))
    store.write_now(*poll(1, None))
    latest, before = queries.latest_polls(connection, 2)
    assert (latest.time, latest.up, latest.participants) == (beat(1), False, None)
    assert [failure.resource for failure in latest.failures] == ["participant"]
    assert (before.up, before.participants, before.failures) == (True, 1, ())
    assert len(queries.participants_open(connection, beat(1))) == 1
    (point,) = queries.platform_samples(connection, beat(1), beat(2))
    assert point.average.license_ports is None


def test_interval_opens_closes_and_goes_on_as_another_segment(store: Store, connection: Connection) -> None:
    store.write_now(*poll(0, [leg("a"), leg("b")]))
    store.write_now(*poll(1, [leg("b")]))
    store.write_now(*poll(2, [leg("a"), leg("b")]))
    (first, *_) = queries.participants_open(connection, beat(0))
    assert {segment.first_seen for segment in queries.participants_open(connection, beat(2))} == {
        beat(0),
        beat(2),
    }
    assert len(queries.participants_open(connection, beat(1))) == 1
    gone = [
        segment for segment in queries.participants_open(connection, beat(0)) if segment.ended is not None
    ]
    assert [(str(segment.id), segment.last_seen, segment.ended) for segment in gone] == [
        (key("a"), beat(0), beat(1))
    ]
    assert first.started == beat(0)
    assert rows(connection) == 3


def test_participant_row(store: Store, connection: Connection) -> None:
    store.write_now(*poll(0, [leg("a", license_count=2, protocol="SIP", encryption="Off")]))
    (segment,) = queries.participants_open(connection, beat(0))
    (running,) = queries.conferences_open(connection, beat(0))
    assert segment.conference_id == running.id
    assert (segment.location, segment.node, segment.protocol) == ("Aarhus", "aarhus-1", "SIP")
    assert (segment.license_type, segment.license_count, segment.service_tag) == ("port", 2, "region-midt")
    assert (segment.has_media, segment.encrypted, segment.quality) == (True, False, "good")


@pytest.mark.parametrize(
    "change",
    [
        {"license_count": 2},
        {"license_count": 0, "license_type": "nolicense"},
        {"system_location": "Ålborg"},
        {"media_node": "10.0.0.2"},
        {"has_media": False},
        {"service_tag": "other"},
        {"conference": "other"},
    ],
)
def test_what_counts_begins_a_segment(
    store: Store, connection: Connection, change: dict[str, object]
) -> None:
    store.write_now(*poll(0, [leg("a")]))
    store.write_now(*poll(1, [leg("a", **change)]))
    (before,) = queries.participants_open(connection, beat(0))
    (after,) = queries.participants_open(connection, beat(1))
    assert (before.id, before.ended, after.first_seen, after.ended) == (after.id, beat(1), beat(1), None)


def test_quality_keeps_the_segment(store: Store, connection: Connection) -> None:
    for number, quality in enumerate(["0_unknown", "1_good", "4_terrible", "2_ok"]):
        store.write_now(*poll(number, [leg("a", call_quality=quality)]))
    store.write_now(*poll(4))
    (segment,) = queries.participants_open(connection, beat(0))
    assert (segment.quality, segment.worst_quality, segment.last_seen) == ("ok", "terrible", beat(3))
    assert rows(connection) == 1


def test_restart_goes_on_with_what_is_open(start_store: Callable[..., Store], connection: Connection) -> None:
    first = start_store()
    first.write_now(*poll(0, [leg("stays"), leg("leaves"), leg("changes")]))
    first.write_now(*poll(1, [leg("stays"), leg("leaves"), leg("changes")]))
    first.stop()
    second = start_store()
    second.write_now(*poll(9, [leg("stays"), leg("changes", license_count=3), leg("comes")]))
    before = {str(leg.id): leg for leg in queries.participants_open(connection, beat(1))}
    after = {str(leg.id): leg for leg in queries.participants_open(connection, beat(9))}
    assert after[key("stays")].first_seen == beat(0)
    assert (before[key("leaves")].last_seen, before[key("leaves")].ended) == (beat(1), beat(9))
    assert before[key("changes")].ended == after[key("changes")].first_seen == beat(9)
    assert len(after) == 3
    assert queries.license_ports_open(connection, beat(9)) == 5


def test_same_cycle_twice_is_written_once(start_store: Callable[..., Store], connection: Connection) -> None:
    for _ in range(2):
        store = start_store()
        store.write_now(*poll(0, [leg("a")]))
        store.stop()
    assert rows(connection) == 1
    assert len(queries.latest_polls(connection, 9)) == 1


def test_a_poll_out_of_order_is_refused(
    settings: Settings, start_store: Callable[..., Store], connection: Connection
) -> None:
    telemetry = Telemetry()
    store = start_store(settings, telemetry)
    store.write_now(*poll(5, [leg("a")]))
    with pytest.raises(StoreError, match="clock"):
        store.write_now(*poll(3))
    store.write_now(*poll(6, [leg("a"), leg("b")]))
    assert [found.time for found in queries.latest_polls(connection, 9)] == [beat(6), beat(5)]
    assert queries.license_ports_open(connection, beat(6)) == 2
    assert telemetry.registry.get_sample_value("vdx_store_cycles_dropped_total") == 1


def test_names_of_any_script_and_length(store: Store, connection: Connection) -> None:
    names = ["Ærø 🏥", "日本", "x" * 300, "ä", "a\u0308", "A", "a", "a ", "'; --"]
    legs = [leg(name, system_location=name, service_tag=name) for name in names]
    store.write_now(*poll(0, [*legs, leg("no uuid")]))
    store.write_now(*poll(1, legs))
    assert len(queries.participants_open(connection, beat(1))) == len(names)
    kept = {point.name for point in queries.location_samples(connection, beat(1), beat(2))}
    assert {"Ærø 🏥", "日本", "x" * 250, "ä", "a\u0308", "A", "a", "'; --"} <= kept


def test_an_identifier_that_is_no_uuid(store: Store, connection: Connection) -> None:
    store.write_now(*poll(0, [leg("a"), *[type(leg("b"))(id=text) for text in ("7", "x" * 99, "")]]))
    store.write_now(*poll(1, [leg("a")]))
    assert len(queries.participants_open(connection, beat(0))) == 4
    assert len(queries.participants_open(connection, beat(1))) == 1


def test_a_conference_that_is_listed_a_moment_late(store: Store, connection: Connection) -> None:
    store.write_now(*poll(0, [leg("a")], conferences=[]))
    store.write_now(*poll(1, [leg("a")]))
    store.write_now(*poll(2, [leg("a")], conferences=[]))
    (early,) = queries.participants_open(connection, beat(0))
    (late,) = queries.participants_open(connection, beat(2))
    assert early.conference_id is None
    assert str(late.conference_id) == conference("vmr").id
    assert late.first_seen == beat(1)


def test_configuration_changes(start_store: Callable[..., Store], connection: Connection) -> None:
    first, second = CONFIGURATION.worker_vms
    changed = WorkerVMConfiguration(id=1, name="aarhus-1", address="10.0.0.1", maintenance_mode=True)
    added = WorkerVMConfiguration(id=3, name="odense-1", address="10.0.0.3")
    store = start_store()
    store.write_now(*poll(0))
    store.write_now(*poll(1, configuration=Configuration(worker_vms=[changed, second])))
    store.stop()
    store = start_store()
    store.write_now(*poll(2, configuration=Configuration()))
    store.write_now(*poll(3, configuration=Configuration(worker_vms=[changed, added])))
    found = [
        (change.time, change.action, change.name, change.field, change.old, change.new)
        for change in queries.configuration_changes(connection, beat(0), beat(9))
    ]
    assert found == [
        (beat(1), "changed", "aarhus-1", "maintenance_mode", "false", "true"),
        (beat(3), "removed", "ålborg-1", "", "ålborg-1", None),
        (beat(3), "added", "odense-1", "", None, "odense-1"),
    ]
    assert first.name == "aarhus-1"


@pytest.mark.parametrize("store_identities", [False, True])
def test_personal_data_is_kept_only_where_it_is_asked_for(
    settings: Settings,
    start_store: Callable[..., Store],
    connection: Connection,
    store_identities: bool,
) -> None:
    chosen = settings.model_copy(
        update={"privacy": settings.privacy.model_copy(update={"store_identities": store_identities})}
    )
    person = leg(
        "a",
        conference="Samtale med Else",
        participant_alias="else@example.dk",
        source_alias="else-kilde@example.dk",
        destination_alias="else-maal@example.dk",
        remote_address="192.0.2.77",
    )
    start_store(chosen).write_now(*poll(0, [person]))
    text = "".join(
        str(row) for table in metadata.sorted_tables for row in connection.execute(select(table)).all()
    )
    assert ("Samtale med Else" in text, "else@example.dk" in text) == (store_identities, store_identities)
    for never in ("192.0.2.77", "iPhone", "else-kilde", "else-maal"):
        assert never not in text
    (segment,) = queries.participants_open(connection, beat(0))
    assert len(segment.alias_hash or b"") == 16
    key_file = chosen.data.directory / "pseudonym.key"
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_readers_do_not_hold_the_writer_up(store: Store, connection: Connection) -> None:
    store.write_now(*poll(0))
    reading = connection.execute(select(participant))
    store.write_now(*poll(1), timeout=5)
    reading.close()


def test_latest_polls_are_in_order(store: Store, connection: Connection) -> None:
    for number in range(4):
        store.submit(*poll(number))
    store.write_now(*poll(4))
    assert [found.time for found in queries.latest_polls(connection, 2)] == [beat(4), beat(3)]
    assert timedelta(seconds=30) == BEAT
