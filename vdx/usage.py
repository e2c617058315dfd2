"""What was used, by whom and when: pure functions from call legs to the rows of the usage tables."""

from enum import IntEnum
from typing import Final

from vdx.capacity import QUALITIES


class Scope(IntEnum):
    """What a row of usage is about; its number goes with the id of the location, organisation or tag."""

    PLATFORM = 0
    LOCATION = 1
    ORGANISATION = 2
    """An organisation by itself; id 0 is what belongs to none."""
    SUBTREE = 3
    """An organisation with all below it, by the tree as it stood at that time."""
    TAG = 4
    """A project: a service tag."""


class Outcome(IntEnum):
    """How a call leg went."""

    COMPLETED = 0
    FAILED = 1
    REFUSED_LICENSE = 2
    REFUSED_CAPACITY = 3


PROTOCOLS: Final = ("webrtc", "sip", "h323", "mssip", "teams", "meet", "rtmp", "other")
DEVICES: Final = ("browser", "app", "room", "phone", "gateway", "streaming", "other")

PRESENT: Final = ("meetings", "legs")
"""Counted in each period in which they were connected: who talks over midnight counts in both days."""

COUNTS: Final = (
    *PRESENT,
    "started_legs",
    "completed",
    "failed",
    "refused_license",
    "refused_capacity",
    "control_legs",
    "incoming",
    "outgoing",
    *(f"quality_{name}" for name in QUALITIES),
    *(f"protocol_{name}" for name in PROTOCOLS),
    *(f"device_{name}" for name in DEVICES),
)
"""Counted figures. All but `PRESENT` count a leg once, where it began (`started_legs`) or where it ended
(all others), so that periods, locations and organisations add up to the whole.

A leg is a person's: it has media and is no backplane. `completed` legs were connected; `failed` ones never
were, and of these `refused_license` and `refused_capacity` for want of one. `control_legs` have no media.
Directions, qualities, protocols and devices are those of the completed legs.
"""

TIMES: Final = ("participant_microseconds", "port_microseconds")
"""Time that legs were connected, and time that licence ports were held, within the period. Exact: they
add up over periods, locations and organisations."""
