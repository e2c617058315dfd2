"""The overview of the network kit: its devices, what is wrong, and what changed. Pure."""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from app.web import texts
from app.web.changes import Change
from app.web.network.devices import DeviceRow, Member, Tunnel, device_row
from app.web.network.services import ServiceRow, service_troubles
from app.web.state import RANK, State, worst
from app.web.troubles import Trouble
from exporters.snmp.device import State as DeviceState
from vdx.configurations import Backup

LATE: Final = timedelta(hours=26)
"""Age of a copy of a configuration from which it is too old."""


class ConfigurationRow(msgspec.Struct, frozen=True):
    """How a device's configuration is copied, and when it changed."""

    device: str
    state: State
    words: str
    copied: datetime | None
    changed: datetime | None
    added: int | None
    removed: int | None
    outside: bool
    """Whether the last change lay outside the change windows."""


class Overview(msgspec.Struct, frozen=True):
    """All that the overview shows, worst first."""

    time: datetime
    state: State
    status: str
    devices: tuple[DeviceRow, ...]
    members: tuple[Member, ...]
    tunnels: tuple[Tunnel, ...]
    configurations: tuple[ConfigurationRow, ...]
    services: tuple[ServiceRow, ...]
    troubles: tuple[Trouble, ...]
    changes: tuple[Change, ...] = ()


Seen: TypeAlias = Set[tuple[str, str]]
"""Device and name of interfaces that have been up."""


def overview(
    states: Sequence[DeviceState],
    backups: Iterable[Backup],
    seen_up: Seen,
    now: datetime,
    services: Sequence[ServiceRow] = (),
) -> Overview:
    """The overview. An interface that is down is a trouble where it has been seen up."""
    rows = sorted(map(device_row, states), key=lambda row: (-RANK[row.state], row.name))
    configurations = sorted(
        (configuration_row(backup, now) for backup in backups), key=lambda row: (-RANK[row.state], row.device)
    )
    troubles = sorted(
        (
            *device_troubles(rows),
            *interface_troubles(rows, seen_up),
            *configuration_troubles(configurations),
            *service_troubles(services),
        ),
        key=lambda trouble: -RANK[trouble.state],
    )
    tunnels = [tunnel for row in rows for tunnel in row.tunnels]
    return Overview(
        time=max((state.tried for state in states if state.tried), default=now),
        state=worst(trouble.state for trouble in troubles),
        status=texts.status(sum(RANK[trouble.state] > RANK["notice"] for trouble in troubles)),
        devices=tuple(rows),
        members=tuple(member for row in rows for member in row.members),
        tunnels=tuple(sorted(tunnels, key=lambda tunnel: (-RANK[tunnel.state], tunnel.device, tunnel.name))),
        configurations=tuple(configurations),
        services=tuple(services),
        troubles=tuple(troubles),
    )


def device_troubles(rows: Iterable[DeviceRow]) -> Iterable[Trouble]:
    """What is wrong with devices."""
    for row in rows:
        part = f"device-{row.name}"
        if row.state == "critical" and row.interfaces == () and row.words:
            yield Trouble(f"down {row.name}", "critical", texts.device_silent(row.name, row.words), part)
            continue
        if row.words:
            yield Trouble(f"read {row.name}", "warning", texts.device_partly(row.name, row.words), part)
        for bad in row.parts:
            yield Trouble(f"part {row.name} {bad.text}", bad.state, f"{row.name}: {bad.text}", part)


def interface_troubles(rows: Iterable[DeviceRow], seen_up: Seen) -> Iterable[Trouble]:
    """Interfaces that shall be up, have been, and are not; and those with errors, or nearly full."""
    for row in rows:
        part = f"device-{row.name}"
        for interface in row.interfaces:
            name = " ".join(filter(None, (interface.name, f"({interface.alias})" if interface.alias else "")))
            if interface.is_down and (row.name, interface.name) in seen_up:
                key = f"interface {row.name} {interface.name}"
                yield Trouble(key, "warning", texts.interface_down(row.name, name), part)
            elif interface.state == "warning":
                key = f"traffic {row.name} {interface.name}"
                yield Trouble(key, "warning", texts.interface_strained(row.name, name), part)


def configuration_row(backup: Backup, now: datetime) -> ConfigurationRow:
    """A device's copies, and how well they go."""
    latest = backup.changes[0] if backup.changes else None
    late = backup.succeeded is None or now - backup.succeeded > LATE
    words, state = "", "good"
    if backup.fault:
        words, state = backup.fault, "critical" if late else "warning"
    elif backup.startup_differs:
        words, state = texts.NOT_SAVED, "warning"
    elif backup.tried is None:
        words, state = texts.NOT_COPIED, "unknown"
    changed = backup.last_change
    return ConfigurationRow(
        backup.device,
        state,  # type: ignore[arg-type]
        words,
        backup.succeeded,
        changed,
        latest.added if latest and latest.window else None,
        latest.removed if latest and latest.window else None,
        bool(latest and latest.window == "outside"),
    )


def configuration_troubles(rows: Iterable[ConfigurationRow]) -> Iterable[Trouble]:
    """What is wrong with copies of configurations."""
    for row in rows:
        if row.words and row.state in ("warning", "critical"):
            yield Trouble(
                f"configuration {row.device}",
                row.state,
                texts.configuration_trouble(row.device, row.words),
                "configurations",
            )
