"""The fault switches: what is wrong with the platform or with its API, until when and for which requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FAULTS: Final[dict[str, dict[str, Any]]] = {
    "slow": {"delay": 5.0},
    "connection_reset": {},
    "unauthorized": {},
    "forbidden": {},
    "not_found": {},
    "rate_limited": {"retry_after": 5},
    "server_error": {},
    "bad_gateway": {},
    "html_page": {},
    "half_body": {},
    "wrong_types": {"every": 10},
    "unknown_enum": {"every": 10},
    "wrong_total": {"difference": 7},
    "moving_rows": {"shift": 3},
    "manager_restart": {"seconds": 20.0, "empty_seconds": 0.0},
    "node_lost": {"nodes": []},
    "data_centre_lost": {"data_centre": "Vest"},
    "over_use": {"target": 1650},
    "scale": {"factor": 10},
}
"""Each fault and its parameters with their defaults. All take `resource` (limit to one), `count` (the next so
many requests) and `seconds` (so long by the simulator's clock) besides.

slow: answers after `delay` seconds. rate_limited: 429 with Retry-After. bad_gateway: 502 with an HTML body.
html_page: 200 with a proxy's login page. wrong_types and unknown_enum: about one row in `every`. wrong_total:
total_count off by `difference`. moving_rows: pages after the first begin `shift` rows early (rows come
twice), or late when negative (rows are skipped). manager_restart: 502, then 503 for `seconds`, then empty
lists for `empty_seconds`. node_lost: names of nodes. over_use: licence ports to reach. scale: times the size.
"""

WORLD_FAULTS: Final = frozenset({"node_lost", "data_centre_lost", "over_use", "scale"})
"""Faults of the platform itself; the others are of its API."""


class UnknownFaultError(ValueError):
    """No such fault, or a parameter that it does not have."""


@dataclass(slots=True)
class Fault:
    """A fault that is switched on."""

    name: str
    parameters: dict[str, Any]
    resource: str | None = None
    count: int | None = None
    since: float = 0.0
    until: float | None = None
    spoiled: dict[str, list[str]] = field(default_factory=dict)
    """Rows that the last answer of each resource spoiled, by id."""


class FaultBoard:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self.active: dict[str, Fault] = {}

    def set(self, name: str, parameters: Mapping[str, Any], now: float) -> Fault:
        """Switch a fault on, in the place of one of the same name."""
        if name not in FAULTS:
            raise UnknownFaultError(f"no fault is named '{name}'; there are {', '.join(FAULTS)}")
        unknown = parameters.keys() - FAULTS[name].keys() - {"resource", "count", "seconds"}
        if unknown:
            raise UnknownFaultError(f"'{name}' has no parameter '{min(unknown)}'")
        merged = FAULTS[name] | dict(parameters)
        seconds = merged.get("seconds")
        count, resource = merged.pop("count", None), merged.pop("resource", None)
        if seconds is not None and name == "manager_restart":
            seconds = float(seconds) + float(merged["empty_seconds"])
        until = None if seconds is None else now + float(seconds)
        fault = Fault(name, merged, resource, None if count is None else int(count), now, until)
        self.active[name] = fault
        return fault

    def clear(self, name: str) -> Fault | None:
        """Switch a fault off."""
        return self.active.pop(name, None)

    def expired(self, now: float) -> list[str]:
        """Names of the faults whose time is over."""
        return [name for name, fault in self.active.items() if fault.until is not None and fault.until <= now]

    def next_end(self) -> float:
        """When the next fault's time is over."""
        return min(
            (fault.until for fault in self.active.values() if fault.until is not None), default=float("inf")
        )

    def take(self, name: str, resource: str) -> Fault | None:
        """The fault, when it strikes this request; a count goes down, and the last one switches it off."""
        fault = self.active.get(name)
        if fault is None or (fault.resource is not None and fault.resource != resource):
            return None
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                del self.active[name]
        return fault


WRONG: Final[dict[str, tuple[str, object]]] = {
    "participant": ("license_count", "many"),
    "conference": ("is_started", "perhaps"),
    "worker_vm": ("media_tokens_used", "some"),
    "system_location": ("media_tokens_used", [1]),
    "licensing": ("port_count", None),
    "alarm": ("time_raised", 17),
}
"""Resource -> the field of a spoiled row and its value of a wrong type; otherwise `resource_uri` becomes a
number."""

UNKNOWN: Final[dict[str, dict[str, str]]] = {
    "participant": {"call_quality": "5_splendid", "protocol": "HOLOGRAM", "service_type": "holodeck"},
    "conference": {"service_type": "holodeck"},
    "worker_vm": {"node_type": "DREAMING", "sync_status": "PONDERING"},
    "alarm": {"level": "catastrophic", "name": "unheard_of"},
    "backplane": {"type": "orbital"},
}
"""Resource -> fields and values that no documentation names."""


def spoil(fault: Fault, resource: str, objects: list[dict[str, Any]]) -> None:
    """Spoil every so many rows in place, the first always, and note which."""
    every = max(1, int(fault.parameters["every"]))
    spoiled = objects[::every]
    for row in spoiled:
        if fault.name == "wrong_types":
            name, value = WRONG.get(resource, ("resource_uri", 404))
            row[name] = value
        else:
            row.update(UNKNOWN.get(resource, {}))
    fault.spoiled[resource] = [str(row.get("id", "")) for row in spoiled]
