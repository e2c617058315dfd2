"""The VDX estate: locations, Conferencing Nodes, organisations, meeting rooms and the limits of the platform.

Sizes follow MedCom's description of VDX: 48 central nodes in two data centres on 24 hypervisors, 33 decentral
nodes in 12 locations, about 3,900 + 1,200 simultaneous 720p ports, 1,500 licence ports, 40 telephone lines.
"""

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

LICENSE_PORTS: Final = 1500
"""Licence ports bought. VDX has no licence wall: calls above are carried."""

PSTN_LINES: Final = 40
"""Lines of the telephony trunk; a call above is refused."""

PSTN_ADDRESSES: Final[tuple[str, ...]] = ("10.200.40.11", "10.200.40.12")
"""Addresses of the telephony trunk's gateways: SIP calls from here are telephone calls."""

DATA_CENTRES: Final[dict[str, tuple[str, ...]]] = {"Vest": ("Central Vest",), "Øst": ("Central Øst",)}
"""Data centre name -> names of the system locations in it."""

CENTRAL_LOCATIONS: Final[tuple[str, ...]] = tuple(name for names in DATA_CENTRES.values() for name in names)
"""System locations whose nodes are central; every other location is decentral."""

DOMAIN: Final = "vdx.example"
MANAGER_NAME: Final = "vdx-mgmt"
MANAGER_ADDRESS: Final = "10.200.0.10"
CENTRAL_NODES: Final = 24
"""Conferencing Nodes in each data centre: two on each of 12 hypervisors, one per physical CPU."""

CENTRAL_TOKENS: Final = 1490
"""Media tokens of a central node (40 vCPU): 81 HD calls of 18.3 tokens, about 2 per vCPU."""

DECENTRAL_LOCATIONS: Final[dict[str, tuple[int, str]]] = {
    "Region Nordjylland": (3, "Central Vest"),
    "Region Midtjylland": (5, "Central Vest"),
    "Region Syddanmark": (4, "Central Vest"),
    "Region Sjælland": (3, "Central Øst"),
    "Region Hovedstaden": (5, "Central Øst"),
    "Aarhus Kommune": (2, "Central Vest"),
    "Aalborg Kommune": (2, "Central Vest"),
    "Odense Kommune": (2, "Central Vest"),
    "Esbjerg Kommune": (1, "Central Vest"),
    "Københavns Kommune": (3, "Central Øst"),
    "Bornholm": (1, "Central Øst"),
    "Statens Institutioner": (2, "Central Øst"),
}
"""Decentral location -> number of nodes, and the central location that takes its overflow first."""

NETWORK_TROUBLE: Final[dict[str, float]] = {
    "Bornholm": 0.22,
    "Esbjerg Kommune": 0.15,
    "Region Nordjylland": 0.08,
}
"""Share of calls with a bad network at the locations known for it; elsewhere `USUAL_TROUBLE`."""

USUAL_TROUBLE: Final = 0.03


@dataclass(frozen=True, slots=True)
class Location:
    """A Pexip system location."""

    id: int
    name: str
    central: bool
    overflow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConferencingNode:
    """A Conferencing Node as it was installed; what it does at the moment is kept by `capacity.NodeState`."""

    id: int
    name: str
    address: str
    location: str
    tokens: int
    cpu_count: int
    hypervisor_host: str


@dataclass(frozen=True, slots=True)
class Room:
    """A configured service: virtual meeting room, auditorium, reception or test call."""

    id: int
    name: str
    alias: str
    service_type: str
    tag: str
    home: str


def _locations() -> tuple[Location, ...]:
    central = tuple(
        Location(number, name, True, tuple(other for other in CENTRAL_LOCATIONS if other != name))
        for number, name in enumerate(CENTRAL_LOCATIONS, 1)
    )
    decentral = tuple(
        Location(number, name, False, (first, *(other for other in CENTRAL_LOCATIONS if other != first)))
        for number, (name, (_, first)) in enumerate(DECENTRAL_LOCATIONS.items(), len(central) + 1)
    )
    return central + decentral


LOCATIONS: Final = _locations()
"""All 14 system locations."""


