"""Licence ports of organisations from the live snapshot."""

from datetime import timedelta

import pytest

from exporters.organisations import OrganisationPorts, bounded
from tests.exporters.examples import TIME, participant, snapshot, unreadable, usage_of
from vdx.claims import Claims
from vdx.organisations import NOBODYS
from vdx.snapshot import Snapshot
from vdx.telemetry import Telemetry
from vdx.tree import Organisation, Place, Tree

REGION, UNIT = Organisation(1, "r", "Region Midt", "region"), Organisation(2, "u", "Unit", "unit")
TREE = Tree([REGION, UNIT], [Place(1, None, TIME), Place(2, 1, TIME)])
CLAIMS = Claims([("tag", "region-midt", 2)])


class Known:
    """Organisations that a test chooses."""

    def __init__(self) -> None:
        self.current = TREE, CLAIMS
        self.asked = 0

    def pseudonym(self, alias: str) -> bytes:
        self.asked += 1
        return alias.encode()[:16].ljust(16)


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def ports(known: Known, telemetry: Telemetry) -> OrganisationPorts:
    return OrganisationPorts(known, telemetry)


def publish(ports: OrganisationPorts, taken: Snapshot) -> None:
    ports.publish(taken, usage_of(taken))


def series(telemetry: Telemetry) -> dict[str, float]:
    return {
        sample.labels["organisation"]: sample.value
        for family in telemetry.registry.collect()
        if family.name == "vdx_organisation_license_ports_used"
        for sample in family.samples
    }


def test_the_top_of_the_tree_has_the_ports_of_all_below(
    ports: OrganisationPorts, telemetry: Telemetry
) -> None:
    publish(ports, snapshot())
    assert series(telemetry) == {"Region Midt": 3, NOBODYS: 2}
    publish(ports, snapshot(participants=[]))
    assert series(telemetry) == {"Region Midt": 0, NOBODYS: 0}


def test_nothing_old_is_shown_when_participants_could_not_be_read(
    ports: OrganisationPorts, telemetry: Telemetry
) -> None:
    publish(ports, snapshot())
    publish(ports, unreadable("participant"))
    assert series(telemetry) == {}


def test_nothing_old_is_shown_when_counting_fails(
    ports: OrganisationPorts, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ports, snapshot())
    monkeypatch.setattr("exporters.organisations.license_ports", None)
    with pytest.raises(TypeError):
        publish(ports, snapshot())
    assert series(telemetry) == {}


def test_the_tree_that_holds_is_used(ports: OrganisationPorts, telemetry: Telemetry, known: Known) -> None:
    known.current = Tree(), Claims()
    publish(ports, snapshot())
    assert series(telemetry) == {}, "without organisations nothing is known of them"
    renamed = Tree([REGION._replace(name="Renamed"), UNIT], [Place(1, None, TIME), Place(2, 1, TIME)])
    known.current = renamed, CLAIMS
    publish(ports, snapshot())
    assert series(telemetry) == {"Renamed": 3, NOBODYS: 2}
    known.current = Tree([REGION], [Place(1, None, TIME, TIME + timedelta(days=1))]), Claims()
    publish(ports, snapshot(time=TIME + timedelta(days=2)))
    assert series(telemetry) == {NOBODYS: 5}, "one that vanished has no series"


def test_a_hash_is_reckoned_once(ports: OrganisationPorts, known: Known) -> None:
    legs = [
        participant(number, service_tag="other", source_alias="a@b.dk", conference="") for number in range(9)
    ]
    for _ in range(3):
        publish(ports, snapshot(participants=legs))
    assert known.asked == 1


def test_the_smallest_beyond_a_number_are_summed() -> None:
    ports = {NOBODYS: 7, "a": 1, "b": 5, "c": 2, "d": 1}
    assert bounded(ports, 4) == ports
    assert bounded(ports, 2) == {NOBODYS: 7, "(other)": 2, "b": 5, "c": 2}
