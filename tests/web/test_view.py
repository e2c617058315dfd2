"""The view: what the page shows, from a snapshot and its figures."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from app.web import texts
from app.web.changes import Log, follow
from app.web.page import Page
from app.web.troubles import Trouble, troubles
from app.web.view import MOST_CONFERENCES, View, view
from tests.web import sample
from tests.web.sample import NOW, Platform
from vdx.capacity import Ports, TelephonyRule, Usage, conference_uses, measure
from vdx.pexip import records
from vdx.settings import Settings
from vdx.snapshot import Failure, Snapshot

SETTINGS = sample.settings()


@pytest.fixture(scope="module")
def usual() -> Platform:
    return Platform()


def seen(snapshot: Snapshot, usage: Usage, settings: Settings = SETTINGS) -> View:
    return view(snapshot, usage, settings, sample.history(), NOW)


def html(shown: View, settings: Settings = SETTINGS) -> str:
    return Page(settings).figures(shown).html


def test_usual_day(usual: Platform) -> None:
    shown = seen(*sample.figures(usual, SETTINGS))
    assert shown.up
    assert shown.conferences == 350
    assert 900 < (shown.participants or 0) < 1300
    assert shown.nodes is not None
    assert len(shown.nodes) == 81
    assert shown.locations is not None
    assert len(shown.locations) == 14
    assert {centre.name for centre in shown.data_centres} == {"Vest", "Øst"}
    assert shown.pstn is not None
    assert shown.licences.reported_used == (shown.licences.gauge.used or 0) - 3


def test_empty_platform() -> None:
    platform = Platform(conferences=0)
    platform.nodes = []
    shown = seen(*sample.figures(platform, SETTINGS))
    assert shown.conference_rows == ()
    assert shown.participants == 0
    assert shown.licences.gauge.ratio == 0
    assert texts.PAGE["none_running"] in html(shown)


def test_all_is_well_when_nothing_is_wrong() -> None:
    shown = seen(*sample.figures(Platform(conferences=0), SETTINGS))
    assert (shown.state, shown.status, shown.things) == ("good", "All well", 0)


def test_failed_poll_is_out_of_sight_and_shows_no_figure() -> None:
    shown = seen(*sample.failed(SETTINGS))
    assert not shown.up
    assert shown.state == "unknown"
    assert shown.status == "Out of sight: the Management Node has not answered since 10:58:30"
    assert [trouble.key for trouble in shown.troubles] == ["poll"]
    assert (shown.nodes, shown.locations, shown.conference_rows, shown.participants) == (None,) * 4
    assert shown.licences.gauge.used is None
    assert html(shown).count(texts.PAGE["no_figure"]) >= 5


def test_failed_poll_without_any_earlier_answer() -> None:
    snapshot, usage = sample.failed(SETTINGS)
    shown = view(snapshot, usage, SETTINGS, [(NOW, None)], NOW)
    assert shown.status.endswith("has not answered yet")
    assert texts.no_curve() in html(shown)


def test_partly_read_poll_shows_what_there_is(usual: Platform) -> None:
    snapshot = msgspec.structs.replace(
        usual.snapshot(), participants=None, failures={"participant": Failure("no answer")}
    )
    usage = measure(snapshot, SETTINGS, TelephonyRule(SETTINGS.pstn))
    shown = seen(snapshot, usage)
    assert shown.state == "unknown"
    assert shown.status == "Partly out of sight: participant not read"
    assert shown.conference_rows
    assert shown.conference_rows[0].participants is None
    assert shown.locations
    html(shown)


@pytest.mark.parametrize(
    ("ports", "share", "over", "state"),
    [(1349, "90 %", 0, "good"), (1500, "100 %", 0, "warning"), (1650, "110 %", 150, "warning")],
)
def test_over_use_is_shown_and_not_clamped(
    usual: Platform, ports: int, share: str, over: int, state: str
) -> None:
    snapshot, usage = sample.figures(usual, SETTINGS)
    shown = seen(snapshot, sample.with_licence_ports(usage, ports))
    assert shown.licences.gauge.state == state
    assert shown.licences.over == over
    assert share in html(shown)
    assert any(trouble.key == "licences" for trouble in shown.troubles) == (ports >= 1350)


def test_over_use_reaches_beyond_the_mark(usual: Platform) -> None:
    snapshot, usage = sample.figures(usual, SETTINGS)
    text = html(seen(snapshot, sample.with_licence_ports(usage, 3000)))
    assert '<rect class="over" x="50.0" width="50.0"' in text
    assert "1,500 over the pool" in text


def test_bounded_rows_of_many_conferences() -> None:
    platform = Platform(conferences=5000)
    shown = seen(*sample.figures(platform, SETTINGS))
    assert shown.conference_rows is not None
    assert len(shown.conference_rows) == MOST_CONFERENCES
    assert shown.conferences_more == 4800
    assert "and 4,800 more" in html(shown)
    states = [row.state for row in shown.conference_rows]
    assert states == sorted(states, key=["warning", "notice", "good"].index)


def test_names_are_escaped() -> None:
    platform = Platform(conferences=0)
    name = "<script>alert('æøå')</script> & \u202eΩ"
    platform.add(name, "conference", 3, NOW, Random(1))
    text = html(seen(*sample.figures(platform, SETTINGS)))
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#39;æøå&#39;)&lt;/script&gt; &amp; \u202eΩ" in text


def test_names_can_be_left_out() -> None:
    settings = sample.settings(names=False)
    shown = seen(*sample.figures(sample.troubled(), settings), settings)
    everything = html(shown, settings) + msgspec.json.encode(shown).decode()
    assert "Akut konference" not in everything
    assert shown.conference_rows
    assert shown.conference_rows[0].name == shown.conference_rows[0].id[:8]


def test_no_person_is_named(usual: Platform) -> None:
    snapshot = usual.snapshot()
    assert snapshot.participants
    people = [
        msgspec.structs.replace(
            person, source_alias="secret-alias", participant_alias="secret-alias", destination_alias="secret"
        )
        for person in snapshot.participants
    ]
    snapshot = msgspec.structs.replace(snapshot, participants=people)
    usage = measure(snapshot, SETTINGS, TelephonyRule(SETTINGS.pstn))
    shown = seen(snapshot, usage)
    everything = html(shown) + msgspec.json.encode(shown).decode()
    assert "secret" not in everything
    assert "192.0.2.1" not in everything
    assert "10.200.40.3" not in everything


def found(snapshot: Snapshot, usage: Usage) -> dict[str, Trouble]:
    return {
        trouble.key: trouble for trouble in troubles(snapshot, usage, SETTINGS, conference_uses(snapshot))
    }


def test_troubles_of_nodes() -> None:
    platform = Platform(conferences=0)
    platform.lost = ("vest-07", "bornholm-01")
    platform.maintenance = ("øst-03", "esbjerg-kommune-01")
    keys = found(*sample.figures(platform, SETTINGS))
    assert keys["lost:Bornholm"].state == "critical"
    assert keys["lost:Central Vest"].state == "warning"
    assert keys["lost:Central Vest"].text == "Central Vest: 1 node of 24 lost: vest-07"
    assert keys["maintenance:Central Øst"].state == "notice"
    assert keys["idle:Esbjerg Kommune"].state == "warning"
    assert "unsynchronised" not in keys
    shown = seen(*sample.figures(platform, SETTINGS))
    assert shown.nodes
    assert [row.node_state for row in shown.nodes[:5]] == [
        "lost",
        "lost",
        "maintenance",
        "maintenance",
        "up",
    ]
    assert shown.troubles[0].key == "lost:Bornholm"


def test_a_node_out_of_sync() -> None:
    snapshot, usage = sample.figures(Platform(conferences=0), SETTINGS)
    assert snapshot.nodes
    nodes = [msgspec.structs.replace(snapshot.nodes[0], sync_status="NOT_SYNCED"), *snapshot.nodes[1:]]
    snapshot = msgspec.structs.replace(snapshot, nodes=nodes)
    assert found(snapshot, usage)["unsynchronised"].state == "warning"
    shown = seen(snapshot, usage)
    assert shown.nodes
    assert shown.nodes[0].node_state == "unsynchronised"


def test_troubles_of_limits() -> None:
    snapshot, usage = sample.figures(Platform(conferences=0), SETTINGS)
    usage = msgspec.structs.replace(
        usage,
        pstn_lines=40,
        hardware_by_location={"Bornholm": Ports(33, 36), "Aarhus Kommune": Ports(80, 72)},
        headroom_without={"Vest": -120.0, "Øst": 5.0},
    )
    keys = found(snapshot, usage)
    assert keys["telephony"].state == "critical"
    assert keys["full:Bornholm"].state == "warning"
    assert keys["full:Aarhus Kommune"].text == "Aarhus Kommune: 111 % of its ports in use"
    assert keys["without:Vest"].text == "Without Vest the rest would be 120 ports short"
    assert "without:Øst" not in keys


def test_alarms_are_gathered_by_name_and_lost_contact_is_told_once() -> None:
    platform = Platform(conferences=0)
    platform.lost = ("vest-07",)
    platform.alarms = [
        records.Alarm(id=n, name="cpu_instruction_set", level="warning", node=platform.nodes[n][2])
        for n in range(3)
    ]
    platform.alarms.append(records.Alarm(id=9, name="license_limit", level="error", acknowledged=True))
    keys = found(*sample.figures(platform, SETTINGS))
    alarms = [trouble for key, trouble in keys.items() if key.startswith("alarm:")]
    assert [alarm.text for alarm in alarms] == [
        "Alarm: cpu instruction set (3 times) on vest-01, vest-02, vest-03",
        "Alarm: license limit",
    ]
    assert [alarm.state for alarm in alarms] == ["warning", "notice"]


def test_bad_quality_of_a_conference_and_a_location() -> None:
    platform = Platform(conferences=60)
    platform.add("Bad", "conference", 400, NOW, Random(1), "3_bad")
    keys = found(*sample.figures(platform, SETTINGS))
    assert keys["quality"].text.endswith("Bad")
    assert keys["quality:Central Vest"].state == "warning"


def test_times_are_local_and_machine_readable(usual: Platform) -> None:
    text = html(seen(*sample.figures(usual, SETTINGS)))
    assert '<time datetime="2026-03-03T10:03:30+00:00">11:03:30</time>' in text


def test_words() -> None:
    zone = ZoneInfo("Europe/Copenhagen")
    assert texts.number(1234567.4) == "1,234,567"
    assert texts.percent(1.1) == "110 %"
    assert texts.percent(0.001) == "< 1 %"
    assert texts.percent(None) == texts.UNKNOWN
    assert texts.duration(timedelta(minutes=125)) == "2 h 05 min"
    assert texts.duration(timedelta(hours=76)) == "3 d 4 h"
    assert texts.duration(timedelta(seconds=-5)) == "0 min"
    assert texts.moment(NOW - timedelta(days=1), zone, NOW) == "2 Mar 11:03"
    assert texts.listed(list("abcde")) == "a, b, c and 2 more"
    assert texts.nodes_lost("Bornholm", ["a"], 1) == "Bornholm: its only node is lost"


def trouble(key: str, state: str = "warning") -> Trouble:
    return Trouble(key, state, key, "nodes")  # type: ignore[arg-type]


def test_changes_begin_and_end() -> None:
    log = follow(Log(), [trouble("a")], NOW, complete=True)
    assert log.changes == ()
    one, two = NOW + timedelta(seconds=30), NOW + timedelta(seconds=60)
    log = follow(log, [trouble("a"), trouble("b")], one, complete=True)
    assert [(change.trouble.key, change.began) for change in log.changes] == [("b", True)]
    assert log.lasting
    assert (log.lasting["a"].since, log.lasting["b"].since) == (None, one)
    log = follow(log, [trouble("b", "critical")], two, complete=True)
    assert [(change.trouble.key, change.began) for change in log.changes] == [
        ("b", True),
        ("a", False),
        ("b", True),
    ]
    assert log.lasting
    assert log.lasting["b"].since == one
    assert follow(log, [], two + timedelta(hours=25), complete=True).changes[0].trouble.key == "b"
    assert len(follow(log, [], two + timedelta(hours=25), complete=True).changes) == 1


def test_a_failed_poll_ends_no_trouble() -> None:
    log = follow(Log(), [trouble("a")], NOW, complete=True)
    log = follow(log, [trouble("poll")], NOW + timedelta(seconds=30), complete=False)
    assert log.lasting
    assert set(log.lasting) == {"a", "poll"}
    log = follow(log, [trouble("a")], NOW + timedelta(seconds=60), complete=True)
    assert [(change.trouble.key, change.began) for change in log.changes] == [
        ("poll", False),
        ("poll", True),
    ]


def test_utc_is_kept_in_the_data(usual: Platform) -> None:
    shown = seen(*sample.figures(usual, SETTINGS))
    data = msgspec.json.decode(msgspec.json.encode(shown))
    assert datetime.fromisoformat(data["time"]) == NOW
    assert datetime.fromisoformat(data["time"]).tzinfo == UTC
