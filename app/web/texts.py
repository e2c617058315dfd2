"""The words of the page, in English, and how it writes numbers and times. Nothing else holds text."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LANGUAGE: Final = "en"
UNKNOWN: Final = "–"

PAGE: Final = {
    "name": "VDX Watch",
    "skip": "Skip to the figures",
    "waiting": "Waiting for the first poll",
    "waiting_more": "The Management Node is asked; the figures appear here by themselves.",
    "figures_from": "Figures from",
    "no_script": "Without JavaScript this page does not renew itself: reload it to see later figures.",
    "figures_old": "These figures are old: they are from {time}. VDX Watch has published none since.",
    "no_contact": "No contact with VDX Watch since {time}. The figures are from then; trying to reconnect.",
    "polled_every": "Polled every {seconds} seconds. Times are those of {zone}.",
    "as_data": "The figures as data",
    "troubles": "What needs a look",
    "no_troubles": "Nothing needs a look.",
    "more_troubles": "and {count} more",
    "since": "since",
    "changes": "What changed",
    "no_changes": "Nothing has changed since VDX Watch began to watch.",
    "began": "Began",
    "ended": "Over",
    "licences": "Licence ports",
    "of_pool": "of {limit} in use",
    "over_pool": "{count} over the pool; calls are carried all the same",
    "left_in_pool": "{count} left",
    "reported": "Pexip reports {used} of {limit}",
    "not_reported": "Pexip's own count could not be read",
    "no_figure": "could not be read",
    "curve": "Licence ports, last 24 hours",
    "pool": "dashed: the pool",
    "hardware": "Hardware, 720p ports",
    "of_limit": "of {limit}",
    "tier_central": "Central",
    "tier_decentral": "Decentral",
    "data_centre_out": "If {name} is out",
    "data_centre_ports": "720p ports to spare",
    "carries": "enough",
    "carries_not": "the rest is short",
    "participants": "Participants",
    "with_media": "with media",
    "bad_quality": "{share} in bad quality",
    "running": "running",
    "conferences": "Conferences",
    "troubled": "{count} in trouble",
    "pstn": "Telephone lines",
    "pstn_lines": "on the SIP trunk",
    "pstn_unset": "no rule tells telephony apart",
    "figures": "Figures",
    "locations": "Locations",
    "locations_caption": "Those in trouble first, then by load. A heading sorts by its column.",
    "nodes": "Conferencing Nodes",
    "nodes_caption": "Those in trouble first, then by load. A heading sorts by its column.",
    "conferences_live": "Live conferences",
    "conferences_caption": "Those in trouble first, then by participants. A heading sorts by its column.",
    "filter": "Filter by name, type or location",
    "filter_count": "{shown} of {total} rows",
    "rest": "and {count} more, smaller and without more trouble",
    "unread": "Could not be read in the last poll.",
    "none_running": "No conference is running.",
    "location": "Location",
    "tier": "Tier",
    "nodes_up": "Nodes",
    "ports": "Ports",
    "load": "Load",
    "licence_ports": "Licences",
    "good_quality": "Good",
    "bad": "Bad",
    "good_hint": "Participants in good or ok quality",
    "bad_hint": "Participants in bad or terrible quality",
    "bad_people_hint": "Number of participants in bad or terrible quality",
    "node": "Node",
    "state": "State",
    "version": "Version",
    "conference": "Conference",
    "type": "Type",
    "people": "Participants",
    "people_short": "Part.",
    "conferences_short": "Conf.",
    "started": "Since",
    "duration": "Duration",
}
"""Name -> a piece of text of the page."""

STATES: Final = {
    "good": "good",
    "notice": "worth knowing",
    "warning": "warning",
    "critical": "severe",
    "unknown": "unknown",
}

NODE_STATES: Final = {
    "up": "up",
    "lost": "lost",
    "maintenance": "maintenance",
    "unsynchronised": "out of sync",
}

TIERS: Final = {"central": "central", "decentral": "decentral"}

SERVICES: Final = {
    "conference": "meeting room",
    "lecture": "auditorium",
    "gateway": "gateway call",
    "two_stage_dialing": "reception",
    "ivr": "reception",
    "test_call": "test call",
    "media_playback": "media playback",
    "waiting_room": "waiting room",
    "connecting": "connecting",
}
"""Pexip's service type -> what the page calls it; others show as they are."""


def number(value: float | None) -> str:
    """A whole number with thousands set apart: `1,500`."""
    return UNKNOWN if value is None else f"{round(value):,}"


def percent(ratio: float | None) -> str:
    """A share as whole percent: `110 %`. A share that is not nothing does not read as 0 %."""
    if ratio is None:
        return UNKNOWN
    return "< 1 %" if 0 < ratio < 0.005 else f"{round(ratio * 100):,} %"


def clock(time: datetime, zone: ZoneInfo) -> str:
    """The time of day with seconds: `12:03:30`."""
    return time.astimezone(zone).strftime("%H:%M:%S")


