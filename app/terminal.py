"""A snapshot for a person at a terminal, and for a machine as JSON."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vdx.capacity import TIERS, NodeUse, Ports, Usage
from vdx.settings import Settings
from vdx.snapshot import Snapshot

UNKNOWN = "?"


def number(value: float | None) -> str:
    """A whole number with thousands separated, or `?` where it could not be read."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def percent(ports: Ports) -> str:
    """Use as a share of the limit; over 100 % is shown as it is."""
    return f"{ports.ratio:.0%}" if ports.limit else "-"


def _style(ratio: float) -> str:
    if ratio > 1:
        return "bold red"
    return "yellow" if ratio > 0.9 else "green"


def _figure(label: str, ports: Ports) -> Text:
    text = Text(f"{label} {number(ports.used)} of {number(ports.limit)} ")
    return text.append(f"({percent(ports)})", style=_style(ports.ratio))


def line(snapshot: Snapshot, usage: Usage, zone: ZoneInfo) -> Text:
    """The poll in one line, for a log that scrolls by."""
    text = Text(f"{snapshot.time.astimezone(zone):%H:%M:%S}  ")
    if not snapshot.up:
        reasons = "; ".join(dict.fromkeys(failure.reason for failure in snapshot.failures.values()))
        return text.append(f"no figures: {reasons}", style="bold red")
    parts = []
    if usage.license_ports is not None:
        parts.append(_figure("licences", Ports(usage.license_ports, usage.license_limit)))
    parts += [_figure(tier, ports) for tier, ports in (usage.hardware_by_tier or {}).items()]
    parts.append(Text(f"{number(usage.conferences_total)} conferences"))
    parts.append(Text(f"{number(usage.participants_total)} participants"))
    down = [node for node in usage.nodes or () if not node.up]
    if down:
        parts.append(Text(f"{len(down)} node{'s' if len(down) > 1 else ''} lost", style="bold red"))
    return text.append(Text("  ·  ").join(parts))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    return table


def _port_row(table: Table, name: str, ports: Ports, *more: str) -> None:
    share = Text(percent(ports), style=_style(ports.ratio))
    table.add_row(name, number(ports.used), number(ports.limit), share, *more)


def _ports_table(snapshot: Snapshot, usage: Usage) -> Table:
    table = _table("Ports", "", "in use", "of", "share")
    if usage.license_ports is not None:
        _port_row(table, "licences, calculated", Ports(usage.license_ports, usage.license_limit))
    licensing = snapshot.licensing
    if licensing is not None and licensing.port_count is not None and licensing.port_total is not None:
        reported = Ports(licensing.port_count, licensing.port_total)
        _port_row(table, "licences, reported by Pexip", reported)
    for tier in TIERS if usage.hardware_by_tier is not None else ():
        _port_row(table, f"hardware, {tier}", (usage.hardware_by_tier or {})[tier])
    if usage.hardware is not None:
        _port_row(table, "hardware, all", usage.hardware)
    if usage.pstn_lines is not None:
        _port_row(table, "telephony lines", Ports(usage.pstn_lines, usage.pstn_limit))
    return table


def _participants_by_location(usage: Usage) -> Mapping[str, int]:
    totals: dict[str, int] = {}
    for (location, _), count in (usage.participants or {}).items():
        totals[location] = totals.get(location, 0) + count
    return totals


def _locations_table(usage: Usage, settings: Settings) -> Table:
    table = _table("Locations", "location", "ports", "of", "share", "participants", "tier")
    participants = _participants_by_location(usage)
    for name, ports in sorted((usage.hardware_by_location or {}).items()):
        _port_row(table, name, ports, number(participants.get(name, 0)), settings.locations.tier(name))
    return table


def _state(node: NodeUse) -> str:
    if not node.up:
        return "lost"
    return "maintenance" if node.maintenance else "up"


def _nodes_table(usage: Usage, most: int) -> Table:
    nodes = sorted(
        usage.nodes or (), key=lambda node: (_state(node) == "up", -node.hardware.ratio, node.name)
    )
    rest = len(nodes) - most
    title = "Nodes" if rest <= 0 else f"Nodes (the {most} most in need of a look; {rest} more)"
    table = _table(title, "node", "ports", "of", "share", "conferences", "location", "state")
    for node in nodes[:most]:
        _port_row(table, node.name, node.hardware, number(node.conferences), node.location, _state(node))
    return table


def report(snapshot: Snapshot, usage: Usage, settings: Settings, *, nodes: int = 100) -> RenderableType:
    """The whole snapshot as tables. `nodes` bounds the rows of the table of nodes."""
    zone = ZoneInfo(settings.sla.time_zone)
    parts: list[RenderableType] = [
        Text(f"VDX at {snapshot.time.astimezone(zone):%A %d %B %Y %H:%M:%S %Z}", style="bold")
    ]
    failed: dict[str, list[str]] = {}
    for resource, failure in sorted(snapshot.failures.items()):
        failed.setdefault(failure.reason, []).append(resource)
    for reason, resources in failed.items():
        parts.append(Text(f"not read: {', '.join(resources)}: {reason}", style="bold red"))
    for resource, count in sorted(snapshot.rejected.items()):
        parts.append(Text(f"malformed: {count} rows of {resource} are left out", style="yellow"))
    parts += [
        Text(
            f"{number(usage.conferences_total)} conferences, "
            f"{number(usage.participants_total)} participants, "
            f"{number(None if snapshot.alarms is None else len(snapshot.alarms))} alarms"
        ),
    ]
    ports = _ports_table(snapshot, usage)
    if ports.row_count:
        parts += [Text(), ports]
    if usage.nodes is not None:
        parts += [Text(), _locations_table(usage, settings), Text(), _nodes_table(usage, nodes)]
    if usage.headroom_without:
        parts.append(Text())
    for name, headroom in (usage.headroom_without or {}).items():
        verdict, style = ("left", "") if headroom >= 0 else ("lacking", "bold red")
        parts.append(Text(f"with {name} out: {number(abs(headroom))} ports {verdict}", style=style))
    return Group(*parts)


def _pairs(counts: Mapping[Any, int] | None, *names: str) -> list[dict[str, Any]] | None:
    if counts is None:
        return None
    return [{**dict(zip(names, key, strict=True)), "count": count} for key, count in sorted(counts.items())]


def as_json(snapshot: Snapshot, usage: Usage) -> bytes:
    """The figures of a snapshot as one JSON object; conferences are counted, not named."""
    figures = msgspec.structs.asdict(usage)
    figures["participants"] = _pairs(usage.participants, "location", "protocol")
    figures["quality"] = _pairs(usage.quality, "location", "quality")
    document = {
        "time": snapshot.time,
        "up": snapshot.up,
        "duration_seconds": snapshot.duration_seconds,
        "failures": snapshot.failures,
        "rejected": snapshot.rejected,
        "participants_total": usage.participants_total,
        "conferences_total": usage.conferences_total,
        "licensing": snapshot.licensing,
        "alarms": None if snapshot.alarms is None else len(snapshot.alarms),
        "registrations": None if snapshot.registrations is None else len(snapshot.registrations),
        **figures,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def console() -> Console:
    """Standard output; rich leaves out colour and boxes where it is no terminal."""
    return Console(highlight=False, soft_wrap=True)
