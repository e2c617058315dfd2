"""A FortiGate pair: two members, one of them the primary, which answers on the address that both share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.network.ber import counter32, gauge32, integer, oid, text
from simulator.network.device import Part
from simulator.network.motion import activity, derived, wobble
from simulator.network.view import Objects, Value, row, scalars

HIGH_AVAILABILITY = oid("1.3.6.1.4.1.12356.101.13.1")
MEMBER_ENTRY = oid("1.3.6.1.4.1.12356.101.13.2.1.1")
ACTIVE_PASSIVE: Final = 3


@dataclass(kw_only=True)
class Member(Part):
    """One of the two; `sparse` shows only its serial number and host name, as some recordings do."""

    serial: str
    hostname: str
    lost: bool = False
    synchronized: bool = True
    sparse: bool = False


@dataclass(kw_only=True)
class Cluster(Part):
    """The pair, and what may happen to it."""

    members: tuple[Member, Member]
    primary_number: int = 0
    """Which member is the primary: 0 or 1."""
    sessions: float = 240_000
    """Mean sessions on the primary."""

    @property
    def primary(self) -> Member:
        """The member that carries the traffic."""
        return self.members[self.primary_number]

    @property
    def standby(self) -> Member:
        """The other one."""
        return self.members[1 - self.primary_number]

    def switch(self) -> None:
        """The standby takes over."""
        self.primary_number = 1 - self.primary_number

    def share(self, member: Member) -> float:
        """How much of the work a member has: the standby little more than keeping up."""
        return 1.0 if member is self.primary else 0.04

    def objects(self, shown_by: Member, booted: float) -> Objects:
        """fgHaInfo and fgHaStatsTable, in which who answers comes first and a lost member is not."""
        yield from scalars(
            HIGH_AVAILABILITY,
            {
                1: integer(ACTIVE_PASSIVE),
                2: integer(10),
                3: integer(200 if shown_by is self.members[0] else 100),
                4: integer(1),
                5: integer(2),
                7: text("vdx-firewalls"),
            },
        )
        others = [member for member in self.members if member is not shown_by]
        present = [member for member in (shown_by, *others) if not member.lost or member is shown_by]
        for number, member in enumerate(present, 1):
            yield from row(MEMBER_ENTRY, number, self._columns(member, booted))

    def _columns(self, member: Member, booted: float) -> dict[int, Value]:
        always: dict[int, Value] = {2: text(member.serial), 11: text(member.hostname)}
        if member.sparse:
            return always
        share = self.share(member)
        version = "configuration" if member.synchronized else f"configuration of {member.serial}"
        checksum = f"{derived(version):016x}{derived(version + ' all'):016x}"
        grown = _grown(booted, share)
        return always | {
            3: lambda now: gauge32(share * 18 * activity(now) + 2 + wobble(member.serial, now)),
            4: lambda now: gauge32(34 + 3 * wobble(member.hostname, now)),
            5: lambda now: gauge32(share * 4_200_000 * activity(now)),
            6: lambda now: gauge32(share * self.sessions * activity(now)),
            7: lambda now: counter32(grown(now) * 650_000),
            8: lambda now: counter32(grown(now) * 525_000_000),
            9: lambda now: counter32(grown(now) * 0.002),
            10: lambda now: counter32(grown(now) * 0.0005),
            12: integer(int(member.synchronized)),
            13: text("2026/01/12 03:12:45" if member.synchronized else ""),
            14: text("" if member.synchronized else "2026/01/12 03:12:45"),
            15: text(checksum[:32]),
            16: text(self.primary.serial),
            17: text(checksum[::-1][:32]),
        }


def _grown(booted: float, share: float) -> Callable[[float], float]:
    return lambda now: share * max(0.0, now - booted)
