"""What is known of the exporters of other communities, as data: one TOML file in kinds/ for each.

A file tells where its kind listens, how it is switched on, and which metrics alerts and dashboards need.
"""

import difflib
from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

FOLDER: Final = Path(__file__).with_name("kinds")


class Needed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric that alerts or dashboards need."""

    use: str
    """What it is needed for, in PromQL."""
    when: str = ""
    """When there is such a metric; empty: always."""


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of exporter. Its name is that of its file, and the label `job` of its metrics."""

    title: str
    port: int
    """Where it listens, where its address does not say."""
    interval_seconds: int
    timeout_seconds: int
    exporter: str
    """What it is, and where it comes from."""
    switch_on: str
    """What an operator does to have it."""
    metrics: dict[str, Needed]
    path: str = "/metrics"
    scheme: Literal["http", "https"] = "http"
    up: str = ""
    """The metric that is 0 while the exporter cannot reach what it watches."""
    probes: Literal["", "host", "any"] = ""
    """What it looks at by itself, by a parameter of the request: hosts, or whatever its module takes."""


@cache
def kinds() -> dict[str, Kind]:
    """All kinds by name, in the order of the alphabet."""
    return {
        path.stem: msgspec.toml.decode(path.read_bytes(), type=Kind) for path in sorted(FOLDER.glob("*.toml"))
    }


def kind(name: str) -> Kind:
    """The kind of a name. Raises ValueError with the nearest one."""
    found = kinds().get(name)
    if found is None:
        near = difflib.get_close_matches(name, kinds(), n=1, cutoff=0.5)
        mend = f"did you mean {near[0]}?" if near else f"use one of {', '.join(kinds())}"
        raise ValueError(f"there is no kind {name!r}; {mend}")
    return found
