"""The parts of the trap listener that need no network: catalogue, readings, buckets, the kernel's table."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.snmp.traps.catalogue import UNKNOWN, catalogue
from exporters.snmp.traps.faults import MENDED_SECONDS, Faults
from exporters.snmp.traps.gate import WORK_BURST, WORK_SHARE, Bucket, Gate
from exporters.snmp.traps.reading import MOST_DETAILS, TRAP_OID, NoTrapError, Value, read
from exporters.snmp.traps.socket import bind, find_drops
from exporters.snmp.traps.sources import Sources, plain_address
from vdx.settings import DeviceSettings, SettingsError

FOLDER = Path(__file__).parents[4]
OIDS = st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=12).map(
    lambda parts: ".".join(map(str, parts))
)
VALUES = st.one_of(st.integers(), st.binary(max_size=400), st.text(max_size=400))


def test_what_a_trap_clears_and_tells_is_in_the_catalogue() -> None:
    known = catalogue()
    oids = [trap.oid for trap in known.traps.values()]
    assert len(set(oids)) == len(oids)
    for name, trap in known.traps.items():
        assert set(trap.clears) <= set(known.traps), name
        assert all(known.traps[cleared].level != "info" for cleared in trap.clears), name
        assert trap.meaning.endswith("."), name


def test_every_trap_that_a_rule_names_is_in_the_catalogue() -> None:
    rules = (FOLDER / "alerts" / "rules" / "traps.yml").read_text(encoding="utf-8")
    named = {name for group in re.findall(r'trap=~?"([^"]+)"', rules) for name in group.split("|")}
    assert len(named) > 10
    assert named <= set(catalogue().traps)


def test_a_device_is_given_the_traps_of_its_kind() -> None:
    firewall, server = catalogue().of_kind("fortigate"), catalogue().of_kind("idrac")
    assert {"coldStart", "linkDown", "fgTrapHaSwitch"} <= set(firewall)
    assert "alertFanFailure" in server
    assert "alertFanFailure" not in firewall
    assert {"coldStart", "linkDown"} <= set(catalogue().of_kind("generic"))


@pytest.mark.parametrize(
    ("state", "level", "clears", "told"),
    [
        (2, "info", ("cefcFanTrayStatusChange",), "cefcFanTrayOperStatus.534=up"),
        (3, "critical", (), "cefcFanTrayOperStatus.534=down"),
        (99, "critical", (), "cefcFanTrayOperStatus.534=99"),
    ],
)
def test_good_news_is_told_from_bad_by_what_the_trap_holds(
    state: int, level: str, clears: tuple[str, ...], told: str
) -> None:
    reading = read(
        [(TRAP_OID, "1.3.6.1.4.1.9.9.117.2.0.6"), ("1.3.6.1.4.1.9.9.117.1.4.1.1.1.534", state)], catalogue()
    )
    assert (reading.name, reading.level, reading.clears, reading.details) == (
        "cefcFanTrayStatusChange",
        level,
        clears,
        told,
    )


@given(OIDS, st.lists(st.tuples(OIDS, VALUES), max_size=30))
def test_any_trap_reads_as_bounded_printable_text(oid: str, varbinds: list[tuple[str, Value]]) -> None:
    reading = read([(TRAP_OID, oid), *varbinds], catalogue())
    assert reading.name == UNKNOWN or reading.name in catalogue().traps
    assert len(reading.details) <= MOST_DETAILS
    assert reading.details.isprintable()
    assert reading.meaning.isprintable()


def test_the_community_that_a_relay_adds_is_not_shown() -> None:
    reading = read(
        [(TRAP_OID, "1.3.6.1.6.3.1.1.5.1"), ("1.3.6.1.6.3.18.1.4.0", b"quiet-lamp")],
        catalogue(),
    )
    assert reading.details == ""


@pytest.mark.parametrize("varbinds", [[], [(TRAP_OID, 5)], [(TRAP_OID, "")], [(TRAP_OID, b"1.3.6")]])
def test_a_notification_without_a_name_is_refused(varbinds: list[tuple[str, Value]]) -> None:
    with pytest.raises(NoTrapError):
        read(varbinds, catalogue())


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=200), st.integers(1, 50))
def test_a_source_is_looked_at_no_more_than_its_rate_allows(pauses: list[float], per_second: int) -> None:
    gate = Gate(per_second, ("core1",), now=0)
    now, taken = 0.0, 0
    for pause in pauses:
        now += pause
        taken += gate.refuses("core1", now) == ""
    assert taken <= per_second + now * per_second


def test_a_bucket_that_is_used_up_fills_again_and_no_further_than_its_burst() -> None:
    bucket = Bucket(rate=2, burst=4, now=10)
    bucket.take(6)
    assert bucket.tokens(10) == -2
    assert bucket.tokens(12) == 2
    assert bucket.tokens(5) == 2, "a clock that steps back gives nothing"
    assert bucket.tokens(100) == 4


def test_work_that_is_overdrawn_stops_all_sources_until_it_is_made_good() -> None:
    gate = Gate(100, ("core1", "fw1"), now=0)
    gate.worked(WORK_BURST + WORK_SHARE)
    assert gate.refuses("fw1", 0.9) == "load"
    assert gate.refuses("core1", 1.1) == ""


def test_a_fault_is_told_again_after_it_was_mended(log: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("exporters.snmp.traps.faults.time.monotonic", lambda: now)
    faults = Faults()
    for _ in range(3):
        faults.tell("core1", "size")
        faults.forget_mended()
    assert len(log) == 1
    now += MENDED_SECONDS + 1
    faults.forget_mended()
    faults.tell("core1", "size")
    assert len(log) == 2


def test_the_drops_of_a_socket_are_found_by_its_inode() -> None:
    table = (
        "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode "
        "ref pointer drops\n"
        "  110: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 "
        "0000000000000000 12\n"
        "  111: 0100007F:1F91 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12 2 "
        "0000000000000000 99\n"
    )
    assert find_drops(table, 4711) == 12
    assert find_drops(table, 5) is None
    assert find_drops("", 5) is None


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ("no.such.host.invalid:162", "is no address or host name"),
        ("192.0.2.1:16200", "is not an address of this machine"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_with_the_mend(listen: str, words: str) -> None:
    with pytest.raises(SettingsError, match=rf"^traps\.listen: {re.escape(listen)}.*{words}"):
        bind(listen)


def test_a_port_that_needs_a_right_is_told_with_the_way_to_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.bind", refuse)
    with pytest.raises(SettingsError, match="AmbientCapabilities=CAP_NET_BIND_SERVICE"):
        bind("127.0.0.1:162")


def test_addresses_are_known_in_any_form() -> None:
    devices = {
        "fw1": DeviceSettings(address="192.0.2.1", kind="fortigate"),
        "twin": DeviceSettings(address="192.0.2.1", kind="fortigate"),
        "core1": DeviceSettings(address="2001:DB8:0::1", kind="nexus"),
    }
    sources = Sources(devices)
    assert sources.device(plain_address("::ffff:192.0.2.1")) == "fw1"
    assert sources.device(plain_address("2001:db8::1%eth0")) == "core1"
    assert sources.device("192.0.2.9") == "unknown"
