"""The meetings that begin in one hour: a pure function of the seed and the hour.

An hour is counted from 1970 in UTC; Danish local time decides how busy it is. A hundred more or fewer hours
planned before change nothing, so a world may begin at any quiet morning.
"""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Final

from simulator.estate import CENTRAL_LOCATIONS, NETWORK_TROUBLE, ORGANISATIONS, USUAL_TROUBLE, Room, rooms
from simulator.timing import day_of, local, start_of
from simulator.workload import hour_level

BUSIEST_HOUR_LEGS: Final = 3450
"""Call legs that begin in the busiest hour of a normal Tuesday: about 22,000 in the whole day."""

EARLY: Final = 300.0
"""Seconds before the hour from which people may join its meetings."""

LAST_LEAVE: Final = 120.0
"""Seconds before the end of the platform day by which everybody has left."""

PIN_SECONDS: Final = 12.0
ORDINALS_PER_HOUR: Final = 20_000
_ORDINAL_HOUR: Final = 473_352  # 2024-01-01T00Z


@dataclass(slots=True, eq=False)
class Leg:
    """One call leg as its people will make it: when, how and from where.

    `bits` is 64 random bits from which all that does not move the platform (names, addresses, jitter) is
    drawn.
    """

    id: str
    ordinal: int
    join: float
    leave: float
    kind: str
    protocol: str
    location: str
    bits: int
    chair: bool
    conversation: str
    has_media: bool = True
    outgoing: bool = False
    telephone: bool = False
    pin_seconds: float = 0.0
    troubled: bool = False

    @property
    def license_count(self) -> int:
        """One licence per leg with media, whatever its quality; control-only legs hold none."""
        return 1 if self.has_media else 0


@dataclass(slots=True, eq=False)
class Meeting:
    """Legs that go to the same conference."""

    conference: str
    service_type: str
    tag: str
    alias: str
    legs: list[Leg]


def identifier(bits: int) -> str:
    """A version 4 UUID made of 128 random bits."""
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


class _Choice:
    """A weighted choice by one random number."""

    def __init__(self, **weights: float) -> None:
        self.names = [name.replace("_", "/") for name in weights]
        total = sum(weights.values())
        self.bounds = list(accumulate(weight / total for weight in weights.values()))[:-1]

    def __call__(self, random: Random) -> str:
        return self.names[bisect(self.bounds, random.random())]


_MEETING: Final = _Choice(
    consultation=0.43, device=0.19, meeting=0.11, welcome=0.09, test=0.08, teams=0.06, lync=0.012, meet=0.018
)
_PROTOCOL: Final = _Choice(WebRTC=0.70, SIP=0.24, H323=0.06)
_KINDS: Final = {
    "WebRTC": _Choice(hd=0.66, sd=0.18, fullhd=0.10, audio=0.06),
    "SIP": _Choice(hd=0.60, fullhd=0.26, sd=0.12, audio=0.02),
    "H323": _Choice(hd=0.72, sd=0.24, fullhd=0.04),
}
_START_MINUTES: Final = ((0, 0, 0, 0, 0, 30, 30, 30, 30, 15, 45), (25, 30, 30, 40, 45, 50, 55, 60))


