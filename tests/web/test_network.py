"""What the network pages say of the kit: pure views, and the pages in Chromium."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from app.web.network.devices import DeviceRow, device_row
from app.web.network.interfaces import interfaces
from app.web.network.pages import NetworkPages, Sources
from app.web.network.services import service_rows, service_troubles
from app.web.network.view import overview
from exporters.certificates import Seen
from exporters.snmp.device import Read, State
from exporters.snmp.traps.reading import Trap
from simulator.network.fortigate import FortiGate
from simulator.network.idrac import IDRAC
from simulator.network.nexus import Nexus
from tests.web.browser import Reader
from tests.web.network_kit import Polled, polled
from tests.web.serving import Served
from vdx.assets import Row
from vdx.assets import state as asset_state
from vdx.configurations import Backup, Change
from vdx.pexip.records import LicenceConfiguration

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SWITCH = "nexus-north-1"


@pytest.fixture
def kit() -> Iterator[Polled]:
    with polled("fw-1", SWITCH, "r640-01") as running:
        yield running


def row(kit: Polled, name: str) -> DeviceRow:
    return device_row(kit.state(name))


def texts(
    kit: Polled, *, backups: tuple[Backup, ...] = (), seen_up: frozenset[tuple[str, str]] = frozenset()
) -> list[str]:
    return [trouble.text for trouble in overview(kit.states, backups, seen_up, NOW).troubles]


def test_a_healthy_kit_has_no_trouble_and_tells_of_each_device(kit: Polled) -> None:
    kit.poll()
    seen = overview(kit.states, (), frozenset(), NOW)
    assert (seen.state, seen.status, seen.troubles) == ("good", "All well", ())
    firewall, switch, server = (row(kit, name) for name in ("fw-1", SWITCH, "r640-01"))
    assert firewall.cpu is not None
    assert 0 < firewall.cpu < 1
    assert firewall.memory is not None
    assert 0 < firewall.memory < 1
    assert (switch.model, len(switch.interfaces)) == ("N9K-C93180YC-FX3", 59)
    assert switch.memory is not None
    assert 0 < switch.memory < 1
    assert server.model == "PowerEdge R640"
    assert server.uptime is not None
    assert server.uptime > timedelta(days=100)
    assert [member.primary for member in firewall.members] == [True, False]
    assert all(tunnel.up for tunnel in firewall.tunnels)


def test_before_the_first_poll_nothing_is_claimed(kit: Polled) -> None:
    seen = overview(kit.states, (), frozenset(), NOW)
    assert {device.state for device in seen.devices} == {"unknown"}
    assert seen.troubles == ()
    assert seen.time == NOW


def test_without_devices_there_is_an_empty_page() -> None:
    assert overview((), (), frozenset(), NOW).devices == ()


def test_a_silent_device_is_out_of_sight_with_the_reason_and_shows_no_old_figures(kit: Polled) -> None:
    kit.poll()
    kit.kit.device(SWITCH, Nexus).silent = True
    kit.poll()
    (text,) = texts(kit)
    assert text.startswith(f"{SWITCH} is out of sight: ")
    silent = row(kit, SWITCH)
    assert (silent.state, silent.interfaces, silent.cpu) == ("critical", (), None)


def test_a_lost_standby_is_seen_behind_the_address_that_still_answers(kit: Polled) -> None:
    kit.kit.device("fw-1", FortiGate).cluster.standby.lost = True
    kit.poll()
    assert kit.state("fw-1").up
    assert "fw-1: the pair has one member left" in texts(kit)


def test_failed_parts_are_told_once_and_without_their_sums(kit: Polled) -> None:
    server = kit.kit.device("r640-01", IDRAC)
    server.power_supplies[0].failed = True
    kit.poll()
    told = texts(kit)
    assert any("power supply PS1 Status" in text for text in told)
    assert not any("front panel" in text or "server:" in text for text in told)


def test_an_interface_that_went_down_is_told_and_one_that_never_was_up_is_not(kit: Polled) -> None:
    kit.poll()
    up = frozenset(
        (SWITCH, interface.name) for interface in row(kit, SWITCH).interfaces if interface.oper == "up"
    )
    switch = kit.kit.device(SWITCH, Nexus)
    assert texts(kit, seen_up=up) == []
    switch.link_down("Ethernet1/3")
    kit.poll()
    (text,) = texts(kit, seen_up=up)
    assert text.startswith(f"{SWITCH}: Ethernet1/3")
    switch.link_down("Ethernet1/3", shut=True)
    kit.poll()
    assert texts(kit, seen_up=up) == [], "somebody switched it off"


def test_interfaces_in_use_stand_before_those_that_are_not(kit: Polled) -> None:
    kit.poll()
    states = [interface.oper == "up" for interface in row(kit, SWITCH).interfaces]
    assert states == sorted(states, reverse=True)
    assert {True, False} == set(states)


def test_rates_are_the_difference_of_two_polls_by_their_time(kit: Polled) -> None:
    kit.poll()
    before = kit.state(SWITCH).last
    kit.poll(60)
    last = kit.state(SWITCH).last
    assert before is not None
    assert last is not None
    timed = msgspec.structs.replace(last, monotonic=before.monotonic + 60)
    found = {interface.name: interface for interface in interfaces(timed, before)}
    index = next(
        index
        for index, name in last.reading.labels["1.3.6.1.2.1.31.1.1.1.1"].items()
        if name == b"Ethernet1/1"
    )
    octets = [read.reading.tables["ifXTable"]["ifHCInOctets"][index] for read in (before, last)]
    assert found["Ethernet1/1"].received == pytest.approx((int(octets[1]) - int(octets[0])) * 8 / 60)  # type: ignore[arg-type]
    assert found["Ethernet1/1"].speed == 25e9
    assert found["Ethernet1/1"].use == pytest.approx(
        max(found["Ethernet1/1"].received or 0, found["Ethernet1/1"].sent or 0) / 25e9
    )


def _with_column(read: Read, table: str, column: str, index: str, value: object) -> Read:
    columns = read.reading.tables[table]
    tables = {**read.reading.tables, table: {**columns, column: {**columns[column], index: value}}}
    return msgspec.structs.replace(read, reading=msgspec.structs.replace(read.reading, tables=tables))


@pytest.mark.parametrize("value", [0, b"many", None], ids=["began anew", "text", "nothing"])
def test_a_counter_that_began_anew_or_is_none_gives_no_rate(kit: Polled, value: object) -> None:
    kit.poll()
    before = kit.state(SWITCH).last
    kit.poll(60)
    last = kit.state(SWITCH).last
    assert before is not None
    assert last is not None
    index = next(iter(last.reading.tables["ifXTable"]["ifHCInOctets"]))
    broken = _with_column(last, "ifXTable", "ifHCInOctets", index, value)
    broken = msgspec.structs.replace(broken, monotonic=before.monotonic + 60)
    name = last.reading.labels["1.3.6.1.2.1.31.1.1.1.1"][index]
    assert isinstance(name, bytes)
    found = next(interface for interface in interfaces(broken, before) if interface.name == name.decode())
    assert found.received is None
    assert found.sent is not None
    assert found.use is None


def test_an_index_that_moved_to_another_name_gives_no_rate(kit: Polled) -> None:
    kit.poll()
    before = kit.state(SWITCH).last
    kit.kit.device(SWITCH, Nexus).reboot(renumber=True)
    kit.poll(30)
    last = kit.state(SWITCH).last
    assert before is not None
    assert last is not None
    moved = msgspec.structs.replace(last, monotonic=before.monotonic + 60)
    for interface in interfaces(moved, before):
        assert interface.received is None or interface.received >= 0
    names = before.reading.labels["1.3.6.1.2.1.31.1.1.1.1"], last.reading.labels["1.3.6.1.2.1.31.1.1.1.1"]
    assert names[0] != names[1]


def _change(window: str | None, **other: object) -> Change:
    values: dict[str, object] = {
        "revision": "1f",
        "time": NOW,
        "found": NOW,
        "added": 3,
        "removed": 1,
        "lines": 200,
        "window": window,
    }
    return Change(**{**values, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("backup", "state", "words"),
    [
        (Backup("fw-1"), "unknown", "not copied yet"),
        (Backup("fw-1", tried=NOW, succeeded=NOW, changes=(_change(None),)), "good", ""),
        (Backup("fw-1", tried=NOW, succeeded=NOW - timedelta(hours=1), fault="cut"), "warning", "cut"),
        (Backup("fw-1", tried=NOW, succeeded=NOW - timedelta(hours=27), fault="cut"), "critical", "cut"),
        (Backup("fw-1", tried=NOW, fault="cut"), "critical", "cut"),
        (Backup("fw-1", tried=NOW, succeeded=NOW, startup_differs=True), "warning", "what runs is not saved"),
    ],
    ids=["never tried", "first", "failed once", "failed for long", "never succeeded", "not saved"],
)
def test_copies_of_configurations(backup: Backup, state: str, words: str) -> None:
    (shown,) = overview((), (backup,), frozenset(), NOW).configurations
    assert shown.state == state
    assert shown.words.startswith(words)


def test_a_first_copy_is_no_change() -> None:
    first = Backup("fw-1", tried=NOW, succeeded=NOW, changes=(_change(None),))
    later = Backup("fw-1", tried=NOW, succeeded=NOW, changes=(_change("outside"), _change(None)))
    shown = overview((), (first,), frozenset(), NOW).configurations[0]
    assert (shown.added, shown.removed, shown.outside) == (None, None, False)
    shown = overview((), (later,), frozenset(), NOW).configurations[0]
    assert (shown.added, shown.removed, shown.outside) == (3, 1, True)


TRAP = Trap(
    datetime.now(UTC),
    SWITCH,
    "192.0.2.1",
    "linkDown",
    "warning",
    "A link went down.",
    "<script>alert(1)</script>",
)


@pytest.fixture
def served(kit: Polled) -> Iterator[Served]:
    backups = (Backup("fw-1", tried=NOW, succeeded=NOW, changes=(_change("outside"), _change(None))),)
    sources = Sources(states=lambda: kit.states, backups=lambda: backups, traps=lambda: (TRAP,))
    kit.poll()
    with Served(kit.settings, beside=lambda page: NetworkPages(kit.settings, page, sources)) as server:
        yield server


def test_the_overview_in_a_browser_shows_what_comes_and_goes_by_itself(
    reader: Reader, served: Served, kit: Polled
) -> None:
    reader.log("browser")
    reader.open(f"{served.address}/network/")
    assert reader.text(".status span") == "All well"
    assert reader.run("document.querySelectorAll('#devices tbody tr').length") == 3
    assert "<script>" in reader.text("#traps"), "what a device sends is text"
    assert reader.complaints() == []
    kit.kit.device("r640-01", IDRAC).power_supplies[0].failed = True
    kit.poll(60)
    reader.wait("document.querySelector('.status span').textContent.includes('need')", 15)
    assert "r640-01: power supply" in reader.text(".troubles")
    assert "Began" in reader.text(".changes")
    assert reader.run("document.querySelector('#devices tbody th a').textContent") == "r640-01"
    assert [entry for entry in reader.log("browser") if entry["level"] == "SEVERE"] == []


def test_a_device_opens_from_the_overview_and_leads_back(reader: Reader, served: Served) -> None:
    reader.open(f"{served.address}/network")
    reader.run(
        f"[...document.querySelectorAll('#devices a')].find(a => a.textContent === '{SWITCH}').click()"
    )
    reader.wait("document.querySelector('#interfaces')")
    assert reader.text("h1") == SWITCH
    assert reader.run("document.querySelectorAll('#interfaces tbody tr').length") == 59
    assert reader.run("document.querySelectorAll('#sensors tbody tr').length") > 30
    assert reader.complaints() == []
    reader.run("document.querySelector('#filter').focus()")
    reader.press("mgmt")
    reader.wait(
        "[...document.querySelectorAll('#interfaces tbody tr')].filter(row => !row.hidden).length === 1"
    )
    reader.run("document.querySelector('nav a').click()")
    reader.wait("document.querySelector('#devices')")
    reader.run("document.querySelector('nav a').click()")
    reader.wait("location.pathname === '/'")


@pytest.mark.parametrize("width", [390, 1024, 1920])
def test_the_pages_fit_the_screen(reader: Reader, served: Served, width: int) -> None:
    reader.screen(width, 900)
    for path in ("/network/", f"/network/{SWITCH}/", "/network/r640-01/"):
        reader.open(served.address + path)
        assert reader.run("document.documentElement.scrollWidth") <= width


def test_a_device_that_does_not_exist_is_not_found(served: Served) -> None:
    for path in ("nobody/", "nobody/figures", "%3Cscript%3E/"):
        answer = httpx.get(f"{served.address}/network/{path}", trust_env=False)
        assert answer.status_code == 404
        assert "<script>" not in answer.text


def test_figures_are_made_once_however_many_ask(served: Served, kit: Polled) -> None:
    url = f"{served.address}/network/figures"
    with httpx.Client(trust_env=False) as client:
        begun = time.perf_counter()
        versions = {client.get(url).headers["etag"] for _ in range(50)}
        assert len(versions) == 1 or time.perf_counter() - begun > 2


def test_a_state_is_shown_for_a_device_that_was_never_polled(reader: Reader, kit: Polled) -> None:
    waiting = [State("fw-1", "fortigate", "north")]
    sources = Sources(states=lambda: waiting)
    with Served(kit.settings, beside=lambda page: NetworkPages(kit.settings, page, sources)) as server:
        reader.open(f"{server.address}/network/fw-1/")
        assert reader.text(".status span") == "Not polled yet"


def _asset(name: str, days: int, *, matches: bool | None = None) -> Row:
    until = NOW.date() + timedelta(days=days)
    return Row(name, "", "R640", "S1", "north", until, days, asset_state(days), matches)


ZONE = ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("days", "state", "told"),
    [
        (-1, "critical", "The service of srv ended 1 day ago"),
        (0, "critical", "The service of srv ends today"),
        (30, "critical", "The service of srv ends in 30 days"),
        (31, "warning", "The service of srv ends in 31 days"),
        (90, "warning", "The service of srv ends in 90 days"),
        (91, "notice", None),
        (180, "notice", None),
        (181, "good", None),
    ],
)
def test_an_end_of_service_calls_for_a_look_in_time(days: int, state: str, told: str | None) -> None:
    rows = service_rows([_asset("srv", days)], (), (), NOW, ZONE)
    assert [row.state for row in rows] == [state]
    assert [trouble.text for trouble in service_troubles(rows)] == ([told] if told else [])


def test_what_ends_first_is_on_top_and_what_is_unknown_at_the_end() -> None:
    licences = [
        LicenceConfiguration(1, product_id="PORT", expiration_date="24-Dec-2026"),
        LicenceConfiguration(2, product_id="PORT", expiration_date="01-Dec-2026"),
        LicenceConfiguration(3, product_id="VMR", expiration_date="permanent"),
    ]
    certificates = [
        Seen("manager:443", up=True, not_after=NOW + timedelta(days=2)),
        Seen("away:443", up=False, words="no connection"),
    ]
    rows = service_rows([_asset("srv", 100)], licences, certificates, NOW, ZONE)
    assert [(row.name, row.days, row.state) for row in rows] == [
        ("manager:443", 2, "critical"),
        ("PORT", 7, "critical"),
        ("srv", 100, "notice"),
        ("away:443", None, "unknown"),
    ]
    assert "away:443: no connection" in [trouble.text for trouble in service_troubles(rows)]


def test_what_ends_on_one_day_is_one_trouble() -> None:
    assets = [_asset(f"srv{number}", 75) for number in range(18)]
    (trouble,) = service_troubles(service_rows(assets, (), (), NOW, ZONE))
    assert trouble.text == "The service of srv0, srv1, srv10 and 15 more ends in 75 days"


def test_a_serial_number_that_differs_is_told() -> None:
    rows = service_rows(
        [_asset("srv", 400, matches=False), _asset("ok", 400, matches=True)], (), (), NOW, ZONE
    )
    assert [trouble.text for trouble in service_troubles(rows)] == [
        "srv: its serial number is not what the register says"
    ]
