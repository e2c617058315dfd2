"""What goes on besides calls, as pure functions of time: registrations, standing alarms, maintenance,
restarts.

Each is a cycle with a length and a phase of its own, so that nothing need be remembered to know the present.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from simulator.estate import MANAGER_ADDRESS, NODES, ORGANISATIONS
from simulator.timing import COPENHAGEN

DEVICES: Final = 640
"""Devices that register; some hundred are registered at any time."""

CONNECTORS: Final = 4
"""Teams Connector instances."""

KEPT: Final = 2 * 86400.0
"""Seconds for which ended registrations and alarms are listed in history."""


def derived(text: str) -> int:
    """128 bits that depend on nothing but the text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")


def mixed(bits: int, number: int) -> int:
    """32 well-mixed bits of a number, for what changes with it (splitmix64's constants)."""
    value = (bits ^ (number * 0x9E3779B97F4A7C15)) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    return (value >> 27) & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Span:
    """One turn of a cycle: it holds from `start` to `end`."""

    number: int
    start: float
    end: float


def turns(bits: int, period: float, share: float, since: float, until: float) -> Iterator[Span]:
    """The turns of a cycle that touch the given time: each `period` seconds long, of which it holds
    `share`."""
    phase = bits % int(period)
    number = int((since - phase) // period) - 1
    while phase + number * period <= until:
        start = phase + number * period + mixed(bits, number) % int(period * 0.1 + 1)
        end = start + period * share * 0.9
        if end > since and start <= until:
            yield Span(number, float(start), float(end))
        number += 1


@dataclass(frozen=True, slots=True)
class Registration:
    """A device's registration."""

    id: int
    device: int
    bits: int
    organisation: str
    location: str
    span: Span


@lru_cache(maxsize=8)
def _devices(seed: int) -> tuple[tuple[int, int, str, str], ...]:
    return tuple(
        (number, bits, *ORGANISATIONS[bits % len(ORGANISATIONS)])
        for number in range(DEVICES)
        for bits in (derived(f"device {seed} {number}") >> 64,)
    )


def registrations(seed: int, since: float, until: float) -> list[Registration]:
    """Registrations that hold at some time from `since` to `until`, in the order of their start."""
    found = [
        Registration(1000 * device + span.number % 1000, device, bits, organisation, location, span)
        for device, bits, organisation, location in _devices(seed)
        for span in turns(bits, 3600.0 * (9 + bits % 60), 0.45 + bits % 50 / 100, since, until)
    ]
    return sorted(found, key=lambda registration: (registration.span.start, registration.device))


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm: raised, and perhaps lowered since."""

    id: int
    identifier: int
    name: str
    level: str
    details: str
    instance: str
    node: str
    raised: float
    lowered: float | None = None


@dataclass(frozen=True, slots=True)
class _StandingAlarm:
    """An alarm that comes and goes by itself: hours of its cycle, and the share for which it is raised."""

    identifier: int
    name: str
    level: str
    details: str
    instance: str
    node: str
    hours: float
    share: float


_FAR_NODE: Final = NODES[-3]
_STANDING: Final = (
    _StandingAlarm(
        27, "eventsink_reached_maximum_backoff", "warning", "Event sink has stopped", "vdx-test-sink",
        NODES[0].address, 24 * 40, 1.1,
    ),
    _StandingAlarm(
        19, "certificate_expires_soon", "warning", "A TLS certificate is about to expire",
        "vdx-test.vdx.example", MANAGER_ADDRESS, 24 * 60, 1.1,
    ),
    _StandingAlarm(
        5, "configuration_sync_failure", "warning", "Configuration could not be synchronised",
        _FAR_NODE.name, MANAGER_ADDRESS, 31, 0.03,
    ),
    _StandingAlarm(
        3, "connectivity_lost", "error", "Connectivity lost between nodes",
        f"Source={NODES[0].address}, Destination={_FAR_NODE.address}", NODES[0].address, 17, 0.008,
    ),
)  # fmt: skip


def standing_alarms(seed: int, since: float, until: float) -> list[Alarm]:
    """Alarms of the platform's everyday life: two long-lived warnings, and short troubles at a far node."""
    found = [
        Alarm(
            100_000 * (kind + 1) + span.number,
            alarm.identifier,
            alarm.name,
            alarm.level,
            alarm.details,
            alarm.instance,
            alarm.node,
            span.start,
            span.end,
        )
        for kind, alarm in enumerate(_STANDING)
        for span in turns(
            derived(f"alarm {seed} {kind}") >> 64, alarm.hours * 3600, alarm.share, since, until
        )
    ]
    return sorted(found, key=lambda alarm: (alarm.raised, alarm.id))


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A node is taken out of use from `start` to `end`."""

    node: int
    start: float
    end: float
    reason: str


def maintenance_windows(day: date) -> list[MaintenanceWindow]:
    """Nightly maintenance: from Monday to Thursday four nodes in turn, 21:30 to 01:30 Danish time."""
    if day.weekday() > 3:
        return []
    start = datetime.combine(day, time(21, 30), COPENHAGEN).timestamp()
    turn = (day.toordinal() // 7) * 4 + day.weekday()
    return [
        MaintenanceWindow(
            (turn * 4 + number) % len(NODES), start + 60 * number, start + 4 * 3600, "Planned upgrade"
        )
        for number in range(4)
    ]


def boot_time(node: int, now: float) -> float:
    """When a node last started: every 91 days by turns."""
    period = 91 * 86400.0
    phase = derived(f"boot {node}") % int(period) + 0.604_738
    return phase + (now - phase) // period * period


def last_contact(node: int, now: float) -> float:
    """When the manager last tried to reach a node: every 30 s."""
    phase = derived(f"contact {node}") % 30 + 0.25
    return phase + (now - phase) // 30 * 30


def last_pushed(node: int, now: float) -> float:
    """When the configuration was last pushed to a node: every ten minutes, as the provisioning changes it."""
    phase = derived(f"push {node}") % 600
    return phase + (now - phase) // 600 * 600