def _nodes() -> tuple[ConferencingNode, ...]:
    nodes: list[ConferencingNode] = []
    for site, location in enumerate(LOCATIONS, 1):
        count = CENTRAL_NODES if location.central else DECENTRAL_LOCATIONS[location.name][0]
        for number in range(1, count + 1):
            if location.central:
                tokens, cpus = CENTRAL_TOKENS, 40
                name, host = f"vdx-c{site}-conf{number:02}", f"vdx-c{site}-esx{(number + 1) // 2:02}"
            else:
                # 40 and 32 HD calls by turns, about 1,200 over the 33 decentral nodes.
                tokens, cpus = (733, 20) if (site + number) % 2 else (590, 16)
                name, host = f"vdx-d{site:02}-conf{number:02}", f"vdx-d{site:02}-esx{number:02}"
            address = f"10.{200 + site}.10.{10 + number}"
            nodes.append(ConferencingNode(len(nodes) + 2, name, address, location.name, tokens, cpus, host))
    return tuple(nodes)


NODES: Final = _nodes()
"""All 81 Conferencing Nodes; ids begin at 2, since the Management Node is 1."""

ORGANISATIONS: Final[tuple[tuple[str, str], ...]] = (
    tuple(
        (f"region-{name}", location)
        for name, location in (
            ("nordjylland", "Region Nordjylland"),
            ("midtjylland", "Region Midtjylland"),
            ("syddanmark", "Region Syddanmark"),
            ("sjaelland", "Region Sjælland"),
            ("hovedstaden", "Region Hovedstaden"),
        )
    )
    + tuple(
        (f"kommune-{name}", location)
        for location, names in {
            "Aarhus Kommune": "aarhus",
            "Aalborg Kommune": "aalborg",
            "Odense Kommune": "odense",
            "Esbjerg Kommune": "esbjerg",
            "Københavns Kommune": "koebenhavn",
            "Bornholm": "bornholm",
            "Central Vest": "herning holstebro horsens randers silkeborg skive viborg struer kolding vejle "
            "fredericia haderslev soenderborg aabenraa toender svendborg nyborg middelfart hjoerring "
            "frederikshavn thisted broenderslev favrskov norddjurs",
            "Central Øst": "roskilde koege slagelse naestved holbaek kalundborg vordingborg guldborgsund "
            "lolland helsingoer hilleroed gentofte gladsaxe ballerup rudersdal frederiksberg hvidovre "
            "taarnby",
        }.items()
        for name in names.split()
    )
    + tuple(
        (f"stat-{name}", "Statens Institutioner")
        for name in ("sundhedsdata", "kriminalforsorg", "serum", "patientombud", "medcom")
    )
)
"""Service tag of each organisation -> the location its people usually come in by."""

SUBJECTS: Final = [
    "MDT Lunge",
    "MDT Bryst",
    "MDT Tarm",
    "Hjerteklinik",
    "Lungeklinik",
    "Diabetesambulatorium",
    "Neurologi",
    "Psykiatri ambulant",
    "Børneafdeling",
    "Fødeafdeling",
    "Nyreklinik",
    "Onkologi",
    "Genoptræning",
    "Hjemmesygepleje",
    "Socialpsykiatri",
    "Misbrugscenter",
    "Jobcenter",
    "Plejecenter",
    "Sundhedsplejen",
    "Tolkecentral",
    "Udskrivning",
    "Kommunelæge",
    "Ledermøde",
    "Driftsmøde",
    "Projekt",
]

RECEPTION: Final = "VDX Velkomst"
TEST_CALL: Final = "VDX Testkald"
ROOM_COUNT: Final = 3000
AUDITORIUM_COUNT: Final = 40


@cache
def rooms(seed: int) -> tuple[Room, ...]:
    """The configured services: the reception and the test call first, then auditoriums, then meeting
    rooms."""
    random = Random(f"rooms {seed}")
    built = [
        Room(1, RECEPTION, f"velkomst@{DOMAIN}", "two_stage_dialing", "stat-medcom", "Central Vest"),
        Room(2, TEST_CALL, f"test@{DOMAIN}", "test_call", "stat-medcom", "Central Øst"),
    ]
    regions = ORGANISATIONS[:5]
    for number in range(3, ROOM_COUNT + 1):
        auditorium = number < 3 + AUDITORIUM_COUNT
        tag, home = random.choice(regions) if random.random() < 0.6 else random.choice(ORGANISATIONS)
        subject = "Auditorium" if auditorium else random.choice(SUBJECTS)
        place = tag.partition("-")[2].capitalize()
        service_type = "lecture" if auditorium else "conference"
        built.append(
            Room(
                number, f"{subject} {place} {number}", f"{600000 + number}@{DOMAIN}", service_type, tag, home
            )
        )
    return tuple(built)
