"""What calls cost on Conferencing Nodes, and on which node a call's media is handled.

Tokens are Pexip's unit of media capacity: 1 an audio call, 7.75 an SD, 18.3 an HD (720p) and 33.5 a Full HD
call, as read from real nodes. They are counted here in twentieths, so that sums stay exact.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from simulator.estate import LOCATIONS, NODES, ConferencingNode

UNITS_PER_TOKEN: Final = 20
COSTS: Final[dict[str, int]] = {"none": 0, "audio": 20, "sd": 155, "hd": 366, "fullhd": 670}
"""Units of a call by its kind; a control-only leg costs none."""

BACKPLANE_COST: Final = COSTS["hd"]
"""Each conference reserves one HD call on each of its nodes when it has more than one."""

NODES_PER_LOCATION: Final = 3
"""At most so many nodes of one location handle the media of one conference."""


class NodeState:
    """A Conferencing Node at work."""

    __slots__ = (
        "_tokens",
        "installed",
        "lost_since",
        "maintenance",
        "restored",
        "signalled",
        "units",
        "used",
    )

    def __init__(self, installed: ConferencingNode) -> None:
        self.installed = installed
        self.used = 0
        self.signalled = 0
        self.maintenance = ""
        self.lost_since: float | None = None
        self.restored: float | None = None
        self.scale(1)

    def scale(self, factor: float) -> None:
        """Make the node so many times its installed size."""
        self._tokens = int(self.installed.tokens * factor)
        self.units = self._tokens * UNITS_PER_TOKEN

    @property
    def max_tokens(self) -> int:
        """Media tokens of the node."""
        return self._tokens

    @property
    def tokens_used(self) -> int:
        """Media tokens in use, rounded to whole ones as the API reports them."""
        return round(self.used / UNITS_PER_TOKEN)

    @property
    def available(self) -> bool:
        """Whether the node takes calls."""
        return self.lost_since is None and not self.maintenance

    def max_calls(self, kind: str) -> int:
        """Simultaneous calls of a kind that the node holds (rounded down, as real nodes report)."""
        return self.units // COSTS[kind]

    @property
    def hardware_ports_used(self) -> float:
        """720p ports in use: the node's load share times its HD calls."""
        return self.tokens_used / self._tokens * self.max_calls("hd")


class Placement:
    """The nodes by location, and the choice among them."""

    def __init__(self) -> None:
        self.nodes = [NodeState(node) for node in NODES]
        self.by_location = {
            location.name: [node for node in self.nodes if node.installed.location == location.name]
            for location in LOCATIONS
        }
        self._order = {location.name: (location.name, *location.overflow) for location in LOCATIONS}

    def signalling(self, location: str, bits: int) -> NodeState:
        """The node that signals a call: one of its location's, or of the overflow when none is available.

        Signalling itself never overflows; a caller whose own location is dark dials the next one.
        """
        for name in self._order[location]:
            nodes = [node for node in self.by_location[name] if node.available]
            if nodes:
                return nodes[bits % len(nodes)]
        return self.by_location[location][0]

    def peers(self, node: NodeState) -> list[NodeState]:
        """Up to three nodes that work and would notice the loss of this one, the nearest location's first."""
        for name in self._order[node.installed.location]:
            working = [peer for peer in self.by_location[name] if peer is not node and peer.available]
            if working:
                return working[:3]
        return []

    def choose(self, location: str, hosting: Mapping[NodeState, int], cost: int) -> NodeState | None:
        """The node for a call's media: in its location, then the first overflow location, then the second.

        A node that hosts the conference already is preferred while it has room, else the least loaded one is
        taken; None when everything is full.
        """
        for name in self._order[location]:
            node = _choose_in(self.by_location[name], hosting, cost)
            if node is not None:
                return node
        return None


def _choose_in(nodes: Sequence[NodeState], hosting: Mapping[NodeState, int], cost: int) -> NodeState | None:
    here = [node for node in nodes if node in hosting] if hosting else []
    for node in here:
        if node.available and node.units - node.used >= cost:
            return node
    if len(here) >= NODES_PER_LOCATION:
        return None
    wanted = cost + (BACKPLANE_COST if hosting else 0)
    free = [
        node for node in nodes if node not in hosting and node.available and node.units - node.used >= wanted
    ]
    return min(free, key=_load) if free else None


def _load(node: NodeState) -> float:
    return node.used / node.units


def lent(nodes: Iterable[NodeState]) -> int:
    """720p ports of the nodes that can take calls."""
    return sum(node.max_calls("hd") for node in nodes if node.available)