def moment(time: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The time of day, with the date when it is not today's: `12:03`, `3 Mar 12:03`."""
    local = time.astimezone(zone)
    text = local.strftime("%H:%M")
    return text if local.date() == now.astimezone(zone).date() else f"{local.day} {local:%b} {text}"


def duration(span: timedelta) -> str:
    """How long: `4 min`, `2 h 05 min`, `3 d 4 h`."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def count(amount: int, one: str, many: str) -> str:
    """`1 node`, `3 nodes`."""
    return f"{amount:,} {one if amount == 1 else many}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Some names in a row: `a, b, c and 4 more`."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def service(service_type: str) -> str:
    """What the page calls a service type."""
    return SERVICES.get(service_type, service_type or UNKNOWN)


def status(things: int) -> str:
    """The headline: how much needs a look."""
    return "All well" if things == 0 else count(things, "thing needs a look", "things need a look")


def out_of_sight(since: str | None) -> str:
    """The headline when the last poll got no answer; `since` is the last time that it did."""
    return (
        f"Out of sight: the Management Node has not answered since {since}"
        if since
        else "Out of sight: the Management Node has not answered yet"
    )


def partly_out_of_sight(resources: Sequence[str]) -> str:
    """The headline when some essential figures are missing."""
    return f"Partly out of sight: {listed([resource.replace('_', ' ') for resource in resources])} not read"


def unreachable(reason: str) -> str:
    """The poll failed."""
    return f"The Management Node does not answer: {reason}"


def unreadable(resource: str, reason: str) -> str:
    """One resource failed."""
    return f"{resource.replace('_', ' ').capitalize()} could not be read: {reason}"


def rejected(resource: str, rows: int) -> str:
    """Rows were malformed."""
    amount = count(rows, "row", "rows")
    return f"{amount} of {resource.replace('_', ' ')} could not be understood and left out"


def nodes_lost(location: str, names: Sequence[str], total: int) -> str:
    """Nodes that the platform has lost contact with."""
    if len(names) == total:
        return f"{location}: {'its only node is' if total == 1 else f'all {total} nodes are'} lost"
    return f"{location}: {count(len(names), 'node', 'nodes')} of {total} lost: {listed(names)}"


def no_node_left(location: str) -> str:
    """Nodes are in contact, but none takes calls."""
    return f"{location}: no node takes calls"


def nodes_in_maintenance(location: str, names: Sequence[str]) -> str:
    """Nodes in maintenance mode."""
    return f"{location}: {len(names):,} in maintenance: {listed(names)}"


def nodes_unsynchronised(names: Sequence[str]) -> str:
    """Nodes whose configuration is not that of the Management Node."""
    return (
        f"{count(len(names), 'node is', 'nodes are')} out of sync with the Management Node: {listed(names)}"
    )


def alarms(name: str, amount: int, nodes: Sequence[str]) -> str:
    """Alarms of one name and level that are raised on the platform."""
    times = f" ({amount:,} times)" if amount > 1 else ""
    place = f" on {listed(nodes)}" if nodes else ""
    return f"Alarm: {name.replace('_', ' ')}{times}{place}"


def licences_over(used: int, limit: int) -> str:
    """More licence ports in use than were bought."""
    return f"Licence ports {used - limit:,} over the pool of {limit:,}; calls are carried all the same"


def licences_close(used: int, limit: int) -> str:
    """Nearly all licence ports in use."""
    return f"Licence ports at {percent(used / limit)} of the pool: {limit - used:,} left"


def location_full(location: str, ratio: float) -> str:
    """The hardware of a location is nearly or wholly in use."""
    return f"{location}: {percent(ratio)} of its ports in use"


def data_centre_short(name: str, short: float) -> str:
    """With one data centre out, the rest would not carry the present use."""
    return f"Without {name} the rest would be {number(short)} ports short"


def pstn_full(used: int, limit: int) -> str:
    """Telephone lines are used up, or nearly."""
    if used >= limit:
        return f"All {limit:,} telephone lines are in use: callers are refused"
    return f"{used:,} of {limit:,} telephone lines in use"


def location_quality(location: str, bad: int, participants: int) -> str:
    """Many participants of a location have bad quality."""
    return f"{location}: bad quality for {bad:,} of {participants:,}"


def conferences_quality(names: Sequence[str]) -> str:
    """Conferences where half of the participants or more have bad quality."""
    amount = count(len(names), "conference has", "conferences have")
    return f"{amount} bad quality for half or more: {listed(names)}"


def curve(highest: str, lowest: str, last: str, limit: str, gaps: Sequence[str]) -> str:
    """The curve in words."""
    unseen = f" Out of sight {listed(gaps)}." if gaps else ""
    return f"Highest {highest}, lowest {lowest}, last {last}, against a pool of {limit}.{unseen}"


def no_curve() -> str:
    """The curve has no figures."""
    return "No figures for the last 24 hours."


def title(name: str, headline: str, things: int) -> str:
    """The title of the browser's tab."""
    return f"({things}) {headline} · {name}" if things else f"{headline} · {name}"