class HourPlanner:
    """Draws the meetings of one hour from one random stream."""

    def __init__(
        self, seed: int | str, start: float, ends: float, ordinal: int, catalogue: Sequence[Room]
    ) -> None:
        self.random = Random(f"plan {seed} {int(start)}")
        self.start = start
        self.day_start = start_of(day_of(start))
        self.last_leave = ends - LAST_LEAVE
        self.ordinal = ordinal
        self.catalogue = catalogue

    def leg(
        self,
        join: float,
        leave: float,
        location: str,
        protocol: str,
        kind: str | None = None,
        *,
        chair: bool = True,
        conversation: str = "",
        has_media: bool = True,
        outgoing: bool = False,
        telephone: bool = False,
        pin_seconds: float = 0.0,
    ) -> Leg:
        """One leg; its times are kept inside the platform day and to whole microseconds."""
        random = self.random
        join = round(min(max(join, self.day_start + 1), self.last_leave - 20), 6)
        leave = round(min(max(leave, join + 5), self.last_leave), 6)
        identity = identifier(random.getrandbits(128))
        self.ordinal += 1
        return Leg(
            identity,
            self.ordinal,
            join,
            leave,
            kind or _KINDS[protocol](random),
            protocol,
            location,
            random.getrandbits(64),
            chair,
            conversation or identity,
            has_media,
            outgoing,
            telephone,
            pin_seconds,
            random.random() < NETWORK_TROUBLE.get(location, USUAL_TROUBLE),
        )

    def entry(self, home: str, protocol: str, chair: bool) -> str:
        """The location somebody comes in by: staff by their own, citizens from the internet by a data
        centre."""
        roll = self.random.random()
        if protocol == "WebRTC" and not chair:
            return home if roll < 0.12 else CENTRAL_LOCATIONS[roll < 0.58]
        if roll < 0.40:
            return home
        if roll < 0.86:
            return CENTRAL_LOCATIONS[roll < 0.63]
        return self.random.choice(ORGANISATIONS)[1]

    def room_meeting(  # noqa: PLR0917
        self, room: Room, size: int, begin: float, seconds: float, spread: float, telephones: float
    ) -> Meeting:
        """People in a meeting room: the hosts first, most about the start, some late, most until the end."""
        random = self.random
        end = begin + seconds
        legs: list[Leg] = []
        pin = PIN_SECONDS if random.random() < 0.3 else 0.0
        for number in range(size):
            chair = number == 0 or random.random() < 0.3
            late = random.expovariate(1 / (spread * 4)) if random.random() < 0.15 else 0.0
            join = max(begin + random.gauss(-0.5 if chair else 0.3, 0.8) * spread + late, begin - EARLY)
            leave = end + random.gauss(0, 25) if random.random() < 0.8 else join + random.random() * seconds
            if random.random() < telephones:
                location = CENTRAL_LOCATIONS[random.random() < 0.5]
                legs.append(
                    self.leg(
                        join, leave, location, "SIP", "audio", chair=False, telephone=True, pin_seconds=pin
                    )
                )
                continue
            protocol = _PROTOCOL(random)
            location = self.entry(room.home, protocol, chair)
            pin_seconds = pin * (0.5 + random.random()) if pin and not chair else 0.0
            person = self.leg(join, leave, location, protocol, chair=chair, pin_seconds=pin_seconds)
            legs.append(person)
            if protocol == "WebRTC" and random.random() < 0.14:
                legs.append(self._control_leg(person))
        if size > 15 and random.random() < 0.6:
            legs.append(self.leg(begin + 30, end, room.home, "RTMP", "hd", chair=False, outgoing=True))
        return Meeting(room.name, room.service_type, room.tag, room.alias, legs)

    def _control_leg(self, person: Leg) -> Leg:
        return self.leg(
            person.join + 0.4,
            person.leave - 0.2,
            person.location,
            "API",
            "none",
            chair=person.chair,
            conversation=person.conversation,
            has_media=False,
        )

    def consultation(self) -> Meeting:
        """A patient and a clinician in a room, at any five minutes of the hour."""
        random = self.random
        size = 2 if random.random() < 0.82 else 3
        begin = self.start + 300 * random.randrange(12) + random.gauss(20, 40)
        return self.room_meeting(self._room(), size, begin, random.lognormvariate(6.45, 0.5), 45, 0.015)

    def meeting(self) -> Meeting:
        """A meeting on the hour or the half-hour."""
        random = self.random
        begin = self.start + 60 * random.choice(_START_MINUTES[0])
        size = min(18, 2 + int(random.expovariate(1 / 2.9)))
        seconds = 60 * random.choice(_START_MINUTES[1])
        return self.room_meeting(self._room(), size, begin, seconds, 70, 0.045)

    def lecture(self) -> Meeting:
        """Teaching in an auditorium for a large audience."""
        random = self.random
        room = self.catalogue[random.randrange(2, 42)]
        return self.room_meeting(
            room, random.randrange(18, 70), self.start, 60 * random.choice((45, 50)), 100, 0.01
        )

    def welcome(self) -> Meeting:
        """Somebody types a meeting number at the reception."""
        return self._single(self.catalogue[0], self.random.uniform(12, 55))

    def test(self) -> Meeting:
        """A test call."""
        return self._single(self.catalogue[1], self.random.uniform(20, 80))

    def _single(self, room: Room, seconds: float) -> Meeting:
        random = self.random
        join = self.start + random.random() * 3600
        protocol = _PROTOCOL(random)
        leg = self.leg(join, join + seconds, self.entry(room.home, protocol, False), protocol, chair=False)
        return Meeting(room.name, room.service_type, room.tag, room.alias, [leg])

    def device(self) -> Meeting:
        """One device calls another through the gateway: two legs, two licences."""
        return self._gateway("Endpoint", _PROTOCOL(self.random), self.random.lognormvariate(5.95, 0.6), False)

    def teams(self) -> Meeting:
        """Somebody joins a Teams meeting."""
        return self._gateway("Teams", "TEAMS", 60 * self.random.choice((15, 25, 30, 45)), True)

    def lync(self) -> Meeting:
        """A call with Skype for Business or Lync."""
        return self._gateway("Skype", "MSSIP", 60 * self.random.uniform(5, 30), False)

    def meet(self) -> Meeting:
        """Somebody joins a Google Meet."""
        return self._gateway("Meet", "GMS/GHM", 60 * self.random.choice((15, 25, 30)), True)

    def _gateway(self, rule: str, far: str, seconds: float, scheduled: bool) -> Meeting:
        random = self.random
        tag, home = random.choice(ORGANISATIONS)
        offset = (
            random.choice((0, 0, 1800, 900)) + random.gauss(0, 60) if scheduled else random.random() * 3600
        )
        join = max(self.start + offset, self.start - EARLY)
        near = "SIP" if random.random() < 0.7 else "H323"
        inbound = self.leg(join, join + seconds, home, near)
        kind = None if far in _KINDS else "hd"
        outbound = self.leg(
            join + 0.8, join + seconds, home, far, kind, conversation=inbound.conversation, outgoing=True
        )
        outbound.leave = inbound.leave
        name = f"VDX {rule} {identifier(random.getrandbits(128))}"
        alias = f"{rule.lower()}.{random.randrange(10**9):09}@{tag}.vdx.example"
        return Meeting(name, "gateway", tag, alias, [inbound, outbound])

    def _room(self) -> Room:
        return self.catalogue[self.random.randrange(42, len(self.catalogue))]

    def meetings(self, legs: float) -> Iterator[Meeting]:
        """Meetings until about so many legs are planned."""
        for _ in range(int(legs / 1100 + self.random.random())):
            lecture = self.lecture()
            legs -= len(lecture.legs)
            yield lecture
        legs += self.random.random() - 0.5
        while legs > 0:
            planned: Meeting = getattr(self, _MEETING(self.random))()
            legs -= len(planned.legs)
            yield planned


