"""A platform like VDX on a busy forenoon: 14 locations, 81 nodes, about 350 conferences and 1,000 people."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

import msgspec

from app.web.curve import Point
from vdx.capacity import TelephonyRule, Usage, measure
from vdx.pexip import records
from vdx.settings import LocationSettings, PexipSettings, PSTNSettings, Settings, WebSettings
from vdx.snapshot import ESSENTIAL, Configuration, Failure, Snapshot

NOW: Final = datetime(2026, 3, 3, 10, 3, 30, tzinfo=UTC)
CENTRAL: Final = {"Central Vest": 24, "Central Øst": 24}
DECENTRAL: Final = {
    "Region Nordjylland": 3,
    "Region Midtjylland": 5,
    "Region Syddanmark": 4,
    "Region Sjælland": 3,
    "Region Hovedstaden": 5,
    "Aarhus Kommune": 2,
    "Aalborg Kommune": 2,
    "Odense Kommune": 2,
    "Esbjerg Kommune": 1,
    "Københavns Kommune": 3,
    "Bornholm": 1,
    "Statens Institutioner": 2,
}
LOCATIONS: Final = CENTRAL | DECENTRAL
BUSY: Final = tuple(LOCATIONS.items())
KINDS: Final = (("conference", 6), ("lecture", 1), ("gateway", 2), ("test_call", 1))
PROTOCOLS: Final = (("WebRTC", 6), ("SIP", 3), ("MSSIP", 1), ("H323", 1))
TOPICS: Final = (
    "Hjemmesygepleje",
    "Psykiatrisk konsultation",
    "Udskrivningskonference",
    "Tolkning",
    "MDT-konference lunge",
    "Genoptræning",
    "Børn og unge",
    "Sårpleje",
    "Socialpsykiatri",
    "Tværfagligt møde",
)


def settings(*, names: bool = True, interval: int = 30, time_zone: str = "Europe/Copenhagen") -> Settings:
    """Settings of the sample platform; `interval` may be shorter than a Management Node would bear."""
    return Settings(
        locations=LocationSettings(
            central=tuple(CENTRAL), data_centres={"Vest": ("Central Vest",), "Øst": ("Central Øst",)}
        ),
        pstn=PSTNSettings(addresses=("10.200.40.0/28",)),
        web=WebSettings(conference_names=names),
    ).model_copy(update={"pexip": PexipSettings.model_construct(interval_seconds=interval)})


def _pick(random: Random, choices: tuple[tuple[str, int], ...]) -> str:
    names, weights = zip(*choices, strict=True)
    return str(random.choices(names, weights)[0])


def _identity(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _nodes() -> list[tuple[str, str, str]]:
    """(name, location, address) of each node."""
    nodes = []
    for index, (location, amount) in enumerate(LOCATIONS.items()):
        prefix = location.rsplit(maxsplit=1)[-1].lower() if index < 2 else location.lower().replace(" ", "-")
        nodes += [(f"{prefix}-{n:02}", location, f"10.{index}.0.{n}") for n in range(1, amount + 1)]
    return nodes


class Platform:
    """A made-up platform that gives one snapshot after another; the same seed gives the same ones."""

    def __init__(self, *, conferences: int = 350, seed: int = 1, now: datetime = NOW) -> None:
        random = Random(seed)
        self.nodes = _nodes()
        self.lost: tuple[str, ...] = ()
        self.maintenance: tuple[str, ...] = ()
        self.alarms: list[records.Alarm] = []
        self.conferences: list[records.Conference] = []
        self.participants: list[records.Participant] = []
        for number in range(conferences):
            kind = _pick(random, KINDS)
            size = {"conference": 2 + int(random.expovariate(1.3)), "lecture": random.randint(5, 20)}.get(
                kind, 1
            )
            name = f"{random.choice(TOPICS)} {4000 + number}"
            self.add(name, kind, size, now - timedelta(minutes=random.randint(0, 150)), random)

    def add(
        self,
        name: str,
        kind: str,
        size: int,
        start: datetime,
        random: Random,
        quality: str = "",
    ) -> None:
        """A conference of `size` people, all of one `quality` or of the usual mix."""
        self.conferences.append(
            records.Conference(id=_identity(random), name=name, service_type=kind, start_time=start)
        )
        home = _pick(random, BUSY)
        for _ in range(size):
            location = home if random.random() < 0.6 else _pick(random, BUSY)
            node = random.choice([node for node in self.nodes if node[1] == location])
            telephone = random.random() < 0.02
            poor = 6 if location in ("Bornholm", "Esbjerg Kommune") else 2
            mix = (("1_good", 80), ("2_ok", 14), ("3_bad", poor), ("4_terrible", 1), ("0_unknown", 2))
            self.participants.append(
                records.Participant(
                    id=_identity(random),
                    conference=name,
                    service_type=kind,
                    system_location=location,
                    protocol="SIP" if telephone else _pick(random, PROTOCOLS),
                    call_quality=quality or _pick(random, mix),
                    license_count=2 if kind == "gateway" else 1,
                    license_type="port",
                    media_node=node[2],
                    remote_address="10.200.40.3" if telephone else "192.0.2.1",
                    has_media=True,
                )
            )

    def snapshot(self, time: datetime = NOW) -> Snapshot:
        """What a poll at `time` sees."""
        load = Counter(participant.media_node for participant in self.participants)
        nodes = []
        for number, (name, location, address) in enumerate(self.nodes):
            calls = 81 if location in CENTRAL else 36
            tokens = calls * 18
            nodes.append(
                records.WorkerVM(
                    id=number,
                    configuration_id=number,
                    name=name,
                    node_type="CONFERENCING",
                    system_location=location,
                    version="37.1 (82112.0.0)",
                    sync_status="NOT_SYNCED" if name in self.lost else "SYNCED",
                    maintenance_mode=name in self.maintenance,
                    max_hd_calls=calls,
                    max_media_tokens=tokens,
                    media_tokens_used=0 if name in self.lost else min(tokens, 20 * load[address]),
                )
            )
        addresses = {name: address for name, _, address in self.nodes}
        lost = [
            records.Alarm(
                id=number,
                name="connectivity_lost",
                level="error",
                instance=f"Source=10.99.0.1, Destination={addresses[name]}",
                node="10.99.0.1",
            )
            for number, name in enumerate(self.lost)
        ]
        locations = [records.SystemLocation(id=n, name=name) for n, name in enumerate(LOCATIONS)]
        configuration = Configuration(
            worker_vms=[
                records.WorkerVMConfiguration(id=number, name=name, address=address)
                for number, (name, _, address) in enumerate(self.nodes)
            ],
            management_vms=[records.ManagementVMConfiguration(id=1, name="vdx-mgmt", address="10.99.0.1")],
        )
        shards = {(p.conference, p.media_node): p for p in self.participants}
        ports = sum(participant.license_count for participant in self.participants)
        return Snapshot(
            time=time,
            duration_seconds=1.2,
            conferences=self.conferences,
            conference_shards=[
                records.ConferenceShard(id=str(number), conference=conference, node=node)
                for number, (conference, node) in enumerate(shards)
            ],
            participants=self.participants,
            backplanes=[],
            locations=locations,
            nodes=nodes,
            managers=[],
            licensing=records.Licensing(port_count=max(0, ports - 3), port_total=1500),
            alarms=[*self.alarms, *lost],
            registrations=[],
            teams_nodes=[],
            configuration=configuration,
        )


def troubled(now: datetime = NOW, *, conferences: int = 350) -> Platform:
    """The platform with a lost node, maintenance, an alarm, and conferences in bad quality."""
    platform = Platform(conferences=conferences, now=now)
    platform.lost = ("vest-07",)
    platform.maintenance = ("øst-03", "øst-04")
    platform.alarms.append(
        records.Alarm(
            id=900,
            name="syslog_server_inaccessible",
            level="warning",
            node=platform.nodes[2][2],
            time_raised=now - timedelta(hours=5),
        )
    )
    random = Random(7)
    platform.add(
        "Akut konference Bornholm", "conference", 6, now - timedelta(minutes=21), random, "4_terrible"
    )
    platform.add("Stuegang 12B", "conference", 3, now - timedelta(minutes=4), random, "3_bad")
    return platform


def figures(platform: Platform, using: Settings, time: datetime = NOW) -> tuple[Snapshot, Usage]:
    """A snapshot and its figures, as the status miner hands them on."""
    snapshot = platform.snapshot(time)
    return snapshot, measure(snapshot, using, TelephonyRule(using.pstn))


def failed(using: Settings, time: datetime = NOW) -> tuple[Snapshot, Usage]:
    """A poll that got no answer."""
    failure = Failure("no answer within 5 s: check that pexip.url can be reached from here")
    snapshot = Snapshot(time, 5.0, failures=dict.fromkeys((*ESSENTIAL, "licensing", "alarm"), failure))
    return snapshot, measure(snapshot, using, TelephonyRule(using.pstn))


def with_licence_ports(usage: Usage, ports: int) -> Usage:
    """The same figures with another number of licence ports in use."""
    return msgspec.structs.replace(usage, license_ports=ports)


def history(now: datetime = NOW, peak: float = 1010) -> list[Point]:
    """A day's curve each five minutes, with a stretch out of sight in the night."""
    points: list[Point] = []
    start = now - timedelta(hours=24)
    for step in range(288):
        time = start + step * timedelta(minutes=5)
        hour = (time.hour + time.minute / 60 + 1) % 24
        shape = (
            math.exp(-(((hour - 10.2) / 2.2) ** 2)) + 0.72 * math.exp(-(((hour - 13.6) / 1.7) ** 2)) + 0.02
        )
        wave = 12 * math.sin(step * 1.7) + 9 * math.sin(step * 0.61)
        value = None if 3.0 <= hour < 3.8 else round(max(4, peak * 0.93 * shape + wave * shape))
        points.append((time, value))
    return points
