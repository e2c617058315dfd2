"""The words of the page, in English, and how it writes numbers and times. Nothing else holds text."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
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

NETWORK: Final = {
    "name": "Network kit",
    "to_network": "Network kit",
    "to_live": "Live",
    "devices": "Devices",
    "devices_caption": "Those in trouble first. A heading sorts by its column; a name opens the device.",
    "no_devices": "No device is polled: write [devices.NAME] with an address, a kind and snmp.",
    "device": "Device",
    "kind": "Kind",
    "site": "Site",
    "state": "State",
    "model": "Model",
    "serial": "Serial number",
    "version": "Version",
    "cpu": "CPU",
    "memory": "Memory",
    "uptime": "Up for",
    "interfaces_up": "Interfaces up",
    "received": "Received",
    "sent": "Sent",
    "errors": "Errors/s",
    "discards": "Discards/s",
    "pair": "Firewall pair",
    "pair_caption": "By the account of each address that was asked.",
    "told_by": "Told by",
    "member": "Member",
    "role": "Role",
    "primary": "primary",
    "secondary": "secondary",
    "synchronised": "Configuration",
    "in_step": "in step",
    "out_of_step": "out of step",
    "sessions": "Sessions",
    "tunnels": "Tunnels",
    "tunnel": "Tunnel",
    "configurations": "Configurations",
    "configurations_caption": "Copies of the configuration of each device, and its last change.",
    "no_configurations": "No configuration is copied: set login of a device.",
    "copied": "Last copy",
    "changed": "Last change",
    "lines": "Lines",
    "outside": "outside the change windows",
    "never": "never",
    "remarks": "Remarks",
    "first_copy": "first copy, {count} lines",
    "services": "Service and licence ends",
    "services_caption": "What ends first is on top.",
    "ending": "What",
    "ending_kind": "Of what",
    "ends": "Until",
    "days_left": "Days left",
    "traps": "Traps",
    "no_traps": "No trap has come since VDX Watch began to listen.",
    "trap": "Trap",
    "time": "Time",
    "from": "From",
    "meaning": "Meaning",
    "interfaces": "Interfaces",
    "interfaces_caption": "Those that call for a look first. Traffic is the mean between the last two polls.",
    "interface_filter": "Filter by name or description",
    "interface": "Interface",
    "description": "Description",
    "wanted": "Wanted",
    "is": "Is",
    "speed": "Speed",
    "use": "Use",
    "sensors": "Sensors",
    "sensor": "Sensor",
    "value": "Value",
    "parts": "Parts",
    "part": "Part",
    "all_devices": "All devices",
    "read_at": "Figures from",
    "as_the_device_has_it": "Device says",
}
"""Name -> a piece of text of the network pages."""

NETWORK_FOOTER: Final = (
    "Polled every {seconds} seconds, unless a device has its own interval. Times are those of {zone}."
)
ENDS: Final = {"asset": "service", "licence": "licence", "certificate": "certificate"}
SERIAL_DIFFERS: Final = "its serial number is not what the register says"
NO_DEVICE: Final = "there is no such device among those that are polled"
NOT_SAVED: Final = "what runs is not saved: a restart would lose it"
NOT_COPIED: Final = "not copied yet"
UNITS: Final = {
    "celsius": "°C",
    "volts": "V",
    "amperes": "A",
    "watts": "W",
    "rpm": "rpm",
    "dbm": "dBm",
}
KINDS: Final = {
    "fortigate": "firewall",
    "nexus": "switch",
    "idrac": "server",
    "pexip-node": "Pexip node",
    "generic": "other",
}
"""Kind of a device -> what the pages call it; others show as they are."""

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


def bits(rate: float | None) -> str:
    """bit/s in a readable unit: `1.3 Gbit/s`."""
    if rate is None:
        return UNKNOWN
    for unit, size in (("Tbit/s", 1e12), ("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if rate >= size:
            return f"{rate / size:.3g} {unit}"
    return f"{rate:.0f} bit/s"


def rate(value: float | None) -> str:
    """A number a second: `0`, `0.02`, `12`."""
    if value is None:
        return UNKNOWN
    return "0" if value == 0 else f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def day(value: date) -> str:
    """A day with its year: `3 Mar 2027`."""
    return f"{value.day} {value:%b %Y}"


def device_silent(device: str, words: str) -> str:
    """A device could not be polled."""
    return f"{device} is out of sight: {words}"


def interface_down(device: str, interface: str) -> str:
    """An interface that was up is down."""
    return f"{device}: {interface} is down"


def interface_strained(device: str, interface: str) -> str:
    """An interface has errors, or hardly any room left."""
    return f"{device}: {interface} has errors or is nearly full"


def ends_in(what: str, names: Sequence[str], days: int) -> str:
    """Service, a licence or a certificate ends, for some things on one day."""
    about = f"The {what} of {listed(names)}"
    if days < 0:
        return f"{about} ended {count(-days, 'day', 'days')} ago"
    return f"{about} ends {'today' if days == 0 else 'in ' + count(days, 'day', 'days')}"


def device_partly(device: str, words: str) -> str:
    """Some tables of a device could not be read."""
    return f"{device} is read in part: {words}"


def device_status(words: str, parts: int, up: bool | None) -> str:
    """The headline of a device."""
    if up is None:
        return "Not polled yet"
    if not up:
        return "Out of sight"
    return status(parts + bool(words))


def measure(value: float, unit: str) -> str:
    """A measurement with its unit: `45.5 °C`."""
    digits = f"{value:,.0f}" if unit == "rpm" else f"{value:.4g}"
    return f"{digits} {UNITS.get(unit, unit)}"


def configuration_trouble(device: str, words: str) -> str:
    """A copy of a configuration failed, or says something that is not right."""
    return f"Configuration of {device}: {words}"


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