@lru_cache(maxsize=128)
def plan_hour(seed: int, hour: int) -> tuple[Meeting, ...]:
    """The meetings of the hour that begins `hour` hours after 1970-01-01T00Z, lived in Danish time."""
    start = hour * 3600.0
    day = day_of(start)
    ends = start_of(day_of(start_of(day) + 26 * 3600))
    level = hour_level(local(start).date(), local(start).hour)
    planner = HourPlanner(seed, start, ends, (hour - _ORDINAL_HOUR) * ORDINALS_PER_HOUR, rooms(seed))
    return tuple(planner.meetings(level * BUSIEST_HOUR_LEGS))


def crowd(seed: str, now: float, legs: int, ordinal: int, catalogue: Sequence[Room]) -> tuple[Meeting, ...]:
    """Extra meetings that begin now, of the given number of legs with media, for the faults of over-use and
    size."""
    planner = HourPlanner(seed, now, now + 4 * 3600, ordinal, catalogue)
    planner.day_start = now - 1
    random = planner.random
    meetings: list[Meeting] = []
    while legs > 0:
        size = min(legs, 1 + int(random.expovariate(1 / 7)))
        legs -= size
        room = catalogue[random.randrange(42, len(catalogue))]
        seconds = 60 * random.uniform(4, 50)
        members = [
            planner.leg(
                now, now + seconds, planner.entry(room.home, protocol, False), protocol, chair=number == 0
            )
            for number, protocol in enumerate(_PROTOCOL(random) for _ in range(size))
        ]
        name = f"{room.name} {random.randrange(10**6):06}"
        meetings.append(Meeting(name, "conference", room.tag, room.alias, members))
    return tuple(meetings)
