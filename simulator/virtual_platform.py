"""The virtual platform: clock, world, history and faults together, for the HTTP server and for tests
in-process."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from simulator.catalogue import Catalogue, catalogue
from simulator.clock import Clock
from simulator.estate import DATA_CENTRES
from simulator.faults import WORLD_FAULTS, Fault, FaultBoard, UnknownFaultError
from simulator.history import KEPT_CONFERENCES, History
from simulator.rows import View
from simulator.timing import activity_offset, day_of, parse_time, start_of
from simulator.truth import Truth, data_centre_nodes, truth_of
from simulator.world import World

PARTICIPANTS_PER_SCALE: Final = 1500
"""Participants of the platform at its own size that a scale multiplies: 10 times is 15,000, 66 times
99,000."""

DAYS_REMEMBERED: Final = 9
"""How many days before today are replayed at most to fill history."""

Moment = float | str | datetime
"""A time: Unix seconds, ISO 8601 text (UTC unless it says otherwise), or an aware datetime."""


def seconds_of(moment: Moment) -> float:
    """Unix seconds of a moment."""
    if isinstance(moment, datetime):
        return moment.timestamp()
    return parse_time(moment) if isinstance(moment, str) else float(moment)


@lru_cache(maxsize=8)
def _past_day(seed: int, day: date, offset: float, version: str) -> World:  # noqa: ARG001
    """A day that is over, replayed to its end; its records keep the rows drawn of them, of one version."""
    world = World(seed, day, offset=offset)
    following = day_of(start_of(day) + 26 * 3600)
    world.advance(start_of(following) - offset - 0.001)
    return world


class VirtualPlatform:
    """VDX as it is at the clock's present.

    `time` is when to begin (now by default); `manual` stops the clock, which then moves by `step` alone;
    `activity` is the local weekday and time that the beginning shall look like (`tue 09:10`), or seconds to
    add. The same seed and time give the same platform, however one got there.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        time: Moment | None = None,
        speed: float = 1.0,
        manual: bool = False,
        activity: str = "",
        version: str = "current",
        scale: float = 1,
    ) -> None:
        self.seed = seed
        self.version = version
        self.clock = Clock(None if time is None else seconds_of(time), 0.0 if manual else speed)
        self.offset = activity_offset(activity, self.clock.now()) if activity else 0.0
        self.faults = FaultBoard()
        self._world = self._begin(self.clock.now())
        self.view = View(self._world, self._world.now, version)
        self._filled = False
        self.catalogue: Catalogue = catalogue(lambda: self.view, version, self.history)
        self.refresh()
        if scale != 1:
            self.fault("scale", factor=scale)

    def _begin(self, now: float) -> World:
        return World(self.seed, day_of(now + self.offset), offset=self.offset)

    @property
    def now(self) -> float:
        """The clock's present, in Unix seconds."""
        return self.view.now

    def refresh(self) -> View:
        """Bring the world up to the clock's present."""
        now = self.clock.now()
        if now < self._world.now - 0.001 or now > self._world.now + 86400:
            self._world = self._begin(now)
            self._filled = False
            self._world.advance(now)
            for fault in self.faults.active.values():
                self._strike(fault)
        while self.faults.next_end() <= now:
            for name in self.faults.expired(now):
                end = self.faults.active[name].until or now
                self._world.advance(end)
                self.clear(name)
        self._world.advance(now)
        self.view = View(self._world, now, self.version)
        return self.view

    def step(self, seconds: float = 30.0) -> View:
        """Move the clock forward."""
        self.clock.advance(seconds)
        return self.refresh()

    def move_to(self, moment: Moment) -> View:
        """Set the clock; to an earlier time means another world, of the same seed."""
        self.clock.set(seconds_of(moment))
        return self.refresh()

    def truth(self) -> Truth:
        """What is true at the present."""
        return truth_of(self.refresh())

    def license_series(
        self, begin: Moment | None = None, end: Moment | None = None
    ) -> list[tuple[float, int]]:
        """Exact licence ports: changes (Unix seconds, ports from then on), the first at the beginning.

        About the last 26 hours are known; the default is the last day.
        """
        now = self.refresh().now
        to = now if end is None else seconds_of(end)
        since = to - 86400 if begin is None else seconds_of(begin)
        self.history()
        held = 0
        found: list[tuple[float, int]] = []
        for at, ports in self._world.license_changes:
            if at <= since:
                held = ports
            elif at <= to and ports != (found[-1][1] if found else held):
                found.append((at, ports))
        return [(since, held), *found]

    def history(self) -> History:
        """The Management Node's history, filled from the days before when first asked for."""
        world = self._world
        if not self._filled:
            self._filled = True
            day = day_of(world.started + self.offset)
            started_changes = world.license_changes
            for back in range(1, DAYS_REMEMBERED + 1):
                past = _past_day(self.seed, day - timedelta(days=back), self.offset, self.version)
                if back == 1:
                    started_changes.extendleft(reversed(past.license_changes))
                world.node_events.extendleft(reversed(past.node_events))
                world.lowered_alarms.extendleft(reversed(past.lowered_alarms))
                world.history.prepend(past.history)
                if len(world.history.conferences) >= KEPT_CONFERENCES:
                    break
        return world.history

    # Faults

    def fault(self, name: str, **parameters: Any) -> Fault:
        """Switch a fault on; see `faults.FAULTS` for names and parameters."""
        now = self.refresh().now
        if name == "node_lost" and name in self.faults.active:
            parameters["nodes"] = [
                *self.faults.active[name].parameters["nodes"],
                *parameters.get("nodes", []),
            ]
        if name == "data_centre_lost" and parameters.get("data_centre", "Vest") not in DATA_CENTRES:
            raise UnknownFaultError(f"the data centres are {', '.join(DATA_CENTRES)}")
        known = {node.installed.name for node in self._world.placement.nodes}
        for node in parameters.get("nodes", []):
            if node not in known:
                raise UnknownFaultError(f"no node is named '{node}'")
        if name in self.faults.active and name != "node_lost":
            self.clear(name)
        fault = self.faults.set(name, parameters, now)
        self._strike(fault)
        return fault

    def clear(self, name: str | None = None) -> None:
        """Switch a fault off, or all of them."""
        for one in [name] if name else list(self.faults.active):
            fault = self.faults.clear(one)
            if fault is None:
                continue
            if one in {"node_lost", "data_centre_lost"}:
                self._world.restore_nodes(self._nodes_of(fault))
                for other in self.faults.active.values():
                    if other.name in {"node_lost", "data_centre_lost"}:
                        self._strike(other)
            elif one == "over_use":
                self._world.set_crowd("licenses", None)
            elif one == "scale":
                self._world.set_crowd("participants", None)
                self._world.set_scale(1)

    def _nodes_of(self, fault: Fault) -> list[Any]:
        if fault.name == "data_centre_lost":
            return data_centre_nodes(
                View(self._world, self._world.now, self.version), fault.parameters["data_centre"]
            )
        names = set(fault.parameters["nodes"])
        return [node for node in self._world.placement.nodes if node.installed.name in names]

    def _strike(self, fault: Fault) -> None:
        if fault.name not in WORLD_FAULTS:
            return
        if fault.name == "over_use":
            self._world.set_crowd("licenses", float(fault.parameters["target"]))
        elif fault.name == "scale":
            factor = float(fault.parameters["factor"])
            self._world.set_scale(factor)
            self._world.set_crowd("participants", factor * PARTICIPANTS_PER_SCALE)
        else:
            self._world.lose_nodes(self._nodes_of(fault))
